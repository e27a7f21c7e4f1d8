#include "harness/nn/strips_chain.h"

#include <string.h>

#include "harness/nn/pack.h"

/* Rows begin where kernels may read whole words. */
#define ROW_ALIGN 4

/* ---- which steps can be split ---- */

static bool is_whole(const struct nn_lower *l, const struct nn_span *s)
{
    const struct nn_buffer *b = &l->buffers[s->buffer];

    return s->offset == 0 && s->size == b->size && !b->data;
}

/* Inputs and outputs of the model are needed whole. */
static bool is_outside(const struct nn_lower *l, uint32_t buffer)
{
    for (size_t i = 0; i < l->graph->input_count; i++) {
        if (l->span_of[l->graph->inputs[i]].buffer == buffer)
            return true;
    }
    for (size_t i = 0; i < l->graph->output_count; i++) {
        if (l->span_of[l->graph->outputs[i]].buffer == buffer)
            return true;
    }
    return false;
}

/* How many spans of all steps lie in the buffer. */
static uint32_t mentions(const struct nn_lower *l, uint32_t buffer)
{
    uint32_t n = 0;

    for (size_t i = 0; i < l->step_count; i++) {
        for (unsigned k = 0; k < l->steps[i].span_count; k++)
            n += l->steps[i].spans[k].buffer == buffer;
    }
    return n;
}

/* Bytes of one element; 0: the kind is no convolution or pool. */
static uint32_t conv_element(unsigned kind)
{
    return kind == KERNEL_CONV_S8 || kind == KERNEL_DEPTHWISE_S8     ? 1
           : kind == KERNEL_CONV_S16 || kind == KERNEL_DEPTHWISE_S16 ? 2
           : kind == KERNEL_CONV_F32 || kind == KERNEL_DEPTHWISE_F32 ? 4
                                                                     : 0;
}

static bool conv_rows(const struct kernel_conv *p, uint32_t element, struct chain_rows *ret)
{
    *ret = (struct chain_rows){.in_h = p->in_h,
                               .out_h = p->out_h,
                               .stride = p->stride_h,
                               .extent = (p->filter_h - 1u) * p->dilation_h + 1u,
                               .pad = p->pad_top > 0 ? (uint32_t)p->pad_top : 0,
                               .in_bytes = (uint32_t)p->in_w * p->in_c * element,
                               .out_bytes = (uint32_t)p->out_w * p->out_c * element};
    return p->batches == 1 && p->pad_top >= 0 && p->out_c != 0;
}

static bool pool_rows(const struct kernel_pool *p, struct chain_rows *ret)
{
    *ret = (struct chain_rows){.in_h = p->in_h,
                               .out_h = p->out_h,
                               .stride = p->stride_h,
                               .extent = p->filter_h,
                               .pad = p->pad_top > 0 ? (uint32_t)p->pad_top : 0,
                               .in_bytes = (uint32_t)p->in_w * p->c,
                               .out_bytes = (uint32_t)p->out_w * p->c};
    return p->batches == 1 && p->pad_top >= 0;
}

/* n elements one by one, as many rows as the operator before made. */
static bool plain_rows(uint32_t n, uint32_t width, uint32_t rows, struct chain_rows *ret)
{
    if (rows == 0 || n % rows)
        return false;
    *ret = (struct chain_rows){.in_h = rows,
                               .out_h = rows,
                               .stride = 1,
                               .extent = 1,
                               .in_bytes = n / rows,
                               .out_bytes = n / rows * width};
    return true;
}

/* `before`: the rows of the operator before; 0: there is none. */
static bool rows_of(const struct nn_step *s, uint32_t before, struct chain_rows *ret)
{
    const struct kernel_lookup *lookup = s->params;
    uint32_t n = 0;

    if (conv_element(s->kind))
        return conv_rows(s->params, conv_element(s->kind), ret);
    switch (s->kind) {
    case KERNEL_AVERAGE_POOL_S8:
    case KERNEL_MAX_POOL_S8:
        return pool_rows(s->params, ret);
    case KERNEL_LOOKUP:
        return plain_rows(lookup->n, lookup->width, before, ret);
    case KERNEL_ADD_S8:
        return pack_contiguous(s->params, &n) && plain_rows(n, 1, before, ret);
    default:
        return false;
    }
}

