/* Element-wise operators of two tensors, with broadcasting. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* One innermost row of n elements; a and b advance by their steps (1, or 0 when broadcast). */
typedef void row_fn(const struct kernel_binary *p, const int8_t *a, const int8_t *b, int8_t *out);

static void walk(const struct kernel_binary *p, void *const *at, row_fn *row)
{
    const int8_t *a = at[0], *b = at[1];
    int8_t *out = at[2];
    uint32_t last = p->rank - 1u, index[KERNEL_MAX_RANK] = {0};
    uint32_t d;

    do {
        row(p, a, b, out);
        out += p->dims[last];
        for (d = last; d-- > 0;) {
            a += p->a_strides[d];
            b += p->b_strides[d];
            if (++index[d] < p->dims[d])
                break;
            a -= p->dims[d] * p->a_strides[d];
            b -= p->dims[d] * p->b_strides[d];
            index[d] = 0;
        }
    } while (d < last);
}

/* reference_integer_ops::Add: both inputs on a common scale with left_shift more bits. */
static void add_row(const struct kernel_binary *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    uint32_t last = p->rank - 1u;

    for (uint32_t i = 0; i < p->dims[last]; i++) {
        int32_t x = (int32_t)((uint32_t)arith_add(*a, p->a_offset) << p->left_shift);
        int32_t y = (int32_t)((uint32_t)arith_add(*b, p->b_offset) << p->left_shift);
        int32_t sum = arith_add(arith_requantize(x, p->a_multiplier, p->a_shift),
                                arith_requantize(y, p->b_multiplier, p->b_shift));
        sum = arith_requantize(sum, p->out_multiplier, p->out_shift);
        out[i] = (int8_t)arith_clamp(arith_add(sum, p->out_offset), p->act_min, p->act_max);
        a += p->a_strides[last];
        b += p->b_strides[last];
    }
}

void ref_add_s8(const void *params, void *const *at)
{
    walk(params, at, add_row);
}

/* The furthest element that the strides reach lies in the span. */
static bool operand_fits(const struct kernel_binary *p, const uint32_t *strides, uint32_t element,
                         const struct kernel_span *span)
{
    uint64_t last = 0;

    for (uint32_t d = 0; d < p->rank; d++)
        last += check_product(p->dims[d] - 1, strides[d]);
    return last < span->size / element && check_aligned(span, element);
}

static bool fits(const struct kernel_binary *p, const struct kernel_span *spans, uint32_t element)
{
    uint32_t n = element;

    if (p->rank < 1 || p->rank > KERNEL_MAX_RANK || p->left_shift > 31)
        return false;
    for (uint32_t d = 0; d < p->rank; d++) {
        if (p->dims[d] == 0)
            return false;
        n = check_product(n, p->dims[d]);
    }
    return n <= spans[2].size && n != UINT32_MAX && check_aligned(&spans[2], element) &&
           operand_fits(p, p->a_strides, element, &spans[0]) &&
           operand_fits(p, p->b_strides, element, &spans[1]);
}

bool ref_binary_s8_check(const void *params, const struct kernel_span *spans)
{
    return fits(params, spans, 1);
}
