/* Tables with a row per case: what each column shows of a case. */
#include "harness/report/document.h"

#include <math.h>
#include <string.h>

#include "harness/report/glyph.h"
#include "harness/report/value.h"

static const struct cell no_cell = {.text = ""};

static struct cell plain(const char *text)
{
    return (struct cell){.text = text != NULL ? text : ""};
}

static struct cell toned(const char *text, enum tone tone)
{
    return (struct cell){.text = text != NULL ? text : "", .tone = tone};
}

enum tone verdict_tone(enum verdict v)
{
    switch (v) {
    case VERDICT_IMPROVED:
        return TONE_GOOD;
    case VERDICT_REGRESSED:
    case VERDICT_FAILED:
        return TONE_BAD;
    case VERDICT_UNCHANGED:
    case VERDICT_WITHIN_NOISE:
        return TONE_PLAIN;
    default:
        return TONE_WARNING;
    }
}

/* A column of a table of cases. An empty title of one that is built per section is set there. */
struct case_column {
    const char *title;
    bool number;
    unsigned drop;
    struct cell (*fill)(struct arena *arena, const struct data_case *c);
};

/* One row per case; columns with nothing in them are left out. */
static struct table case_table(struct arena *arena, const struct data_case *const *cases,
                               size_t count, const struct case_column *columns, size_t column_count)
{
    struct column *kept = arena_alloc(arena, column_count * sizeof(*kept));
    struct cell *all = arena_alloc(arena, count * column_count * sizeof(*all));
    struct table t = {.columns = kept, .row_count = count};
    struct cell *next;

    for (size_t i = 0; i < column_count; i++) {
        bool used = false;

        for (size_t row = 0; row < count; row++) {
            struct cell *cell = &all[i * count + row];

            *cell = columns[i].fill(arena, cases[row]);
            used |= cell->text[0] != '\0';
        }
        if (!used)
            continue;
        kept[t.column_count] = (struct column){
            .title = columns[i].title, .number = columns[i].number, .drop = columns[i].drop};
        memmove(&all[t.column_count * count], &all[i * count], count * sizeof(*all));
        t.column_count++;
    }
    /* columns to rows */
    next = t.cells = arena_alloc(arena, count * (t.column_count + 1) * sizeof(*t.cells));
    for (size_t row = 0; row < count; row++) {
        for (size_t i = 0; i < t.column_count; i++)
            *next++ = all[i * count + row];
    }
    return t;
}

/* ---- cells of a case ---- */

struct cell document_status(const struct data_case *c)
{
    static const struct {
        const char *word;
        enum tone tone;
    } words[] = {
        [CASE_PASSED] = {"passed", TONE_GOOD},    [CASE_OVER] = {"over budget", TONE_WARNING},
        [CASE_FAILED] = {"FAILED", TONE_BAD},     [CASE_ERROR] = {"LAB ERROR", TONE_BAD},
        [CASE_SKIPPED] = {"skipped", TONE_FAINT}, [CASE_CANCELLED] = {"cancelled", TONE_WARNING},
    };

    if (!c->ended)
        return toned("unfinished", TONE_WARNING);
    return toned(words[c->status].word, words[c->status].tone);
}

bool document_is_result(const struct data_case *c)
{
    return c->ended && (c->status == CASE_PASSED || c->status == CASE_OVER);
}

static struct cell status_cell(struct arena *arena, const struct data_case *c)
{
    return document_status(c);
}

static struct cell run_cell(struct arena *arena, const struct data_case *c)
{
    return plain(glyph_safe(arena, arena_strndup(arena, c->run_id, 8)));
}

static struct cell model_cell(struct arena *arena, const struct data_case *c)
{
    return plain(glyph_safe(arena, c->model != NULL ? c->model : c->key));
}

static struct cell board_cell(struct arena *arena, const struct data_case *c)
{
    return plain(glyph_safe(arena, c->board));
}

static struct cell engine_cell(struct arena *arena, const struct data_case *c)
{
    return plain(glyph_safe(arena, c->engine));
}

static struct cell parameters_cell(struct arena *arena, const struct data_case *c)
{
    return plain(glyph_safe(arena, c->parameters));
}

static struct cell metric_cell(struct arena *arena, const struct data_case *c, const char *name,
                               bool bare)
{
    const struct event_metric *m = document_is_result(c) ? data_case_metric(c, name) : NULL;

    if (m == NULL)
        return no_cell;
    return toned(bare ? value_bare(arena, m->value, m->unit) : value_of_metric(arena, m),
                 m->over_budget ? TONE_WARNING : TONE_PLAIN);
}

#define METRIC_CELL(function, metric, bare)                                                        \
    static struct cell function(struct arena *arena, const struct data_case *c)                    \
    {                                                                                              \
        return metric_cell(arena, c, metric, bare);                                                \
    }
