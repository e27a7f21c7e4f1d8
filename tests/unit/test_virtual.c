/* The virtual board's parts that need no process: lines, commands, faults, options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/virtual/command.h"
#include "targets/virtual/fault.h"
#include "targets/virtual/lines.h"
#include "targets/virtual/options.h"
#include "tests/unit/unit.h"

static int parse(const char *text, struct command *ret, struct err *err)
{
    static char line[COMMAND_LINE_MAX + 1];

    assert_true(snprintf(line, sizeof(line), "%s", text) < (int)sizeof(line));
    return command_parse(line, ret, err);
}

static void a_command_is_words_with_optional_quotes(void **state)
{
    struct err err = ERR_INIT;
    struct command c;

    assert_int_equal(parse("  load \"/tmp/a \\\"b\\\" \\\\c.bin\"\t0x1000 ", &c, &err), 0);
    assert_int_equal(c.kind, COMMAND_LOAD);
    assert_int_equal(c.count, 3);
    assert_string_equal(c.words[1], "/tmp/a \"b\" \\c.bin");
    assert_string_equal(c.words[2], "0x1000");
    assert_int_equal(parse("", &c, &err), 1);
    assert_int_equal(parse("  # power off", &c, &err), 1);
}

static void a_wrong_command_gets_a_sentence(void **state)
{
    static const struct {
        const char *line;
        const char *text;
    } wrong[] = {
        {"rest", "unknown command 'rest'"},
        {"power", "usage: power on|off"},
        {"reset now", "usage: reset "},
        {"load \"a 1", "missing closing quote"},
        {"fault a b c d e f g h i j k l m n o p", "more than 16 words"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct err err = ERR_INIT;
        struct command c;

        assert_int_equal(parse(wrong[i].line, &c, &err), ERR_USAGE);
        assert_string_equal(err.text, wrong[i].text);
    }
}

static void lines_come_out_whole_however_they_went_in(void **state)
{
    static const char text[] = "one\r\n\ntwo three\nend";

    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct lines l;

        lines_init(&l, 20);
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            const size_t left = sizeof(text) - 1 - at;

            lines_feed(&l, text + at, piece < left ? piece : left);
        }
        assert_string_equal(lines_next(&l), "one");
        assert_string_equal(lines_next(&l), "");
        assert_string_equal(lines_next(&l), "two three");
        assert_null(lines_next(&l));
        lines_release(&l);
    }
}

static void a_line_too_long_is_dropped_and_the_next_is_intact(void **state)
{
    for (size_t piece = 1; piece < 12; piece++) {
        static const char text[] = "12345678\n123456789 and more\nabc\n";
        struct lines l;

        lines_init(&l, 8);
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            const size_t left = sizeof(text) - 1 - at;

            lines_feed(&l, text + at, piece < left ? piece : left);
        }
        assert_string_equal(lines_next(&l), "12345678");
        assert_string_equal(lines_next(&l), "abc");
        assert_null(lines_next(&l));
        assert_int_equal(l.dropped, 1);
        lines_release(&l);
    }
}

/* Arm the fault that `text` says; the words after `fault`. */
static int arm(struct fault_set *s, const char *text, struct err *err)
{
    char line[200];
    char *words[20];
    int count = 0;

    assert_true(snprintf(line, sizeof(line), "%s", text) < (int)sizeof(line));
    for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " "))
        words[count++] = w;
    return fault_arm(s, words, count, err);
}

static void must_arm(struct fault_set *s, const char *text)
{
    struct err err = ERR_INIT;

    if (arm(s, text, &err) != 0)
        fail_msg("%s: %s", text, err.text);
}

static void expect_passes(const char *fault, const char *in, const char *out)
{
    for (size_t piece = 1; piece <= strlen(in); piece++) {
        AUTO_BUF got = BUF_INIT;
        struct fault_set s;

        fault_set_init(&s, 1);
        must_arm(&s, fault);
        for (size_t at = 0; at < strlen(in); at += piece) {
            const size_t left = strlen(in) - at;
            const size_t n = piece < left ? piece : left;

            assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)in + at, n, &got), n);
        }
        assert_string_equal(buf_text(&got), out);
    }
}

