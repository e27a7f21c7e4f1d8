/* Power, reset, cable, flash and death of a virtual board, with real firmware in a real QEMU. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/proc.h"
#include "tests/unit/unit.h"
#include "tests/virtual/bench.h"

static void answers_on_its_serial_port(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    bench_send(&b, "p");
    bench_expect(&b, "pong\n");
    bench_stop(&b);
}

static void a_reset_starts_the_firmware_again(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    for (int i = 0; i < 5; i++) {
        bench_send(&b, "w"); /* hangs */
        bench_command(&b, NULL, "reset");
        bench_expect(&b, "hello\n");
        bench_send(&b, "p");
        bench_expect(&b, "pong\n");
    }
    bench_expect_status(&b, "power_ons", "1");
    bench_stop(&b);
}

static void the_port_survives_power_off_and_on(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "power off");
    bench_expect_status(&b, "state", "off");
    bench_send(&b, "p");
    bench_read_for(&b, 100, &said);
    assert_int_equal(said.len, 0);
    bench_command(&b, NULL, "power on");
    bench_expect(&b, "hello\n");
    bench_read_for(&b, 100, &said); /* what was sent while it was off is lost */
    assert_null(strstr(buf_text(&said), "pong"));
    bench_send(&b, "p");
    bench_expect(&b, "pong\n");
    bench_command(&b, NULL, "power-cycle 10");
    bench_expect(&b, "hello\n");
    bench_expect_status(&b, "power_ons", "3");
    bench_command_fails(&b, "power maybe", "neither on nor off");
    bench_stop(&b);
}

static void the_firmware_can_reset_itself(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    bench_send(&b, "z");
    bench_expect(&b, "hello\n");
    bench_expect_status(&b, "state", "running");
    bench_stop(&b);
}

static void a_pulled_cable_hangs_up_and_comes_back_under_its_name(void **state)
{
    struct bench b;
    struct pollfd p;
    char byte;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "unplug");
    p = (struct pollfd){.fd = b.port, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 1000), 1);
    assert_true((p.revents & POLLHUP) != 0);
    assert_true(read(b.port, &byte, 1) <= 0);
    assert_int_equal(access(vboard_port(b.vboard), F_OK), -1);
    bench_command_fails(&b, "unplug", "unplugged already");
    bench_close_port(&b);
    bench_command(&b, NULL, "replug");
    bench_command_fails(&b, "replug", "plugged in already");
    bench_open_port(&b);
    bench_send(&b, "p");
    bench_expect(&b, "pong\n");
    bench_stop(&b);
}

static void a_cable_can_come_back_under_another_name(void **state)
{
    char path[100];
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "unplug");
    bench_command_fails(&b, "replug ../elsewhere", "not a plain file name");
    bench_command(&b, NULL, "replug other");
    (void)snprintf(path, sizeof(path), "%s/other", b.dir);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(access(vboard_port(b.vboard), F_OK), -1);
    bench_stop(&b);
}

static void a_port_that_is_opened_again_finds_nothing_stale(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_send(&b, "ppp"); /* and never read the answers */
    clock_sleep_ms(50);
    bench_close_port(&b);
    bench_await_status(&b, "cable", "closed");
    bench_open_port(&b);
    bench_read_for(&b, 50, &said);
    assert_string_equal(buf_text(&said), "");
    bench_send(&b, "p");
    bench_expect(&b, "pong\n");
    bench_stop(&b);
}

static void write_word(const char *path, uint32_t word)
{
    struct err err = ERR_INIT;

    assert_int_equal(file_write_atomic(path, &word, sizeof(word), &err), 0);
}

static void a_loaded_file_is_in_the_flash_from_the_next_power_on(void **state)
{
    char path[100];
    char command[200];
    struct bench b;

    bench_start_firmware(&b);
    (void)snprintf(path, sizeof(path), "%s/a \"b\", c=d.bin", b.dir); /* a name that needs care */
    write_word(path, 0x12345678);
    (void)snprintf(command, sizeof(command), "load \"%s/a \\\"b\\\", c=d.bin\" 0x100000", b.dir);
    bench_command(&b, NULL, command);
    bench_send(&b, "r100000\n");
    bench_expect(&b, "r 00000000\n");
    bench_command(&b, NULL, "power-cycle 0");
    bench_expect(&b, "hello\n");
    bench_send(&b, "r100000\n");
    bench_expect(&b, "r 12345678\n");
    bench_command(&b, NULL, "reset"); /* and it stays there */
    bench_expect(&b, "hello\n");
    bench_send(&b, "r100000\n");
    bench_expect(&b, "r 12345678\n");
    bench_command(&b, NULL, "unload");
    bench_command(&b, NULL, "power-cycle 0");
    bench_expect(&b, "hello\n");
    bench_send(&b, "r100000\n");
    bench_expect(&b, "r 00000000\n");
    bench_command_fails(&b, "load /no/such/file 0", "No such file");
    bench_command_fails(&b, "load /etc/passwd x", "not an address");
    (void)unlink(path);
    bench_stop(&b);
}

