/* Element-wise operators of two tensors, with broadcasting. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* One innermost row; a and b advance by their innermost strides (1, or 0 when broadcast). */
typedef void row_fn(const struct kernel_binary *p, const void *a, const void *b, void *out);

static void walk(const struct kernel_binary *p, void *const *at, row_fn *row, uint32_t element)
{
    const uint8_t *a = at[0], *b = at[1];
    uint8_t *out = at[2];
    uint32_t last = p->rank - 1u, index[KERNEL_MAX_RANK] = {0};
    uint32_t d;

    do {
        row(p, a, b, out);
        out += p->dims[last] * element;
        for (d = last; d-- > 0;) {
            a += p->a_strides[d] * element;
            b += p->b_strides[d] * element;
            if (++index[d] < p->dims[d])
                break;
            a -= p->dims[d] * p->a_strides[d] * element;
            b -= p->dims[d] * p->b_strides[d] * element;
            index[d] = 0;
        }
    } while (d < last);
}

/* reference_integer_ops::Add, Sub: both inputs on a common scale with left_shift more bits. */
static int32_t add_one(const struct kernel_binary *p, int32_t a, int32_t b)
{
    int32_t x = (int32_t)((uint32_t)arith_add(a, p->a_offset) << (p->left_shift & 31));
    int32_t y = (int32_t)((uint32_t)arith_add(b, p->b_offset) << (p->left_shift & 31));

    x = arith_requantize(x, p->a_multiplier, p->a_shift);
    y = arith_requantize(y, p->b_multiplier, p->b_shift);
    x = (int32_t)(p->negative ? (uint32_t)x - (uint32_t)y : (uint32_t)x + (uint32_t)y);
    return arith_requantize(x, p->out_multiplier, p->out_shift);
}

static int32_t mul_one(const struct kernel_binary *p, int32_t a, int32_t b)
{
    uint32_t product = (uint32_t)arith_add(a, p->a_offset) * (uint32_t)arith_add(b, p->b_offset);

    return arith_requantize((int32_t)product, p->out_multiplier, p->out_shift);
}

static int32_t prelu_one(const struct kernel_binary *p, int32_t a, int32_t b)
{
    int32_t x = arith_add(a, p->a_offset);
    uint32_t product = (uint32_t)x * (uint32_t)arith_add(b, p->b_offset);

    if (x >= 0)
        return arith_requantize(x, p->a_multiplier, p->a_shift);
    return arith_requantize((int32_t)product, p->b_multiplier, p->b_shift);
}

/* A row function of `one` on elements of `type`. */
#define ROW(name, type, one)                                                                       \
    static void name(const struct kernel_binary *p, const void *a, const void *b, void *out)       \
    {                                                                                              \
        const type *x = a, *y = b;                                                                 \
        type *to = out;                                                                            \
        uint32_t last = p->rank - 1u;                                                              \
        for (uint32_t i = 0; i < p->dims[last]; i++) {                                             \
            int32_t v = arith_add(one(p, *x, *y), p->out_offset);                                  \
            to[i] = (type)arith_clamp(v, p->act_min, p->act_max);                                  \
            x += p->a_strides[last];                                                               \
            y += p->b_strides[last];                                                               \
        }                                                                                          \
    }

ROW(add_row_s8, int8_t, add_one)
ROW(add_row_s16, int16_t, add_one)
ROW(mul_row_s8, int8_t, mul_one)
ROW(mul_row_s16, int16_t, mul_one)
ROW(prelu_row_s8, int8_t, prelu_one)

/* The larger or the smaller; raw values. */
#define SELECT_ROW(name, type)                                                                     \
    static void name(const struct kernel_binary *p, const void *a, const void *b, void *out)       \
    {                                                                                              \
        const type *x = a, *y = b;                                                                 \
        type *to = out;                                                                            \
        uint32_t last = p->rank - 1u;                                                              \
        for (uint32_t i = 0; i < p->dims[last]; i++) {                                             \
            to[i] = (*x < *y) == !p->negative ? *y : *x;                                           \
            x += p->a_strides[last];                                                               \
            y += p->b_strides[last];                                                               \
        }                                                                                          \
    }

SELECT_ROW(select_row_s8, int8_t)
SELECT_ROW(select_row_u8, uint8_t)
SELECT_ROW(select_row_s16, int16_t)
SELECT_ROW(select_row_s32, int32_t)

void ref_add_s8(const void *params, void *const *at)
{
    walk(params, at, add_row_s8, 1);
}

void ref_add_s16(const void *params, void *const *at)
{
    walk(params, at, add_row_s16, 2);
}

void ref_mul_s8(const void *params, void *const *at)
{
    walk(params, at, mul_row_s8, 1);
}

void ref_mul_s16(const void *params, void *const *at)
{
    walk(params, at, mul_row_s16, 2);
}

void ref_prelu_s8(const void *params, void *const *at)
{
    walk(params, at, prelu_row_s8, 1);
}

void ref_select(const void *params, void *const *at)
{
    static row_fn *const rows[] = {select_row_s8, select_row_u8, select_row_s16, select_row_s32};
    const struct kernel_binary *p = params;

    walk(p, at, rows[p->type], check_type_size(p->type));
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

bool binary_fits(const struct kernel_binary *p, const struct kernel_span *spans, uint32_t element)
{
    uint32_t n = element;

    if (p->rank < 1 || p->rank > KERNEL_MAX_RANK)
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
    return binary_fits(params, spans, 1);
}

bool ref_binary_s16_check(const void *params, const struct kernel_span *spans)
{
    return binary_fits(params, spans, 2);
}

bool ref_select_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_binary *p = params;

    return p->type < KERNEL_F32 && binary_fits(p, spans, check_type_size(p->type));
}
