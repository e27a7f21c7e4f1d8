/*
 * The emulated probe under stock OpenOCD with unmodified target files: flash, run control, memory,
 * RTT, on a real QEMU. Argument `soak`: many more flash cycles.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "tests/unit/unit.h"
#include "tests/virtual/probe_bench.h"

static int flash_cycles = 3;

static void expect_hello(struct bench *b, int version)
{
    char wanted[20];

    (void)snprintf(wanted, sizeof(wanted), "hello %d\n", version);
    bench_expect(b, wanted);
}

/* What is in the file and what the ELF says, over the ELF's own length. */
static void expect_image(const char *dump, const char *elf)
{
    AUTO_BUF read_back = BUF_INIT;
    AUTO_BUF file = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(file_read(dump, 1 << 21, &read_back, &err), 0);
    assert_int_equal(file_read(elf, 1 << 21, &file, &err), 0);
    assert_true(read_back.len > 24000);
    /* .text is the first section's content, and the only one that is loaded. */
    assert_non_null(memmem(file.data, file.len, read_back.data, read_back.len));
}

static void flash(struct bench *b, const struct probe_board *board, int version)
{
    char elf[512];
    char script[1400];
    char dump[100];

    probe_firmware(board, version, elf, sizeof(elf));
    (void)snprintf(dump, sizeof(dump), "%s/dump", b->dir);
    (void)snprintf(script, sizeof(script),
                   "program %s verify reset; dump_image %s 0 24900; shutdown", elf, dump);
    openocd_must(b, script, NULL);
    expect_hello(b, version);
    expect_image(dump, elf);
    (void)unlink(dump);
}

static void flash_alternates(const struct probe_board *board, const char *adapter, int cycles)
{
    struct bench b;

    probe_start_with(&b, board, adapter);
    for (int i = 0; i < cycles; i++)
        flash(&b, board, i % 2 == 0 ? 2 : 1);
    bench_expect_status(&b, "deaths", "0");
    bench_stop(&b);
}

static void openocd_flashes_an_nrf51(void **state)
{
    flash_alternates(&probe_m0, "stlink", flash_cycles);
}

static void openocd_flashes_a_cortex_m4_of_1_mb(void **state)
{
    flash_alternates(&probe_m4, "stlink", flash_cycles);
}

static void jtag_by_single_pins_does_the_same(void **state)
{
    flash_alternates(&probe_m0, "jtag", 1);
    flash_alternates(&probe_m4, "jtag", 1);
}

/* libjaylink finds adapters by a broadcast, which a host without any network does not carry. */
static bool has_broadcast_route(void)
{
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_BROADCAST)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    bool there;

    (void)setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    there = connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
    (void)close(fd);
    return there;
}

/* There is one port for J-Links on a host, and somebody else may be testing too. */
static bool port_is_free(void)
{
    const struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(19020), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    bool free_now;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    free_now = bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
    (void)close(fd);
    return free_now;
}

static void the_swd_wire_bit_by_bit_does_the_same(void **state)
{
    if (!has_broadcast_route() || !port_is_free())
        skip();
    flash_alternates(&probe_m0, "jlink", flash_cycles);
    flash_alternates(&probe_m4, "jlink", flash_cycles);
}

static void what_was_flashed_survives_power_off(const struct probe_board *board)
{
    struct bench b;

    probe_start(&b, board);
    flash(&b, board, 2);
    bench_command(&b, NULL, "power-cycle 1");
    expect_hello(&b, 2);
    bench_command(&b, NULL, "reset");
    expect_hello(&b, 2);
    bench_stop(&b);
}

/* Noise in RAM is full of halfwords that look like BKPT; the checksum loader comes after it. */
static void bulk_data_does_not_hide_a_loader(void **state)
{
    char elf[512];
    char script[2000];
    struct bench b;

    probe_start(&b, &probe_m4);
    probe_firmware(&probe_m4, 2, elf, sizeof(elf));
    (void)snprintf(script, sizeof(script),
                   "init; reset halt; for {set i 0} {$i < 80} {incr i} "
                   "{load_image %s [expr {0x20010000 + 0x8000 * $i}] elf};"
                   "load_image %s 0x20000000 bin; program %s verify reset; shutdown",
                   elf, elf, elf);
    openocd_must(&b, script, NULL);
    expect_hello(&b, 2);
    bench_expect_status(&b, "deaths", "0");
    bench_stop(&b);
}