static void faults_hit_the_byte_they_name_however_it_is_chunked(void **state)
{
    expect_passes("drop from-board at 3", "0123456789", "012456789");
    expect_passes("drop from-board at 0 count 4", "0123456789", "456789");
    expect_passes("mute from-board at 2", "0123456789", "01");
    expect_passes("duplicate from-board at 9", "0123456789", "01234567899");
    expect_passes("drop to-board at 3", "0123456789", "0123456789");
    expect_passes("drop from-board prob 0", "0123456789", "0123456789");
    expect_passes("drop from-board prob 1", "0123456789", "");
}

static void a_garbled_byte_differs_in_one_bit(void **state)
{
    AUTO_BUF got = BUF_INIT;
    struct fault_set s;

    fault_set_init(&s, 7);
    must_arm(&s, "garble from-board prob 1");
    for (int i = 0; i < 256; i++) {
        const uint8_t byte = (uint8_t)i;

        assert_int_equal(fault_pass(&s, FROM_BOARD, &byte, 1, &got), 1);
    }
    assert_int_equal(got.len, 256);
    for (int i = 0; i < 256; i++)
        assert_int_equal(__builtin_popcount((unsigned)(uint8_t)got.data[i] ^ (unsigned)i), 1);
}

static void inserted_noise_comes_before_the_byte(void **state)
{
    AUTO_BUF got = BUF_INIT;
    struct fault_set s;

    fault_set_init(&s, 1);
    must_arm(&s, "insert from-board at 2 count 5");
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"abcd", 4, &got), 4);
    assert_int_equal(got.len, 9);
    assert_memory_equal(got.data, "ab", 2);
    assert_memory_equal(got.data + 7, "cd", 2);
}

static void run_seeded(uint64_t seed, struct buf *got)
{
    static const uint8_t zeros[4000];
    struct fault_set s;

    fault_set_init(&s, seed);
    must_arm(&s, "garble from-board prob 0.1");
    must_arm(&s, "drop from-board prob 0.05");
    assert_int_equal(fault_pass(&s, FROM_BOARD, zeros, sizeof(zeros), got), sizeof(zeros));
}

static void stale_bytes_come_again(void **state)
{
    AUTO_BUF got = BUF_INIT;
    struct fault_set s;

    fault_set_init(&s, 1);
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"0123456789", 10, &got), 10);
    must_arm(&s, "replay from-board at 1 count 3");
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"ab", 2, &got), 2);
    must_arm(&s, "replay from-board count 1000000");
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"c", 1, &got), 1);
    assert_string_equal(buf_text(&got), "0123456789a89ab0123456789abc");
}

static void a_stall_with_a_count_holds_each_byte_once(void **state)
{
    AUTO_BUF got = BUF_INIT;
    struct fault_set s;

    fault_set_init(&s, 1);
    must_arm(&s, "stall from-board at 1 count 2 ms 0");
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"abcd", 4, &got), 1);
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"bcd", 3, &got), 1);
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"cd", 2, &got), 2);
    assert_string_equal(buf_text(&got), "abcd");
}

static void random_faults_replay_from_their_seed(void **state)
{
    AUTO_BUF first = BUF_INIT;
    AUTO_BUF again = BUF_INIT;
    AUTO_BUF other = BUF_INIT;
    size_t bent = 0;

    run_seeded(5, &first);
    run_seeded(5, &again);
    run_seeded(6, &other);
    assert_int_equal(first.len, again.len);
    assert_memory_equal(first.data, again.data, first.len);
    assert_true(first.len != other.len || memcmp(first.data, other.data, first.len) != 0);
    for (size_t i = 0; i < first.len; i++)
        bent += first.data[i] != 0;
    /* 4000 draws: five standard deviations around the mean */
    assert_in_range(bent, 285, 475);
    assert_in_range(4000 - first.len, 131, 269);
}

static void an_action_comes_up_before_its_byte_and_once(void **state)
{
    AUTO_BUF got = BUF_INIT;
    struct fault_action action;
    struct fault_set s;

    fault_set_init(&s, 1);
    must_arm(&s, "reset from-board at 3");
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"abcdef", 6, &got), 3);
    assert_true(fault_take_action(&s, &action));
    assert_int_equal(action.kind, FAULT_RESET);
    assert_false(fault_take_action(&s, &action));
    assert_int_equal(fault_pass(&s, FROM_BOARD, (const uint8_t *)"def", 3, &got), 3);
    assert_string_equal(buf_text(&got), "abcdef");
}

