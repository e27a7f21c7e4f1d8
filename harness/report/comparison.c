#include "harness/report/comparison.h"

#include <math.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/report/difference.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/value.h"

struct builder {
    const struct comparison_report *r;
    struct arena arena;
    struct document d;
    size_t capacity;
};

static struct block *add_block(struct builder *b, enum block_kind kind)
{
    struct block *block = ARENA_PUSH(&b->arena, b->d.blocks, b->d.block_count, b->capacity);

    block->kind = kind;
    block->level = 2;
    return block;
}

static void add(struct builder *b, enum block_kind kind, const char *text, enum tone tone)
{
    add_block(b, kind)->text = (struct cell){glyph_safe(&b->arena, text), tone};
}

/* "3 regressed, 12 unchanged, 1 muted" */
static const char *tally(struct builder *b)
{
    const struct comparison *c = b->r->comparison;
    const char *text = "";

    for (int v = 0; v <= VERDICT_FAILED; v++) {
        if (c->verdicts[v] > 0)
            text = arena_printf(&b->arena, "%s%s%zu %s", text, text[0] != '\0' ? ", " : "",
                                c->verdicts[v], verdict_name((enum verdict)v));
    }
    if (c->muted > 0)
        text =
            arena_printf(&b->arena, "%s%s%zu muted", text, text[0] != '\0' ? ", " : "", c->muted);
    return text[0] != '\0' ? text : "nothing in common to compare";
}

/* A broken budget fails whatever the comparison says; no "improved" in front of it. */
static const char *word_of(const struct gate_finding *f)
{
    if (f->weight != GATE_FAILS || f->verdict == VERDICT_REGRESSED || f->verdict == VERDICT_FAILED)
        return verdict_name(f->verdict);
    return "over-budget";
}

static void add_gate(struct builder *b)
{
    static const enum tone tones[] = {
        [GATE_FAILS] = TONE_BAD, [GATE_LACKS] = TONE_WARNING, [GATE_REMARKS] = TONE_PLAIN};
    const struct gate *g = b->r->gate;

    add(b, BLOCK_TEXT, arena_printf(&b->arena, "gate: %s", gate_outcome_name(g->outcome)),
        g->outcome == GATE_PASSED ? TONE_GOOD : TONE_BAD);
    for (size_t i = 0; i < g->finding_count; i++) {
        const struct gate_finding *f = &g->findings[i];

        add(b, BLOCK_ITEM,
            arena_printf(&b->arena, "%s: %s: %s%s", word_of(f), f->case_->key, f->text,
                         f->row != NULL && f->row->emulated ? " (emulated)" : ""),
            tones[f->weight]);
    }
}

static const char *change_of(struct builder *b, const struct decision *d)
{
    if (isnan(d->change))
        return "-";
    if (d->change == 0)
        return "0";
    if (isnan(d->low) || isnan(d->high) || d->low == d->high)
        return arena_printf(&b->arena, "%+.2f %%", 100 * d->change);
    return arena_printf(&b->arena, "%+.2f %% [%+.2f, %+.2f]", 100 * d->change, 100 * d->low,
                        100 * d->high);
}

static const char *reason_of(struct builder *b, const struct compare_row *row)
{
    const struct difference *x = row->blocked_by;
    struct difference_sides sides;

    if (row->mute != NULL)
        return arena_printf(&b->arena, "muted: %s (%s)",
                            row->mute->reason != NULL ? row->mute->reason : "", row->d.reason);
    if (x == NULL)
        return row->d.reason;
    sides = difference_sides(&b->arena, x);
    return arena_printf(&b->arena, "%s: %s -> %s", x->title, sides.a, sides.b);
}

static const struct column columns[] = {
    {"verdict", false, 0}, {"metric", false, 0}, {"a", true, 0},
    {"b", true, 0},        {"unit", false, 0},   {"change", true, 0},
    {"n", true, 2},        {"method", false, 3}, {"reason", false, 1},
};

/* Units that value_bare() leaves away: a column of their own, so that figures stay short. */
static bool is_count(enum unit unit)
{
    return unit == UNIT_CYCLES || unit == UNIT_INSTRUCTIONS || unit == UNIT_BYTES;
}