static void flash_survives_power_off(void **state)
{
    what_was_flashed_survives_power_off(&probe_m0);
    what_was_flashed_survives_power_off(&probe_m4);
}

static void a_firmware_runs_on_while_its_memory_is_read_and_written(void **state)
{
    AUTO_BUF log = BUF_INIT;
    struct bench b;

    probe_start(&b, &probe_m4);
    openocd_must(&b,
                 "init; write_memory 0x20000004 32 41; write_memory 0x20000000 32 1; sleep 20;"
                 "echo \"answer [read_memory 0x20000008 32 1] [[target current] curstate]\";"
                 "shutdown",
                 &log);
    assert_non_null(strstr(buf_text(&log), "answer 0x2a running"));
    bench_stop(&b);
}

/* Here the marker rises when the firmware answers, so that what is read then is in a window. */
static void accesses_are_counted_and_those_in_windows_apart(void **state)
{
    struct probe_board board = probe_m4;
    struct bench b;

    board.marker_set = 0x20000008;
    board.marker_clear = 0x2000000c;
    probe_start(&b, &board);
    bench_expect_status(&b, "accesses", "0");
    openocd_must(&b, "init; read_memory 0x20000010 32 4; shutdown", NULL);
    bench_expect_status(&b, "in_windows", "0");
    openocd_must(&b,
                 "init; write_memory 0x20000004 32 41; write_memory 0x20000000 32 1; sleep 50;"
                 "read_memory 0x20000010 32 7; shutdown",
                 NULL);
    bench_expect_status(&b, "edges", "1");
    bench_expect_status(&b, "in_windows", "7");
    bench_stop(&b);
}

static void a_core_halts_steps_and_stops_at_breakpoints(void **state)
{
    AUTO_BUF log = BUF_INIT;
    struct bench b;

    probe_start(&b, &probe_m4);
    openocd_must(&b,
                 "init; reset halt; set start [dict get [get_reg pc] pc]; step;"
                 "set then [dict get [get_reg pc] pc];"
                 "echo \"moved [expr {$then - $start}]\"; reg r7 0x12345678; reg msp 0x20001000;"
                 "echo \"set [get_reg {r7 msp}]\"; bp $start 2 hw; reset run; wait_halt 1000;"
                 "echo \"at [expr {[dict get [get_reg pc] pc] - $start}]\"; rbp $start; resume;"
                 "sleep 20; echo \"then [[target current] curstate]\"; shutdown",
                 &log);
    if (strstr(buf_text(&log), "moved 2") == NULL && strstr(buf_text(&log), "moved 4") == NULL)
        fail_msg("a step does not advance: %s", buf_text(&log));
    assert_non_null(strstr(buf_text(&log), "set r7 0x12345678 msp 0x20001000"));
    assert_non_null(strstr(buf_text(&log), "at 0"));
    assert_non_null(strstr(buf_text(&log), "then running"));
    bench_stop(&b);
}

static void a_bkpt_of_the_firmware_halts_it(void **state)
{
    AUTO_BUF log = BUF_INIT;
    struct bench b;

    probe_start(&b, &probe_m0);
    openocd_must(&b,
                 "init; write_memory 0x20000000 32 2; wait_halt 1000;"
                 "set pc [dict get [get_reg pc] pc];"
                 "echo \"opcode [read_memory $pc 16 1]\"; shutdown",
                 &log);
    assert_non_null(strstr(buf_text(&log), "opcode 0xbe01"));
    bench_expect_status(&b, "state", "halted");
    bench_command(&b, NULL, "reset");
    expect_hello(&b, 1);
    bench_stop(&b);
}

static int connect_to(unsigned port)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void rings_in_ram_carry_text_both_ways(void **state)
{
    struct openocd o;
    struct bench b;
    const char *at;
    char said[20] = "";
    int fd;

    probe_start(&b, &probe_m4);
    openocd_open(&b, &o,
                 "init; rtt setup 0x20000000 0x400 \"SEGGER RTT\"; rtt start;"
                 "rtt server start 0 0; rtt polling_interval 5");
    at = openocd_expect(&o, "for rtt connections");
    while (strncmp(at, "on port ", 8) != 0)
        at--;
    fd = connect_to((unsigned)strtoul(at + 8, NULL, 10));
    for (size_t n = 0; n < 7;)
        n += (size_t)recv(fd, said + n, sizeof(said) - 1 - n, 0);
    assert_string_equal(said, "ring 1\n");
    assert_int_equal(send(fd, "ping\n", 5, 0), 5);
    bench_expect(&b, "ping\n");
    (void)close(fd);
    openocd_close(&o);
    bench_stop(&b);
}

