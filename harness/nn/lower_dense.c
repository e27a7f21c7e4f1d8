/* FULLY_CONNECTED, SOFTMAX and element-wise operators of two tensors. */
#include <math.h>
#include <string.h>

#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

/* ---- FULLY_CONNECTED ---- */

struct dense {
    const struct nn_tensor *in, *filter, *bias, *out;
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
    d->params.out_n = (uint32_t)d->filter->dims[0];
    d->params.in_n = (uint32_t)d->filter->dims[1];
    d->params.batches = (uint32_t)(d->in->elements / d->params.in_n);
    if (d->in->elements != (size_t)d->params.batches * d->params.in_n ||
        d->out->elements != (size_t)d->params.batches * d->params.out_n)
        return LOWER_FAIL_TENSOR(l, filter, "%s does not fit input %s and output %s",
                                 nn_shape_text(l->arena, d->filter), nn_shape_text(l->arena, d->in),
                                 nn_shape_text(l->arena, d->out));
    if (d->bias &&
        (!d->bias->data || d->bias->type != NN_INT32 || d->bias->elements != d->params.out_n))
        return LOWER_FAIL_TENSOR(l, lower_index(l, d->bias),
                                 "the bias must be a constant of %u INT32", d->params.out_n);
    return 0;
}

static int set_dense_range(struct nn_lower *l, struct dense *d)
{
    enum nn_activation activation = l->op->options.activation;
    int32_t low = INT8_MIN, high = INT8_MAX;

    if (!quant_activation_range(activation, d->out->quant.scale[0], d->out->quant.zero_point[0],
                                &low, &high))
        return LOWER_FAIL(l, "fused activation %s is not supported",
                          nn_activation_name(activation));
    d->params.act_min = (int16_t)low;
    d->params.act_max = (int16_t)high;
    d->params.in_offset = (int16_t)-d->in->quant.zero_point[0];
    d->params.weights_offset = (int16_t)-d->filter->quant.zero_point[0];
    d->params.out_offset = (int16_t)d->out->quant.zero_point[0];
    return 0;
}

/* One multiplier for all: the product of the scales is a float's (GetQuantizedConvolution...). */
static int per_tensor_channels(struct nn_lower *l, struct dense *d, struct nn_span *ret)
{
    float product = d->in->quant.scale[0] * d->filter->quant.scale[0];
    int32_t *biases = arena_alloc(l->arena, d->params.out_n * sizeof *biases);
    struct quant_multiplier m;

    if (!(product >= 0) || !quant_multiplier((double)product / (double)d->out->quant.scale[0], &m))
        return LOWER_FAIL_TENSOR(l, lower_index(l, d->filter), "scale %g cannot be used",
                                 (double)d->filter->quant.scale[0]);
    d->params.multiplier = m.multiplier;
    d->params.shift = m.shift;
    for (size_t i = 0; d->bias && i < d->params.out_n; i++)
        biases[i] = (int32_t)lower_const_int(d->bias, i);
    *ret = lower_constant(l, "biases", biases, d->params.out_n * sizeof *biases);
    return 0;
}

static int per_channel_channels(struct nn_lower *l, struct dense *d, struct nn_span *ret)
{
    struct kernel_channel *c = arena_alloc(l->arena, d->params.out_n * sizeof *c);

    d->params.per_channel = 1;
    for (size_t i = 0; i < d->params.out_n; i++) {
        float scale = d->filter->quant.scale[i];
        double real =
            (double)d->in->quant.scale[0] * (double)scale / (double)d->out->quant.scale[0];
        struct quant_multiplier m;
        if (!(scale >= 0) || d->filter->quant.zero_point[i] != 0 || !quant_multiplier(real, &m))
            return LOWER_FAIL_TENSOR(l, lower_index(l, d->filter),
                                     "scale %g, zero point %d of channel %zu cannot be used",
                                     (double)scale, d->filter->quant.zero_point[i], i);
        c[i] = (struct kernel_channel){d->bias ? (int32_t)lower_const_int(d->bias, i) : 0,
                                       m.multiplier, m.shift};
    }
    *ret = lower_constant(l, "channels", c, d->params.out_n * sizeof *c);
    return 0;
}

