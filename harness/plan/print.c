#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/plan/plan.h"

/* The cases of one board stand together: cases[0..count) of it. */
static size_t board_cases(const struct plan *plan, size_t first)
{
    size_t count = 1;

    while (first + count < plan->case_count &&
           plan->cases[first + count].board == plan->cases[first].board)
        count++;
    return count;
}

static int longest_key(const struct plan_case *cases, size_t count)
{
    int width = 0;

    for (size_t i = 0; i < count; i++) {
        if ((int)strlen(cases[i].key) > width)
            width = (int)strlen(cases[i].key);
    }
    return width;
}

/* The reason that keeps a whole board out, or NULL. */
static const char *common_skip(const struct plan_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cases[i].skip == NULL || strcmp(cases[i].skip, cases[0].skip) != 0)
            return NULL;
    }
    return count > 1 ? cases[0].skip : NULL;
}

static void print_board(const struct board *b, struct buf *out)
{
    char flash[32];
    char ram[32];

    text_format_bytes(b->flash.size, flash);
    text_format_bytes(b->ram.size, ram);
    buf_printf(out, "\n%s  (%s, %s%s%s, flash %s, RAM %s)\n", b->name, realm_name(b->realm), b->cpu,
               b->part != NULL ? ", " : "", b->part != NULL ? b->part : "",
               b->flash.size != 0 ? flash : "none", ram);
}

static void print_budget(const struct suite_budget *budget, const char *why, struct buf *out)
{
    buf_puts(out, "        budget ");
    text_escape(out, budget->text, strlen(budget->text));
    buf_printf(out, "%s\n", why);
}

static void print_measure(const struct plan_case *c, struct buf *out)
{
    const struct suite_measure *m = c->measure;
    char time[32];

    text_format_duration(m->window_ns, time);
    buf_printf(out, "        %" PRIu32 " x %" PRIu32 " windows of ", m->slope, m->windows);
    if (m->inferences != 0)
        buf_printf(out, "N = %" PRIu32, m->inferences);
    else
        buf_puts(out, time);
    buf_printf(out, ", warm-up %" PRIu32 ", %" PRIu32 " run%s%s%s%s, %zu vector%s\n", m->warmup,
               m->repeat, m->repeat == 1 ? "" : "s", m->interleave ? " in turn" : "",
               m->profile ? ", profile" : "", c->energy != NULL ? ", energy" : "",
               c->model->vector_count, c->model->vector_count == 1 ? "" : "s");
    for (size_t i = 0; i < c->budget_count; i++)
        print_budget(c->budgets[i], "", out);
    for (size_t i = 0; i < c->unjudged_count; i++) {
        const struct metric_info *metric = metric_info_find(c->unjudged[i]->metric);
        char why[64] = "  (not judged: no meter)";

        if (metric != NULL && metric->kind == METRIC_KIND_TIME)
            (void)snprintf(why, sizeof(why), "  (not judged: the board counts %s)",
                           unit_name(c->board->timebase_unit));
        print_budget(c->unjudged[i], why, out);
    }
}

static void print_case(const struct plan_case *c, int width, bool verbose, struct buf *out)
{
    if (c->skip == NULL) {
        buf_printf(out, "  run   %s\n", c->key);
        if (verbose)
            print_measure(c, out);
        return;
    }
    buf_printf(out, "  skip  %-*s  ", width, c->key);
    text_escape(out, c->skip, strlen(c->skip));
    buf_putc(out, '\n');
}

static void print_cases(const struct plan_case *cases, size_t count, bool verbose, struct buf *out)
{
    const char *skip = common_skip(cases, count);
    const int width = longest_key(cases, count);

    print_board(cases[0].board, out);
    if (skip != NULL) {
        buf_printf(out, "  skip  all %zu cases: ", count);
        text_escape(out, skip, strlen(skip));
        buf_putc(out, '\n');
        return;
    }
    for (size_t i = 0; i < count; i++)
        print_case(&cases[i], width, verbose, out);
}

void plan_print(const struct plan *plan, bool verbose, struct buf *out)
{
    size_t count;

    buf_printf(out, "suite %s, lab %s: %zu case%s, %zu to run on %zu board%s, %zu skipped\n",
               plan->suite->name, plan->lab->name, plan->case_count,
               plan->case_count == 1 ? "" : "s", plan->run_count, plan->board_count,
               plan->board_count == 1 ? "" : "s", plan->case_count - plan->run_count);
    for (size_t first = 0; first < plan->case_count; first += count) {
        count = board_cases(plan, first);
        print_cases(&plan->cases[first], count, verbose, out);
    }
}

static void json_text(struct buf *out, const char *key, const char *value)
{
    text_json_string(out, key);
    buf_puts(out, ": ");
    if (value == NULL)
        buf_puts(out, "null");
    else
        text_json_string(out, value);
}

static void json_case(const struct plan_case *c, struct buf *out)
{
    const struct suite_measure *m = c->measure;

    buf_puts(out, "    {");
    json_text(out, "key", c->key);
    buf_puts(out, ", ");
    json_text(out, "model", c->model->name);
    buf_puts(out, ", ");
    json_text(out, "board", c->board->name);
    buf_printf(out, ", \"realm\": \"%s\", ", realm_name(c->board->realm));
    json_text(out, "engine", c->engine);
    buf_puts(out, ", \"parameters\": {");
    for (size_t i = 0; i < c->parameter_count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        json_text(out, c->parameters[i].name, c->parameters[i].value);
    }
    buf_printf(out,
               "}, \"windows\": %" PRIu32 ", \"slope\": %" PRIu32 ", \"window_ns\": %" PRIu64
               ", \"inferences\": %" PRIu32 ", \"warmup\": %" PRIu32 ", \"repeat\": %" PRIu32
               ", \"vectors\": %zu, \"energy\": %s, \"budgets\": [",
               m->windows, m->slope, m->window_ns, m->inferences, m->warmup, m->repeat,
               c->model->vector_count, c->energy != NULL ? "true" : "false");
    for (size_t i = 0; i < c->budget_count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        text_json_string(out, c->budgets[i]->text);
    }
    buf_puts(out, "], \"unjudged_budgets\": [");
    for (size_t i = 0; i < c->unjudged_count; i++) {
        buf_puts(out, i > 0 ? ", " : "");
        text_json_string(out, c->unjudged[i]->text);
    }
    buf_puts(out, "], ");
    json_text(out, "skip", c->skip);
    buf_putc(out, '}');
}

void plan_print_json(const struct plan *plan, struct buf *out)
{
    buf_puts(out, "{\n  ");
    json_text(out, "suite", plan->suite->name);
    buf_puts(out, ",\n  ");
    json_text(out, "suite_digest", plan->suite->digest);
    buf_puts(out, ",\n  ");
    json_text(out, "lab", plan->lab->name);
    buf_printf(out, ",\n  \"run\": %zu,\n  \"skipped\": %zu,\n  \"cases\": [\n", plan->run_count,
               plan->case_count - plan->run_count);
    for (size_t i = 0; i < plan->case_count; i++) {
        json_case(&plan->cases[i], out);
        buf_puts(out, i + 1 < plan->case_count ? ",\n" : "\n");
    }
    buf_puts(out, "  ]\n}\n");
}
