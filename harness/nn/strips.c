#include "harness/nn/strips.h"

#include <stdlib.h>
#include <string.h>

#include "harness/nn/strips_chain.h"

enum {
    ROUNDS_MAX = 4,  /* chains in one model */
    RECORD = 112,    /* bytes of a step in the image, about */
    FLASH_WORTH = 8, /* bytes of image that one byte of arena is worth */
    GAIN = 8         /* the peak must fall by one part in so many */
};

struct search {
    struct nn_lower *l;
    uint32_t *live; /* [step]: bytes that no plan can do without while it runs */
    uint32_t peak;
    struct chain best;
    uint64_t best_cost;
    uint32_t best_peak;
};

/* ---- what a chain would cost ---- */

static uint32_t most(const uint32_t *live, uint32_t from, uint32_t to)
{
    uint32_t max = 0;

    for (uint32_t i = from; i < to; i++)
        max = live[i] > max ? live[i] : max;
    return max;
}

/* Bytes of buffers outside the chain that live during any of its steps. */
static uint32_t bystanders(const struct nn_lower *l, const struct chain *c)
{
    uint32_t max = 0;

    for (uint32_t step = c->first; step < c->first + c->count; step++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < l->buffer_count; i++) {
            const struct nn_buffer *b = &l->buffers[i];
            if (b->used && !b->data && b->first <= step && step <= b->last && !chain_owns(c, i))
                sum += b->size;
        }
        max = sum > max ? sum : max;
    }
    return max;
}

/* Input and output of the chain in the arena together, and the strips between its operators. */
static uint32_t chain_bytes(const struct nn_lower *l, const struct chain *c)
{
    const uint64_t in = l->buffers[c->in].size, out = l->buffers[c->out].size;
    uint64_t sum = in + out;

    if (c->may_share) {
        const uint64_t joint = c->slack <= 0 ? in + (uint64_t) - (int64_t)c->slack : in;
        sum = joint > out ? joint : out;
        sum = sum < in + out ? sum : in + out;
    }
    for (uint32_t i = 0; i + 1 < c->count; i++)
        sum += (uint64_t)c->capacity[i] * c->rows[i].out_bytes;
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static void consider(struct search *s, struct chain *c)
{
    if (!chain_schedule(s->l, c, NULL))
        return;
    uint64_t here = (uint64_t)bystanders(s->l, c) + chain_bytes(s->l, c);
    uint32_t before = most(s->live, 0, c->first);
    uint32_t after = most(s->live, c->first + c->count, (uint32_t)s->l->step_count);
    uint64_t peak = here > before ? here : before;
    peak = peak > after ? peak : after;
    uint64_t cost = peak + (uint64_t)(c->steps - c->count) * RECORD / FLASH_WORTH;
    if (cost >= s->best_cost)
        return;
    s->best_cost = cost;
    s->best_peak = (uint32_t)(peak < UINT32_MAX ? peak : UINT32_MAX);
    s->best = *c;
}

/* Every chain around the peak, in a few heights of strip. */
static void try_chains(struct search *s)
{
    for (uint32_t first = s->peak + 1; first-- > 0;) {
        struct chain c;
        uint32_t count = chain_find(s->l, first, &c);

        if (s->peak - first >= CHAIN_MAX || count == 0)
            break;
        for (uint32_t n = 2; n <= count; n++) {
            if (first + n <= s->peak)
                continue;
            for (uint32_t parts = 2; parts <= 16; parts += parts < 4 ? 1 : parts / 2) {
                chain_take(s->l, first, n, parts, &c);
                consider(s, &c);
            }
        }
    }
}

/* ---- the model ---- */

static void find_live(struct nn_lower *l, struct search *s)
{
    struct nn_plan plan;

    s->live = arena_alloc(l->arena, (l->step_count + 1) * sizeof *s->live);
    if (layout_items(l, &plan) < 0) {
        memset(s->live, 0, (l->step_count + 1) * sizeof *s->live);
        return;
    }
    for (uint32_t i = 0; i < l->step_count; i++)
        s->live[i] =
            plan_step_bound(plan.buffers, plan.count, i, plan.overlaps, plan.overlap_count);
}

static bool split_once(struct nn_lower *l)
{
    struct search s = {.l = l};

    find_live(l, &s);
    for (uint32_t i = 1; i < l->step_count; i++)
        s.peak = s.live[i] > s.live[s.peak] ? i : s.peak;
    if (l->step_count < 2 || s.live[s.peak] == 0)
        return false;
    const uint32_t now = s.live[s.peak];
    s.best_cost = now - now / GAIN;
    try_chains(&s);
    if (s.best.count == 0)
        return false;
    return chain_split(l, &s.best);
}

static uint32_t planned_size(struct nn_lower *l)
{
    struct nn_plan plan;

    return layout_plan(l, &plan) < 0 ? UINT32_MAX : plan.size;
}

void strips_split(struct nn_lower *l)
{
    struct nn_step *steps = l->steps;
    const size_t count = l->step_count, capacity = l->step_capacity;
    const size_t overlaps = l->overlap_count;
    bool split = false;

    if (l->target->whole)
        return;
    for (int i = 0; i < ROUNDS_MAX && split_once(l); i++)
        split = true;
    if (!split)
        return;
    /* Bounds chose the chains; real plans decide. */
    struct nn_step *parts = l->steps;
    const size_t part_count = l->step_count, part_capacity = l->step_capacity;
    const size_t part_overlaps = l->overlap_count;
    const uint32_t after = planned_size(l);
    l->steps = steps;
    l->step_count = count;
    l->step_capacity = capacity;
    l->overlap_count = overlaps;
    const uint32_t before = planned_size(l);
    if (after > before - before / GAIN)
        return;
    l->steps = parts;
    l->step_count = part_count;
    l->step_capacity = part_capacity;
    l->overlap_count = part_overlaps;
}
