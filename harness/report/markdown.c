/*
 * GitHub-flavoured Markdown, for pull requests. Names cannot break out of a table, become links or
 * HTML, or notify people: every character with a meaning is escaped.
 */
#include <string.h>

#include "harness/report/document.h"
#include "harness/report/registry.h"

/* An HTML entity where a backslash does not help: @ (mentions) and # (issue links). */
static void put_escaped(struct buf *out, const char *s)
{
    for (; *s != '\0'; s++) {
        switch (*s) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '@':
            buf_puts(out, "&#64;");
            break;
        case '#':
            buf_puts(out, "&#35;");
            break;
        case '|':
        case '\\':
        case '`':
        case '*':
        case '_':
        case '[':
        case ']':
        case '~':
        case '!':
        case '$':
            buf_putc(out, '\\');
            buf_putc(out, *s);
            break;
        case ':':
            /* "https://" would become a link */
            buf_puts(out, s[1] == '/' && s[2] == '/' ? "&#58;" : ":");
            break;
        default:
            buf_putc(out, *s);
        }
    }
}

static const char *mark_of(enum tone tone)
{
    switch (tone) {
    case TONE_GOOD:
        return ":white_check_mark: ";
    case TONE_WARNING:
        return ":warning: ";
    case TONE_BAD:
        return ":x: ";
    default:
        return "";
    }
}

static void put_row(struct buf *out, const struct table *t, const struct cell *cells)
{
    for (size_t i = 0; i < t->column_count; i++) {
        buf_puts(out, "| ");
        if (i == 0)
            buf_puts(out, mark_of(cells[i].tone));
        put_escaped(out, cells[i].text);
        buf_putc(out, ' ');
    }
    buf_puts(out, "|\n");
}

static void put_table(struct buf *out, const struct table *t)
{
    for (size_t i = 0; i < t->column_count; i++) {
        buf_puts(out, "| ");
        put_escaped(out, t->columns[i].title);
        buf_putc(out, ' ');
    }
    buf_puts(out, "|\n");
    for (size_t i = 0; i < t->column_count; i++)
        buf_puts(out, t->columns[i].number ? "| ---: " : "| --- ");
    buf_puts(out, "|\n");
    for (size_t row = 0; row < t->row_count; row++)
        put_row(out, t, &t->cells[row * t->column_count]);
    buf_putc(out, '\n');
}

static void put_block(struct buf *out, const struct block *b, bool ends_list)
{
    switch (b->kind) {
    case BLOCK_HEADING:
        buf_printf(out, "%s ", b->level == 1 ? "##" : "###");
        put_escaped(out, b->text.text);
        buf_puts(out, "\n\n");
        break;
    case BLOCK_TEXT:
        put_escaped(out, b->text.text);
        buf_puts(out, "\n\n");
        break;
    case BLOCK_ITEM:
        buf_puts(out, "- ");
        buf_puts(out, mark_of(b->text.tone));
        put_escaped(out, b->text.text);
        buf_puts(out, ends_list ? "\n\n" : "\n");
        break;
    case BLOCK_TABLE:
        put_table(out, &b->table);
        break;
    }
}

void document_markdown(const struct document *d, struct buf *out)
{
    for (size_t i = 0; i < d->block_count; i++)
        put_block(out, &d->blocks[i],
                  i + 1 == d->block_count || d->blocks[i + 1].kind != BLOCK_ITEM);
}

static int markdown_render(const struct report_options *options, struct buf *out, struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct document d;

    document_build(options, &arena, &d);
    document_markdown(&d, out);
    arena_release(&arena);
    return 0;
}

const struct report_format report_markdown = {
    .name = "markdown",
    .extension = ".md",
    .summary = "tables for pull requests and wikis",
    .parts = DATA_FACTS,
    .render = markdown_render,
};
