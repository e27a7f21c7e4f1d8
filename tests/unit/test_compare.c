/* Outputs against what was expected: integers bit for bit, float32 within what a suite declares. */
#include <math.h>
#include <string.h>

#include "harness/measure/compare.h"
#include "tests/unit/unit.h"

static struct event_output compare(const struct nn_report *r, double tolerance, const void *got,
                                   const void *expected, size_t n)
{
    AUTO_BUF a = BUF_INIT, b = BUF_INIT;
    struct event_output o = {.vector = 0};

    buf_append(&a, got, n);
    buf_append(&b, expected, n);
    check_compare(r, tolerance, &a, &b, &o);
    assert_true(o.compared);
    return o;
}

static void without_a_tolerance_every_byte_counts(void **state)
{
    const struct event_output same = compare(NULL, 0, "abcd", "abcd", 4);
    const struct event_output other = compare(NULL, 0, "abcd", "aXcY", 4);

    assert_true(same.equal);
    assert_false(other.equal);
    assert_int_equal(other.differences, 2);
    assert_int_equal(other.first_difference, 1);
}

static void a_tolerance_is_of_floats_only(void **state)
{
    struct {
        float real;
        int8_t whole[4];
    } got = {1000.5F, {1, 2, 3, 4}}, expected = {1000.0F, {1, 2, 3, 4}};
    const struct nn_report_tensor outputs[] = {{.type = NN_FLOAT32, .size = 4},
                                               {.type = NN_INT8, .size = 4}};
    const struct nn_report r = {.outputs = outputs, .output_count = 2};

    assert_true(compare(&r, 0.001, &got, &expected, sizeof got).equal);
    assert_false(compare(&r, 0.0001, &got, &expected, sizeof got).equal);
    got.whole[1] = 3;
    const struct event_output o = compare(&r, 0.001, &got, &expected, sizeof got);
    assert_false(o.equal);
    assert_int_equal(o.first_difference, 5);
}

static void near_zero_the_tolerance_is_absolute(void **state)
{
    const float got = 0.0005F, expected = 0, nan = NAN;

    assert_true(compare(NULL, 0.001, &got, &expected, 4).equal);
    assert_false(compare(NULL, 0.0001, &got, &expected, 4).equal);
    assert_false(compare(NULL, 0.001, &nan, &expected, 4).equal);
    assert_int_equal(compare(NULL, 0.001, &nan, &expected, 4).differences, 4);
}

static void another_length_is_another_output(void **state)
{
    AUTO_BUF a = BUF_INIT, b = BUF_INIT;
    struct event_output o = {.vector = 0};

    buf_puts(&a, "abc");
    buf_puts(&b, "abcd");
    check_compare(NULL, 0.5, &a, &b, &o);
    assert_false(o.equal);
    assert_int_equal(o.first_difference, 3);
    assert_int_equal(o.differences, 1);
    buf_puts(&a, "dxy");
    o = (struct event_output){.vector = 0};
    check_compare(NULL, 0, &a, &b, &o);
    assert_false(o.equal);
    assert_int_equal(o.first_difference, 4);
    assert_int_equal(o.differences, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_tolerance_every_byte_counts),
        cmocka_unit_test(a_tolerance_is_of_floats_only),
        cmocka_unit_test(near_zero_the_tolerance_is_absolute),
        cmocka_unit_test(another_length_is_another_output),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
