#include <math.h>
#include <string.h>

#include "harness/report/html/html.h"
#include "harness/report/value.h"

/* ---- dots of windows ---- */

enum {
    DOTS_WIDTH = 100,
    DOTS_HEIGHT = 22,
    DOTS_MAX = 60 /* of more windows every second, third ... is drawn */
};

void plot_windows(struct page *p, const double *values, size_t count)
{
    const size_t step = count / DOTS_MAX + 1;
    double low = INFINITY, high = -INFINITY;

    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    putf(p,
         "<svg width=\"%d\" height=\"%d\" aria-hidden=\"true\"><path class=\"mid\" d=\"M0 11h%d\"/>"
         "<path class=\"dots\" d=\"",
         DOTS_WIDTH, DOTS_HEIGHT, DOTS_WIDTH);
    for (size_t i = 0; i < count; i += step) {
        const double x = 4 + (DOTS_WIDTH - 8) * ((double)i + 0.5) / (double)count;
        const double y = high > low ? 19 - 16 * (values[i] - low) / (high - low) : 11;

        putf(p, "M%.0f %.0fh0", x, y);
    }
    put(p, "\"/></svg>");
}

/* ---- bars ---- */

void plot_bar(struct page *p, const double *parts, size_t count, double full, double limit)
{
    put(p, "<div class=\"bar wide\">");
    for (size_t i = 0; i < count && full > 0; i++) {
        if (parts[i] > 0)
            putf(p, "<i class=\"f%zu\" style=\"width:%.1f%%\"></i>", i % 6 + 1,
                 fmin(100 * parts[i] / full, 100));
    }
    if (limit >= 0 && limit < full)
        putf(p, "<i class=\"edge\" style=\"left:%.1f%%\"></i>", 100 * limit / full);
    put(p, "</div>");
}

void plot_length(struct page *p, double value, double full, unsigned colour)
{
    putf(p, "<div class=\"bar\"><i class=\"f%u\" style=\"width:%.1f%%\"></i></div>", colour,
         full > 0 ? fmin(100 * value / full, 100) : 0);
}

/* ---- scatter ---- */

enum {
    LEFT = 76,
    TOP = 24,
    WIDTH = 640,
    HEIGHT = 290,
    RIGHT = 32,
    BOTTOM = 44,
    LABEL_ROWS = 64
};

struct axis {
    double low, high; /* log10 */
};

static struct axis axis_of(const struct plot_point *points, size_t count, bool x)
{
    struct axis a = {INFINITY, -INFINITY};

    for (size_t i = 0; i < count; i++) {
        const double v = log10(x ? points[i].x : points[i].y);

        a.low = fmin(a.low, v);
        a.high = fmax(a.high, v);
    }
    a.low -= 0.15 + 0.06 * (a.high - a.low);
    a.high += 0.15 + 0.06 * (a.high - a.low);
    return a;
}

static double x_at(const struct axis *a, double value)
{
    return LEFT + (log10(value) - a->low) / (a->high - a->low) * (WIDTH - LEFT - RIGHT);
}

static double y_at(const struct axis *a, double value)
{
    return HEIGHT - BOTTOM - (log10(value) - a->low) / (a->high - a->low) * (HEIGHT - TOP - BOTTOM);
}

size_t plot_ticks(double low, double high, unsigned wanted, double *ret_first, double *ret_step)
{
    static const double rounds[] = {1, 2, 2.5, 5, 10};
    const double raw = (high - low) / wanted;
    const double decade = pow(10, floor(log10(raw)));
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(rounds) && rounds[i] * decade < raw)
        i++;
    *ret_step = rounds[i] * decade;
    *ret_first = ceil(low / *ret_step) * *ret_step;
    return *ret_first > high ? 0 : 1 + (size_t)((high - *ret_first) / *ret_step);
}

static void put_tick(struct page *p, const struct axis *a, bool x, double value, enum unit unit)
{
    const double at = x ? x_at(a, value) : y_at(a, value);

    if (x)
        putf(p,
             "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" "
             "text-anchor=\"middle\">%s</text>",
             at, TOP, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 15,
             value_short(p->arena, value, unit));
    else
        putf(p,
             "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
             "text-anchor=\"end\">%s</text>",
             LEFT, at, WIDTH - RIGHT, LEFT - 6, at + 4, value_short(p->arena, value, unit));
}

