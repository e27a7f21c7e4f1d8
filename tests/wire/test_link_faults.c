/*
 * A whole session (open, upload, load, input, windows, output, statistics) with one thing going
 * wrong at byte n, for every n in both directions: the port cut, the line stalled, a byte lost,
 * flipped, doubled, garbage in between, the board reset. After each: the right outcome, in time.
 *
 *   usage: test_link_faults [STRIDE]     every STRIDE-th n (1: all)
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "harness/base/clock.h"
#include "harness/client/client.h"
#include "harness/transport/filter.h"

enum {
    THREADS = 16,
    WINDOWS = 3,
    IMAGE = 200,
    NONCE = 0x1234,
    INTERRUPTED_MS = 4000
};

static unsigned stride = 97;

/* ---- one session ---- */

static int use_board(struct client *c, struct err *err)
{
    const struct client_run run = {
        .inferences = 2, .windows = WINDOWS, .flags = WIRE_RUN_DIGEST, .window_ms = 60};
    struct wire_record_info records[WINDOWS];
    struct wire_stats_info stats;
    struct wire_loaded loaded;
    uint8_t image[IMAGE], input[16], output[16];

    for (unsigned i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(i % 3 == 0 ? 0 : i);
    memcpy(input, image + 20, sizeof(input));
    if (client_upload_model(c, image, sizeof(image), NULL, NULL, err) < 0 ||
        client_load(c, 0, sizeof(image), 0, &loaded, err) < 0 ||
        client_write_input(c, 0, input, sizeof(input), err) < 0 ||
        client_run(c, &run, records, err) < 0 ||
        client_read_output(c, 0, output, sizeof(output), err) < 0 ||
        client_stats(c, false, &stats, err) < 0)
        return (int)err->code;
    if (memcmp(output, input, sizeof(input)) != 0)
        return err_set(err, ERR_OUTPUT, "wrong output");
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (records[i].output_crc32 != wire_crc32(0, input, sizeof(input)) ||
            records[i].number != i || records[i].inferences != 2)
            return err_set(err, ERR_OUTPUT, "wrong record %u", i);
    }
    return 0;
}

/* Counts get the bytes of each direction. */
static int session(const struct filter_fault *fault, uint64_t counts[2], struct err *err)
{
    const struct transport_config config = {.where = "arena=4KiB,slot=4KiB"};
    const struct filter_options filter = {.faults = fault, .fault_count = fault != NULL, .seed = 3};
    AUTO(transport_close_auto) struct transport *line = NULL;
    AUTO(client_close_auto) struct client *c = NULL;
    struct client_options options = {
        .baud = 4000000, .hello_ms = 2000, .answer_ms = 40, .nonce = NONCE};
    struct transport *loop;
    int status;

    if (transport_open("loop", &config, &loop, err) < 0 ||
        filter_open(loop, &filter, &line, err) < 0)
        return (int)err->code;
    options.transport = line;
    status = client_open(&options, &c, err);
    if (status == 0)
        status = use_board(c, err);
    counts[0] = filter_count(line, FILTER_TO_TARGET);
    counts[1] = filter_count(line, FILTER_FROM_TARGET);
    return status;
}

/* ---- what may come of a fault ---- */

/* RESET with the session's nonce, as a frame: the board restarts there. */
static void put_byte(void *context, uint8_t byte)
{
    struct buf *out = context;

    buf_putc(out, (char)byte);
}

static void encode_reset(struct buf *out)
{
    const struct wire_header header = {
        .format = WIRE_FORMAT, .type = WIRE_RESET, .seq = 99, .nonce = NONCE};
    const struct wire_reset reset = {.magic = WIRE_RESET_MAGIC};
    struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {&reset, sizeof(reset)}};

    wire_encode(&header, parts, put_byte, out);
}

struct job {
    const char *name;
    struct filter_fault fault;
    enum err_code wanted;
    bool wrong; /* outcome among many others at once */
};

static const struct job kinds[] = {
    {"cut", {.kind = FILTER_CUT}, ERR_IO},
    {"stall", {.kind = FILTER_STALL}, ERR_TIMEOUT},
    {"drop", {.kind = FILTER_DROP}, ERR_OK},
    {"drop 40", {.kind = FILTER_DROP, .count = 40}, ERR_OK},
    {"corrupt", {.kind = FILTER_CORRUPT}, ERR_OK},
    {"duplicate", {.kind = FILTER_DUPLICATE}, ERR_OK},
    {"garbage", {.kind = FILTER_INSERT, .count = 50}, ERR_OK},
    {"reset", {.kind = FILTER_INSERT}, ERR_LAB},
};

