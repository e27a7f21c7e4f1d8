/* `tinyrig trace`: raw traces of current as a list, CSV or a picture. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/trace_plot.h"
#include "harness/cli/verb.h"
#include "harness/report/glyph.h"
#include "harness/trace/trace.h"

enum {
    CSV_SAMPLES = 100000
};

struct trace_arguments {
    struct common_options common;
    const char *file, *output, *from, *to;
    uint64_t id;
};

static const struct option options[] = {
    {"id", 0, OPTION_NUMBER, "N", "which trace (default: the newest)",
     offsetof(struct trace_arguments, id)},
    {"from", 0, OPTION_STRING, "TIME", "begin here, such as 1.5s (default: 0s)",
     offsetof(struct trace_arguments, from)},
    {"to", 0, OPTION_STRING, "TIME", "end here (default: the end)",
     offsetof(struct trace_arguments, to)},
    {"output", 'o', OPTION_STRING, "FILE", "write here (default: standard output)",
     offsetof(struct trace_arguments, output)},
    {"traces", 0, OPTION_STRING, "FILE", "the file of traces (default: the database's, -traces)",
     offsetof(struct trace_arguments, file)},
    OPTION_DB,
    {.name = NULL},
};

/* ---- what is meant ---- */

struct chosen {
    struct context context;
    struct trace_file *file;
    const struct trace_info *all;
    size_t count;
    struct trace_info one;
    uint64_t first, samples; /* of the range */
};

static void chosen_release(struct chosen *c)
{
    trace_close(c->file);
    context_release(&c->context);
}

static int open_file(const struct trace_arguments *a, struct chosen *c, struct err *err)
{
    const char *path = a->file;

    if (context_init(&c->context, &a->common, err) < 0)
        return (int)err->code;
    if (path == NULL)
        path = arena_printf(&c->context.arena, "%s-traces", c->context.database);
    if (access(path, R_OK) < 0) {
        (void)err_set(err, ERR_USAGE, "%s is not there: no trace was kept", path);
        return err_hint(err, "run with --keep-trace, or set keep_trace in the suite's energy");
    }
    if (trace_open(path, false, &c->file, err) < 0)
        return (int)err->code;
    return trace_list(c->file, &c->context.arena, &c->all, &c->count, err);
}

