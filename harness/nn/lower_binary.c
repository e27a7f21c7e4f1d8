/* Element-wise operators of two tensors. */
#include <math.h>

#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

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

struct binary {
    const struct nn_tensor *a, *b, *out;
    struct kernel_binary params;
};

static int read_binary(struct nn_lower *l, uint32_t types, struct binary *x)
{
    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    x->a = lower_in(l, 0, types);
    x->b = x->a ? lower_in(l, 1, TYPE_BIT(x->a->type)) : NULL;
    x->out = x->b ? lower_out(l, 0, TYPE_BIT(x->a->type)) : NULL;
    if (!x->out || broadcast(l, x->a, x->b, x->out, &x->params) < 0)
        return lower_failed(l);
    if (x->a->quant.count && x->b->quant.count && x->out->quant.count) {
        x->params.a_offset = -x->a->quant.zero_point[0];
        x->params.b_offset = -x->b->quant.zero_point[0];
        x->params.out_offset = x->out->quant.zero_point[0];
    }
    return 0;
}

static int emit_binary(struct nn_lower *l, enum kernel_kind kind, const struct binary *x,
                       const void *params)
{
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, params);

    if (lower_add_in(l, s, x->a) < 0 || lower_add_in(l, s, x->b) < 0 ||
        lower_add_out(l, s, x->out) < 0)
        return lower_failed(l);
    if (x->a->elements == x->out->elements)
        lower_share(s, 2, 0, 0);
    if (x->b->elements == x->out->elements)
        lower_share(s, 2, 1, 0);
    return 0;
}

static int lower_float_binary(struct nn_lower *l, enum kernel_binary_op op, bool activation)
{
    struct binary x = {.params = {.negative = 0}};
    struct kernel_binary_f32 p = {.op = op, .act_min = -INFINITY, .act_max = INFINITY};

    if (lower_needs_fpu(l) < 0 || read_binary(l, TYPE_BIT(NN_FLOAT32), &x) < 0 ||
        (activation && lower_float_range(l, &p.act_min, &p.act_max) < 0))
        return lower_failed(l);
    p.walk = x.params;
    return emit_binary(l, KERNEL_BINARY_F32, &x, &p);
}

/* ADD works out its factors from doubles of the scales, SUB from floats: so do the originals. */
static int set_add_scales(struct nn_lower *l, struct binary *x, bool as_float)
{
    float a = x->a->quant.scale[0], b = x->b->quant.scale[0], out = x->out->quant.scale[0];
    float larger = fmaxf(a, b);
    struct kernel_binary *p = &x->params;

    p->left_shift = x->out->type == NN_INT16 ? 15 : 20;
    double unit = 1 << p->left_shift;
    double twice = as_float ? (double)(2 * larger) : 2 * (double)larger;
    double real_a = as_float ? (double)(a / (float)twice) : (double)a / twice;
    double real_b = as_float ? (double)(b / (float)twice) : (double)b / twice;
    double real_out =
        as_float ? (double)((float)twice / ((float)unit * out)) : twice / (unit * (double)out);
    if (below_one(l, "input 0", real_a, &p->a_multiplier, &p->a_shift) < 0 ||
        below_one(l, "input 1", real_b, &p->b_multiplier, &p->b_shift) < 0 ||
        below_one(l, "the output", real_out, &p->out_multiplier, &p->out_shift) < 0)
        return lower_failed(l);
    return 0;
}

static int lower_add_or_sub(struct nn_lower *l, bool subtract)
{
    struct binary x = {.params = {.negative = subtract}};

    if (lower_is_float(l))
        return lower_float_binary(l, subtract ? KERNEL_F32_SUB : KERNEL_F32_ADD, true);
    if (read_binary(l, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16), &x) < 0 ||
        set_add_scales(l, &x, subtract) < 0 ||
        lower_range(l, x.out, &x.params.act_min, &x.params.act_max) < 0)
        return lower_failed(l);
    return emit_binary(l, x.out->type == NN_INT16 ? KERNEL_ADD_S16 : KERNEL_ADD_S8, &x, &x.params);
}

int lower_add(struct nn_lower *l)
{
    return lower_add_or_sub(l, false);
}

int lower_sub(struct nn_lower *l)
{
    return lower_add_or_sub(l, true);
}

int lower_mul(struct nn_lower *l)
{
    struct binary x = {.params = {.negative = 0}};
    struct quant_multiplier m;

    if (lower_is_float(l))
        return lower_float_binary(l, KERNEL_F32_MUL, true);
    if (read_binary(l, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16), &x) < 0 ||
        lower_no_zero_point(l, x.a) < 0 || lower_no_zero_point(l, x.b) < 0 ||
        lower_no_zero_point(l, x.out) < 0 ||
        lower_range(l, x.out, &x.params.act_min, &x.params.act_max) < 0)
        return lower_failed(l);
    double real =
        (double)x.a->quant.scale[0] * (double)x.b->quant.scale[0] / (double)x.out->quant.scale[0];
    if (!quant_multiplier(real, &m))
        return LOWER_FAIL(l, "a factor of %g between the scales is not supported", real);
    x.params.out_multiplier = m.multiplier;
    x.params.out_shift = m.shift;
    return emit_binary(l, x.out->type == NN_INT16 ? KERNEL_MUL_S16 : KERNEL_MUL_S8, &x, &x.params);
}

/* Raw values are compared, whatever their scales: so they must be the same. */
static int lower_select(struct nn_lower *l, bool smaller)
{
    struct binary x = {.params = {.negative = smaller}};

    if (lower_is_float(l))
        return lower_float_binary(l, smaller ? KERNEL_F32_MINIMUM : KERNEL_F32_MAXIMUM, false);
    if (read_binary(l, INTEGER_TYPES, &x) < 0 || lower_same_quant(l, x.a, x.out) < 0 ||
        lower_same_quant(l, x.b, x.out) < 0)
        return lower_failed(l);
    x.params.type = (uint8_t)lower_kernel_type(x.out->type);
    return emit_binary(l, KERNEL_SELECT, &x, &x.params);
}

int lower_maximum(struct nn_lower *l)
{
    return lower_select(l, false);
}

int lower_minimum(struct nn_lower *l)
{
    return lower_select(l, true);
}

/* Input 1 is the slope below 0. */
int lower_prelu(struct nn_lower *l)
{
    struct binary x = {.params = {.act_min = INT8_MIN, .act_max = INT8_MAX}};
    struct quant_multiplier above, below;

    if (lower_is_float(l))
        return lower_float_binary(l, KERNEL_F32_PRELU, false);
    if (read_binary(l, TYPE_BIT(NN_INT8), &x) < 0)
        return lower_failed(l);
    double in = (double)x.a->quant.scale[0], out = (double)x.out->quant.scale[0];
    if (!quant_multiplier(in / out, &above) ||
        !quant_multiplier(in * (double)x.b->quant.scale[0] / out, &below))
        return LOWER_FAIL(l, "the scales are too far apart");
    x.params.a_multiplier = above.multiplier;
    x.params.a_shift = above.shift;
    x.params.b_multiplier = below.multiplier;
    x.params.b_shift = below.shift;
    return emit_binary(l, KERNEL_PRELU_S8, &x, &x.params);
}