static unsigned out_span(const struct nn_step *s)
{
    return s->kind == KERNEL_ADD_S8 ? 2 : 1;
}

/* Of ADD, the operand that the chain does not make. */
static unsigned other_span(const struct nn_step *s, uint32_t made)
{
    return s->spans[0].buffer == made ? 1 : 0;
}

/* The step reads and writes whole images whose rows are aligned. */
static bool fits(const struct nn_lower *l, const struct nn_step *s, const struct chain_rows *r)
{
    const struct nn_span *out = &s->spans[out_span(s)];

    return is_whole(l, &s->spans[0]) && is_whole(l, out) && !l->buffers[out->buffer].variable &&
           (s->kind != KERNEL_ADD_S8 || is_whole(l, &s->spans[1])) && r->in_h && r->out_h &&
           r->in_bytes % ROW_ALIGN == 0 && r->out_bytes % ROW_ALIGN == 0 &&
           (uint64_t)r->out_h * r->out_bytes == out->size;
}

/* The step goes on with what `made` holds, and nobody else wants that. */
static bool goes_on(const struct nn_lower *l, const struct nn_step *s, uint32_t made,
                    const struct chain_rows *last, const struct chain_rows *r)
{
    if (is_outside(l, made) || mentions(l, made) != 2 || r->in_h != last->out_h ||
        r->in_bytes != last->out_bytes)
        return false;
    return s->spans[0].buffer == made || (s->kind == KERNEL_ADD_S8 && s->spans[1].buffer == made);
}

uint32_t chain_find(struct nn_lower *l, uint32_t first, struct chain *ret)
{
    uint32_t n = 0;

    *ret = (struct chain){.first = first};
    while (n < CHAIN_MAX && first + n < l->step_count) {
        const struct nn_step *s = &l->steps[first + n];
        struct chain_rows *r = &ret->rows[n];
        if (s->variant != KERNEL_REF || !rows_of(s, n ? r[-1].out_h : 0, r) || !fits(l, s, r))
            break;
        if (n && !goes_on(l, s, ret->middle[n - 1], &r[-1], r))
            break;
        ret->middle[n++] = s->spans[out_span(s)].buffer;
    }
    ret->count = n;
    ret->in = n ? l->steps[first].spans[0].buffer : 0;
    return n;
}

void chain_take(struct nn_lower *l, uint32_t first, uint32_t n, uint32_t parts, struct chain *ret)
{
    chain_find(l, first, ret);
    ret->count = n;
    ret->out = ret->middle[n - 1];
    for (uint32_t i = 1; i < n; i++) {
        const struct nn_step *s = &l->steps[first + i];
        ret->reads_in[i] = s->kind == KERNEL_ADD_S8 &&
                           s->spans[other_span(s, ret->middle[i - 1])].buffer == ret->in;
    }
    ret->parts = parts < ret->rows[n - 1].out_h ? parts : ret->rows[n - 1].out_h;
}

bool chain_owns(const struct chain *c, uint32_t buffer)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->middle[i] == buffer)
            return true;
    }
    return buffer == c->in;
}

/* ---- the strips ---- */

/* First input row that output row `out` reads, and one past the last that those before `out` read. */
static uint32_t low_of(const struct chain_rows *r, uint32_t out)
{
    uint64_t at = (uint64_t)out * r->stride;
    uint64_t low = at > r->pad ? at - r->pad : 0;

    return low < r->in_h ? (uint32_t)low : r->in_h;
}

static uint32_t high_of(const struct chain_rows *r, uint32_t out)
{
    uint64_t end = (uint64_t)(out - 1) * r->stride + r->extent;
    uint64_t high = end > r->pad ? end - r->pad : 0;

    return high < r->in_h ? (uint32_t)high : r->in_h;
}

struct progress {
    uint32_t done[CHAIN_MAX], base[CHAIN_MAX], target[CHAIN_MAX];
};

