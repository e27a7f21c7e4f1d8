/* The client against a real agent in a thread (transport loop): every call, on a good line. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/client/client.h"
#include "harness/transport/filter.h"

struct rig {
    struct transport *transport;
    struct client *client;
};

static void expect_ok(int status, const struct err *err)
{
    if (status < 0)
        fail_msg("%s (%s)", err->text, err->hint);
}

/* The call failed in this way; err is ready for the next. */
static void expect_error(int status, enum err_code code, struct err *err)
{
    assert_int_equal(status, code);
    assert_int_equal(err->code, code);
    err_clear(err);
}

static int setup(void **state)
{
    static struct rig rig;
    const struct transport_config config = {.where = "arena=64KiB,slot=256KiB"};
    struct client_options options = {0};
    struct err err = ERR_INIT;

    memset(&rig, 0, sizeof(rig));
    expect_ok(transport_open("loop", &config, &rig.transport, &err), &err);
    options.transport = rig.transport;
    expect_ok(client_open(&options, &rig.client, &err), &err);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    client_close(rig->client);
    transport_close(rig->transport);
    return 0;
}

static void fill(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
}

static void load_null(struct rig *rig, uint32_t options)
{
    struct wire_loaded loaded;
    struct err err = ERR_INIT;

    expect_ok(client_load(rig->client, 0, 0, options, &loaded, &err), &err);
    assert_int_equal(loaded.inputs, 1);
    assert_int_equal(loaded.outputs, 1);
    assert_int_equal(loaded.arena_used, 16);
}

static void the_agent_says_who_it_is(void **state)
{
    struct rig *rig = *state;
    const struct wire_hello *hello = client_hello(rig->client);
    struct client_engine engine;
    struct err err = ERR_INIT;
    unsigned index = 99;

    assert_int_equal(hello->version, WIRE_VERSION);
    assert_int_equal(hello->slot_size, 256 << 10);
    assert_int_equal(hello->arena_size, 64 << 10);
    assert_int_equal(hello->timebase, WIRE_TIMEBASE_HOST);
    assert_int_equal(hello->tick_hz, 1000000000);
    assert_true(hello->tick_overhead < 1000000);
    assert_int_equal(hello->reset_cause, 1);
    expect_ok(client_engine(rig->client, 0, &engine, &err), &err);
    assert_string_equal(engine.name, "null");
    assert_int_equal(client_find_engine(rig->client, "null", &index, &err), 0);
    assert_int_equal(index, 0);
    assert_int_equal(client_find_engine(rig->client, "no such engine", &index, &err), 1);
    assert_int_equal(client_engine(rig->client, 77, &engine, &err), ERR_AGENT);
    assert_non_null(strstr(err.text, "out of range"));
}

static void its_clock_runs_between_our_readings(void **state)
{
    struct rig *rig = *state;
    struct client_time first, second;
    struct err err = ERR_INIT;

    expect_ok(client_time(rig->client, &first, &err), &err);
    clock_sleep_ms(5);
    expect_ok(client_time(rig->client, &second, &err), &err);
    assert_true(first.before_ns <= first.ticks && first.ticks <= first.after_ns);
    assert_true(second.ticks - first.ticks >= 5000000);
}

static void a_model_lies_in_the_slot_as_it_was_sent(void **state)
{
    static uint8_t image[200001], back[sizeof(image)];
    struct rig *rig = *state;
    struct err err = ERR_INIT;
    uint32_t crc32;

    fill(image, sizeof(image));
    expect_ok(client_upload_model(rig->client, image, sizeof(image), NULL, NULL, &err), &err);
    expect_ok(client_digest(rig->client, WIRE_OBJECT_SLOT, 0, sizeof(image), &crc32, &err), &err);
    assert_int_equal(crc32, wire_crc32(0, image, sizeof(image)));
    expect_ok(client_read(rig->client, WIRE_OBJECT_SLOT, 0, 0, back, sizeof(back), &err), &err);
    assert_memory_equal(image, back, sizeof(image));
}

static void a_model_too_large_for_the_slot_is_refused_with_both_sizes(void **state)
{
    static uint8_t image[(256 << 10) + 1];
    struct rig *rig = *state;
    struct err err = ERR_INIT;

    assert_int_equal(client_upload_model(rig->client, image, sizeof(image), NULL, NULL, &err),
                     ERR_LAB);
    assert_non_null(strstr(err.text, "262145"));
    assert_non_null(strstr(err.text, "262144"));
}

