#include "harness/nn/strips_bands.h"

#include <string.h>

#include "harness/nn/layout.h"
#include "harness/nn/pack.h"

#define WORD 4

/* One operator seen from its columns. */
struct columns {
    uint32_t in_w, out_w;
    uint32_t stride, extent, pad;
};

/* Columns [from, to). */
struct range {
    uint32_t from, to;
};

struct bands {
    struct nn_lower *l;
    const struct chain *chain;
    const struct nn_step *old; /* the chain's steps */
    struct columns columns[CHAIN_MAX];
    struct range in[CHAIN_MAX], out[CHAIN_MAX]; /* of this band */
    struct nn_span made;                        /* what the operator before made of it */
};

/* ---- geometry ---- */

static bool is_conv(unsigned kind)
{
    return kind == KERNEL_CONV_S8 || kind == KERNEL_CONV_S16 || kind == KERNEL_CONV_F32 ||
           kind == KERNEL_DEPTHWISE_S8 || kind == KERNEL_DEPTHWISE_S16 ||
           kind == KERNEL_DEPTHWISE_F32;
}

static bool is_pool(unsigned kind)
{
    return kind == KERNEL_AVERAGE_POOL_S8 || kind == KERNEL_MAX_POOL_S8 || kind == KERNEL_POOL_F32;
}

/* `width`: of the image before; 0: there is none. */
static bool columns_of(const struct nn_step *s, const struct strip_rows *r, uint32_t width,
                       struct columns *ret)
{
    const struct kernel_conv *conv = s->params;
    const struct kernel_pool *pool = s->params;

    if (is_conv(s->kind)) {
        *ret = (struct columns){conv->in_w, conv->out_w, conv->stride_w,
                                (conv->filter_w - 1u) * conv->dilation_w + 1u,
                                conv->pad_left > 0 ? (uint32_t)conv->pad_left : 0};
        return conv->pad_left >= 0;
    }
    if (is_pool(s->kind)) {
        *ret = (struct columns){pool->in_w, pool->out_w, pool->stride_w, pool->filter_w,
                                pool->pad_left > 0 ? (uint32_t)pool->pad_left : 0};
        return pool->pad_left >= 0;
    }
    *ret = (struct columns){width, width, 1, 1, 0};
    return width != 0 && r->in_place; /* element by element */
}

static bool find_columns(const struct nn_lower *l, const struct chain *c, struct columns *ret)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const struct strip_rows *r = &c->ops[i].rows;
        const uint32_t before = i ? ret[i - 1].out_w : 0;
        if (!columns_of(&l->steps[c->first + i], r, before, &ret[i]) ||
            (i && ret[i].in_w != before) || ret[i].in_w == 0 || ret[i].out_w == 0 ||
            r->out_bytes % ret[i].out_w)
            return false;
        for (unsigned k = 0; k < r->inputs; k++) {
            if (r->in_bytes[k] % ret[i].in_w)
                return false;
        }
    }
    return true;
}

/* Operator i reads what the one before made, or what stays whole; only the last one makes that. */
bool bands_fit(const struct nn_lower *l, const struct chain *c)
{
    struct columns columns[CHAIN_MAX];

    for (uint32_t i = 0; i < c->count; i++) {
        const struct chain_op *op = &c->ops[i];
        bool goes_on = i == 0;
        for (unsigned k = 0; k < op->rows.inputs; k++) {
            const bool before = i && op->in[k] == c->ops[i - 1].out;
            if (!before && c->windows[op->in[k]].made)
                return false;
            if (before && goes_on)
                return false; /* twice */
            goes_on |= before;
        }
        if (!goes_on || c->windows[op->out].whole != (i + 1 == c->count))
            return false;
    }
    return find_columns(l, c, columns);
}

