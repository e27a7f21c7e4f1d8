/* Every fault kind on a running board: it does what it says, at its byte, and a reset heals it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "tests/unit/unit.h"
#include "tests/virtual/bench.h"

/* Wait until the armed faults have fired `times` in all their listing, e.g. "fired 3". */
static void await_fired(struct bench *b, unsigned times)
{
    const struct deadline end = deadline_in_ms(5000);
    AUTO_BUF list = BUF_INIT;
    char wanted[30];

    (void)snprintf(wanted, sizeof(wanted), "fired %u", times);
    for (;;) {
        bench_command(b, &list, "faults");
        if (strstr(buf_text(&list), wanted) != NULL)
            return;
        if (deadline_passed(end))
            fail_msg("'%s' never came: %s", wanted, buf_text(&list));
        clock_sleep_ms(2);
    }
}

/*
 * Send "p" with the fault armed, and another one after it has fired as often as it should and was
 * cleared: the board says `wanted` and then "pong".
 */
static void expect_answer(struct bench *b, const char *fault, unsigned fires, const char *wanted)
{
    AUTO_BUF said = BUF_INIT;
    AUTO_BUF all = BUF_INIT;

    buf_printf(&all, "%spong\n", wanted);
    bench_command(b, NULL, fault);
    bench_send(b, "p");
    await_fired(b, fires);
    bench_command(b, NULL, "faults clear");
    bench_send(b, "p");
    bench_read_bytes(b, all.len, &said);
    assert_string_equal(buf_text(&said), buf_text(&all));
}

static void bytes_from_the_board_are_lost_doubled_or_swallowed(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    expect_answer(&b, "fault drop from-board at 1", 1, "png\n");
    expect_answer(&b, "fault drop from-board at 1 count 2", 2, "pg\n");
    expect_answer(&b, "fault duplicate from-board at 4", 1, "pong\n\n");
    expect_answer(&b, "fault mute from-board at 2", 3, "po");
    expect_answer(&b, "fault mute from-board at 1 count 3", 3, "p\n");
    expect_answer(&b, "fault drop from-board prob 1", 5, "");
    bench_stop(&b);
}

static void bytes_to_the_board_are_lost_or_doubled(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    expect_answer(&b, "fault drop to-board at 0", 1, "");
    expect_answer(&b, "fault mute to-board", 1, "");
    expect_answer(&b, "fault duplicate to-board at 0", 1, "pong\npong\n");
    bench_stop(&b);
}

static void a_bent_byte_differs_in_one_bit(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault garble from-board at 2");
    bench_send(&b, "p");
    bench_read_bytes(&b, 5, &said);
    assert_memory_equal(said.data, "po", 2);
    assert_int_equal(__builtin_popcount((unsigned char)(said.data[2] ^ 'n')), 1);
    assert_memory_equal(said.data + 3, "g\n", 2);
    bench_stop(&b);
}

static void noise_comes_before_its_byte(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault insert from-board at 2 count 20");
    bench_send(&b, "p");
    bench_read_bytes(&b, 25, &said);
    assert_memory_equal(said.data, "po", 2);
    assert_memory_equal(said.data + 22, "ng\n", 3);
    bench_stop(&b);
}

static void a_stall_holds_back_and_then_delivers_everything(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;
    uint64_t begin;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault stall from-board at 3 ms 300");
    bench_send(&b, "p");
    await_fired(&b, 1);
    begin = clock_monotonic_ns();
    bench_read_for(&b, 50, &said);
    assert_string_equal(buf_text(&said), "pon");
    bench_read_until(&b, "pong\n", &said);
    assert_true(clock_monotonic_ns() - begin >= 200000000);
    bench_stop(&b);
}

static void an_echo_sends_the_hosts_bytes_back(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault echo");
    bench_send(&b, "p");
    bench_read_until(&b, "ppong\n", &said);
    bench_stop(&b);
}

/* "e 8\n" and eight bytes: the board answers with the eight bytes, unless something happens. */
static void a_reset_at_a_byte_cuts_the_sentence(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault reset from-board at 4");
    bench_send(&b, "e8\nABCDEFGH");
    bench_read_until(&b, "hello\n", &said);
    assert_string_equal(buf_text(&said), "ABCDhello\n");
    bench_expect_status(&b, "power_ons", "1");
    bench_stop(&b);
}

static void a_hung_core_answers_only_after_a_reset(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault hang to-board at 3");
    bench_send(&b, "e8\nABCDEFGH");
    bench_await_status(&b, "state", "hung");
    bench_read_for(&b, 100, &said);
    assert_int_equal(said.len, 0);
    bench_command(&b, NULL, "reset");
    bench_expect(&b, "hello\n");
    bench_expect_status(&b, "state", "running");
    bench_stop(&b);
}

static void a_cable_pulled_at_a_byte_comes_back_by_itself(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault unplug from-board at 3 ms 100");
    bench_send(&b, "e8\nABCDEFGH");
    await_fired(&b, 1);
    bench_read_for(&b, 1000, &said); /* ends with the hang-up */
    assert_true(strncmp("ABC", buf_text(&said), said.len) == 0);
    bench_close_port(&b);
    bench_await_status(&b, "cable", "closed");
    bench_open_port(&b);
    bench_command(&b, NULL, "reset");
    bench_expect(&b, "hello\n");
    bench_stop(&b);
}

static void the_supply_fails_at_a_byte_and_comes_back(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault power-off from-board at 2 ms 50");
    bench_send(&b, "e8\nABCDEFGH");
    bench_read_until(&b, "hello\n", &said);
    assert_string_equal(buf_text(&said), "ABhello\n");
    bench_expect_status(&b, "power_ons", "2");
    bench_command(&b, NULL, "fault power-off");
    bench_expect_status(&b, "state", "off");
    bench_stop(&b);
}

