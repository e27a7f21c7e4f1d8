/*
 * The agent's core, bytes in and bytes out, on a fake port and in the smallest configuration:
 * what SPEC.md promises of a target.
 */
#include <string.h>

#include "tests/unit/unit.h"

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/wire/names.h"
#include "tests/wire/agent_talk.h"
#include "tests/wire/fake_port.h"

/* ---- session ---- */

static void the_first_hello_has_no_nonce_and_all_facts(void **state)
{
    const struct wire_hello *hello;

    (void)state;
    fake_port_init();
    heard_at = 0;
    agent_start();
    hello = expect(WIRE_HELLO);
    assert_int_equal(wire_rx_header(&heard)->nonce, 0);
    assert_int_equal(wire_rx_header(&heard)->credit, AGENT_CREDITS);
    assert_int_equal(hello->nonce, 0);
    assert_int_equal(hello->build_id[7], 8);
    assert_int_equal(hello->chip_uid[11], 0xc5);
    assert_int_equal(hello->caps, fake.caps | WIRE_CAP_PROFILE);
    assert_int_equal(hello->clock_hz, 16000000);
    assert_int_equal(hello->tick_hz, 1000);
    assert_int_equal(hello->tick_overhead, 1); /* two readings, one step apart */
    assert_int_equal(hello->slot_size, FAKE_SLOT_SIZE);
    assert_int_equal(hello->arena_size, FAKE_ARENA_SIZE);
    assert_int_equal(hello->max_payload, AGENT_MAX_PAYLOAD);
    assert_int_equal(hello->timebase, WIRE_TIMEBASE_CHIP_TIMER);
    assert_int_equal(hello->tick_bits, 32);
    assert_int_equal(hello->engines, 2);
    assert_int_equal(hello->records, AGENT_RECORDS);
    assert_int_equal(hello->reset_cause, 3);
}

static void a_clock_that_stands_still_is_reported_as_none(void **state)
{
    (void)state;
    fake_port_init();
    heard_at = 0;
    fake.tick_step = 0;
    agent_start();
    assert_int_equal(((const struct wire_hello *)expect(WIRE_HELLO))->timebase, WIRE_TIMEBASE_NONE);
}

static void a_frame_of_another_session_gets_a_hello_of_this_one(void **state)
{
    const struct wire_time time = {5};

    (void)state;
    say_as(NONCE + 1, WIRE_TIME, 9, &time, sizeof(time), NULL, 0);
    assert_int_equal(((const struct wire_hello *)expect(WIRE_HELLO))->nonce, NONCE);
    say_as(0, WIRE_TIME, 9, &time, sizeof(time), NULL, 0);
    (void)expect(WIRE_HELLO);
    agent_start(); /* a reset */
    (void)expect(WIRE_HELLO);
    say_as(NONCE, WIRE_TIME, 9, &time, sizeof(time), NULL, 0);
    assert_int_equal(((const struct wire_hello *)expect(WIRE_HELLO))->nonce, 0);
    say_as(0, WIRE_TIME, 9, &time, sizeof(time), NULL, 0);
    assert_int_equal(((const struct wire_hello *)expect(WIRE_HELLO))->nonce, 0);
    expect_nothing();
}

static void open_wants_a_nonce_and_a_common_version(void **state)
{
    static const struct wire_open bad[] = {{0, 1, 1}, {NONCE, 2, 9}, {NONCE, 0, 0}};

    (void)state;
    for (int i = 0; i < 3; i++) {
        say(WIRE_OPEN, &bad[i], sizeof(bad[i]));
        expect_error(WIRE_ERR_VERSION);
    }
}

static void its_own_bytes_coming_back_are_ignored(void **state)
{
    const struct wire_busy busy = {1};

    (void)state;
    say(WIRE_BUSY, &busy, sizeof(busy));
    expect_nothing();
}