/* The band's columns of every operator, from the last one back. */
static bool find_ranges(struct bands *x, struct range last)
{
    for (uint32_t i = x->chain->count; i-- > 0;) {
        const struct columns *k = &x->columns[i];
        const uint32_t pixel = x->chain->ops[i].rows.in_bytes[0] / k->in_w;
        const bool same = k->stride == 1 && k->extent == 1 && k->pad == 0;
        x->out[i] = last;
        uint64_t from = (uint64_t)last.from * k->stride;
        from = from > k->pad ? from - k->pad : 0;
        uint64_t to = (uint64_t)(last.to - 1) * k->stride + k->extent;
        to = to > k->pad ? to - k->pad : 0;
        to = to < k->in_w ? to : k->in_w;
        if (from >= to)
            return false;
        while (!same && to < k->in_w && (to - from) * pixel % WORD)
            to++; /* more than is needed: the row ends with a word */
        last = x->in[i] = (struct range){(uint32_t)from, (uint32_t)to};
    }
    return true;
}

/* ---- steps ---- */

static struct nn_step *push(struct nn_lower *l, const struct nn_step *s)
{
    struct nn_step *new = ARENA_PUSH(l->arena, l->steps, l->step_count, l->step_capacity);

    *new = *s;
    return new;
}

/* Columns of an image, from one that is wider or to one. */
static void push_copy(struct bands *x, uint32_t op, uint32_t rows, struct nn_span from,
                      struct nn_span to, uint32_t from_start, uint32_t to_start)
{
    const uint32_t in_row = from.size / rows, out_row = to.size / rows;
    const struct kernel_copy p = {.rank = 1,
                                  .run = in_row < out_row ? in_row : out_row,
                                  .in_start = from_start,
                                  .out_start = to_start,
                                  .dims = {rows},
                                  .in_strides = {(int32_t)in_row},
                                  .out_strides = {(int32_t)out_row}};
    struct nn_step step = {.kind = KERNEL_COPY,
                           .variant = KERNEL_REF,
                           .plain = true,
                           .rows = rows,
                           .op = x->old[op].op,
                           .params = arena_dup(x->l->arena, &p, sizeof p),
                           .params_size = sizeof p};

    lower_span(&step, from);
    lower_span(&step, to);
    push(x->l, &step);
}

/* The band of operand k, which is whole. */
static struct nn_span cut_operand(struct bands *x, uint32_t i, unsigned k)
{
    const struct strip_rows *r = &x->chain->ops[i].rows;
    const struct nn_span *whole = &x->old[i].spans[r->in[k]];
    const uint32_t pixel = r->in_bytes[k] / x->columns[i].in_w;
    const uint32_t width = x->in[i].to - x->in[i].from;
    const struct nn_span band =
        lower_scratch(x->l, x->l->buffers[whole->buffer].name, r->in_h * width * pixel, WORD);

    push_copy(x, i, r->in_h, *whole, band, x->in[i].from * pixel, 0);
    return band;
}

static void narrow_conv(const struct bands *x, uint32_t i, uint16_t *in_w, uint16_t *out_w,
                        int16_t *pad)
{
    const struct columns *k = &x->columns[i];
    const uint32_t left = x->out[i].from * k->stride;

    *in_w = (uint16_t)(x->in[i].to - x->in[i].from);
    *out_w = (uint16_t)(x->out[i].to - x->out[i].from);
    *pad = (int16_t)(k->pad > left ? k->pad - left : 0);
}

static void narrow_binary(struct kernel_binary *b, unsigned inputs, uint32_t width,
                          uint32_t columns)
{
    uint32_t n = b->dims[0];

    if (inputs == 2) { /* contiguous: one long row */
        (void)pack_contiguous(b, &n);
        b->rank = 1;
        b->a_strides[0] = b->b_strides[0] = 1;
    }
    b->dims[0] = n / width * columns;
}

static const void *narrow_params(struct bands *x, uint32_t i)
{
    const struct strip_rows *r = &x->chain->ops[i].rows;
    const struct nn_step *s = &x->old[i];
    const uint32_t width = x->columns[i].out_w, columns = x->out[i].to - x->out[i].from;
    void *params = arena_dup(x->l->arena, s->params, s->params_size);
    struct kernel_conv *conv = params;
    struct kernel_pool *pool = params;
    uint32_t *n = params;

    if (is_conv(s->kind))
        narrow_conv(x, i, &conv->in_w, &conv->out_w, &conv->pad_left);
    else if (is_pool(s->kind))
        narrow_conv(x, i, &pool->in_w, &pool->out_w, &pool->pad_left);
    else if (r->out == 2)
        narrow_binary(params, r->inputs, width, columns);
    else
        *n = *n / width * columns;
    return params;
}

