/* Traces: chunks come back bit for bit, damage is an error, the pyramid holds every peak. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/trace/pack.h"
#include "harness/trace/pyramid.h"
#include "harness/trace/trace.h"
#include "tests/unit/files.h"

static float current_a[PACK_SAMPLES_MAX];
static uint8_t logic[PACK_SAMPLES_MAX];
static uint8_t range[PACK_SAMPLES_MAX];
static float got_a[PACK_SAMPLES_MAX];
static uint8_t got_logic[PACK_SAMPLES_MAX];
static uint8_t got_range[PACK_SAMPLES_MAX];

/* Few values as a converter gives, or as many as there are samples. */
static struct pack_samples make(size_t count, bool codes)
{
    uint32_t x = 3;

    for (size_t i = 0; i < count; i++) {
        x = x * 1664525 + 1013904223;
        current_a[i] = codes ? (float)((int)(x >> 24) - 20) * 4.4e-7f : (float)x * 1e-12f;
        if (i % 1000 == 7)
            current_a[i] = NAN;
        logic[i] = (uint8_t)(i / 100);
        range[i] = (uint8_t)(x >> 30);
    }
    return (struct pack_samples){
        .current_a = current_a, .logic = logic, .range = range, .count = count};
}

static void chunks_come_back_bit_for_bit(void **state)
{
    static const size_t counts[] = {0, 1, 2, 999, 70000, PACK_SAMPLES_MAX};

    for (size_t i = 0; i < 2 * ARRAY_SIZE(counts); i++) {
        const struct pack_samples s = make(counts[i / 2], i % 2 == 0);
        struct pack_samples got = {
            .current_a = got_a, .logic = got_logic, .range = got_range, .count = 0};
        AUTO_BUF packed = BUF_INIT;
        struct err err = ERR_INIT;

        pack_chunk(&s, &packed);
        assert_int_equal(pack_open(packed.data, packed.len, &got, &err), 0);
        assert_int_equal(got.count, s.count);
        assert_memory_equal(got_a, current_a, s.count * sizeof(float));
        assert_memory_equal(got_logic, logic, s.count);
        assert_memory_equal(got_range, range, s.count);
    }
}

static void codes_of_a_converter_take_little_room(void **state)
{
    struct pack_samples s = make(PACK_SAMPLES_MAX, true);
    AUTO_BUF packed = BUF_INIT;

    s.range = NULL;
    pack_chunk(&s, &packed);
    assert_true(packed.len < PACK_SAMPLES_MAX * 115 / 100); /* eight bits of noise, and no more */
}

static void damage_is_an_error(void **state)
{
    const struct pack_samples s = make(500, true);
    AUTO_BUF packed = BUF_INIT;
    unsigned refused = 0;

    pack_chunk(&s, &packed);
    for (size_t n = 0; n < packed.len; n++) {
        struct pack_samples got = {.current_a = got_a, .logic = got_logic, .range = got_range};
        struct err err = ERR_INIT;

        assert_int_equal(pack_open(packed.data, n, &got, &err), ERR_STORE);
        err_clear(&err);
        packed.data[n] ^= 0x55;
        refused += pack_open(packed.data, packed.len, &got, &err) < 0;
        packed.data[n] ^= 0x55;
    }
    assert_true(refused > 10);
}

