/* What a comparison says of facts that differ. */
#include "harness/base/base.h"
#include "harness/report/difference.h"
#include "tests/unit/unit.h"

#define DIGEST "480001b8032acc8dc0a68a9a57d93c8a026b48a6fb73f01e24bbe3148af1cb3"

static void assert_sides(const char *a, const char *b, const char *shown_a, const char *shown_b)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct difference x = {.key = "k", .title = "t", .a = a, .b = b};
    const struct difference_sides sides = difference_sides(&arena, &x);

    assert_string_equal(sides.a, shown_a);
    assert_string_equal(sides.b, shown_b);
}

static void of_command_lines_only_what_differs_is_shown(void **state)
{
    assert_sides("-mcpu=cortex-m3 -std=c11 -g -O2", "-mcpu=cortex-m33 -std=c11 -g -mfpu=auto -O2",
                 "-mcpu=cortex-m3", "-mcpu=cortex-m33 -mfpu=auto");
    assert_sides("-a -b  -c -d", "-a -b -c -d -e", "none", "-e");
    assert_sides("-a -b -c -d", "-b -a -c -d", "-a -b -c -d", "-b -a -c -d");
}

static void prose_is_shown_whole(void **state)
{
    assert_sides("a part - with - some - dashes -", "another one",
                 "a part - with - some - dashes -", "another one");
    assert_sides(NULL, "", "unknown", "");
    assert_sides("-O2", "-O3", "-O2", "-O3");
}

static void digests_are_cut_unless_they_begin_alike(void **state)
{
    assert_sides(DIGEST "6", "748fee861a1985409c6bca230db4fd95", "480001b8032a", "748fee861a19");
    assert_sides(DIGEST "6", DIGEST "7", DIGEST "6", DIGEST "7");
    assert_sides("25000000", "20000000", "25000000", "20000000");
}

static void what_was_said_under_the_same_title_is_not_repeated(void **state)
{
    static const struct difference list[] = {
        {.key = "board.cpu", .title = "core", .a = "m3", .b = "m33"},
        {.key = "board_type.cpu", .title = "core", .a = "m3", .b = "m33"},
        {.key = "board.part", .title = "part", .a = "m3", .b = "m33"},
        {.key = "x.cpu", .title = "core", .a = "m3"},
    };
    const struct differences d = {list, ARRAY_SIZE(list)};

    assert_false(difference_is_said(&d, 0));
    assert_true(difference_is_said(&d, 1));
    assert_false(difference_is_said(&d, 2));
    assert_false(difference_is_said(&d, 3));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_command_lines_only_what_differs_is_shown),
        cmocka_unit_test(prose_is_shown_whole),
        cmocka_unit_test(digests_are_cut_unless_they_begin_alike),
        cmocka_unit_test(what_was_said_under_the_same_title_is_not_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
