/* What harness/judge says: verdicts of a comparison, and the figures behind them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/judge/compare.h"
#include "harness/judge/gate.h"
#include "harness/report/difference.h"
#include "harness/report/document.h"
#include "harness/report/html/html.h"
#include "harness/report/value.h"
#include "harness/stats/fit.h"

/* ---- verdicts ---- */

const struct data_case *page_base_of(const struct page *p, const struct data_case *c)
{
    const struct comparison *cmp = p->options->comparison;

    for (size_t i = 0; cmp != NULL && i < cmp->case_count; i++) {
        if (cmp->cases[i].b != NULL && strcmp(cmp->cases[i].key, c->key) == 0 &&
            strcmp(cmp->cases[i].b->run_id, c->run_id) == 0)
            return cmp->cases[i].a;
    }
    return NULL;
}

static void put_verdict(struct page *p, enum verdict v)
{
    putf(p, "<span class=\"tag %s\">%s</span>", tone_class(verdict_tone(v)), verdict_name(v));
}

static const char *change_text(struct page *p, const struct decision *d)
{
    if (isinf(d->change))
        return "from nothing";
    if (!isfinite(d->change))
        return "";
    return arena_printf(p->arena, "%+.2f %%", 100 * d->change);
}

static const char *interval_text(struct page *p, const struct decision *d)
{
    return isfinite(d->low) && isfinite(d->high) && d->low < d->high
               ? arena_printf(p->arena, "%+.2f to %+.2f %%", 100 * d->low, 100 * d->high)
               : "";
}

/* Units that value_bare() leaves away. */
static bool is_count(enum unit unit)
{
    return unit == UNIT_CYCLES || unit == UNIT_INSTRUCTIONS || unit == UNIT_BYTES;
}

/* Rows people must look at, or all of them. */
static bool is_news(const struct compare_row *r)
{
    return r->d.verdict != VERDICT_UNCHANGED && r->d.verdict != VERDICT_WITHIN_NOISE;
}

/* A bar from the middle: right is more, left is less; red is worse. */
static void put_change_bar(struct page *p, const struct compare_row *r, double most)
{
    const double share = isfinite(r->d.change) && most > 0 ? r->d.change / most : 0;
    const double width = 50 * fmin(fabs(share), 1);
    const bool worse = (share > 0) == r->lower_is_better;

    put(p, "<td>");
    if (width > 0.2)
        putf(
            p,
            "<div class=\"bar both\"><i class=\"%s\" style=\"left:%.1f%%;width:%.1f%%\"></i></div>",
            worse ? "fb" : "fg", share > 0 ? 50 : 50 - width, width);
    put(p, "</td>");
}

static void put_row(struct page *p, const struct compare_case *c, const struct compare_row *r,
                    double most)
{
    put(p, "<tr><td>");
    put_verdict(p, r->d.verdict);
    put(p, r->mute != NULL ? " <span class=\"tag\">muted</span></td>" : "</td>");
    put_number(p, change_text(p, &r->d), false);
    put(p, "<th scope=\"row\">");
    put_text(p, c->key);
    put(p, "</th>");
    put_cell(p, NULL, r->metric);
    put_number(p, value_bare(p->arena, r->d.a, r->unit), false);
    put_number(p, value_bare(p->arena, r->d.b, r->unit), r->over_budget);
    put_cell(p, "faint", is_count(r->unit) ? unit_name(r->unit) : "");
    put_change_bar(p, r, most);
    put_number(p, interval_text(p, &r->d), false);
    /* a clear change needs no words: the figures beside it are the reason */
    put_cell(p, "w",
             r->d.verdict == VERDICT_REGRESSED || r->d.verdict == VERDICT_IMPROVED ? ""
                                                                                   : r->d.reason);
    put(p, "</tr>\n");
}