/* Rows that the next operator still needs move to the front of its buffer. */
static void make_room(struct chain *c, struct progress *p, struct chain_strip *s)
{
    const uint32_t i = s->op;
    uint32_t need = low_of(&c->rows[i + 1], p->done[i + 1]);

    need = need < p->done[i] ? need : p->done[i];
    if (need > p->base[i]) {
        s->move = need - p->base[i];
        s->keep = p->done[i] - need;
        p->base[i] = need;
    }
    s->at = p->done[i] - p->base[i];
    uint32_t held = p->target[i] - p->base[i];
    c->capacity[i] = held > c->capacity[i] ? held : c->capacity[i];
}

static bool run_op(struct chain *c, struct progress *p, uint32_t i, struct chain_visit *visit)
{
    const struct chain_rows *r = &c->rows[i];
    struct chain_strip s = {.op = i, .from = p->done[i], .to = p->target[i]};

    if (s.to <= s.from)
        return true;
    s.low = low_of(r, s.from);
    s.high = high_of(r, s.to);
    s.base = i ? p->base[i - 1] : 0;
    if (s.low >= s.high)
        return false;
    if (i + 1 < c->count)
        make_room(c, p, &s);
    else
        s.at = s.from;
    c->steps += s.keep ? 2 : 1;
    if (visit)
        visit->strip(visit, &s);
    p->done[i] = s.to;
    return true;
}

static void narrow_slack(struct chain *c, int64_t read, uint32_t written)
{
    int64_t slack = read - (int64_t)written * c->rows[c->count - 1].out_bytes;

    slack = slack < INT32_MIN / 2 ? INT32_MIN / 2 : slack;
    c->slack = slack < c->slack ? (int32_t)slack : c->slack;
}

/* ADD in the chain may read the chain's input once more: the row that it is at. */
static void narrow_for_adds(struct chain *c, const struct progress *p)
{
    for (uint32_t i = 1; i < c->count; i++) {
        if (c->reads_in[i])
            narrow_slack(c, (int64_t)p->done[i] * c->rows[i].in_bytes, p->target[c->count - 1]);
    }
}

bool chain_schedule(const struct nn_lower *l, struct chain *c, struct chain_visit *visit)
{
    const uint32_t last = c->count - 1, rows = c->rows[last].out_h;
    struct progress p = {.done = {0}};

    c->steps = 0;
    c->slack = INT32_MAX / 2;
    c->may_share = !l->buffers[c->in].variable && l->buffers[c->in].last < c->first + c->count;
    memset(c->capacity, 0, sizeof c->capacity);
    for (uint32_t k = 0; k < c->parts; k++) {
        p.target[last] = (uint32_t)((uint64_t)rows * (k + 1) / c->parts);
        for (uint32_t i = last; i > 0; i--) {
            uint32_t need = high_of(&c->rows[i], p.target[i]);
            bool idle = p.target[i] <= p.done[i] || need < p.done[i - 1];
            p.target[i - 1] = idle ? p.done[i - 1] : need;
        }
        narrow_for_adds(c, &p);
        for (uint32_t i = 0; i < c->count; i++) {
            if (!run_op(c, &p, i, visit))
                return false;
        }
        if (k + 1 < c->parts && p.done[0] < c->rows[0].out_h)
            narrow_slack(c, (int64_t)low_of(&c->rows[0], p.done[0]) * c->rows[0].in_bytes,
                         p.done[last]);
    }
    return true;
}

/* ---- new steps ---- */

struct splitter {
    struct chain_visit visit; /* must be first */
    struct nn_lower *l;
    const struct chain *chain;
    const struct nn_step *old; /* the chain's steps */
    uint32_t strips[CHAIN_MAX];
};

static struct nn_step *push(struct nn_lower *l, const struct nn_step *s)
{
    struct nn_step *new = ARENA_PUSH(l->arena, l->steps, l->step_count, l->step_capacity);

    *new = *s;
    return new;
}

