/* Operators that pick or combine many values: reductions, GATHER, resizing. */
#include <math.h>

#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

/* ---- MEAN, REDUCE_MAX ---- */

/* Sorts the input's dimensions into those that stay and those that are reduced. */
static int read_axes(struct nn_lower *l, const struct nn_tensor *in, struct kernel_reduce *p,
                     uint32_t *ret_count)
{
    const struct nn_tensor *axes = lower_const(l, 1, NN_INT32);
    int64_t strides[NN_MAX_RANK];
    unsigned mask = 0;

    if (!axes)
        return lower_failed(l);
    for (size_t i = 0; i < axes->elements; i++) {
        unsigned axis;
        if (lower_axis(l, lower_const_int(axes, i), in->rank, &axis) < 0)
            return lower_failed(l);
        mask |= 1u << axis;
    }
    lower_strides(in, strides);
    *ret_count = 1;
    for (unsigned i = 0; i < in->rank; i++) {
        bool reduced = mask >> i & 1;
        uint8_t *rank = reduced ? &p->inner_rank : &p->outer_rank;
        (reduced ? p->inner_dims : p->outer_dims)[*rank] = (uint32_t)in->dims[i];
        (reduced ? p->inner_strides : p->outer_strides)[*rank] = (uint32_t)strides[i];
        ++*rank;
        *ret_count *= reduced ? (uint32_t)in->dims[i] : 1;
    }
    return 0;
}

static int emit_reduce(struct nn_lower *l, enum kernel_kind kind, const struct nn_tensor *in,
                       const struct nn_tensor *out, const struct kernel_reduce *p,
                       const void *params)
{
    uint64_t n = 1;

    for (unsigned i = 0; i < p->outer_rank; i++)
        n *= p->outer_dims[i];
    if (n != out->elements)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s does not hold the %llu results",
                                 nn_shape_text(l->arena, out), (unsigned long long)n);
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, params);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    return 0;
}

/* 1/count goes into the multiplier, whose power of two is kept apart: QuantizedMeanOrSum(). */
static int set_mean(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                    uint32_t count, struct kernel_reduce *p)
{
    struct quant_multiplier m;
    int left = 31 - __builtin_clz(count);

    if (!quant_multiplier((double)in->quant.scale[0] / (double)out->quant.scale[0], &m))
        return LOWER_FAIL(l, "the scales are too far apart");
    left = left > 31 + m.shift ? 31 + m.shift : left;
    p->multiplier = (int32_t)(((int64_t)m.multiplier << left) / count);
    p->shift = m.shift - left;
    p->in_zero_sum = (int32_t)((uint32_t)in->quant.zero_point[0] * count); /* wraps, as sums do */
    p->out_zero = out->quant.zero_point[0];
    return 0;
}

static int lower_float_reduction(struct nn_lower *l, bool max)
{
    struct kernel_reduce_f32 p = {.max = max};
    uint32_t count = 0;

    if (lower_needs_fpu(l) < 0 || lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, TYPE_BIT(NN_FLOAT32));
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(NN_FLOAT32)) : NULL;
    if (!out || read_axes(l, in, &p.shape, &count) < 0)
        return lower_failed(l);
    p.factor = 1.0f / (float)count;
    return emit_reduce(l, KERNEL_REDUCE_F32, in, out, &p.shape, &p);
}

static int lower_reduction(struct nn_lower *l, enum kernel_kind kind)
{
    struct kernel_reduce p = {0};
    uint32_t count = 0;

    if (lower_is_float(l))
        return lower_float_reduction(l, kind == KERNEL_REDUCE_MAX);
    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16));
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(in->type)) : NULL;
    if (!out || read_axes(l, in, &p, &count) < 0)
        return lower_failed(l);
    if (count > 1u << 23)
        return LOWER_FAIL(l, "%u values in one result are not supported", count);
    p.type = (uint8_t)lower_kernel_type(in->type);
    if (kind == KERNEL_MEAN ? set_mean(l, in, out, count, &p) < 0
                            : lower_same_quant(l, in, out) < 0)
        return lower_failed(l);
    return emit_reduce(l, kind, in, out, &p, &p);
}

int lower_mean(struct nn_lower *l)
{
    return lower_reduction(l, KERNEL_MEAN);
}

int lower_reduce_max(struct nn_lower *l)
{
    return lower_reduction(l, KERNEL_REDUCE_MAX);
}

