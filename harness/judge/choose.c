#include "harness/judge/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"

static double figure(const struct data_case *c, const char *name, enum unit unit)
{
    const struct event_metric *m = data_case_metric(c, name);

    return m != NULL && m->unit == unit ? m->value : NAN;
}

static double clock_hz(const struct data_case *c)
{
    const char *text = data_case_fact(c, "clock.hz");
    double hz;

    if (text == NULL)
        text = data_case_fact(c, "board_type.clock_hz");
    return text != NULL && text_to_double(text, &hz) && hz > 0 ? hz : NAN;
}

/* A metric in ns: measured so, or cycles of a part whose clock is known. Never of a virtual board. */
static double nanoseconds(const struct data_case *c, const char *name)
{
    const double ns = figure(c, name, UNIT_NS);

    if (c->realm != REALM_SILICON)
        return NAN;
    return isnan(ns) ? figure(c, name, UNIT_CYCLES) / clock_hz(c) * 1e9 : ns;
}

static double cycles(const struct data_case *c)
{
    const double counted = figure(c, "latency", UNIT_CYCLES);

    if (!isnan(counted) || c->realm != REALM_SILICON)
        return counted;
    return figure(c, "latency", UNIT_NS) * clock_hz(c) / 1e9;
}

static bool has_numbers(const struct data_case *c, const char *model)
{
    return c->ended && (c->status == CASE_PASSED || c->status == CASE_OVER) &&
           (model == NULL || (c->model != NULL && strcmp(c->model, model) == 0));
}

/* The newest case of its key that has numbers; runs come newest first. */
static bool wanted(const struct dataset *data, size_t i, const char *model)
{
    const struct data_case *c = &data->cases[i];

    if (!has_numbers(c, model))
        return false;
    for (size_t k = 0; k < i; k++) {
        const struct data_case *newer = &data->cases[k];

        if (strcmp(newer->key, c->key) == 0 && strcmp(newer->suite, c->suite) == 0 &&
            has_numbers(newer, model))
            return false;
    }
    return true;
}

static struct standing standing_of(const struct data_case *c, double frames_per_second)
{
    struct standing s = {.c = c,
                         .time_ns = nanoseconds(c, "latency"),
                         .cycles = cycles(c),
                         .instructions = figure(c, "latency", UNIT_INSTRUCTIONS),
                         .macs = figure(c, "macs", UNIT_COUNT),
                         .energy_nj = figure(c, "energy", UNIT_NJ),
                         .flash = figure(c, "flash", UNIT_BYTES),
                         .ram = figure(c, "ram", UNIT_BYTES),
                         .battery_ns = figure(c, "battery_life", UNIT_NS),
                         .rate_margin = NAN};

    s.macs_per_cycle = s.macs / s.cycles;
    if (frames_per_second > 0)
        s.rate_margin = 1e9 / frames_per_second / s.time_ns;
    return s;
}

/* Groups that are never ordered into each other. */
static int group_of(const struct standing *s)
{
    if (s->c->realm == REALM_SILICON)
        return 0;
    return isnan(s->instructions) ? 1 : 2;
}

static double speed(const struct standing *s)
{
    if (!isnan(s->time_ns))
        return s->time_ns;
    return isnan(s->cycles) ? s->instructions : s->cycles;
}

/* Smaller is better; NAN goes last. */
static double order_key(const struct standing *s, enum standing_order order)
{
    switch (order) {
    case ORDER_BY_CYCLES:
        return s->cycles;
    case ORDER_BY_MACS_PER_CYCLE:
        return -s->macs_per_cycle;
    case ORDER_BY_ENERGY:
        return s->energy_nj;
    case ORDER_BY_FLASH:
        return s->flash;
    case ORDER_BY_RAM:
        return s->ram;
    case ORDER_BY_BATTERY:
        return -s->battery_ns;
    default:
        return speed(s);
    }
}

static int better_first(const void *x, const void *y, void *order)
{
    const struct standing *a = x;
    const struct standing *b = y;
    const double ka = order_key(a, *(const enum standing_order *)order);
    const double kb = order_key(b, *(const enum standing_order *)order);

    if (group_of(a) != group_of(b))
        return group_of(a) - group_of(b);
    if (isnan(ka) != isnan(kb))
        return isnan(ka) ? 1 : -1;
    if (ka != kb && !isnan(ka))
        return ka < kb ? -1 : 1;
    return strcmp(a->c->key, b->c->key);
}

static bool same_known(const double *a, const double *b, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        if (isnan(a[i]) != isnan(b[i]))
            return false;
    }
    return true;
}

static bool dominates(const double *a, const double *b, size_t width)
{
    bool better = false;

    for (size_t i = 0; i < width; i++) {
        if (a[i] > b[i])
            return false;
        better = better || a[i] < b[i];
    }
    return better;
}

