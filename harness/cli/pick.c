/* `tinyrig pick`: which boards run a model within these limits, and what fails on the others. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"
#include "harness/judge/choose.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/value.h"
#include "harness/store/store.h"

struct pick_arguments {
    struct common_options common;
    const char *model;
    const char *run;
    const char *energy;
    const char *format;
    uint64_t flash, ram, latency_ns, rate, battery_ns;
};

static const struct option options[] = {
    {"model", 'm', OPTION_STRING, "NAME", "the model to run (required)",
     offsetof(struct pick_arguments, model)},
    {"latency", 0, OPTION_DURATION, "TIME", "no inference slower than this, such as 33ms",
     offsetof(struct pick_arguments, latency_ns)},
    {"ram", 0, OPTION_BYTES, "SIZE", "no more RAM than this, such as 64KiB",
     offsetof(struct pick_arguments, ram)},
    {"flash", 0, OPTION_BYTES, "SIZE", "no more flash than this",
     offsetof(struct pick_arguments, flash)},
    {"energy", 0, OPTION_STRING, "ENERGY", "no more per inference than this, such as 500uJ",
     offsetof(struct pick_arguments, energy)},
    {"rate", 0, OPTION_NUMBER, "N", "at least N inferences per second, such as 30",
     offsetof(struct pick_arguments, rate)},
    {"battery", 0, OPTION_DURATION, "TIME", "a battery life of at least this, such as 365d",
     offsetof(struct pick_arguments, battery_ns)},
    {"format", 'f', OPTION_STRING, "NAME", "text (default), markdown or json",
     offsetof(struct pick_arguments, format)},
    {"run", 0, OPTION_STRING, "RUN", "only this run (default: the newest result of each case)",
     offsetof(struct pick_arguments, run)},
    OPTION_DB,
    {.name = NULL},
};

enum {
    LIMITS_MAX = 6
};

struct limits {
    struct suite_budget list[LIMITS_MAX];
    const char *names[LIMITS_MAX]; /* of the options */
    size_t count;
};

static void add_limit(struct limits *l, const char *name, const char *metric, enum budget_op op,
                      enum unit unit, double value)
{
    l->names[l->count] = name;
    l->list[l->count++] =
        (struct suite_budget){.metric = metric, .op = op, .value = value, .unit = unit};
}

static int take_limits(const struct pick_arguments *a, struct limits *l, struct err *err)
{
    double joule;

    if (a->latency_ns > 0)
        add_limit(l, "latency", "latency", BUDGET_LE, UNIT_NS, (double)a->latency_ns);
    if (a->rate > 0)
        add_limit(l, "rate", "latency", BUDGET_LE, UNIT_NS, 1e9 / (double)a->rate);
    if (a->battery_ns > 0)
        add_limit(l, "battery", "battery_life", BUDGET_GE, UNIT_NS, (double)a->battery_ns);
    if (a->ram > 0)
        add_limit(l, "RAM", "ram", BUDGET_LE, UNIT_BYTES, (double)a->ram);
    if (a->flash > 0)
        add_limit(l, "flash", "flash", BUDGET_LE, UNIT_BYTES, (double)a->flash);
    if (a->energy != NULL) {
        if (!text_to_si(a->energy, "J", &joule) || !(joule > 0))
            return err_set(err, ERR_USAGE, "--energy: expected an energy such as 500uJ, got '%s'",
                           a->energy);
        add_limit(l, "energy", "energy", BUDGET_LE, UNIT_NJ, joule * 1e9);
    }
    if (l->count == 0)
        return err_set(err, ERR_USAGE,
                       "pick: a limit is needed: --latency, --rate, --ram, --flash, --energy or "
                       "--battery");
    return 0;
}

