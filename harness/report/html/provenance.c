/* Where numbers come from: facts that all cases share, facts that differ, and current traces. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/html/html.h"
#include "harness/report/value.h"
#include "harness/spec/fact.h"

/* ---- facts ---- */

/* One key with its different values and the boards they belong to. */
struct fact_value {
    const char *value;
    const char **boards;
    size_t board_count, board_capacity;
};
struct fact_row {
    const char *key;
    struct fact_value *values;
    size_t value_count, value_capacity;
    size_t cases;
};

static void add_board(struct page *p, struct fact_value *v, const char *board)
{
    for (size_t i = 0; i < v->board_count; i++) {
        if (strcmp(v->boards[i], board) == 0)
            return;
    }
    *ARENA_PUSH(p->arena, v->boards, v->board_count, v->board_capacity) = board;
}

static void add_fact(struct page *p, struct fact_row *row, const struct data_case *c,
                     const char *value)
{
    size_t i = 0;

    row->cases++;
    while (i < row->value_count && strcmp(row->values[i].value, value) != 0)
        i++;
    if (i == row->value_count) {
        struct fact_value *v =
            ARENA_PUSH(p->arena, row->values, row->value_count, row->value_capacity);

        memset(v, 0, sizeof(*v));
        v->value = value;
    }
    add_board(p, &row->values[i], c->board);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct fact_row *)a)->key, ((const struct fact_row *)b)->key);
}

static size_t collect_facts(struct page *p, struct fact_row **ret, size_t *ret_cases)
{
    struct fact_row *rows = NULL;
    size_t count = 0, capacity = 0;

    *ret_cases = 0;
    for (size_t i = 0; i < p->data->case_count; i++) {
        const struct data_case *c = &p->data->cases[i];

        *ret_cases += c->fact_count > 0;
        for (size_t f = 0; f < c->fact_count; f++) {
            size_t r = 0;

            while (r < count && strcmp(rows[r].key, c->facts[f].key) != 0)
                r++;
            if (r == count) {
                struct fact_row *row = ARENA_PUSH(p->arena, rows, count, capacity);

                memset(row, 0, sizeof(*row));
                row->key = c->facts[f].key;
            }
            add_fact(p, &rows[r], c, c->facts[f].value);
        }
    }
    if (count > 0)
        qsort(rows, count, sizeof(*rows), by_key);
    *ret = rows;
    return count;
}

static void put_value(struct page *p, const struct fact_value *v, bool boards)
{
    enum {
        BOARDS_SHOWN = 6
    };

    put(p, "<code>");
    put_text(p, v->value);
    put(p, "</code>");
    for (size_t i = 0; boards && i < v->board_count && i < BOARDS_SHOWN; i++) {
        put(p, i == 0 ? " <span class=\"faint\">" : ", ");
        put_text(p, v->boards[i]);
    }
    if (boards && v->board_count > BOARDS_SHOWN)
        putf(p, " and %zu more", v->board_count - BOARDS_SHOWN);
    put(p, boards ? "</span><br>" : "");
}

static void put_fact(struct page *p, const struct fact_row *row, bool boards)
{
    enum {
        VALUES_SHOWN = 24
    };

    put(p, "<dt>");
    put_text(p, row->key);
    put(p, "</dt><dd>");
    for (size_t i = 0; i < row->value_count && i < VALUES_SHOWN; i++)
        put_value(p, &row->values[i], boards);
    if (row->value_count > VALUES_SHOWN)
        putf(p, "and %zu more values", row->value_count - VALUES_SHOWN);
    put(p, "</dd>\n");
}

static void put_runs(struct page *p)
{
    enum {
        RUNS_SHOWN = 20
    };

    for (size_t i = 0; i < p->data->run_count && i < RUNS_SHOWN; i++) {
        const struct data_run *r = &p->data->runs[i];

        put(p, "<dl><dt>run</dt><dd><code>");
        put_text(p, r->run_id);
        put(p, "</code></dd><dt>suite</dt><dd>");
        put_text(p, r->suite_path != NULL ? r->suite_path : r->suite);
        put(p, ", SHA-256 <code>");
        put_text(p, r->suite_digest);
        put(p, "</code></dd><dt>command</dt><dd><code>");
        put_text(p, r->command_line);
        put(p, "</code></dd></dl>\n");
    }
}

static bool is_common(const struct fact_row *row, size_t cases)
{
    return row->value_count == 1 && row->cases == cases;
}

void page_provenance(struct page *p)
{
    struct fact_row *rows;
    size_t cases;
    const size_t count = collect_facts(p, &rows, &cases);

    put_runs(p);
    if (count == 0)
        return;
    put(p, "<div class=\"card\"><h3>The same for all cases</h3>\n<dl>");
    for (size_t i = 0; i < count; i++) {
        if (is_common(&rows[i], cases))
            put_fact(p, &rows[i], false);
    }
    put(p, "</dl></div>\n<div class=\"card\"><h3>Different between "
           "cases</h3>\n<dl>");
    for (size_t i = 0; i < count; i++) {
        if (!is_common(&rows[i], cases))
            put_fact(p, &rows[i], true);
    }
    put(p, "</dl></div>\n");
}

/* ---- current ---- */

enum {
    TRACE_WIDTH = 720,
    TRACE_HEIGHT = 220,
    TRACE_LEFT = 60,
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
             value_short(p->arena, na, UNIT_NA));
        putf(p, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>", trace_x(s, t),
             TRACE_HEIGHT - 14,
             i == 0   ? "start"
             : i == 4 ? "end"
                      : "middle",
             value_short(p->arena, t * 1e9, UNIT_NS));
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
