/*
 * Ten minutes of 100 000 samples a second: emulated PPK2 on a pty, reader thread, decoder, store of
 * traces. Nothing may be lost but what is injected, and all of that must be found; under 5 % of a
 * core; flat memory.
 *
 *   meter_soak PATH-OF-TINYRIG-VMETER [SECONDS]
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/proc.h"
#include "harness/meter/meter.h"
#include "harness/trace/trace.h"

#define RATE_HZ      100000u
#define CPU_BAR      0.05
#define GROWTH_BAR_K 1024 /* the pyramid of ten minutes is 720 kB */
#define TO_FIND      (1u + 10 + 64 + 100 + 128 + 6400)

struct soak {
    struct proc proc;
    struct meter *meter;
    struct trace_file *file;
    struct trace_writer *writer;
    struct trace_info info;
    char folder[64], link[96], traces[96];
    uint64_t samples, gap_samples;
    uint64_t started_ns;
    double cpu_s;
    long resident_early_kb, resident_late_kb;
};

static void must(int r, const struct err *err)
{
    if (r >= 0)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static double cpu_seconds(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* The second number of statm, in pages. */
static long resident_kb(void)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    char *end = NULL;

    must(file_read("/proc/self/statm", 256, &text, &err), &err);
    (void)strtol(buf_text(&text), &end, 10);
    return strtol(end, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Losses spread over the first half of the time, each by itself. */
static void start_meter(struct soak *s, const char *program, uint64_t seconds)
{
    static const unsigned losses[] = {1, 10, 64, 100, 128, 6400};
    char faults[ARRAY_SIZE(losses)][64];
    const char *argv[32] = {program, "--kind",   "ppk2",       "--link",
                            s->link, "--square", "30000,10000"};
    size_t count = 7;
    char line[256];
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
        (void)snprintf(faults[i], sizeof(faults[i]), "lose %u at %llu", losses[i],
                       (unsigned long long)(seconds * RATE_HZ * (i + 1) / 12));
        argv[count++] = "--fault";
        argv[count++] = faults[i];
    }
    must(proc_start(
             &s->proc,
             &(struct proc_options){.argv = argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}},
             &err),
         &err);
    if (read(s->proc.stdio[1], line, sizeof(line)) < 6 || strncmp(line, "ready ", 6) != 0)
        exit(1);
}

static void open_all(struct soak *s)
{
    const struct meter_config config = {.where = s->link, .serial = "SOAK"};
    struct err err = ERR_INIT;

    must(meter_open("ppk2", &config, &s->meter, &err), &err);
    must(meter_configure(s->meter, &(struct meter_setup){.source = true, .voltage_uv = 3000000},
                         &err),
         &err);
    must(trace_open(s->traces, true, &s->file, &err), &err);
    s->info = (struct trace_info){.case_key = "soak",
                                  .meter = s->meter->info.model,
                                  .calibration = buf_text(&s->meter->calibration),
                                  .rate_hz = RATE_HZ,
                                  .supply_v = 3,
                                  .emulated = true};
    must(trace_begin(s->file, &s->info, &s->writer, &err), &err);
    must(meter_start(s->meter, &err), &err);
}

static void run(struct soak *s, uint64_t seconds, struct meter_counts *ret)
{
    const uint64_t all = seconds * RATE_HZ;
    struct meter_block block;
    struct err err = ERR_INIT;
    int64_t id = 0;

    assert(s->meter != NULL);
    s->started_ns = clock_monotonic_ns();
    s->cpu_s = cpu_seconds();
    while (s->samples < all) {
        must(meter_read(s->meter, 100, &block, &err), &err);
        must(trace_append(s->writer,
                          &(struct trace_arrays){.current_a = block.current_a,
                                                 .logic = block.logic,
                                                 .range = block.range,
                                                 .count = block.count},
                          &err),
             &err);
        for (size_t i = 0; i < block.count; i++)
            s->gap_samples += block.current_a[i] != block.current_a[i];
        s->samples += block.count;
        if (s->resident_early_kb == 0 && s->samples > all / 4) /* every page of the ring was used */
            s->resident_early_kb = resident_kb();
    }
    s->resident_late_kb = resident_kb();
    must(meter_stop(s->meter, &err), &err);
    *ret = s->meter->counts;
    s->info.lost = ret->lost;
    must(trace_end(s->writer, &s->info, &id, &err), &err);
    s->cpu_s = cpu_seconds() - s->cpu_s;
}

static bool judge(const struct soak *s, const struct meter_counts *c)
{
    const double wall_s = (double)(clock_monotonic_ns() - s->started_ns) * 1e-9;
    const double share = s->cpu_s / wall_s;
    const long growth = s->resident_late_kb - s->resident_early_kb;

    (void)printf("%llu samples in %.1f s (%.1f a second), %llu lost of %u injected (%llu by the "
                 "clock), %llu damaged\n",
                 (unsigned long long)s->samples, wall_s, (double)s->samples / wall_s,
                 (unsigned long long)c->lost, TO_FIND, (unsigned long long)c->lost_by_clock,
                 (unsigned long long)c->corrupted + c->resyncs);
    (void)printf("%.2f %% of a core (bar %.0f %%); memory %ld kB, grew by %ld kB (bar %d kB)\n",
                 100 * share, 100 * CPU_BAR, s->resident_late_kb, growth, GROWTH_BAR_K);
    return c->lost == TO_FIND && s->gap_samples == TO_FIND && c->corrupted + c->resyncs == 0 &&
           share < CPU_BAR && growth < GROWTH_BAR_K;
}

int main(int argc, char **argv)
{
    static struct soak s = {.proc = PROC_INIT};
    const uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 600;
    struct meter_counts counts;
    bool good;

    if (argc < 2 || seconds < 12)
        return 2;
    (void)snprintf(s.folder, sizeof(s.folder), "/tmp/tinyrig-soak-XXXXXX");
    if (mkdtemp(s.folder) == NULL)
        return 1;
    (void)snprintf(s.link, sizeof(s.link), "%s/meter", s.folder);
    (void)snprintf(s.traces, sizeof(s.traces), "%s/traces", s.folder);
    start_meter(&s, argv[1], seconds);
    open_all(&s);
    run(&s, seconds, &counts);
    good = judge(&s, &counts);
    trace_writer_free(s.writer);
    trace_close(s.file);
    meter_close(s.meter);
    proc_stop(&s.proc, 1000);
    (void)unlink(s.traces);
    (void)unlink(s.link);
    (void)rmdir(s.folder);
    return !good;
}
