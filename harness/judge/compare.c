#include "harness/judge/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/judge/history.h"
#include "harness/judge/means.h"
#include "harness/judge/pair.h"
#include "harness/judge/sample.h"
#include "harness/stats/evidence.h"

/* One comparison being made. */
struct work {
    const struct compare_options *options;
    const struct decide_policy *policy;
    struct arena *arena;
    struct comparison *result;
    struct compare_case *cases;
    const struct data_series **series; /* of the history, by by_name() */
    size_t series_count;
};

static int by_name(const void *a, const void *b)
{
    const struct data_series *x = *(const struct data_series *const *)a;
    const struct data_series *y = *(const struct data_series *const *)b;
    int r = strcmp(x->key, y->key);

    if (r == 0)
        r = strcmp(x->metric, y->metric);
    if (r == 0)
        r = strcmp(x->suite, y->suite);
    if (r == 0)
        r = (x->unit > y->unit) - (x->unit < y->unit);
    return r != 0 ? r : (x->realm > y->realm) - (x->realm < y->realm);
}

static void index_history(struct work *w, const struct data_history *history)
{
    if (history == NULL || history->series_count == 0)
        return;
    w->series = arena_alloc(w->arena, history->series_count * sizeof(struct data_series *));
    for (size_t i = 0; i < history->series_count; i++)
        w->series[w->series_count++] = &history->series[i];
    qsort(w->series, w->series_count, sizeof(struct data_series *), by_name);
}

static const struct mute *mute_of(const struct compare_options *o, const char *key,
                                  const char *metric)
{
    for (size_t i = 0; i < o->mute_count; i++) {
        const struct mute *m = &o->mutes[i];

        if ((m->expires_ns == 0 || o->now_ns < m->expires_ns) &&
            (m->key == NULL || text_matches(m->key, key)) &&
            (m->metric == NULL || text_matches(m->metric, metric)))
            return m;
    }
    return NULL;
}

static struct decide_noise known_noise(const struct work *w, const struct data_case *c,
                                       const struct event_metric *m)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    const struct data_series wanted = {
        .suite = c->suite, .key = c->key, .metric = m->name, .unit = m->unit, .realm = c->realm};
    const struct data_series *name = &wanted;
    const struct data_series *const *found = NULL;
    struct history h;

    if (w->series_count > 0 && w->result->across == 0)
        found = bsearch(&name, w->series, w->series_count, sizeof(struct data_series *), by_name);
    if (found == NULL)
        return (struct decide_noise){.df = 0};
    history_of(*found, NULL, w->policy, &scratch, &h);
    return h.noise;
}

static const struct decision undecided = {.reason = "",
                                          .a = NAN,
                                          .b = NAN,
                                          .change = NAN,
                                          .low = NAN,
                                          .high = NAN,
                                          .p = 1,
                                          .p_adjusted = 1,
                                          .method = "none",
                                          .detectable = INFINITY};

/* A row that needs no statistics, with what is known of its figures. */
static void settle(struct compare_row *row, enum verdict verdict, const char *reason,
                   const struct event_metric *a, const struct event_metric *b)
{
    row->d = undecided;
    row->d.verdict = verdict;
    row->d.reason = reason;
    row->d.a = a != NULL ? a->value : NAN;
    row->d.b = b != NULL ? b->value : NAN;
}