static void a_load_that_qemu_refuses_says_why(void **state)
{
    struct bench b;
    char path[100];
    char command[200];

    bench_start_firmware(&b);
    (void)snprintf(path, sizeof(path), "%s/over.bin", b.dir);
    write_word(path, 1);
    (void)snprintf(command, sizeof(command), "load %s 0x10", path); /* inside the firmware */
    bench_command(&b, NULL, command);
    bench_command_fails(&b, "power-cycle 0", "overlap");
    bench_expect_status(&b, "state", "off");
    bench_command(&b, NULL, "unload");
    bench_command(&b, NULL, "power on");
    bench_expect(&b, "hello\n");
    (void)unlink(path);
    bench_stop(&b);
}

static void a_lockup_is_told_in_words_and_a_reset_revives_it(void **state)
{
    AUTO_BUF news = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_send(&b, "l");
    bench_await_status(&b, "state", "lockup");
    vboard_news(b.vboard, &news);
    assert_non_null(
        strstr(buf_text(&news), "board lockup: the core faulted inside a fault handler"));
    bench_expect_status(&b, "deaths", "1");
    bench_command(&b, NULL, "reset");
    bench_expect(&b, "hello\n");
    bench_expect_status(&b, "state", "running");
    bench_stop(&b);
}

static void a_killed_emulator_is_noticed(void **state)
{
    AUTO_BUF news = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    assert_int_equal(kill(bench_emulator(&b), SIGKILL), 0);
    bench_await_status(&b, "state", "dead");
    vboard_news(b.vboard, &news);
    assert_non_null(strstr(buf_text(&news), "board died killed by signal 9"));
    bench_command(&b, NULL, "power-cycle 0");
    bench_expect(&b, "hello\n");
    bench_stop(&b);
}

/* The supervisor by itself, as a person would start it. more: a further option, or NULL. */
static void start_supervisor_with(struct proc *p, const char *dir, const char *more)
{
    char program[500];
    char firmware[500];
    const char *argv[] = {program, "--kind", "qemu",      "--name",     "bench", "--dir",
                          dir,     firmware, "--machine", "mps2-an386", more,    NULL};
    struct proc_options o = {.argv = argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}};
    struct err err = ERR_INIT;

    (void)snprintf(program, sizeof(program), "%s/tinyrig-vboard", bench_programs());
    (void)snprintf(firmware, sizeof(firmware), "--firmware=%s", bench_test_firmware());
    if (proc_start(p, &o, &err) < 0)
        fail_msg("%s", err.text);
}

static void start_supervisor(struct proc *p, const char *dir)
{
    start_supervisor_with(p, dir, NULL);
}

/* Read one line of the supervisor into line. */
static void read_line(const struct proc *p, char *line, size_t size)
{
    struct pollfd out = {.fd = p->stdio[1], .events = POLLIN};
    size_t n = 0;

    while (n + 1 < size && poll(&out, 1, 5000) == 1 && read(out.fd, line + n, 1) == 1) {
        if (line[n++] == '\n')
            break;
    }
    line[n] = '\0';
}

static pid_t ask_pid(const struct proc *p)
{
    char line[1000];
    const char *at;

    assert_int_equal(write(p->stdio[0], "status\n", 7), 7);
    read_line(p, line, sizeof(line));
    at = strstr(line, "pid=");
    assert_non_null(at);
    return (pid_t)strtol(at + 4, NULL, 10);
}

static void a_killed_supervisor_leaves_no_child_and_no_obstacle(void **state)
{
    struct proc first = PROC_INIT;
    char dir[] = "/tmp/tinyrig-virtual-XXXXXX";
    char path[100];
    char line[200];
    pid_t emulator;

    if (bench_test_firmware() == NULL)
        skip();
    assert_non_null(mkdtemp(dir));
    start_supervisor(&first, dir);
    read_line(&first, line, sizeof(line));
    assert_true(strncmp(line, "ready /tmp/", 11) == 0);
    emulator = ask_pid(&first);
    assert_int_equal(kill(first.pid, SIGKILL), 0);
    assert_true(proc_wait(&first, 2000, NULL));
    proc_stop(&first, 0);
    assert_true(bench_process_ends(emulator, 2000));

    /* The dead one's link is still there; a new start with the same name replaces it. */
    start_supervisor(&first, dir);
    read_line(&first, line, sizeof(line));
    assert_true(strncmp(line, "ready /tmp/", 11) == 0);
    emulator = ask_pid(&first);
    (void)close(first.stdio[0]); /* its parent goes away */
    first.stdio[0] = -1;
    assert_true(proc_wait(&first, 2000, NULL));
    proc_stop(&first, 0);
    assert_true(bench_process_ends(emulator, 2000));
    (void)snprintf(path, sizeof(path), "%s/bench", dir);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(rmdir(dir), 0);
}

