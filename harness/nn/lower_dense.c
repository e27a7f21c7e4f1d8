/* FULLY_CONNECTED, BATCH_MATMUL and SOFTMAX. */
#include <math.h>
#include <string.h>

#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

/* ---- FULLY_CONNECTED ---- */

struct dense {
    const struct nn_tensor *in, *filter, *bias, *out;
    struct nn_tensor weights; /* the filter as INT8 */
    struct kernel_fully_connected params;
};

static int check_dense_shapes(struct nn_lower *l, struct dense *d)
{
    int32_t filter = lower_index(l, d->filter);

    if (lower_rank(l, d->filter, 2) < 0)
        return lower_failed(l);
    if (d->filter->elements == 0 || d->filter->quant.count == 0)
        return LOWER_FAIL_TENSOR(l, filter, "has no elements or no scale");
    if (d->filter->quant.count > 1 && d->filter->quant.axis != 0)
        return LOWER_FAIL_TENSOR(l, filter, "is quantised along dimension %u, 0 is expected",
                                 d->filter->quant.axis);
    if (d->filter->quant.zero_point[0] < INT8_MIN || d->filter->quant.zero_point[0] > INT8_MAX)
        return LOWER_FAIL_TENSOR(l, filter, "zero point %d is outside its type",
                                 d->filter->quant.zero_point[0]);
    d->params.out_n = (uint32_t)d->filter->dims[0];
    d->params.in_n = (uint32_t)d->filter->dims[1];
    d->params.batches = (uint32_t)(d->in->elements / d->params.in_n);
    if (d->in->elements != (size_t)d->params.batches * d->params.in_n ||
        d->out->elements != (size_t)d->params.batches * d->params.out_n)
        return LOWER_FAIL_TENSOR(l, filter, "%s does not fit input %s and output %s",
                                 nn_shape_text(l->arena, d->filter), nn_shape_text(l->arena, d->in),
                                 nn_shape_text(l->arena, d->out));
    /* TensorFlow Lite Micro adds up in 64 bits for every 16-bit input, bias or not. */
    enum nn_type bias = d->in->type == NN_INT16 ? NN_INT64 : NN_INT32;
    d->params.wide = d->in->type == NN_INT16;
    if (d->bias &&
        (!d->bias->data || d->bias->elements != d->params.out_n || d->bias->type != bias))
        return LOWER_FAIL_TENSOR(l, lower_index(l, d->bias), "the bias must be a constant of %u %s",
                                 d->params.out_n, bias == NN_INT64 ? "INT64" : "INT32");
    return 0;
}

static int set_dense_range(struct nn_lower *l, struct dense *d)
{
    int32_t low = 0, high = 0;

    if (lower_range(l, d->out, &low, &high) < 0)
        return lower_failed(l);
    d->params.act_min = (int16_t)low;
    d->params.act_max = (int16_t)high;
    d->params.in_offset = (int16_t)-d->in->quant.zero_point[0];
    d->params.weights_offset = (int16_t)-d->filter->quant.zero_point[0];
    d->params.out_offset = (int16_t)d->out->quant.zero_point[0];
    return 0;
}

/* Channel i's multiplier; with one scale for all, the product of the scales is a float's. */
static int dense_multiplier(struct nn_lower *l, const struct dense *d, size_t i,
                            struct quant_multiplier *ret)
{
    const struct nn_quant *q = &d->filter->quant;
    size_t k = q->count > 1 ? i : 0;
    float product = d->in->quant.scale[0] * q->scale[0];
    double in = (double)d->in->quant.scale[0], out = (double)d->out->quant.scale[0];
    double real = q->count > 1 ? in * (double)q->scale[k] / out : (double)product / out;

    if (q->scale[k] >= 0 && (q->count == 1 || q->zero_point[k] == 0) &&
        quant_multiplier(real, ret) && (!d->params.wide || ret->shift < 8))
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, d->filter),
                             "scale %g, zero point %d of channel %zu cannot be used",
                             (double)q->scale[k], q->zero_point[k], i);
}

/* int8 with one scale: biases alone. Otherwise a struct for each channel. */
static int make_dense_channels(struct nn_lower *l, struct dense *d, struct nn_span *ret)
{
    size_t n = d->params.out_n;
    struct quant_multiplier m = {0, 0};

    d->params.per_channel = d->filter->quant.count > 1 || d->in->type == NN_INT16;
    size_t size = n * (d->params.wide          ? sizeof(struct kernel_channel_wide)
                       : d->params.per_channel ? sizeof(struct kernel_channel)
                                               : sizeof(int32_t));
    void *channels = arena_alloc(l->arena, size);
    for (size_t i = 0; i < n; i++) {
        int64_t bias = d->bias ? lower_const_int(d->bias, i) : 0;
        if (dense_multiplier(l, d, i, &m) < 0)
            return lower_failed(l);
        if (d->params.wide)
            ((struct kernel_channel_wide *)channels)[i] =
                (struct kernel_channel_wide){bias, m.multiplier, m.shift};
        else if (d->params.per_channel)
            ((struct kernel_channel *)channels)[i] =
                (struct kernel_channel){(int32_t)bias, m.multiplier, m.shift};
        else
            ((int32_t *)channels)[i] = (int32_t)bias;
    }
    d->params.multiplier = m.multiplier;
    d->params.shift = m.shift;
    *ret = lower_constant(l, d->params.per_channel ? "channels" : "biases", channels, size);
    if (d->params.wide)
        l->buffers[ret->buffer].align = 8;
    return 0;
}