static void an_emulator_killed_at_a_byte_is_told(void **state)
{
    AUTO_BUF news = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault die from-board at 2");
    bench_send(&b, "p");
    bench_await_status(&b, "state", "dead");
    vboard_news(b.vboard, &news);
    assert_non_null(strstr(buf_text(&news), "fault 1: die"));
    assert_non_null(strstr(buf_text(&news), "board died killed by signal 9"));
    bench_stop(&b);
}

static void a_fault_can_wait_for_a_time(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault reset after 50");
    bench_expect(&b, "hello\n");
    bench_command(&b, NULL, "fault mute from-board after 60000");
    bench_send(&b, "p");
    bench_expect(&b, "pong\n");
    bench_command(&b, NULL, "faults clear");
    bench_command(&b, NULL, "fault mute from-board after 20");
    clock_sleep_ms(40);
    bench_send(&b, "p");
    await_fired(&b, 5);
    bench_read_for(&b, 20, &said);
    assert_int_equal(said.len, 0);
    bench_stop(&b);
}

static void a_reboot_loop_reboots_as_often_as_told(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault reboot-loop ms 100 count 3");
    bench_read_until(&b, "hello\nhello\nhello\n", &said);
    bench_read_for(&b, 250, &said);
    assert_string_equal(buf_text(&said), "hello\nhello\nhello\n");
    bench_stop(&b);
}

static void a_wrong_firmware_is_there_from_the_next_power_on(void **state)
{
    AUTO_BUF elf = BUF_INIT;
    struct err err = ERR_INIT;
    struct bench b;
    char path[100];
    char command[200];
    char *greeting;

    bench_start_firmware(&b);
    assert_int_equal(file_read(bench_test_firmware(), 1 << 20, &elf, &err), 0);
    greeting = memmem(elf.data, elf.len, "hello\n", 6);
    assert_non_null(greeting);
    greeting[0] = 'j';
    (void)snprintf(path, sizeof(path), "%s/wrong.elf", b.dir);
    assert_int_equal(file_write_atomic(path, elf.data, elf.len, &err), 0);
    (void)snprintf(command, sizeof(command), "fault firmware file %s", path);
    bench_command(&b, NULL, command);
    bench_command(&b, NULL, "reset"); /* not yet */
    bench_expect(&b, "hello\n");
    bench_command(&b, NULL, "power-cycle 0");
    bench_expect(&b, "jello\n");
    bench_command(&b, NULL, "faults clear");
    bench_command(&b, NULL, "power-cycle 0");
    bench_expect(&b, "hello\n");
    bench_command(&b, NULL, "fault firmware file /etc/passwd");
    bench_command_fails(&b, "power-cycle 0", "not an ELF executable");
    (void)unlink(path);
    bench_stop(&b);
}

/* For every byte of an exchange: a reset there, and the board works afterwards. */
static void a_reset_at_any_byte_leaves_a_working_board(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    for (int n = 0; n < 8; n++) {
        AUTO_BUF said = BUF_INIT;
        char command[60];

        (void)snprintf(command, sizeof(command), "fault reset from-board at %d", n);
        bench_command(&b, NULL, "faults clear");
        bench_command(&b, NULL, command);
        bench_send(&b, "e8\nABCDEFGH");
        bench_read_until(&b, "hello\n", &said);
        assert_int_equal(said.len, n + 6);
        bench_read_for(&b, 30, &said); /* the rest of the request may have become a new one */
        bench_command(&b, NULL, "reset");
        bench_expect(&b, "hello\n");
        bench_send(&b, "p");
        bench_expect(&b, "pong\n");
    }
    bench_stop(&b);
}

static void a_fault_that_makes_no_sense_is_refused(void **state)
{
    struct bench b;

    bench_start_firmware(&b);
    bench_command_fails(&b, "fault dorp", "did you mean 'drop'?");
    bench_command_fails(&b, "fault drop at 1", "needs a direction");
    bench_command_fails(&b, "faults cler", "usage: faults [clear]");
    for (int i = 0; i < 16; i++)
        bench_command(&b, NULL, "fault drop to-board at 1000000");
    bench_command_fails(&b, "fault drop to-board at 1000000", "16 faults are armed already");
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_from_the_board_are_lost_doubled_or_swallowed),
        cmocka_unit_test(bytes_to_the_board_are_lost_or_doubled),
        cmocka_unit_test(a_bent_byte_differs_in_one_bit),
        cmocka_unit_test(noise_comes_before_its_byte),
        cmocka_unit_test(a_stall_holds_back_and_then_delivers_everything),
        cmocka_unit_test(an_echo_sends_the_hosts_bytes_back),
        cmocka_unit_test(a_reset_at_a_byte_cuts_the_sentence),
        cmocka_unit_test(a_hung_core_answers_only_after_a_reset),
        cmocka_unit_test(a_cable_pulled_at_a_byte_comes_back_by_itself),
        cmocka_unit_test(the_supply_fails_at_a_byte_and_comes_back),
        cmocka_unit_test(an_emulator_killed_at_a_byte_is_told),
        cmocka_unit_test(a_fault_can_wait_for_a_time),
        cmocka_unit_test(a_reboot_loop_reboots_as_often_as_told),
        cmocka_unit_test(a_wrong_firmware_is_there_from_the_next_power_on),
        cmocka_unit_test(a_reset_at_any_byte_leaves_a_working_board),
        cmocka_unit_test(a_fault_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