/* "22.2 KiB (+65 %)": the share of the limit that is left. */
static const char *figure_text(struct arena *arena, const struct limits *l,
                               const struct suite_budget *limit, double value)
{
    if (strcmp(l->names[limit - l->list], "rate") == 0)
        return arena_printf(arena, "%.4g/s", 1e9 / value);
    if (limit->op == BUDGET_GE) /* a battery's life: days and years, not seconds */
        return value_duration(arena, (uint64_t)value);
    return value_text(arena, value, limit->unit);
}

static struct cell limit_cell(struct arena *arena, const struct limits *l,
                              const struct data_case *c, const struct limit_result *r)
{
    const bool emulated = data_case_emulated(c, r->limit->metric);

    if (r->answer == LIMIT_UNKNOWN)
        return (struct cell){"unknown", TONE_WARNING};
    return (struct cell){arena_printf(arena, "%s (%+.0f %%%s)",
                                      figure_text(arena, l, r->limit, r->value), 100 * r->margin,
                                      emulated ? ", emulated" : ""),
                         r->answer == LIMIT_HOLDS ? TONE_GOOD : TONE_BAD};
}

static struct cell answer_cell(const struct pick *p)
{
    if (p->broken > 0)
        return (struct cell){"fails", TONE_BAD};
    if (p->unknown > 0)
        return (struct cell){"unknown", TONE_WARNING};
    return (struct cell){"passes", TONE_GOOD};
}

/* "latency <= 33.00 ms, RAM <= 64.0 KiB; the share of each that is left in brackets" */
static const char *limits_text(const struct limits *l, struct arena *arena)
{
    AUTO_BUF b = BUF_INIT;

    for (size_t i = 0; i < l->count; i++)
        buf_printf(&b, "%s%s %s %s", i > 0 ? ", " : "", l->names[i],
                   l->list[i].op == BUDGET_GE || strcmp(l->names[i], "rate") == 0 ? ">=" : "<=",
                   figure_text(arena, l, &l->list[i], l->list[i].value));
    buf_puts(&b, "; in brackets the share of it that is left");
    return arena_strdup(arena, buf_text(&b));
}

static struct table make_table(const struct pick *picks, size_t count, const struct limits *l,
                               struct arena *arena)
{
    enum {
        FIXED = 4
    };
    struct column *columns = arena_alloc(arena, (FIXED + LIMITS_MAX) * sizeof(*columns));
    struct table t = {.columns = columns, .column_count = FIXED + l->count, .row_count = count};

    columns[0] = (struct column){"answer", false, 0};
    columns[1] = (struct column){"board", false, 0};
    columns[2] = (struct column){"engine", false, 2};
    columns[3] = (struct column){"realm", false, 3};
    for (size_t i = 0; i < l->count; i++)
        columns[FIXED + i] = (struct column){l->names[i], true, i < 3 ? 0 : 1};
    t.cells = arena_alloc(arena, count * t.column_count * sizeof(*t.cells));
    for (size_t i = 0; i < count; i++) {
        struct cell *row = &t.cells[i * t.column_count];

        row[0] = answer_cell(&picks[i]);
        row[1] = (struct cell){glyph_safe(arena, picks[i].c->board), TONE_PLAIN};
        row[2] = (struct cell){
            glyph_safe(arena, arena_printf(arena, "%s%s%s", picks[i].c->engine,
                                           picks[i].c->parameters[0] != '\0' ? " " : "",
                                           picks[i].c->parameters)),
            TONE_FAINT};
        row[3] = (struct cell){realm_name(picks[i].c->realm), TONE_FAINT};
        for (size_t k = 0; k < l->count; k++)
            row[FIXED + k] = limit_cell(arena, l, picks[i].c, &picks[i].limits[k]);
    }
    return t;
}

static void put_number(struct buf *out, const char *key, double value)
{
    if (isfinite(value))
        buf_printf(out, ", \"%s\": %.17g", key, value);
    else
        buf_printf(out, ", \"%s\": null", key);
}

