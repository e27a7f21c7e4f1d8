/*
 * GitHub's workflow commands: an annotation per thing that went wrong, on the suite's file.
 * A line of text from outside cannot begin a command of its own: newlines and % are encoded.
 */
#include <string.h>

#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/registry.h"
#include "harness/report/value.h"

struct writer {
    struct arena *arena;
    struct buf *out;
};

static void put_encoded(struct writer *w, const char *s, bool property)
{
    for (s = glyph_safe(w->arena, s); *s != '\0'; s++) {
        if (*s == '%' || (property && strchr(",:", *s) != NULL))
            buf_printf(w->out, "%%%02X", (unsigned char)*s);
        else
            buf_putc(w->out, *s);
    }
}

static void put_command(struct writer *w, const char *level, const char *file, const char *title,
                        const char *message)
{
    buf_printf(w->out, "::%s ", level);
    if (file != NULL) {
        buf_puts(w->out, "file=");
        put_encoded(w, file, true);
        buf_putc(w->out, ',');
    }
    buf_puts(w->out, "title=");
    put_encoded(w, title, true);
    buf_puts(w->out, "::");
    put_encoded(w, message, false);
    buf_putc(w->out, '\n');
}

static void put_budgets(struct writer *w, const struct data_case *c, const char *file)
{
    for (size_t i = 0; i < c->metric_count; i++) {
        const struct event_metric *m = &c->metrics[i];

        if (m->over_budget)
            put_command(w, "error", file, c->key,
                        arena_printf(w->arena, "over budget: %s is %s%s, must be %s", m->name,
                                     value_text(w->arena, m->value, m->unit),
                                     data_case_emulated(c, m->name) ? " (emulated)" : "",
                                     m->budget != NULL ? m->budget : "less"));
    }
}

static void put_case(struct writer *w, const struct data_case *c, const char *file)
{
    const bool lab = !c->ended || c->status == CASE_ERROR;

    put_budgets(w, c, file);
    if (!lab && c->status != CASE_FAILED)
        return;
    put_command(w, lab ? "warning" : "error", file, c->key,
                arena_printf(w->arena, "%s%s%s: %s%s%s", document_status(c).text,
                             c->stage != NULL ? " at " : "", c->stage != NULL ? c->stage : "",
                             c->text != NULL ? c->text : "it never ended",
                             c->hint != NULL ? "; try: " : "", c->hint != NULL ? c->hint : ""));
}

static int github_render(const struct report_options *options, struct buf *out, struct err *err)
{
    const struct dataset *d = options->data;
    struct arena arena = ARENA_INIT;
    struct writer w = {.arena = &arena, .out = out};

    for (size_t i = 0; i < d->case_count; i++) {
        const struct data_run *r = dataset_run(d, d->cases[i].run_id);

        put_case(&w, &d->cases[i], r != NULL ? r->suite_path : NULL);
    }
    put_command(&w, "notice", NULL, "tinyrig", document_tally(&arena, d));
    arena_release(&arena);
    return 0;
}

const struct report_format report_github = {
    .name = "github",
    .summary = "annotations for a GitHub workflow's log",
    .parts = DATA_FACTS,
    .render = github_render,
};
