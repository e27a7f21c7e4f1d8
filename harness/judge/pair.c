#include "harness/judge/pair.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/base.h"
#include "harness/judge/comparable.h"

/* What a pairing key is made of; fields may be NULL. */
enum field {
    FIELD_SUITE,
    FIELD_MODEL,
    FIELD_BOARD,
    FIELD_ENGINE,
    FIELD_PARAMETERS,
    FIELD_COUNT,
};

static const char *field_of(const struct data_case *c, enum field field)
{
    const char *const fields[FIELD_COUNT] = {c->suite, c->model, c->board, c->engine,
                                             c->parameters};

    return fields[field] != NULL ? fields[field] : "";
}

/* The one value that all cases have, or NULL. */
static const char *only_value(const struct dataset *d, enum field field)
{
    for (size_t i = 1; i < d->case_count; i++) {
        if (strcmp(field_of(&d->cases[i], field), field_of(&d->cases[0], field)) != 0)
            return NULL;
    }
    return d->case_count > 0 ? field_of(&d->cases[0], field) : NULL;
}

static bool compared_across(const struct dataset *a, const struct dataset *b, enum field field)
{
    const char *x = only_value(a, field);
    const char *y = only_value(b, field);

    return x != NULL && y != NULL && strcmp(x, y) != 0;
}

/* A case on its way into a pair. `place` keeps the order of the selections. */
struct ref {
    const struct data_case *c;
    size_t place;
    bool is_b;
};

static int by_key(const void *x, const void *y, void *used)
{
    const struct ref *a = x;
    const struct ref *b = y;

    for (enum field f = 0; f < FIELD_COUNT; f++) {
        const int order =
            ((const bool *)used)[f] ? strcmp(field_of(a->c, f), field_of(b->c, f)) : 0;

        if (order != 0)
            return order;
    }
    return a->place < b->place ? -1 : 1;
}

static bool same_key(const struct ref *a, const struct ref *b, const bool *used)
{
    for (enum field f = 0; f < FIELD_COUNT; f++) {
        if (used[f] && strcmp(field_of(a->c, f), field_of(b->c, f)) != 0)
            return false;
    }
    return true;
}

/* A pair with the place of its first case. */
struct placed {
    struct pair pair;
    size_t place;
};

static int by_place(const void *x, const void *y)
{
    const size_t a = ((const struct placed *)x)->place;
    const size_t b = ((const struct placed *)y)->place;

    return (a > b) - (a < b);
}

static struct placed pair_of(const struct ref *refs, size_t count, struct arena *arena)
{
    struct placed p = {.place = refs[0].place};

    p.pair.a = arena_alloc(arena, count * sizeof(struct data_case *));
    p.pair.b = arena_alloc(arena, count * sizeof(struct data_case *));
    for (size_t i = 0; i < count; i++) {
        if (refs[i].is_b)
            p.pair.b[p.pair.b_count++] = refs[i].c;
        else
            p.pair.a[p.pair.a_count++] = refs[i].c;
    }
    return p;
}

size_t pair_cases(const struct dataset *a, const struct dataset *b, struct arena *arena,
                  const struct pair **ret_pairs, unsigned *ret_across)
{
    static const enum fact_part parts[FIELD_COUNT] = {FACT_OF_CASE, FACT_OF_MODEL, FACT_OF_BOARD,
                                                      FACT_OF_ENGINE, FACT_OF_CASE};
    const size_t count = a->case_count + b->case_count;
    struct ref *refs = arena_alloc(arena, (count + 1) * sizeof(*refs));
    struct placed *placed = arena_alloc(arena, (count + 1) * sizeof(*placed));
    struct pair *pairs = arena_alloc(arena, (count + 1) * sizeof(*pairs));
    bool used[FIELD_COUNT];
    size_t n = 0;

    *ret_across = 0;
    for (enum field f = 0; f < FIELD_COUNT; f++) {
        used[f] = !compared_across(a, b, f);
        if (!used[f] && parts[f] != FACT_OF_CASE)
            *ret_across |= ACROSS(parts[f]);
    }
    for (size_t i = 0; i < b->case_count; i++)
        refs[i] = (struct ref){.c = &b->cases[i], .place = i, .is_b = true};
    for (size_t i = 0; i < a->case_count; i++)
        refs[b->case_count + i] = (struct ref){.c = &a->cases[i], .place = b->case_count + i};
    qsort_r(refs, count, sizeof(*refs), by_key, used);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && same_key(&refs[from], &refs[to], used); to++)
            ;
        placed[n++] = pair_of(refs + from, to - from, arena);
    }
    qsort(placed, n, sizeof(*placed), by_place);
    for (size_t i = 0; i < n; i++)
        pairs[i] = placed[i].pair;
    *ret_pairs = pairs;
    return n;
}

bool pair_usable(const struct data_case *c)
{
    return c->ended && (c->status == CASE_PASSED || c->status == CASE_OVER);
}

static bool poolable(const struct data_case *c, const struct data_case *newest,
                     struct arena *scratch)
{
    const struct differences d = comparable_cases(newest, c, 0, scratch);

    return d.count == 0 || d.list[0].level < DIFFERENCE_METRIC_BLOCK;
}

struct pair_side pair_side_of(const struct data_case *const *cases, size_t count,
                              struct arena *arena)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct pair_side s = {.cases = arena_alloc(arena, (count + 1) * sizeof(struct data_case *))};
    const struct data_case *swap;

    for (size_t i = 0; i < count; i++) {
        if (!pair_usable(cases[i]))
            continue;
        if (s.newest == NULL)
            s.newest = cases[i];
        if (cases[i] == s.newest || poolable(cases[i], s.newest, &scratch))
            s.cases[s.count++] = cases[i];
        else
            s.left_out++;
    }
    s.usable = s.newest != NULL;
    if (!s.usable && count > 0)
        s.newest = cases[0];
    for (size_t i = 0; i < s.count / 2; i++) {
        swap = s.cases[i];
        s.cases[i] = s.cases[s.count - 1 - i];
        s.cases[s.count - 1 - i] = swap;
    }
    return s;
}
