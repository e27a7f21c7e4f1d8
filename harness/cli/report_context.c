#include "harness/cli/report_context.h"

#include "harness/cli/select.h"
#include "harness/cli/trend.h"
#include "harness/report/value.h"

enum {
    TREND_RUNS = 90, /* the newest ones */
    TRENDS_MAX = 120 /* on one page; those that changed or are muted come first */
};

/* 0, or 1 when there is no earlier run. */
static int read_before(struct store *s, const struct data_run *run, struct arena *arena,
                       struct dataset *ret, const char **ret_name, struct err *err)
{
    const struct store_selection before = {.run = "last",
                                           .suite = run->suite,
                                           .until_ns = run->started_ns,
                                           .parts = DATA_ALL & ~(unsigned)DATA_OUTPUTS};

    if (store_query(s, &before, arena, ret, err) < 0) {
        if (err->code != ERR_USAGE)
            return (int)err->code;
        err_clear(err);
        return 1;
    }
    if (ret->case_count == 0)
        return 1;
    *ret_name = arena_printf(arena, "the run before, %.8s of %s", ret->runs[0].run_id,
                             value_stamp(arena, ret->runs[0].started_ns));
    return 0;
}

static int add_comparison(struct store *s, const char *against, struct arena *arena,
                          struct report_options *o, struct err *err)
{
    struct comparison *c = arena_alloc(arena, sizeof(*c));
    struct dataset *base = arena_alloc(arena, sizeof(*base));
    struct compare_options how;
    int r = 0;

    o->base = against;
    if (against != NULL)
        r = select_cases_with(s, against, DATA_ALL & ~(unsigned)DATA_OUTPUTS, arena, base, err);
    else
        r = read_before(s, &o->data->runs[0], arena, base, &o->base, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (select_judging(s, o->data, arena, &how, err) < 0)
        return (int)err->code;
    compare(base, o->data, &how, arena, c);
    o->comparison = c;
    return 0;
}

/* Series of this run's suite up to it; of sizes only those that changed. */
static const struct watched {
    const char *metric;
    bool changed_only;
} watched[] = {{"latency", false}, {"energy", false}, {"flash", true}, {"ram", true}};

static bool has_news(const struct report_trend *t)
{
    return t->history->change_count > 0 || t->mute != NULL;
}

static int add_trends(struct store *s, struct arena *arena, struct report_options *o,
                      struct err *err)
{
    const struct data_run *run = &o->data->runs[0];
    const struct store_selection what = {
        .suite = run->suite, .until_ns = run->started_ns + 1, .last = TREND_RUNS};
    struct report_trend *kept = arena_alloc(arena, TRENDS_MAX * sizeof(*kept));
    struct trends found[ARRAY_SIZE(watched)];

    for (size_t w = 0; w < ARRAY_SIZE(watched); w++) {
        if (trend_read(s, &what, watched[w].metric, false, arena, &found[w], err) < 0)
            return (int)err->code;
    }
    for (int pass = 0; pass < 2; pass++) { /* news first */
        for (size_t w = 0; w < ARRAY_SIZE(watched); w++) {
            for (size_t i = 0; i < found[w].count && o->trend_count < TRENDS_MAX; i++) {
                const bool news = has_news(&found[w].list[i]);

                if (news == (pass == 0) && (news || !watched[w].changed_only))
                    kept[o->trend_count++] = found[w].list[i];
            }
        }
    }
    o->trends = kept;
    return 0;
}

int report_context(struct store *s, const char *against, struct arena *arena,
                   struct report_options *o, struct err *err)
{
    if (o->data->run_count != 1)
        return 0;
    if (add_comparison(s, against, arena, o, err) < 0)
        return (int)err->code;
    return add_trends(s, arena, o, err);
}