void choose_front(const double *figures, size_t count, size_t width, bool *ret_front)
{
    for (size_t i = 0; i < count; i++) {
        const double *p = figures + i * width;

        ret_front[i] = true;
        for (size_t j = 0; j < count && ret_front[i]; j++) {
            const double *q = figures + j * width;

            ret_front[i] = !same_known(p, q, width) || !dominates(q, p, width);
        }
    }
}

static void mark_front(struct standing *s, size_t count, struct arena *arena)
{
    enum {
        WIDTH = 4
    };
    double *figures = arena_alloc(arena, (count + 1) * WIDTH * sizeof(*figures));
    bool *front = arena_alloc(arena, count + 1);

    for (size_t i = 0; i < count; i++) {
        const double row[WIDTH] = {speed(&s[i]), s[i].energy_nj, s[i].flash, s[i].ram};

        memcpy(figures + i * WIDTH, row, sizeof(row));
    }
    choose_front(figures, count, WIDTH, front);
    for (size_t i = 0; i < count; i++)
        s[i].front = front[i];
}

size_t choose_rank(const struct dataset *data, const struct choose_options *options,
                   struct arena *arena, const struct standing **ret)
{
    struct standing *s = arena_alloc(arena, (data->case_count + 1) * sizeof(*s));
    enum standing_order order = options->order;
    size_t count = 0;

    for (size_t i = 0; i < data->case_count; i++) {
        if (wanted(data, i, options->model))
            s[count++] = standing_of(&data->cases[i], options->frames_per_second);
    }
    qsort_r(s, count, sizeof(*s), better_first, &order);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && group_of(&s[to]) == group_of(&s[from]); to++)
            ;
        mark_front(s + from, to - from, arena);
    }
    *ret = s;
    return count;
}

/* Also a time limit in ns on a part that counted cycles. */
static double value_for(const struct data_case *c, const struct suite_budget *limit)
{
    if (limit->unit == UNIT_NS && strncmp(limit->metric, "latency", 7) == 0)
        return nanoseconds(c, limit->metric);
    return figure(c, limit->metric, limit->unit);
}

static struct limit_result judge_limit(const struct data_case *c, const struct suite_budget *limit)
{
    struct limit_result r = {
        .limit = limit, .answer = LIMIT_UNKNOWN, .value = value_for(c, limit), .margin = NAN};
    const bool at_least = limit->op == BUDGET_GE || limit->op == BUDGET_GT;
    bool holds;

    if (isnan(r.value) || !suite_budget_holds(limit, r.value, limit->unit, &holds))
        return r;
    r.answer = holds ? LIMIT_HOLDS : LIMIT_BROKEN;
    if (limit->value != 0)
        r.margin =
            (at_least ? r.value - limit->value : limit->value - r.value) / fabs(limit->value);
    return r;
}

static struct pick pick_of(const struct data_case *c, const struct suite_budget *limits,
                           size_t count, struct arena *arena)
{
    struct limit_result *results = arena_alloc(arena, (count + 1) * sizeof(*results));
    struct pick p = {.c = c, .limits = results, .margin = NAN};

    for (size_t i = 0; i < count; i++) {
        results[i] = judge_limit(c, &limits[i]);
        p.broken += results[i].answer == LIMIT_BROKEN;
        p.unknown += results[i].answer == LIMIT_UNKNOWN;
        p.margin = fmin(p.margin, results[i].margin); /* fmin drops NAN */
    }
    return p;
}

static int passing_first(const void *x, const void *y)
{
    const struct pick *a = x;
    const struct pick *b = y;

    if (a->broken != b->broken)
        return a->broken < b->broken ? -1 : 1;
    if (a->unknown != b->unknown)
        return a->unknown < b->unknown ? -1 : 1;
    if (isnan(a->margin) != isnan(b->margin))
        return isnan(a->margin) ? 1 : -1;
    if (a->margin != b->margin && !isnan(a->margin))
        return a->margin > b->margin ? -1 : 1;
    return strcmp(a->c->key, b->c->key);
}

size_t choose_pick(const struct dataset *data, const char *model, const struct suite_budget *limits,
                   size_t limit_count, struct arena *arena, const struct pick **ret)
{
    struct pick *picks = arena_alloc(arena, (data->case_count + 1) * sizeof(*picks));
    size_t count = 0;

    for (size_t i = 0; i < data->case_count; i++) {
        if (wanted(data, i, model))
            picks[count++] = pick_of(&data->cases[i], limits, limit_count, arena);
    }
    qsort(picks, count, sizeof(*picks), passing_first);
    *ret = picks;
    return count;
}
