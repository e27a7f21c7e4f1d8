#include "harness/report/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/report/glyph.h"
#include "harness/report/value.h"

/* ---- building blocks ---- */

struct builder {
    const struct report_options *options;
    struct arena *arena;
    struct block *blocks;
    size_t count, capacity;
};

static const struct cell no_cell = {.text = ""};

static struct cell plain(const char *text)
{
    return (struct cell){.text = text != NULL ? text : ""};
}

static struct cell toned(const char *text, enum tone tone)
{
    return (struct cell){.text = text != NULL ? text : "", .tone = tone};
}

static struct block *add_block(struct builder *b, enum block_kind kind)
{
    struct block *block = ARENA_PUSH(b->arena, b->blocks, b->count, b->capacity);

    memset(block, 0, sizeof(*block));
    block->kind = kind;
    return block;
}

static void add_heading(struct builder *b, unsigned level, const char *text)
{
    struct block *block = add_block(b, BLOCK_HEADING);

    block->level = level;
    block->text = plain(text);
}

static void add_text(struct builder *b, enum block_kind kind, struct cell text)
{
    if (text.text[0] != '\0')
        add_block(b, kind)->text = text;
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

static const struct data_case **case_list(struct arena *arena, size_t count)
{
    return arena_alloc(arena, count * sizeof(void *));
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

/* ---- sections ---- */

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

bool document_same_section(const struct report_options *options, const struct data_case *a,
                           const struct data_case *b)
{
    const bool same = options->group == REPORT_BY_MODEL
                          ? strcmp(or_empty(a->model), or_empty(b->model)) == 0
                          : strcmp(a->board, b->board) == 0;

    return same && a->realm == b->realm && a->timebase == b->timebase;
}

size_t document_sections(const struct report_options *options, struct arena *arena,
                         const size_t **ret_first)
{
    const struct dataset *d = options->data;
    size_t *first = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; i < d->case_count; i++) {
        size_t s = 0;

        if (d->cases[i].status == CASE_SKIPPED)
            continue;
        while (s < count && !document_same_section(options, &d->cases[first[s]], &d->cases[i]))
            s++;
        if (s == count)
            *ARENA_PUSH(arena, first, count, capacity) = i;
    }
    *ret_first = first;
    return count;
}

const struct data_case *const *document_section_cases(const struct report_options *options,
                                                      struct arena *arena, size_t first,
                                                      size_t *ret_count)
{
    const struct dataset *d = options->data;
    const struct data_case **cases = case_list(arena, d->case_count);
    size_t count = 0;

    for (size_t i = first; i < d->case_count; i++) {
        if (d->cases[i].status != CASE_SKIPPED &&
            document_same_section(options, &d->cases[first], &d->cases[i]))
            cases[count++] = &d->cases[i];
    }
    *ret_count = count;
    return cases;
}

const char *document_timebase(const struct data_case *c)
{
    if (c->realm == REALM_SILICON)
        return c->timebase == UNIT_NS ? "by the chip's own timer" : "by the chip's own counter";
    return c->timebase == UNIT_INSTRUCTIONS ? "counted by an emulator, not a time"
           : c->timebase == UNIT_CYCLES     ? "of an emulated core, not a time"
                                            : "of the host or an emulator, not a latency";
}

static void append_size(struct buf *b, const char *bytes, const char *what)
{
    uint64_t n;
    char text[32];

    if (bytes == NULL || !text_to_u64(bytes, &n))
        return;
    text_format_bytes(n, text);
    buf_printf(b, ", %s %s", text, what);
}

const char *document_board(struct arena *arena, const struct data_case *c)
{
    AUTO_BUF b = BUF_INIT;
    const char *cpu = data_case_fact(c, "board_type.cpu");
    const char *part = data_case_fact(c, "board_type.part");
    const char *clock = data_case_fact(c, "clock.hz");
    double hz;

    if (clock == NULL)
        clock = data_case_fact(c, "board_type.clock_hz");
    buf_printf(&b, "%s%s%s", or_empty(cpu), cpu != NULL && part != NULL ? " in " : "",
               or_empty(part));
    if (clock != NULL && text_to_double(clock, &hz) && hz > 0)
        buf_printf(&b, ", %g MHz", hz / 1e6);
    append_size(&b, data_case_fact(c, "board_type.flash_bytes"), "flash");
    append_size(&b, data_case_fact(c, "board_type.ram_bytes"), "RAM");
    return glyph_safe(arena, buf_text(&b));
}

const char *document_latency_title(const struct data_case *c)
{
    if (c->timebase != UNIT_NS)
        return unit_name(c->timebase);
    return c->realm == REALM_SILICON ? "latency" : "virtual time";
}

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

static void add_memory(struct builder *b, const struct data_case *const *cases, size_t count)
{
    const bool by_model = b->options->group == REPORT_BY_MODEL;
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
    const struct data_case **known =
        arena_alloc(b->arena, count * sizeof(const struct data_case *));
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (document_is_result(cases[i]) && (data_case_metric(cases[i], "flash") != NULL ||
                                             data_case_metric(cases[i], "ram") != NULL))
            known[n++] = cases[i];
    }
    if (n == 0)
        return;
    add_text(b, BLOCK_TEXT,
             toned("memory in bytes; the harness's share is the same agent with an "
                   "empty engine",
                   TONE_FAINT));
    add_block(b, BLOCK_TABLE)->table = case_table(b->arena, known, n, flash, ARRAY_SIZE(flash));
    add_block(b, BLOCK_TABLE)->table = case_table(b->arena, known, n, ram, ARRAY_SIZE(ram));
}