int lower_fully_connected(struct nn_lower *l)
{
    struct dense d = {.bias = lower_optional(l, 2)};
    struct nn_span channels;

    if (lower_is_float(l))
        return lower_float_dense(l);
    if (lower_arity(l, 2, 3, 1) < 0)
        return lower_failed(l);
    if (l->op->options.weights_format != 0)
        return LOWER_FAIL(l, "shuffled weights are not supported");
    d.in = lower_in(l, 0, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16));
    d.out = d.in ? lower_out(l, 0, TYPE_BIT(d.in->type)) : NULL;
    if (!d.out || lower_no_zero_point(l, d.in) < 0 || lower_no_zero_point(l, d.out) < 0 ||
        lower_filter(l, 1, &d.weights) < 0)
        return lower_failed(l);
    d.filter = lower_optional(l, 1);
    if (check_dense_shapes(l, &d) < 0 || set_dense_range(l, &d) < 0 ||
        make_dense_channels(l, &d, &channels) < 0)
        return lower_failed(l);
    l->macs[l->op_index] = (uint64_t)d.params.batches * d.params.in_n * d.params.out_n;
    enum kernel_kind kind =
        d.in->type == NN_INT16 ? KERNEL_FULLY_CONNECTED_S16 : KERNEL_FULLY_CONNECTED_S8;
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, &d.params);
    if (lower_add_in(l, s, d.in) < 0 || lower_add_out(l, s, d.out) < 0)
        return lower_failed(l);
    lower_span(s, lower_constant(l, d.filter->name, d.weights.data, d.weights.size));
    lower_span(s, channels);
    return 0;
}

/* ---- BATCH_MATMUL ---- */

/* Leading dimensions of an operand beside those of the output; strides count matrices. */
static int matmul_batches(struct nn_lower *l, const struct nn_tensor *t,
                          const struct nn_tensor *out, uint32_t strides[4])
{
    uint32_t stride = 1;

    for (unsigned i = 0; i < 4; i++)
        strides[i] = 0;
    for (unsigned i = 2; i < out->rank; i++) { /* from the right */
        uint32_t n = i < t->rank ? (uint32_t)t->dims[t->rank - 1 - i] : 1;
        if (n != 1 && n != (uint32_t)out->dims[out->rank - 1 - i])
            return LOWER_FAIL_TENSOR(l, lower_index(l, t), "%s does not broadcast to %s",
                                     nn_shape_text(l->arena, t), nn_shape_text(l->arena, out));
        strides[3 - (i - 2)] = n == 1 ? 0 : stride;
        stride *= n;
    }
    return 0;
}

static int fit_matmul(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b,
                      const struct nn_tensor *out, struct kernel_batch_matmul *p)
{
    bool at = l->op->options.adjoint_x, bt = l->op->options.adjoint_y;

    if (out->rank < 2 || a->rank < 2 || b->rank < 2 || a->rank > out->rank || b->rank > out->rank)
        return LOWER_FAIL(l, "shapes %s and %s are not supported", nn_shape_text(l->arena, a),
                          nn_shape_text(l->arena, b));
    p->rows = (uint32_t)out->dims[out->rank - 2];
    p->columns = (uint32_t)out->dims[out->rank - 1];
    p->depth = (uint32_t)a->dims[a->rank - (at ? 2 : 1)];
    if (a->dims[a->rank - (at ? 1 : 2)] != (int32_t)p->rows ||
        b->dims[b->rank - (bt ? 2 : 1)] != (int32_t)p->columns ||
        b->dims[b->rank - (bt ? 1 : 2)] != (int32_t)p->depth)
        return LOWER_FAIL(l, "shapes %s and %s do not make %s", nn_shape_text(l->arena, a),
                          nn_shape_text(l->arena, b), nn_shape_text(l->arena, out));
    for (unsigned i = 0; i < 4; i++)
        p->batch_dims[3 - i] = i + 2 < out->rank ? (uint32_t)out->dims[out->rank - 3 - i] : 1;
    p->a_transposed = at;
    p->b_transposed = bt;
    if (matmul_batches(l, a, out, p->a_strides) < 0 || matmul_batches(l, b, out, p->b_strides) < 0)
        return lower_failed(l);
    return 0;
}

