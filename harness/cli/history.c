/* `tinyrig history`: series over time, where they changed level, and what changed with them. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/trend.h"
#include "harness/cli/verb.h"
#include "harness/report/glyph.h"
#include "harness/report/value.h"

struct history_arguments {
    struct common_options common;
    const char *metric;
    const char *format;
    uint64_t runs;
    bool changed;
};

static const struct option options[] = {
    {"metric", 'm', OPTION_STRING, "NAME", "which metrics (* and ? match; default: latency)",
     offsetof(struct history_arguments, metric)},
    {"runs", 'n', OPTION_NUMBER, "N", "of each series only the newest N runs",
     offsetof(struct history_arguments, runs)},
    {"changed", 'c', OPTION_FLAG, NULL, "only series that changed level",
     offsetof(struct history_arguments, changed)},
    {"format", 'f', OPTION_STRING, "NAME", "text (default) or json",
     offsetof(struct history_arguments, format)},
    OPTION_DB,
    {.name = NULL},
};

enum {
    SPARK_POINTS = 60
};

/* ---- text ---- */

/* The newest values as a line of bars, low to high. */
static const char *spark(struct arena *arena, const struct report_trend *t)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct history *h = t->history;
    const size_t from = h->used_count > SPARK_POINTS ? h->used_count - SPARK_POINTS : 0;
    double low = INFINITY, high = -INFINITY;
    AUTO_BUF text = BUF_INIT;

    for (size_t i = from; i < h->used_count; i++) {
        low = fmin(low, t->series->points[h->used[i]].value);
        high = fmax(high, t->series->points[h->used[i]].value);
    }
    for (size_t i = from; i < h->used_count; i++) {
        const double v = t->series->points[h->used[i]].value;
        const double share = high > low ? (v - low) / (high - low) : 0;

        buf_puts(&text, bars[(size_t)fmin(floor(share * 8), 7)]);
    }
    return arena_strdup(arena, buf_text(&text));
}

static const char *noise_text(struct arena *arena, const struct report_trend *t)
{
    const struct decide_noise n = t->history->noise;

    if (n.df == 0)
        return "scatter unknown";
    return n.sigma == 0 ? "exact" : arena_printf(arena, "runs scatter by %.2f %%", 100 * n.sigma);
}

static int print_change(struct store *s, const struct report_trend *t,
                        const struct history_change *c, struct arena *arena, struct err *err)
{
    const struct data_point *p = &t->series->points[c->at];
    const struct difference *cause = NULL;
    char at[21];

    if (trend_cause(s, t->series, c->at, arena, &cause, err) < 0)
        return (int)err->code;
    clock_format_utc(p->started_ns, at);
    (void)printf("  %s  run %.8s  %+.2f %%  %s\n", at, p->run_id, 100 * c->change,
                 c->environment ? "other environment" : verdict_name(c->verdict));
    (void)printf("      %s -> %s\n", value_text(arena, c->before, t->series->unit),
                 value_text(arena, c->after, t->series->unit));
    if (cause != NULL)
        (void)printf("      %s (%s):\n        %s ->\n        %s\n", glyph_safe(arena, cause->title),
                     glyph_safe(arena, cause->key),
                     cause->a != NULL ? glyph_safe(arena, cause->a) : "unknown",
                     cause->b != NULL ? glyph_safe(arena, cause->b) : "unknown");
    return 0;
}

/* The newest point's. */
static bool is_emulated(const struct data_series *s)
{
    return s->point_count > 0 && s->points[s->point_count - 1].emulated;
}

static int print_text(struct store *s, const struct report_trend *t, struct arena *arena,
                      struct err *err)
{
    const struct history *h = t->history;

    (void)printf("%s  %s  (%s%s)\n", glyph_safe(arena, t->series->key),
                 glyph_safe(arena, t->series->metric), realm_name(t->series->realm),
                 is_emulated(t->series) ? ", emulated meter" : "");
    if (t->mute != NULL) {
        char until[21];

        clock_format_utc(t->mute->expires_ns, until);
        (void)printf("  muted until %s: %s\n", until, glyph_safe(arena, t->mute->reason));
    }
    if (h->used_count == 0) {
        (void)printf("  %zu runs, none with a valid measurement\n\n", t->series->point_count);
        return 0;
    }
    (void)printf("  %s\n  %zu run%s, level %s, %s, %zu change%s\n", spark(arena, t),
                 t->series->point_count, t->series->point_count == 1 ? "" : "s",
                 value_text(arena, h->level, t->series->unit), noise_text(arena, t),
                 h->change_count, h->change_count == 1 ? "" : "s");
    for (size_t i = 0; i < h->change_count; i++) {
        if (print_change(s, t, &h->changes[i], arena, err) < 0)
            return (int)err->code;
    }
    (void)puts("");
    return 0;
}

/* ---- JSON ---- */

static void json_text(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "\"%s\": ", key);
    if (value != NULL)
        text_json_string(out, value);
    else
        buf_puts(out, "null");
    buf_puts(out, ", ");
}

