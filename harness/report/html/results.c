/* What was measured, board by board, and rankings across boards. */
#include <math.h>
#include <string.h>

#include "harness/judge/choose.h"
#include "harness/judge/sample.h"
#include "harness/report/document.h"
#include "harness/report/html/html.h"
#include "harness/report/value.h"

/* ---- results ---- */

static void put_windows_cell(struct page *p, const struct data_case *c)
{
    const struct data_case *const one[] = {c};
    struct decide_sample s;

    put(p, "<td>");
    if (document_is_result(c) && c->window_count > 0) {
        s = sample_of(one, 1, "latency", p->arena);
        plot_windows(p, s.values, s.n);
    }
    put(p, "</td>");
}

/* Column after which the windows are drawn: the latency, whose title is the timebase. */
static size_t latency_column(const struct table *t, const struct data_case *c)
{
    const char *title = document_latency_title(c);
    size_t i = 0;

    while (i < t->column_count && strcmp(t->columns[i].title, title) != 0)
        i++;
    return i;
}

/* The mean current says what energy over time says; the page has no room for both. */
static bool is_left_out(const struct table *t, size_t column)
{
    return strcmp(t->columns[column].title, "current") == 0;
}

static void put_result_row(struct page *p, const struct table *t, size_t row, size_t plot,
                           const struct data_case *c)
{
    put(p, "<tr>");
    for (size_t i = 0; i < t->column_count; i++) {
        const struct cell *cell = &t->cells[row * t->column_count + i];

        if (is_left_out(t, i))
            continue;
        if (i == 0) {
            put(p, "<td>");
            put_status(p, c);
            put(p, "</td>");
        } else if (!t->columns[i].number && strcmp(t->columns[i].title, "engine") != 0 &&
                   strcmp(t->columns[i].title, "parameters") != 0) {
            put(p, "<th scope=\"row\">");
            put_text(p, cell->text);
            put(p, "</th>");
        } else {
            put_cell(p,
                     !t->columns[i].number        ? NULL
                     : cell->tone == TONE_WARNING ? "n over"
                     : cell->tone == TONE_BAD     ? "n bad"
                                                  : "n",
                     cell->text);
        }
        if (i == plot)
            put_windows_cell(p, c);
    }
    put(p, "</tr>\n");
}

static bool has_windows(const struct data_case *const *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cases[i]->window_count > 0 && document_is_result(cases[i]))
            return true;
    }
    return false;
}

/* The board (or model) that the next rows belong to. */
static void put_results_group(struct page *p, const struct data_case *c, size_t columns, bool first)
{
    const bool by_model = p->options->group == REPORT_BY_MODEL;
    const struct data_case *const one[] = {c};
    const char *meter = document_meter(p->arena, one, 1);

    open_group(p, columns, first, page_section_name(p, c));
    if (!by_model) {
        put(p, " <span class=\"about\">");
        put_text(p, document_board(p->arena, c));
        put(p, "</span>");
    }
    if (meter != NULL) {
        put(p, " <span class=\"about\">");
        put_text(p, meter);
        put(p, "</span>");
    }
    close_group(p);
}

/* All sections of one realm and timebase in one table, so that their columns line up. */
static void put_results(struct page *p, const char *label, const struct data_case *const *cases,
                        size_t count)
{
    const char **titles;
    struct table t;
    size_t n = 0, plot;

    document_results(p->options, p->arena, cases, count, &t);
    titles = arena_alloc(p->arena, (t.column_count + 2) * sizeof(const char *));
    plot = has_windows(cases, count) ? latency_column(&t, cases[0]) : t.column_count;
    for (size_t i = 0; i < t.column_count; i++) {
        if (is_left_out(&t, i))
            continue;
        titles[n++] =
            arena_printf(p->arena, "%s%s", t.columns[i].number ? ">" : "", t.columns[i].title);
        if (i == plot)
            titles[n++] = "windows";
    }
    open_table(p, label, NULL, titles);
    for (size_t row = 0; row < count; row++) {
        if (row == 0 || !document_same_section(p->options, cases[row - 1], cases[row]))
            put_results_group(p, cases[row], n, row == 0);
        put_result_row(p, &t, row, plot, cases[row]);
    }
    close_table(p);
}

static bool same_kind(const struct data_case *a, const struct data_case *b)
{
    return a->realm == b->realm && a->timebase == b->timebase;
}

