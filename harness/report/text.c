/* The terminal report: aligned tables that fit the width, colour only where asked. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness/base/text.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/registry.h"

enum {
    GAP = 2,       /* between columns */
    NARROWEST = 8, /* a text column is never cut below this */
    WIDTH_MAX = 1000
};

static const char *const sgr[] = {
    [TONE_GOOD] = "32", [TONE_WARNING] = "33", [TONE_BAD] = "1;31", [TONE_FAINT] = "2"};

struct painter {
    const struct report_options *options;
    struct arena *arena;
    struct buf *out;
};

static void paint(struct painter *p, const char *text, const char *codes)
{
    if (p->options->colour && codes != NULL && text[0] != '\0')
        buf_printf(p->out, "\x1b[%sm%s\x1b[0m", codes, text);
    else
        buf_puts(p->out, text);
}

static void pad(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(out, ' ');
}

/* End of the longest beginning of text that takes at most `room` columns, cut between words. */
static size_t line_length(const char *text, size_t room)
{
    size_t end = 0;

    for (size_t at = 0;; at++) {
        at += strcspn(text + at, " ");
        if (end != 0 && glyph_width_n(text, at) > room)
            return end;
        end = at;
        if (text[at] == '\0')
            return end;
    }
}

/* Text wrapped at the width, continuation lines indented below its beginning. */
static void paint_wrapped(struct painter *p, const char *first, const char *text, enum tone tone)
{
    const size_t indent = glyph_width(first);
    const size_t width = p->options->width;
    const size_t room = width > indent ? width - indent : width;

    buf_puts(p->out, first);
    for (;;) {
        const size_t n = width == 0 ? strlen(text) : line_length(text, room);

        paint(p, arena_strndup(p->arena, text, n), sgr[tone]);
        buf_putc(p->out, '\n');
        text += n;
        text += strspn(text, " ");
        if (*text == '\0')
            return;
        pad(p->out, indent);
    }
}

/* ---- tables ---- */

struct layout {
    size_t *widths; /* 0: column not shown */
    size_t total;
};

static const struct cell *cell_at(const struct table *t, size_t row, size_t column)
{
    return &t->cells[row * t->column_count + column];
}

static void measure(struct painter *p, const struct table *t, struct layout *l)
{
    l->widths = arena_alloc(p->arena, (t->column_count + 1) * sizeof(*l->widths));
    l->total = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        l->widths[i] = glyph_width(t->columns[i].title);
        for (size_t row = 0; row < t->row_count; row++) {
            const size_t w = glyph_width(cell_at(t, row, i)->text);

            l->widths[i] = w > l->widths[i] ? w : l->widths[i];
        }
        l->total += l->widths[i] + (i > 0 ? GAP : 0);
    }
}

/* The shown column to leave out first; column_count when all must stay. */
static size_t least_important(const struct table *t, const struct layout *l)
{
    size_t worst = t->column_count;

    for (size_t i = 0; i < t->column_count; i++) {
        if (l->widths[i] != 0 && t->columns[i].drop > 0 &&
            (worst == t->column_count || t->columns[i].drop > t->columns[worst].drop))
            worst = i;
    }
    return worst;
}

static size_t widest_text(const struct table *t, const struct layout *l)
{
    size_t widest = t->column_count;

    for (size_t i = 0; i < t->column_count; i++) {
        if (!t->columns[i].number && l->widths[i] > NARROWEST &&
            (widest == t->column_count || l->widths[i] > l->widths[widest]))
            widest = i;
    }
    return widest;
}