static void json_number(struct buf *out, const char *key, double value, const char *after)
{
    if (isfinite(value))
        buf_printf(out, "\"%s\": %.17g%s", key, value, after);
    else
        buf_printf(out, "\"%s\": null%s", key, after);
}

static void json_points(struct buf *out, const struct report_trend *t)
{
    buf_puts(out, "\"points\": [");
    for (size_t i = 0; i < t->series->point_count; i++) {
        const struct data_point *p = &t->series->points[i];

        buf_puts(out, i > 0 ? ",\n   {" : "\n   {");
        json_text(out, "run", p->run_id);
        json_text(out, "status", case_status_name(p->status));
        json_number(out, "time", (double)p->started_ns / 1e9, ", ");
        json_number(out, "value", p->value, ", ");
        buf_printf(out, "\"emulated_meter\": %s, \"environment_changed\": %s}",
                   p->emulated ? "true" : "false", t->breaks[i] ? "true" : "false");
    }
    buf_puts(out, "]");
}

static int json_changes(struct store *s, struct buf *out, const struct report_trend *t,
                        struct arena *arena, struct err *err)
{
    buf_puts(out, "\"changes\": [");
    for (size_t i = 0; i < t->history->change_count; i++) {
        const struct history_change *c = &t->history->changes[i];
        const struct difference *cause = NULL;

        if (trend_cause(s, t->series, c->at, arena, &cause, err) < 0)
            return (int)err->code;
        buf_puts(out, i > 0 ? ", {" : "{");
        json_text(out, "run", t->series->points[c->at].run_id);
        json_text(out, "verdict", verdict_name(c->verdict));
        json_text(out, "differs", cause != NULL ? cause->key : NULL);
        json_number(out, "before", c->before, ", ");
        json_number(out, "after", c->after, ", ");
        json_number(out, "change", c->change, ", ");
        buf_printf(out, "\"environment\": %s}", c->environment ? "true" : "false");
    }
    buf_puts(out, "], ");
    return 0;
}

static int add_json(struct store *s, struct buf *out, const struct report_trend *t,
                    struct arena *arena, struct err *err)
{
    buf_puts(out, out->len > 1 ? ",\n {" : "\n {");
    json_text(out, "suite", t->series->suite);
    json_text(out, "case", t->series->key);
    json_text(out, "metric", t->series->metric);
    json_text(out, "unit", unit_name(t->series->unit));
    json_text(out, "realm", realm_name(t->series->realm));
    json_number(out, "level", t->history->level, ", ");
    json_number(out, "noise", t->history->noise.df > 0 ? t->history->noise.sigma : NAN, ", ");
    buf_printf(out, "\"muted\": %s, \"emulated_meter\": %s, ", t->mute != NULL ? "true" : "false",
               is_emulated(t->series) ? "true" : "false");
    if (json_changes(s, out, t, arena, err) < 0)
        return (int)err->code;
    json_points(out, t);
    buf_puts(out, "}");
    return 0;
}

/* ---- the command ---- */

static int print_all(const struct history_arguments *a, struct store *s,
                     const struct report_trend *list, size_t count, struct arena *arena,
                     struct err *err)
{
    const bool json = a->format != NULL && strcmp(a->format, "json") == 0;
    AUTO_BUF out = BUF_INIT;

    buf_puts(&out, json ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        if (a->changed && list[i].history->change_count == 0)
            continue;
        if ((json ? add_json(s, &out, &list[i], arena, err) : print_text(s, &list[i], arena, err)) <
            0)
            return (int)err->code;
    }
    if (json)
        (void)printf("%s]\n", buf_text(&out));
    return 0;
}

static int history_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct history_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;
    struct store_selection what = {.last = (uint32_t)(a->runs < UINT32_MAX ? a->runs : 0)};
    struct trends found = {.count = 0};

    if (a->format != NULL && strcmp(a->format, "text") != 0 && strcmp(a->format, "json") != 0)
        return err_set(err, ERR_USAGE, "--format: expected text or json, got '%s'", a->format);
    if (context_init(&c, &a->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0 ||
        (argc > 0 && select_parse(s, argv[0], &c.arena, &what, err) < 0) ||
        trend_read(s, &what, a->metric != NULL ? a->metric : "latency", true, &c.arena, &found,
                   err) < 0)
        return (int)err->code;
    if (found.count == 0)
        return err_set(err, ERR_USAGE, "%s: no such series", c.database);
    return print_all(a, s, found.list, found.count, &c.arena, err);
}

const struct verb verb_history = {
    .name = "history",
    .arguments = "[SELECTION]",
    .summary = "series over time, with the points where they changed",
    .details = "SELECTION is terms as of 'compare', such as board=virt-m4,model=kws. A change is a "
               "new level of at\nleast three runs (of exact figures: any other value); beside it "
               "stands what else changed. A change\nof compiler, board, meter or their settings "
               "begins a new level whatever the values are.",
    .options = options,
    .arguments_max = 1,
    .run = history_run,
};
