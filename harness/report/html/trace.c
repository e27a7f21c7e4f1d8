/* Traces of current that were kept, thinned out, with the measured windows shaded. */
#include <math.h>

#include "harness/report/html/html.h"
#include "harness/report/value.h"

enum {
    TRACE_WIDTH = 720,
    TRACE_HEIGHT = 220,
    TRACE_LEFT = 72,
    TRACE_BOTTOM = 34,
    TRACE_TOP = 10
};

struct trace_scale {
    double begin, end;
    double peak, most; /* highest value; end of the axis */
};

static double trace_x(const struct trace_scale *s, double t)
{
    return TRACE_LEFT + (TRACE_WIDTH - TRACE_LEFT - 10) * (t - s->begin) / (s->end - s->begin);
}

static double trace_y(const struct trace_scale *s, double na)
{
    return TRACE_HEIGHT - TRACE_BOTTOM -
           (TRACE_HEIGHT - TRACE_TOP - TRACE_BOTTOM) * fmax(na, 0) / s->most;
}

/* The next number whose quarters are short. */
static double round_up(double value)
{
    static const double steps[] = {1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10};
    const double decade = pow(10, floor(log10(value)));
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(steps) && steps[i] * decade < value)
        i++;
    return steps[i] * decade;
}

static struct trace_scale trace_scale_of(const struct report_trace *t)
{
    struct trace_scale s = {
        .begin = t->begin_s, .end = t->begin_s + t->step_s * (double)t->count, .most = 1};

    for (size_t i = 0; i < t->count; i++)
        s.most = fmax(s.most, t->high_na != NULL ? t->high_na[i] : t->mean_na[i]);
    s.peak = s.most;
    s.most = round_up(s.most);
    if (!(s.end > s.begin))
        s.end = s.begin + 1;
    return s;
}

static void put_band(struct page *p, const struct report_trace *t, const struct trace_scale *s)
{
    if (t->high_na == NULL || t->low_na == NULL)
        return;
    put(p, "<path class=\"band\" d=\"");
    for (size_t i = 0; i < t->count; i++)
        putf(p, "%c%.1f %.1f", i == 0 ? 'M' : 'L',
             trace_x(s, t->begin_s + t->step_s * ((double)i + 0.5)), trace_y(s, t->high_na[i]));
    for (size_t i = t->count; i-- > 0;)
        putf(p, "L%.1f %.1f", trace_x(s, t->begin_s + t->step_s * ((double)i + 0.5)),
             trace_y(s, t->low_na[i]));
    put(p, "Z\"/>");
}

static void put_trace_axes(struct page *p, const struct trace_scale *s)
{
    for (int i = 0; i <= 4; i++) {
        const double na = s->most * i / 4, t = s->begin + (s->end - s->begin) * i / 4;

        putf(p,
             "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
             "text-anchor=\"end\">%s</text>",
             TRACE_LEFT, trace_y(s, na), TRACE_WIDTH - 10, TRACE_LEFT - 6, trace_y(s, na) + 4,
             i == 0 ? "0" : value_short(p->arena, na, UNIT_NA));
        putf(p, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>", trace_x(s, t),
             TRACE_HEIGHT - 14,
             i == 0   ? "start"
             : i == 4 ? "end"
                      : "middle",
             t == 0 ? "0 s" : value_short(p->arena, t * 1e9, UNIT_NS));
    }
}

static void put_trace(struct page *p, const struct report_trace *t)
{
    const struct trace_scale s = trace_scale_of(t);
    double sum = 0;
    size_t known = 0;
    bool pen = false;

    for (size_t i = 0; i < t->count; i++) {
        sum += isnan(t->mean_na[i]) ? 0 : t->mean_na[i];
        known += !isnan(t->mean_na[i]);
    }
    putf(p, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Current over time of ",
         TRACE_WIDTH, TRACE_HEIGHT);
    put_text(p, t->key);
    put(p, "\">");
    for (size_t i = 0; i < t->window_count; i++)
        putf(p, "<rect class=\"shade\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
             trace_x(&s, t->windows[i][0]), TRACE_TOP,
             fmax(trace_x(&s, t->windows[i][1]) - trace_x(&s, t->windows[i][0]), 0.5),
             TRACE_HEIGHT - TRACE_TOP - TRACE_BOTTOM);
    put_trace_axes(p, &s);
    put_band(p, t, &s);
    put(p, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < t->count; i++) {
        if (!isnan(t->mean_na[i])) /* lost samples leave a gap */
            putf(p, "%c%.1f %.1f", pen ? 'L' : 'M',
                 trace_x(&s, t->begin_s + t->step_s * ((double)i + 0.5)),
                 trace_y(&s, t->mean_na[i]));
        pen = !isnan(t->mean_na[i]);
    }
    put(p, "\"/></svg><figcaption><b>");
    put_text(p, t->key);
    put(p, "</b> ");
    put_text(p, t->text);
    putf(p,
         "; mean %s, highest %s over %s; %zu measured windows are shaded.</figcaption></figure>\n",
         value_text(p->arena, known > 0 ? sum / (double)known : NAN, UNIT_NA),
         value_text(p->arena, s.peak, UNIT_NA),
         value_text(p->arena, (s.end - s.begin) * 1e9, UNIT_NS), t->window_count);
}

void page_traces(struct page *p)
{
    for (size_t i = 0; i < p->options->trace_count; i++)
        put_trace(p, &p->options->traces[i]);
}