int lower_arg_max(struct nn_lower *l)
{
    unsigned axis;

    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const uint32_t types = (INTEGER_TYPES & ~TYPE_BIT(NN_UINT8)) | TYPE_BIT(NN_FLOAT32);
    const struct nn_tensor *in = lower_in(l, 0, types);
    const struct nn_tensor *where = in ? lower_const(l, 1, NN_INT32) : NULL;
    const struct nn_tensor *out = where ? lower_out(l, 0, TYPE_BIT(NN_INT32)) : NULL;
    if (!out || lower_axis(l, lower_const_int(where, 0), in->rank, &axis) < 0)
        return lower_failed(l);
    struct kernel_arg_max p = {.before = lower_extent(in, 0, axis),
                               .n = (uint32_t)in->dims[axis],
                               .after = lower_extent(in, axis + 1, in->rank),
                               .type = lower_kernel_type(in->type)};
    if (out->elements != (size_t)p.before * p.after)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s does not hold the %u results",
                                 nn_shape_text(l->arena, out), p.before * p.after);
    struct nn_step *s = lower_step(l, KERNEL_ARG_MAX, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    return 0;
}

/* ---- GATHER ---- */

int lower_gather(struct nn_lower *l)
{
    const uint32_t any = INTEGER_TYPES | TYPE_BIT(NN_FLOAT32);
    unsigned axis;
    int64_t shared = l->op->options.batch_dims;

    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, any);
    const struct nn_tensor *index = in ? lower_in(l, 1, TYPE_BIT(NN_INT32)) : NULL;
    const struct nn_tensor *out = index ? lower_out(l, 0, TYPE_BIT(in->type)) : NULL;
    if (!out || lower_axis(l, l->op->options.axis, in->rank, &axis) < 0)
        return lower_failed(l);
    shared += shared < 0 ? (int64_t)index->rank : 0;
    if (shared < 0 || shared > (int64_t)axis || shared > (int64_t)index->rank)
        return LOWER_FAIL(l, "%lld batch dimensions are not supported", (long long)shared);
    struct kernel_gather p = {.batches = lower_extent(in, 0, (unsigned)shared),
                              .before = lower_extent(in, (unsigned)shared, axis),
                              .n = (uint32_t)in->dims[axis],
                              .run = lower_extent(in, axis + 1, in->rank) * lower_element_size(in)};
    p.count = (uint32_t)index->elements / p.batches;
    if ((size_t)p.batches * p.count != index->elements ||
        out->size != (size_t)p.batches * p.before * p.count * p.run)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s is not what %s picks from %s",
                                 nn_shape_text(l->arena, out), nn_shape_text(l->arena, index),
                                 nn_shape_text(l->arena, in));
    struct nn_step *s = lower_step(l, KERNEL_GATHER, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_in(l, s, index) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    return 0;
}

/* ---- resizing ---- */

static int read_resize(struct nn_lower *l, uint32_t types, const struct nn_tensor **in,
                       const struct nn_tensor **out)
{
    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    *in = lower_in(l, 0, types);
    *out = *in ? lower_out(l, 0, TYPE_BIT((*in)->type)) : NULL;
    if (!*out || lower_rank(l, *in, 4) < 0 || lower_rank(l, *out, 4) < 0)
        return lower_failed(l);
    if ((*in)->dims[0] != (*out)->dims[0] || (*in)->dims[3] != (*out)->dims[3])
        return LOWER_FAIL(l, "batches or channels of input and output differ");
    for (int i = 0; i < 3; i++) {
        if ((*in)->dims[i] > UINT16_MAX || (*out)->dims[i] > UINT16_MAX)
            return LOWER_FAIL(l, "more than %d pixels in a row are not supported", UINT16_MAX);
    }
    return 0;
}

static int emit_resize(struct nn_lower *l, enum kernel_kind kind, const struct nn_tensor *in,
                       const struct nn_tensor *out, struct nn_span rows, struct nn_span cols)
{
    struct kernel_resize p = {.batches = (uint16_t)in->dims[0],
                              .in_h = (uint16_t)in->dims[1],
                              .in_w = (uint16_t)in->dims[2],
                              .out_h = (uint16_t)out->dims[1],
                              .out_w = (uint16_t)out->dims[2],
                              .run = (uint32_t)in->dims[3] *
                                     (kind == KERNEL_RESIZE_NEAREST ? lower_element_size(in) : 1)};
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, &p);

    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_span(s, rows);
    lower_span(s, cols);
    return 0;
}

