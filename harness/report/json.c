/*
 * JSON for programs, as config/schema/report.json describes it. Stable: keys are added, never
 * renamed; "version" changes when that cannot be kept. Numbers that are not finite become null.
 * Metric values are in the unit beside them, unscaled.
 */
#include <math.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/report/glyph.h"
#include "harness/report/registry.h"
#include "harness/report/trouble.h"
#include "harness/spec/samples.h"

struct writer {
    struct buf *out;
    bool comma; /* the next key or element needs one */
};

static void put_comma(struct writer *w)
{
    if (w->comma)
        buf_puts(w->out, ", ");
    w->comma = true;
}

static void put_key(struct writer *w, const char *key)
{
    put_comma(w);
    text_json_string(w->out, key);
    buf_puts(w->out, ": ");
}

static void open_with(struct writer *w, const char *key, char bracket)
{
    if (key != NULL)
        put_key(w, key);
    else
        put_comma(w);
    buf_putc(w->out, bracket);
    w->comma = false;
}

static void close_with(struct writer *w, char bracket)
{
    buf_putc(w->out, bracket);
    w->comma = true;
}

static void put_value(struct writer *w, const char *s)
{
    if (s != NULL)
        text_json_string(w->out, s);
    else
        buf_puts(w->out, "null");
}

static void put_text(struct writer *w, const char *key, const char *s)
{
    put_key(w, key);
    put_value(w, s);
}

static void put_number(struct writer *w, const char *key, double value)
{
    put_key(w, key);
    if (isfinite(value))
        buf_printf(w->out, "%.17g", value);
    else
        buf_puts(w->out, "null");
}

static void put_count(struct writer *w, const char *key, uint64_t n)
{
    put_key(w, key);
    buf_printf(w->out, "%llu", (unsigned long long)n);
}

static void put_bool(struct writer *w, const char *key, bool value)
{
    put_key(w, key);
    buf_puts(w->out, value ? "true" : "false");
}

static void put_stamp(struct writer *w, const char *key, uint64_t ns)
{
    char stamp[REPORT_STAMP_SIZE];

    report_stamp(ns, stamp);
    put_text(w, key, ns != 0 ? stamp : NULL);
}

static void put_run(struct writer *w, const struct data_run *r)
{
    open_with(w, NULL, '{');
    put_text(w, "id", r->run_id);
    put_text(w, "suite", r->suite);
    put_text(w, "suite_path", r->suite_path);
    put_text(w, "suite_sha256", r->suite_digest);
    put_text(w, "host", r->host);
    put_text(w, "command_line", r->command_line);
    put_stamp(w, "started", r->started_ns);
    put_stamp(w, "ended", r->ended_ns);
    open_with(w, "tags", '[');
    for (size_t i = 0; i < r->tag_count; i++) {
        put_comma(w);
        put_value(w, r->tags[i]);
    }
    close_with(w, ']');
    put_count(w, "conflicts", r->conflicts);
    close_with(w, '}');
}

static void put_metrics(struct writer *w, const struct data_case *c)
{
    open_with(w, "metrics", '[');
    for (size_t i = 0; i < c->metric_count; i++) {
        const struct event_metric *m = &c->metrics[i];

        open_with(w, NULL, '{');
        put_text(w, "name", m->name);
        put_number(w, "value", m->value);
        put_text(w, "unit", unit_name(m->unit));
        put_text(w, "class", metric_class_name(m->class_));
        put_bool(w, "lower_is_better", m->lower_is_better);
        put_number(w, "low", m->low);
        put_number(w, "high", m->high);
        put_count(w, "n", m->n);
        put_text(w, "budget", m->budget);
        put_bool(w, "over_budget", m->over_budget);
        close_with(w, '}');
    }
    close_with(w, ']');
}

static const char *const invalid_words[] = {
#define X(name, word, text) word,
    INVALID_LIST(X)
#undef X
};

static void put_invalid(struct writer *w, uint32_t bits)
{
    open_with(w, "invalid", '[');
    for (size_t i = 0; i < ARRAY_SIZE(invalid_words); i++) {
        if ((bits & 1u << i) == 0)
            continue;
        put_comma(w);
        put_value(w, invalid_words[i]);
    }
    close_with(w, ']');
}