static void put_pick(struct buf *out, const struct pick *p, size_t limits)
{
    static const char *const answers[] = {
        [LIMIT_HOLDS] = "holds", [LIMIT_BROKEN] = "broken", [LIMIT_UNKNOWN] = "unknown"};

    buf_puts(out, "\n {\"case\": ");
    text_json_string(out, p->c->key);
    buf_puts(out, ", \"board\": ");
    text_json_string(out, p->c->board);
    buf_puts(out, ", \"engine\": ");
    text_json_string(out, p->c->engine);
    buf_printf(out, ", \"realm\": \"%s\", \"answer\": \"%s\"", realm_name(p->c->realm),
               answer_cell(p).text);
    put_number(out, "margin", p->margin);
    buf_puts(out, ", \"limits\": [");
    for (size_t k = 0; k < limits; k++) {
        const struct limit_result *r = &p->limits[k];

        buf_printf(out, "%s{\"metric\": \"%s\", \"op\": \"%s\", \"unit\": \"%s\"",
                   k > 0 ? ", " : "", r->limit->metric,
                   r->limit->op == BUDGET_GE ? ">=" : "<=", unit_name(r->limit->unit));
        put_number(out, "limit", r->limit->value);
        put_number(out, "value", r->value);
        put_number(out, "margin", r->margin);
        buf_printf(out, ", \"emulated_meter\": %s, \"answer\": \"%s\"}",
                   data_case_emulated(p->c, r->limit->metric) ? "true" : "false",
                   answers[r->answer]);
    }
    buf_puts(out, "]}");
}

static void print_picks(const struct pick *picks, size_t count, const struct limits *l,
                        enum comparison_format format, struct arena *arena)
{
    struct block blocks[] = {{.kind = BLOCK_TEXT, .text = {limits_text(l, arena), TONE_FAINT}},
                             {.kind = BLOCK_TABLE}};
    const struct document d = {.blocks = blocks, .block_count = ARRAY_SIZE(blocks)};
    struct report_options look = {.data = NULL};
    AUTO_BUF text = BUF_INIT;

    if (format == COMPARISON_JSON) {
        buf_puts(&text, "[");
        for (size_t i = 0; i < count; i++) {
            buf_puts(&text, i > 0 ? "," : "");
            put_pick(&text, &picks[i], l->count);
        }
        buf_puts(&text, "]\n");
    } else {
        blocks[1].table = make_table(picks, count, l, arena);
        if (format == COMPARISON_MARKDOWN) {
            document_markdown(&d, &text);
        } else {
            report_fit_terminal(&look, STDOUT_FILENO);
            document_text(&d, &look, &text);
        }
    }
    (void)fwrite(buf_text(&text), 1, text.len, stdout);
}

static int pick_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct pick_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    const struct store_selection what = {
        .run = a->run, .model = a->model, .newest = a->run == NULL, .parts = DATA_FACTS};
    struct limits limits = {.count = 0};
    enum comparison_format format;
    const struct pick *picks;
    struct dataset data;
    size_t count;

    if (a->model == NULL)
        return err_set(err, ERR_USAGE, "pick: --model is needed");
    if (take_limits(a, &limits, err) < 0 || select_format(a->format, &format, err) < 0 ||
        context_init(&c, &a->common, err) < 0 ||
        store_open(c.database, STORE_READ, &store, err) < 0 ||
        store_query(store, &what, &c.arena, &data, err) < 0)
        return (int)err->code;
    count = choose_pick(&data, a->model, limits.list, limits.count, &c.arena, &picks);
    if (count == 0)
        return err_set(err, ERR_USAGE, "%s: no results of model '%s'", c.database, a->model);
    print_picks(picks, count, &limits, format, &c.arena);
    return picks[0].broken + picks[0].unknown > 0;
}

const struct verb verb_pick = {
    .name = "pick",
    .arguments = "",
    .summary = "which boards run a model within given limits",
    .details = "Beside each figure stands the share of the limit that is left. A time cannot be "
               "judged on an\nemulated board: it is unknown there. Exit status 1 when no board "
               "passes all limits.",
    .options = options,
    .run = pick_run,
};