static void a_second_debugger_is_refused(void **state)
{
    AUTO_BUF log = BUF_INIT;
    struct openocd o;
    struct bench b;

    probe_start(&b, &probe_m4);
    openocd_open(&b, &o, "init; echo first-is-up");
    (void)openocd_expect(&o, "first-is-up");
    assert_int_not_equal(openocd_run(&b, "init; shutdown", &log), 0);
    bench_expect_status(&b, "refused", "1");
    openocd_close(&o);
    bench_await_status(&b, "clients", "1");
    openocd_must(&b, "init; shutdown", NULL);
    bench_stop(&b);
}

static void a_killed_debugger_leaves_the_board_usable(void **state)
{
    struct openocd o;
    struct bench b;
    char elf[512];
    char script[700];

    probe_start(&b, &probe_m0);
    probe_firmware(&probe_m0, 2, elf, sizeof(elf));
    for (unsigned ms = 0; ms < 60; ms += 20) {
        (void)snprintf(script, sizeof(script), "program %s verify reset exit", elf);
        openocd_open(&b, &o, script);
        (void)openocd_expect(&o, "Programming Started");
        clock_sleep_ms(ms);
        openocd_close(&o);
    }
    flash(&b, &probe_m0, 2);
    bench_expect_status(&b, "deaths", "0");
    bench_stop(&b);
}

static void a_lockup_is_seen_by_the_debugger_and_healed_by_its_reset(void **state)
{
    AUTO_BUF log = BUF_INIT;
    struct bench b;

    probe_start(&b, &probe_m4);
    openocd_must(&b, "init; flash info 0; write_memory 0x20000000 32 3; sleep 300; shutdown", NULL);
    bench_await_status(&b, "state", "lockup");
    openocd_must(&b, "init; reset halt; resume; shutdown", &log);
    expect_hello(&b, 1);
    bench_expect_status(&b, "state", "running");
    bench_stop(&b);
}

/* By its own flash controller, and then it locks up, which ends QEMU. */
static void what_firmware_wrote_into_its_flash_outlives_a_lockup(void **state)
{
    AUTO_BUF log = BUF_INIT;
    struct bench b;

    probe_start(&b, &probe_m0);
    openocd_must(&b,
                 "init; write_memory 0x20000004 32 0x12345678; write_memory 0x20000000 32 4;"
                 "sleep 200; write_memory 0x20000000 32 3; sleep 300; shutdown",
                 NULL);
    bench_await_status(&b, "deaths", "1");
    openocd_must(&b, "init; reset halt; echo \"kept [read_memory 0x3fc00 32 1]\"; resume; shutdown",
                 &log);
    if (strstr(buf_text(&log), "kept 0x12345678") == NULL)
        fail_msg("lost: %s", buf_text(&log));
    bench_stop(&b);
}

/* ---- faults ---- */

static void read_a_word(struct bench *b, const char *text, bool works)
{
    AUTO_BUF log = BUF_INIT;
    char wanted[40];
    const int status = openocd_run(
        b, "init; halt; echo \"got [read_memory 0x20000010 32 1]\"; resume; shutdown", &log);

    (void)snprintf(wanted, sizeof(wanted), "got %s", text);
    if (works != (status == 0 && strstr(buf_text(&log), wanted) != NULL))
        fail_msg("status %d, unexpectedly: %s", status, buf_text(&log));
}

static const char *const fault_words[] = {"swd-wait", "swd-fault", "swd-parity", "swd-no-ack"};

