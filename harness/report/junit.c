/*
 * JUnit XML for CI servers: a test case per case, and one more per budget. A failed model is a
 * failure; the lab at fault, and what never ended, an error; what the plan left out is skipped.
 */
#include <math.h>
#include <string.h>

#include "harness/report/glyph.h"
#include "harness/report/registry.h"
#include "harness/report/value.h"

struct writer {
    const struct report_options *options;
    struct arena *arena;
    struct buf *out;
};

struct totals {
    size_t tests, failures, errors, skipped;
};

static void put_escaped(struct writer *w, const char *s)
{
    report_xml(w->out, glyph_safe(w->arena, s != NULL ? s : ""));
}

static void put_attribute(struct writer *w, const char *name, const char *value)
{
    buf_printf(w->out, " %s=\"", name);
    put_escaped(w, value);
    buf_putc(w->out, '"');
}

static bool is_error(const struct data_case *c)
{
    return !c->ended || c->status == CASE_ERROR || c->status == CASE_CANCELLED;
}

static void count_case(const struct data_case *c, struct totals *t)
{
    t->tests++;
    t->skipped += c->status == CASE_SKIPPED;
    t->failures += c->ended && c->status == CASE_FAILED;
    t->errors += is_error(c);
    for (size_t i = 0; i < c->metric_count; i++) {
        t->tests += c->metrics[i].budget != NULL;
        t->failures += c->metrics[i].budget != NULL && c->metrics[i].over_budget;
    }
}

static void open_case(struct writer *w, const struct data_case *c, const char *name)
{
    buf_puts(w->out, "    <testcase");
    put_attribute(w, "classname", arena_printf(w->arena, "%s.%s", c->suite, c->board));
    put_attribute(w, "name", name);
    buf_printf(w->out, " time=\"%.3f\"", (double)c->host_ns / 1e9);
}

static void put_trouble(struct writer *w, const struct data_case *c, const char *element)
{
    buf_printf(w->out, ">\n      <%s", element);
    put_attribute(w, "type", c->failure_class != NULL ? c->failure_class : "unfinished");
    put_attribute(w, "message", c->text != NULL ? c->text : "the case never ended");
    buf_puts(w->out, ">");
    if (c->stage != NULL) {
        buf_puts(w->out, "stage: ");
        put_escaped(w, c->stage);
    }
    if (c->hint != NULL) {
        buf_puts(w->out, "; try: ");
        put_escaped(w, c->hint);
    }
    buf_printf(w->out, "</%s>\n    </testcase>\n", element);
}

/* A property says that the meter behind it is emulated; the name stays what it is on a real one. */
static void put_budget(struct writer *w, const struct data_case *c, const struct event_metric *m)
{
    const bool emulated = data_case_emulated(c, m->name);

    open_case(w, c, arena_printf(w->arena, "%s: %s", c->key, m->budget));
    if (!m->over_budget && !emulated) {
        buf_puts(w->out, "/>\n");
        return;
    }
    buf_puts(w->out, ">\n");
    if (emulated)
        buf_puts(w->out, "      <properties><property name=\"meter\" value=\"emulated\"/>"
                         "</properties>\n");
    if (m->over_budget) {
        buf_puts(w->out, "      <failure type=\"over-budget\"");
        put_attribute(w, "message",
                      arena_printf(w->arena, "%s is %s%s", m->name,
                                   value_text(w->arena, m->value, m->unit),
                                   emulated ? " (emulated)" : ""));
        buf_puts(w->out, "/>\n");
    }
    buf_puts(w->out, "    </testcase>\n");
}

static void put_budgets(struct writer *w, const struct data_case *c)
{
    for (size_t i = 0; i < c->metric_count; i++) {
        if (c->metrics[i].budget != NULL)
            put_budget(w, c, &c->metrics[i]);
    }
}

static void put_case(struct writer *w, const struct data_case *c)
{
    open_case(w, c, c->key);
    if (c->status == CASE_SKIPPED) {
        buf_puts(w->out, ">\n      <skipped");
        put_attribute(w, "message", c->text);
        buf_puts(w->out, "/>\n    </testcase>\n");
    } else if (is_error(c)) {
        put_trouble(w, c, "error");
    } else if (c->status == CASE_FAILED) {
        put_trouble(w, c, "failure");
    } else {
        buf_puts(w->out, "/>\n");
    }
    put_budgets(w, c);
}

static void put_totals(struct buf *out, const struct totals *t)
{
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", t->tests,
               t->failures, t->errors, t->skipped);
}

/* A suite of results per run, in the order of the data. */
static void put_run(struct writer *w, const struct data_run *r)
{
    const struct dataset *d = w->options->data;
    struct totals t = {.tests = 0};
    char stamp[REPORT_STAMP_SIZE];

    for (size_t i = 0; i < d->case_count; i++) {
        if (strcmp(d->cases[i].run_id, r->run_id) == 0)
            count_case(&d->cases[i], &t);
    }
    report_stamp(r->started_ns, stamp);
    buf_puts(w->out, "  <testsuite");
    put_attribute(w, "name", r->suite);
    put_attribute(w, "id", r->run_id);
    put_attribute(w, "hostname", r->host);
    buf_printf(w->out, " timestamp=\"%.19s\"", stamp);
    if (r->ended_ns > r->started_ns)
        buf_printf(w->out, " time=\"%.3f\"", (double)(r->ended_ns - r->started_ns) / 1e9);
    put_totals(w->out, &t);
    buf_puts(w->out, ">\n");
    for (size_t i = 0; i < d->case_count; i++) {
        if (strcmp(d->cases[i].run_id, r->run_id) == 0)
            put_case(w, &d->cases[i]);
    }
    buf_puts(w->out, "  </testsuite>\n");
}

static int junit_render(const struct report_options *options, struct buf *out, struct err *err)
{
    const struct dataset *d = options->data;
    struct arena arena = ARENA_INIT;
    struct writer w = {.options = options, .arena = &arena, .out = out};
    struct totals t = {.tests = 0};

    for (size_t i = 0; i < d->case_count; i++)
        count_case(&d->cases[i], &t);
    buf_puts(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tinyrig\"");
    put_totals(out, &t);
    buf_puts(out, ">\n");
    for (size_t i = 0; i < d->run_count; i++)
        put_run(&w, &d->runs[i]);
    buf_puts(out, "</testsuites>\n");
    arena_release(&arena);
    return 0;
}

const struct report_format report_junit = {
    .name = "junit",
    .extension = ".xml",
    .summary = "JUnit XML: a test case per case and budget, for CI servers",
    .parts = DATA_FACTS,
    .render = junit_render,
};
