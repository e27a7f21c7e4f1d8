#include "harness/nn/strips_rows.h"

#include <string.h>

#include "harness/nn/pack.h"

/* Rows begin where kernels may read whole words. */
#define ROW_ALIGN 4

/* How the rows of a kind's tensors hang together. */
enum shape {
    SHAPE_NONE,   /* cannot be split */
    SHAPE_CONV,   /* struct kernel_conv comes first in the parameters */
    SHAPE_POOL,   /* struct kernel_pool ... */
    SHAPE_DENSE,  /* uint32_t batches ... */
    SHAPE_PLAIN,  /* uint32_t n elements, one by one */
    SHAPE_BINARY, /* struct kernel_binary ... */
    SHAPE_COPY,
    SHAPE_RESIZE
};

static const uint8_t shapes[KERNEL_KIND_COUNT] = {
    [KERNEL_CONV_S8] = SHAPE_CONV,
    [KERNEL_CONV_S16] = SHAPE_CONV,
    [KERNEL_CONV_F32] = SHAPE_CONV,
    [KERNEL_DEPTHWISE_S8] = SHAPE_CONV,
    [KERNEL_DEPTHWISE_S16] = SHAPE_CONV,
    [KERNEL_DEPTHWISE_F32] = SHAPE_CONV,
    [KERNEL_AVERAGE_POOL_S8] = SHAPE_POOL,
    [KERNEL_MAX_POOL_S8] = SHAPE_POOL,
    [KERNEL_POOL_F32] = SHAPE_POOL,
    [KERNEL_FULLY_CONNECTED_S8] = SHAPE_DENSE,
    [KERNEL_FULLY_CONNECTED_S16] = SHAPE_DENSE,
    [KERNEL_FULLY_CONNECTED_F32] = SHAPE_DENSE,
    [KERNEL_LOOKUP] = SHAPE_PLAIN,
    [KERNEL_REQUANTIZE] = SHAPE_PLAIN,
    [KERNEL_CAST] = SHAPE_PLAIN,
    [KERNEL_DEQUANTIZE] = SHAPE_PLAIN,
    [KERNEL_QUANTIZE] = SHAPE_PLAIN,
    [KERNEL_CURVE_S16] = SHAPE_PLAIN,
    [KERNEL_UNARY_F32] = SHAPE_PLAIN,
    [KERNEL_ADD_S8] = SHAPE_BINARY,
    [KERNEL_ADD_S16] = SHAPE_BINARY,
    [KERNEL_MUL_S8] = SHAPE_BINARY,
    [KERNEL_MUL_S16] = SHAPE_BINARY,
    [KERNEL_PRELU_S8] = SHAPE_BINARY,
    [KERNEL_SELECT] = SHAPE_BINARY,
    [KERNEL_BINARY_F32] = SHAPE_BINARY,
    [KERNEL_COPY] = SHAPE_COPY,
    [KERNEL_RESIZE_NEAREST] = SHAPE_RESIZE,
    [KERNEL_RESIZE_BILINEAR_S8] = SHAPE_RESIZE,
    [KERNEL_RESIZE_BILINEAR_F32] = SHAPE_RESIZE,
};

/* ---- geometry ---- */

static bool conv_rows(const struct kernel_conv *p, struct strip_rows *r)
{
    r->in_h = p->in_h;
    r->out_h = p->out_h;
    r->stride = p->stride_h;
    r->extent = (p->filter_h - 1u) * p->dilation_h + 1u;
    r->pad = p->pad_top > 0 ? (uint32_t)p->pad_top : 0;
    return p->batches == 1 && p->pad_top >= 0;
}

static bool pool_rows(const struct kernel_pool *p, struct strip_rows *r)
{
    r->in_h = p->in_h;
    r->out_h = p->out_h;
    r->stride = p->stride_h;
    r->extent = p->filter_h;
    r->pad = p->pad_top > 0 ? (uint32_t)p->pad_top : 0;
    return p->batches == 1 && p->pad_top >= 0;
}