static void writing_is_refused_where_it_makes_no_sense(void **state)
{
    struct rig *rig = *state;
    struct client_write write = {.object = WIRE_OBJECT_OUTPUT, .data = "1234", .size = 4};
    struct err err = ERR_INIT;
    uint8_t byte;

    expect_error(client_write(rig->client, &write, &err), ERR_AGENT, &err); /* nothing loaded */
    load_null(rig, 0);
    expect_error(client_write(rig->client, &write, &err), ERR_AGENT, &err); /* read only */
    write.object = WIRE_OBJECT_INPUT;
    write.index = 1;
    expect_error(client_write(rig->client, &write, &err), ERR_AGENT, &err); /* no such tensor */
    expect_error(client_read(rig->client, WIRE_OBJECT_ARENA, 0, 64 << 10, &byte, 1, &err),
                 ERR_AGENT, &err);
    expect_error(client_read(rig->client, 99, 0, 0, &byte, 1, &err), ERR_AGENT, &err);
}

static void the_null_engine_hands_its_input_through(void **state)
{
    struct rig *rig = *state;
    struct wire_tensor_info info;
    struct client_run run = {
        .inferences = 1, .windows = 1, .flags = WIRE_RUN_DIGEST, .window_ms = 1000};
    struct wire_record_info record;
    struct err err = ERR_INIT;
    uint8_t input[16], output[16];

    load_null(rig, 0);
    expect_ok(client_tensor(rig->client, false, 0, &info, &err), &err);
    assert_int_equal(info.size, 16);
    expect_error(client_tensor(rig->client, true, 1, &info, &err), ERR_AGENT, &err);
    fill(input, sizeof(input));
    for (int i = 0; i < 2; i++) { /* the same bytes again are written again */
        expect_ok(client_write_input(rig->client, 0, input, sizeof(input), &err), &err);
        expect_ok(client_run(rig->client, &run, &record, &err), &err);
        expect_ok(client_read_output(rig->client, 0, output, sizeof(output), &err), &err);
        assert_memory_equal(input, output, sizeof(input));
        assert_int_equal(record.output_crc32, wire_crc32(0, input, sizeof(input)));
        assert_int_equal(record.inferences, 1);
    }
}

static void more_work_takes_more_ticks(void **state)
{
    struct rig *rig = *state;
    struct client_run run = {.inferences = 1, .windows = 5, .window_ms = 1000};
    struct wire_record_info few[5], many[5];
    struct err err = ERR_INIT;
    uint64_t least_few = UINT64_MAX, least_many = UINT64_MAX;

    load_null(rig, 100000);
    expect_ok(client_run(rig->client, &run, few, &err), &err);
    run.inferences = 20;
    expect_ok(client_run(rig->client, &run, many, &err), &err);
    for (int i = 0; i < 5; i++) {
        least_few = few[i].ticks < least_few ? few[i].ticks : least_few;
        least_many = many[i].ticks < least_many ? many[i].ticks : least_many;
    }
    assert_true(least_many > least_few); /* 20 times as much, but on a machine with other work */
}

static void more_windows_than_the_agent_keeps_are_fetched_in_parts(void **state)
{
    struct rig *rig = *state;
    struct client_run run = {.inferences = 2, .windows = 300, .window_ms = 1000};
    struct wire_record_info records[300];
    struct err err = ERR_INIT;

    assert_true(client_hello(rig->client)->records < 300);
    load_null(rig, 0);
    expect_ok(client_run(rig->client, &run, records, &err), &err);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(records[i].number, records[0].number + i);
        assert_int_equal(records[i].inferences, 2);
    }
}

