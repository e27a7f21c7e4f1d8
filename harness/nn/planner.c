#include "harness/nn/planner.h"

#include <stdlib.h>
#include <string.h>

#define NOT_PLACED UINT32_MAX
#define FEW        24

/* Neighbours of one buffer: those that live at the same time, with the sharing that is allowed. */
struct neighbour {
    uint32_t other;
    bool may_share;
    bool is_out; /* when shared, it is `other` that is the input */
    int32_t slack;
};

/* Offsets strictly between the two are taken. */
struct taken {
    int64_t above, below;
};

struct planner {
    struct plan_buffer *buffers;
    size_t count;
    struct neighbour **neighbours; /* [count][neighbour_count[i]] */
    size_t *neighbour_count;
    uint32_t *best; /* offsets of the best plan so far */
    uint32_t best_size;
    uint32_t bound;
    uint64_t budget;     /* how long the search goes on: pairs of neighbours */
    struct taken *taken; /* [count] for place() */
};

static bool live_together(const struct plan_buffer *a, const struct plan_buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static bool disjoint(const struct plan_buffer *a, const struct plan_buffer *b)
{
    return a->offset + a->size <= b->offset || b->offset + b->size <= a->offset;
}

static const struct plan_overlap *overlap_of(uint32_t out, uint32_t in,
                                             const struct plan_overlap *overlaps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (overlaps[i].out == out && overlaps[i].in == in)
            return &overlaps[i];
    }
    return NULL;
}

bool plan_allows(const struct plan_buffer *buffers, uint32_t a, uint32_t b,
                 const struct plan_overlap *overlaps, size_t n)
{
    const struct plan_buffer *x = &buffers[a], *y = &buffers[b];

    if (!live_together(x, y) || disjoint(x, y))
        return true;
    const struct plan_overlap *o = overlap_of(a, b, overlaps, n);
    if (o && (int64_t)x->offset <= (int64_t)y->offset + o->slack)
        return true;
    o = overlap_of(b, a, overlaps, n);
    return o && (int64_t)y->offset <= (int64_t)x->offset + o->slack;
}

/* Bytes that two buffers need together. */
static uint32_t joint_size(const struct plan_buffer *out, const struct plan_buffer *in,
                           int32_t slack)
{
    int64_t apart = (int64_t)out->size + in->size;
    int64_t shared; /* out at 0 and in at -slack, or in at 0 and out at slack */

    if (slack <= 0)
        shared = in->size - (int64_t)slack > out->size ? in->size - (int64_t)slack : out->size;
    else
        shared = in->size > out->size ? in->size : out->size;
    return (uint32_t)(shared < apart ? shared : apart);
}

/* What begins and ends at each step, summed up. Steps are below `steps`. */
void plan_step_bounds(const struct plan_buffer *buffers, size_t count,
                      const struct plan_overlap *overlaps, size_t overlap_count, size_t steps,
                      uint32_t *ret)
{
    int64_t *sum = calloc(2 * (steps + 1), sizeof *sum), *saved = sum + steps + 1;

    if (!sum)
        abort();
    for (size_t i = 0; i < count; i++) {
        sum[buffers[i].first] += buffers[i].size;
        sum[buffers[i].last + 1] -= buffers[i].size;
    }
    /* An output can share with each of its inputs: count them all, a bound may be too low. */
    for (size_t i = 0; i < overlap_count; i++) {
        const struct plan_buffer *out = &buffers[overlaps[i].out], *in = &buffers[overlaps[i].in];
        const uint32_t first = out->first > in->first ? out->first : in->first;
        const uint32_t last = out->last < in->last ? out->last : in->last;
        const int64_t less = (int64_t)out->size + in->size - joint_size(out, in, overlaps[i].slack);
        if (first > last)
            continue;
        saved[first] += less;
        saved[last + 1] -= less;
    }
    for (size_t i = 0, all = 0, less = 0; i < steps; i++) {
        all += (size_t)sum[i];
        less += (size_t)saved[i];
        ret[i] = (uint32_t)(all - (less < all ? less : all));
    }
    free(sum);
}

uint32_t plan_lower_bound(const struct plan_buffer *buffers, size_t count,
                          const struct plan_overlap *overlaps, size_t overlap_count)
{
    uint32_t bound = 0, steps = 1;

    for (size_t i = 0; i < count; i++)
        steps = buffers[i].last >= steps ? buffers[i].last + 1 : steps;
    uint32_t *bounds = calloc(steps, sizeof *bounds);
    if (!bounds)
        abort();
    plan_step_bounds(buffers, count, overlaps, overlap_count, steps, bounds);
    for (size_t i = 0; i < count; i++) {
        const uint32_t here = bounds[buffers[i].first];
        bound = here > bound ? here : bound;
        bound = buffers[i].size > bound ? buffers[i].size : bound;
    }
    free(bounds);
    return bound;
}

