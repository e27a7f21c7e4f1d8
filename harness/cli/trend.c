#include "harness/cli/trend.h"

#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"

/* Does a difference make another environment of it? Builds, models and commits are the subject. */
static bool breaks_series(const struct difference *d)
{
    static const char *const prefixes[] = {"compiler.", "board.", "board_type.", "meter."};

    if (d->a == NULL || d->b == NULL)
        return false;
    if (d->level >= DIFFERENCE_METRIC_BLOCK && strncmp(d->key, "model.", 6) != 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (strncmp(d->key, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* Differences between the contexts of two neighbouring points. */
static int differences_of(struct store *s, uint64_t before, uint64_t after, struct arena *arena,
                          struct differences *ret, struct err *err)
{
    const struct data_fact *a, *b;
    size_t a_count, b_count;

    *ret = (struct differences){.count = 0};
    if (before == after || before == 0 || after == 0)
        return 0;
    if (store_facts(s, before, arena, &a, &a_count, err) < 0 ||
        store_facts(s, after, arena, &b, &b_count, err) < 0)
        return (int)err->code;
    *ret = comparable_facts(a, a_count, b, b_count, 0, arena);
    return 0;
}

/* Pairs of contexts seen before: the series of one case share them. */
struct seen {
    uint64_t before, after;
    bool broken;
};
struct cache {
    struct seen *list;
    size_t count, capacity;
    struct arena *arena;
};

static int is_break(struct store *s, struct cache *cache, uint64_t before, uint64_t after,
                    bool *ret, struct err *err)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct differences d;

    *ret = false;
    if (before == after)
        return 0;
    for (size_t i = cache->count; i > 0; i--) {
        if (cache->list[i - 1].before == before && cache->list[i - 1].after == after) {
            *ret = cache->list[i - 1].broken;
            return 0;
        }
    }
    if (differences_of(s, before, after, &scratch, &d, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < d.count; i++)
        *ret = *ret || breaks_series(&d.list[i]);
    *ARENA_PUSH(cache->arena, cache->list, cache->count, cache->capacity) =
        (struct seen){before, after, *ret};
    return 0;
}

static const struct mute *mute_of(const struct mute *mutes, size_t count,
                                  const struct data_series *s)
{
    for (size_t i = 0; i < count; i++) {
        if (text_matches(mutes[i].key, s->key) && text_matches(mutes[i].metric, s->metric))
            return &mutes[i];
    }
    return NULL;
}

static int make_trend(struct store *s, const struct data_series *series, struct cache *cache,
                      struct arena *arena, struct report_trend *ret, struct err *err)
{
    bool *breaks = arena_alloc(arena, series->point_count + 1);
    struct history *h = arena_alloc(arena, sizeof(*h));

    for (size_t i = 1; i < series->point_count; i++) {
        if (is_break(s, cache, series->points[i - 1].context, series->points[i].context, &breaks[i],
                     err) < 0)
            return (int)err->code;
    }
    history_of(series, breaks, &decide_policy_default, arena, h);
    *ret = (struct report_trend){.series = series, .history = h, .breaks = breaks};
    return 0;
}

int trend_read(struct store *s, const struct store_selection *selection, const char *metric,
               bool all, struct arena *arena, struct trends *ret, struct err *err)
{
    AUTO(arena_release) struct arena scratch = ARENA_INIT;
    struct cache cache = {.arena = &scratch};
    struct report_trend *list;
    struct data_history history;
    const struct mute *mutes;
    size_t mute_count;
    size_t n = 0;

    if (store_history(s, selection, metric, arena, &history, err) < 0 ||
        store_mutes(s, clock_realtime_ns(), arena, &mutes, &mute_count, err) < 0)
        return (int)err->code;
    list = arena_alloc(arena, (history.series_count + 1) * sizeof(*list));
    for (size_t i = 0; i < history.series_count; i++) {
        const struct data_series *series = &history.series[i];

        if (series->point_count < 2 && !all)
            continue;
        if (make_trend(s, series, &cache, arena, &list[n], err) < 0)
            return (int)err->code;
        list[n++].mute = mute_of(mutes, mute_count, series);
    }
    *ret = (struct trends){.list = list, .count = n};
    return 0;
}

int trend_cause(struct store *s, const struct data_series *series, size_t at, struct arena *arena,
                const struct difference **ret, struct err *err)
{
    struct differences d;

    *ret = NULL;
    if (at == 0 || differences_of(s, series->points[at - 1].context, series->points[at].context,
                                  arena, &d, err) < 0)
        return at == 0 ? 0 : (int)err->code;
    for (size_t i = 0; i < d.count; i++) {
        if (*ret == NULL || (breaks_series(&d.list[i]) && !breaks_series(*ret)))
            *ret = &d.list[i];
    }
    return 0;
}
