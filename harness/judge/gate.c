#include "harness/judge/gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    int status;
} outcomes[] = {
#define X(name, word, status) {word, status},
    GATE_LIST(X)
#undef X
};

const char *gate_outcome_name(enum gate_outcome outcome)
{
    return (size_t)outcome < ARRAY_SIZE(outcomes) ? outcomes[outcome].word : "?";
}

int gate_exit_status(enum gate_outcome outcome)
{
    return (size_t)outcome < ARRAY_SIZE(outcomes) ? outcomes[outcome].status : 70;
}

/* The gate at work; what kinds of findings there are decides the outcome. */
struct work {
    const struct gate_options *options;
    struct arena *arena;
    struct gate *gate;
    struct gate_finding *findings; /* room for two a row and one a case */
    const struct compare_case **confirm;
    size_t fails;
    size_t no_baseline;
    size_t unproven; /* inconclusive, incomparable */
    size_t missing;  /* invalid: the candidate was not measured */
    size_t muted;
};

static void find(struct work *w, enum gate_weight weight, const struct compare_case *c,
                 const struct compare_row *row, const char *text)
{
    w->findings[w->gate->finding_count++] =
        (struct gate_finding){.weight = weight,
                              .verdict = row != NULL ? row->d.verdict : c->verdict,
                              .case_ = c,
                              .row = row,
                              .text = text};
    w->fails += weight == GATE_FAILS;
}

static const struct compare_row *same_row(const struct comparison *rerun, const char *key,
                                          const struct compare_row *row)
{
    for (size_t i = 0; i < rerun->case_count; i++) {
        if (strcmp(rerun->cases[i].key, key) != 0)
            continue;
        for (size_t k = 0; k < rerun->cases[i].row_count; k++) {
            const struct compare_row *r = &rerun->cases[i].rows[k];

            if (r->unit == row->unit && strcmp(r->metric, row->metric) == 0)
                return r;
        }
    }
    return NULL;
}

/* A rerun that could not be judged itself takes nothing back. */
static bool clears(enum verdict again)
{
    return again == VERDICT_IMPROVED || again == VERDICT_UNCHANGED ||
           again == VERDICT_WITHIN_NOISE || again == VERDICT_INCONCLUSIVE;
}

static void regression(struct work *w, const struct compare_case *c, const struct compare_row *row)
{
    const char *text = arena_printf(w->arena, "%s %+.2f %%", row->metric, 100 * row->d.change);
    const struct compare_row *again = NULL;
    const bool scatters = strcmp(row->d.method, "exact") != 0;

    if (!scatters && row->d.change != 0 && fabs(row->d.change) <= w->options->tolerance) {
        find(w, GATE_REMARKS, c, row, arena_printf(w->arena, "%s, within the tolerance", text));
        return;
    }
    if (w->options->rerun != NULL)
        again = same_row(w->options->rerun, c->key, row);
    if (scatters && again != NULL && clears(again->d.verdict)) {
        find(w, GATE_REMARKS, c, row,
             arena_printf(w->arena, "%s, not confirmed by a rerun: %s", text, again->d.reason));
        return;
    }
    find(w, GATE_FAILS, c, row, text);
    if (!scatters || w->options->rerun != NULL)
        return;
    if (w->gate->confirm_count == 0 || w->confirm[w->gate->confirm_count - 1] != c)
        w->confirm[w->gate->confirm_count++] = c;
}

static void lacks(struct work *w, enum verdict verdict, const struct compare_case *c,
                  const struct compare_row *row, const char *reason)
{
    w->no_baseline += verdict == VERDICT_NO_BASELINE;
    w->missing += verdict == VERDICT_INVALID;
    w->unproven += verdict == VERDICT_INCONCLUSIVE || verdict == VERDICT_INCOMPARABLE;
    find(w, GATE_LACKS, c, row,
         row != NULL ? arena_printf(w->arena, "%s: %s", row->metric, reason) : reason);
}

static void look_at_row(struct work *w, const struct compare_case *c, const struct compare_row *row)
{
    if (row->mute != NULL) {
        w->muted++;
        if (row->d.verdict == VERDICT_REGRESSED || row->over_budget)
            find(w, GATE_REMARKS, c, row,
                 arena_printf(w->arena, "%s is muted: %s", row->metric,
                              row->mute->reason != NULL ? row->mute->reason : ""));
        return;
    }
    if (row->over_budget)
        find(w, GATE_FAILS, c, row, arena_printf(w->arena, "over budget: %s", row->budget));
    switch (row->d.verdict) {
    case VERDICT_REGRESSED:
        regression(w, c, row);
        break;
    case VERDICT_IMPROVED:
        find(w, GATE_REMARKS, c, row,
             arena_printf(w->arena, "%s %+.2f %%", row->metric, 100 * row->d.change));
        break;
    case VERDICT_UNCHANGED:
    case VERDICT_WITHIN_NOISE:
        break;
    case VERDICT_FAILED:
        find(w, GATE_FAILS, c, row, row->d.reason);
        break;
    default:
        lacks(w, row->d.verdict, c, row, row->d.reason);
        break;
    }
    w->gate->judged += row->d.verdict <= VERDICT_INCONCLUSIVE;
}

static void look_at_case(struct work *w, const struct compare_case *c)
{
    for (size_t i = 0; i < c->row_count; i++)
        look_at_row(w, c, &c->rows[i]);
    if (c->row_count > 0)
        return;
    if (c->verdict == VERDICT_FAILED)
        find(w, GATE_FAILS, c, NULL, c->reason);
    else if (c->verdict != VERDICT_UNCHANGED)
        lacks(w, c->verdict, c, NULL, c->reason);
}

static enum gate_outcome outcome(const struct work *w)
{
    const bool strict = w->options->strict;

    if (w->fails > 0 || (strict && w->unproven + w->missing > 0 && w->gate->judged > 0))
        return GATE_FAILED;
    if (w->gate->judged == 0 && w->missing + w->no_baseline == 0 && w->muted > 0)
        return GATE_PASSED; /* silence was asked for */
    if (w->gate->judged == 0)
        return w->missing > 0 && w->no_baseline == 0 ? GATE_LAB : GATE_NO_BASELINE;
    if (strict && w->no_baseline > 0)
        return GATE_NO_BASELINE;
    return w->missing > 0 ? GATE_PARTIAL : GATE_PASSED;
}

/* Insertion sort by weight: stable, and there are few. */
static void failing_first(struct gate_finding *f, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct gate_finding x = f[i];
        size_t at = i;

        while (at > 0 && f[at - 1].weight > x.weight) {
            f[at] = f[at - 1];
            at--;
        }
        f[at] = x;
    }
}

void gate_judge(const struct comparison *c, const struct gate_options *options, struct arena *arena,
                struct gate *ret)
{
    struct work w = {.options = options, .arena = arena, .gate = ret};
    size_t rows = 0;

    *ret = (struct gate){.outcome = GATE_PASSED};
    for (size_t i = 0; i < c->case_count; i++)
        rows += c->cases[i].row_count;
    w.findings = arena_alloc(arena, (2 * rows + c->case_count + 1) * sizeof(*w.findings));
    w.confirm = arena_alloc(arena, (c->case_count + 1) * sizeof(struct compare_case *));
    for (size_t i = 0; i < c->case_count; i++)
        look_at_case(&w, &c->cases[i]);
    failing_first(w.findings, ret->finding_count);
    ret->findings = w.findings;
    ret->confirm = w.confirm;
    ret->outcome = outcome(&w);
}
