/* How fast an hour of 100 000 samples a second is opened, drawn whole and drawn in a zoom. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/trace/trace.h"

#define RATE_HZ 100000u
#define SECONDS 3600u
#define COLUMNS 1000u
#define BAR_MS  1000.0

static void must(int r, const struct err *err)
{
    if (r >= 0)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

/* Noise of a converter's codes on a square wave. */
static void make_second(float *current, uint32_t *x)
{
    for (uint32_t i = 0; i < RATE_HZ; i++) {
        *x = *x * 1664525 + 1013904223;
        current[i] = (i / 1000 % 3 == 0 ? 9e-3f : 1.2e-3f) + (float)(*x >> 29) * 4.4e-7f;
    }
}

static void write_hour(const char *path)
{
    static float current[RATE_HZ];
    const struct trace_info info = {
        .case_key = "hour", .meter = "bench", .calibration = "", .rate_hz = RATE_HZ, .supply_v = 3};
    struct trace_file *f = NULL;
    struct trace_writer *w = NULL;
    struct err err = ERR_INIT;
    uint32_t x = 1;
    int64_t id = 0;

    must(trace_open(path, true, &f, &err), &err);
    must(trace_begin(f, &info, &w, &err), &err);
    for (uint32_t s = 0; s < SECONDS; s++) {
        make_second(current, &x);
        must(trace_append(w, &(struct trace_arrays){.current_a = current, .count = RATE_HZ}, &err),
             &err);
    }
    must(trace_end(w, &info, &id, &err), &err);
    trace_writer_free(w);
    trace_close(f);
}

/* Milliseconds to open the file, list its traces and have `samples` from `first` in columns. */
static double open_and_draw(const char *path, uint64_t first, uint64_t samples)
{
    static struct trace_point points[COLUMNS];
    const uint64_t started = clock_monotonic_ns();
    AUTO(trace_close_auto) struct trace_file *f = NULL;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct trace_info *list = NULL;
    struct err err = ERR_INIT;
    size_t n = 0;

    must(trace_open(path, false, &f, &err), &err);
    must(trace_list(f, &arena, &list, &n, &err), &err);
    if (n != 1 || list[0].samples != (uint64_t)SECONDS * RATE_HZ)
        exit(1);
    must(trace_columns(f, &list[0], first, samples != 0 ? samples : list[0].samples, COLUMNS,
                       points, &err),
         &err);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (isnan(points[i].mean_a))
            exit(1);
    }
    return (double)(clock_monotonic_ns() - started) * 1e-6;
}

int main(void)
{
    char path[] = "/tmp/tinyrig-hour-XXXXXX";
    const int fd = mkstemp(path);
    double whole;
    double zoom;

    if (fd < 0)
        return 1;
    (void)close(fd);
    write_hour(path);
    whole = open_and_draw(path, 0, 0);
    zoom = open_and_draw(path, 123456789, 3u * RATE_HZ);
    (void)printf("an hour of current: opened and drawn in %.1f ms, zoomed to 3 s in %.1f ms (bar "
                 "%.0f ms)\n",
                 whole, zoom, BAR_MS);
    (void)unlink(path);
    return whole > BAR_MS || zoom > BAR_MS;
}