static void every_request_of_a_wrong_length_is_refused(void **state)
{
    static const uint8_t zeros[256];
    size_t count;
    const struct wire_info *info = wire_info_list(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (!info[i].from_host || info[i].type == WIRE_DATA)
            continue;
        say(info[i].type, zeros, info[i].size - 1u);
        expect_error(WIRE_ERR_LENGTH);
        say(info[i].type, zeros, info[i].size + 1u);
        expect_error(WIRE_ERR_LENGTH);
    }
    say(0x7f, zeros, 4);
    expect_error(WIRE_ERR_UNKNOWN);
    say_as(NONCE, WIRE_DATA, 1, zeros, 3, NULL, 0);
    expect_error(WIRE_ERR_LENGTH);
}

static void bytes_that_overrun_the_ring_are_counted(void **state)
{
    const struct wire_stats stats = {1};

    (void)state;
    for (int i = 0; i < AGENT_RX_RING + 10; i++)
        agent_rx('x');
    agent_rx_lost();
    agent_poll();
    say(WIRE_STATS, &stats, sizeof(stats));
    assert_int_equal(((const struct wire_stats_info *)expect(WIRE_STATS_INFO))->bytes_lost,
                     10 + 1 + 1);
    say(WIRE_STATS, &stats, sizeof(stats));
    assert_int_equal(((const struct wire_stats_info *)expect(WIRE_STATS_INFO))->bytes_lost, 0);
}

static void engines_have_names(void **state)
{
    const struct wire_engine second = {1}, third = {2};

    (void)state;
    say(WIRE_ENGINE, &second, 1);
    assert_int_equal(((const struct wire_engine_info *)expect(WIRE_ENGINE_INFO))->version, 7);
    assert_int_equal(wire_rx_message_size(&heard), sizeof(struct wire_engine_info) + 4);
    assert_memory_equal(heard.frame + 6 + sizeof(struct wire_engine_info), "fake", 4);
    say(WIRE_ENGINE, &third, 1);
    expect_error(WIRE_ERR_RANGE);
}

/* ---- idempotence ---- */

static void a_repeated_request_is_answered_again_but_not_executed_again(void **state)
{
    const struct wire_run run = {.first_record = 1, .inferences = 3, .windows = 2};

    (void)state;
    load_fake();
    say(WIRE_RUN, &run, sizeof(run));
    assert_int_equal(fake_engine.invokes, 6);
    (void)expect(WIRE_BUSY);
    (void)expect(WIRE_RECORD_INFO);
    (void)expect(WIRE_RECORD_INFO);
    assert_int_equal(((const struct wire_run_done *)expect(WIRE_RUN_DONE))->next_record, 3);
    for (int i = 0; i < 3; i++) {
        say_as(NONCE, WIRE_RUN, seq, &run, sizeof(run), NULL, 0);
        assert_int_equal(((const struct wire_run_done *)expect(WIRE_RUN_DONE))->next_record, 3);
        assert_int_equal(wire_rx_header(&heard)->seq, seq);
    }
    assert_int_equal(fake_engine.invokes, 6);
    say(WIRE_RUN, &run, sizeof(run)); /* the next seq is another request */
    assert_int_equal(fake_engine.invokes, 12);
}

static void a_repeated_read_sends_its_bytes_again(void **state)
{
    const struct wire_read read = {.offset = 4, .length = 6, .object = WIRE_OBJECT_SLOT};

    (void)state;
    memcpy(fake.slot, "0123456789abcdef", 16);
    say(WIRE_READ, &read, sizeof(read));
    say_as(NONCE, WIRE_READ, seq, &read, sizeof(read), NULL, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(((const struct wire_read_data *)expect(WIRE_READ_DATA))->offset, 4);
        assert_memory_equal(heard.frame + 6 + 4, "456789", 6);
    }
    expect_nothing();
}

/* ---- windows ---- */