static void an_armed_run_waits_for_go(void **state)
{
    struct rig *rig = *state;
    struct client_run run = {
        .inferences = 3, .windows = 2, .window_ms = 1000, .gap_ticks = 2000000};
    struct wire_record_info records[2];
    struct wire_stats_info stats;
    struct err err = ERR_INIT;

    load_null(rig, 0);
    expect_ok(client_arm(rig->client, &run, &err), &err);
    expect_ok(client_go(rig->client, &run, records, &err), &err);
    assert_int_equal(records[1].number, records[0].number + 1);
    expect_error(client_go(rig->client, &run, records, &err), ERR_AGENT, &err);
    expect_ok(client_arm(rig->client, &run, &err), &err);
    expect_ok(client_stats(rig->client, false, &stats, &err), &err); /* disarms */
    expect_error(client_go(rig->client, &run, records, &err), ERR_AGENT, &err);
    run.windows = 1000;
    expect_error(client_arm(rig->client, &run, &err), ERR_CONFIG, &err);
}

static void nothing_runs_before_a_model_is_loaded(void **state)
{
    struct rig *rig = *state;
    struct client_run run = {.inferences = 1, .windows = 1, .window_ms = 1000};
    struct wire_record_info record;
    struct wire_profile_op row;
    struct err err = ERR_INIT;

    expect_error(client_run(rig->client, &run, &record, &err), ERR_AGENT, &err);
    assert_int_equal(client_profile(rig->client, 1, 1000, &row, &err), ERR_AGENT);
    assert_non_null(strstr(err.text, "not now"));
}

static void stats_count_and_can_be_cleared(void **state)
{
    struct rig *rig = *state;
    struct wire_stats_info stats;
    struct err err = ERR_INIT;

    load_null(rig, 0);
    expect_ok(client_stats(rig->client, true, &stats, &err), &err);
    assert_int_equal(stats.frames_in, 3); /* OPEN, LOAD, STATS */
    assert_int_equal(stats.frames_bad, 0);
    assert_int_equal(stats.arena_used, 16);
    assert_int_equal(stats.arena_touched, 16);
    expect_ok(client_stats(rig->client, false, &stats, &err), &err);
    assert_int_equal(stats.frames_in, 1);
}

static void after_a_reset_there_is_a_new_session_and_no_model(void **state)
{
    struct rig *rig = *state;
    struct client_run run = {.inferences = 1, .windows = 1, .window_ms = 1000};
    struct wire_record_info record;
    struct err err = ERR_INIT;
    uint16_t nonce = client_hello(rig->client)->nonce;

    load_null(rig, 0);
    expect_ok(client_reset(rig->client, &err), &err);
    assert_int_equal(client_hello(rig->client)->reset_cause, 2);
    assert_int_not_equal(client_hello(rig->client)->nonce, 0);
    (void)nonce;
    expect_error(client_run(rig->client, &run, &record, &err), ERR_AGENT, &err);
}

static void the_baud_rate_is_raised_when_both_sides_can(void **state)
{
    struct rig rig = {NULL, NULL};
    const struct transport_config config = {.baud = 115200};
    struct client_options options = {.max_baud = 921600};
    struct err err = ERR_INIT;

    (void)state;
    expect_ok(transport_open("loop", &config, &rig.transport, &err), &err);
    options.transport = rig.transport;
    expect_ok(client_open(&options, &rig.client, &err), &err);
    assert_int_equal(client_baud(rig.client), 921600);
    client_close(rig.client);

    /* A host that died left the board at the high rate; the next one finds it. */
    rig.client = NULL;
    options.max_baud = 921600;
    options.answer_ms = 100;
    expect_ok(transport_set_baud(rig.transport, 115200, &err), &err);
    expect_ok(client_open(&options, &rig.client, &err), &err);
    assert_int_equal(client_baud(rig.client), 921600);
    client_close(rig.client);
    transport_close(rig.transport);
}

static void a_rate_that_the_agent_refuses_is_not_used(void **state)
{
    struct rig rig = {NULL, NULL};
    const struct transport_config config = {.baud = 115200};
    struct client_options options = {.max_baud = 12000000};
    struct err err = ERR_INIT;

    (void)state;
    expect_ok(transport_open("loop", &config, &rig.transport, &err), &err);
    options.transport = rig.transport;
    expect_ok(client_open(&options, &rig.client, &err), &err);
    assert_int_equal(client_baud(rig.client), 115200);
    client_close(rig.client);
    transport_close(rig.transport);
}

