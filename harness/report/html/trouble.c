/* What went wrong: case by case, by class, and what it says about the boards. */
#include <string.h>

#include "harness/report/document.h"
#include "harness/report/html/html.h"
#include "harness/report/trouble.h"

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

static void put_classes(struct page *p)
{
    static const char *const titles[] = {"class", ">cases", "boards", NULL};
    const struct trouble_class *list;
    const size_t count = trouble_classes(p->data, p->arena, &list);

    if (count == 0)
        return;
    put(p, "<h3>Failures by class</h3>\n");
    open_small_table(p, "Failures by class", NULL, titles);
    for (size_t i = 0; i < count; i++) {
        put(p, "<tr><th scope=\"row\">");
        put_text(p, list[i].name);
        putf(p, "</th><td class=\"n\">%zu</td>", list[i].cases);
        put_cell(p, "w", list[i].boards);
        put(p, "</tr>\n");
    }
    close_table(p);
}

static void put_health(struct page *p)
{
    static const char *const titles[] = {"board",       ">cases",      ">measured",
                                         ">wrong",      ">lab errors", ">retries",
                                         ">recoveries", ">flake rate", NULL};
    const struct trouble_board *boards;
    const size_t count = trouble_boards(p->data, p->arena, &boards);

    put(p, "<h3>Health of the boards</h3>\n");
    open_small_table(p, "Health of the boards",
                     "flake rate: attempts that the lab spoilt, of all that were made", titles);
    for (size_t i = 0; i < count; i++) {
        const struct trouble_board *h = &boards[i];
        const size_t figures[] = {h->cases,      h->measured, h->wrong,
                                  h->lab_errors, h->retries,  h->recoveries};

        put(p, "<tr><th scope=\"row\">");
        put_text(p, h->board);
        put(p, "</th>");
        for (size_t k = 0; k < ARRAY_SIZE(figures); k++)
            putf(p, "<td class=\"n%s\">%zu</td>", figures[k] == 0 ? " faint" : "", figures[k]);
        putf(p, "<td class=\"n%s\">%.0f %%</td></tr>\n", trouble_flake_rate(h) > 0 ? " over" : "",
             100 * trouble_flake_rate(h));
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
    put_classes(p);
    if (trouble_any(p->data))
        put_health(p);
    put_skipped(p);
}
