/* PAD, PADV2 and MIRROR_PAD. */
#include <string.h>

#include "harness/nn/lower.h"

struct padding {
    const struct nn_tensor *in, *out;
    int64_t before[NN_MAX_RANK], after[NN_MAX_RANK];
    int64_t in_strides[NN_MAX_RANK], out_strides[NN_MAX_RANK];
};

static int read_padding(struct nn_lower *l, struct padding *p)
{
    const struct nn_tensor *t = lower_optional(l, 1);

    p->in = lower_in(l, 0, INTEGER_TYPES | TYPE_BIT(NN_FLOAT32));
    p->out = p->in ? lower_out(l, 0, TYPE_BIT(p->in->type)) : NULL;
    if (!p->out)
        return lower_failed(l);
    if (!t || !t->data || p->in->rank != p->out->rank ||
        (t->type != NN_INT32 && t->type != NN_INT64) || t->elements != 2 * (size_t)p->in->rank)
        return LOWER_FAIL(l, "input 1 must be a constant of 2 integers for each dimension");
    for (unsigned i = 0; i < p->in->rank; i++) {
        int64_t before = lower_const_int(t, 2 * i), after = lower_const_int(t, 2 * i + 1);
        if (before < 0 || after < 0 || before > p->out->dims[i] || after > p->out->dims[i] ||
            before + p->in->dims[i] + after != p->out->dims[i])
            return LOWER_FAIL(l, "dimension %u: %lld + %d + %lld do not make %d", i,
                              (long long)before, p->in->dims[i], (long long)after, p->out->dims[i]);
        p->before[i] = before;
        p->after[i] = after;
    }
    lower_strides(p->in, p->in_strides);
    lower_strides(p->out, p->out_strides);
    return 0;
}

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
    *ret = 0;
    memcpy(ret, value->data, value->size);
    return 0;
}

/* Convolutions count what lies outside as zero: they may read the input itself. */
static void note_padded(struct nn_lower *l, const struct padding *p, uint32_t value)
{
    const struct nn_tensor *in = p->in, *out = p->out;

    if (in->rank != 4 || p->before[0] || p->after[0] || p->before[3] || p->after[3] ||
        (in->type == NN_FLOAT32 && value != 0) ||
        (in->type != NN_FLOAT32 && in->type != NN_INT8 && in->type != NN_INT16))
        return;
    if (in->type != NN_FLOAT32 && (in->quant.scale[0] != out->quant.scale[0] ||
                                   in->quant.zero_point[0] != out->quant.zero_point[0] ||
                                   (int32_t)value != out->quant.zero_point[0]))
        return;
    l->padded[lower_index(l, out)] =
        (struct nn_padded){in, (int32_t)p->before[1], (int32_t)p->after[1], (int32_t)p->before[2],
                           (int32_t)p->after[2]};
}

/* The low bytes of the fill, as the element's type would read them. */
static uint32_t widen(uint32_t value, enum nn_type type)
{
    return type == NN_INT8    ? (uint32_t)(int8_t)value
           : type == NN_INT16 ? (uint32_t)(int16_t)value
                              : value;
}

int lower_pad(struct nn_lower *l)
{
    struct padding p;
    struct nn_span from, to;

    if (lower_arity(l, 2, 3, 1) < 0 || read_padding(l, &p) < 0)
        return lower_failed(l);
    uint32_t element = lower_element_size(p.in);
    struct kernel_fill fill = {.n = (uint32_t)p.out->elements, .width = element};
    if (pad_value(l, p.out, &fill.value) < 0 || lower_read(l, p.in, &from) < 0 ||
        lower_write(l, p.out, &to) < 0)
        return lower_failed(l);
    note_padded(l, &p, widen(fill.value, p.out->type));
    struct nn_step *s = lower_step(l, KERNEL_FILL, KERNEL_REF, &fill);
    lower_span(s, to);
    struct nn_block b = {.rank = p.in->rank};
    for (unsigned i = 0; i < p.in->rank; i++) {
        b.dims[i] = (uint32_t)p.in->dims[i];
        b.in_strides[i] = p.in_strides[i];
        b.out_strides[i] = p.out_strides[i];
        b.out_start += p.before[i] * p.out_strides[i];
    }
    return lower_copy(l, &b, element, from, to);
}

/* Part 0, 1 or 2 of dimension i: the mirror image before, the input itself, the one after. */
static void mirror_part(const struct padding *p, bool symmetric, unsigned i, unsigned part,
                        struct nn_block *b)
{
    int64_t n = p->in->dims[i], edge = symmetric ? 0 : 1;
    int64_t first_in = part == 0 ? p->before[i] - 1 + edge : part == 1 ? 0 : n - 1 - edge;
    int64_t first_out = part == 0 ? 0 : part == 1 ? p->before[i] : p->before[i] + n;

    b->dims[i] = (uint32_t)(part == 0 ? p->before[i] : part == 1 ? n : p->after[i]);
    b->in_strides[i] = part == 1 ? p->in_strides[i] : -p->in_strides[i];
    b->out_strides[i] = p->out_strides[i];
    b->in_start += first_in * p->in_strides[i];
    b->out_start += first_out * p->out_strides[i];
}

/* 3 parts in each dimension: one copy for each combination that is not empty. */
int lower_mirror_pad(struct nn_lower *l)
{
    struct padding p;
    struct nn_span from, to;
    bool symmetric = l->op->options.symmetric;
    unsigned combinations = 1;

    if (lower_arity(l, 2, 2, 1) < 0 || read_padding(l, &p) < 0)
        return lower_failed(l);
    for (unsigned i = 0; i < p.in->rank; i++) {
        int64_t most = symmetric ? p.in->dims[i] : p.in->dims[i] - 1;
        if (p.before[i] > most || p.after[i] > most)
            return LOWER_FAIL(l, "dimension %u: at most %lld can be mirrored", i, (long long)most);
        combinations *= 3;
    }
    if (lower_read(l, p.in, &from) < 0 || lower_write(l, p.out, &to) < 0)
        return lower_failed(l);
    for (unsigned k = 0; k < combinations; k++) {
        struct nn_block b = {.rank = p.in->rank};
        unsigned rest = k;
        for (unsigned i = 0; i < p.in->rank; i++, rest /= 3)
            mirror_part(&p, symmetric, i, rest % 3, &b);
        lower_copy(l, &b, lower_element_size(p.in), from, to);
    }
    return 0;
}
