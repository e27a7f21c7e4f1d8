/* Series over time: those with news as figures, the others as one line each. */
#include <math.h>
#include <string.h>

#include "harness/judge/compare.h"
#include "harness/judge/history.h"
#include "harness/report/html/html.h"
#include "harness/report/value.h"

enum {
    WIDTH = 600,
    HEIGHT = 190,
    LEFT = 112,
    RIGHT = 16,
    TOP = 22,
    BOTTOM = 26,
    SMALL_WIDTH = 220,
    SMALL_HEIGHT = 30,
    POINTS_MAX = 120, /* newest ones drawn */
    FIGURES_MAX = 16,
    LABEL_GAP = 112 /* between dates */
};

/* Where the points of a series lie in a picture. */
struct frame {
    size_t from, count; /* points of the series */
    double low, high;
    double left, width, top, height;
};

static double x_at(const struct frame *f, double i)
{
    return f->left + f->width * (i - (double)f->from + 0.5) / (double)f->count;
}

static double y_at(const struct frame *f, double value)
{
    return f->top + f->height * (1 - (value - f->low) / (f->high - f->low));
}

static struct frame frame_of(const struct data_series *series)
{
    struct frame f = {.low = INFINITY, .high = -INFINITY};
    double room;

    f.from = series->point_count > POINTS_MAX ? series->point_count - POINTS_MAX : 0;
    f.count = series->point_count - f.from;
    for (size_t i = f.from; i < series->point_count; i++) {
        if (!isfinite(series->points[i].value))
            continue;
        f.low = fmin(f.low, series->points[i].value);
        f.high = fmax(f.high, series->points[i].value);
    }
    if (!isfinite(f.low))
        f.low = f.high = 0;
    /* A flat series is drawn in the middle, and never as if its last digit mattered. */
    room = fmax((f.high - f.low) * 0.12, fabs(f.high) * 0.002);
    f.low -= room > 0 ? room : 1;
    f.high += room > 0 ? room : 1;
    return f;
}

/* ---- what both pictures share ---- */

/* Each level as a line over its runs. */
static void put_levels(struct page *p, const struct report_trend *t, const struct frame *f)
{
    put(p, "<path class=\"step\" d=\"M0 0");
    for (size_t i = 0; i < t->history->segment_count; i++) {
        const struct change_segment *g = &t->history->segments[i];
        const size_t end = t->history->used[g->end - 1];
        size_t begin = t->history->used[g->begin];

        if (end < f->from)
            continue;
        begin = begin < f->from ? f->from : begin;
        putf(p, "M%.0f %.1fH%.0f", x_at(f, (double)begin) - 3, y_at(f, g->median),
             x_at(f, (double)end) + 3);
    }
    put(p, "\"/>");
}

static void put_points(struct page *p, const struct data_series *series, const struct frame *f,
                       const char *width)
{
    putf(p, "<path class=\"dots\" style=\"stroke-width:%s\" d=\"M0 0", width);
    for (size_t i = f->from; i < series->point_count; i++) {
        if (isfinite(series->points[i].value))
            putf(p, "M%.0f %.1fh0", x_at(f, (double)i), y_at(f, series->points[i].value));
    }
    put(p, "\"/>");
}

/* From the run after the mute was set to its end. */
static void put_mute(struct page *p, const struct report_trend *t, const struct frame *f)
{
    size_t first = t->series->point_count;

    if (t->mute == NULL)
        return;
    while (first > f->from && t->series->points[first - 1].started_ns >= t->mute->set_ns)
        first--;
    putf(p, "<rect class=\"mute\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%.0f\"/>",
         fmin(x_at(f, (double)first - 0.5), f->left + f->width - 4), f->top,
         fmax(f->left + f->width - x_at(f, (double)first - 0.5), 4), f->height);
}

static void put_marks(struct page *p, const struct report_trend *t, const struct frame *f)
{
    for (size_t i = f->from; t->breaks != NULL && i < t->series->point_count; i++) {
        if (t->breaks[i])
            putf(p, "<path class=\"env\" d=\"M%.1f %.0fv%.0f\"/>", x_at(f, (double)i - 0.5), f->top,
                 f->height);
    }
    for (size_t i = 0; i < t->history->change_count; i++) {
        const struct history_change *c = &t->history->changes[i];

        if (c->at >= f->from && !c->environment)
            putf(p, "<path class=\"mark%s\" d=\"M%.1f %.0fv%.0f\"/>",
                 c->verdict == VERDICT_IMPROVED ? " up" : "", x_at(f, (double)c->at - 0.5), f->top,
                 f->height);
    }
}