static void an_action_can_wait_for_the_nth_edge(void **state)
{
    struct fault_action action;
    struct fault_set s;

    fault_set_init(&s, 1);
    must_arm(&s, "die edge 3");
    for (int i = 0; i < 2; i++) {
        fault_edge(&s);
        assert_false(fault_take_action(&s, &action));
    }
    fault_edge(&s);
    assert_true(fault_take_action(&s, &action));
    assert_int_equal(action.kind, FAULT_DIE);
    fault_edge(&s);
    assert_false(fault_take_action(&s, &action));
}

static void a_wrong_fault_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *words;
        const char *text;
    } wrong[] = {
        {"dorp from-board", "unknown fault 'dorp'"},
        {"drop at 3", "drop needs a direction: to-board or from-board"},
        {"drop from-board at 3 prob 0.5", "only one of at, swd, prob, after and edge"},
        {"drop from-board prob 1.5", "prob '1.5' is not between 0 and 1"},
        {"drop from-board prob nan", "prob 'nan' is not between 0 and 1"},
        {"drop from-board at", "'at' needs a value; see `fault help`"},
        {"drop from-board when 3", "'when' is not a word of fault; see `fault help`"},
        {"stall from-board at 3", "stall needs ms"},
        {"stall from-board ms 999999999", "ms '999999999' is not a number up to 600000"},
        {"reboot-loop ms 1", "reboot-loop needs at least 10 ms"},
        {"firmware", "firmware needs a file"},
        {"reset file x", "reset does not take a file"},
        {"insert from-board count 99999999", "insert takes a count of at most 1000000"},
    };
    struct fault_set s;

    fault_set_init(&s, 1);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(arm(&s, wrong[i].words, &err), ERR_USAGE);
        assert_string_equal(err.text, wrong[i].text);
        assert_int_equal(s.count, 0);
    }
}

static void options_say_what_is_missing_or_misspelt(void **state)
{
    static const struct {
        const char *argv[6];
        const char *text;
    } wrong[] = {
        {{"vboard", "--kind=qemu", NULL}, "--name is missing"},
        {{"vboard", "--knid=qemu", NULL}, "unknown option '--knid'"},
        {{"vboard", "kind", NULL}, "'kind' is not an option"},
        {{"vboard", "--seed", NULL}, "--seed needs N"},
        {{"vboard", "--seed", "x", NULL}, "--seed: 'x' is not a number up to 18446744073709551615"},
        {{"vboard", "--icount", "11", NULL}, "--icount: '11' is not a number up to 10"},
        {{"vboard", "--off=1", NULL}, "--off takes no value"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        char *argv[6];
        struct err err = ERR_INIT;
        struct options o;
        int argc = 0;

        for (; wrong[i].argv[argc] != NULL; argc++)
            argv[argc] = strdup(wrong[i].argv[argc]);
        assert_int_equal(options_parse(argc, argv, &o, &err), ERR_USAGE);
        assert_string_equal(err.text, wrong[i].text);
        while (argc > 0)
            free(argv[--argc]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_words_with_optional_quotes),
        cmocka_unit_test(a_wrong_command_gets_a_sentence),
        cmocka_unit_test(lines_come_out_whole_however_they_went_in),
        cmocka_unit_test(a_line_too_long_is_dropped_and_the_next_is_intact),
        cmocka_unit_test(faults_hit_the_byte_they_name_however_it_is_chunked),
        cmocka_unit_test(a_garbled_byte_differs_in_one_bit),
        cmocka_unit_test(inserted_noise_comes_before_the_byte),
        cmocka_unit_test(stale_bytes_come_again),
        cmocka_unit_test(a_stall_with_a_count_holds_each_byte_once),
        cmocka_unit_test(random_faults_replay_from_their_seed),
        cmocka_unit_test(an_action_comes_up_before_its_byte_and_once),
        cmocka_unit_test(an_action_can_wait_for_the_nth_edge),
        cmocka_unit_test(a_wrong_fault_is_refused_with_a_reason),
        cmocka_unit_test(options_say_what_is_missing_or_misspelt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