/* GetNearestNeighbor(), in floats. */
static struct nn_span nearest_table(struct nn_lower *l, int32_t size, int32_t out_size)
{
    bool align = l->op->options.align_corners, half = l->op->options.half_pixel_centers;
    uint16_t *table = arena_alloc(l->arena, (size_t)out_size * sizeof *table);
    float scale = align && out_size > 1 ? (float)(size - 1) / (float)(out_size - 1)
                                        : (float)size / (float)out_size;

    for (int32_t i = 0; i < out_size; i++) {
        float at = ((float)i + (half ? 0.5f : 0.0f)) * scale;
        float place = align ? quant_round(at) : floorf(at);
        place = fminf(place, (float)(size - 1));
        table[i] = (uint16_t)(place < 0 ? 0 : place);
    }
    return lower_constant(l, "places", table, (size_t)out_size * sizeof *table);
}

int lower_resize_nearest(struct nn_lower *l)
{
    const struct nn_tensor *in, *out;

    if (read_resize(l, INTEGER_TYPES | TYPE_BIT(NN_FLOAT32), &in, &out) < 0)
        return lower_failed(l);
    return emit_resize(l, KERNEL_RESIZE_NEAREST, in, out,
                       nearest_table(l, in->dims[1], out->dims[1]),
                       nearest_table(l, in->dims[2], out->dims[2]));
}

/* ComputeInterpolationValuesInteger(): 10 bits of fraction. */
static struct nn_span bilinear_table(struct nn_lower *l, int32_t size, int32_t out_size)
{
    bool align = l->op->options.align_corners, half = l->op->options.half_pixel_centers;
    struct kernel_place *table = arena_alloc(l->arena, (size_t)out_size * sizeof *table);
    int64_t scale = ((1 << 10) * (int64_t)size + out_size / 2) / out_size;

    if (align && out_size > 1)
        scale = ((1 << 10) * ((int64_t)size - 1) + (out_size - 1) / 2) / (out_size - 1);
    for (int64_t i = 0; i < out_size; i++) {
        int64_t at = i * scale + (half ? scale / 2 - (1 << 9) : 0);
        int64_t first = at / (1 << 10), second = (at + (1 << 10) - 1) / (1 << 10);
        first = first < 0 ? 0 : first;
        second = second > size - 1 ? size - 1 : second;
        table[i] = (struct kernel_place){(uint16_t)first, (uint16_t)second,
                                         (int32_t)(at - (1 << 10) * first)};
    }
    return lower_constant(l, "places", table, (size_t)out_size * sizeof *table);
}

/* ComputeInterpolationValues(), in floats. */
static struct nn_span bilinear_float_table(struct nn_lower *l, int32_t size, int32_t out_size)
{
    bool align = l->op->options.align_corners, half = l->op->options.half_pixel_centers;
    struct kernel_place_f32 *table = arena_alloc(l->arena, (size_t)out_size * sizeof *table);
    float scale = align && out_size > 1 ? (float)(size - 1) / (float)(out_size - 1)
                                        : (float)size / (float)out_size;

    for (int32_t i = 0; i < out_size; i++) {
        float at = half ? ((float)i + 0.5f) * scale - 0.5f : (float)i * scale;
        float last = (float)(size - 1);
        float first = fminf(fmaxf(floorf(at), 0.0f), last), second = fminf(ceilf(at), last);
        table[i] =
            (struct kernel_place_f32){(uint16_t)first, (uint16_t)fmaxf(second, 0.0f), at - first};
    }
    return lower_constant(l, "places", table, (size_t)out_size * sizeof *table);
}

int lower_resize_bilinear(struct nn_lower *l)
{
    const struct nn_tensor *in, *out;

    if (lower_is_float(l) && lower_needs_fpu(l) < 0)
        return lower_failed(l);
    if (read_resize(l, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_FLOAT32), &in, &out) < 0)
        return lower_failed(l);
    if (in->type == NN_FLOAT32)
        return emit_resize(l, KERNEL_RESIZE_BILINEAR_F32, in, out,
                           bilinear_float_table(l, in->dims[1], out->dims[1]),
                           bilinear_float_table(l, in->dims[2], out->dims[2]));
    return emit_resize(l, KERNEL_RESIZE_BILINEAR_S8, in, out,
                       bilinear_table(l, in->dims[1], out->dims[1]),
                       bilinear_table(l, in->dims[2], out->dims[2]));
}