static const char *describe(struct page *p, const struct report_trend *t)
{
    const struct data_series *s = t->series;
    AUTO_BUF b = BUF_INIT;

    for (size_t i = 0; i < t->history->change_count; i++) {
        const struct history_change *c = &t->history->changes[i];

        buf_printf(&b, "%s%+.2f %% on %.10s%s", i > 0 ? "; " : "", 100 * c->change,
                   value_stamp(p->arena, s->points[c->at].started_ns),
                   c->environment ? " with a new environment" : "");
    }
    if (t->history->change_count == 0)
        buf_puts(&b, "no change");
    return arena_strdup(p->arena, buf_text(&b));
}

static const char *name_of(struct page *p, const struct data_series *s)
{
    return arena_printf(p->arena, "%s, %s, %s", s->metric,
                        s->unit == UNIT_NS ? "time" : unit_name(s->unit), realm_name(s->realm));
}

static void put_muted(struct page *p, const struct report_trend *t)
{
    if (t->mute == NULL)
        return;
    put(p, " <span class=\"tag\">muted</span> ");
    put_text(p, t->mute->reason);
}

/* ---- with news: a figure ---- */

/* Counts are bare: the unit stands above them once. */
static void put_value_axis(struct page *p, const struct data_series *s, const struct frame *f)
{
    const bool bare =
        s->unit == UNIT_CYCLES || s->unit == UNIT_INSTRUCTIONS || s->unit == UNIT_BYTES;
    double first, step;
    const size_t n = plot_ticks(f->low, f->high, 4, &first, &step);

    for (size_t i = 0; i < n; i++) {
        const double v = first + (double)i * step;

        putf(p,
             "<path class=\"grid\" d=\"M%.0f %.1fh%.0f\"/><text x=\"%.0f\" y=\"%.1f\" "
             "text-anchor=\"end\">%s</text>",
             f->left, y_at(f, v), f->width, f->left - 6, y_at(f, v) + 4,
             bare ? value_grouped(p->arena, v) : value_text(p->arena, v, s->unit));
    }
    if (bare)
        putf(p, "<text x=\"0\" y=\"%d\">%s</text>", TOP - 9, unit_name(s->unit));
}

static void put_date(struct page *p, const struct data_series *s, const struct frame *f, size_t i,
                     double *last)
{
    const double x = fmin(fmax(x_at(f, (double)i), f->left + 34), f->left + f->width - 34);

    if (x - *last < LABEL_GAP)
        return;
    *last = x;
    putf(p, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%.10s</text>", x, HEIGHT - 8,
         value_stamp(p->arena, s->points[i].started_ns));
}

/* The first run, those where something changed, and the last. */
static void put_dates(struct page *p, const struct report_trend *t, const struct frame *f)
{
    const size_t end = t->series->point_count - 1;
    double last = -LABEL_GAP;
    const double reserved = x_at(f, (double)end) - LABEL_GAP;

    put_date(p, t->series, f, f->from, &last);
    for (size_t i = 0; i < t->history->change_count; i++) {
        const size_t at = t->history->changes[i].at;

        if (at >= f->from && x_at(f, (double)at) < reserved)
            put_date(p, t->series, f, at, &last);
    }
    put_date(p, t->series, f, end, &last);
}

static void put_change_labels(struct page *p, const struct report_trend *t, const struct frame *f)
{
    double last = -LABEL_GAP;

    for (size_t i = 0; i < t->history->change_count; i++) {
        const struct history_change *c = &t->history->changes[i];
        const double x = x_at(f, (double)c->at - 0.5);

        if (c->at < f->from || x - last < 0.5 * LABEL_GAP)
            continue;
        last = x;
        putf(p, "<text class=\"t\" x=\"%.0f\" y=\"%d\" text-anchor=\"middle\">%+.2f %%</text>",
             fmin(x, WIDTH - 30), TOP - 9, 100 * c->change);
    }
}

