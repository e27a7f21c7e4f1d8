#include "harness/nn/strips.h"

#include <stdlib.h>
#include <string.h>

#include "harness/nn/strips_bands.h"
#include "harness/nn/strips_chain.h"

enum {
    ROUNDS_MAX = 8,  /* chains in one model */
    GAIN = 8,        /* the peak must fall by one part in so many */
    BANDS_MAX = 4,   /* of columns */
    TILED_MAX = 24,  /* chains that are tried in bands */
    TWICE_MAX = 8,   /* one part in so many of the MACs may be done twice */
    STEPS_MAX = 1024 /* larger models are left as they are: each attempt has a copy of all steps */
};

#define GOAL_AROUND UINT32_MAX

struct search {
    struct nn_lower *l;
    uint32_t *live; /* [step]: bytes that no plan can do without while it runs */
    uint32_t peak;
    uint32_t *all;     /* [step]: bytes of everything that lives then */
    uint32_t goal;     /* nothing is gained below; GOAL_AROUND: below what other steps need */
    struct chain best; /* count 0: none */
    uint64_t best_cost;
};

/* ---- what a chain would cost ---- */

/* Bytes of buffers outside the chain that live during any of its steps. */
static uint32_t bystanders(const struct search *s, const struct chain *c)
{
    uint32_t max = 0;

    for (uint32_t step = c->first; step < c->first + c->count; step++) {
        uint32_t sum = s->all[step];
        for (uint32_t i = 0; i < c->window_count; i++) {
            const struct nn_buffer *b = &s->l->buffers[c->windows[i].buffer];
            if (!b->data && b->first <= step && step <= b->last)
                sum -= b->size;
        }
        max = sum > max ? sum : max;
    }
    return max;
}

/* The most that any step outside the chain needs. */
static uint32_t around(const struct search *s, uint32_t first, uint32_t n)
{
    uint32_t max = 0;

    for (uint32_t i = 0; i < s->l->step_count; i++) {
        if (i < first || i >= first + n)
            max = s->live[i] > max ? s->live[i] : max;
    }
    return max;
}

/* What an output saves by lying over an input. */
static uint64_t shared(const struct chain *c, uint32_t out, uint32_t in)
{
    const struct chain_window *o = &c->windows[out], *i = &c->windows[in];
    const uint64_t out_size = (uint64_t)o->rows * o->row_bytes;
    const uint64_t in_size = (uint64_t)i->rows * i->row_bytes;
    const int64_t slack = c->slack[out][in];
    const uint64_t joint = slack < 0 ? in_size + (uint64_t)-slack : in_size;
    const uint64_t both = joint > out_size ? joint : out_size;

    return both < in_size + out_size ? in_size + out_size - both : 0;
}

/* The most that outputs save, each by lying over one input that no other one has taken. */
static uint64_t savings(const struct chain *c)
{
    bool taken[CHAIN_WINDOWS] = {false};
    uint64_t sum = 0;

    for (uint32_t out = 0; out < c->window_count; out++) {
        uint32_t best = CHAIN_WINDOWS;
        for (uint32_t in = 0; in < c->window_count; in++) {
            if (!taken[in] && chain_may_share(c, out, in) &&
                (best == CHAIN_WINDOWS || shared(c, out, in) > shared(c, out, best)))
                best = in;
        }
        if (best == CHAIN_WINDOWS)
            continue;
        taken[best] = true;
        sum += shared(c, out, best);
    }
    return sum;
}

/* Tensors that stay whole, and the strips of the others. */
static uint64_t chain_bytes(const struct nn_lower *l, const struct chain *c)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < c->window_count; i++) {
        const struct chain_window *w = &c->windows[i];
        if (!l->buffers[w->buffer].data)
            sum += (uint64_t)(w->whole ? w->rows : w->capacity) * w->row_bytes;
    }
    return sum - savings(c);
}

/* No less than this, whatever the height of the strips. */
static uint64_t chain_bytes_bound(const struct nn_lower *l, const struct chain *c)
{
    uint64_t in = 0, out = 0, others = 0;

    for (uint32_t i = 0; i < c->window_count; i++) {
        const struct chain_window *w = &c->windows[i];
        const uint64_t size = (uint64_t)w->rows * w->row_bytes;
        if (!w->whole || l->buffers[w->buffer].data)
            continue;
        *(w->made && w->fresh ? &out : w->dies ? &in : &others) += size;
    }
    return (in > out ? in : out) + others;
}

/* Keeps the chain if it is the best. */
static void consider(struct search *s, struct chain *c, uint64_t aside, uint64_t floor)
{
    if (!chain_schedule(c, NULL))
        return;
    const uint64_t here = aside + chain_bytes(s->l, c);
    const uint64_t flash = (uint64_t)(c->steps - c->count) * CHAIN_STEP_BYTES;
    const uint64_t cost = (here > floor ? here : floor) + flash / CHAIN_FLASH_WORTH;
    if (cost < s->best_cost) {
        s->best_cost = cost;
        s->best = *c;
    }
}

