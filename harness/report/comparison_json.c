/* A comparison for programs; keys are added, never renamed. */
#include <math.h>

#include "harness/base/text.h"
#include "harness/report/comparison.h"

static void put_text(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "\"%s\": ", key);
    if (value != NULL)
        text_json_string(out, value);
    else
        buf_puts(out, "null");
}

static void put_number(struct buf *out, const char *key, double value)
{
    if (isfinite(value))
        buf_printf(out, ", \"%s\": %.17g", key, value);
    else
        buf_printf(out, ", \"%s\": null", key);
}

static void put_row(struct buf *out, const struct compare_case *c, const struct compare_row *row)
{
    const struct event_metric *base = c->a != NULL ? data_case_metric(c->a, row->metric) : NULL;
    const struct decision *d = &row->d;

    buf_puts(out, "{");
    put_text(out, "metric", row->metric);
    buf_puts(out, ", ");
    put_text(out, "unit", unit_name(row->unit));
    buf_puts(out, ", ");
    put_text(out, "unit_a", unit_name(base != NULL ? base->unit : row->unit));
    buf_puts(out, ", ");
    put_text(out, "verdict", verdict_name(d->verdict));
    buf_puts(out, ", ");
    put_text(out, "reason", d->reason);
    buf_puts(out, ", ");
    put_text(out, "method", d->method);
    put_number(out, "a", d->a);
    put_number(out, "b", d->b);
    put_number(out, "change", d->change);
    put_number(out, "low", d->low);
    put_number(out, "high", d->high);
    put_number(out, "p", d->p);
    put_number(out, "p_adjusted", d->p_adjusted);
    put_number(out, "detectable", d->detectable);
    buf_printf(out, ", \"n_a\": %zu, \"n_b\": %zu, \"muted\": %s, \"over_budget\": %s, ", d->na,
               d->nb, row->mute != NULL ? "true" : "false", row->over_budget ? "true" : "false");
    buf_printf(out, "\"emulated_meter\": %s, ", row->emulated ? "true" : "false");
    put_text(out, "blocked_by", row->blocked_by != NULL ? row->blocked_by->key : NULL);
    buf_puts(out, "}");
}

static void put_differences(struct buf *out, const struct differences *d)
{
    buf_puts(out, ", \"differences\": [");
    for (size_t i = 0; i < d->count; i++) {
        buf_puts(out, i > 0 ? ", {" : "{");
        put_text(out, "key", d->list[i].key);
        buf_puts(out, ", ");
        put_text(out, "level", difference_level_name(d->list[i].level));
        buf_puts(out, ", ");
        put_text(out, "a", d->list[i].a);
        buf_puts(out, ", ");
        put_text(out, "b", d->list[i].b);
        buf_puts(out, "}");
    }
    buf_puts(out, "]");
}

static void put_case(struct buf *out, const struct compare_case *c)
{
    buf_puts(out, "{");
    put_text(out, "case", c->key);
    buf_puts(out, ", ");
    put_text(out, "verdict", verdict_name(c->verdict));
    buf_puts(out, ", ");
    put_text(out, "reason", c->reason);
    buf_printf(out, ", \"runs_a\": %zu, \"runs_b\": %zu, \"left_out\": %zu", c->runs_a, c->runs_b,
               c->left_out);
    put_differences(out, &c->differences);
    buf_puts(out, ", \"metrics\": [");
    for (size_t i = 0; i < c->row_count; i++) {
        buf_puts(out, i > 0 ? ",\n  " : "\n  ");
        put_row(out, c, &c->rows[i]);
    }
    buf_puts(out, "]}");
}

static void put_gate(struct buf *out, const struct gate *g)
{
    buf_puts(out, ", \"gate\": {");
    put_text(out, "outcome", gate_outcome_name(g->outcome));
    buf_printf(out, ", \"exit_status\": %d, \"findings\": [", gate_exit_status(g->outcome));
    for (size_t i = 0; i < g->finding_count; i++) {
        const struct gate_finding *f = &g->findings[i];

        buf_puts(out, i > 0 ? ", {" : "{");
        put_text(out, "case", f->case_->key);
        buf_puts(out, ", ");
        put_text(out, "verdict", verdict_name(f->verdict));
        buf_printf(out, ", \"fails\": %s, \"emulated_meter\": %s, ",
                   f->weight == GATE_FAILS ? "true" : "false",
                   f->row != NULL && f->row->emulated ? "true" : "false");
        put_text(out, "text", f->text);
        buf_puts(out, "}");
    }
    buf_puts(out, "]}");
}

void comparison_json(const struct comparison_report *r, struct buf *out)
{
    buf_puts(out, "{\"version\": 1, ");
    put_text(out, "a", r->a);
    buf_puts(out, ", ");
    put_text(out, "b", r->b);
    if (r->gate != NULL)
        put_gate(out, r->gate);
    buf_puts(out, ", \"cases\": [");
    for (size_t i = 0; i < r->comparison->case_count; i++) {
        buf_puts(out, i > 0 ? ",\n " : "\n ");
        put_case(out, &r->comparison->cases[i]);
    }
    buf_puts(out, "]}\n");
}