static bool resize_rows(const struct kernel_resize *p, struct strip_rows *r)
{
    r->in_h = p->in_h;
    r->out_h = p->out_h;
    r->all = true;
    return p->batches == 1;
}

static bool same_rows(uint32_t rows, struct strip_rows *r)
{
    r->in_h = r->out_h = rows;
    r->stride = r->extent = 1;
    return rows != 0;
}

static bool plain_rows(const struct nn_step *s, uint32_t rows, struct strip_rows *r)
{
    const uint32_t *n = s->params;

    r->in_place = s->spans[0].size >= s->spans[1].size;
    return same_rows(rows, r) && *n % rows == 0;
}

/* One operand for every pixel: dims[0] pixels of dims[1] channels. */
static bool is_per_channel(const struct kernel_binary *p, const uint32_t *image,
                           const uint32_t *channels)
{
    return p->rank == 2 && image[1] == 1 && image[0] == p->dims[1] && channels[0] == 0 &&
           channels[1] <= 1;
}

static bool binary_rows(const struct kernel_binary *p, uint32_t rows, struct strip_rows *r)
{
    uint32_t n = 0;

    r->out = 2;
    r->in_place = true;
    if (!same_rows(rows, r))
        return false;
    if (pack_contiguous(p, &n)) {
        r->inputs = 2;
        r->in[1] = 1;
        return n % rows == 0;
    }
    r->in[0] = is_per_channel(p, p->a_strides, p->b_strides) ? 0 : 1;
    return p->rank == 2 && p->dims[0] % rows == 0 &&
           (r->in[0] == 0 || is_per_channel(p, p->b_strides, p->a_strides));
}

/* Runs of pixels, or of rows, from wider ones or to wider ones (CONCATENATION, bands). */
static bool copy_rows(const struct nn_step *s, uint32_t rows, struct strip_rows *r)
{
    const struct kernel_copy *p = s->params;

    if (!same_rows(rows, r) || p->rank != 1 || p->dims[0] % rows || p->in_strides[0] <= 0 ||
        p->out_strides[0] <= 0)
        return false;
    return (uint64_t)p->dims[0] * (uint32_t)p->in_strides[0] == s->spans[0].size &&
           (uint64_t)p->dims[0] * (uint32_t)p->out_strides[0] == s->spans[1].size &&
           (uint64_t)p->in_start + p->run <= (uint32_t)p->in_strides[0] &&
           (uint64_t)p->out_start + p->run <= (uint32_t)p->out_strides[0];
}

static bool geometry(const struct nn_step *s, uint32_t rows, struct strip_rows *r)
{
    *r = (struct strip_rows){.inputs = 1, .out = 1};
    switch ((enum shape)shapes[s->kind]) {
    case SHAPE_CONV:
        return conv_rows(s->params, r);
    case SHAPE_POOL:
        return pool_rows(s->params, r);
    case SHAPE_DENSE:
        return same_rows(*(const uint32_t *)s->params, r);
    case SHAPE_PLAIN:
        return plain_rows(s, rows, r);
    case SHAPE_BINARY:
        return binary_rows(s->params, rows, r);
    case SHAPE_COPY:
        return copy_rows(s, rows, r);
    case SHAPE_RESIZE:
        return resize_rows(s->params, r);
    case SHAPE_NONE:
        break;
    }
    return false;
}

/* Bytes of a row when the span is a whole tensor of such rows; 0: it is not. */
static uint32_t row_bytes(const struct nn_lower *l, const struct nn_span *s, uint32_t rows)
{
    if (s->offset != 0 || s->size != l->buffers[s->buffer].size || rows == 0 || s->size % rows ||
        s->size / rows % ROW_ALIGN)
        return 0;
    return s->size / rows;
}

