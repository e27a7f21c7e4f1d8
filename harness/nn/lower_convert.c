/* Operators that change types, shapes or borders, not values. */
#include <math.h>
#include <string.h>

#include "agents/kernels/arith.h"
#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

#define INTEGER_TYPES                                                                              \
    (TYPE_BIT(NN_INT8) | TYPE_BIT(NN_UINT8) | TYPE_BIT(NN_INT16) | TYPE_BIT(NN_INT32))

static enum kernel_type kernel_type_of(enum nn_type type)
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
    default:
        return KERNEL_F32;
    }
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

/* A step that maps each 8-bit element through a table; entry i is for the bits i. */
static int emit_lookup(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                       const void *table)
{
    struct kernel_lookup p = {.n = (uint32_t)in->elements,
                              .width = nn_type_bits((int)out->type) / 8};
    struct nn_step *s = lower_step(l, KERNEL_LOOKUP, KERNEL_REF, &p);

    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_span(s, lower_constant(l, "table", table, 256 * (size_t)p.width));
    lower_share(s, 1, 0, lower_slack_elements(p.n, p.width, 1));
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
                                  .in_type = (uint8_t)kernel_type_of(in->type),
                                  .out_type = (uint8_t)kernel_type_of(out->type),
                                  .in_zero = in->quant.zero_point[0],
                                  .out_zero = out->quant.zero_point[0]};
    struct quant_multiplier m;

    if (!quant_multiplier((double)in->quant.scale[0] / (double)out->quant.scale[0], &m))
        return LOWER_FAIL(l, "scales %g and %g are too far apart", (double)in->quant.scale[0],
                          (double)out->quant.scale[0]);
    p.multiplier = m.multiplier;
    p.shift = m.shift;
    if (is_8_bit(in)) {
        int32_t *table = arena_alloc(l->arena, 256 * sizeof *table);
        for (int i = 0; i < 256; i++) {
            int32_t v = value_of_bits(in->type, i) - p.in_zero;
            v = arith_add(arith_requantize(v, m.multiplier, m.shift), p.out_zero);
            store_integer(table, out->type, i, v);
        }
        return emit_lookup(l, in, out, table);
    }
    struct nn_step *s = lower_step(l, KERNEL_REQUANTIZE, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0,
                lower_slack_elements(p.n, nn_type_bits((int)out->type) / 8,
                                     nn_type_bits((int)in->type) / 8));
    return 0;
}

/* reference_ops::AffineQuantize() */
static int quantize(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out)
{
    struct kernel_dequantize p = {.n = (uint32_t)in->elements,
                                  .type = kernel_type_of(out->type),
                                  .zero = out->quant.zero_point[0],
                                  .scale = out->quant.scale[0]};
    struct nn_step *s = lower_step(l, KERNEL_QUANTIZE, KERNEL_REF, &p);

    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0, lower_slack_elements(p.n, nn_type_bits((int)out->type) / 8, 4));
    return 0;
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
                                  .type = kernel_type_of(in->type),
                                  .zero = in->quant.zero_point[0],
                                  .scale = in->quant.scale[0]};
    if (is_8_bit(in)) {
        float *table = arena_alloc(l->arena, 256 * sizeof *table);
        for (int i = 0; i < 256; i++)
            table[i] = (float)((double)p.scale * (value_of_bits(in->type, i) - p.zero));
        return emit_lookup(l, in, out, table);
    }
    struct nn_step *s = lower_step(l, KERNEL_DEQUANTIZE, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0, lower_slack_elements(p.n, 4, 2));
    return 0;
}

