#include "harness/nn/pack.h"

#include <string.h>

static const struct {
    uint8_t variant, kind;
    pack_fn *pack;
} packings[] = {
#define X(variant, kind, fn) {KERNEL_##variant, KERNEL_##kind, fn},
    NN_PACKINGS(X)
#undef X
};

static void pack_step(struct nn_lower *l, struct nn_step *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(packings); i++) {
        if (packings[i].kind != s->kind || !(l->target->variants >> packings[i].variant & 1) ||
            !packings[i].pack(l, s))
            continue;
        s->variant = packings[i].variant;
        s->plain = false;
        return;
    }
}

void pack_steps(struct nn_lower *l)
{
    for (size_t i = 0; i < l->step_count; i++)
        pack_step(l, &l->steps[i]);
}

static const char *const words[] = {
#define X(name, word) [KERNEL_##name] = (word),
    KERNEL_VARIANTS(X)
#undef X
};

uint32_t nn_variants(const char *word)
{
    if (strcmp(word, "best") == 0)
        return NN_ALL_VARIANTS;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i]) == 0)
            return 1u << i | 1u << KERNEL_REF;
    }
    return 0;
}

void nn_variant_words(uint32_t variants, struct buf *out)
{
    const char *separator = variants == NN_ALL_VARIANTS ? ", " : "";

    if (variants == NN_ALL_VARIANTS)
        buf_puts(out, "best");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (variants >> i & 1) {
            buf_printf(out, "%s%s", separator, words[i]);
            separator = ", ";
        }
    }
}

const void *pack_data(const struct nn_lower *l, const struct nn_step *s, unsigned span)
{
    const struct nn_span *at = &s->spans[span];
    const uint8_t *data = l->buffers[at->buffer].data;

    return data ? data + at->offset : NULL;
}

void *pack_alloc(struct nn_lower *l, size_t size)
{
    return memset(arena_alloc(l->arena, size + 1), 0, size + 1);
}

void *pack_params(struct nn_lower *l, struct nn_step *s)
{
    void *copy = arena_dup(l->arena, s->params, s->params_size);

    s->params = copy;
    return copy;
}

static void set_span(struct nn_step *s, unsigned span, struct nn_span value)
{
    s->spans[span] = value;
    if (span >= s->span_count)
        s->span_count = span + 1;
}

void pack_constant(struct nn_lower *l, struct nn_step *s, unsigned span, const char *name,
                   const void *data, size_t size)
{
    set_span(s, span, lower_constant(l, name, data, size));
}

void pack_scratch(struct nn_lower *l, struct nn_step *s, unsigned span, size_t size)
{
    set_span(s, span, lower_scratch(l, "scratch", (uint32_t)size, 4));
}

int64_t pack_sum_bound(int32_t bias, const int8_t *weights, size_t n, size_t stride)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += weights[i * stride] < 0 ? -weights[i * stride] : weights[i * stride];
    return sum * 128 + (bias < 0 ? -(int64_t)bias : bias);
}

int32_t pack_fold_bias(int32_t bias, int32_t in_offset, const int8_t *weights, size_t n,
                       size_t stride)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)weights[i * stride];
    return (int32_t)((uint32_t)bias + (uint32_t)in_offset * sum);
}

bool pack_contiguous(const struct kernel_binary *p, uint32_t *ret)
{
    uint32_t n = 1;

    for (unsigned d = p->rank; d-- > 0; n *= p->dims[d]) {
        if (p->dims[d] != 1 && (p->a_strides[d] != n || p->b_strides[d] != n))
            return false;
    }
    *ret = n;
    return true;
}
