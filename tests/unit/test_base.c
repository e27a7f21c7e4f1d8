#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/clock.h"
#include "harness/base/hash.h"
#include "harness/base/log.h"
#include "harness/base/proc.h"
#include "harness/base/text.h"
#include "harness/spec/names.h"
#include "tests/unit/files.h"
#include "tests/unit/unit.h"

/* What README and the manual promise to scripts. */
static void each_kind_of_error_has_its_exit_status(void **state)
{
    (void)state;
    assert_int_equal(err_exit_status(ERR_OK), 0);
    assert_int_equal(err_exit_status(ERR_USAGE), 2);
    assert_int_equal(err_exit_status(ERR_CONFIG), 2);
    assert_int_equal(err_exit_status(ERR_UNSUPPORTED), 2);
    assert_int_equal(err_exit_status(ERR_IO), 3);
    assert_int_equal(err_exit_status(ERR_TIMEOUT), 3);
    assert_int_equal(err_exit_status(ERR_LAB), 3);
    assert_int_equal(err_exit_status(ERR_BUG), 70);
    assert_int_equal(err_exit_status(ERR_CANCELLED), 130);
}

static void error_gains_context_on_the_way_up(void **state)
{
    struct err err = ERR_INIT;

    assert_int_equal(err_set(&err, ERR_TIMEOUT, "no answer in %d ms", 500), ERR_TIMEOUT);
    assert_int_equal(err_in(&err, "board '%s'", "virt-m4"), ERR_TIMEOUT);
    assert_string_equal(err.text, "board 'virt-m4': no answer in 500 ms");
    assert_int_equal(err_exit_status(err.code), 3);
    assert_string_equal(err_class_name(err.code), "timeout");
    err_clear(&err);
    assert_int_equal(err.code, ERR_OK);
}

