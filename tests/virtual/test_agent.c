/*
 * A board of targets/boards with its real agent: is it as its file says, and does it count the same
 * every time? usage: test_virtual_agent BOARD.yaml
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/client/client.h"
#include "harness/load/load.h"
#include "harness/measure/timebase.h"
#include "harness/transport/transport.h"
#include "tests/unit/unit.h"
#include "tests/virtual/bench.h"

#define WINDOWS 4
#define TURNS   2000 /* of the null engine's empty loop in each inference */

static const struct board *the_board;

struct session {
    struct bench bench;
    struct transport *transport;
    struct client *client;
};

static void must(int r, const struct err *err)
{
    if (r < 0)
        fail_msg("%s", err->text);
}

static void session_connect(struct session *s)
{
    struct err err = ERR_INIT;

    must(transport_open("pty", &(struct transport_config){.where = vboard_port(s->bench.vboard)},
                        &s->transport, &err),
         &err);
    must(client_open(&(struct client_options){.transport = s->transport}, &s->client, &err), &err);
}

static void session_disconnect(struct session *s)
{
    client_close(s->client);
    transport_close(s->transport);
    s->client = NULL;
    s->transport = NULL;
}

static void session_start(struct session *s)
{
    char firmware[500];

    bench_find_agent(the_board, firmware, sizeof(firmware));
    *s = (struct session){.client = NULL};
    bench_start(&s->bench, the_board, firmware);
    session_connect(s);
}

static void session_stop(struct session *s)
{
    session_disconnect(s);
    bench_stop(&s->bench);
}

static void agrees_with_its_file(void **state)
{
    const struct wire_hello *hello;
    struct timebase timebase;
    struct err err = ERR_INIT;
    struct session s;

    session_start(&s);
    hello = client_hello(s.client);
    must(timebase_make(the_board, hello->tick_hz, &timebase, &err), &err);
    assert_int_equal(timebase.unit, the_board->timebase_unit);
    if (strcmp(the_board->virt.kind, "posix") != 0) {
        assert_int_equal(hello->clock_hz, the_board->clock_hz);
        assert_true(timebase.exact);
    }
    if (board_shares_ram(the_board)) { /* what the agent leaves of it */
        assert_true(hello->slot_base > the_board->ram.base);
        assert_true(hello->slot_base + hello->slot_size <
                    the_board->ram.base + the_board->ram.size);
        assert_int_equal(hello->arena_base, hello->slot_base);
    } else if (the_board->slot.region.size != 0) {
        assert_int_equal(hello->slot_base, the_board->slot.region.base);
        assert_int_equal(hello->slot_size, the_board->slot.region.size);
        /* A board may leave to the flash method what its agent could write, not the reverse. */
        assert_true(the_board->slot.by_flash || (hello->caps & WIRE_CAP_SLOT_WRITE) != 0);
    }
    if (hello->arena_base != 0 && the_board->ram.base != 0) {
        assert_true(hello->arena_base >= the_board->ram.base);
        assert_true(hello->arena_base + hello->arena_size <=
                    the_board->ram.base + the_board->ram.size);
    }
    session_stop(&s);
}

/* Windows of 1, 2, 3 ... inferences of the null engine; values in the timebase's unit. */
static void measure(struct session *s, double values[WINDOWS])
{
    const struct wire_hello *hello = client_hello(s->client);
    struct timebase timebase;
    struct wire_loaded loaded;
    struct err err = ERR_INIT;

    must(timebase_make(the_board, hello->tick_hz, &timebase, &err), &err);
    must(client_load(s->client, 0, 0, TURNS, &loaded, &err), &err);
    for (int i = 0; i < WINDOWS; i++) {
        const struct client_run run = {.inferences = (uint32_t)i + 1,
                                       .windows = 1,
                                       .flags = WIRE_RUN_MARKER,
                                       .window_ms = 20000};
        struct wire_record_info record;

        must(client_run(s->client, &run, &record, &err), &err);
        values[i] = timebase_value(&timebase, record.ticks, 0);
    }
}

static bool counts_exactly(void)
{
    return strcmp(the_board->virt.kind, "posix") != 0;
}

static void two_runs_count_the_same_to_the_last_unit(void **state)
{
    double first[WINDOWS];
    double second[WINDOWS];
    struct session s;

    if (!counts_exactly())
        skip();
    session_start(&s);
    measure(&s, first);
    session_stop(&s);
    session_start(&s);
    measure(&s, second);
    for (int i = 0; i < WINDOWS; i++)
        assert_true(first[i] == second[i]);
    for (int i = 2; i < WINDOWS; i++) /* every inference costs the same */
        assert_true(first[i] - first[i - 1] == first[1] - first[0]);
    assert_true(first[1] - first[0] >= TURNS);
    session_stop(&s);
}

