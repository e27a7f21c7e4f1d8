#include "harness/cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/text.h"

struct board_line {
    const struct board *board;
    const struct plan_case *current;
    const char *doing; /* a stage, from the kinds of events that come in */
    unsigned windows;
    unsigned ended;
    unsigned total;
    unsigned bad;
    uint64_t since_ns;
};

struct progress {
    struct event_sink base;
    const struct plan *plan;
    FILE *out;
    bool live;
    bool quiet;
    struct board_line *lines;
    size_t line_count;
    size_t drawn; /* lines of the view now on the terminal */
    uint64_t started_ns;
    uint64_t drawn_ns;
    unsigned ended;
    unsigned total;
    struct progress_counts counts;
};

static struct board_line *line_find(struct progress *p, const struct board *board)
{
    for (size_t i = 0; i < p->line_count; i++) {
        if (p->lines[i].board == board)
            return &p->lines[i];
    }
    return NULL;
}

/* Time left, from the mean of the cases that have ended: "~42 s left", or "" at the start. */
static void put_eta(const struct progress *p, struct buf *b)
{
    const uint64_t spent = clock_monotonic_ns() - p->started_ns;
    char text[32];

    if (p->ended == 0 || p->ended >= p->total)
        return;
    text_format_duration(spent / p->ended * (p->total - p->ended) / 1000000000u * 1000000000u,
                         text);
    buf_printf(b, ", about %s left", text);
}

static void erase_view(struct progress *p)
{
    if (p->drawn > 0)
        (void)fprintf(p->out, "\033[%zuA\033[J", p->drawn);
    p->drawn = 0;
}

static void put_line(const struct board_line *l, struct buf *b)
{
    buf_printf(b, "  %-14s %3u/%-3u ", l->board->name, l->ended, l->total);
    if (l->current == NULL)
        buf_puts(b, l->ended == l->total ? "done" : "waiting");
    else if (l->windows > 0)
        buf_printf(b, "%s: window %u", l->current->key, l->windows);
    else
        buf_printf(b, "%s: %s", l->current->key, l->doing);
    if (l->bad > 0)
        buf_printf(b, "  (%u not passed)", l->bad);
}

static void draw_view(struct progress *p)
{
    AUTO_BUF b = BUF_INIT;
    struct winsize size = {.ws_col = 80, .ws_row = 24};
    size_t rows = 1;

    (void)ioctl(fileno(p->out), TIOCGWINSZ, &size);
    erase_view(p);
    buf_printf(&b, "%u of %u cases", p->ended, p->total);
    put_eta(p, &b);
    buf_putc(&b, '\n');
    for (size_t i = 0; i < p->line_count && rows + 1 < size.ws_row; i++, rows++) {
        const size_t start = b.len;

        put_line(&p->lines[i], &b);
        if (b.len - start >= size.ws_col && size.ws_col > 0) {
            b.len = start + size.ws_col - 1;
            b.data[b.len] = '\0';
        }
        buf_putc(&b, '\n');
    }
    (void)fputs(buf_text(&b), p->out);
    (void)fflush(p->out);
    p->drawn = rows;
    p->drawn_ns = clock_monotonic_ns();
}

static void print_case(struct progress *p, const struct event *e, const struct board_line *l)
{
    AUTO_BUF b = BUF_INIT;
    char spent[32];

    text_format_duration(clock_monotonic_ns() - (l != NULL ? l->since_ns : p->started_ns), spent);
    buf_printf(&b, "[%u/%u] %s %s", p->ended, p->total, case_status_name(e->end.status),
               e->case_->key);
    if (e->end.status == CASE_SKIPPED)
        buf_printf(&b, ": %s", e->end.text != NULL ? e->end.text : "");
    else
        buf_printf(&b, " (%s)", spent);
    if (e->end.status != CASE_PASSED && e->end.status != CASE_SKIPPED && e->end.text != NULL) {
        buf_printf(&b, "\n    %s: ", e->end.stage != NULL ? e->end.stage : "case");
        text_escape(&b, e->end.text, strlen(e->end.text));
    }
    if (e->end.retried)
        buf_puts(&b, "; trying again");
    if (!p->live)
        put_eta(p, &b);
    buf_putc(&b, '\n');
    (void)fputs(buf_text(&b), p->out);
}

static void case_ended(struct progress *p, const struct event *e, struct board_line *l)
{
    const bool good = e->end.status == CASE_PASSED || e->end.status == CASE_SKIPPED;

    if (e->end.retried) { /* not the case's last word */
        if (p->live)
            erase_view(p);
        print_case(p, e, l);
        return;
    }
    p->counts.of[e->end.status]++;
    if (e->end.status != CASE_SKIPPED)
        p->ended++;
    if (l != NULL && e->end.status != CASE_SKIPPED) {
        l->ended++;
        l->bad += !good;
        l->current = NULL;
    }
    if (p->quiet && good)
        return;
    if (p->live && good)
        return; /* the view shows the count; only what is not in order deserves a line */
    if (p->live)
        erase_view(p);
    print_case(p, e, l);
}

static int progress_emit(struct event_sink *self, const struct event *e, struct err *err)
{
    struct progress *p = (struct progress *)self;
    struct board_line *l = e->case_ != NULL ? line_find(p, e->case_->board) : NULL;

    if (e->case_ == NULL)
        return 0;
    if (e->kind == EVENT_CASE_END)
        case_ended(p, e, l);
    if (l == NULL)
        return 0;
    switch (e->kind) {
    case EVENT_CASE_BEGIN:
        l->current = e->case_;
        l->doing = "starting";
        l->windows = 0;
        l->since_ns = clock_monotonic_ns();
        break;
    case EVENT_OUTPUT:
        l->doing = "checking outputs";
        break;
    case EVENT_WINDOW:
        l->windows++;
        break;
    default:
        break;
    }
    return 0;
}

struct progress *progress_new(const struct plan *plan, FILE *out, bool live, bool quiet)
{
    struct progress *p = calloc(1, sizeof(*p));

    if (p == NULL)
        abort();
    p->base.emit = progress_emit;
    p->plan = plan;
    p->out = out;
    p->live = live && !quiet;
    p->quiet = quiet;
    p->started_ns = clock_monotonic_ns();
    p->lines = calloc(plan->board_count + 1, sizeof(*p->lines));
    if (p->lines == NULL)
        abort();
    p->line_count = plan->board_count;
    for (size_t i = 0; i < plan->board_count; i++)
        p->lines[i].board = plan->boards[i];
    for (size_t i = 0; i < plan->case_count; i++) {
        struct board_line *l = line_find(p, plan->cases[i].board);

        if (plan->cases[i].skip != NULL || l == NULL)
            continue;
        l->total++;
        p->total++;
    }
    return p;
}

void progress_free(struct progress *p)
{
    if (p == NULL)
        return;
    if (p->live)
        erase_view(p);
    free(p->lines);
    free(p);
}

struct event_sink *progress_sink(struct progress *p)
{
    return &p->base;
}

void progress_tick(struct progress *p)
{
    if (p->live && clock_monotonic_ns() - p->drawn_ns >= 100000000u)
        draw_view(p);
}

struct progress_counts progress_counts(const struct progress *p)
{
    return p->counts;
}
