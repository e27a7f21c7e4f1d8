/* What was measured: a table per board, rankings across boards, and what went wrong. */
#include <math.h>
#include <string.h>

#include "harness/judge/choose.h"
#include "harness/judge/sample.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
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

static void put_log(struct page *p, const struct data_case *c)
{
    enum {
        LOG_SHOWN = 2000
    };
    const char *log = c->log;
    size_t n;

    if (log == NULL)
        return;
    n = strlen(log);
    put(p, "<details><summary>log");
    if (n > LOG_SHOWN)
        putf(p, " (its last %d of %zu bytes)", LOG_SHOWN, n);
    put(p, "</summary><pre>");
    if (n > LOG_SHOWN)
        log += n - LOG_SHOWN;
    while (*log != '\0') {
        const size_t line = strcspn(log, "\n");

        put_text(p, arena_strndup(p->arena, log, line));
        put(p, "\n");
        log += line + (log[line] == '\n');
    }
    put(p, "</pre></details>");
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
    for (size_t row = 0; row < count; row++)
        put_result_row(p, &t, row, plot, cases[row]);
    close_table(p);
}

static void put_section(struct page *p, size_t first)
{
    const struct data_case *c = &p->data->cases[first];
    const bool by_model = p->options->group == REPORT_BY_MODEL;
    const char *name = by_model ? (c->model != NULL ? c->model : c->key) : c->board;
    const struct data_case *const *cases;
    const char *meter;
    size_t count;

    cases = document_section_cases(p->options, p->arena, first, &count);
    meter = document_meter(p->arena, cases, count);
    put(p, "<div class=\"card\"><h3>");
    put_text(p, name);
    putf(p, " <span class=\"tag\">%s, %s</span></h3>\n", realm_name(c->realm),
         unit_name(c->timebase));
    put(p, "<p class=\"sub\">");
    if (!by_model) {
        put_text(p, document_board(p->arena, c));
        put(p, "; ");
    }
    putf(p, "%s %s", c->timebase == UNIT_NS ? "time" : unit_name(c->timebase),
         document_timebase(c));
    if (meter != NULL) {
        put(p, "; ");
        put_text(p, meter);
    }
    put(p, "</p>\n");
    put_results(p, arena_printf(p->arena, "Results of %s, %s", name, unit_name(c->timebase)), cases,
                count);
    put(p, "</div>\n");
}

void page_results(struct page *p)
{
    const size_t *first;
    const size_t count = document_sections(p->options, p->arena, &first);

    put(p,
        "<p class=\"sub\">Dots are the measured windows around their middle; a level row of dots "
        "is exact. Numbers of a case whose outputs are wrong are not shown: they are not "
        "results.</p>\n");
    for (size_t i = 0; i < count; i++)
        put_section(p, first[i]);
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
    const struct plot_axis x = {.title = speed_unit(s) == UNIT_NS ? "time per inference"
                                                                  : unit_name(speed_unit(s)),
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

/* ---- what went wrong ---- */

static void put_failure(struct page *p, const struct data_case *c)
{
    put(p, "<li>");
    put_status(p, c);
    put(p, " <b>");
    put_text(p, c->key);
    put(p, "</b> ");
    put_text(p, document_failure(p->arena, c));
    put_log(p, c);
    put(p, "</li>\n");
}

static bool is_trouble(const struct data_case *c)
{
    return c->status != CASE_PASSED && c->status != CASE_SKIPPED;
}

/* Per board: how its cases ended and what it took. */
struct health {
    const char *board;
    size_t cases, good, failed, errors, retries, recoveries, attempts;
};

static void add_health(struct health *h, const struct data_case *c)
{
    h->cases++;
    h->good += document_is_result(c);
    h->failed += c->ended && c->status == CASE_FAILED;
    h->errors += !c->ended || c->status == CASE_ERROR;
    h->retries += c->retries;
    h->attempts += c->retries + 1;
    h->recoveries += c->recovery_count;
}

static size_t collect_health(struct page *p, struct health *boards)
{
    size_t count = 0;

    for (size_t i = 0; i < p->data->case_count; i++) {
        const struct data_case *c = &p->data->cases[i];
        size_t b = 0;

        if (c->status == CASE_SKIPPED)
            continue;
        while (b < count && strcmp(boards[b].board, c->board) != 0)
            b++;
        if (b == count)
            boards[count++] = (struct health){.board = c->board};
        add_health(&boards[b], c);
    }
    return count;
}

static void put_health(struct page *p)
{
    static const char *const titles[] = {"board",       ">cases",      ">measured",
                                         ">wrong",      ">lab errors", ">retries",
                                         ">recoveries", ">flake rate", NULL};
    struct health *boards = arena_alloc(p->arena, (p->data->case_count + 1) * sizeof(*boards));
    const size_t count = collect_health(p, boards);

    put(p, "<h3>Health of the boards</h3>\n");
    open_small_table(p, "Health of the boards",
                     "flake rate: attempts that the lab spoilt, of all attempts", titles);
    for (size_t i = 0; i < count; i++) {
        const struct health *h = &boards[i];
        const size_t figures[] = {h->cases,  h->good,    h->failed,
                                  h->errors, h->retries, h->recoveries};

        put(p, "<tr><th scope=\"row\">");
        put_text(p, h->board);
        put(p, "</th>");
        for (size_t k = 0; k < ARRAY_SIZE(figures); k++)
            putf(p, "<td class=\"n\">%zu</td>", figures[k]);
        putf(p, "<td class=\"n\">%.0f %%</td></tr>\n",
             100.0 * (double)(h->retries + h->errors) / (double)h->attempts);
    }
    close_table(p);
}

/* One line per reason: a whole suite is often planned away for one. */
static void put_skipped(struct page *p)
{
    bool headed = false;

    for (size_t i = 0; i < p->data->case_count; i++) {
        const char *reason = p->data->cases[i].text != NULL ? p->data->cases[i].text : "";
        size_t n = 0, before = 0;

        if (p->data->cases[i].status != CASE_SKIPPED)
            continue;
        for (size_t j = 0; j < p->data->case_count; j++) {
            const struct data_case *c = &p->data->cases[j];

            if (c->status == CASE_SKIPPED && strcmp(c->text != NULL ? c->text : "", reason) == 0) {
                before += j < i;
                n++;
            }
        }
        if (before > 0)
            continue;
        put(p, headed ? "" : "<h3>Skipped by plan</h3>\n<ul class=\"plain\">");
        headed = true;
        putf(p, "<li>%zu case%s: ", n, n == 1 ? "" : "s");
        put_text(p, reason);
        put(p, "</li>\n");
    }
    put(p, headed ? "</ul>\n" : "");
}

void page_failures(struct page *p)
{
    bool any = false;

    for (size_t i = 0; i < p->data->case_count; i++) {
        if (!is_trouble(&p->data->cases[i]))
            continue;
        put(p, any ? "" : "<ul class=\"plain\">");
        any = true;
        put_failure(p, &p->data->cases[i]);
    }
    put(p, any ? "</ul>\n" : "");
    if (any)
        put_health(p);
    put_skipped(p);
}