/* Round numbers where a decade or less is shown; else 1, 2 and 5 of each, or only the decades. */
static void put_ticks(struct page *p, const struct axis *a, bool x, enum unit unit)
{
    static const double steps[] = {1, 2, 5};
    const double low = pow(10, a->low), high = pow(10, a->high);
    const size_t used = a->high - a->low > 2.2 ? 1 : ARRAY_SIZE(steps);
    double first, step;

    if (a->high - a->low < 1) {
        const size_t n = plot_ticks(low, high, 5, &first, &step);

        for (size_t i = 0; i < n; i++)
            put_tick(p, a, x, first + (double)i * step, unit);
        return;
    }
    for (int decade = (int)floor(a->low); decade <= (int)ceil(a->high); decade++) {
        for (size_t i = 0; i < used; i++) {
            const double value = steps[i] * pow(10, decade);

            if (log10(value) >= a->low && log10(value) <= a->high)
                put_tick(p, a, x, value, unit);
        }
    }
}

/* Labels in rows of 14 units: one that would cover another goes to the next free row. */
static double free_row(bool *taken, double y)
{
    int row = (int)(y / 14);

    row = row < 0 ? 0 : row >= LABEL_ROWS ? LABEL_ROWS - 1 : row;
    while (row > 0 && taken[row])
        row--;
    taken[row] = true;
    return row * 14 + 9;
}

static void put_points(struct page *p, const struct plot_point *points, size_t count,
                       const struct axis *ax, const struct axis *ay)
{
    bool taken[LABEL_ROWS] = {false};

    for (size_t i = 0; i < count; i++) {
        const double x = x_at(ax, points[i].x), y = y_at(ay, points[i].y);
        const bool left = x > WIDTH - 170;
        const double row = free_row(taken, y);

        putf(p,
             "<circle class=\"f%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"/><text class=\"t\" "
             "x=\"%.1f\" y=\"%.1f\"%s>",
             points[i].colour, x, y, points[i].front ? "6" : "4", left ? x - 9 : x + 9, row,
             left ? " text-anchor=\"end\"" : "");
        put_text(p, points[i].label);
        put(p, "</text>");
    }
}

/* Points of the front from left to right, joined. */
static void put_front(struct page *p, const struct plot_point *points, size_t count,
                      const struct axis *ax, const struct axis *ay)
{
    double last = -INFINITY;
    bool first = true;

    put(p, "<path class=\"front\" d=\"");
    for (;;) {
        const struct plot_point *next = NULL;

        for (size_t i = 0; i < count; i++) {
            if (points[i].front && points[i].x > last && (next == NULL || points[i].x < next->x))
                next = &points[i];
        }
        if (next == NULL)
            break;
        putf(p, "%s%.1f %.1f", first ? "M" : "L", x_at(ax, next->x), y_at(ay, next->y));
        first = false;
        last = next->x;
    }
    put(p, first ? "M0 0\"/>" : "\"/>");
}

void plot_scatter(struct page *p, const struct plot_point *points, size_t count,
                  const struct plot_axis *x, const struct plot_axis *y, const char *text)
{
    const struct axis ax = axis_of(points, count, true), ay = axis_of(points, count, false);

    putf(p, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    put_text(p, text);
    put(p, "\">");
    putf(p, "<path class=\"mid\" d=\"M%d %dV%dH%d\"/>", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    put_ticks(p, &ax, true, x->unit);
    put_ticks(p, &ay, false, y->unit);
    put_front(p, points, count, &ax, &ay);
    put_points(p, points, count, &ax, &ay);
    putf(p, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2,
         HEIGHT - 8);
    put_text(p, x->title);
    putf(p, "</text><text x=\"%d\" y=\"15\">", LEFT);
    put_text(p, y->title);
    put(p, "</text></svg><figcaption>");
    put_text(p, text);
    put(p, "</figcaption></figure>\n");
}