static void push_op(struct bands *x, uint32_t i)
{
    const struct chain_op *op = &x->chain->ops[i];
    const struct strip_rows *r = &op->rows;
    struct nn_step step = x->old[i];

    for (unsigned k = 0; k < r->inputs; k++) {
        const bool before = i && op->in[k] == x->chain->ops[i - 1].out;
        step.spans[r->in[k]] = before ? x->made : cut_operand(x, i, k);
    }
    const uint32_t pixel = r->out_bytes / x->columns[i].out_w;
    x->made = lower_scratch(x->l, x->l->buffers[step.spans[r->out].buffer].name,
                            r->out_h * (x->out[i].to - x->out[i].from) * pixel, WORD);
    step.spans[r->out] = x->made;
    step.params = narrow_params(x, i);
    step.sharing_count = 0;
    push(x->l, &step);
}

static void push_band(struct bands *x)
{
    const uint32_t last = x->chain->count - 1;
    const struct strip_rows *r = &x->chain->ops[last].rows;
    const uint32_t pixel = r->out_bytes / x->columns[last].out_w;

    for (uint32_t i = 0; i <= last; i++)
        push_op(x, i);
    push_copy(x, last, r->out_h, x->made, x->old[last].spans[r->out], 0, x->out[last].from * pixel);
}

/* ---- strips of a band ---- */

/* The height that costs least; false when the steps of the band are no chain. */
static bool strip_band(struct nn_lower *l, uint32_t first, uint32_t n, struct chain *ret)
{
    struct chain found;
    uint64_t best = UINT64_MAX;

    if (chain_find(l, first, &found) < n)
        return false;
    for (uint32_t parts = 2; parts <= CHAIN_PARTS_MAX; parts += parts / 2) {
        struct chain c;
        uint64_t cost = 0;
        chain_take(l, &found, n, parts, &c);
        if (!chain_schedule(&c, NULL))
            continue;
        for (uint32_t i = 0; i < c.window_count; i++)
            cost +=
                c.windows[i].whole ? 0 : (uint64_t)c.windows[i].capacity * c.windows[i].row_bytes;
        cost += (uint64_t)c.steps * CHAIN_STEP_BYTES / CHAIN_FLASH_WORTH;
        if (cost >= best)
            continue;
        best = cost;
        *ret = c;
    }
    return best != UINT64_MAX;
}

/* Border b of `bands`, where rows on both sides begin with a word. */
static uint32_t border(uint32_t width, uint32_t bands, uint32_t b)
{
    return b == bands ? width : (uint32_t)((uint64_t)width * b / bands) & ~(WORD - 1u);
}

bool bands_split(struct nn_lower *l, const struct chain *c, uint32_t bands)
{
    const struct nn_step *old = l->steps;
    const size_t count = l->step_count;
    struct bands x = {.l = l, .chain = c, .old = &old[c->first]};
    struct nn_plan plan;
    uint32_t length = 0, first = c->first;

    if (!find_columns(l, c, x.columns))
        return false;
    l->steps = NULL;
    l->step_count = l->step_capacity = 0;
    for (uint32_t i = 0; i < c->first; i++)
        push(l, &old[i]);
    for (uint32_t b = 0; b < bands; b++) {
        const uint32_t width = x.columns[c->count - 1].out_w;
        const struct range last = {border(width, bands, b), border(width, bands, b + 1)};
        if (last.from >= last.to || !find_ranges(&x, last))
            return false;
        push_band(&x);
        length = (uint32_t)(l->step_count - c->first) / (b + 1);
    }
    for (size_t i = c->first + c->count; i < count; i++)
        push(l, &old[i]);
    for (uint32_t b = 0; b < bands; b++) {
        struct chain band;
        if (!layout_items(l, &plan) || !strip_band(l, first, length, &band) ||
            !chain_split(l, &band))
            return false;
        first += band.steps;
    }
    return true;
}