/* What the emulator saw between the edges is what the agent's own counter says, but for a constant. */
static void the_emulator_and_the_agent_count_alike(void **state)
{
    struct bench_edge edges[2 * WINDOWS + 2];
    double values[WINDOWS];
    struct session s;
    char path[100];
    double overhead;

    if (!counts_exactly() || the_board->virt.kind == NULL)
        skip();
    session_start(&s);
    bench_record(&s.bench, path, sizeof(path), true);
    measure(&s, values);
    bench_record(&s.bench, path, sizeof(path), false);
    assert_int_equal(bench_read_edges(path, edges, 2 * WINDOWS + 2), 2 * WINDOWS);
    overhead = values[0] - (double)(edges[1].count - edges[0].count);
    for (int i = 0; i < WINDOWS; i++) {
        assert_int_equal(edges[2 * i].level, 1);
        assert_int_equal(edges[2 * i + 1].level, 0);
        if (strcmp(the_board->virt.kind, "qemu") == 0)
            assert_int_equal(edges[2 * i + 1].vns - edges[2 * i].vns,
                             (edges[2 * i + 1].count - edges[2 * i].count)
                                 << the_board->virt.icount_shift);
        assert_true(values[i] - (double)(edges[2 * i + 1].count - edges[2 * i].count) == overhead);
    }
    if (overhead > 0 || overhead < -1000) /* the edges are outside the two readings of the timer */
        fail_msg("the agent's counter sees %.0f more than the emulator", overhead);
    (void)unlink(path);
    session_stop(&s);
}

static void a_reset_in_mid_session_is_survived(void **state)
{
    struct err err = ERR_INIT;
    struct session s;
    double values[WINDOWS];

    session_start(&s);
    must(vboard_reset(s.bench.vboard, &err), &err);
    session_disconnect(&s);
    session_connect(&s);
    if (counts_exactly())
        measure(&s, values);
    must(vboard_power_cycle(s.bench.vboard, &err), &err);
    session_disconnect(&s);
    session_connect(&s);
    session_stop(&s);
}

static void connects_again(struct session *s)
{
    session_disconnect(s);
    session_connect(s);
}

static void a_hung_or_dead_board_is_revived_by_a_reset(void **state)
{
    struct err err = ERR_INIT;
    struct session s;

    session_start(&s);
    bench_command(&s.bench, NULL, "fault hang");
    bench_expect_status(&s.bench, "state", "hung");
    must(vboard_reset(s.bench.vboard, &err), &err);
    bench_expect_status(&s.bench, "state", "running");
    connects_again(&s);
    bench_command(&s.bench, NULL, "fault die");
    bench_await_status(&s.bench, "state", "dead");
    must(vboard_reset(s.bench.vboard, &err), &err);
    connects_again(&s);
    session_stop(&s);
}

static void the_agent_can_reset_itself(void **state)
{
    struct err err = ERR_INIT;
    struct session s;

    if (the_board->virt.machine != NULL && strcmp(the_board->virt.machine, "sifive_e") == 0)
        skip(); /* QEMU gives that machine no way */
    session_start(&s);
    must(client_reset(s.client, &err), &err);
    bench_expect_status(&s.bench, "state", "running");
    bench_expect_status(&s.bench, "power_ons", "1");
    session_stop(&s);
}

/* Put bytes where models go, by the way that the board file names, and have the agent digest them. */
static void the_slot_takes_what_is_written(void **state)
{
    static uint8_t bytes[20000];
    struct err err = ERR_INIT;
    struct session s;
    size_t size;
    char path[100];
    uint32_t crc32 = 0;

    session_start(&s);
    size = client_hello(s.client)->slot_size;
    size = size < sizeof(bytes) ? size : sizeof(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    if (the_board->slot.by_flash) {
        (void)snprintf(path, sizeof(path), "%s/model.bin", s.bench.dir);
        must(file_write_atomic(path, bytes, size, &err), &err);
        must(vboard_flash(s.bench.vboard, path, the_board->slot.region.base, &err), &err);
        session_disconnect(&s);
        session_connect(&s);
        (void)unlink(path);
    } else {
        must(client_write(
                 s.client,
                 &(struct client_write){.object = WIRE_OBJECT_SLOT, .data = bytes, .size = size},
                 &err),
             &err);
    }
    must(client_digest(s.client, WIRE_OBJECT_SLOT, 0, size, &crc32, &err), &err);
    assert_int_equal(crc32, wire_crc32(0, bytes, size));
    session_stop(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_its_file),
        cmocka_unit_test(two_runs_count_the_same_to_the_last_unit),
        cmocka_unit_test(the_emulator_and_the_agent_count_alike),
        cmocka_unit_test(a_reset_in_mid_session_is_survived),
        cmocka_unit_test(a_hung_or_dead_board_is_revived_by_a_reset),
        cmocka_unit_test(the_agent_can_reset_itself),
        cmocka_unit_test(the_slot_takes_what_is_written),
    };
    struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;
    int failures;

    if (argc != 2 || board_load(argv[1], &arena, &the_board, &err) < 0) {
        (void)fprintf(stderr, "usage: test_virtual_agent BOARD.yaml\n%s\n", err.text);
        return 2;
    }
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    arena_release(&arena);
    return failures;
}