static void a_signal_ends_it_in_order(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    char dir[] = "/tmp/tinyrig-virtual-XXXXXX";
    char path[100];
    char line[200];

    if (bench_test_firmware() == NULL)
        skip();
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        struct proc p = PROC_INIT;
        pid_t emulator;

        start_supervisor(&p, dir);
        read_line(&p, line, sizeof(line));
        emulator = ask_pid(&p);
        assert_int_equal(kill(p.pid, signals[i]), 0);
        assert_true(proc_wait(&p, 2000, NULL));
        proc_stop(&p, 0);
        assert_true(bench_process_ends(emulator, 2000));
        (void)snprintf(path, sizeof(path), "%s/bench", dir);
        assert_int_equal(access(path, F_OK), -1);
    }
    assert_int_equal(rmdir(dir), 0);
}

static void everything_but_edges_works_without_the_plugin(void **state)
{
    struct proc p = PROC_INIT;
    char dir[] = "/tmp/tinyrig-virtual-XXXXXX";
    char line[1000];

    if (bench_test_firmware() == NULL)
        skip();
    assert_non_null(mkdtemp(dir));
    start_supervisor_with(&p, dir, "--plugin=none");
    read_line(&p, line, sizeof(line));
    assert_true(strncmp(line, "ready /tmp/", 11) == 0);
    assert_int_equal(write(p.stdio[0], "reset\nstatus\n", 13), 13);
    read_line(&p, line, sizeof(line));
    assert_string_equal(line, "ok\n");
    read_line(&p, line, sizeof(line));
    assert_non_null(strstr(line, "state=running"));
    assert_non_null(strstr(line, " vtime_ns=- instructions=- "));
    proc_stop(&p, 2000);
    assert_int_equal(rmdir(dir), 0);
}

static void a_wrong_start_says_why_on_its_one_line(void **state)
{
    static const struct {
        const char *more;
        const char *text;
        int status;
    } wrong[] = {
        {"--machine=foo", "unsupported machine type", 3},
        {"--firmware=/etc/passwd", "not an ELF executable", 2},
        {"--firmware=/no/such/file", "No such file or directory", 2},
        {"--kind=avr", "unknown kind 'avr': qemu, simavr or posix", 2},
        {"--plugin=/no/such/plugin.so", "Could not load plugin", 3},
        {"--load=/etc/passwd", "is not FILE@ADDR", 2},
        {"--sed=3", "unknown option '--sed' (did you mean '--seed'?)", 2},
        {"--dir=/no/such/dir", "No such file or directory", 2},
    };
    char dir[] = "/tmp/tinyrig-virtual-XXXXXX";

    if (bench_test_firmware() == NULL)
        skip();
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct proc p = PROC_INIT;
        char line[1000];
        int status = 0;

        start_supervisor_with(&p, dir, wrong[i].more);
        read_line(&p, line, sizeof(line));
        if (strncmp(line, "error ", 6) != 0 || strstr(line, wrong[i].text) == NULL)
            fail_msg("%s: %s", wrong[i].more, line);
        assert_true(proc_wait(&p, 5000, &status));
        assert_int_equal(WEXITSTATUS(status), wrong[i].status);
        proc_stop(&p, 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

static void two_boards_cannot_share_a_name(void **state)
{
    struct proc second = PROC_INIT;
    struct bench b;
    char line[300];

    bench_start_firmware(&b);
    start_supervisor(&second, b.dir);
    read_line(&second, line, sizeof(line));
    assert_non_null(strstr(line, "error a board named 'bench' runs in"));
    assert_true(proc_wait(&second, 2000, NULL));
    proc_stop(&second, 0);
    bench_send(&b, "p"); /* the first one is not disturbed */
    bench_expect(&b, "pong\n");
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_on_its_serial_port),
        cmocka_unit_test(a_reset_starts_the_firmware_again),
        cmocka_unit_test(the_port_survives_power_off_and_on),
        cmocka_unit_test(the_firmware_can_reset_itself),
        cmocka_unit_test(a_pulled_cable_hangs_up_and_comes_back_under_its_name),
        cmocka_unit_test(a_cable_can_come_back_under_another_name),
        cmocka_unit_test(a_port_that_is_opened_again_finds_nothing_stale),
        cmocka_unit_test(a_loaded_file_is_in_the_flash_from_the_next_power_on),
        cmocka_unit_test(a_load_that_qemu_refuses_says_why),
        cmocka_unit_test(a_lockup_is_told_in_words_and_a_reset_revives_it),
        cmocka_unit_test(a_killed_emulator_is_noticed),
        cmocka_unit_test(a_killed_supervisor_leaves_no_child_and_no_obstacle),
        cmocka_unit_test(a_signal_ends_it_in_order),
        cmocka_unit_test(everything_but_edges_works_without_the_plugin),
        cmocka_unit_test(a_wrong_start_says_why_on_its_one_line),
        cmocka_unit_test(two_boards_cannot_share_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