bool rows_of_step(const struct nn_lower *l, const struct nn_step *s, uint32_t rows,
                  struct strip_rows *ret)
{
    if (s->variant != KERNEL_REF || s->part || s->kind >= KERNEL_KIND_COUNT ||
        !geometry(s, rows, ret))
        return false;
    for (unsigned k = 0; k < ret->inputs; k++) {
        ret->in_bytes[k] = row_bytes(l, &s->spans[ret->in[k]], ret->in_h);
        if (ret->in_bytes[k] == 0)
            return false;
    }
    const struct nn_span *out = &s->spans[ret->out];
    ret->out_bytes = row_bytes(l, out, ret->out_h);
    return ret->out_bytes != 0 && !l->buffers[out->buffer].variable;
}

uint32_t rows_low(const struct strip_rows *r, uint32_t out)
{
    if (r->all)
        return out < r->out_h ? 0 : r->in_h;
    uint64_t at = (uint64_t)out * r->stride;
    uint64_t low = at > r->pad ? at - r->pad : 0;

    return low < r->in_h ? (uint32_t)low : r->in_h;
}

uint32_t rows_high(const struct strip_rows *r, uint32_t out)
{
    if (r->all)
        return r->in_h;
    uint64_t end = (uint64_t)(out - 1) * r->stride + r->extent;
    uint64_t high = end > r->pad ? end - r->pad : 0;

    return high < r->in_h ? (uint32_t)high : r->in_h;
}

/* ---- a part of the step ---- */

static void cut_window(const struct strip_rows *r, const struct strip_part *p, uint16_t *in_h,
                       uint16_t *out_h, int16_t *pad)
{
    /* Padding is left where the first window begins above the first row. */
    const uint32_t top = p->from * r->stride;

    *in_h = (uint16_t)(p->high - p->low);
    *out_h = (uint16_t)(p->to - p->from);
    *pad = (int16_t)(r->pad > top ? r->pad - top : 0);
}

static void cut_binary(struct kernel_binary *b, const struct strip_rows *r, uint32_t rows)
{
    uint32_t n = 0;

    if (r->inputs == 1) {
        b->dims[0] = b->dims[0] / r->out_h * rows;
        return;
    }
    (void)pack_contiguous(b, &n); /* one long row */
    b->rank = 1;
    b->dims[0] = n / r->out_h * rows;
    b->a_strides[0] = b->b_strides[0] = 1;
}

/* Of the table that says which input rows make an output row, the rows' own piece. */
static void cut_resize(struct nn_lower *l, struct nn_step *part, const struct strip_rows *r,
                       const struct strip_part *p)
{
    struct nn_span *table = &part->spans[2];
    const uint32_t entry = table->size / r->out_h;
    const uint8_t *data = (const uint8_t *)l->buffers[table->buffer].data + table->offset;

    *table = lower_constant(l, "rows", data + (size_t)p->from * entry,
                            (size_t)(p->to - p->from) * entry);
}

void rows_cut(struct nn_lower *l, struct nn_step *part, const struct strip_rows *r,
              const struct strip_part *p)
{
    const uint32_t rows = p->to - p->from;
    void *params = arena_dup(l->arena, part->params, part->params_size);
    struct kernel_conv *conv = params;
    struct kernel_pool *pool = params;
    struct kernel_copy *copy = params;
    uint32_t *n = params;

    switch ((enum shape)shapes[part->kind]) {
    case SHAPE_CONV:
        cut_window(r, p, &conv->in_h, &conv->out_h, &conv->pad_top);
        break;
    case SHAPE_POOL:
        cut_window(r, p, &pool->in_h, &pool->out_h, &pool->pad_top);
        break;
    case SHAPE_DENSE:
    case SHAPE_PLAIN:
        *n = *n / r->out_h * rows;
        break;
    case SHAPE_BINARY:
        cut_binary(params, r, rows);
        break;
    case SHAPE_COPY:
        copy->dims[0] = copy->dims[0] / r->out_h * rows;
        break;
    case SHAPE_RESIZE:
        ((struct kernel_resize *)params)->out_h = (uint16_t)rows;
        cut_resize(l, part, r, p);
        break;
    case SHAPE_NONE:
        break;
    }
    part->params = params;
    part->part = true;
    part->sharing_count = 0;
}
