#include "harness/report/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/report/glyph.h"
#include "harness/report/trouble.h"
#include "harness/report/value.h"

/* ---- building blocks ---- */

struct builder {
    const struct report_options *options;
    struct arena *arena;
    struct block *blocks;
    size_t count, capacity;
};

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

static const struct data_case **case_list(struct arena *arena, size_t count)
{
    return arena_alloc(arena, count * sizeof(void *));
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

static void add_memory(struct builder *b, const struct data_case *const *cases, size_t count)
{
    struct table flash;
    struct table ram;

    if (!document_memory(b->options, b->arena, cases, count, &flash, &ram))
        return;
    add_text(b, BLOCK_TEXT,
             toned("memory in bytes; the harness's share is the same agent with an "
                   "empty engine",
                   TONE_FAINT));
    add_block(b, BLOCK_TABLE)->table = flash;
    add_block(b, BLOCK_TABLE)->table = ram;
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
    unsigned long long conflicts = 0;

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
    for (size_t i = 0; i < d->run_count; i++)
        conflicts += d->runs[i].conflicts;
    if (conflicts > 0) /* of two results under one name the first is shown */
        buf_printf(&b, "; %llu contradict others of their name (v_conflicts): a bug of tinyrig",
                   conflicts);
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

static struct cell count_cell(struct builder *b, size_t n, enum tone tone)
{
    return n > 0 ? toned(arena_printf(b->arena, "%zu", n), tone) : plain("");
}

/* Failure classes and how the boards did, when anything went wrong at all. */
static void add_health(struct builder *b)
{
    static const struct column columns[] = {
        {"board", false, 0},     {"cases", true, 0},      {"measured", true, 2},
        {"wrong", true, 1},      {"lab errors", true, 1}, {"retries", true, 3},
        {"recoveries", true, 4}, {"flake rate", true, 0},
    };
    const struct trouble_board *boards;
    const struct trouble_class *classes;
    const size_t class_count = trouble_classes(b->options->data, b->arena, &classes);
    struct table t = {.columns = columns, .column_count = ARRAY_SIZE(columns)};
    struct cell *cell;

    if (!trouble_any(b->options->data))
        return;
    add_heading(b, 2, "health of the boards");
    for (size_t i = 0; i < class_count; i++)
        add_text(b, BLOCK_ITEM,
                 plain(glyph_safe(b->arena,
                                  arena_printf(b->arena, "%s: %zu case%s on %s", classes[i].name,
                                               classes[i].cases, classes[i].cases == 1 ? "" : "s",
                                               classes[i].boards))));
    t.row_count = trouble_boards(b->options->data, b->arena, &boards);
    cell = t.cells = arena_alloc(b->arena, t.row_count * t.column_count * sizeof(*t.cells));
    for (size_t i = 0; i < t.row_count; i++) {
        const double rate = trouble_flake_rate(&boards[i]);

        *cell++ = plain(glyph_safe(b->arena, boards[i].board));
        *cell++ = count_cell(b, boards[i].cases, TONE_PLAIN);
        *cell++ = count_cell(b, boards[i].measured, TONE_PLAIN);
        *cell++ = count_cell(b, boards[i].wrong, TONE_BAD);
        *cell++ = count_cell(b, boards[i].lab_errors, TONE_BAD);
        *cell++ = count_cell(b, boards[i].retries, TONE_WARNING);
        *cell++ = count_cell(b, boards[i].recoveries, TONE_WARNING);
        *cell++ = toned(arena_printf(b->arena, "%.0f %%", 100 * rate),
                        rate > 0 ? TONE_WARNING : TONE_FAINT);
    }
    add_block(b, BLOCK_TABLE)->table = t;
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
    add_health(&b);
    if (options->details) {
        add_skipped(&b);
        add_provenance(&b);
    }
    ret->blocks = b.blocks;
    ret->block_count = b.count;
}
