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
    bool record_lost; /* has been said */
    uint64_t since_ns;
    uint64_t spent_ns; /* on those that have ended */
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

/* "42 s", without what nobody can know. */
static const char *format_left(uint64_t left_ns, char text[static 32])
{
    text_format_duration(left_ns / 1000000000u * 1000000000u, text);
    return left_ns < 1000000000u ? "1 s" : text;
}

/* Time left, from the mean of the cases that have ended: "~42 s left", or "" at the start. */
static void put_eta(const struct progress *p, struct buf *b)
{
    const uint64_t spent = clock_monotonic_ns() - p->started_ns;
    char text[32];

    if (p->ended > 0 && p->ended < p->total)
        buf_printf(b, ", about %s left",
                   format_left(spent / p->ended * (p->total - p->ended), text));
}

/* The same of one board, from its own cases, else from what a case takes on the others: "~42 s". */
static void put_board_eta(const struct progress *p, const struct board_line *l, struct buf *b)
{
    uint64_t spent = l->spent_ns;
    unsigned ended = l->ended;
    char text[32] = "";
    const size_t start = b->len;

    for (size_t i = 0; i < p->line_count && l->ended == 0; i++) {
        spent += p->lines[i].spent_ns;
        ended += p->lines[i].ended;
    }
    if (ended > 0 && l->ended < l->total) {
        const uint64_t gone = l->current != NULL ? clock_monotonic_ns() - l->since_ns : 0;
        const uint64_t mean = spent / ended;
        const uint64_t left = mean * (l->total - l->ended) - (gone < mean ? gone : mean);

        buf_printf(b, "~%s", format_left(left, text));
    }
    buf_printf(b, "%*s", b->len - start < 9 ? (int)(9 - (b->len - start)) : 1, "");
}

static void erase_view(struct progress *p)
{
    if (p->drawn > 0)
        (void)fprintf(p->out, "\033[%zuA\033[J", p->drawn);
    p->drawn = 0;
}

static void put_line(const struct progress *p, const struct board_line *l, struct buf *b)
{
    buf_printf(b, "  %-14s %3u/%-3u ", l->board->name, l->ended, l->total);
    put_board_eta(p, l, b);
    if (l->current == NULL)
        buf_puts(b, l->ended == l->total ? "done" : "waiting");
    else if (l->windows > 0)
        buf_printf(b, "%s: window %u", l->current->key, l->windows);
    else
        buf_printf(b, "%s: %s", l->current->key, l->doing);
    if (l->bad > 0)
        buf_printf(b, "  (%u not passed)", l->bad);
}

/* A line that wraps would be two for the cursor. */
static void end_line(struct buf *b, size_t start, unsigned columns)
{
    if (b->len - start >= columns) {
        b->len = start + columns - 1;
        b->data[b->len] = '\0';
    }
    buf_putc(b, '\n');
}

/* Where there are more boards than rows: those that work first, those that are done last. */
enum rank {
    RANK_WORKS,
    RANK_WAITS,
    RANK_DONE,
    RANKS
};

static enum rank rank_of(const struct board_line *l)
{
    return l->current != NULL ? RANK_WORKS : l->ended < l->total ? RANK_WAITS : RANK_DONE;
}

/* What the rows have no room for. */
static void put_rest(const unsigned hidden[static RANKS], struct buf *b)
{
    const unsigned n = hidden[RANK_WORKS] + hidden[RANK_WAITS] + hidden[RANK_DONE];

    buf_printf(b, "  ... and %u more board%s: %u at work, %u waiting, %u done", n,
               n == 1 ? "" : "s", hidden[RANK_WORKS], hidden[RANK_WAITS], hidden[RANK_DONE]);
}

/* Returns how many lines it took, at most `rows`. */
static size_t put_boards(const struct progress *p, size_t rows, unsigned columns, struct buf *b)
{
    const size_t shown = p->line_count <= rows ? p->line_count : rows - 1;
    unsigned hidden[RANKS] = {0};
    size_t n = 0;

    for (unsigned rank = 0; rank < RANKS; rank++) {
        for (size_t i = 0; i < p->line_count; i++) {
            const size_t start = b->len;

            /* With room for all they keep their places. */
            if (shown < p->line_count ? rank_of(&p->lines[i]) != (enum rank)rank : rank > 0)
                continue;
            if (n == shown) {
                hidden[rank]++;
                continue;
            }
            put_line(p, &p->lines[i], b);
            end_line(b, start, columns);
            n++;
        }
    }
    if (n < p->line_count) {
        const size_t start = b->len;

        put_rest(hidden, b);
        end_line(b, start, columns);
        n++;
    }
    return n;
}

static void draw_view(struct progress *p)
{
    AUTO_BUF b = BUF_INIT;
    struct winsize size = {0};

    (void)ioctl(fileno(p->out), TIOCGWINSZ, &size);
    size.ws_row = size.ws_row != 0 ? size.ws_row : 24;
    size.ws_col = size.ws_col != 0 ? size.ws_col : 80;
    erase_view(p);
    buf_printf(&b, "%u of %u cases", p->ended, p->total);
    put_eta(p, &b);
    end_line(&b, 0, size.ws_col);
    /* The last row is the cursor's. */
    p->drawn = 1;
    if (size.ws_row > 2)
        p->drawn += put_boards(p, size.ws_row - 2, size.ws_col, &b);
    (void)fputs(buf_text(&b), p->out);
    (void)fflush(p->out);
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
        l->spent_ns += l->current != NULL ? clock_monotonic_ns() - l->since_ns : 0;
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

/* Not in order, though the case may be: said once for a board. */
static void say_lost_record(struct progress *p, const char *what, struct board_line *l)
{
    AUTO_BUF b = BUF_INIT;

    if (l->record_lost)
        return;
    l->record_lost = true;
    buf_printf(&b, "board %s: ", l->board->name);
    text_escape(&b, what, strlen(what));
    if (p->live)
        erase_view(p);
    (void)fprintf(p->out, "%s\n", buf_text(&b));
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
    case EVENT_FACT:
        if (strcmp(e->fact.key, "session.record") == 0)
            say_lost_record(p, e->fact.value, l);
        break;
    default:
        break;
    }
    return 0;
}

struct progress *progress_new(const struct plan *plan, const bool *done, FILE *out, bool live,
                              bool quiet)
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

        if (plan->cases[i].skip != NULL || (done != NULL && done[i]) || l == NULL)
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
