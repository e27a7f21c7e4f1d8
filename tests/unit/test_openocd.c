/* The Tcl client against texts that OpenOCD 0.12 printed, and against a real OpenOCD when there is one. */
#include <string.h>
#include <unistd.h>

#include "harness/openocd/probe.h"
#include "harness/transport/swd.h"
#include "tests/unit/files.h"
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

/* ---- probes ---- */

static const struct board bench_board = {
    .name = "bench",
    .ram = {0x20000000, 0x8000},
    .openocd = {.interface = "interface/stlink-dap.cfg",
                .target = "target/nrf51.cfg",
                .transport = "swd",
                .serial = "06[exit]6F",
                .usb_id = "0483:374b",
                .speed_hz = 4000000},
};

static void a_board_file_becomes_configuration(void **state)
{
    const struct probe_options o = {.board = &bench_board, .address = "127.0.0.1:7184"};
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(probe_config_text(&o, &text, &err), 0);
    assert_string_equal(buf_text(&text), "-f interface/stlink-dap.cfg\n"
                                         "-c st-link backend tcp 7184\n"
                                         "-c st-link vid_pid 0x0483 0x374b\n"
                                         "-c adapter serial \"06\\[exit\\]6F\"\n"
                                         "-c transport select dapdirect_swd\n"
                                         "-f target/nrf51.cfg\n"
                                         "-c adapter speed 1000\n");
}

static void a_board_without_a_chip_script_gets_a_core_alone(void **state)
{
    struct board b = bench_board;
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    b.openocd.target = NULL;
    b.openocd.usb_id = NULL;
    assert_int_equal(probe_config_text(&(struct probe_options){.board = &b}, &text, &err), 0);
    assert_non_null(strstr(buf_text(&text), "target create chip.cpu cortex_m"));
    assert_non_null(strstr(buf_text(&text), "-work-area-phys 0x20000000 -work-area-size 0x4000"));
}

static void impossible_adapters_are_refused_with_a_reason(void **state)
{
    struct board b = bench_board;
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(
        probe_config_text(&(struct probe_options){.board = &b, .address = "10.0.0.1:7184"}, &text,
                          &err),
        ERR_CONFIG);
    assert_non_null(strstr(err.text, "127.0.0.1 only"));
    err_clear(&err);
    b.openocd.interface = "interface/jlink.cfg";
    assert_int_equal(probe_config_text(&(struct probe_options){.board = &b}, &text, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "use serial"));
    err_clear(&err);
    b.openocd.interface = NULL;
    assert_int_equal(probe_config_text(&(struct probe_options){.board = &b}, &text, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.hint, "lab file"));
}

static void only_a_running_openocd_of_this_host_is_joined(void **state)
{
    struct board b = bench_board;
    struct openocd *o = NULL;
    struct err err = ERR_INIT;

    b.openocd.connect = "192.0.2.1:6666";
    assert_int_equal(probe_start(&(struct probe_options){.board = &b}, &o, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "on 127.0.0.1"));
    err_clear(&err);
    b.openocd.connect = "127.0.0.1:1"; /* nobody may listen there but root */
    assert_int_equal(probe_start(&(struct probe_options){.board = &b}, &o, &err), ERR_LAB);
    assert_non_null(strstr(err.hint, "tcl_port 1"));
    assert_null(o);
}

