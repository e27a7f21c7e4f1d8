/* The Tcl client against texts that OpenOCD 0.12 printed, and against a real OpenOCD when there is one. */
#include <string.h>

#include "harness/openocd/openocd.h"
#include "tests/unit/unit.h"

static void answers_carry_their_status(void **state)
{
    AUTO_BUF result = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(openocd_parse_answer("0 {0x1 0x2}", 11, &result, &err), 0);
    assert_string_equal(buf_text(&result), "0x1 0x2");
    assert_int_equal(openocd_parse_answer("1 {invalid command name \"x\"}", 28, &result, &err), 1);
    assert_string_equal(buf_text(&result), "invalid command name \"x\"");
    assert_int_equal(openocd_parse_answer("-4 {}", 5, &result, &err), 1);
    assert_string_equal(buf_text(&result), "");
    assert_int_equal(openocd_parse_answer("0 running", 9, &result, &err), 0);
    assert_string_equal(buf_text(&result), "running");
    assert_int_equal(openocd_parse_answer("0 a\\nb\\{", 8, &result, &err), 0);
    assert_string_equal(buf_text(&result), "a\nb{");
    assert_int_equal(openocd_parse_answer("boom", 4, &result, &err), ERR_PROTOCOL);
}

static void finds_the_port_and_the_last_errors_in_a_log(void **state)
{
    static const char log[] = "Open On-Chip Debugger 0.12.0\n"
                              "Info : Listening on port 41463 for tcl connections\n"
                              "Error: first\nError: init mode failed\n";
    char text[64];

    assert_int_equal(openocd_parse_port(log), 41463);
    assert_int_equal(openocd_parse_port("Info : Listening on port 3333 for gdb connections\n"), 0);
    openocd_parse_errors(log, text, sizeof(text));
    assert_string_equal(text, "first; init mode failed");
}

static void quoted_text_cannot_run_tcl(void **state)
{
    AUTO_BUF word = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(openocd_quote(&word, "a [exit] $x {b}; \"", &err), 0);
    assert_string_equal(buf_text(&word), "\"a \\[exit\\] \\$x \\{b\\}\\; \\\"\"");
    assert_int_equal(openocd_quote(&word, "a\x1a", &err), ERR_CONFIG);
}

static struct openocd *open_dummy(void)
{
    static const struct openocd_config config[] = {{false, "adapter driver dummy"}};
    struct openocd *o = NULL;
    struct err err = ERR_INIT;

    if (openocd_open(&(struct openocd_options){.config = config, .config_count = 1}, &o, &err) <
        0) {
        print_message("skipped: %s\n", err.text);
        skip(); /* no openocd on this machine: bootstrap installs it, so CI always has it */
    }
    return o;
}

static void real_openocd_tells_failure_from_result(void **state)
{
    AUTO(openocd_close_auto) struct openocd *o = open_dummy();
    AUTO_BUF result = BUF_INIT;
    AUTO_BUF quoted = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(openocd_command(o, 2000, &result, &err, "expr {6 * 7}"), 0);
    assert_string_equal(buf_text(&result), "42");
    assert_int_equal(openocd_command(o, 2000, &result, &err, "nosuchcmd"), ERR_LAB);
    assert_non_null(strstr(err.text, "invalid command name"));
    err_clear(&err);
    assert_int_equal(openocd_capture(o, 2000, &result, &err, "adapter name"), 0);
    assert_non_null(strstr(buf_text(&result), "dummy"));
    /* A hostile word comes back as the text it is. */
    assert_int_equal(openocd_quote(&quoted, "[exit] $env(HOME) {x", &err), 0);
    assert_int_equal(openocd_command(o, 2000, &result, &err, "set v %s", buf_text(&quoted)), 0);
    assert_string_equal(buf_text(&result), "[exit] $env(HOME) {x");
}

static void real_openocd_that_dies_says_why(void **state)
{
    static const struct openocd_config config[] = {{false, "adapter driver nonsense"}};
    struct openocd *o = open_dummy();
    struct err err = ERR_INIT;

    openocd_close(o);
    o = NULL;
    assert_int_equal(
        openocd_open(&(struct openocd_options){.config = config, .config_count = 1}, &o, &err),
        ERR_LAB);
    assert_non_null(strstr(err.text, "exited with status 1"));
    assert_null(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_carry_their_status),
        cmocka_unit_test(finds_the_port_and_the_last_errors_in_a_log),
        cmocka_unit_test(quoted_text_cannot_run_tcl),
        cmocka_unit_test(real_openocd_tells_failure_from_result),
        cmocka_unit_test(real_openocd_that_dies_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