static const char *invalid_text(uint32_t bits)
{
    static const char *const texts[] = {
#define X(name, word, text) text,
        INVALID_LIST(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (bits >> i & 1)
            return texts[i];
    }
    return "";
}

static const char *why(struct arena *arena, const char *what, const struct data_case *c)
{
    const char *text = c->text != NULL ? c->text : c->failure_class;

    return text != NULL ? arena_printf(arena, "%s: %s", what, text) : what;
}

static const char *no_baseline(struct arena *arena, const struct data_case *a)
{
    if (a == NULL || pair_usable(a))
        return "not measured in the first selection";
    if (!a->ended)
        return "the baseline never ended";
    return why(arena, arena_printf(arena, "the baseline %s", case_status_name(a->status)), a);
}

/* Verdicts that need no look at the values; false when the values must decide. */
static bool settled(struct work *w, struct compare_case *cc, struct compare_row *row,
                    const struct event_metric *a, const struct event_metric *b)
{
    const struct difference *block = comparable_block(&cc->differences, row->class_);

    if (b == NULL) {
        settle(row, VERDICT_INVALID, "not measured in the second selection", a, b);
    } else if (sample_invalid(cc->b, b) != 0) {
        settle(row, VERDICT_INVALID, invalid_text(sample_invalid(cc->b, b)), a, b);
    } else if (a == NULL) {
        settle(row, VERDICT_NO_BASELINE, no_baseline(w->arena, cc->a), a, b);
    } else if (sample_invalid(cc->a, a) != 0) {
        settle(row, VERDICT_NO_BASELINE,
               arena_printf(w->arena, "the baseline is invalid: %s",
                            invalid_text(sample_invalid(cc->a, a))),
               a, b);
    } else if (block != NULL) {
        row->blocked_by = block;
        settle(row, VERDICT_INCOMPARABLE,
               arena_printf(w->arena, "%s: %s against %s", block->title, block->a, block->b), a, b);
    } else if (a->unit != b->unit) {
        settle(
            row, VERDICT_INCOMPARABLE,
            arena_printf(w->arena, "unit: %s against %s", unit_name(a->unit), unit_name(b->unit)),
            a, b);
    } else {
        return false;
    }
    return true;
}

/* Rows that the values decide wait here until all are known: Holm needs them together. */
struct question {
    struct compare_row *row;
    struct decide_question q;
    bool tested;
};
struct questions {
    struct question *list;
    size_t count;
    size_t capacity;
};

static void ask(struct work *w, struct questions *questions, struct compare_case *cc,
                struct compare_row *row, const struct pair_side *a, const struct pair_side *b)
{
    const struct event_metric *m = data_case_metric(cc->b, row->metric);
    const bool other_board = comparable_find(&cc->differences, "board.uid") != NULL ||
                             comparable_find(&cc->differences, "board.serial") != NULL;
    const bool other_bench = comparable_find(&cc->differences, "meter.serial") != NULL;
    struct decide_noise before;
    struct question *q =
        ARENA_PUSH(w->arena, questions->list, questions->count, questions->capacity);

    *q = (struct question){.row = row};
    q->q.class_ = row->class_;
    q->q.lower_is_better = row->lower_is_better;
    q->q.deterministic = cc->a->realm == REALM_VIRTUAL && cc->b->realm == REALM_VIRTUAL;
    q->q.same = row->same;
    q->q.floor = decide_floor(w->policy, row->class_, other_board, other_bench);
    q->q.a = sample_current(a->cases, a->count, row->metric, q->q.floor, w->arena, &before);
    q->q.b = sample_current(b->cases, b->count, row->metric, q->q.floor, w->arena, NULL);
    if (row->class_ != METRIC_EXACT && row->class_ != METRIC_SCORE)
        q->q.noise = known_noise(w, cc->a, m);
    if (!(q->q.noise.df > before.df))
        q->q.noise = before;
    q->tested = row->mute == NULL && decide_needs_test(&q->q);
}

static void answer(struct work *w, struct questions *questions)
{
    double *p = arena_alloc(w->arena, (questions->count + 1) * sizeof(*p));
    size_t tests = 0;

    for (size_t i = 0; i < questions->count; i++)
        tests += questions->list[i].tested;
    for (size_t i = 0, t = 0; i < questions->count; i++) {
        struct question *q = &questions->list[i];

        decide_evidence(&q->q, w->policy, w->policy->alpha / (double)(tests > 0 ? tests : 1),
                        &q->row->d);
        if (q->tested)
            p[t++] = q->row->d.p;
    }
    evidence_holm(p, tests, p);
    for (size_t i = 0, t = 0; i < questions->count; i++) {
        struct question *q = &questions->list[i];

        if (q->tested)
            q->row->d.p_adjusted = p[t++];
        decide_verdict(&q->q, w->policy, &q->row->d);
    }
    w->result->tests = tests;
}

static struct compare_row row_of(const struct work *w, const struct compare_case *cc,
                                 const struct event_metric *m)
{
    struct compare_row row = {.metric = m->name,
                              .class_ = decide_class(m),
                              .unit = m->unit,
                              .lower_is_better = m->lower_is_better,
                              .mute = mute_of(w->options, cc->key, m->name)};

    row.emulated = data_case_emulated(cc->a, m->name) || data_case_emulated(cc->b, m->name);
    row.same = cc->a != NULL && cc->b != NULL && comparable_same(cc->a, cc->b, &cc->differences);
    return row;
}

/* All metrics of b, then those that only a has; not the ones that are merely shown. */
static void add_rows(struct work *w, struct questions *questions, struct compare_case *cc,
                     const struct pair_side *a, const struct pair_side *b)
{
    const size_t in_a = a->usable ? cc->a->metric_count : 0;
    struct compare_row *rows =
        arena_alloc(w->arena, (in_a + cc->b->metric_count + 1) * sizeof(*rows));

    for (size_t i = 0; i < cc->b->metric_count; i++) {
        const struct event_metric *m = &cc->b->metrics[i];
        const struct event_metric *before = a->usable ? data_case_metric(cc->a, m->name) : NULL;
        struct compare_row *row = &rows[cc->row_count];

        if (m->class_ == METRIC_INFO)
            continue;
        *row = row_of(w, cc, m);
        row->budget = m->budget;
        row->over_budget = m->over_budget;
        cc->row_count++;
        if (!settled(w, cc, row, before, m))
            ask(w, questions, cc, row, a, b);
    }
    for (size_t i = 0; i < in_a; i++) {
        const struct event_metric *m = &cc->a->metrics[i];

        if (m->class_ == METRIC_INFO || data_case_metric(cc->b, m->name) != NULL)
            continue;
        rows[cc->row_count] = row_of(w, cc, m);
        (void)settled(w, cc, &rows[cc->row_count++], m, NULL);
    }
    cc->rows = rows;
}

/* A candidate without numbers. */
static void without_numbers(struct work *w, struct compare_case *cc, const struct data_case *b)
{
    cc->verdict = VERDICT_INVALID;
    if (b == NULL)
        cc->reason = "not measured in the second selection";
    else if (!b->ended)
        cc->reason = "never ended";
    else if (b->status == CASE_SKIPPED)
        cc->reason = why(w->arena, "skipped", b);
    else if (b->status == CASE_FAILED) {
        cc->verdict = VERDICT_FAILED; /* whoever shows the reason says so before it */
        cc->reason = b->text != NULL ? b->text : "of no known reason";
    } else
        cc->reason = why(w->arena, case_status_name(b->status), b);
}

static bool skipped(const struct data_case *c)
{
    return c == NULL || c->status == CASE_SKIPPED;
}

static void add_case(struct work *w, struct questions *questions, const struct pair *pair)
{
    const struct pair_side a = pair_side_of(pair->a, pair->a_count, w->arena);
    const struct pair_side b = pair_side_of(pair->b, pair->b_count, w->arena);
    struct compare_case *cc = &w->cases[w->result->case_count];

    if (skipped(a.newest) && skipped(b.newest)) {
        w->result->skipped++;
        return;
    }
    w->result->case_count++;
    cc->key = b.newest != NULL ? b.newest->key : a.newest->key;
    cc->a = a.newest;
    cc->b = b.newest;
    cc->runs_a = a.count;
    cc->runs_b = b.count;
    cc->left_out = a.left_out + b.left_out;
    cc->reason = "";
    if (cc->b == NULL || !b.usable) {
        without_numbers(w, cc, b.newest);
        return;
    }
    if (a.usable)
        cc->differences = comparable_cases(cc->a, cc->b, w->result->across, w->arena);
    add_rows(w, questions, cc, &a, &b);
}

enum verdict compare_worst(enum verdict x, enum verdict y)
{
    static const int weight[] = {
        [VERDICT_UNCHANGED] = 0,    [VERDICT_WITHIN_NOISE] = 1, [VERDICT_IMPROVED] = 2,
        [VERDICT_INCONCLUSIVE] = 3, [VERDICT_NO_BASELINE] = 4,  [VERDICT_INCOMPARABLE] = 5,
        [VERDICT_INVALID] = 6,      [VERDICT_REGRESSED] = 7,    [VERDICT_FAILED] = 8,
    };

    return weight[y] > weight[x] ? y : x;
}

/* A case without a baseline has said why once; its rows repeat it. */
static void sum_up(struct work *w, struct compare_case *cc)
{
    const struct compare_row *worst = NULL;

    if (cc->row_count == 0) {
        if (cc->reason[0] == '\0') {
            cc->verdict = VERDICT_UNCHANGED;
            cc->reason = "no metric to judge";
        }
        w->result->verdicts[cc->verdict]++;
        return;
    }
    for (size_t i = 0; i < cc->row_count; i++) {
        const struct compare_row *r = &cc->rows[i];

        if (r->mute != NULL) {
            w->result->muted++;
            continue;
        }
        w->result->verdicts[r->d.verdict]++;
        if (worst == NULL || compare_worst(worst->d.verdict, r->d.verdict) != worst->d.verdict)
            worst = r;
    }
    cc->verdict = worst != NULL ? worst->d.verdict : VERDICT_UNCHANGED;
    cc->reason = worst != NULL ? arena_printf(w->arena, "%s: %s", worst->metric, worst->d.reason)
                               : "all metrics are muted";
}

void compare(const struct dataset *a, const struct dataset *b,
             const struct compare_options *options, struct arena *arena, struct comparison *ret)
{
    struct work w = {.options = options,
                     .policy = options->policy != NULL ? options->policy : &decide_policy_default,
                     .arena = arena,
                     .result = ret};
    struct questions questions = {.count = 0};
    const struct pair *pairs;
    size_t count;

    *ret = (struct comparison){.case_count = 0};
    index_history(&w, options->history);
    count = pair_cases(a, b, arena, &pairs, &ret->across);
    w.cases = arena_alloc(arena, (count + 1) * sizeof(*w.cases));
    ret->cases = w.cases;
    for (size_t i = 0; i < count; i++)
        add_case(&w, &questions, &pairs[i]);
    answer(&w, &questions);
    for (size_t i = 0; i < ret->case_count; i++)
        sum_up(&w, &w.cases[i]);
    compare_means(ret, arena);
}