/* What was not compared may have another unit on the base's side: instructions are no time. */
static enum unit unit_of_base(const struct compare_case *c, const struct compare_row *row)
{
    const struct event_metric *m = c->a != NULL ? data_case_metric(c->a, row->metric) : NULL;

    return m != NULL ? m->unit : row->unit;
}

static void fill_row(struct builder *b, const struct compare_case *c, const struct compare_row *row,
                     struct cell *cells)
{
    const struct decision *d = &row->d;
    const bool muted = row->mute != NULL;
    const enum unit unit_a = unit_of_base(c, row);
    const bool bare = is_count(row->unit) && unit_a == row->unit;
    const char *texts[ARRAY_SIZE(columns)] = {
        muted ? "muted" : verdict_name(d->verdict),
        row->emulated ? arena_printf(&b->arena, "%s (emulated)", row->metric) : row->metric,
        bare ? value_bare(&b->arena, d->a, unit_a) : value_text(&b->arena, d->a, unit_a),
        bare ? value_bare(&b->arena, d->b, unit_a) : value_text(&b->arena, d->b, row->unit),
        bare ? unit_name(row->unit) : "",
        change_of(b, d),
        arena_printf(&b->arena, "%zu/%zu", d->na, d->nb),
        d->method != NULL ? d->method : "",
        reason_of(b, row),
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        cells[i] = (struct cell){glyph_safe(&b->arena, texts[i]), TONE_PLAIN};
    cells[0].tone = muted ? TONE_FAINT : verdict_tone(d->verdict);
}

static bool worth_showing(const struct builder *b, const struct compare_row *row)
{
    return b->r->all || strchr(row->metric, '.') == NULL || row->mute != NULL ||
           row->d.verdict != VERDICT_UNCHANGED;
}

static bool is_quiet(enum verdict v)
{
    return v == VERDICT_UNCHANGED || v == VERDICT_WITHIN_NOISE;
}

/* Has anything that people should look at. */
static bool has_news(const struct compare_case *c)
{
    if (!is_quiet(c->verdict))
        return true;
    for (size_t i = 0; i < c->row_count; i++) {
        if (c->rows[i].mute != NULL || !is_quiet(c->rows[i].d.verdict))
            return true;
    }
    return false;
}

static bool is_paired(const struct compare_case *c)
{
    return c->a != NULL && c->b != NULL;
}

/* Is it in every case that has both sides, and are there several? */
static bool is_common(const struct comparison *c, const struct difference *x)
{
    size_t paired = 0;

    for (size_t i = 0; i < c->case_count; i++) {
        const struct difference *other = comparable_find(&c->cases[i].differences, x->key);

        if (!is_paired(&c->cases[i]))
            continue;
        paired++;
        if (other == NULL || !difference_same(other, x))
            return false;
    }
    return paired > 1;
}

static void add_difference(struct builder *b, const struct difference *x)
{
    const struct difference_sides sides = difference_sides(&b->arena, x);

    add(b, BLOCK_ITEM,
        arena_printf(&b->arena, "%s (%s, %s): %s -> %s", x->title, x->key,
                     difference_level_name(x->level), sides.a, sides.b),
        TONE_FAINT);
}

/* Blocks nothing, and only one side says it: a baseline in CSV has no facts at all. */
static bool is_one_sided(const struct difference *x)
{
    return x->level == DIFFERENCE_INFORM && (x->a == NULL || x->b == NULL);
}

static void add_one_sided(struct builder *b, const struct differences *d, bool common, bool of_a)
{
    AUTO_BUF keys = BUF_INIT;

    for (size_t i = 0; i < d->count; i++) {
        const struct difference *x = &d->list[i];

        if (is_one_sided(x) && (x->b == NULL) == of_a && is_common(b->r->comparison, x) == common)
            buf_printf(&keys, "%s%s", keys.len > 0 ? ", " : "", x->key);
    }
    if (keys.len > 0)
        add(b, BLOCK_ITEM,
            arena_printf(&b->arena, "known of %s alone: %s", of_a ? "a" : "b", buf_text(&keys)),
            TONE_FAINT);
}

/* Those that stand in every case, or those that do not. */
static void add_differences(struct builder *b, const struct differences *d, bool common)
{
    bool any = !common;

    for (size_t i = 0; i < d->count; i++) {
        if (is_common(b->r->comparison, &d->list[i]) != common)
            continue;
        if (!any)
            add(b, BLOCK_TEXT, "In every case differs:", TONE_PLAIN);
        any = true;
        if (!is_one_sided(&d->list[i]) && !difference_is_said(d, i))
            add_difference(b, &d->list[i]);
    }
    add_one_sided(b, d, common, true);
    add_one_sided(b, d, common, false);
}

static void add_common(struct builder *b)
{
    const struct comparison *c = b->r->comparison;

    for (size_t i = 0; i < c->case_count; i++) {
        if (is_paired(&c->cases[i])) {
            add_differences(b, &c->cases[i].differences, true);
            return;
        }
    }
}

static void add_case(struct builder *b, const struct compare_case *c)
{
    struct table t = {.columns = columns, .column_count = ARRAY_SIZE(columns)};

    add(b, BLOCK_HEADING, c->key, TONE_PLAIN);
    add(b, BLOCK_TEXT,
        arena_printf(&b->arena, "%s: %s; %zu and %zu runs%s", verdict_name(c->verdict), c->reason,
                     c->runs_a, c->runs_b,
                     c->left_out > 0 ? arena_printf(&b->arena, ", %zu others left out", c->left_out)
                                     : ""),
        verdict_tone(c->verdict));
    add_differences(b, &c->differences, false);
    t.cells = arena_alloc(&b->arena, (c->row_count + 1) * t.column_count * sizeof(*t.cells));
    for (size_t i = 0; i < c->row_count; i++) {
        if (worth_showing(b, &c->rows[i]))
            fill_row(b, c, &c->rows[i], &t.cells[t.row_count++ * t.column_count]);
    }
    if (t.row_count > 0)
        add_block(b, BLOCK_TABLE)->table = t;
}

static bool is_emulated(const struct comparison *c, const char *metric)
{
    for (size_t i = 0; i < c->case_count; i++) {
        if (data_case_emulated(c->cases[i].a, metric) || data_case_emulated(c->cases[i].b, metric))
            return true;
    }
    return false;
}

static void add_means(struct builder *b)
{
    const struct comparison *c = b->r->comparison;

    for (size_t i = 0; i < c->mean_count; i++) {
        const struct compare_mean *m = &c->means[i];

        if (m->ratio.n > 1 && (b->r->all || strchr(m->metric, '.') == NULL))
            add(b, BLOCK_ITEM,
                arena_printf(&b->arena, "%s (%s%s): geometric mean of b/a %.4f over %zu cases",
                             m->metric, unit_name(m->unit),
                             is_emulated(c, m->metric) ? ", emulated" : "", m->ratio.mean,
                             m->ratio.n),
                TONE_PLAIN);
    }
}

static void build(struct builder *b)
{
    const struct comparison *c = b->r->comparison;
    struct block *title = add_block(b, BLOCK_HEADING);
    size_t quiet = 0;

    title->level = 1;
    title->text.text =
        glyph_safe(&b->arena, arena_printf(&b->arena, "a: %s, b: %s", b->r->a, b->r->b));
    add(b, BLOCK_TEXT, tally(b), TONE_PLAIN);
    if (b->r->gate != NULL)
        add_gate(b);
    add_means(b);
    add_common(b);
    for (size_t i = 0; i < c->case_count; i++) {
        if (b->r->all || c->case_count == 1 || has_news(&c->cases[i]))
            add_case(b, &c->cases[i]);
        else
            quiet++;
    }
    if (quiet > 0)
        add(b, BLOCK_TEXT,
            arena_printf(&b->arena,
                         "%zu case%s without a change (compare --all lists what was compared)",
                         quiet, quiet == 1 ? "" : "s"),
            TONE_FAINT);
}

void comparison_render(const struct comparison_report *r, enum comparison_format format,
                       const struct report_options *look, struct buf *out)
{
    struct builder b = {.r = r};

    if (format == COMPARISON_JSON) {
        comparison_json(r, out);
        return;
    }
    build(&b);
    if (format == COMPARISON_MARKDOWN)
        document_markdown(&b.d, out);
    else
        document_text(&b.d, look, out);
    arena_release(&b.arena);
}