/*
 * Where a fault can do no harm: the last delimiter of a session, which nobody waits for, and (for
 * a reset) before there is a session.
 */
static bool is_harmless(const struct job *job, uint64_t total)
{
    return job->fault.at + 2 >= total || (job->wanted == ERR_LAB && job->fault.at < 20);
}

static bool outcome_is_right(const struct job *job, const struct err *err, uint64_t total)
{
    return err->code == job->wanted || (is_harmless(job, total) && err->code == ERR_OK);
}

/* ---- all n ---- */

struct work {
    struct job *jobs;
    size_t count;
    uint64_t totals[2];
    atomic_size_t next;
};

static bool is_right(const struct work *w, const struct job *job)
{
    struct err err = ERR_INIT;
    uint64_t counts[2];
    uint64_t start = clock_monotonic_ns();
    uint64_t ms;

    (void)session(&job->fault, counts, &err);
    ms = (clock_monotonic_ns() - start) / 1000000;
    if (outcome_is_right(job, &err, w->totals[job->fault.direction]) && ms < INTERRUPTED_MS)
        return true;
    fprintf(stderr, "%s at byte %llu %s target: %s (%s) after %llu ms\n", job->name,
            (unsigned long long)job->fault.at,
            job->fault.direction == FILTER_TO_TARGET ? "to" : "from", err_name(err.code), err.text,
            (unsigned long long)ms);
    return false;
}

static void *work(void *context)
{
    struct work *w = context;
    size_t i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->count)
        w->jobs[i].wrong = !is_right(w, &w->jobs[i]);
    return NULL;
}

/* Six tries of 40 ms may all be late on a busy host. What is wrong with a fault is so every time. */
static unsigned wrong_alone_too(const struct work *w)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += w->jobs[i].wrong && !is_right(w, &w->jobs[i]);
    return n;
}

static void add_jobs(struct work *w, const struct job *kind, enum filter_direction direction)
{
    for (uint64_t at = w->count % stride; at < w->totals[direction]; at += stride) {
        struct job *job = &w->jobs[w->count++];

        *job = *kind;
        job->fault.direction = direction;
        job->fault.at = at;
    }
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void whatever_breaks_at_byte_n_ends_in_the_right_way(void **state)
{
    struct work w = {.count = 0};
    pthread_t threads[THREADS];
    struct err err = ERR_INIT;
    AUTO_BUF reset = BUF_INIT;
    size_t descriptors = open_descriptors();

    (void)state;
    encode_reset(&reset);
    if (session(NULL, w.totals, &err) < 0)
        fail_msg("without a fault: %s", err.text);
    w.jobs = calloc(ARRAY_SIZE(kinds) * (w.totals[0] + w.totals[1]) + 1, sizeof(*w.jobs));
    assert_non_null(w.jobs);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct job kind = kinds[i];

        if (strcmp(kind.name, "reset") == 0) {
            kind.fault.count = reset.len;
            kind.fault.bytes = (const uint8_t *)reset.data;
        } else {
            add_jobs(&w, &kind, FILTER_FROM_TARGET);
        }
        add_jobs(&w, &kind, FILTER_TO_TARGET);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%zu sessions of %llu + %llu bytes with one fault each\n", w.count,
           (unsigned long long)w.totals[0], (unsigned long long)w.totals[1]);
    assert_int_equal(wrong_alone_too(&w), 0);
    assert_int_equal(open_descriptors(), descriptors);
    free(w.jobs);
}

static void a_line_that_loses_one_byte_in_five_hundred_still_works(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        const struct transport_config config = {.where = "arena=4KiB,slot=4KiB"};
        const struct filter_options filter = {
            .drop_ppm = 700, .corrupt_ppm = 700, .duplicate_ppm = 700, .seed = seed};
        struct client_options options = {
            .baud = 4000000, .hello_ms = 4000, .answer_ms = 40, .nonce = NONCE};
        struct transport *loop, *line;
        struct err err = ERR_INIT;
        struct client *c;

        assert_int_equal(transport_open("loop", &config, &loop, &err), 0);
        assert_int_equal(filter_open(loop, &filter, &line, &err), 0);
        options.transport = line;
        if (client_open(&options, &c, &err) < 0 || use_board(c, &err) < 0)
            fail_msg("seed %u: %s", seed, err.text);
        client_close(c);
        transport_close(line);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_breaks_at_byte_n_ends_in_the_right_way),
        cmocka_unit_test(a_line_that_loses_one_byte_in_five_hundred_still_works),
    };

    if (argc > 1)
        stride = (unsigned)strtoul(argv[1], NULL, 10);
    return stride == 0 ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