/* The first n steps of a chain, in a few heights of strip, until more of them are no better. */
static void try_heights(struct search *s, const struct chain *found, uint32_t n)
{
    struct chain c;

    chain_take(s->l, found, n, 2, &c);
    const uint64_t aside = bystanders(s, &c);
    const uint64_t floor = s->goal == GOAL_AROUND ? around(s, found->first, n) : s->goal;
    if (floor >= s->best_cost || aside + chain_bytes_bound(s->l, &c) >= s->best_cost)
        return;
    for (uint32_t parts = 2; parts <= CHAIN_PARTS_MAX; parts += parts < 4 ? 1 : parts / 2) {
        chain_take(s->l, found, n, parts, &c);
        consider(s, &c, aside, floor);
    }
}

/* Every chain around the peak. */
static void try_chains(struct search *s)
{
    for (uint32_t first = s->peak + 1; first-- > 0 && s->peak - first < CHAIN_MAX;) {
        struct chain found;
        const uint32_t count = chain_find(s->l, first, &found);

        for (uint32_t n = first < s->peak ? s->peak - first + 1 : 2; n <= count; n++)
            try_heights(s, &found, n);
    }
}

/* ---- strips ---- */

static void find_live(struct search *s)
{
    struct nn_lower *l = s->l;
    struct nn_plan plan;
    const size_t size = (l->step_count + 1) * sizeof *s->live;

    s->live = memset(arena_alloc(l->arena, size), 0, size);
    s->all = memset(arena_alloc(l->arena, size), 0, size);
    if (!layout_items(l, &plan))
        return;
    plan_step_bounds(plan.buffers, plan.count, plan.overlaps, plan.overlap_count, l->step_count + 1,
                     s->live); /* outputs live on after the last step */
    for (size_t k = 0; k < plan.count; k++) {
        const struct plan_buffer *b = &plan.buffers[k];
        for (uint32_t i = b->first; i <= b->last && i < l->step_count; i++)
            s->all[i] += b->size;
    }
}

static void find_peak(struct search *s)
{
    find_live(s);
    for (uint32_t i = 1; i < s->l->step_count; i++)
        s->peak = s->live[i] > s->live[s->peak] ? i : s->peak;
}

/* Splits a chain around the peak, which then needs less there. Returns the peak before. */
static uint32_t split_once(struct nn_lower *l, uint32_t goal, bool *ret_split)
{
    struct search s = {.l = l, .goal = goal};

    *ret_split = false;
    find_peak(&s);
    const uint32_t now = s.live[s.peak];
    s.best_cost = now;
    if (l->step_count > 1 && (goal == GOAL_AROUND || now > goal))
        try_chains(&s);
    if (s.best.count != 0)
        *ret_split = chain_split(l, &s.best);
    return now;
}

static void keep_steps(struct nn_lower *to, const struct nn_lower *from)
{
    to->steps = from->steps;
    to->step_count = from->step_count;
    to->step_capacity = from->step_capacity;
    to->overlaps = from->overlaps;
    to->overlap_count = from->overlap_count;
    to->overlap_capacity = from->overlap_capacity;
}

/* One way to split the model, and what it comes to. */
struct attempt {
    struct nn_lower l;    /* only what keep_steps() copies */
    uint32_t bound, peak; /* of the whole model, and now */
    uint64_t cost;
};

static uint64_t step_cost(size_t steps)
{
    return (uint64_t)steps * CHAIN_STEP_BYTES / CHAIN_FLASH_WORTH;
}

/* One chain after the other; of those, as many as lower the peak enough together. */
static struct attempt split_all(struct nn_lower *l, uint32_t goal)
{
    const struct nn_lower whole = *l;
    struct attempt best = {.l = *l, .peak = UINT32_MAX};
    bool split = true;

    for (int i = 0; i <= ROUNDS_MAX && split; i++) {
        const struct nn_lower here = *l;
        const uint32_t now = split_once(l, goal, &split);
        if (i > 0 && now > best.peak - best.peak / GAIN)
            continue;
        best.bound = i ? best.bound : now;
        best.peak = now;
        keep_steps(&best.l, &here);
    }
    best.cost = best.peak + step_cost(best.l.step_count - whole.step_count);
    keep_steps(l, &whole);
    return best;
}

/*
 * Chains are chosen one by one, none is undone: so in three ways. Each chain as far as its
 * neighbours allow; each as low as it goes; and then no lower than all of that came to.
 */