/* Wherever a single transfer is spoilt: the debugger copes or says so, the board stays usable. */
static void a_spoilt_transfer_harms_nothing_for_good(void **state)
{
    static const unsigned places[] = {0, 1, 7, 30, 60};
    char command[60];
    struct bench b;

    probe_start(&b, &probe_m4);
    for (size_t i = 0; i < ARRAY_SIZE(fault_words) * ARRAY_SIZE(places); i++) {
        (void)snprintf(command, sizeof(command), "fault %s swd %u",
                       fault_words[i / ARRAY_SIZE(places)], places[i % ARRAY_SIZE(places)]);
        bench_command(&b, NULL, command);
        (void)openocd_run(&b, "init; read_memory 0x20000000 32 64; shutdown", NULL);
        bench_command(&b, NULL, "faults clear");
        read_a_word(&b, "0x47474553", true); /* "SEGG" */
    }
    bench_expect_status(&b, "deaths", "0");
    bench_stop(&b);
}

static void a_chip_that_always_waits_or_is_dead_is_an_error(void **state)
{
    struct bench b;

    probe_start(&b, &probe_m4);
    bench_command(&b, NULL, "fault swd-dead");
    read_a_word(&b, "", false);
    bench_command(&b, NULL, "faults clear");
    bench_command(&b, NULL, "fault swd-fault prob 1");
    read_a_word(&b, "", false);
    bench_command(&b, NULL, "faults clear");
    bench_command(&b, NULL, "power off");
    read_a_word(&b, "", false);
    bench_command(&b, NULL, "power on");
    bench_command_fails(&b, "fault swd-wait at 3", "counts transfers");
    bench_command_fails(&b, "fault drop to-board swd 3", "does not take swd");
    read_a_word(&b, "0x47474553", true);
    bench_stop(&b);
}

/* The flash is half written: old and new content, or erased; programming again heals it. */
static void power_fails_in_the_middle_of_a_flash_write(const struct probe_board *board)
{
    char elf[512];
    char script[700];
    char command[60];
    struct bench b;

    probe_start(&b, board);
    probe_firmware(board, 2, elf, sizeof(elf));
    (void)snprintf(script, sizeof(script), "program %s verify reset exit", elf);
    for (unsigned at = 500; at < 6000; at += 2500) {
        (void)snprintf(command, sizeof(command), "fault power-off swd %u", at);
        bench_command(&b, NULL, command);
        assert_int_not_equal(openocd_run(&b, script, NULL), 0);
        bench_expect_status(&b, "state", "off");
        bench_command(&b, NULL, "faults clear");
        bench_command(&b, NULL, "power on");
    }
    flash(&b, board, 2);
    bench_stop(&b);
}

static void power_may_fail_in_the_middle_of_a_flash_write(void **state)
{
    power_fails_in_the_middle_of_a_flash_write(&probe_m0);
    power_fails_in_the_middle_of_a_flash_write(&probe_m4);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openocd_flashes_an_nrf51),
        cmocka_unit_test(openocd_flashes_a_cortex_m4_of_1_mb),
        cmocka_unit_test(jtag_by_single_pins_does_the_same),
        cmocka_unit_test(the_swd_wire_bit_by_bit_does_the_same),
        cmocka_unit_test(bulk_data_does_not_hide_a_loader),
        cmocka_unit_test(flash_survives_power_off),
        cmocka_unit_test(a_firmware_runs_on_while_its_memory_is_read_and_written),
        cmocka_unit_test(accesses_are_counted_and_those_in_windows_apart),
        cmocka_unit_test(a_core_halts_steps_and_stops_at_breakpoints),
        cmocka_unit_test(a_bkpt_of_the_firmware_halts_it),
        cmocka_unit_test(rings_in_ram_carry_text_both_ways),
        cmocka_unit_test(a_second_debugger_is_refused),
        cmocka_unit_test(a_killed_debugger_leaves_the_board_usable),
        cmocka_unit_test(a_lockup_is_seen_by_the_debugger_and_healed_by_its_reset),
        cmocka_unit_test(what_firmware_wrote_into_its_flash_outlives_a_lockup),
        cmocka_unit_test(a_spoilt_transfer_harms_nothing_for_good),
        cmocka_unit_test(a_chip_that_always_waits_or_is_dead_is_an_error),
        cmocka_unit_test(power_may_fail_in_the_middle_of_a_flash_write),
    };

    if (argc > 1 && strcmp(argv[1], "soak") == 0)
        flash_cycles = 50;
    return cmocka_run_group_tests_name("virtual_probe", tests, NULL, NULL);
}