static void a_window_is_silent_from_before_the_first_gap_to_after_the_second(void **state)
{
    const struct wire_run run = {.first_record = 5,
                                 .inferences = 4,
                                 .windows = 1,
                                 .gap_ticks = 50,
                                 .flags = WIRE_RUN_MARKER | WIRE_RUN_COLD | WIRE_RUN_SLEEP |
                                          WIRE_RUN_RESET | WIRE_RUN_DIGEST};
    const struct wire_record_info *record;

    (void)state;
    load_fake();
    say(WIRE_RUN, &run, sizeof(run));
    assert_string_equal(fake.events, "drain cold drain silent sleep up down sleep loud ");
    assert_int_equal(fake_engine.resets, 1);
    (void)expect(WIRE_BUSY);
    record = expect(WIRE_RECORD_INFO);
    assert_int_equal(record->number, 5);
    assert_int_equal(record->inferences, 4);
    assert_int_equal(record->ticks, 4 * 100 + 1);
    assert_int_equal(record->flags, run.flags);
    assert_int_equal(record->output_crc32, wire_crc32(0, fake.arena + 32, 16));
    assert_int_equal(((const struct wire_run_done *)expect(WIRE_RUN_DONE))->next_record, 6);
}

static void gaps_without_sleep_are_spun(void **state)
{
    const struct wire_run run = {.inferences = 1, .windows = 1, .gap_ticks = 500};
    uint64_t start;

    (void)state;
    load_fake();
    start = fake.ticks;
    say(WIRE_RUN, &run, sizeof(run));
    assert_string_equal(fake.events, "drain drain silent loud ");
    assert_true(fake.ticks - start >= 2 * 500 + 100);
}

static void a_stack_window_carries_the_depth_found_while_the_link_was_silent(void **state)
{
    const struct wire_run run = {.inferences = 1, .windows = 1, .flags = WIRE_RUN_STACK};

    (void)state;
    load_fake();
    say(WIRE_RUN, &run, sizeof(run));
    assert_string_equal(fake.events, "drain drain silent paint peak loud ");
    (void)expect(WIRE_BUSY);
    assert_int_equal(((const struct wire_record_info *)expect(WIRE_RECORD_INFO))->output_crc32,
                     200);
}

static void records_are_kept_until_overwritten(void **state)
{
    const struct wire_run run = {.first_record = 10, .inferences = 1, .windows = AGENT_RECORDS + 1};
    const struct wire_record gone = {10}, kept = {11}, never = {99}, none = {0xffffffff};

    (void)state;
    say(WIRE_RECORD, &none, sizeof(none));
    expect_error(WIRE_ERR_GONE);
    load_fake();
    say(WIRE_RUN, &run, sizeof(run));
    while (hear() != NULL)
        ;
    say(WIRE_RECORD, &gone, sizeof(gone));
    expect_error(WIRE_ERR_GONE);
    say(WIRE_RECORD, &kept, sizeof(kept));
    assert_int_equal(((const struct wire_record_info *)expect(WIRE_RECORD_INFO))->number, 11);
    say(WIRE_RECORD, &never, sizeof(never));
    expect_error(WIRE_ERR_GONE);
}

static void a_failing_engine_ends_the_run_with_its_window(void **state)
{
    const struct wire_run run = {.first_record = 1, .inferences = 2, .windows = 5};
    const struct wire_run_done *done;

    (void)state;
    load_fake();
    fake_engine.fail_at = 3;
    say(WIRE_RUN, &run, sizeof(run));
    assert_int_equal(fake_engine.invokes, 3);
    (void)expect(WIRE_BUSY);
    assert_int_equal(((const struct wire_record_info *)expect(WIRE_RECORD_INFO))->status, 0);
    assert_int_equal(((const struct wire_record_info *)expect(WIRE_RECORD_INFO))->status, 4);
    done = expect(WIRE_RUN_DONE);
    assert_int_equal(done->next_record, 3);
    assert_int_equal(done->status, 4);
}