/* keep rows, from row `move` of the buffer to its front. */
static void push_move(struct splitter *x, const struct chain_strip *s)
{
    const uint32_t row = x->chain->rows[s->op].out_bytes, buffer = x->strips[s->op];
    const struct kernel_copy p = {.run = s->keep * row};
    struct nn_step step = {.kind = KERNEL_COPY,
                           .variant = KERNEL_REF,
                           .plain = true,
                           .op = x->old[s->op].op,
                           .part = true,
                           .params = arena_dup(x->l->arena, &p, sizeof p),
                           .params_size = sizeof p};

    lower_span(&step, (struct nn_span){buffer, s->move * row, s->keep * row});
    lower_span(&step, (struct nn_span){buffer, 0, s->keep * row});
    push(x->l, &step);
}

/* Parameters of the operator for the strip alone. */
static const void *strip_params(struct splitter *x, const struct chain_strip *s)
{
    const struct chain_rows *r = &x->chain->rows[s->op];
    const struct nn_step *old = &x->old[s->op];
    const uint32_t in_h = s->high - s->low, out_h = s->to - s->from;
    /* Padding is left where the first window begins above the first row. */
    const uint32_t top = s->from * r->stride, pad = r->pad > top ? r->pad - top : 0;
    void *params = arena_dup(x->l->arena, old->params, old->params_size);

    if (conv_element(old->kind)) {
        struct kernel_conv *p = params;
        p->in_h = (uint16_t)in_h;
        p->out_h = (uint16_t)out_h;
        p->pad_top = (int16_t)pad;
    } else if (old->kind == KERNEL_LOOKUP) {
        ((struct kernel_lookup *)params)->n = out_h * r->in_bytes;
    } else if (old->kind == KERNEL_ADD_S8) { /* contiguous: one long row */
        struct kernel_binary *p = params;
        p->rank = 1;
        p->dims[0] = out_h * r->in_bytes;
        p->a_strides[0] = p->b_strides[0] = 1;
    } else {
        struct kernel_pool *p = params;
        p->in_h = (uint16_t)in_h;
        p->out_h = (uint16_t)out_h;
        p->pad_top = (int16_t)pad;
    }
    return params;
}

static void push_strip(struct chain_visit *v, const struct chain_strip *s)
{
    struct splitter *x = (struct splitter *)v;
    const struct chain *c = x->chain;
    const struct chain_rows *r = &c->rows[s->op];
    const struct nn_step *old = &x->old[s->op];
    const unsigned out = out_span(old);
    unsigned in = 0;

    if (s->keep)
        push_move(x, s);
    struct nn_step *new = push(x->l, old);
    new->part = true;
    new->sharing_count = 0;
    new->params = strip_params(x, s);
    if (old->kind == KERNEL_ADD_S8) {
        const unsigned other = other_span(old, c->middle[s->op - 1]);
        in = 1 - other;
        new->spans[other].offset = s->from * r->in_bytes;
        new->spans[other].size = (s->to - s->from) * r->in_bytes;
    }
    new->spans[in] =
        (struct nn_span){s->op ? x->strips[s->op - 1] : c->in, (s->low - s->base) * r->in_bytes,
                         (s->high - s->low) * r->in_bytes};
    new->spans[out] = (struct nn_span){s->op + 1 < c->count ? x->strips[s->op] : c->out,
                                       s->at * r->out_bytes, (s->to - s->from) * r->out_bytes};
}

bool chain_split(struct nn_lower *l, struct chain *c)
{
    const struct nn_step *old = l->steps;
    const size_t count = l->step_count;
    struct splitter x = {.visit = {push_strip}, .l = l, .chain = c, .old = &old[c->first]};

    for (uint32_t i = 0; i + 1 < c->count; i++)
        x.strips[i] = lower_scratch(l, l->buffers[c->middle[i]].name,
                                    c->capacity[i] * c->rows[i].out_bytes, 4)
                          .buffer;
    l->steps = NULL;
    l->step_count = l->step_capacity = 0;
    for (uint32_t i = 0; i < c->first; i++)
        push(l, &old[i]);
    if (!chain_schedule(l, c, &x.visit))
        return false; /* it was tried before: cannot be */
    for (size_t i = c->first + c->count; i < count; i++)
        push(l, &old[i]);
    if (c->may_share)
        *ARENA_PUSH(l->arena, l->overlaps, l->overlap_count, l->overlap_capacity) =
            (struct nn_overlap){.out = c->out, .in = c->in, .slack = c->slack};
    return true;
}
