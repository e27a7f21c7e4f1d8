/*
 * Fewer steps with the same results, bit for bit: chains of tables become one, clamping tables
 * become part of the step before, what is only joined is made in its place, and what nobody reads is
 * left out. Works on steps of reference form, before variants are chosen.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/nn/layout.h"

/* Steps that are looked at to make tensors in the place where they are joined. */
#define FILL_STEPS_MAX (1u << 21)

/* Who touches a buffer. */
struct uses {
    uint32_t readers, writers;
    uint32_t writer; /* the last one */
    bool pinned;     /* input or output of the model, or a variable */
};

static struct uses *count_uses(const struct nn_lower *l)
{
    struct uses *uses = calloc(l->buffer_count + 1, sizeof *uses);

    if (!uses)
        abort();
    for (uint32_t i = 0; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
        for (unsigned n = 0; n < s->span_count; n++) {
            struct uses *u = &uses[s->spans[n].buffer];
            if (k->writes >> n & 1) {
                u->writers++;
                u->writer = i;
            } else {
                u->readers++;
            }
        }
    }
    for (size_t i = 0; i < l->graph->input_count; i++)
        uses[l->span_of[l->graph->inputs[i]].buffer].pinned = true;
    for (size_t i = 0; i < l->graph->output_count; i++)
        uses[l->span_of[l->graph->outputs[i]].buffer].pinned = true;
    for (size_t i = 0; i < l->buffer_count; i++)
        uses[i].pinned |= l->buffers[i].variable;
    return uses;
}

static bool is_whole(const struct nn_lower *l, const struct nn_span *s)
{
    return s->offset == 0 && s->size == l->buffers[s->buffer].size;
}

static bool is_lookup(const struct nn_step *s)
{
    return s->kind == KERNEL_LOOKUP && s->variant == KERNEL_REF;
}

static int32_t limit(int32_t v, int32_t low, int32_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* clamp(value + shift, low, high) of int8 values. */
struct ramp {
    int32_t shift;
    int8_t low, high;
};

static bool is_ramp(const int8_t *table, struct ramp *r)
{
    r->shift = 0;
    r->low = table[(uint8_t)INT8_MIN];
    r->high = table[INT8_MAX];
    for (int v = INT8_MIN; v <= INT8_MAX; v++) {
        if (table[(uint8_t)v] > r->low && table[(uint8_t)v] < r->high)
            r->shift = table[(uint8_t)v] - v;
    }
    for (int v = INT8_MIN; v <= INT8_MAX; v++) {
        if (table[(uint8_t)v] != limit(v + r->shift, r->low, r->high))
            return false;
    }
    return r->low <= r->high;
}

/*
 * A step's result is clamp(x + offset, min, max); a ramp of that is another one of the same form,
 * exactly: the values are integers that no step rounds any more.
 */
#define NARROW(p, r)                                                                               \
    ((p)->act_min =                                                                                \
         (__typeof__((p)->act_min))limit((p)->act_min + (r)->shift, (r)->low, (r)->high),          \
     (p)->act_max =                                                                                \
         (__typeof__((p)->act_max))limit((p)->act_max + (r)->shift, (r)->low, (r)->high))
#define MOVE_RANGE(p, r)                                                                           \
    ((p)->out_offset = (__typeof__((p)->out_offset))((p)->out_offset + (r)->shift), NARROW(p, r))

/* Puts the ramp into what the step does last; false when it is of a kind that cannot. */
static bool add_ramp(struct nn_lower *l, struct nn_step *s, const struct ramp *r)
{
    void *params = arena_dup(l->arena, s->params, s->params_size);

    switch (s->kind) {
    case KERNEL_CONV_S8:
    case KERNEL_DEPTHWISE_S8:
    case KERNEL_TRANSPOSE_CONV_S8:
        MOVE_RANGE((struct kernel_conv *)params, r);
        break;
    case KERNEL_FULLY_CONNECTED_S8:
        MOVE_RANGE((struct kernel_fully_connected *)params, r);
        break;
    case KERNEL_ADD_S8:
    case KERNEL_MUL_S8:
        MOVE_RANGE((struct kernel_binary *)params, r);
        break;
    case KERNEL_AVERAGE_POOL_S8:
    case KERNEL_MAX_POOL_S8:
        if (r->shift != 0)
            return false;
        NARROW((struct kernel_pool *)params, r);
        break;
    default:
        return false;
    }
    s->params = params;
    return true;
}

/* The span that a step of one of the kinds above, or a table, writes. */
static struct nn_span *result_of(struct nn_step *s)
{
    const struct kernel *k = kernel_find(KERNEL_REF, s->kind);

    for (unsigned n = 0; n < s->span_count; n++) {
        if (k->writes >> n & 1)
            return &s->spans[n];
    }
    return NULL;
}

/* second(first(x)) for every x. */
static struct nn_span compose(struct nn_lower *l, const struct nn_step *first,
                              const struct nn_step *second)
{
    const struct kernel_lookup *p = second->params;
    const uint8_t *inner = l->buffers[first->spans[2].buffer].data;
    const uint8_t *outer = l->buffers[second->spans[2].buffer].data;
    uint8_t *table = arena_alloc(l->arena, (size_t)256 * p->width);

    for (unsigned i = 0; i < 256; i++)
        memcpy(table + (size_t)i * p->width, outer + (size_t)inner[i] * p->width, p->width);
    return lower_constant(l, "table", table, (size_t)256 * p->width);
}

/* Folds table s into the step that made its input, and keeps `uses` true of what is left. */
static bool fuse_lookup(struct nn_lower *l, struct uses *uses, struct nn_step *s)
{
    const struct kernel_lookup *p = s->params;
    const struct uses *u = &uses[s->spans[0].buffer];
    struct ramp r;

    if (u->pinned || u->readers != 1 || u->writers != 1 || !is_whole(l, &s->spans[0]) ||
        !is_whole(l, &s->spans[1]) || uses[s->spans[1].buffer].writers != 1)
        return false;
    struct nn_step *before = &l->steps[u->writer];
    struct nn_span *result = result_of(before);
    /* A variable may change between the two steps. */
    if (l->buffers[before->spans[0].buffer].variable || l->buffers[s->spans[1].buffer].variable ||
        before >= s || !result || !is_whole(l, result))
        return false;
    if (is_lookup(before) && ((const struct kernel_lookup *)before->params)->width == 1) {
        s->spans[2] = compose(l, before, s);
        s->spans[0] = before->spans[0];
        before->span_count = 0; /* gone; its sharing was for its own output */
        return true;
    }
    if (p->width != 1 || !is_ramp(l->buffers[s->spans[2].buffer].data, &r) ||
        !add_ramp(l, before, &r))
        return false;
    uses[s->spans[1].buffer].writer = u->writer;
    *result = s->spans[1];
    s->span_count = 0;
    return true;
}

static void drop_empty(struct nn_lower *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->step_count; i++) {
        if (l->steps[i].span_count)
            l->steps[n++] = l->steps[i];
    }
    l->step_count = n;
}

