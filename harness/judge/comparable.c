#include "harness/judge/comparable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"

static const char *value_of(const struct data_fact *facts, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(facts[i].key, key) == 0)
            return facts[i].value;
    }
    return NULL;
}

static bool equal(const char *a, const char *b, double tolerance)
{
    double x;
    double y;

    if (strcmp(a, b) == 0)
        return true;
    return tolerance > 0 && text_to_double(a, &x) && text_to_double(b, &y) &&
           fabs(x - y) <= tolerance * fmax(fabs(x), fabs(y));
}

/* Collects differences; facts of `across` parts lose their power to block. */
struct collector {
    struct difference *list;
    size_t count;
    size_t capacity;
    unsigned across;
    struct arena *arena;
};

static void collect(struct collector *c, const char *key, const char *a, const char *b)
{
    const struct fact_info *info = fact_info_find(key);
    enum difference_level level = info->level;
    struct difference *d;

    if (level == DIFFERENCE_IGNORE || (a != NULL && b != NULL && equal(a, b, info->tolerance)))
        return;
    if (a == NULL || b == NULL || (c->across & ACROSS(info->part)))
        level = DIFFERENCE_INFORM;
    d = ARENA_PUSH(c->arena, c->list, c->count, c->capacity);
    *d = (struct difference){.key = key,
                             .title = info->title[0] != '\0' ? info->title : key,
                             .level = level,
                             .classes = info->classes,
                             .a = a,
                             .b = b};
}

static void collect_facts(struct collector *c, const struct data_fact *a, size_t a_count,
                          const struct data_fact *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        collect(c, a[i].key, a[i].value, value_of(b, b_count, a[i].key));
    for (size_t i = 0; i < b_count; i++) {
        if (value_of(a, a_count, b[i].key) == NULL)
            collect(c, b[i].key, NULL, b[i].value);
    }
}

static int worst_first(const void *a, const void *b)
{
    const struct difference *x = a;
    const struct difference *y = b;

    if (x->level != y->level)
        return x->level > y->level ? -1 : 1;
    return strcmp(x->key, y->key);
}

static struct differences sorted(struct collector *c)
{
    if (c->count > 1)
        qsort(c->list, c->count, sizeof(*c->list), worst_first);
    return (struct differences){.list = c->list, .count = c->count};
}

struct differences comparable_facts(const struct data_fact *a, size_t a_count,
                                    const struct data_fact *b, size_t b_count, unsigned across,
                                    struct arena *arena)
{
    struct collector c = {.across = across, .arena = arena};

    collect_facts(&c, a, a_count, b, b_count);
    return sorted(&c);
}

struct differences comparable_cases(const struct data_case *a, const struct data_case *b,
                                    unsigned across, struct arena *arena)
{
    struct collector c = {.across = across, .arena = arena};

    collect(&c, "realm", realm_name(a->realm), realm_name(b->realm));
    collect(&c, "timebase", unit_name(a->timebase), unit_name(b->timebase));
    collect_facts(&c, a->facts, a->fact_count, b->facts, b->fact_count);
    return sorted(&c);
}

const struct difference *comparable_block(const struct differences *d, enum metric_class judged)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct difference *x = &d->list[i];

        if (x->level == DIFFERENCE_BLOCK ||
            (x->level == DIFFERENCE_METRIC_BLOCK && (x->classes >> judged & 1)))
            return x;
    }
    return NULL;
}

const struct difference *comparable_find(const struct differences *d, const char *key)
{
    for (size_t i = 0; i < d->count; i++) {
        if (strcmp(d->list[i].key, key) == 0)
            return &d->list[i];
    }
    return NULL;
}

bool comparable_same(const struct data_case *a, const struct data_case *b,
                     const struct differences *d)
{
    for (size_t i = 0; i < d->count; i++) {
        if (strncmp(d->list[i].key, "git.", 4) != 0) /* another commit, the same bytes */
            return false;
    }
    return data_case_fact(a, "firmware.sha256") != NULL &&
           data_case_fact(b, "firmware.sha256") != NULL;
}