static int put_samples(struct writer *w, const struct event_window *window, struct err *err)
{
    struct arena arena = ARENA_INIT;
    const uint64_t *samples = NULL;
    size_t count = 0;
    const int r = window->samples_size == 0 ? 0
                                            : samples_unpack(window->samples, window->samples_size,
                                                             &arena, &samples, &count, err);

    open_with(w, "samples", '[');
    for (size_t i = 0; i < count; i++) {
        put_comma(w);
        buf_printf(w->out, "%llu", (unsigned long long)samples[i]);
    }
    close_with(w, ']');
    arena_release(&arena);
    return r;
}

static int put_windows(struct writer *w, const struct data_case *c, struct err *err)
{
    int r = 0;

    open_with(w, "windows", '[');
    for (size_t i = 0; i < c->window_count && r == 0; i++) {
        const struct event_window *v = &c->windows[i];

        open_with(w, NULL, '{');
        put_count(w, "repeat", v->repeat);
        put_count(w, "index", v->index);
        put_bool(w, "cold", v->cold);
        put_count(w, "inferences", v->inferences);
        put_count(w, "ticks", v->ticks);
        put_count(w, "overhead", v->overhead);
        put_number(w, "value", v->value);
        put_text(w, "unit", unit_name(v->unit));
        put_invalid(w, v->invalid);
        put_count(w, "host_ns", v->host_ns);
        r = put_samples(w, v, err);
        close_with(w, '}');
    }
    close_with(w, ']');
    return r;
}

/* Only where there are any: most runs have no meter. */
static void put_energies(struct writer *w, const struct data_case *c)
{
    if (c->energy_count == 0)
        return;
    open_with(w, "energy_windows", '[');
    for (size_t i = 0; i < c->energy_count; i++) {
        const struct event_energy *e = &c->energies[i];

        open_with(w, NULL, '{');
        put_count(w, "index", e->index);
        put_count(w, "inferences", e->inferences);
        put_bool(w, "full", e->full);
        put_number(w, "duration_s", e->duration_s);
        put_number(w, "gross_nj", e->gross_nj);
        put_number(w, "net_nj", e->net_nj);
        put_number(w, "idle_nj", e->idle_nj);
        put_number(w, "marker_nj", e->marker_nj);
        put_number(w, "systematic_nj", e->systematic_nj);
        put_number(w, "random_nj", e->random_nj);
        put_number(w, "gross_nc", e->gross_nc);
        put_number(w, "net_nc", e->net_nc);
        put_number(w, "mean_na", e->mean_na);
        put_number(w, "idle_na", e->idle_na);
        put_number(w, "peak_na", e->peak_na);
        put_number(w, "drift_na", e->drift_na);
        put_number(w, "mean_uv", e->mean_uv);
        put_count(w, "samples", e->samples);
        put_count(w, "lost", e->lost);
        put_invalid(w, e->invalid);
        close_with(w, '}');
    }
    close_with(w, ']');
}

static void put_profile(struct writer *w, const struct data_case *c)
{
    open_with(w, "profile", '[');
    for (size_t i = 0; i < c->profile_count; i++) {
        const struct event_profile *p = &c->profile[i];

        open_with(w, NULL, '{');
        put_count(w, "index", p->index);
        put_text(w, "op", p->op);
        put_text(w, "kernel", p->kernel);
        put_number(w, "value", p->value);
        put_text(w, "unit", unit_name(p->unit));
        put_count(w, "macs", p->macs);
        close_with(w, '}');
    }
    close_with(w, ']');
}

static void put_recoveries(struct writer *w, const struct data_case *c)
{
    open_with(w, "recoveries", '[');
    for (size_t i = 0; i < c->recovery_count; i++) {
        open_with(w, NULL, '{');
        put_text(w, "rung", c->recoveries[i].rung);
        put_text(w, "reason", c->recoveries[i].reason);
        put_bool(w, "worked", c->recoveries[i].worked);
        close_with(w, '}');
    }
    close_with(w, ']');
}

/* Only where there are any, which is where tinyrig has a bug: all of them, as text. */
static void put_conflicts(struct writer *w, const struct data_case *c)
{
    if (c->conflict_count == 0)
        return;
    open_with(w, "conflicts", '[');
    for (size_t i = 0; i < c->conflict_count; i++) {
        put_comma(w);
        put_value(w, c->conflicts[i]);
    }
    close_with(w, ']');
}