/* NULL when none of the cases had its energy measured. */
const char *document_meter(struct arena *arena, const struct data_case *const *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *model = data_case_fact(cases[i], "meter.model");
        const char *emulated = data_case_fact(cases[i], "meter.emulated");
        const char *basis = data_case_fact(cases[i], "voltage.source");
        const char *uv = data_case_fact(cases[i], "voltage.uv");

        if (model == NULL)
            continue;
        return arena_printf(arena, "energy by %s, %.3f V %s%s", model,
                            uv != NULL ? strtod(uv, NULL) * 1e-6 : 0, basis != NULL ? basis : "",
                            emulated != NULL && strcmp(emulated, "yes") == 0
                                ? ": emulated, the currents are made up"
                                : "");
    }
    return NULL;
}

static void add_section(struct builder *b, size_t first)
{
    const struct data_case *c = &b->options->data->cases[first];
    const char *board = document_board(b->arena, c);
    const bool by_model = b->options->group == REPORT_BY_MODEL;
    const struct data_case *const *cases;
    const char *meter;
    struct table results;
    size_t count;

    cases = document_section_cases(b->options, b->arena, first, &count);
    meter = document_meter(b->arena, cases, count);
    add_heading(b, 2,
                glyph_safe(b->arena, by_model ? (c->model != NULL ? c->model : c->key) : c->board));
    if (!by_model)
        add_text(b, BLOCK_TEXT, plain(board));
    add_text(b, BLOCK_TEXT,
             toned(arena_printf(b->arena, "timebase %s, realm %s: %s", unit_name(c->timebase),
                                realm_name(c->realm), document_timebase(c)),
                   TONE_FAINT));
    if (meter != NULL)
        add_text(b, BLOCK_TEXT, toned(glyph_safe(b->arena, meter), TONE_FAINT));
    document_results(b->options, b->arena, cases, count, &results);
    add_block(b, BLOCK_TABLE)->table = results;
    if (b->options->details)
        add_memory(b, cases, count);
}

/* ---- around the sections ---- */

const char *document_tally(struct arena *arena, const struct dataset *d)
{
    static const struct {
        enum case_status status;
        const char *one, *many;
    } words[] = {
        {CASE_PASSED, "passed", "passed"},    {CASE_OVER, "over budget", "over budget"},
        {CASE_FAILED, "failed", "failed"},    {CASE_ERROR, "lab error", "lab errors"},
        {CASE_SKIPPED, "skipped", "skipped"}, {CASE_CANCELLED, "unfinished", "unfinished"},
    };
    AUTO_BUF b = BUF_INIT;
    const char *separator = ": ";

    buf_printf(&b, "%zu case%s", d->case_count, d->case_count == 1 ? "" : "s");
    for (size_t w = 0; w < ARRAY_SIZE(words); w++) {
        size_t n = 0;

        for (size_t i = 0; i < d->case_count; i++)
            n += d->cases[i].status == words[w].status;
        if (n == 0)
            continue;
        buf_printf(&b, "%s%zu %s", separator, n, n == 1 ? words[w].one : words[w].many);
        separator = ", ";
    }
    return arena_strdup(arena, buf_text(&b));
}

static const char *run_line(struct builder *b, const struct data_run *r)
{
    AUTO_BUF line = BUF_INIT;

    buf_printf(&line, "run %.8s, %s", r->run_id, value_stamp(b->arena, r->started_ns));
    if (r->host != NULL)
        buf_printf(&line, " on %s", r->host);
    if (r->ended_ns > r->started_ns)
        buf_printf(&line, ", took %s", value_duration(b->arena, r->ended_ns - r->started_ns));
    else if (r->ended_ns == 0)
        buf_puts(&line, ", not finished");
    for (size_t i = 0; i < r->tag_count; i++)
        buf_printf(&line, "%s%s", i == 0 ? ", tagged " : ", ", r->tags[i]);
    return glyph_safe(b->arena, buf_text(&line));
}

