/* float32: what its operators have in common, and those that need no shapes worked out. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "harness/nn/lower.h"

bool lower_is_float(const struct nn_lower *l)
{
    const struct nn_tensor *in = lower_optional(l, 0);

    return in && in->type == NN_FLOAT32;
}

int lower_needs_fpu(struct nn_lower *l)
{
    if (l->target->variants & KERNEL_CAP_FLOAT)
        return 0;
    return LOWER_FAIL(l, "float32 needs a core that has an FPU (quantise the model to int8 for "
                         "the others)");
}

int lower_float_range(struct nn_lower *l, float *low, float *high)
{
    enum nn_activation activation = l->op->options.activation;

    *low = -INFINITY;
    *high = INFINITY;
    if (activation == NN_ACT_RELU || activation == NN_ACT_RELU6)
        *low = 0;
    if (activation == NN_ACT_RELU_N1_TO_1)
        *low = -1;
    if (activation == NN_ACT_RELU6)
        *high = 6;
    if (activation == NN_ACT_RELU_N1_TO_1)
        *high = 1;
    if (activation > NN_ACT_RELU6)
        return LOWER_FAIL(l, "fused activation %s is not supported",
                          nn_activation_name(activation));
    return 0;
}

const struct nn_tensor *lower_float_const(struct nn_lower *l, size_t i)
{
    const struct nn_tensor *t = lower_const(l, i, NN_FLOAT32);

    if (t && t->elements == 0) {
        lower_complain_tensor(l, lower_index(l, t), "has no elements");
        return NULL;
    }
    return t;
}

int lower_float_bias(struct nn_lower *l, size_t i, uint32_t channels, struct nn_span *ret)
{
    const struct nn_tensor *bias = lower_optional(l, i);
    const size_t size = channels * sizeof(float);

    if (!bias) {
        *ret = lower_constant(l, "no bias", memset(arena_alloc(l->arena, size + 1), 0, size), size);
        return 0;
    }
    if (!bias->data || bias->type != NN_FLOAT32 || bias->elements != channels)
        return LOWER_FAIL_TENSOR(l, lower_index(l, bias),
                                 "the bias must be a constant of %u FLOAT32", channels);
    *ret = lower_constant(l, bias->name, bias->data, size);
    return 0;
}

/* Input 0 and the output, float32 of the same shape. */
static int read_unary(struct nn_lower *l, const struct nn_tensor **in, const struct nn_tensor **out)
{
    if (lower_needs_fpu(l) < 0 || lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    *in = lower_in(l, 0, TYPE_BIT(NN_FLOAT32));
    *out = *in ? lower_out(l, 0, TYPE_BIT(NN_FLOAT32)) : NULL;
    if (!*out || lower_same_shape(l, *in, *out) < 0)
        return lower_failed(l);
    return 0;
}

int lower_float_unary(struct nn_lower *l, enum kernel_unary_op op, float low, float high)
{
    const struct nn_tensor *in = NULL, *out = NULL;

    if (read_unary(l, &in, &out) < 0)
        return lower_failed(l);
    const struct kernel_unary_f32 p = {
        .n = (uint32_t)in->elements, .op = op, .low = low, .high = high};
    struct nn_step *s = lower_step(l, KERNEL_UNARY_F32, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0, 0);
    return 0;
}

int lower_float_softmax(struct nn_lower *l)
{
    const struct nn_tensor *in = NULL, *out = NULL;

    if (read_unary(l, &in, &out) < 0)
        return lower_failed(l);
    struct kernel_softmax_f32 p = {.depth = in->rank ? (uint32_t)in->dims[in->rank - 1] : 1,
                                   .beta = l->op->options.beta};
    p.rows = (uint32_t)in->elements / p.depth;
    if (!(p.beta > 0) || !isfinite(p.beta))
        return LOWER_FAIL(l, "beta %g is not a positive number", (double)p.beta);
    struct nn_step *s = lower_step(l, KERNEL_SOFTMAX_F32, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0, 0);
    return 0;
}

int lower_float_dense(struct nn_lower *l)
{
    struct kernel_fully_connected_f32 p = {.batches = 0};
    struct nn_span bias;

    if (lower_needs_fpu(l) < 0 || lower_arity(l, 2, 3, 1) < 0)
        return lower_failed(l);
    if (l->op->options.weights_format != 0)
        return LOWER_FAIL(l, "shuffled weights are not supported");
    const struct nn_tensor *in = lower_in(l, 0, TYPE_BIT(NN_FLOAT32));
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(NN_FLOAT32)) : NULL;
    const struct nn_tensor *filter = out ? lower_float_const(l, 1) : NULL;
    if (!filter || lower_rank(l, filter, 2) < 0 || lower_float_range(l, &p.act_min, &p.act_max) < 0)
        return lower_failed(l);
    p.out_n = (uint32_t)filter->dims[0];
    p.in_n = (uint32_t)filter->dims[1];
    p.batches = (uint32_t)(in->elements / p.in_n);
    if (in->elements != (size_t)p.batches * p.in_n || out->elements != (size_t)p.batches * p.out_n)
        return LOWER_FAIL_TENSOR(l, lower_index(l, filter),
                                 "%s does not fit input %s and output %s",
                                 nn_shape_text(l->arena, filter), nn_shape_text(l->arena, in),
                                 nn_shape_text(l->arena, out));
    if (lower_float_bias(l, 2, p.out_n, &bias) < 0)
        return lower_failed(l);
    l->macs[l->op_index] = (uint64_t)p.batches * p.in_n * p.out_n;
    struct nn_step *s = lower_step(l, KERNEL_FULLY_CONNECTED_F32, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_span(s, lower_constant(l, filter->name, filter->data, filter->size));
    lower_span(s, bias);
    return 0;
}