static void openocds_words_become_kinds_and_hints(void **state)
{
    static const struct {
        const char *log;
        enum err_code code;
        const char *hint;
    } cases[] = {
        {"Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\n", ERR_LAB, "udev"},
        {"Error: Error connecting DP: cannot read IDR\n", ERR_LAB, "SWDIO"},
        {"Error: Flash sector 0 is protected\n", ERR_FLASH, "unlock"},
        {"Error: Cannot identify target as a SAM MCU.\n", ERR_FLASH, "another chip"},
        {"Error: Couldn't find part corresponding to DID 618400fe\n", ERR_FLASH, "another chip"},
        {"Error: Could not find MEM-AP to control the core\n", ERR_LAB, "locked"},
        {"Error: Fail reading CTRL/STAT register. Force reconnect\n", ERR_LAB, "stopped"},
        {"Error: checksum mismatch - attempting binary compare\n", ERR_FLASH, "worn"},
        {"Error: something nobody has met yet\n", ERR_LAB, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_INIT;

        (void)err_set(&err, ERR_LAB, "failed");
        assert_int_equal(probe_explain(cases[i].log, &err), cases[i].code);
        assert_non_null(strstr(err.hint, cases[i].hint));
    }
}

static void the_log_tells_adapter_and_core(void **state)
{
    struct probe_facts facts;

    probe_parse_facts("Info : STLINK V3J10S0 (API v3) VID:PID 0483:374F\n"
                      "Info : Target voltage: 3.300000\n"
                      "Info : SWD DPIDR 0x2ba01477\n"
                      "Info : [atsame5.cpu] Cortex-M4 r0p0 processor detected\n",
                      &facts);
    assert_int_equal(facts.dpidr, 0x2ba01477);
    assert_string_equal(facts.core, "Cortex-M4 r0p0");
    assert_string_equal(facts.adapter, "STLINK V3J10S0 (API v3) VID:PID 0483:374F");
    assert_true(facts.volts > 3.2 && facts.volts < 3.4);
    probe_parse_facts("", &facts);
    assert_int_equal(facts.dpidr, 0);
    assert_string_equal(facts.core, "");
}

static void ring_bytes_are_bytes(void **state)
{
    AUTO_BUF out = BUF_INIT;
    struct err err = ERR_INIT;
    unsigned s = 9;

    assert_int_equal(swd_parse_bytes("0 0x41 0x0 255", &s, &out, &err), 0);
    assert_int_equal(s, 0);
    assert_int_equal(out.len, 3);
    assert_memory_equal(out.data, "A\0\xff", 3);
    assert_int_equal(swd_parse_bytes("2", &s, &out, &err), 0);
    assert_int_equal(s, 2);
    assert_int_equal(swd_parse_bytes("0 0x100", &s, &out, &err), ERR_PROTOCOL);
    err_clear(&err);
    assert_int_equal(swd_parse_bytes("0 x", &s, &out, &err), ERR_PROTOCOL);
    err_clear(&err);
    assert_int_equal(swd_parse_bytes("7", &s, &out, &err), ERR_PROTOCOL);
}

/* ---- a real OpenOCD ---- */

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

/* OpenOCD's scripts are programs: one that came with a checkout must not be taken for its own. */
static void scripts_of_our_folder_are_not_openocds(void **state)
{
    static const struct openocd_config config[] = {{true, "interface/dummy.cfg"}};
    AUTO(openocd_close_auto) struct openocd *o = open_dummy();
    AUTO_FILES files = {.folder = ""};
    AUTO_BUF result = BUF_INIT;
    AUTO_BUF named = BUF_INIT;
    struct err err = ERR_INIT;
    char before[4096];

    files_init(&files);
    files_write(&files, "interface/dummy.cfg", "adapter driver dummy\nset strange yes\n");
    files_write(&files, "[exit].elf", "four");
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(files.folder), 0);
    openocd_close(o);
    o = NULL;
    assert_int_equal(
        openocd_open(&(struct openocd_options){.config = config, .config_count = 1}, &o, &err), 0);
    assert_int_equal(openocd_command(o, 2000, &result, &err, "info exists strange"), 0);
    assert_string_equal(buf_text(&result), "0");
    /* Files of ours it finds all the same. */
    assert_int_equal(openocd_quote_file(&named, "[exit].elf", &err), 0);
    assert_int_equal(openocd_command(o, 2000, &result, &err, "file size %s", buf_text(&named)), 0);
    assert_string_equal(buf_text(&result), "4");
    assert_int_equal(openocd_quote_file(&named, "not-there.elf", &err), ERR_IO);
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_carry_their_status),
        cmocka_unit_test(finds_the_port_and_the_last_errors_in_a_log),
        cmocka_unit_test(quoted_text_cannot_run_tcl),
        cmocka_unit_test(a_board_file_becomes_configuration),
        cmocka_unit_test(a_board_without_a_chip_script_gets_a_core_alone),
        cmocka_unit_test(impossible_adapters_are_refused_with_a_reason),
        cmocka_unit_test(only_a_running_openocd_of_this_host_is_joined),
        cmocka_unit_test(openocds_words_become_kinds_and_hints),
        cmocka_unit_test(the_log_tells_adapter_and_core),
        cmocka_unit_test(ring_bytes_are_bytes),
        cmocka_unit_test(real_openocd_tells_failure_from_result),
        cmocka_unit_test(real_openocd_that_dies_says_why),
        cmocka_unit_test(scripts_of_our_folder_are_not_openocds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