/* In order, so that a chain of tables comes to one, however long it is. */
static void fuse_lookups(struct nn_lower *l)
{
    struct uses *uses = count_uses(l);

    for (size_t i = 0; i < l->step_count; i++) {
        struct nn_step *s = &l->steps[i];
        while (s->span_count && is_lookup(s) && fuse_lookup(l, uses, s))
            ;
    }
    free(uses);
    drop_empty(l);
}

/* Backwards: a step is needed when something it writes is. */
static void drop_unread(struct nn_lower *l)
{
    struct uses *uses = count_uses(l);

    for (size_t i = l->step_count; i-- > 0;) {
        struct nn_step *s = &l->steps[i];
        const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
        bool needed = false;
        for (unsigned n = 0; n < s->span_count; n++) {
            const struct uses *u = &uses[s->spans[n].buffer];
            needed |= (k->writes >> n & 1) && (u->pinned || u->readers);
        }
        if (needed)
            continue;
        for (unsigned n = 0; n < s->span_count; n++)
            uses[s->spans[n].buffer].readers -= !(k->writes >> n & 1);
        s->span_count = 0;
    }
    free(uses);
    drop_empty(l);
}

/* The step only repeats its input: a COPY of all of it, or a table that changes nothing. */
static bool repeats(const struct nn_lower *l, const struct nn_step *s)
{
    const struct kernel_copy *copy = s->params;
    const struct kernel_lookup *lookup = s->params;
    struct ramp r;

    if (s->span_count < 2 || !is_whole(l, &s->spans[0]) || !is_whole(l, &s->spans[1]) ||
        s->spans[0].size != s->spans[1].size || l->buffers[s->spans[0].buffer].data)
        return false;
    if (s->kind == KERNEL_COPY)
        return copy->rank == 0 && copy->run == s->spans[0].size;
    return is_lookup(s) && lookup->width == 1 && is_ramp(l->buffers[s->spans[2].buffer].data, &r) &&
           r.shift == 0 && r.low == INT8_MIN && r.high == INT8_MAX;
}

/* What is only repeated need not be: both names mean the same bytes from then on. */
static void drop_repeats(struct nn_lower *l)
{
    struct uses *uses = count_uses(l);
    uint32_t *name = calloc(l->buffer_count + 1, sizeof *name); /* what a buffer is called now */

    if (!name)
        abort();
    for (uint32_t i = 0; i < l->buffer_count; i++)
        name[i] = i;
    for (size_t i = 0; i < l->step_count; i++) {
        struct nn_step *s = &l->steps[i];
        for (unsigned n = 0; n < s->span_count; n++)
            s->spans[n].buffer = name[s->spans[n].buffer];
        if (!repeats(l, s))
            continue;
        const uint32_t in = s->spans[0].buffer, out = s->spans[1].buffer;
        if (uses[in].writers > 1 || uses[out].writers != 1 || l->buffers[in].variable ||
            l->buffers[out].variable || in == out)
            continue;
        s->span_count = 0;
        uses[in].readers += uses[out].readers;
        uses[in].pinned |= uses[out].pinned;
        name[out] = in; /* only later steps read what this one makes */
    }
    for (size_t i = 0; i < l->graph->tensor_count; i++) {
        if (l->span_of[i].size)
            l->span_of[i].buffer = name[l->span_of[i].buffer];
    }
    free(name);
    free(uses);
    drop_empty(l);
}