/* FIPS 180-4 examples, as published by NIST. */
static void sha256_matches_published_digests(void **state)
{
    char text[65];

    sha256_hex("", 0, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, text);
    assert_string_equal(text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void numbers_carry_units(void **state)
{
    uint64_t v = 0;

    assert_true(text_to_bytes("64KiB", &v) && v == 65536);
    assert_true(text_to_bytes("0x100", &v) && v == 256);
    assert_true(text_to_bytes("1.5 MiB", &v) && v == 1572864);
    assert_true(text_to_ns("500ms", &v) && v == 500000000);
    assert_true(text_to_ns("2s", &v) && v == 2000000000);
    assert_false(text_to_ns("500", &v));
    assert_true(text_to_ns("2y", &v) && v == 63115200000000000);
    assert_false(text_to_bytes("64Kib", &v));
    assert_false(text_to_u64("18446744073709551616", &v));
    assert_false(text_to_u64("", &v));
}

static void durations_are_told_as_people_do(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {999, "999 ns"},
        {1500000, "1.5 ms"},
        {90000000000, "90.0 s"},
        {600000000000, "10 min"},
        {28800000000000, "8.0 h"},
        {864000000000000, "10.0 days"},
        {459500000000000000, "14.6 years"},
    };
    char text[32];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        text_format_duration(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void si_prefixes_scale_and_the_unit_is_required(void **state)
{
    double v = 0;

    assert_true(text_to_si("168MHz", "Hz", &v) && v == 168e6);
    assert_true(text_to_si("32.768 kHz", "Hz", &v) && v == 32768);
    assert_true(text_to_si("3V", "V", &v) && v == 3);
    assert_true(text_to_si("400\u00b5J", "J", &v) && fabs(v - 4e-4) < 1e-12);
    assert_true(text_to_si("2mm", "m", &v) && fabs(v - 2e-3) < 1e-12);
    assert_false(text_to_si("168", "Hz", &v));
    assert_false(text_to_si("168MHZ", "Hz", &v));
    assert_false(text_to_si("-1Hz", "Hz", &v));
}

static void suggests_the_nearest_word(void **state)
{
    static const char *const keys[] = {"windows", "warmup", "models", NULL};

    assert_string_equal(text_nearest("window", keys), "windows");
    assert_string_equal(text_nearest("wramup", keys), "warmup");
    assert_null(text_nearest("flash", keys));
    assert_null(text_nearest("a", (const char *const[]){"b", NULL}));
}

static void json_strings_are_inert(void **state)
{
    AUTO_BUF b = BUF_INIT;

    text_json_string(&b, "a\"\\\n\x01\xc3\xa9\xff");
    assert_string_equal(buf_text(&b), "\"a\\\"\\\\\\u000a\\u0001\xc3\xa9\xef\xbf\xbd\"");
}

/* Bytes of a board must not talk to the terminal; other people's letters may pass. */
static void escaped_text_moves_no_cursor(void **state)
{
    static const char unended[] = {'a', (char)0xe2, (char)0x82}; /* no NUL behind it */
    AUTO_BUF b = BUF_INIT;

    text_escape(&b, "\x1b[2J\x07 \xc3\xa9\xe2\x82\xac\n", 12);
    assert_string_equal(buf_text(&b), "\\x1b[2J\\x07 \xc3\xa9\xe2\x82\xac\\n");
    buf_clear(&b);
    text_escape(&b,
                "\xc2\x9b"
                "31m \x9b \xff\x7f",
                10);
    assert_string_equal(buf_text(&b), "\\xc2\\x9b31m \\x9b \\xff\\x7f");
    buf_clear(&b);
    text_escape(&b, unended, sizeof(unended));
    assert_string_equal(buf_text(&b), "a\\xe2\\x82");
}

static void an_unknown_log_category_is_told_from_all_others(void **state)
{
    struct err err = ERR_INIT;

    assert_int_equal(log_enable("wire,wires", &err), ERR_USAGE);
    assert_string_equal(err.text, "unknown log category 'wires'");
    for (const char *const *w = log_words(); *w != NULL; w++)
        assert_non_null(strstr(err.hint, *w));
}

static void buffer_keeps_its_limit(void **state)
{
    AUTO_BUF b = {.limit = 4};

    buf_puts(&b, "abcd");
    buf_puts(&b, "e");
    assert_string_equal(buf_text(&b), "abcd");
    assert_true(b.full);
    buf_consume(&b, 2);
    assert_string_equal(buf_text(&b), "cd");
}

static void arena_arrays_grow(void **state)
{
    AUTO(arena_release) struct arena a = ARENA_INIT;
    int *numbers = NULL;
    size_t count = 0;
    size_t capacity = 0;

    for (int i = 0; i < 100; i++)
        *ARENA_PUSH(&a, numbers, count, capacity) = i;
    assert_int_equal(count, 100);
    assert_int_equal(numbers[99], 99);
}

static void exec_failure_is_reported_by_start(void **state)
{
    AUTO(proc_release) struct proc p = PROC_INIT;
    struct err err = ERR_INIT;
    const char *const argv[] = {"/nonexistent/program", NULL};

    assert_int_equal(
        proc_start(&p, &(struct proc_options){.argv = argv, .stdio = {-1, -1, -1}}, &err), ERR_IO);
    assert_non_null(strstr(err.text, "No such file"));
}

static void stopping_kills_a_stubborn_child(void **state)
{
    AUTO(proc_release) struct proc p = PROC_INIT;
    struct err err = ERR_INIT;
    const char *const argv[] = {"sleep", "1000", NULL};

    assert_int_equal(
        proc_start(&p, &(struct proc_options){.argv = argv, .stdio = {-1, -1, -1}}, &err), 0);
    assert_false(proc_ended(&p, NULL));
    proc_stop(&p, 1000);
    assert_int_equal(p.pid, -1);
}

static void names_go_both_ways(void **state)
{
    assert_string_equal(unit_name(UNIT_INSTRUCTIONS), "instructions");
    assert_int_equal(unit_find("instructions"), UNIT_INSTRUCTIONS);
    assert_int_equal(realm_find("nowhere"), -1);
    assert_string_equal(case_status_name((enum case_status)99), "?");
}

/* root may name /dev/null: it must stay what it is. */
static void what_is_no_plain_file_is_written_to(void **state)
{
    AUTO_FILES files = {.folder = ""};
    AUTO(fd_close) int fifo = -1;
    AUTO_BUF text = BUF_INIT;
    char link[256];
    char got[8] = "";
    struct err err = ERR_INIT;
    struct stat st;

    files_init(&files);
    assert_int_equal(mkfifo(files_path(&files, "fifo"), 0600), 0);
    fifo = open(files.path, O_RDWR | O_NONBLOCK);
    assert_int_equal(file_write_named(files.path, "word", 4, &err), 0);
    assert_int_equal(stat(files.path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(read(fifo, got, sizeof(got)), 4);
    assert_string_equal(got, "word");
    (void)snprintf(link, sizeof(link), "%s/link", files.folder);
    assert_int_equal(symlink("report.html", link), 0);
    files_write(&files, "report.html", "old");
    assert_int_equal(file_write_named(link, "new", 3, &err), 0);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(file_read(files_path(&files, "report.html"), 10, &text, &err), 0);
    assert_string_equal(buf_text(&text), "new");
    assert_int_equal(file_write_named(files.folder, "new", 3, &err), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_error_has_its_exit_status),
        cmocka_unit_test(error_gains_context_on_the_way_up),
        cmocka_unit_test(sha256_matches_published_digests),
        cmocka_unit_test(numbers_carry_units),
        cmocka_unit_test(durations_are_told_as_people_do),
        cmocka_unit_test(si_prefixes_scale_and_the_unit_is_required),
        cmocka_unit_test(suggests_the_nearest_word),
        cmocka_unit_test(json_strings_are_inert),
        cmocka_unit_test(escaped_text_moves_no_cursor),
        cmocka_unit_test(an_unknown_log_category_is_told_from_all_others),
        cmocka_unit_test(buffer_keeps_its_limit),
        cmocka_unit_test(arena_arrays_grow),
        cmocka_unit_test(exec_failure_is_reported_by_start),
        cmocka_unit_test(stopping_kills_a_stubborn_child),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(what_is_no_plain_file_is_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