static void the_pyramid_holds_every_peak(void **state)
{
    AUTO_FILES f = {.folder = ""};
    AUTO(trace_close_auto) struct trace_file *file = NULL;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const size_t count = 2500000;
    float *samples = malloc(count * sizeof(*samples));
    const struct trace_info info = {.case_key = "c",
                                    .meter = "m",
                                    .calibration = "R0: 1\n",
                                    .rate_hz = 100000,
                                    .supply_v = 3,
                                    .on_s = 1,
                                    .off_s = 2};
    const struct trace_arrays arrays = {.current_a = samples, .count = count};
    const struct trace_info *list = NULL;
    const struct trace_target target = {.current_a = got_a, .room = 10};
    struct trace_point points[300];
    size_t n = 0;
    int64_t id = 0;
    struct err err = ERR_INIT;
    struct stat st;
    float most = 0;

    files_init(&f);
    for (size_t i = 0; i < count; i++)
        samples[i] = i == 1234567 ? 1.0f : (float)(i % 100) * 1e-5f;
    assert_int_equal(trace_open(files_path(&f, "t"), true, &file, &err), 0);
    assert_int_equal(stat(files_path(&f, "t"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(trace_add(file, &info, &arrays, &id, &err), 0);
    assert_int_equal(trace_list(file, &arena, &list, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].samples, count);
    for (size_t columns = 1; columns <= 300; columns += 299) {
        assert_int_equal(trace_columns(file, &list[0], 0, count, columns, points, &err), 0);
        most = 0;
        for (size_t c = 0; c < columns; c++)
            most = fmaxf(most, points[c].max_a);
        assert_true(most == 1.0f);
    }
    assert_int_equal(trace_columns(file, &list[0], 1234500, 300, 300, points, &err), 0);
    assert_true(points[67].max_a == 1.0f && points[66].max_a < 0.1f);
    assert_int_equal(trace_read(file, id, 1234560, &target, &err), 10);
    assert_memory_equal(got_a, samples + 1234560, 10 * sizeof(float));
    assert_int_equal(trace_read(file, id, count - 3, &target, &err), 3);
    free(samples);
}

/* In odd pieces: what is read back and drawn is the same as when it is written at once. */
static void a_trace_can_be_written_in_pieces(void **state)
{
    AUTO_FILES f = {.folder = ""};
    AUTO(trace_close_auto) struct trace_file *file = NULL;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const size_t count = 250003;
    float *samples = malloc(count * sizeof(*samples));
    struct trace_info info = {
        .case_key = "c", .meter = "m", .calibration = "", .rate_hz = 100000, .supply_v = 3};
    struct trace_writer *w = NULL;
    const struct trace_info *list = NULL;
    struct trace_overview whole, pieces;
    struct err err = ERR_INIT;
    int64_t id = 0;
    size_t n = 0;

    files_init(&f);
    for (size_t i = 0; i < count; i++)
        samples[i] = (float)(i % 977) * 1e-5f;
    assert_int_equal(trace_open(files_path(&f, "t"), true, &file, &err), 0);
    assert_int_equal(trace_add(file, &info,
                               &(struct trace_arrays){.current_a = samples, .count = count}, &id,
                               &err),
                     0);
    assert_int_equal(trace_begin(file, &info, &w, &err), 0);
    for (size_t at = 0; at < count; at += 1009)
        assert_int_equal(
            trace_append(w,
                         &(struct trace_arrays){.current_a = samples + at,
                                                .count = count - at < 1009 ? count - at : 1009},
                         &err),
            0);
    assert_int_equal(trace_list(file, &arena, &list, &n, &err), 0);
    assert_int_equal(n, 1); /* it has not ended */
    info.lost = 7;
    info.on_s = 1;
    info.off_s = 2;
    assert_int_equal(trace_end(w, &info, &id, &err), 0);
    trace_writer_free(w);
    assert_int_equal(trace_list(file, &arena, &list, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(list[0].samples, count);
    assert_int_equal(list[0].lost, 7);
    assert_int_equal(trace_overview(file, &list[0], 100, &arena, &pieces, &err), 0);
    assert_int_equal(trace_overview(file, &list[1], 100, &arena, &whole, &err), 0);
    assert_int_equal(pieces.count, 100);
    assert_int_equal(pieces.window_count, 1);
    assert_int_equal(whole.window_count, 0);
    assert_memory_equal(pieces.points, whole.points, 100 * sizeof(*whole.points));
    assert_int_equal(trace_begin(file, &info, &w, &err), 0);
    trace_writer_free(w); /* never ended */
    assert_int_equal(trace_list(file, &arena, &list, &n, &err), 0);
    assert_int_equal(n, 2);
    free(samples);
}

static void old_traces_go_but_those_of_runs_that_stay(void **state)
{
    static const struct trace_span keep[] = {{100, 199}, {300, 300}};
    AUTO_FILES f = {.folder = ""};
    AUTO(trace_close_auto) struct trace_file *file = NULL;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct trace_info info = {
        .case_key = "c", .meter = "m", .calibration = "", .rate_hz = 1000, .supply_v = 3};
    const struct trace_arrays one = {.current_a = current_a, .count = 1000};
    struct trace_writer *killed = NULL;
    const struct trace_info *list = NULL;
    struct err err = ERR_INIT;
    uint64_t gone = 0;
    int64_t id = 0;
    size_t n = 0;

    files_init(&f);
    assert_int_equal(trace_open(files_path(&f, "t"), true, &file, &err), 0);
    for (info.at_ns = 50; info.at_ns < 600; info.at_ns += 50)
        assert_int_equal(trace_add(file, &info, &one, &id, &err), 0);
    info.at_ns = 60;
    assert_int_equal(trace_begin(file, &info, &killed, &err), 0);
    assert_int_equal(trace_prune(file, 500, keep, 2, true, &gone, &err), 0);
    assert_int_equal(gone, 7); /* 50, 200, 250, 350, 400, 450, and the one that never ended */
    assert_int_equal(trace_list(file, &arena, &list, &n, &err), 0);
    assert_int_equal(n, 11);
    assert_int_equal(trace_prune(file, 500, keep, 2, false, &gone, &err), 0);
    assert_int_equal(trace_list(file, &arena, &list, &n, &err), 0);
    assert_int_equal(n, 5);
    assert_int_equal(list[4].at_ns, 100);
    assert_int_equal(list[3].at_ns, 150);
    assert_int_equal(list[2].at_ns, 300);
    assert_int_equal(trace_prune(file, 500, keep, 2, false, &gone, &err), 0);
    assert_int_equal(gone, 0);
    trace_writer_free(killed);
}

static void a_file_of_something_else_is_refused(void **state)
{
    AUTO_FILES f = {.folder = ""};
    struct trace_file *file = NULL;
    struct err err = ERR_INIT;
    FILE *out;

    files_init(&f);
    out = fopen(files_path(&f, "t"), "w");
    assert_non_null(out);
    (void)fputs("this is no database, whatever its name says, and long enough to be looked at",
                out);
    (void)fclose(out);
    assert_int_equal(trace_open(files_path(&f, "t"), false, &file, &err), ERR_STORE);
    err_clear(&err);
    assert_int_equal(trace_open(files_path(&f, "none"), false, &file, &err), ERR_STORE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_come_back_bit_for_bit),
        cmocka_unit_test(codes_of_a_converter_take_little_room),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(the_pyramid_holds_every_peak),
        cmocka_unit_test(a_trace_can_be_written_in_pieces),
        cmocka_unit_test(old_traces_go_but_those_of_runs_that_stay),
        cmocka_unit_test(a_file_of_something_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
