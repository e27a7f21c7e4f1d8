#include <string.h>

#include "harness/base/npy.h"
#include "tests/unit/unit.h"

struct array {
    char bytes[256];
    size_t size;
};

/* Version 1 with this dictionary and these data. */
static struct array make(const char *header, const void *data, size_t size)
{
    struct array a = {.bytes = "\x93NUMPY\x01"};
    const size_t n = strlen(header);

    a.bytes[8] = (char)n;
    memcpy(a.bytes + 10, header, n);
    memcpy(a.bytes + 10 + n, data, size);
    a.size = 10 + n + size;
    return a;
}

static void reads_numbers_of_each_type(void **state)
{
    const int16_t wide[] = {1, -2, -32768};
    const float real[] = {0.5f, -3};
    struct err err = ERR_INIT;
    struct npy a;

    struct array f = make("{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }", wide, 6);
    assert_int_equal(npy_parse(f.bytes, f.size, &a, &err), 0);
    assert_int_equal(a.rank, 1);
    assert_int_equal(a.count, 3);
    assert_true(npy_value(&a, 0) == 1 && npy_value(&a, 1) == -2 && npy_value(&a, 2) == -32768);
    f = make("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", real, 8);
    assert_int_equal(npy_parse(f.bytes, f.size, &a, &err), 0);
    assert_int_equal(a.dims[0], 2);
    assert_true(npy_value(&a, 0) == 0.5 && npy_value(&a, 1) == -3);
    f = make("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "\xff", 1);
    assert_int_equal(npy_parse(f.bytes, f.size, &a, &err), 0);
    assert_true(a.count == 1 && npy_value(&a, 0) == 255);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *header, *text;
    } cases[] = {
        {"{'descr': '<i2', 'fortran_order': True, 'shape': (1,), }", "C order"},
        {"{'descr': '>i2', 'fortran_order': False, 'shape': (1,), }", "'>i2' is not supported"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "'<c8' is not supported"},
        {"{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }", "cut off"},
        {"{'descr': '<i2', 'fortran_order': False, 'shape': (9223372036854775807, 4), }",
         "cut off"},
        {"{'descr': '<i2', 'fortran_order': False, 'shape': (x), }", "makes no sense"},
        {"{'descr': '<i2', 'fortran_order': False, }", "no 'shape'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct array f = make(cases[i].header, "\1\2", 2);
        struct err err = ERR_INIT;
        struct npy a;
        assert_int_equal(npy_parse(f.bytes, f.size, &a, &err), ERR_CONFIG);
        if (!strstr(err.text, cases[i].text))
            fail_msg("'%s' is not in: %s", cases[i].text, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_of_each_type),
        cmocka_unit_test(says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