static uint32_t align_up(uint32_t v, uint32_t align)
{
    return (v + align - 1) & ~(align - 1);
}

static int by_start(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;

    return x->above < y->above ? -1 : x->above > y->above;
}

/* Mostly there are a few, for which qsort() takes twice as long. */
static void sort_taken(struct taken *t, size_t n)
{
    if (n > FEW) {
        qsort(t, n, sizeof *t, by_start);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct taken here = t[i];
        size_t k = i;
        for (; k > 0 && t[k - 1].above > here.above; k--)
            t[k] = t[k - 1];
        t[k] = here;
    }
}

/* Where b may not begin because of a neighbour that is placed. */
static struct taken taken_by(const struct planner *p, uint32_t b, const struct neighbour *n)
{
    const struct plan_buffer *o = &p->buffers[n->other];
    struct taken t = {(int64_t)o->offset - p->buffers[b].size, (int64_t)o->offset + o->size};

    if (n->may_share && n->is_out && (int64_t)o->offset + n->slack > t.above)
        t.above = (int64_t)o->offset + n->slack;
    if (n->may_share && !n->is_out && (int64_t)o->offset - n->slack < t.below)
        t.below = (int64_t)o->offset - n->slack; /* far enough above the output */
    return t;
}

/* Put b at the lowest place it fits; returns its end. */
static uint32_t place(struct planner *p, uint32_t b)
{
    const uint64_t cost = 1 + p->neighbour_count[b] * p->neighbour_count[b];
    uint32_t lowest = 0;
    size_t n = 0;

    p->budget -= cost < p->budget ? cost : p->budget;
    for (size_t i = 0; i < p->neighbour_count[b]; i++) {
        const struct neighbour *o = &p->neighbours[b][i];
        if (p->buffers[o->other].offset != NOT_PLACED)
            p->taken[n++] = taken_by(p, b, o);
    }
    sort_taken(p->taken, n);
    for (size_t i = 0; i < n && p->taken[i].above < lowest; i++) {
        if (lowest < p->taken[i].below)
            lowest = align_up((uint32_t)p->taken[i].below, p->buffers[b].align);
    }
    p->buffers[b].offset = lowest;
    return lowest + p->buffers[b].size;
}

static void keep_if_better(struct planner *p, uint32_t size)
{
    if (size >= p->best_size)
        return;
    p->best_size = size;
    for (size_t i = 0; i < p->count; i++)
        p->best[i] = p->buffers[i].offset;
}

static uint32_t place_all(struct planner *p, const uint32_t *order)
{
    uint32_t size = 0;

    for (size_t i = 0; i < p->count; i++)
        p->buffers[i].offset = NOT_PLACED;
    for (size_t i = 0; i < p->count; i++) {
        uint32_t end = place(p, order[i]);
        size = end > size ? end : size;
    }
    keep_if_better(p, size);
    return size;
}

/* Every order of the buffers order[depth..]; branches that cannot win are cut. */
static void search_all(struct planner *p, uint32_t *order, size_t depth, uint32_t size)
{
    if (size >= p->best_size || p->best_size == p->bound)
        return;
    if (depth == p->count) {
        keep_if_better(p, size);
        return;
    }
    for (size_t i = depth; i < p->count; i++) {
        uint32_t b = order[i];
        order[i] = order[depth];
        order[depth] = b;
        uint32_t end = place(p, b);
        search_all(p, order, depth + 1, end > size ? end : size);
        p->buffers[b].offset = NOT_PLACED;
        order[depth] = order[i];
        order[i] = b;
    }
}

static int by_size(const void *a, const void *b, void *buffers)
{
    const struct plan_buffer *all = buffers;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (all[x].size != all[y].size)
        return all[x].size < all[y].size ? 1 : -1;
    return x < y ? -1 : x > y;
}

static int by_duration(const void *a, const void *b, void *buffers)
{
    const struct plan_buffer *all = buffers;
    const struct plan_buffer *x = &all[*(const uint32_t *)a], *y = &all[*(const uint32_t *)b];
    uint32_t dx = x->last - x->first, dy = y->last - y->first;

    return dx != dy ? (dx < dy ? 1 : -1) : by_size(a, b, buffers);
}

/* Outputs before the inputs they may lie on. */
static int latest_first(const void *a, const void *b, void *buffers)
{
    const struct plan_buffer *all = buffers;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (all[x].first != all[y].first)
        return all[x].first < all[y].first ? 1 : -1;
    return by_size(a, b, buffers);
}