int lower_reshape(struct nn_lower *l)
{
    if (lower_arity(l, 1, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_optional(l, 0);
    const struct nn_tensor *out = &l->graph->tensors[l->op->outputs[0]];
    if (!in)
        return LOWER_FAIL(l, "input 0 is missing");
    if (in->type != out->type)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "type %s, %s is expected",
                                 nn_type_name((int)out->type), nn_type_name((int)in->type));
    return lower_alias(l, out, in);
}

/* ---- PAD ---- */

/* What PAD fills with: PADV2's constant, or what stands for 0. */
static int pad_value(struct nn_lower *l, const struct nn_tensor *out, uint32_t *ret)
{
    const struct nn_tensor *value = lower_optional(l, 2);
    int32_t zero = out->quant.count ? out->quant.zero_point[0] : 0;

    if (!value) {
        memcpy(ret, &zero, sizeof *ret);
        return 0;
    }
    if (!value->data || value->type != out->type || value->elements != 1)
        return LOWER_FAIL_TENSOR(l, lower_index(l, value),
                                 "the padding must be one constant of the output's type");
    if (value->quant.count == 1 && lower_same_quant(l, out, value) < 0)
        return lower_failed(l);
    *ret = 0;
    memcpy(ret, value->data, value->size);
    return 0;
}

/* Copies the input into the middle of the output. */
static int copy_inside(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                       const struct nn_tensor *paddings, struct kernel_copy *p)
{
    uint32_t width = nn_type_bits((int)in->type) / 8;
    int64_t in_stride = width, out_stride = width, start = 0;

    p->run = width;
    for (unsigned i = in->rank; i-- > 0;) {
        int64_t before = lower_const_int(paddings, 2 * i),
                after = lower_const_int(paddings, 2 * i + 1);
        if (before < 0 || after < 0 || before > out->dims[i] || after > out->dims[i] ||
            before + in->dims[i] + after != out->dims[i])
            return LOWER_FAIL(l, "dimension %u: %lld + %d + %lld do not make %d", i,
                              (long long)before, in->dims[i], (long long)after, out->dims[i]);
        p->dims[i] = (uint32_t)in->dims[i];
        p->in_strides[i] = (int32_t)in_stride;
        p->out_strides[i] = (int32_t)out_stride;
        start += before * out_stride;
        in_stride *= in->dims[i];
        out_stride *= out->dims[i];
    }
    p->rank = in->rank;
    p->out_start = (uint32_t)start;
    return 0;
}

/* Innermost dimensions that are contiguous on both sides become part of the run. */
static void merge_runs(struct kernel_copy *p)
{
    while (p->rank && p->in_strides[p->rank - 1] == (int32_t)p->run &&
           p->out_strides[p->rank - 1] == (int32_t)p->run)
        p->run *= p->dims[--p->rank];
}

int lower_pad(struct nn_lower *l)
{
    const uint32_t types = INTEGER_TYPES | TYPE_BIT(NN_FLOAT32);
    struct kernel_copy copy = {0};
    struct nn_span out_span;

    if (lower_arity(l, 2, 3, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, types);
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(in->type)) : NULL;
    const struct nn_tensor *paddings = lower_optional(l, 1);
    struct kernel_fill fill = {0};
    if (!out || pad_value(l, out, &fill.value) < 0)
        return lower_failed(l);
    if (!paddings || !paddings->data || in->rank != out->rank ||
        (paddings->type != NN_INT32 && paddings->type != NN_INT64) ||
        paddings->elements != 2 * (size_t)in->rank)
        return LOWER_FAIL(l, "input 1 must be a constant of 2 integers for each dimension");
    if (copy_inside(l, in, out, paddings, &copy) < 0)
        return lower_failed(l);
    merge_runs(&copy);
    fill.width = nn_type_bits((int)out->type) / 8;
    fill.n = (uint32_t)out->elements;
    struct nn_step *s = lower_step(l, KERNEL_FILL, KERNEL_REF, &fill);
    if (lower_write(l, out, &out_span) < 0)
        return lower_failed(l);
    lower_span(s, out_span);
    s = lower_step(l, KERNEL_COPY, KERNEL_REF, &copy);
    if (lower_add_in(l, s, in) < 0)
        return lower_failed(l);
    lower_span(s, out_span);
    return 0;
}
