/*
 * CSV as RFC 4180 has it (CRLF, quotes doubled): one row per metric of a case; a case without
 * metrics is one row with empty metric columns. Columns only ever get added at the end.
 *
 * Spreadsheets run a field that begins like a formula, so such text gets an apostrophe in front.
 */
#include <math.h>
#include <string.h>

#include "harness/report/glyph.h"
#include "harness/report/registry.h"

static const char header[] = "run,suite,case,model,board,engine,parameters,realm,timebase,status,"
                             "attempt,retries,failure_class,stage,text,outputs_compared,"
                             "outputs_equal,metric,class,unit,value,low,high,n,budget,over_budget,"
                             "started,lower_is_better,emulated_meter\r\n";

struct writer {
    struct arena *arena;
    struct buf *out;
    bool first;
};

static void put_separator(struct writer *w)
{
    if (!w->first)
        buf_putc(w->out, ',');
    w->first = false;
}

static void put_text(struct writer *w, const char *s)
{
    bool formula;

    s = glyph_safe(w->arena, s != NULL ? s : "");
    formula = strspn(s, "=+-@") > 0;
    put_separator(w);
    if (!formula && strpbrk(s, ",\" ") == NULL) {
        buf_puts(w->out, s);
        return;
    }
    buf_puts(w->out, formula ? "\"'" : "\"");
    for (; *s != '\0'; s++) {
        if (*s == '"')
            buf_putc(w->out, '"');
        buf_putc(w->out, *s);
    }
    buf_putc(w->out, '"');
}

static void put_number(struct writer *w, double value)
{
    put_separator(w);
    if (isfinite(value))
        buf_printf(w->out, "%.17g", value);
}

static void put_case(struct writer *w, const struct data_case *c)
{
    w->first = true;
    put_text(w, c->run_id);
    put_text(w, c->suite);
    put_text(w, c->key);
    put_text(w, c->model);
    put_text(w, c->board);
    put_text(w, c->engine);
    put_text(w, c->parameters);
    put_text(w, realm_name(c->realm));
    put_text(w, unit_name(c->timebase));
    put_text(w, c->ended ? case_status_name(c->status) : "unfinished");
    put_number(w, c->attempt);
    put_number(w, c->retries);
    put_text(w, c->failure_class);
    put_text(w, c->stage);
    put_text(w, c->text);
    put_number(w, c->outputs_compared);
    put_number(w, c->outputs_equal);
}

static void put_metric(struct writer *w, const struct event_metric *m)
{
    put_text(w, m->name);
    put_text(w, metric_class_name(m->class_));
    put_text(w, unit_name(m->unit));
    put_number(w, m->value);
    put_number(w, m->low);
    put_number(w, m->high);
    put_number(w, m->n);
    put_text(w, m->budget);
    put_number(w, m->over_budget);
}

static void put_end(struct writer *w, const struct data_case *c, const struct event_metric *m)
{
    char stamp[REPORT_STAMP_SIZE];

    report_stamp(c->started_ns, stamp);
    put_text(w, c->started_ns != 0 ? stamp : "");
    put_number(w, m == NULL ? NAN : m->lower_is_better ? 1 : 0);
    put_number(w, m == NULL ? NAN : data_case_emulated(c, m->name) ? 1 : 0);
    buf_puts(w->out, "\r\n");
}

static int csv_render(const struct report_options *options, struct buf *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct writer w = {.arena = &arena, .out = out};

    buf_puts(out, header);
    for (size_t i = 0; i < options->data->case_count; i++) {
        const struct data_case *c = &options->data->cases[i];

        for (size_t m = 0; m < c->metric_count; m++) {
            put_case(&w, c);
            put_metric(&w, &c->metrics[m]);
            put_end(&w, c, &c->metrics[m]);
        }
        if (c->metric_count == 0) {
            put_case(&w, c);
            buf_puts(out, ",,,,,,,,,");
            put_end(&w, c, NULL);
        }
    }
    arena_release(&arena);
    return 0;
}

const struct report_format report_csv = {
    .name = "csv",
    .extension = ".csv",
    .summary = "a row per metric, for spreadsheets and notebooks",
    .parts = DATA_FACTS,
    .render = csv_render,
};