/* The same, but what lives for one step alone (scratch) takes what room is left by then. */
static int scratch_last(const void *a, const void *b, void *buffers)
{
    const struct plan_buffer *all = buffers;
    const struct plan_buffer *x = &all[*(const uint32_t *)a], *y = &all[*(const uint32_t *)b];
    bool x_scratch = x->first == x->last, y_scratch = y->first == y->last;

    return x_scratch != y_scratch ? (x_scratch ? 1 : -1) : latest_first(a, b, buffers);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* From the best order, move one buffer to another turn; keep what is not worse. */
static void search_near(struct planner *p, uint32_t *order, uint32_t size)
{
    uint32_t seed = 2463534242u;
    size_t n = p->count;

    while (p->budget && p->best_size > p->bound) {
        size_t from = next_random(&seed) % n, to = next_random(&seed) % n;
        uint32_t moved = order[from];
        if (from < to)
            memmove(&order[from], &order[from + 1], (to - from) * sizeof *order);
        else
            memmove(&order[to + 1], &order[to], (from - to) * sizeof *order);
        order[to] = moved;
        uint32_t now = place_all(p, order);
        if (now <= size) {
            size = now;
            continue;
        }
        if (from < to)
            memmove(&order[from + 1], &order[from], (to - from) * sizeof *order);
        else
            memmove(&order[to], &order[to + 1], (from - to) * sizeof *order);
        order[from] = moved;
    }
}

static int by_other(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;

    return x->other < y->other ? -1 : x->other > y->other;
}

/* What the buffer may share with `other`, if they live at the same time. */
static void allow(struct planner *p, uint32_t buffer, uint32_t other, bool is_out, int32_t slack)
{
    const struct neighbour key = {.other = other};
    struct neighbour *n =
        bsearch(&key, p->neighbours[buffer], p->neighbour_count[buffer], sizeof key, by_other);

    if (n)
        *n = (struct neighbour){other, true, is_out, slack};
}

static void find_neighbours(struct planner *p, const struct plan_overlap *overlaps, size_t n)
{
    for (uint32_t a = 0; a < p->count; a++) {
        p->neighbours[a] = calloc(p->count, sizeof **p->neighbours);
        if (!p->neighbours[a])
            abort();
        for (uint32_t b = 0; b < p->count; b++) {
            if (a != b && live_together(&p->buffers[a], &p->buffers[b]))
                p->neighbours[a][p->neighbour_count[a]++] = (struct neighbour){.other = b};
        }
    }
    /* Of several the first counts, and that as an output before that as an input: see plan_allows(). */
    for (size_t i = n; i-- > 0;)
        allow(p, overlaps[i].in, overlaps[i].out, false, overlaps[i].slack);
    for (size_t i = n; i-- > 0;)
        allow(p, overlaps[i].out, overlaps[i].in, true, overlaps[i].slack);
}

static void search(struct planner *p)
{
    uint32_t *order = calloc(p->count, sizeof *order), *start = calloc(p->count, sizeof *start);
    int (*const orders[])(const void *, const void *, void *) = {by_size, by_duration, latest_first,
                                                                 scratch_last};
    uint32_t size = NOT_PLACED;

    if (!order || !start)
        abort();
    for (uint32_t i = 0; i < p->count; i++)
        order[i] = start[i] = i;
    size = place_all(p, start);
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        qsort_r(order, p->count, sizeof *order, orders[k], p->buffers);
        uint32_t now = place_all(p, order);
        if (now < size) {
            size = now;
            memcpy(start, order, p->count * sizeof *order);
        }
    }
    if (p->count <= PLAN_EXACT) {
        for (size_t i = 0; i < p->count; i++)
            p->buffers[i].offset = NOT_PLACED;
        search_all(p, start, 0, 0);
    } else {
        search_near(p, start, size);
    }
    free(order);
    free(start);
}

uint32_t plan_arena(struct plan_buffer *buffers, size_t count, const struct plan_overlap *overlaps,
                    size_t overlap_count)
{
    struct planner p = {.buffers = buffers, .count = count, .best_size = NOT_PLACED};

    if (count == 0)
        return 0;
    p.bound = plan_lower_bound(buffers, count, overlaps, overlap_count);
    p.budget = 4000000;
    p.best = calloc(count, sizeof *p.best);
    p.neighbours = calloc(count, sizeof(struct neighbour *));
    p.neighbour_count = calloc(count, sizeof *p.neighbour_count);
    p.taken = calloc(count, sizeof *p.taken);
    if (!p.best || !p.neighbours || !p.neighbour_count || !p.taken)
        abort();
    find_neighbours(&p, overlaps, overlap_count);
    search(&p);
    for (size_t i = 0; i < count; i++) {
        buffers[i].offset = p.best[i];
        free(p.neighbours[i]);
    }
    free(p.neighbours);
    free(p.neighbour_count);
    free(p.taken);
    free(p.best);
    return p.best_size;
}