METRIC_CELL(latency_cell, "latency", true)
METRIC_CELL(cold_cell, "latency.cold", true)
METRIC_CELL(overhead_cell, "latency.overhead", true)
METRIC_CELL(energy_cell, "energy", false)
METRIC_CELL(net_energy_cell, "energy.net", false)
METRIC_CELL(current_cell, "current", false)
METRIC_CELL(battery_cell, "battery_life", false)
METRIC_CELL(accuracy_cell, "accuracy", false)
METRIC_CELL(auc_cell, "auc", false)
METRIC_CELL(mse_cell, "mse", false)
METRIC_CELL(flash_cell, "flash", false)
METRIC_CELL(ram_cell, "ram", false)
METRIC_CELL(flash_all_cell, "flash", true)
METRIC_CELL(flash_code_cell, "flash.code", true)
METRIC_CELL(flash_kernels_cell, "flash.kernels", true)
METRIC_CELL(flash_constants_cell, "flash.constants", true)
METRIC_CELL(flash_model_cell, "flash.model", true)
METRIC_CELL(flash_harness_cell, "flash.harness", true)
METRIC_CELL(ram_all_cell, "ram", true)
METRIC_CELL(ram_data_cell, "ram.data", true)
METRIC_CELL(ram_bss_cell, "ram.bss", true)
METRIC_CELL(ram_arena_cell, "ram.arena", true)
METRIC_CELL(ram_touched_cell, "ram.arena_touched", true)
METRIC_CELL(ram_stack_cell, "ram.stack", true)
METRIC_CELL(ram_heap_cell, "ram.heap", true)
METRIC_CELL(ram_harness_cell, "ram.harness", true)

/* Cycles of a real chip as time, beside the cycles themselves. */
static struct cell time_cell(struct arena *arena, const struct data_case *c)
{
    const struct event_metric *m = document_is_result(c) ? data_case_metric(c, "latency") : NULL;
    const double ns = value_time_ns(c, m);

    return m == NULL || m->unit == UNIT_NS || !isfinite(ns) ? no_cell
                                                            : plain(value_text(arena, ns, UNIT_NS));
}

static struct cell spread_cell(struct arena *arena, const struct data_case *c)
{
    return document_is_result(c) ? plain(value_spread(arena, c)) : no_cell;
}

static struct cell outputs_cell(struct arena *arena, const struct data_case *c)
{
    if (c->outputs_compared == 0)
        return no_cell;
    return toned(arena_printf(arena, "%u/%u exact", c->outputs_equal, c->outputs_compared),
                 c->outputs_equal == c->outputs_compared ? TONE_PLAIN : TONE_BAD);
}

static struct cell retries_cell(struct arena *arena, const struct data_case *c)
{
    return c->retries > 0 ? toned(arena_printf(arena, "%u", c->retries), TONE_WARNING) : no_cell;
}

/* ---- tables ---- */

void document_results(const struct report_options *options, struct arena *arena,
                      const struct data_case *const *cases, size_t count, struct table *ret)
{
    const bool by_model = options->group == REPORT_BY_MODEL;
    const bool many_runs = options->data->run_count > 1;
    struct case_column columns[] = {
        {"status", false, 0, status_cell},
        {"run", false, 0, run_cell},
        {by_model ? "board" : "model", false, 0, by_model ? board_cell : model_cell},
        {"engine", false, 3, engine_cell},
        {"parameters", false, 2, parameters_cell},
        {document_latency_title(cases[0]), true, 0, latency_cell},
        {"time", true, 1, time_cell},
        {"cold", true, 7, cold_cell},
        {"overhead", true, 9, overhead_cell},
        {"spread", true, 6, spread_cell},
        {"top-1", true, 1, accuracy_cell},
        {"AUC", true, 1, auc_cell},
        {"MSE", true, 1, mse_cell},
        {"energy", true, 1, energy_cell},
        {"net", true, 5, net_energy_cell},
        {"current", true, 8, current_cell},
        {"battery", true, 8, battery_cell},
        {"flash", true, 4, flash_cell},
        {"RAM", true, 4, ram_cell},
        {"outputs", true, 2, outputs_cell},
        {"retries", true, 1, retries_cell},
    };

    if (!many_runs) /* the run is in the heading */
        memmove(&columns[1], &columns[2], sizeof(columns) - 2 * sizeof(columns[0]));
    *ret = case_table(arena, cases, count, columns, ARRAY_SIZE(columns) - !many_runs);
}

bool document_memory(const struct report_options *options, struct arena *arena,
                     const struct data_case *const *cases, size_t count, struct table *ret_flash,
                     struct table *ret_ram)
{
    const bool by_model = options->group == REPORT_BY_MODEL;
    const struct case_column flash[] = {
        {by_model ? "board" : "model", false, 0, by_model ? board_cell : model_cell},
        {"engine", false, 3, engine_cell},
        {"flash", true, 0, flash_all_cell},
        {"code", true, 1, flash_code_cell},
        {"kernels", true, 1, flash_kernels_cell},
        {"constants", true, 1, flash_constants_cell},
        {"model", true, 1, flash_model_cell},
        {"harness's share", true, 2, flash_harness_cell},
    };
    const struct case_column ram[] = {
        {by_model ? "board" : "model", false, 0, by_model ? board_cell : model_cell},
        {"engine", false, 3, engine_cell},
        {"RAM", true, 0, ram_all_cell},
        {"data", true, 1, ram_data_cell},
        {"bss", true, 1, ram_bss_cell},
        {"arena", true, 1, ram_arena_cell},
        {"touched", true, 2, ram_touched_cell},
        {"stack", true, 1, ram_stack_cell},
        {"heap", true, 1, ram_heap_cell},
        {"harness's share", true, 2, ram_harness_cell},
    };
    const struct data_case **known = arena_alloc(arena, count * sizeof(const struct data_case *));
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (document_is_result(cases[i]) && (data_case_metric(cases[i], "flash") != NULL ||
                                             data_case_metric(cases[i], "ram") != NULL))
            known[n++] = cases[i];
    }
    if (n == 0)
        return false;
    *ret_flash = case_table(arena, known, n, flash, ARRAY_SIZE(flash));
    *ret_ram = case_table(arena, known, n, ram, ARRAY_SIZE(ram));
    return true;
}