static void an_armed_run_starts_with_go_and_only_directly_after_it(void **state)
{
    const struct wire_run run = {
        .first_record = 1, .inferences = 2, .windows = 1, .flags = WIRE_RUN_ARMED};
    const struct wire_go go = {0};
    const struct wire_time time = {1};

    (void)state;
    load_fake();
    say(WIRE_GO, &go, sizeof(go));
    expect_error(WIRE_ERR_STATE);
    say(WIRE_RUN, &run, sizeof(run));
    assert_int_equal(((const struct wire_run_done *)expect(WIRE_RUN_DONE))->armed, 1);
    expect_nothing();
    assert_int_equal(fake_engine.invokes, 0);
    say(WIRE_GO, &go, sizeof(go));
    assert_int_equal(fake_engine.invokes, 2);
    (void)expect(WIRE_BUSY);
    (void)expect(WIRE_RECORD_INFO);
    assert_int_equal(((const struct wire_run_done *)expect(WIRE_RUN_DONE))->armed, 0);
    say_as(NONCE, WIRE_GO, seq, &go, sizeof(go), NULL, 0); /* repeated: not again */
    (void)expect(WIRE_RUN_DONE);
    assert_int_equal(fake_engine.invokes, 2);
    say(WIRE_RUN, &run, sizeof(run));
    (void)expect(WIRE_RUN_DONE);
    say(WIRE_TIME, &time, sizeof(time));
    (void)expect(WIRE_TIME_INFO);
    say(WIRE_GO, &go, sizeof(go));
    expect_error(WIRE_ERR_STATE);
}

/* The host compares clocks over a stretch that windows and waiting fall into. */
static void no_sleep_falls_between_two_readings_of_the_clock(void **state)
{
    const struct wire_time time = {0};
    const struct wire_run run = {.inferences = 1, .windows = 1};
    const struct wire_record record = {0};
    const struct wire_stats stats = {0};

    (void)state;
    load_fake();
    assert_true(agent_may_sleep());
    say(WIRE_TIME, &time, sizeof(time));
    assert_false(agent_may_sleep());
    say(WIRE_RUN, &run, sizeof(run));
    assert_false(agent_may_sleep());
    say(WIRE_RECORD, &record, sizeof(record));
    say(WIRE_TIME, &time, sizeof(time));
    assert_false(agent_may_sleep());
    say(WIRE_STATS, &stats, sizeof(stats));
    assert_true(agent_may_sleep());
    say(WIRE_RUN, &run, sizeof(run));
    assert_true(agent_may_sleep());
}

/* ---- models ---- */

static void an_engines_refusal_carries_its_reason(void **state)
{
    const struct wire_load too_small = {.size = 4, .engine = 1}, no_engine = {.engine = 2},
                           too_large = {.size = FAKE_SLOT_SIZE + 1, .engine = 1};
    const struct wire_error *error;

    (void)state;
    say(WIRE_LOAD, &too_small, sizeof(too_small));
    (void)expect(WIRE_BUSY);
    error = expect(WIRE_ERROR);
    assert_int_equal(error->code, WIRE_ERR_MODEL);
    assert_int_equal(error->request, WIRE_LOAD);
    assert_int_equal(error->detail, 8);
    say(WIRE_LOAD, &no_engine, sizeof(no_engine));
    expect_error(WIRE_ERR_RANGE);
    say(WIRE_LOAD, &too_large, sizeof(too_large));
    expect_error(WIRE_ERR_RANGE);
}

static void arena_that_was_written_shows(void **state)
{
    const struct wire_stats stats = {0};
    const struct wire_stats_info *info;

    (void)state;
    load_fake();
    fake.arena[100] = 0; /* an engine beyond its plan */
    say(WIRE_STATS, &stats, sizeof(stats));
    info = expect(WIRE_STATS_INFO);
    assert_int_equal(info->arena_used, 48);
    assert_int_equal(info->arena_touched, 104);
    assert_int_equal(info->static_ram, 1234);
    assert_int_equal(info->stack_peak, 200);
}