static void put_figure(struct page *p, const struct report_trend *t)
{
    struct frame f = frame_of(t->series);
    const char *words = describe(p, t);

    f.left = LEFT;
    f.width = WIDTH - LEFT - RIGHT;
    f.top = TOP;
    f.height = HEIGHT - TOP - BOTTOM;
    put(p, "<figure class=\"card\"><figcaption><b>");
    put_text(p, t->series->key);
    put(p, "</b> ");
    put_text(p, name_of(p, t->series));
    putf(p, ": now %s; %s", value_text(p->arena, t->history->level, t->series->unit), words);
    put_muted(p, t);
    putf(p, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    put_text(p, t->series->key);
    put(p, ", ");
    put_text(p, name_of(p, t->series));
    putf(p, ", over %zu runs: %s\">", t->series->point_count, words);
    put_mute(p, t, &f);
    put_value_axis(p, t->series, &f);
    put_levels(p, t, &f);
    put_marks(p, t, &f);
    put_points(p, t->series, &f, "4.5");
    put_change_labels(p, t, &f);
    put_dates(p, t, &f);
    put(p, "</svg></figure>\n");
}

/* ---- a line each ---- */

static void put_line(struct page *p, const struct report_trend *t)
{
    struct frame f = frame_of(t->series);

    f.left = 2;
    f.width = SMALL_WIDTH - 4;
    f.top = 2;
    f.height = SMALL_HEIGHT - 4;
    put(p, "<tr><th scope=\"row\">");
    put_text(p, t->series->key);
    put(p, "</th>");
    put_cell(p, NULL, name_of(p, t->series));
    putf(p, "<td><svg width=\"%d\" height=\"%d\" aria-hidden=\"true\">", SMALL_WIDTH, SMALL_HEIGHT);
    put_mute(p, t, &f);
    put_levels(p, t, &f);
    put_marks(p, t, &f);
    put_points(p, t->series, &f, "3.4");
    put(p, "</svg></td>");
    put_number(p, value_text(p->arena, t->history->level, t->series->unit), false);
    putf(p, "<td class=\"n\">%zu</td><td class=\"w\">%s", t->series->point_count, describe(p, t));
    put_muted(p, t);
    put(p, "</td></tr>\n");
}

static bool has_news(const struct report_trend *t)
{
    return t->history->change_count > 0 || t->mute != NULL;
}

static void put_lines(struct page *p, bool news, size_t skip)
{
    static const char *const titles[] = {
        "series", "metric", "runs, oldest first", ">level", ">runs", "changes of level", NULL};

    open_table(p, news ? "Further changes" : "Series without a change", NULL, titles);
    for (size_t i = 0; i < p->options->trend_count; i++) {
        if (has_news(&p->options->trends[i]) != news)
            continue;
        if (skip > 0)
            skip--;
        else
            put_line(p, &p->options->trends[i]);
    }
    close_table(p);
}

static void put_legend(struct page *p)
{
    put(p, "<ul class=\"key\">"
           "<li><svg width=\"14\" height=\"11\" aria-hidden=\"true\"><path class=\"dots\" d=\"M7 "
           "6h0\"/>"
           "</svg>a run</li>"
           "<li><svg width=\"18\" height=\"11\" aria-hidden=\"true\"><path class=\"step\" d=\"M0 "
           "6h18\"/>"
           "</svg>its level</li>"
           "<li><svg width=\"8\" height=\"11\" aria-hidden=\"true\"><path class=\"mark\" d=\"M4 "
           "0v11\"/>"
           "</svg>worse</li>"
           "<li><svg width=\"8\" height=\"11\" aria-hidden=\"true\"><path class=\"mark up\" "
           "d=\"M4 0v11\"/></svg>better</li>"
           "<li><svg width=\"8\" height=\"11\" aria-hidden=\"true\"><path class=\"env\" d=\"M4 "
           "0v11\"/>"
           "</svg>new environment</li>"
           "<li><svg width=\"14\" height=\"11\" aria-hidden=\"true\"><rect class=\"mute\" "
           "width=\"14\" "
           "height=\"11\"/></svg>muted</li></ul>\n");
}

void page_trends(struct page *p)
{
    size_t news = 0;

    for (size_t i = 0; i < p->options->trend_count; i++)
        news += has_news(&p->options->trends[i]);
    put_legend(p);
    for (size_t i = 0, shown = 0; i < p->options->trend_count && shown < FIGURES_MAX; i++) {
        if (!has_news(&p->options->trends[i]))
            continue;
        put_figure(p, &p->options->trends[i]);
        shown++;
    }
    if (news > FIGURES_MAX)
        put_lines(p, true, FIGURES_MAX);
    if (news == p->options->trend_count)
        return;
    putf(p, "<details><summary>%zu series without a change</summary>\n",
         p->options->trend_count - news);
    put_lines(p, false, 0);
    put(p, "</details>\n");
}