/* Cases of all sections that count in the same unit, section by section. */
static size_t collect_kind(struct page *p, const size_t *first, size_t sections, size_t from,
                           const struct data_case **ret)
{
    const struct data_case *kind = &p->data->cases[first[from]];
    size_t n = 0;

    for (size_t s = from; s < sections; s++) {
        const struct data_case *const *cases;
        size_t count;

        if (!same_kind(kind, &p->data->cases[first[s]]))
            continue;
        cases = document_section_cases(p->options, p->arena, first[s], &count);
        for (size_t i = 0; i < count; i++)
            ret[n++] = cases[i];
    }
    return n;
}

static void put_kind(struct page *p, const struct data_case *c,
                     const struct data_case *const *cases, size_t count)
{
    const char *unit = c->timebase == UNIT_NS ? "time" : unit_name(c->timebase);
    const char *title = arena_printf(
        p->arena, "%s, %s", c->realm == REALM_SILICON ? "Silicon" : "Virtual boards", unit);

    put(p, "<div class=\"card\"><h3>");
    put_text(p, title);
    put(p, "</h3>\n<p class=\"sub\">");
    putf(p, "%s %s</p>\n", unit, document_timebase(c));
    put_results(p, title, cases, count);
    put(p, "</div>\n");
}

void page_results(struct page *p)
{
    const size_t *first;
    const size_t sections = document_sections(p->options, p->arena, &first);
    const struct data_case **cases =
        arena_alloc(p->arena, (p->data->case_count + 1) * sizeof(const struct data_case *));

    put(p, "<p class=\"sub\">Per inference. Dots are the measured windows in their order, between "
           "the least and the most of them; a level row is exact. Numbers of a case whose outputs "
           "are wrong are not shown: they are not results.</p>\n");
    for (size_t i = 0; i < sections; i++) {
        const struct data_case *c = &p->data->cases[first[i]];
        bool before = false;

        for (size_t j = 0; j < i && !before; j++)
            before = same_kind(c, &p->data->cases[first[j]]);
        if (!before)
            put_kind(p, c, cases, collect_kind(p, first, sections, i, cases));
    }
}

/* ---- across boards ---- */

static double speed_of(const struct standing *s)
{
    return isfinite(s->time_ns) ? s->time_ns : isfinite(s->cycles) ? s->cycles : s->instructions;
}

static enum unit speed_unit(const struct standing *s)
{
    return isfinite(s->time_ns) ? UNIT_NS : isfinite(s->cycles) ? UNIT_CYCLES : UNIT_INSTRUCTIONS;
}

static bool same_group(const struct standing *a, const struct standing *b)
{
    return a->c->realm == b->c->realm && speed_unit(a) == speed_unit(b);
}

/* What the cases of one group know; a column that none knows is left out. */
struct known {
    bool macs, energy, flash, ram;
    double best, worst;
};

static struct known known_of(const struct standing *s, size_t count)
{
    struct known k = {.best = INFINITY};

    for (size_t i = 0; i < count; i++) {
        k.macs |= isfinite(s[i].macs_per_cycle);
        k.energy |= isfinite(s[i].energy_nj);
        k.flash |= isfinite(s[i].flash);
        k.ram |= isfinite(s[i].ram);
        k.best = fmin(k.best, speed_of(&s[i]));
        k.worst = fmax(k.worst, speed_of(&s[i]));
    }
    return k;
}

static void put_known(struct page *p, bool shown, double value, enum unit unit)
{
    if (shown)
        put_number(p, isfinite(value) ? value_text(p->arena, value, unit) : "", false);
}

static void put_standing(struct page *p, const struct standing *s, const struct known *k)
{
    const double speed = speed_of(s);

    put(p, "<tr><th scope=\"row\">");
    put_text(p, s->c->board);
    put(p, "</th>");
    put_cell(p, NULL,
             arena_printf(p->arena, "%s%s%s", s->c->engine, s->c->parameters[0] != '\0' ? ", " : "",
                          s->c->parameters));
    put_number(p, value_bare(p->arena, speed, speed_unit(s)), false);
    put(p, "<td>");
    plot_length(p, speed, k->worst, s->front ? 2 : 1);
    put(p, "</td>");
    put_number(p, arena_printf(p->arena, "%.2f", speed / k->best), false);
    if (k->macs)
        put_number(
            p, isfinite(s->macs_per_cycle) ? arena_printf(p->arena, "%.3f", s->macs_per_cycle) : "",
            false);
    put_known(p, k->energy, s->energy_nj, UNIT_NJ);
    put_known(p, k->flash, s->flash, UNIT_BYTES);
    put_known(p, k->ram, s->ram, UNIT_BYTES);
    put_cell(p, "good", s->front ? "front" : "");
    put(p, "</tr>\n");
}

