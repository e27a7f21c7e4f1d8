#include "harness/cli/report_traces.h"

#include <string.h>
#include <unistd.h>

#include "harness/report/value.h"
#include "harness/spec/names.h"
#include "harness/trace/trace.h"

enum {
    COLUMNS = 400,
    TRACES_SHOWN = 40, /* a page stays readable, and small */
};

#define NA 1e9

/* A trace carries its case's key and its time: it belongs to the attempt that ran then. */
static bool is_of(const struct trace_info *t, const struct data_case *c)
{
    return strcmp(t->case_key, c->key) == 0 && t->at_ns >= c->started_ns &&
           t->at_ns <= c->started_ns + c->host_ns;
}

/* The list is newest first. NULL: none was kept. */
static const struct trace_info *pick(const struct trace_info *list, size_t count,
                                     const struct data_case *c)
{
    const struct trace_info *picked = NULL;

    for (size_t i = 0; i < count; i++) {
        if (is_of(&list[i], c) && (picked == NULL || list[i].invalid != 0 || picked->invalid == 0))
            picked = &list[i];
    }
    return picked;
}

static const char *describe(const struct trace_info *t, struct arena *arena)
{
    const bool says_so = strstr(t->meter, "emulated") != NULL;

    return arena_printf(
        arena, "window %u of %u inferences, %s%s at %.3f V%s%s", t->window, t->inferences, t->meter,
        t->emulated && !says_so ? " (emulated)" : "", t->supply_v,
        t->lost > 0 ? arena_printf(arena, ", %llu samples lost", (unsigned long long)t->lost) : "",
        t->invalid != 0 ? arena_printf(arena, ", invalid: %s", invalid_reason(t->invalid)) : "");
}

static int add(struct trace_file *f, const struct trace_info *t, struct arena *arena,
               struct report_trace *ret, struct err *err)
{
    struct trace_overview *v = arena_alloc(arena, sizeof(*v));
    double *values;

    if (trace_overview(f, t, COLUMNS, arena, v, err) < 0)
        return (int)err->code;
    values = arena_alloc(arena, 3 * v->count * sizeof(*values));
    for (size_t i = 0; i < v->count; i++) {
        values[i] = (double)v->points[i].mean_a * NA;
        values[v->count + i] = (double)v->points[i].min_a * NA;
        values[2 * v->count + i] = (double)v->points[i].max_a * NA;
    }
    *ret = (struct report_trace){.key = t->case_key,
                                 .text = describe(t, arena),
                                 .step_s = v->step_s,
                                 .count = v->count,
                                 .mean_na = values,
                                 .low_na = values + v->count,
                                 .high_na = values + 2 * v->count,
                                 .windows = (const double(*)[2])v->windows,
                                 .window_count = v->window_count};
    return 0;
}

int report_traces(const char *path, struct arena *arena, struct report_options *o, struct err *err)
{
    AUTO(trace_close_auto) struct trace_file *f = NULL;
    const struct trace_info *list = NULL;
    struct report_trace *shown = arena_alloc(arena, TRACES_SHOWN * sizeof(*shown));
    size_t count = 0;
    size_t n = 0;

    if (access(path, R_OK) < 0)
        return 0;
    if (trace_open(path, false, &f, err) < 0 || trace_list(f, arena, &list, &count, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < o->data->case_count && n < TRACES_SHOWN; i++) {
        const struct trace_info *t = pick(list, count, &o->data->cases[i]);

        if (t != NULL && add(f, t, arena, &shown[n++], err) < 0)
            return (int)err->code;
    }
    o->traces = shown;
    o->trace_count = n;
    return 0;
}