int lower_fully_connected(struct nn_lower *l)
{
    struct dense d = {.bias = lower_optional(l, 2)};
    struct nn_span channels;

    if (lower_arity(l, 2, 3, 1) < 0)
        return lower_failed(l);
    if (l->op->options.weights_format != 0)
        return LOWER_FAIL(l, "shuffled weights are not supported");
    d.in = lower_in(l, 0, TYPE_BIT(NN_INT8));
    d.out = d.in ? lower_out(l, 0, TYPE_BIT(NN_INT8)) : NULL;
    d.filter = d.out ? lower_const(l, 1, NN_INT8) : NULL;
    if (!d.filter || check_dense_shapes(l, &d) < 0 || set_dense_range(l, &d) < 0)
        return lower_failed(l);
    int status = d.filter->quant.count > 1 ? per_channel_channels(l, &d, &channels)
                                           : per_tensor_channels(l, &d, &channels);
    if (status < 0)
        return status;
    l->macs[l->op_index] = (uint64_t)d.params.batches * d.params.in_n * d.params.out_n;
    struct nn_step *s = lower_step(l, KERNEL_FULLY_CONNECTED_S8, KERNEL_REF, &d.params);
    if (lower_add_in(l, s, d.in) < 0 || lower_add_out(l, s, d.out) < 0 ||
        lower_add_in(l, s, d.filter) < 0)
        return lower_failed(l);
    lower_span(s, channels);
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

/* ---- ADD and its kin ---- */

/*
 * The common shape of two operands and the strides of each (0 where it is broadcast), with
 * neighbouring dimensions merged where both operands allow it.
 */
static int broadcast(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b,
                     const struct nn_tensor *out, struct kernel_binary *p)
{
    uint32_t a_stride = 1, b_stride = 1, rank = 0;
    uint32_t dims[NN_MAX_RANK], as[NN_MAX_RANK], bs[NN_MAX_RANK];

    for (unsigned i = 0; i < out->rank; i++) { /* innermost first */
        uint32_t n = (uint32_t)out->dims[out->rank - 1 - i];
        uint32_t an = i < a->rank ? (uint32_t)a->dims[a->rank - 1 - i] : 1;
        uint32_t bn = i < b->rank ? (uint32_t)b->dims[b->rank - 1 - i] : 1;
        if ((an != n && an != 1) || (bn != n && bn != 1) || (n != an && n != bn))
            return LOWER_FAIL(l, "shapes %s and %s do not make %s", nn_shape_text(l->arena, a),
                              nn_shape_text(l->arena, b), nn_shape_text(l->arena, out));
        uint32_t as_now = an == 1 ? 0 : a_stride, bs_now = bn == 1 ? 0 : b_stride;
        a_stride *= an;
        b_stride *= bn;
        if (n == 1)
            continue;
        if (rank && as_now == as[rank - 1] * dims[rank - 1] &&
            bs_now == bs[rank - 1] * dims[rank - 1]) {
            dims[rank - 1] *= n;
            continue;
        }
        dims[rank] = n;
        as[rank] = as_now;
        bs[rank++] = bs_now;
    }
    if (a->rank > out->rank || b->rank > out->rank)
        return LOWER_FAIL(l, "the output has fewer dimensions than an input");
    if (rank == 0) {
        dims[0] = 1;
        as[0] = bs[0] = 0;
        rank = 1;
    }
    p->rank = (uint16_t)rank;
    for (uint32_t i = 0; i < rank; i++) {
        p->dims[i] = dims[rank - 1 - i];
        p->a_strides[i] = as[rank - 1 - i];
        p->b_strides[i] = bs[rank - 1 - i];
    }
    return 0;
}

/* QuantizeMultiplierSmallerThanOneExp() */
static int below_one(struct nn_lower *l, const char *what, double real, int32_t *multiplier,
                     int32_t *shift)
{
    struct quant_multiplier m;

    if (!(real > 0) || !(real < 1) || !quant_multiplier(real, &m) || m.shift > 0)
        return LOWER_FAIL(l, "scale of %s: a factor of %g is not supported", what, real);
    *multiplier = m.multiplier;
    *shift = m.shift;
    return 0;
}

static int set_add_scales(struct nn_lower *l, const struct nn_tensor *a, const struct nn_tensor *b,
                          const struct nn_tensor *out, struct kernel_binary *p)
{
    float larger = fmaxf(a->quant.scale[0], b->quant.scale[0]);
    double twice = 2 * (double)larger;

    p->left_shift = 20;
    p->a_offset = -a->quant.zero_point[0];
    p->b_offset = -b->quant.zero_point[0];
    p->out_offset = out->quant.zero_point[0];
    if (below_one(l, "input 0", (double)a->quant.scale[0] / twice, &p->a_multiplier, &p->a_shift) <
            0 ||
        below_one(l, "input 1", (double)b->quant.scale[0] / twice, &p->b_multiplier, &p->b_shift) <
            0 ||
        below_one(l, "the output", twice / ((1 << p->left_shift) * (double)out->quant.scale[0]),
                  &p->out_multiplier, &p->out_shift) < 0)
        return lower_failed(l);
    return 0;
}

int lower_add(struct nn_lower *l)
{
    struct kernel_binary p = {.act_min = INT8_MIN, .act_max = INT8_MAX};
    enum nn_activation activation = l->op->options.activation;

    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *a = lower_in(l, 0, TYPE_BIT(NN_INT8));
    const struct nn_tensor *b = a ? lower_in(l, 1, TYPE_BIT(NN_INT8)) : NULL;
    const struct nn_tensor *out = b ? lower_out(l, 0, TYPE_BIT(NN_INT8)) : NULL;
    if (!out || broadcast(l, a, b, out, &p) < 0 || set_add_scales(l, a, b, out, &p) < 0)
        return lower_failed(l);
    if (!quant_activation_range(activation, out->quant.scale[0], out->quant.zero_point[0],
                                &p.act_min, &p.act_max))
        return LOWER_FAIL(l, "fused activation %s is not supported",
                          nn_activation_name(activation));
    struct nn_step *s = lower_step(l, KERNEL_ADD_S8, KERNEL_REF, &p);
    if (lower_add_in(l, s, a) < 0 || lower_add_in(l, s, b) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    if (a->elements == out->elements)
        lower_share(s, 2, 0, 0);
    if (b->elements == out->elements)
        lower_share(s, 2, 1, 0);
    return 0;
}