static int choose_one(const struct trace_arguments *a, struct chosen *c, struct err *err)
{
    for (size_t i = 0; i < c->count; i++) {
        if (a->id == 0 || (uint64_t)c->all[i].id == a->id) {
            c->one = c->all[i];
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "there is no trace %llu", (unsigned long long)a->id);
}

static int take_time(const char *name, const char *text, const struct trace_info *t, uint64_t *ret,
                     struct err *err)
{
    uint64_t ns = 0;
    double at;

    if (text == NULL)
        return 0;
    if (!text_to_ns(text, &ns))
        return err_set(err, ERR_USAGE, "--%s: expected a time such as 1500ms, got '%s'", name,
                       text);
    at = (double)ns * 1e-9 * t->rate_hz;
    *ret = at < (double)t->samples ? (uint64_t)at : t->samples;
    return 0;
}

static int choose_range(const struct trace_arguments *a, struct chosen *c, struct err *err)
{
    uint64_t end = c->one.samples;

    if (take_time("from", a->from, &c->one, &c->first, err) < 0 ||
        take_time("to", a->to, &c->one, &end, err) < 0)
        return (int)err->code;
    if (end <= c->first)
        return err_set(err, ERR_USAGE, "the range is empty: the trace has %.3f s",
                       (double)c->one.samples / c->one.rate_hz);
    c->samples = end - c->first;
    return 0;
}

/* ---- answers ---- */

static int say_list(struct chosen *c)
{
    char when[21];

    (void)printf("%6s  %-20s  %8s  %10s  %6s  %s\n", "id", "when", "seconds", "samples", "lost",
                 "case, window, meter");
    for (size_t i = 0; i < c->count; i++) {
        const struct trace_info *t = &c->all[i];

        clock_format_utc(t->at_ns, when);
        (void)printf("%6lld  %-20s  %8.3f  %10llu  %6llu  %s, %u, %s%s%s\n", (long long)t->id, when,
                     (double)t->samples / t->rate_hz, (unsigned long long)t->samples,
                     (unsigned long long)t->lost, glyph_safe(&c->context.arena, t->case_key),
                     t->window, glyph_safe(&c->context.arena, t->meter),
                     t->emulated && strstr(t->meter, "emulated") == NULL ? " (emulated)" : "",
                     t->invalid != 0 ? ", invalid" : "");
    }
    return 0;
}

static int put_samples(struct chosen *c, FILE *out, struct err *err)
{
    float *current = malloc(CSV_SAMPLES * sizeof(*current));
    uint8_t *logic = malloc(CSV_SAMPLES);
    uint8_t *range = malloc(CSV_SAMPLES);
    int64_t n = 1;

    if (current == NULL || logic == NULL || range == NULL)
        abort();
    for (uint64_t done = 0; done < c->samples && n > 0; done += (uint64_t)n) {
        const uint64_t left = c->samples - done;

        n = trace_read(
            c->file, c->one.id, c->first + done,
            &(struct trace_target){.current_a = current,
                                   .logic = logic,
                                   .range = range,
                                   .room = left < CSV_SAMPLES ? (size_t)left : CSV_SAMPLES},
            err);
        for (int64_t i = 0; i < n; i++) {
            const double t = (double)(c->first + done + (uint64_t)i) / c->one.rate_hz;

            if (isnan(current[i]))
                (void)fprintf(out, "%.6f,,%u,%u\n", t, logic[i], range[i]);
            else
                (void)fprintf(out, "%.6f,%.9g,%u,%u\n", t, (double)current[i], logic[i], range[i]);
        }
    }
    free(current);
    free(logic);
    free(range);
    return n < 0 ? (int)n : 0;
}

static int export_csv(struct chosen *c, FILE *out, struct err *err)
{
    (void)fprintf(out, "# %s, window %u, %s, %.3f V%s\n",
                  glyph_safe(&c->context.arena, c->one.case_key), c->one.window,
                  glyph_safe(&c->context.arena, c->one.meter), c->one.supply_v,
                  c->one.emulated ? ", emulated" : "");
    (void)fputs("time_s,current_a,logic,range\n", out);
    return put_samples(c, out, err);
}

static int plot(struct chosen *c, FILE *out, struct err *err)
{
    struct trace_point points[TRACE_PLOT_COLUMNS];
    AUTO_BUF svg = BUF_INIT;

    if (trace_columns(c->file, &c->one, c->first, c->samples, TRACE_PLOT_COLUMNS, points, err) < 0)
        return (int)err->code;
    trace_plot(&c->one, c->first, c->samples, points, &svg);
    (void)fwrite(buf_text(&svg), 1, svg.len, out);
    return 0;
}

/* Like every file of ours: not for everyone, whatever the umask. */
static FILE *create(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

    return fd >= 0 ? fdopen(fd, "w") : NULL;
}

static int to_output(const struct trace_arguments *a, struct chosen *c,
                     int (*write)(struct chosen *, FILE *, struct err *), struct err *err)
{
    FILE *out = stdout;
    int r;

    if (a->output != NULL && (out = create(a->output)) == NULL)
        return err_sys(err, errno, "%s", a->output);
    r = write(c, out, err);
    if ((out != stdout ? fclose(out) : fflush(out)) != 0 && r == 0)
        r = err_set(err, ERR_IO, "%s: not all could be written",
                    a->output != NULL ? a->output : "standard output");
    return r;
}

static int run(void *values, int argc, char **argv, struct err *err)
{
    const struct trace_arguments *a = values;
    const bool csv = strcmp(argv[0], "export") == 0;
    AUTO(chosen_release) struct chosen c = {.file = NULL};

    if (!csv && strcmp(argv[0], "plot") != 0 && strcmp(argv[0], "list") != 0)
        return err_set(err, ERR_USAGE, "trace: expected list, export or plot, got '%s'", argv[0]);
    if (open_file(a, &c, err) < 0)
        return (int)err->code;
    if (strcmp(argv[0], "list") == 0)
        return say_list(&c);
    if (choose_one(a, &c, err) < 0 || choose_range(a, &c, err) < 0)
        return (int)err->code;
    return to_output(a, &c, csv ? export_csv : plot, err);
}

const struct verb verb_trace = {
    .name = "trace",
    .arguments = "list|export|plot",
    .summary = "raw traces of current: list them, as CSV, as an SVG picture",
    .details = "Traces are kept for invalid windows and with run --keep-trace, in a file beside\n"
               "the database.\n"
               "  tinyrig trace plot --from 900ms --to 1200ms -o window.svg",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