static void add_head(struct builder *b)
{
    const struct dataset *d = b->options->data;
    const char *title = b->options->title;
    enum {
        RUNS_SHOWN = 5
    };

    if (title == NULL)
        title = d->run_count > 0 ? d->runs[0].suite : "no runs";
    add_heading(b, 1, glyph_safe(b->arena, title));
    for (size_t i = 0; i < d->run_count && i < RUNS_SHOWN; i++)
        add_text(b, BLOCK_TEXT, toned(run_line(b, &d->runs[i]), TONE_FAINT));
    if (d->run_count > RUNS_SHOWN)
        add_text(b, BLOCK_TEXT,
                 toned(arena_printf(b->arena, "and %zu earlier runs", d->run_count - RUNS_SHOWN),
                       TONE_FAINT));
    add_text(b, BLOCK_TEXT, plain(document_tally(b->arena, d)));
}

const char *document_failure(struct arena *arena, const struct data_case *c)
{
    AUTO_BUF t = BUF_INIT;

    if (c->failure_class != NULL)
        buf_printf(&t, "%s%s%s", c->failure_class, c->stage != NULL ? " at " : "",
                   or_empty(c->stage));
    if (c->text != NULL)
        buf_printf(&t, "%s%s", t.len > 0 ? ": " : "", c->text);
    if (c->hint != NULL)
        buf_printf(&t, "; try: %s", c->hint);
    for (size_t i = 0; i < c->recovery_count; i++)
        buf_printf(&t, "; %s %s", or_empty(c->recoveries[i].rung),
                   c->recoveries[i].worked ? "helped" : "did not help");
    return glyph_safe(arena, buf_text(&t));
}

static void add_failures(struct builder *b)
{
    const struct dataset *d = b->options->data;
    bool headed = false;

    for (size_t i = 0; i < d->case_count; i++) {
        const struct data_case *c = &d->cases[i];

        if (document_is_result(c) && c->status == CASE_PASSED)
            continue;
        if (c->status == CASE_SKIPPED)
            continue;
        if (!headed)
            add_heading(b, 2, "what went wrong");
        headed = true;
        add_text(b, BLOCK_ITEM,
                 toned(arena_printf(b->arena, "%s: %s: %s", glyph_safe(b->arena, c->key),
                                    document_status(c).text, document_failure(b->arena, c)),
                       document_status(c).tone));
    }
}

/* One line per reason: a whole suite is often planned away for one. */
static void add_skipped(struct builder *b)
{
    const struct dataset *d = b->options->data;
    bool headed = false;

    for (size_t i = 0; i < d->case_count; i++) {
        AUTO_BUF keys = BUF_INIT;
        size_t n = 0, before = 0;

        if (d->cases[i].status != CASE_SKIPPED)
            continue;
        for (size_t j = 0; j < d->case_count; j++) {
            if (d->cases[j].status != CASE_SKIPPED ||
                strcmp(or_empty(d->cases[j].text), or_empty(d->cases[i].text)) != 0)
                continue;
            before += j < i;
            buf_printf(&keys, "%s%s", n++ == 0 ? "" : ", ", d->cases[j].key);
        }
        if (before > 0)
            continue;
        if (!headed)
            add_heading(b, 2, "skipped by plan");
        headed = true;
        add_text(
            b, BLOCK_ITEM,
            toned(glyph_safe(b->arena, arena_printf(b->arena, "%s: %s", or_empty(d->cases[i].text),
                                                    buf_text(&keys))),
                  TONE_FAINT));
    }
}

/* Facts that every case shares, one line; those that differ are in the other formats. */
static void add_provenance(struct builder *b)
{
    const struct dataset *d = b->options->data;
    const struct data_case *first = NULL;
    bool headed = false;

    for (size_t i = 0; i < d->case_count && first == NULL; i++)
        first = d->cases[i].fact_count > 0 ? &d->cases[i] : NULL;
    for (size_t f = 0; first != NULL && f < first->fact_count; f++) {
        bool same = true;

        for (size_t i = 0; i < d->case_count && same; i++) {
            const char *value = data_case_fact(&d->cases[i], first->facts[f].key);

            same = d->cases[i].fact_count == 0 ||
                   (value != NULL && strcmp(value, first->facts[f].value) == 0);
        }
        if (!same)
            continue;
        if (!headed)
            add_heading(b, 2, "the same for all cases");
        headed = true;
        add_text(b, BLOCK_ITEM,
                 toned(glyph_safe(b->arena, arena_printf(b->arena, "%s: %s", first->facts[f].key,
                                                         first->facts[f].value)),
                       TONE_FAINT));
    }
}

void document_build(const struct report_options *options, struct arena *arena, struct document *ret)
{
    struct builder b = {.options = options, .arena = arena};
    const size_t *first;
    const size_t sections = document_sections(options, arena, &first);

    add_head(&b);
    for (size_t i = 0; i < sections; i++)
        add_section(&b, first[i]);
    add_failures(&b);
    if (options->details) {
        add_skipped(&b);
        add_provenance(&b);
    }
    ret->blocks = b.blocks;
    ret->block_count = b.count;
}