static void a_profile_comes_in_as_many_passes_as_it_takes(void **state)
{
    struct wire_profile_op rows[7];
    unsigned passes = 0;

    (void)state;
    load_fake();
    for (uint16_t first = 0; first < 7; passes++) {
        const struct wire_profile profile = {.first = first};
        const struct wire_profile_info *info;

        say(WIRE_PROFILE, &profile, sizeof(profile));
        (void)expect(WIRE_BUSY);
        info = expect(WIRE_PROFILE_INFO);
        assert_int_equal(info->first, first);
        assert_true(info->count >= 1 && first + info->count <= 7);
        memcpy(rows + first, info + 1, info->count * sizeof(*rows));
        first = (uint16_t)(first + info->count);
    }
    assert_int_equal(passes, (7 + AGENT_PROFILE_OPS - 1) / AGENT_PROFILE_OPS);
    for (uint16_t i = 0; i < 7; i++) {
        assert_int_equal(rows[i].op, i);
        assert_int_equal(rows[i].kind, i + 40);
        assert_int_equal(rows[i].variant, 9);
        assert_int_equal(rows[i].ticks, 10 * (i + 1) + 1);
    }
}

/* ---- baud rate ---- */

static void set_baud(uint32_t baud)
{
    say(WIRE_BAUD, &baud, sizeof(baud));
    (void)expect(WIRE_BAUD_SET);
    expect_nothing();
}

static void a_new_rate_holds_only_if_a_good_frame_comes_at_it(void **state)
{
    const struct wire_stats stats = {0};
    const uint32_t too_fast = 2000000;

    (void)state;
    say(WIRE_BAUD, &too_fast, sizeof(too_fast));
    expect_error(WIRE_ERR_RANGE);
    set_baud(921600);
    assert_int_equal(fake.baud, 921600);
    assert_false(agent_may_sleep());
    fake.ticks += 600; /* of 1000 a second */
    agent_poll();
    assert_int_equal(fake.baud, AGENT_BAUD);
    assert_true(agent_may_sleep());

    set_baud(921600);
    say(WIRE_STATS, &stats, sizeof(stats));
    (void)expect(WIRE_STATS_INFO);
    assert_true(agent_may_sleep());
    fake.ticks += 600;
    agent_poll();
    assert_int_equal(fake.baud, 921600);
}

static void junk_at_a_raised_rate_brings_the_first_one_back(void **state)
{
    const struct wire_time time = {1};
    int junk = 0;

    (void)state;
    set_baud(921600);
    say(WIRE_TIME, &time, sizeof(time));
    (void)expect(WIRE_TIME_INFO);
    while (fake.baud != AGENT_BAUD && junk < 100000) {
        to_agent(NULL, 'U');
        junk++;
    }
    assert_true(junk <= 2048);
    say(WIRE_TIME, &time, sizeof(time));
    (void)expect(WIRE_TIME_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_hello_has_no_nonce_and_all_facts),
        cmocka_unit_test(a_clock_that_stands_still_is_reported_as_none),
        TEST(a_frame_of_another_session_gets_a_hello_of_this_one),
        TEST(open_wants_a_nonce_and_a_common_version),
        TEST(its_own_bytes_coming_back_are_ignored),
        TEST(every_request_of_a_wrong_length_is_refused),
        TEST(bytes_that_overrun_the_ring_are_counted),
        TEST(engines_have_names),
        TEST(a_repeated_request_is_answered_again_but_not_executed_again),
        TEST(a_repeated_read_sends_its_bytes_again),
        TEST(a_window_is_silent_from_before_the_first_gap_to_after_the_second),
        TEST(gaps_without_sleep_are_spun),
        TEST(a_stack_window_carries_the_depth_found_while_the_link_was_silent),
        TEST(records_are_kept_until_overwritten),
        TEST(a_failing_engine_ends_the_run_with_its_window),
        TEST(an_armed_run_starts_with_go_and_only_directly_after_it),
        TEST(no_sleep_falls_between_two_readings_of_the_clock),
        TEST(an_engines_refusal_carries_its_reason),
        TEST(arena_that_was_written_shows),
        TEST(a_profile_comes_in_as_many_passes_as_it_takes),
        TEST(a_new_rate_holds_only_if_a_good_frame_comes_at_it),
        TEST(junk_at_a_raised_rate_brings_the_first_one_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