/* Leave out columns, then cut the widest texts, until it fits. */
static void fit(struct painter *p, const struct table *t, struct layout *l, struct buf *dropped)
{
    const size_t width = p->options->width;
    size_t column;

    while (width != 0 && l->total > width) {
        column = least_important(t, l);
        if (column == t->column_count)
            break;
        buf_printf(dropped, "%s%s", dropped->len > 0 ? ", " : "", t->columns[column].title);
        l->total -= l->widths[column] + GAP;
        l->widths[column] = 0;
    }
    while (width != 0 && l->total > width) {
        column = widest_text(t, l);
        if (column == t->column_count)
            break;
        l->widths[column]--;
        l->total--;
    }
}

static void paint_cell(struct painter *p, const struct column *column, const char *text,
                       const char *codes, size_t width, bool last)
{
    const char *shown = glyph_fit(p->arena, text, width);
    const size_t space = width - glyph_width(shown);

    if (column->number)
        pad(p->out, space);
    paint(p, shown, codes);
    if (!column->number && !last)
        pad(p->out, space);
}

static void paint_row(struct painter *p, const struct table *t, const struct layout *l,
                      const struct cell *cells)
{
    size_t last = t->column_count;
    bool first = true;

    while (last > 0 && l->widths[last - 1] == 0)
        last--;
    for (size_t i = 0; i < last; i++) {
        if (l->widths[i] == 0)
            continue;
        if (!first)
            pad(p->out, GAP);
        first = false;
        if (cells != NULL)
            paint_cell(p, &t->columns[i], cells[i].text, sgr[cells[i].tone], l->widths[i],
                       i + 1 == last);
        else
            paint_cell(p, &t->columns[i], t->columns[i].title, "1", l->widths[i], i + 1 == last);
    }
    buf_putc(p->out, '\n');
}

static void paint_table(struct painter *p, const struct table *t)
{
    AUTO_BUF dropped = BUF_INIT;
    struct layout l;

    measure(p, t, &l);
    fit(p, t, &l, &dropped);
    paint_row(p, t, &l, NULL);
    for (size_t row = 0; row < t->row_count; row++)
        paint_row(p, t, &l, cell_at(t, row, 0));
    if (dropped.len > 0)
        paint_wrapped(p, "",
                      arena_printf(p->arena, "(no room for: %s; use a wider terminal or --format)",
                                   dropped.data),
                      TONE_FAINT);
}

/* ---- the whole ---- */

static void paint_block(struct painter *p, const struct block *b, bool first)
{
    switch (b->kind) {
    case BLOCK_HEADING:
        if (!first)
            buf_putc(p->out, '\n');
        paint(p, b->text.text, b->level == 1 ? "1;4" : "1");
        buf_putc(p->out, '\n');
        break;
    case BLOCK_TEXT:
        paint_wrapped(p, "", b->text.text, b->text.tone);
        break;
    case BLOCK_ITEM:
        paint_wrapped(p, "- ", b->text.text, b->text.tone);
        break;
    case BLOCK_TABLE:
        paint_table(p, &b->table);
        break;
    }
}

void document_text(const struct document *d, const struct report_options *options, struct buf *out)
{
    struct arena arena = ARENA_INIT;
    struct painter p = {.options = options, .arena = &arena, .out = out};

    for (size_t i = 0; i < d->block_count; i++)
        paint_block(&p, &d->blocks[i], i == 0);
    arena_release(&arena);
}

static int text_render(const struct report_options *options, struct buf *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct document d;

    document_build(options, &arena, &d);
    document_text(&d, options, out);
    arena_release(&arena);
    return 0;
}

void report_fit_terminal(struct report_options *options, int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    uint64_t n;

    options->colour = false;
    options->width = 0;
    if (isatty(fd) == 0)
        return;
    options->colour =
        (no_color == NULL || no_color[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
    if (columns != NULL && text_to_u64(columns, &n) && n > 0 && n < WIDTH_MAX)
        options->width = (unsigned)n;
    else if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        options->width = size.ws_col;
    else
        options->width = 80;
}

const struct report_format report_text = {
    .name = "text",
    .summary = "aligned tables for the terminal",
    .parts = DATA_FACTS,
    .render = text_render,
};
