#include "harness/cli/trace_plot.h"

#include <math.h>
#include <string.h>

enum {
    LEFT = 80,
    TOP = 40,
    WIDTH = TRACE_PLOT_COLUMNS,
    HEIGHT = 300,
    TICKS = 5
};

struct axes {
    double from_s, to_s, top_a;
};

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            buf_printf(out, "&#%d;", *text);
        else if ((unsigned char)*text >= 32)
            buf_putc(out, *text);
    }
}

/* 1, 2 or 5 times a power of ten, at least v. */
static double round_up(double v)
{
    const double power = pow(10, floor(log10(v)));

    return v <= power       ? power
           : v <= 2 * power ? 2 * power
           : v <= 5 * power ? 5 * power
                            : 10 * power;
}

static double x_of(const struct axes *a, double s)
{
    return LEFT + WIDTH * (s - a->from_s) / (a->to_s - a->from_s);
}

static double y_of(const struct axes *a, double amperes)
{
    return TOP + HEIGHT * (1 - amperes / a->top_a);
}

static double highest(const struct trace_point *points)
{
    double most = 1e-9;

    for (size_t i = 0; i < TRACE_PLOT_COLUMNS; i++)
        most = fmax(most, (double)points[i].max_a);
    return most;
}

static void put_grid(const struct axes *a, struct buf *out)
{
    const double scale = a->top_a >= 1e-3 ? 1e3 : 1e6;
    const char *unit = a->top_a >= 1e-3 ? "mA" : "uA";

    for (int i = 0; i <= TICKS; i++) {
        const double amperes = a->top_a * i / TICKS;
        const double s = a->from_s + (a->to_s - a->from_s) * i / TICKS;

        buf_printf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
                   LEFT, LEFT + WIDTH, y_of(a, amperes), y_of(a, amperes));
        buf_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.4g %s</text>\n", LEFT - 6,
                   y_of(a, amperes) + 4, amperes * scale, unit);
        buf_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.6g s</text>\n",
                   x_of(a, s), TOP + HEIGHT + 18, s);
    }
}

static void put_window(const struct axes *a, const struct trace_info *t, struct buf *out)
{
    const double from = fmax(t->on_s, a->from_s);
    const double to = fmin(t->off_s, a->to_s);

    if (to <= from)
        return;
    buf_printf(out,
               "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"#f5e6b8\">"
               "<title>window of %u inferences</title></rect>\n",
               x_of(a, from), TOP, x_of(a, to) - x_of(a, from), HEIGHT, t->inferences);
}

/* Up along the maxima, back along the minima. */
static void put_band(const struct axes *a, const struct trace_point *points, struct buf *out)
{
    buf_puts(out, "<path fill=\"#9bbbe0\" stroke=\"none\" d=\"");
    for (int i = 0; i < TRACE_PLOT_COLUMNS; i++) {
        if (!isnan(points[i].mean_a))
            buf_printf(
                out, "M%d %.1fV%.1fh1V%.1fz", LEFT + i, y_of(a, (double)points[i].min_a) + 0.5,
                y_of(a, (double)points[i].max_a) - 0.5, y_of(a, (double)points[i].min_a) + 0.5);
    }
    buf_puts(out, "\"/>\n");
}

static void put_mean(const struct axes *a, const struct trace_point *points, struct buf *out)
{
    bool pen = false;

    buf_puts(out, "<path fill=\"none\" stroke=\"#1f4e8c\" d=\"");
    for (int i = 0; i < TRACE_PLOT_COLUMNS; i++) {
        if (isnan(points[i].mean_a)) {
            pen = false; /* lost samples leave a gap */
            continue;
        }
        buf_printf(out, "%c%.1f %.1f", pen ? 'L' : 'M', LEFT + i + 0.5,
                   y_of(a, (double)points[i].mean_a));
        pen = true;
    }
    buf_puts(out, "\"/>\n");
}

void trace_plot(const struct trace_info *t, uint64_t first, uint64_t samples,
                const struct trace_point *points, struct buf *out)
{
    const struct axes a = {.from_s = (double)first / t->rate_hz,
                           .to_s = (double)(first + samples) / t->rate_hz,
                           .top_a = round_up(highest(points))};

    buf_printf(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family="
               "\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
               "fill=\"white\"/>\n<text x=\"%d\" y=\"22\" font-size=\"14\">",
               LEFT + WIDTH + 40, TOP + HEIGHT + 40, LEFT);
    put_escaped(out, t->case_key);
    buf_printf(out, ", window %u, ", t->window);
    put_escaped(out, t->meter);
    buf_printf(out, ", %.3f V%s%s</text>\n", t->supply_v, t->emulated ? ", emulated" : "",
               t->invalid != 0 ? ", invalid" : "");
    put_window(&a, t, out);
    put_grid(&a, out);
    put_band(&a, points, out);
    put_mean(&a, points, out);
    buf_puts(out, "</svg>\n");
}
