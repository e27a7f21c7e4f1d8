#include "harness/report/trouble.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"

static bool is_measured(const struct data_case *c)
{
    return c->ended && (c->status == CASE_PASSED || c->status == CASE_OVER);
}

static bool is_made(const struct data_case *c)
{
    return !(c->ended && c->status == CASE_ERROR && c->stage != NULL &&
             strcmp(c->stage, "admission") == 0);
}

/* The classes of err_is_lab_fault(): a window that is too noisy, say, is none. */
static bool is_spoilt(const struct data_case *c)
{
    static const char *const classes[] = {"lab", "timeout", "protocol", "flash", "meter"};

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (c->ended && c->status == CASE_ERROR && c->failure_class != NULL &&
            strcmp(c->failure_class, classes[i]) == 0)
            return is_made(c);
    }
    return false;
}

static void add_case(struct trouble_board *h, const struct data_case *c)
{
    h->cases++;
    h->measured += is_measured(c);
    h->wrong += c->ended && c->status == CASE_FAILED;
    h->lab_errors += !c->ended || c->status == CASE_ERROR;
    h->retries += c->retries;
    h->attempts += c->retries + is_made(c);
    h->spoilt += c->retries + is_spoilt(c);
    h->recoveries += c->recovery_count;
}

double trouble_flake_rate(const struct trouble_board *b)
{
    return b->attempts > 0 ? (double)b->spoilt / (double)b->attempts : 0;
}

size_t trouble_boards(const struct dataset *data, struct arena *arena,
                      const struct trouble_board **ret)
{
    struct trouble_board *boards = arena_alloc(arena, (data->case_count + 1) * sizeof(*boards));
    size_t count = 0;

    for (size_t i = 0; i < data->case_count; i++) {
        const struct data_case *c = &data->cases[i];
        size_t b = 0;

        if (c->status == CASE_SKIPPED)
            continue;
        while (b < count && strcmp(boards[b].board, c->board) != 0)
            b++;
        if (b == count)
            boards[count++] = (struct trouble_board){.board = c->board};
        add_case(&boards[b], c);
    }
    *ret = boards;
    return count;
}

/* ---- by class ---- */

static bool has_class(const struct data_case *c)
{
    return c->failure_class != NULL && !is_measured(c) && c->status != CASE_SKIPPED;
}

static const char *boards_of(const struct dataset *data, const char *name, struct arena *arena)
{
    AUTO_BUF b = BUF_INIT;

    for (size_t i = 0; i < data->case_count; i++) {
        bool before =
            !has_class(&data->cases[i]) || strcmp(data->cases[i].failure_class, name) != 0;

        for (size_t j = 0; j < i && !before; j++)
            before = has_class(&data->cases[j]) &&
                     strcmp(data->cases[j].failure_class, name) == 0 &&
                     strcmp(data->cases[j].board, data->cases[i].board) == 0;
        if (!before)
            buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", data->cases[i].board);
    }
    return arena_strdup(arena, buf_text(&b));
}

static int by_count(const void *a, const void *b)
{
    const struct trouble_class *x = a, *y = b;

    if (x->cases != y->cases)
        return x->cases < y->cases ? 1 : -1;
    return strcmp(x->name, y->name);
}

size_t trouble_classes(const struct dataset *data, struct arena *arena,
                       const struct trouble_class **ret)
{
    struct trouble_class *list = arena_alloc(arena, (data->case_count + 1) * sizeof(*list));
    size_t count = 0;

    for (size_t i = 0; i < data->case_count; i++) {
        const struct data_case *c = &data->cases[i];
        size_t k = 0;

        if (!has_class(c))
            continue;
        while (k < count && strcmp(list[k].name, c->failure_class) != 0)
            k++;
        if (k == count)
            list[count++] = (struct trouble_class){.name = c->failure_class};
        list[k].cases++;
    }
    for (size_t k = 0; k < count; k++)
        list[k].boards = boards_of(data, list[k].name, arena);
    qsort(list, count, sizeof(*list), by_count);
    *ret = list;
    return count;
}

bool trouble_any(const struct dataset *data)
{
    for (size_t i = 0; i < data->case_count; i++) {
        const struct data_case *c = &data->cases[i];

        if (c->status != CASE_SKIPPED &&
            (!is_measured(c) || c->retries > 0 || c->recovery_count > 0))
            return true;
    }
    return false;
}