static void put_differences(struct page *p, const struct compare_case *c)
{
    struct difference_sides sides;
    bool any = false;

    for (size_t i = 0; i < c->differences.count; i++) {
        const struct difference *d = &c->differences.list[i];

        if (d->level < DIFFERENCE_INFORM || difference_is_said(&c->differences, i))
            continue;
        sides = difference_sides(p->arena, d);
        if (!any) {
            put(p, "<tr><th scope=\"row\">");
            put_text(p, c->key);
            put(p, "</th><td class=\"w\">");
        } else {
            put(p, "<br>");
        }
        any = true;
        if (d->level >= DIFFERENCE_METRIC_BLOCK)
            put(p, "<span class=\"tag warning\">forbids</span> ");
        put_text(p, d->title);
        put(p, ": <code>");
        put_text(p, sides.a);
        put(p, "</code> &rarr; <code>");
        put_text(p, sides.b);
        put(p, "</code>");
    }
    put(p, any ? "</td></tr>\n" : "");
}

static void put_counts(struct page *p, const struct comparison *c)
{
    put(p, "<p>");
    if (p->options->base != NULL) {
        put(p, "Compared with ");
        put_text(p, p->options->base);
        put(p, ": ");
    }
    for (size_t v = 0; v < ARRAY_SIZE(c->verdicts); v++) {
        if (c->verdicts[v] > 0) {
            put_verdict(p, (enum verdict)v);
            putf(p, " %zu ", c->verdicts[v]);
        }
    }
    if (c->muted > 0)
        putf(p, "<span class=\"tag\">muted</span> %zu ", c->muted);
    putf(p,
         "</p>\n<p class=\"sub\">One verdict per metric and case; %zu needed a test, corrected "
         "together (Holm).</p>\n",
         c->tests);
}

static const char *ratio_text(struct page *p, double ratio)
{
    return isfinite(ratio) ? arena_printf(p->arena, "%.4f", ratio) : "";
}

static void put_means(struct page *p, const struct comparison *c)
{
    static const char *const titles[] = {
        "metric", ">ratio", ">spread, times or divided by", ">cases", ">not comparable", NULL};

    if (c->mean_count == 0)
        return;
    put(p, "<h3>All cases together</h3>\n");
    open_small_table(p, "Geometric means",
                     "geometric mean of now over before; parts that did not change are left out",
                     titles);
    for (size_t i = 0; i < c->mean_count; i++) {
        const struct compare_mean *m = &c->means[i];

        if (strchr(m->metric, '.') != NULL && (m->ratio.mean == 1 || !isfinite(m->ratio.mean)))
            continue;
        put(p, "<tr><th scope=\"row\">");
        put_text(p, m->metric);
        putf(p, " (%s)</th>", unit_name(m->unit));
        put_number(p, ratio_text(p, m->ratio.mean), false);
        put_number(p, ratio_text(p, m->ratio.spread), false);
        putf(p, "<td class=\"n\">%zu</td><td class=\"n\">%zu</td></tr>\n", m->ratio.n,
             m->incomparable);
    }
    close_table(p);
}

static void put_gate(struct page *p, const struct gate *g)
{
    if (g == NULL || g->finding_count == 0)
        return;
    putf(p, "<details><summary>The gate's findings (%zu)</summary>\n<ul class=\"plain\">",
         g->finding_count);
    for (size_t i = 0; i < g->finding_count; i++) {
        const struct gate_finding *f = &g->findings[i];

        putf(p, "<li><span class=\"tag %s\">%s</span> <b>",
             f->weight == GATE_FAILS   ? "bad"
             : f->weight == GATE_LACKS ? "warning"
                                       : "",
             f->weight == GATE_FAILS   ? "fails the gate"
             : f->weight == GATE_LACKS ? "not judged"
                                       : "remark");
        put_text(p, f->case_->key);
        put(p, "</b> ");
        put_text(p, f->text);
        put(p, "</li>\n");
    }
    put(p, "</ul></details>\n");
}

/* Rows that deserve a look, what matters most first. */
struct news {
    const struct compare_case *c;
    const struct compare_row *r;
    size_t order;
};

