#include "harness/load/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/text.h"

void problem_add(struct problems *p, struct where where, const char *fmt, ...)
{
    AUTO_BUF escaped = BUF_INIT;
    char text[600];
    va_list ap;

    if (p->count++ >= PROBLEM_LIMIT)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    text_escape(&escaped, text, strlen(text)); /* it quotes the file: keep terminals safe */
    p->items[p->count - 1] =
        (struct problem){.where = where, .text = arena_strdup(p->arena, buf_text(&escaped))};
}

static int by_place(const void *left, const void *right)
{
    const struct problem *a = left;
    const struct problem *b = right;
    const int file = strcmp(a->where.file, b->where.file);

    if (file != 0)
        return file;
    if (a->where.line != b->where.line)
        return a->where.line < b->where.line ? -1 : 1;
    return (a->where.column > b->where.column) - (a->where.column < b->where.column);
}

int problems_report(struct problems *p, struct err *err)
{
    AUTO_BUF text = {.limit = sizeof(err->text) - 64};
    const size_t kept = p->count < PROBLEM_LIMIT ? p->count : PROBLEM_LIMIT;
    size_t shown = 0;

    if (p->count == 0)
        return 0;
    qsort(p->items, kept, sizeof(p->items[0]), by_place);
    for (; shown < kept; shown++) {
        const struct problem *item = &p->items[shown];
        const size_t before = text.len;

        buf_printf(&text, "%s%s:%u:%u: %s", shown > 0 ? "\n" : "", item->where.file,
                   item->where.line, item->where.column, item->text);
        if (text.full) {
            text.len = before;
            break;
        }
    }
    if (shown < p->count)
        return err_set(err, ERR_CONFIG, "%.*s\n(%s%zu more)", (int)text.len, buf_text(&text),
                       p->count > PROBLEM_LIMIT ? "at least " : "", p->count - shown);
    return err_set(err, ERR_CONFIG, "%.*s", (int)text.len, buf_text(&text));
}