/* One session: its last output, so that two can be compared. */
static void lead_session(struct transport *t, uint8_t output[16], struct wire_record_info *record)
{
    const struct client_options options = {.transport = t, .nonce = 0x2a2a};
    const struct client_run run = {
        .inferences = 2, .windows = 1, .flags = WIRE_RUN_DIGEST, .window_ms = 1000};
    static uint8_t image[5000];
    struct rig rig = {t, NULL};
    struct err err = ERR_INIT;
    uint8_t input[16];

    fill(image, sizeof(image));
    fill(input, sizeof(input));
    expect_ok(client_open(&options, &rig.client, &err), &err);
    expect_ok(client_upload_model(rig.client, image, sizeof(image), NULL, NULL, &err), &err);
    load_null(&rig, 3);
    expect_ok(client_write_input(rig.client, 0, input, sizeof(input), &err), &err);
    expect_ok(client_run(rig.client, &run, record, &err), &err);
    expect_ok(client_read_output(rig.client, 0, output, 16, &err), &err);
    client_close(rig.client);
    transport_close(t);
}

static void a_recorded_session_replays_to_the_same_results(void **state)
{
    AUTO_BUF text = BUF_INIT;
    const struct transport_config loop_config = {.where = "-"};
    const struct filter_options filter = {.record = &text};
    char path[] = "/tmp/tinyrig-test-XXXXXX";
    const struct transport_config replay_config = {.where = path};
    struct wire_record_info live, again;
    uint8_t live_output[16], again_output[16];
    struct transport *loop, *t;
    struct err err = ERR_INIT;
    int fd = mkstemp(path);

    (void)state;
    expect_ok(transport_open("loop", &loop_config, &loop, &err), &err);
    expect_ok(filter_open(loop, &filter, &t, &err), &err);
    lead_session(t, live_output, &live);
    assert_int_equal(write(fd, text.data, text.len), text.len);
    close(fd);
    expect_ok(transport_open("replay", &replay_config, &t, &err), &err);
    lead_session(t, again_output, &again);
    assert_memory_equal(&live, &again, sizeof(live));
    assert_memory_equal(live_output, again_output, 16);
    unlink(path);
}

/* ---- nobody there ---- */

static int take_all(struct transport *t, const void *data, size_t n, struct err *err)
{
    return 0;
}

static int say_nothing(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                       size_t *ret_n, struct err *err)
{
    clock_sleep_ms(timeout_ms);
    *ret_n = 0;
    return 0;
}

static int dead_at_the_second_look(void *context, struct err *err)
{
    unsigned *looks = context;

    return ++*looks < 2 ? 0 : err_set(err, ERR_LAB, "dead");
}

/* Its deadline is far away: nobody waits for it. */
static void a_board_that_is_known_to_be_dead_is_not_waited_for(void **state)
{
    static const struct transport_ops ops = {
        .name = "silence", .send = take_all, .recv = say_nothing};
    struct transport silence = {.ops = &ops};
    struct client *client = NULL;
    struct err err = ERR_INIT;
    unsigned looks = 0;

    expect_error(client_open(&(struct client_options){.transport = &silence,
                                                      .hello_ms = 3600000,
                                                      .answer_ms = 3600000,
                                                      .alive = dead_at_the_second_look,
                                                      .context = &looks},
                             &client, &err),
                 ERR_LAB, &err);
    assert_int_equal(looks, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_agent_says_who_it_is),
        TEST(its_clock_runs_between_our_readings),
        TEST(a_model_lies_in_the_slot_as_it_was_sent),
        TEST(a_model_too_large_for_the_slot_is_refused_with_both_sizes),
        TEST(writing_is_refused_where_it_makes_no_sense),
        TEST(the_null_engine_hands_its_input_through),
        TEST(more_work_takes_more_ticks),
        TEST(more_windows_than_the_agent_keeps_are_fetched_in_parts),
        TEST(an_armed_run_waits_for_go),
        TEST(nothing_runs_before_a_model_is_loaded),
        TEST(stats_count_and_can_be_cleared),
        TEST(after_a_reset_there_is_a_new_session_and_no_model),
        cmocka_unit_test(the_baud_rate_is_raised_when_both_sides_can),
        cmocka_unit_test(a_rate_that_the_agent_refuses_is_not_used),
        cmocka_unit_test(a_board_that_is_known_to_be_dead_is_not_waited_for),
        cmocka_unit_test(a_recorded_session_replays_to_the_same_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