static void put_facts(struct writer *w, const struct data_case *c)
{
    open_with(w, "facts", '{');
    for (size_t i = 0; i < c->fact_count; i++)
        put_text(w, c->facts[i].key, c->facts[i].value);
    close_with(w, '}');
}

static void put_failure(struct writer *w, const struct data_case *c)
{
    if (c->failure_class == NULL) {
        put_text(w, "failure", NULL);
        return;
    }
    open_with(w, "failure", '{');
    put_text(w, "class", c->failure_class);
    put_text(w, "stage", c->stage);
    put_text(w, "hint", c->hint);
    put_text(w, "log", c->log);
    close_with(w, '}');
}

static int put_case(struct writer *w, const struct data_case *c, struct err *err)
{
    int r;

    open_with(w, NULL, '{');
    put_text(w, "run", c->run_id);
    put_text(w, "key", c->key);
    put_text(w, "suite", c->suite);
    put_text(w, "model", c->model);
    put_text(w, "board", c->board);
    put_text(w, "engine", c->engine);
    put_text(w, "parameters", c->parameters);
    put_text(w, "realm", realm_name(c->realm));
    put_text(w, "timebase", unit_name(c->timebase));
    put_text(w, "status", c->ended ? case_status_name(c->status) : "unfinished");
    put_text(w, "text", c->text);
    put_count(w, "attempt", c->attempt);
    put_count(w, "retries", c->retries);
    put_stamp(w, "started", c->started_ns);
    put_count(w, "host_ns", c->host_ns);
    put_count(w, "outputs_compared", c->outputs_compared);
    put_count(w, "outputs_equal", c->outputs_equal);
    put_failure(w, c);
    put_recoveries(w, c);
    put_metrics(w, c);
    put_facts(w, c);
    r = put_windows(w, c, err);
    put_energies(w, c);
    put_profile(w, c);
    put_conflicts(w, c);
    close_with(w, '}');
    return r;
}

/* How the lab did: see trouble.h. */
static void put_health(struct writer *w, const struct dataset *d)
{
    struct arena arena = ARENA_INIT;
    const struct trouble_board *boards;
    const size_t count = trouble_boards(d, &arena, &boards);

    open_with(w, "health", '[');
    for (size_t i = 0; i < count; i++) {
        open_with(w, NULL, '{');
        put_text(w, "board", boards[i].board);
        put_count(w, "cases", boards[i].cases);
        put_count(w, "measured", boards[i].measured);
        put_count(w, "wrong", boards[i].wrong);
        put_count(w, "lab_errors", boards[i].lab_errors);
        put_count(w, "retries", boards[i].retries);
        put_count(w, "recoveries", boards[i].recoveries);
        put_count(w, "attempts", boards[i].attempts);
        put_number(w, "flake_rate", trouble_flake_rate(&boards[i]));
        close_with(w, '}');
    }
    close_with(w, ']');
    arena_release(&arena);
}

static int json_render(const struct report_options *options, struct buf *out, struct err *err)
{
    const struct dataset *d = options->data;
    struct writer w = {.out = out};
    int r = 0;

    open_with(&w, NULL, '{');
    put_text(&w, "format", "tinyrig-report");
    put_count(&w, "version", 1);
    put_text(&w, "generator", "tinyrig " TINYRIG_VERSION);
    open_with(&w, "runs", '[');
    for (size_t i = 0; i < d->run_count; i++) {
        buf_puts(out, i == 0 ? "\n" : "");
        put_run(&w, &d->runs[i]);
    }
    close_with(&w, ']');
    put_health(&w, d);
    buf_puts(out, ",\n");
    w.comma = false;
    open_with(&w, "cases", '[');
    for (size_t i = 0; i < d->case_count && r == 0; i++) {
        if (i > 0)
            buf_puts(out, ",");
        buf_putc(out, '\n');
        w.comma = false;
        r = put_case(&w, &d->cases[i], err);
    }
    buf_puts(out, "\n]}\n");
    return r;
}

const struct report_format report_json = {
    .name = "json",
    .extension = ".json",
    .summary = "everything, for programs (config/schema/report.json)",
    .parts = DATA_ALL & ~(unsigned)DATA_OUTPUTS,
    .render = json_render,
};