static void put_ranking(struct page *p, const char *model, const struct standing *s, size_t count)
{
    static const char *const words[] = {
        [UNIT_CYCLES] = ">cycles", [UNIT_INSTRUCTIONS] = ">instructions", [UNIT_NS] = ">time"};
    const struct known k = known_of(s, count);
    const char *titles[12] = {"board", "engine", words[speed_unit(s)], "compared",
                              ">times the best"};
    size_t n = 5;

    if (!(k.best > 0) || !isfinite(k.worst))
        return;
    if (k.macs)
        titles[n++] = ">MACs/cycle";
    if (k.energy)
        titles[n++] = ">energy";
    if (k.flash)
        titles[n++] = ">flash";
    if (k.ram)
        titles[n++] = ">RAM";
    titles[n] = "Pareto";
    open_small_table(
        p, arena_printf(p->arena, "Ranking of %s, %s", model, unit_name(speed_unit(s))),
        arena_printf(p->arena, "realm %s, %s per inference, best first", realm_name(s->c->realm),
                     speed_unit(s) == UNIT_NS ? "time" : unit_name(speed_unit(s))),
        titles);
    for (size_t i = 0; i < count; i++)
        put_standing(p, &s[i], &k);
    close_table(p);
}

/* Latency against energy; only where at least two cases know both. */
static void put_pareto(struct page *p, const char *model, const struct standing *s, size_t count)
{
    const struct plot_axis x = {
        .title = speed_unit(s) == UNIT_NS
                     ? "time per inference"
                     : arena_printf(p->arena, "%s per inference", unit_name(speed_unit(s))),
        .unit = speed_unit(s)};
    const struct plot_axis y = {.title = "energy per inference", .unit = UNIT_NJ};
    struct plot_point *points = arena_alloc(p->arena, count * sizeof(*points));
    double *figures = arena_alloc(p->arena, 2 * count * sizeof(*figures));
    bool *front = arena_alloc(p->arena, count * sizeof(*front));
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        if (!(s[i].energy_nj > 0) || !(speed_of(&s[i]) > 0))
            continue;
        figures[2 * n] = speed_of(&s[i]);
        figures[2 * n + 1] = s[i].energy_nj;
        points[n++] = (struct plot_point){
            .x = speed_of(&s[i]),
            .y = s[i].energy_nj,
            .label = arena_printf(p->arena, "%s, %s", s[i].c->board, s[i].c->engine),
            .colour = 1};
    }
    if (n < 2)
        return;
    choose_front(figures, n, 2, front);
    for (size_t i = 0; i < n; i++) {
        points[i].front = front[i];
        points[i].colour = front[i] ? 2 : 1;
    }
    plot_scatter(p, points, n, &x, &y,
                 arena_printf(p->arena,
                              "%s: speed against energy of %zu boards and engines. Large "
                              "dots are on the Pareto front: nothing is both faster and "
                              "thriftier. The table above has the figures.",
                              model, n));
}

static void put_model(struct page *p, const char *model)
{
    const struct choose_options options = {.model = model};
    const struct standing *s;
    const size_t count = choose_rank(p->data, &options, p->arena, &s);

    if (count == 0)
        return;
    put(p, "<div class=\"card\"><h3>");
    put_text(p, model);
    put(p, "</h3>\n");
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && same_group(&s[from], &s[to]);)
            to++;
        put_ranking(p, model, &s[from], to - from);
        put_pareto(p, model, &s[from], to - from);
    }
    put(p, "</div>\n");
}

void page_rankings(struct page *p)
{
    for (size_t i = 0; i < p->data->case_count; i++) {
        const char *model = p->data->cases[i].model;
        bool before = model == NULL;

        for (size_t j = 0; j < i && !before; j++)
            before = p->data->cases[j].model != NULL && strcmp(p->data->cases[j].model, model) == 0;
        if (!before)
            put_model(p, model);
    }
}