/* int8: how products become outputs. */
static int scale_matmul(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b,
                        const struct nn_tensor *out, struct kernel_batch_matmul *p)
{
    struct quant_multiplier m;
    float product = a->quant.scale[0] * b->quant.scale[0];
    if (!quant_multiplier((double)product / (double)out->quant.scale[0], &m))
        return LOWER_FAIL(l, "the scales are too far apart");
    p->multiplier = m.multiplier;
    p->shift = m.shift;
    p->a_offset = -a->quant.zero_point[0];
    p->b_offset = -b->quant.zero_point[0];
    p->out_offset = out->quant.zero_point[0];
    p->act_min = INT8_MIN;
    p->act_max = INT8_MAX;
    return 0;
}

int lower_batch_matmul(struct nn_lower *l)
{
    const bool is_float = lower_is_float(l);
    const uint32_t types = TYPE_BIT(is_float ? NN_FLOAT32 : NN_INT8);
    struct kernel_batch_matmul p = {.rows = 0};

    if ((is_float && lower_needs_fpu(l) < 0) || lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *a = lower_in(l, 0, types);
    const struct nn_tensor *b = a ? lower_in(l, 1, types) : NULL;
    const struct nn_tensor *out = b ? lower_out(l, 0, types) : NULL;
    if (!out || fit_matmul(l, a, b, out, &p) < 0 ||
        (!is_float && scale_matmul(l, a, b, out, &p) < 0))
        return lower_failed(l);
    l->macs[l->op_index] = (uint64_t)out->elements * p.depth;
    struct nn_step *s =
        lower_step(l, is_float ? KERNEL_BATCH_MATMUL_F32 : KERNEL_BATCH_MATMUL_S8, KERNEL_REF, &p);
    if (lower_add_in(l, s, a) < 0 || lower_add_in(l, s, b) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    return 0;
}

/* ---- SOFTMAX ---- */

#define SOFTMAX_INTEGER_BITS 5

static int check_softmax_output(struct nn_lower *l, const struct nn_tensor *out)
{
    float scale = out->quant.scale[0];
    bool wide = out->type == NN_INT16;
    int32_t zero = wide ? INT16_MIN : INT8_MIN;
    bool right = wide ? fabsf(scale - 1.0f / 65536) <= 0.001f / 65536 : scale == 1.0f / 256;

    if (!right || out->quant.zero_point[0] != zero)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out),
                                 "scale %g and zero point %d: 1/%d and %d are expected",
                                 (double)scale, out->quant.zero_point[0], wide ? 65536 : 256, zero);
    return 0;
}

/* Every value that exp() can take; returns how many differ from 0. */
static uint32_t make_exp_table(struct nn_lower *l, float beta, float scale, int32_t table[256])
{
    double real = (double)beta * (double)scale * (1 << (31 - SOFTMAX_INTEGER_BITS));
    struct quant_multiplier m;
    uint32_t n = 0;

    real = fmin(real, 2147483647.0);
    if (!(real > 1) || !quant_multiplier(real, &m))
        return 0;
    double radius = floor(1.0 * ((1 << SOFTMAX_INTEGER_BITS) - 1) *
                          (double)(1LL << (31 - SOFTMAX_INTEGER_BITS)) / (double)(1LL << m.shift));
    for (n = 0; n < 256 && n <= radius; n++) {
        int32_t scaled = (int32_t)((uint32_t)-n << m.shift);
        scaled = (int32_t)(((int64_t)scaled * m.multiplier + (1 << 30)) >> 31);
        table[n] = quant_exp_on_negative(scaled, SOFTMAX_INTEGER_BITS);
    }
    return n;
}

int lower_softmax(struct nn_lower *l)
{
    int32_t *table = arena_alloc(l->arena, 256 * sizeof *table);

    if (lower_is_float(l))
        return lower_float_softmax(l);
    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, TYPE_BIT(NN_INT8));
    const struct nn_tensor *out =
        in ? lower_out(l, 0, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16)) : NULL;
    if (!out || lower_same_shape(l, in, out) < 0 || check_softmax_output(l, out) < 0)
        return lower_failed(l);
    struct kernel_softmax p = {.depth = in->rank ? (uint32_t)in->dims[in->rank - 1] : 1};
    p.rows = (uint32_t)in->elements / p.depth;
    p.out_type = out->type == NN_INT16 ? KERNEL_S16 : KERNEL_S8;
    p.entries = make_exp_table(l, l->op->options.beta, in->quant.scale[0], table);
    if (p.entries == 0)
        return LOWER_FAIL(l, "beta %g with an input scale of %g is not supported",
                          (double)l->op->options.beta, (double)in->quant.scale[0]);
    if (p.depth > 4095)
        return LOWER_FAIL(l, "%u classes are not supported (4095 are)", p.depth);
    struct nn_step *s = lower_step(l, KERNEL_SOFTMAX_S8, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_span(s, lower_constant(l, "exp table", table, p.entries * sizeof *table));
    if (out->type == NN_INT8)
        lower_share(s, 1, 0, 0);
    return 0;
}