static struct attempt find_best(struct nn_lower *l)
{
    struct attempt best = split_all(l, GOAL_AROUND);
    struct attempt low = split_all(l, 0);
    const uint32_t goal = low.peak < best.peak ? low.peak : best.peak;

    best = low.cost < best.cost ? low : best;
    low = split_all(l, goal);
    return low.cost < best.cost ? low : best;
}

/* ---- tiles ---- */

uint64_t strips_recomputed_macs(const struct nn_lower *l, size_t op)
{
    const struct nn_op *o = &l->graph->ops[op];
    const uint64_t whole = o->output_count ? l->graph->tensors[o->outputs[0]].size : 0;
    uint64_t made = 0;

    for (size_t i = 0; i < l->step_count && whole && l->macs[op]; i++) {
        const struct nn_step *s = &l->steps[i];
        if (s->op != op || !s->part || s->kind == KERNEL_COPY)
            continue;
        const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
        for (unsigned n = 0; n < s->span_count; n++)
            made += (k->writes >> n & 1) ? s->spans[n].size : 0;
    }
    return made > whole ? l->macs[op] * (made - whole) / whole : 0;
}

static bool is_cheap(const struct nn_lower *l)
{
    uint64_t all = 0, twice = 0;

    for (size_t i = 0; i < l->graph->op_count; i++) {
        all += l->macs[i];
        twice += strips_recomputed_macs(l, i);
    }
    return twice <= all / TWICE_MAX;
}

/* The chain in bands, instead of `best` if that is so much better. */
static void try_bands(struct nn_lower *l, const struct chain *c, uint32_t bands,
                      struct attempt *best)
{
    const struct nn_lower whole = *l;
    struct search s = {.l = l};
    struct attempt now = {.bound = best->bound};

    if (bands_split(l, c, bands) && is_cheap(l)) {
        find_peak(&s);
        now.peak = s.live[s.peak];
        now.cost = now.peak + step_cost(l->step_count - whole.step_count);
        now.l = *l;
        if (now.cost < best->cost && now.peak <= best->peak - best->peak / GAIN)
            *best = now;
    }
    keep_steps(l, &whole);
}

/* No less than this: input and output whole, neither over the other, and what lives beside. */
static uint64_t bands_bound(const struct search *s, const struct chain *c)
{
    uint64_t sum = bystanders(s, c);

    for (uint32_t i = 0; i < c->window_count; i++) {
        const struct nn_buffer *b = &s->l->buffers[c->windows[i].buffer];
        sum += c->windows[i].whole && !b->data ? b->size : 0;
    }
    const uint32_t others = around(s, c->first, c->count);
    return sum > others ? sum : others;
}

/* Chains around the peak that rows alone leave too large: those that could do with less. */
static void try_tiles(struct nn_lower *l, struct attempt *best)
{
    struct search s = {.l = l};
    unsigned tried = 0;

    find_peak(&s);
    for (uint32_t first = s.peak + 1; first-- > 0 && s.peak - first < CHAIN_MAX;) {
        struct chain found, c;
        const uint32_t count = chain_find(l, first, &found);
        for (uint32_t n = s.peak - first + 1; n <= count && tried < TILED_MAX; n++) {
            chain_take(l, &found, n, 2, &c);
            if (bands_bound(&s, &c) > best->peak - best->peak / GAIN || !bands_fit(l, &c))
                continue;
            for (uint32_t bands = 2; bands <= BANDS_MAX; bands++)
                try_bands(l, &c, bands, best);
            tried++;
            find_live(&s); /* lifetimes are those of the whole steps again */
        }
    }
}

/* ---- the model ---- */

/* Also when the target wants buffers apart: what that proves is the same steps' plan. */
static uint32_t planned_size(struct nn_lower *l)
{
    struct nn_plan plan;

    if (!layout_items(l, &plan))
        return UINT32_MAX;
    return plan_arena(plan.buffers, plan.count, plan.overlaps, plan.overlap_count);
}

/* Bounds chose the chains; real plans decide. `bound`: no plan of the whole model is smaller. */
static bool pays(struct nn_lower *parts, struct nn_lower *whole, uint32_t bound)
{
    const uint32_t after = planned_size(parts);

    if (after <= bound - bound / GAIN)
        return true;
    const uint32_t before = planned_size(whole);
    return after <= before - before / GAIN;
}

void strips_split(struct nn_lower *l)
{
    struct nn_lower whole = *l;

    if (l->target->whole || l->step_count > STEPS_MAX)
        return;
    struct attempt best = find_best(l);
    if (!l->target->rows)
        try_tiles(l, &best);
    if (best.l.step_count == whole.step_count)
        return;
    keep_steps(l, &best.l);
    if (!pays(l, &whole, best.bound))
        keep_steps(l, &whole);
}