static int by_weight(const void *a, const void *b)
{
    const struct news *x = a, *y = b;

    if (x->r->d.verdict != y->r->d.verdict)
        return compare_worst(x->r->d.verdict, y->r->d.verdict) == x->r->d.verdict ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static size_t collect_news(struct page *p, const struct comparison *c, struct news **ret,
                           size_t *ret_quiet)
{
    struct news *list = NULL;
    size_t count = 0, capacity = 0;

    *ret_quiet = 0;
    for (size_t i = 0; i < c->case_count; i++) {
        for (size_t r = 0; r < c->cases[i].row_count; r++) {
            struct news *n;

            if (!is_news(&c->cases[i].rows[r])) {
                (*ret_quiet)++;
                continue;
            }
            n = ARENA_PUSH(p->arena, list, count, capacity);
            *n = (struct news){&c->cases[i], &c->cases[i].rows[r], count};
        }
    }
    if (count > 0)
        qsort(list, count, sizeof(*list), by_weight);
    *ret = list;
    return count;
}

static void put_news(struct page *p, const char *label, const struct news *list, size_t count)
{
    static const char *const titles[] = {"verdict",        ">change", "case", "metric",
                                         ">before",        ">now",    "unit", "less and more",
                                         ">95 % interval", "why",     NULL};
    double most = 0;

    for (size_t i = 0; i < count; i++) {
        if (isfinite(list[i].r->d.change))
            most = fmax(most, fmin(fabs(list[i].r->d.change), 1));
    }
    open_table(p, label, NULL, titles);
    for (size_t i = 0; i < count; i++)
        put_row(p, list[i].c, list[i].r, most);
    close_table(p);
}

/* Cases that gave no numbers to judge: one verdict each. */
static void put_whole_cases(struct page *p, const struct comparison *c)
{
    static const char *const titles[] = {"verdict", "case", "why", NULL};
    bool any = false;

    for (size_t i = 0; i < c->case_count; i++) {
        const struct compare_case *x = &c->cases[i];

        if (x->row_count > 0 || x->verdict == VERDICT_UNCHANGED)
            continue;
        if (!any)
            open_table(p, "Cases without numbers", "cases without numbers to judge", titles);
        any = true;
        put(p, "<tr><td>");
        put_verdict(p, x->verdict);
        put(p, "</td><th scope=\"row\">");
        put_text(p, x->key);
        put(p, "</th>");
        put_cell(p, "w", x->reason);
        put(p, "</tr>\n");
    }
    if (any)
        close_table(p);
}

static void put_changes(struct page *p, const struct comparison *c)
{
    enum {
        SHOWN = 25
    };
    struct news *list;
    size_t quiet;
    const size_t count = collect_news(p, c, &list, &quiet);
    const size_t first = count < SHOWN ? count : SHOWN;

    if (count > 0)
        put_news(p, "Verdicts", list, first);
    if (count > first) {
        putf(p, "<details><summary>%zu more</summary>\n", count - first);
        put_news(p, "Further verdicts", list + first, count - first);
        put(p, "</details>\n");
    }
    putf(p, "<p class=\"sub\">%zu metrics are unchanged or within noise and not listed.</p>\n",
         quiet);
}

void page_verdicts(struct page *p)
{
    static const char *const titles[] = {"case", "what differs", NULL};
    const struct comparison *c = p->options->comparison;

    put_counts(p, c);
    put_whole_cases(p, c);
    put_changes(p, c);
    put_gate(p, p->options->gate);
    put_means(p, c);
    put(p, "<details><summary>What differs in provenance</summary>\n");
    open_table(p, "Differences in provenance", NULL, titles);
    for (size_t i = 0; i < c->case_count; i++)
        put_differences(p, &c->cases[i]);
    close_table(p);
    put(p, "</details>\n");
}

/* ---- statistics ---- */

static const char *const invalid_words[] = {
#define X(name, word, text) word,
    INVALID_LIST(X)
#undef X
};

static const char *invalid_text(struct page *p, const struct fit_windows *f)
{
    AUTO_BUF b = BUF_INIT;

    if (f->invalid_windows == 0)
        return "";
    buf_printf(&b, "%zu:", f->invalid_windows);
    for (size_t i = 0; i < ARRAY_SIZE(invalid_words); i++) {
        if ((f->invalid & 1u << i) != 0)
            buf_printf(&b, " %s", invalid_words[i]);
    }
    return arena_strdup(p->arena, buf_text(&b));
}

static void put_fit_row(struct page *p, const struct data_case *c, const struct event_metric *m)
{
    const struct event_metric *ppm = data_case_metric(c, "clock.ppm");
    struct event_window *own = arena_alloc(p->arena, c->window_count * sizeof(*own));
    struct fit_windows f;
    bool fitted;
    size_t n = 0;

    for (size_t i = 0; i < c->window_count; i++) { /* those of energy are in another unit */
        if (c->windows[i].unit == m->unit)
            own[n++] = c->windows[i];
    }
    fitted = fit_windows(own, n, &f) == FIT_DONE;

    put(p, "<tr><th scope=\"row\">");
    put_text(p, c->key);
    put(p, "</th>");
    putf(p, "<td class=\"n\">%zu</td>", f.line.points);
    put_number(p, value_text(p->arena, m->value, m->unit), false);
    put_number(p,
               m->low < m->high
                   ? arena_printf(p->arena, "%s to %s", value_bare(p->arena, m->low, m->unit),
                                  value_bare(p->arena, m->high, m->unit))
               : f.line.exact ? "exact"
                              : "",
               false);
    put_number(p, fitted ? value_bare(p->arena, f.line.intercept, m->unit) : "", false);
    put_number(p, fitted ? value_text(p->arena, f.line.residual_share, UNIT_RATIO) : "", false);
    putf(p, "<td class=\"n\">%zu</td>", f.line.outliers);
    put_cell(p, NULL, invalid_text(p, &f));
    put_number(p, ppm != NULL ? value_text(p->arena, ppm->value, UNIT_PPM) : "", false);
    put(p, "</tr>\n");
}

static void put_fits(struct page *p)
{
    static const char *const titles[] = {"case",       ">windows",  ">slope",    ">95 % interval",
                                         ">intercept", ">residual", ">outliers", "invalid windows",
                                         ">clock",     NULL};

    open_table(p, "Fits", "total = intercept + slope * inferences over windows of N, 2N, 3N ...",
               titles);
    for (size_t i = 0; i < p->data->case_count; i++) {
        const struct data_case *c = &p->data->cases[i];
        const struct event_metric *m = data_case_metric(c, "latency");

        if (document_is_result(c) && m != NULL && c->window_count > 0)
            put_fit_row(p, c, m);
    }
    close_table(p);
}

static void put_test_row(struct page *p, const struct compare_case *c, const struct compare_row *r)
{
    put(p, "<tr><th scope=\"row\">");
    put_text(p, c->key);
    put(p, "</th>");
    put_cell(p, NULL, r->metric);
    put_cell(p, NULL, r->d.method);
    putf(p, "<td class=\"n\">%zu, %zu</td><td class=\"n\">%zu, %zu</td>", r->d.na, r->d.nb,
         r->d.runs_a, r->d.runs_b);
    put_number(p, arena_printf(p->arena, "%.3g", r->d.p), false);
    put_number(p, arena_printf(p->arena, "%.3g", r->d.p_adjusted), false);
    put_number(p, value_text(p->arena, r->d.floor, UNIT_RATIO), false);
    put_number(
        p, isfinite(r->d.detectable) ? value_text(p->arena, r->d.detectable, UNIT_RATIO) : "none",
        false);
    put(p, "</tr>\n");
}

static void put_tests(struct page *p, const struct comparison *c)
{
    static const char *const titles[] = {"case", "metric",        "method", ">windows",    ">runs",
                                         ">p",   ">p, corrected", ">floor", ">detectable", NULL};

    put(p, "<h3>Tests</h3>\n");
    open_table(p, "Tests",
               "a change counts when it is above the floor and the corrected p is below alpha; "
               "detectable: the smallest change these samples can show",
               titles);
    for (size_t i = 0; i < c->case_count; i++) {
        for (size_t r = 0; r < c->cases[i].row_count; r++) {
            if (c->cases[i].rows[r].d.tested)
                put_test_row(p, &c->cases[i], &c->cases[i].rows[r]);
        }
    }
    close_table(p);
}

void page_statistics(struct page *p)
{
    put_fits(p);
    if (p->options->comparison != NULL)
        put_tests(p, p->options->comparison);
}
