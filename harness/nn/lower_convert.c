/* Operators that change types, not values. */
#include <math.h>

#include "agents/kernels/arith.h"
#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

enum kernel_type lower_kernel_type(enum nn_type type)
{
    switch (type) {
    case NN_INT8:
        return KERNEL_S8;
    case NN_UINT8:
        return KERNEL_U8;
    case NN_INT16:
        return KERNEL_S16;
    case NN_INT32:
        return KERNEL_S32;
    case NN_BOOL:
        return KERNEL_BOOL;
    default:
        return KERNEL_F32;
    }
}

uint32_t lower_element_size(const struct nn_tensor *t)
{
    return nn_type_bits((int)t->type) / 8;
}

static bool is_8_bit(const struct nn_tensor *t)
{
    return t->type == NN_INT8 || t->type == NN_UINT8;
}

/* lower_in() leaves INT32 alone, which most often is a plain number; here it needs a scale. */
static int need_scale(struct nn_lower *l, const struct nn_tensor *t)
{
    if (t->quant.count == 1 && t->quant.scale[0] > 0 && isfinite(t->quant.scale[0]))
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, t), "needs one scale above 0");
}

/* A step of n elements in, n out, each read before it is written. */
static int emit_elements(struct nn_lower *l, enum kernel_kind kind, const void *params,
                         const struct nn_tensor *in, const struct nn_tensor *out)
{
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, params);

    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(
        s, 1, 0,
        lower_slack_elements(in->elements, lower_element_size(out), lower_element_size(in)));
    return 0;
}

int lower_lookup(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                 const void *table)
{
    struct kernel_lookup p = {.n = (uint32_t)in->elements, .width = lower_element_size(out)};
    struct nn_span span = lower_constant(l, "table", table, 256 * (size_t)p.width);

    if (emit_elements(l, KERNEL_LOOKUP, &p, in, out) < 0)
        return lower_failed(l);
    lower_span(&l->steps[l->step_count - 1], span);
    return 0;
}

/* The value whose bits are i. */
static int32_t value_of_bits(enum nn_type type, int i)
{
    return type == NN_INT8 ? (int8_t)i : i;
}

static void store_integer(void *table, enum nn_type type, int i, int32_t v)
{
    switch (type) {
    case NN_INT8:
        ((int8_t *)table)[i] = (int8_t)arith_clamp(v, INT8_MIN, INT8_MAX);
        break;
    case NN_UINT8:
        ((uint8_t *)table)[i] = (uint8_t)arith_clamp(v, 0, UINT8_MAX);
        break;
    case NN_INT16:
        ((int16_t *)table)[i] = (int16_t)arith_clamp(v, INT16_MIN, INT16_MAX);
        break;
    default:
        ((int32_t *)table)[i] = v;
    }
}

/* reference_ops::Requantize() */
static int requantize(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out)
{
    struct kernel_requantize p = {.n = (uint32_t)in->elements,
                                  .in_type = (uint8_t)lower_kernel_type(in->type),
                                  .out_type = (uint8_t)lower_kernel_type(out->type),
                                  .in_zero = in->quant.zero_point[0],
                                  .out_zero = out->quant.zero_point[0]};
    struct quant_multiplier m;

    if (!quant_multiplier((double)in->quant.scale[0] / (double)out->quant.scale[0], &m))
        return LOWER_FAIL(l, "scales %g and %g are too far apart", (double)in->quant.scale[0],
                          (double)out->quant.scale[0]);
    p.multiplier = m.multiplier;
    p.shift = m.shift;
    if (!is_8_bit(in))
        return emit_elements(l, KERNEL_REQUANTIZE, &p, in, out);
    int32_t *table = arena_alloc(l->arena, 256 * sizeof *table);
    for (int i = 0; i < 256; i++) {
        int32_t v = value_of_bits(in->type, i) - p.in_zero;
        v = arith_add(arith_requantize(v, m.multiplier, m.shift), p.out_zero);
        store_integer(table, out->type, i, v);
    }
    return lower_lookup(l, in, out, table);
}

/* reference_ops::AffineQuantize() */
static int quantize(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out)
{
    struct kernel_dequantize p = {.n = (uint32_t)in->elements,
                                  .type = lower_kernel_type(out->type),
                                  .zero = out->quant.zero_point[0],
                                  .scale = out->quant.scale[0]};

    return emit_elements(l, KERNEL_QUANTIZE, &p, in, out);
}

int lower_quantize(struct nn_lower *l)
{
    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, INTEGER_TYPES | TYPE_BIT(NN_FLOAT32));
    if (!in)
        return lower_failed(l);
    uint32_t types = in->type == NN_FLOAT32 ? INTEGER_TYPES & ~TYPE_BIT(NN_INT32) : INTEGER_TYPES;
    const struct nn_tensor *out = lower_out(l, 0, types);
    if (!out || lower_same_shape(l, in, out) < 0 || need_scale(l, out) < 0)
        return lower_failed(l);
    if (in->type == NN_FLOAT32)
        return quantize(l, in, out);
    return need_scale(l, in) < 0 ? lower_failed(l) : requantize(l, in, out);
}

/* reference_ops::Dequantize(): the product is a double's, then rounded to float. */
int lower_dequantize(struct nn_lower *l)
{
    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, INTEGER_TYPES & ~TYPE_BIT(NN_INT32));
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(NN_FLOAT32)) : NULL;
    if (!out || lower_same_shape(l, in, out) < 0)
        return lower_failed(l);
    struct kernel_dequantize p = {.n = (uint32_t)in->elements,
                                  .type = lower_kernel_type(in->type),
                                  .zero = in->quant.zero_point[0],
                                  .scale = in->quant.scale[0]};
    if (!is_8_bit(in))
        return emit_elements(l, KERNEL_DEQUANTIZE, &p, in, out);
    float *table = arena_alloc(l->arena, 256 * sizeof *table);
    for (int i = 0; i < 256; i++)
        table[i] = (float)((double)p.scale * (value_of_bits(in->type, i) - p.zero));
    return lower_lookup(l, in, out, table);
}

/* Types with a scale may be cast too: the raw values are. */
static int check_cast_type(struct nn_lower *l, const struct nn_tensor *t)
{
    const uint32_t types = INTEGER_TYPES | TYPE_BIT(NN_FLOAT32) | TYPE_BIT(NN_BOOL);

    if ((unsigned)t->type < 32 && (types & TYPE_BIT(t->type)) && t->elements)
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, t), "type %s is not supported here",
                             nn_type_name((int)t->type));
}

int lower_cast(struct nn_lower *l)
{
    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_optional(l, 0);
    const struct nn_tensor *out = &l->graph->tensors[l->op->outputs[0]];
    if (!in)
        return LOWER_FAIL(l, "input 0 is missing");
    if (check_cast_type(l, in) < 0 || check_cast_type(l, out) < 0 ||
        lower_same_shape(l, in, out) < 0)
        return lower_failed(l);
    struct kernel_requantize p = {.n = (uint32_t)in->elements,
                                  .in_type = (uint8_t)lower_kernel_type(in->type),
                                  .out_type = (uint8_t)lower_kernel_type(out->type)};
    return emit_elements(l, KERNEL_CAST, &p, in, out);
}