/*
 * Something else writes there: PAD fills all of its output first. (COPYs into one tensor never meet.)
 */
static bool is_filled(const struct nn_lower *l, uint32_t buffer, uint32_t from, uint32_t size)
{
    for (size_t i = 0; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
        for (unsigned n = 0; n < s->span_count && s->kind != KERNEL_COPY; n++) {
            const struct nn_span *to = &s->spans[n];
            if ((k->writes >> n & 1) && to->buffer == buffer && to->offset < from + size &&
                from < to->offset + to->size)
                return true;
        }
    }
    return false;
}

/* The step does nothing but put all of a tensor into its slice of a larger one. */
static bool fills_slice(const struct nn_lower *l, const struct uses *uses, const struct nn_step *s)
{
    const struct kernel_copy *c = s->params;
    const struct nn_span *in = &s->spans[0], *out = &s->spans[1];

    if (s->kind != KERNEL_COPY || c->rank != 0 || c->run != in->size || c->in_start != 0 ||
        !is_whole(l, in) || !is_whole(l, out) || in->buffer == out->buffer)
        return false;
    const struct nn_buffer *from = &l->buffers[in->buffer];
    return c->out_start % from->align == 0 && !from->data && !from->variable &&
           !uses[in->buffer].pinned && !l->buffers[out->buffer].variable &&
           !is_filled(l, out->buffer, c->out_start, c->run);
}

static void move_into(struct nn_lower *l, uint32_t from, uint32_t to, uint32_t offset)
{
    for (size_t i = 0; i < l->step_count; i++) {
        for (unsigned n = 0; n < l->steps[i].span_count; n++) {
            struct nn_span *s = &l->steps[i].spans[n];
            if (s->buffer == from)
                *s = (struct nn_span){to, s->offset + offset, s->size};
        }
    }
    for (size_t i = 0; i < l->graph->tensor_count; i++) {
        struct nn_span *s = &l->span_of[i];
        if (s->size && s->buffer == from)
            *s = (struct nn_span){to, s->offset + offset, s->size};
    }
}

static uint32_t peak_bound(struct nn_lower *l)
{
    struct arena scratch = ARENA_INIT, *own = l->arena;
    struct nn_plan plan;
    uint32_t bound = UINT32_MAX;

    l->arena = &scratch; /* every slice is tried: nothing of it shall stay */
    if (layout_items(l, &plan))
        bound = plan_lower_bound(plan.buffers, plan.count, plan.overlaps, plan.overlap_count);
    l->arena = own;
    arena_release(&scratch);
    return bound;
}

/* Moves the tensor that step i copies into its slice for good, unless that needs more memory. */
static void fill_slice(struct nn_lower *l, size_t i)
{
    const uint32_t before = peak_bound(l);
    const struct nn_step step = l->steps[i];
    const uint32_t offset = ((const struct kernel_copy *)step.params)->out_start;
    const size_t step_bytes = l->step_count * sizeof *l->steps;
    const size_t span_bytes = l->graph->tensor_count * sizeof *l->span_of;
    AUTO(arena_release) struct arena old = ARENA_INIT;
    const void *steps = arena_dup(&old, l->steps, step_bytes);
    const void *spans = arena_dup(&old, l->span_of, span_bytes);

    l->steps[i].span_count = 0;
    move_into(l, step.spans[0].buffer, step.spans[1].buffer, offset);
    if (peak_bound(l) <= before)
        return;
    memcpy(l->steps, steps, step_bytes);
    memcpy(l->span_of, spans, span_bytes);
}

/*
 * CONCATENATION along the outermost dimension: what it joins is made in its place. Each try looks at
 * the whole model, so large ones get fewer of them.
 */
static void fill_slices(struct nn_lower *l)
{
    struct uses *uses = count_uses(l); /* of what is pinned, no try changes anything */
    size_t tries = l->step_count ? FILL_STEPS_MAX / l->step_count : 0;

    for (size_t i = 0; i < l->step_count && tries; i++) {
        if (l->steps[i].kind != KERNEL_COPY || !fills_slice(l, uses, &l->steps[i]))
            continue;
        fill_slice(l, i);
        tries--;
    }
    free(uses);
    drop_empty(l);
}

void fuse_steps(struct nn_lower *l)
{
    drop_unread(l);
    drop_repeats(l);
    fuse_lookups(l);
    fill_slices(l);
}
