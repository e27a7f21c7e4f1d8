/* Moving elements about: whatever reorders, cuts, joins or pads tensors comes down to these two. */
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* In ascending order: strips of rows are moved down within their own buffer. */
static void copy_bytes(uint8_t *to, const uint8_t *from, uint32_t n)
{
    if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0) {
        for (; n >= 4; n -= 4, to += 4, from += 4)
            __builtin_memcpy(__builtin_assume_aligned(to, 4), __builtin_assume_aligned(from, 4), 4);
    }
    while (n--)
        *to++ = *from++;
}

void ref_copy(const void *params, void *const *at)
{
    const struct kernel_copy *p = params;
    const uint8_t *in = (const uint8_t *)at[0] + p->in_start;
    uint8_t *out = (uint8_t *)at[1] + p->out_start;
    uint32_t index[KERNEL_MAX_RANK] = {0};
    uint32_t d;

    do {
        copy_bytes(out, in, p->run);
        /* One step in the innermost dimension; where one is full, back to its start and one out. */
        for (d = p->rank; d-- > 0;) {
            in += p->in_strides[d];
            out += p->out_strides[d];
            if (++index[d] < p->dims[d])
                break;
            in -= (int32_t)p->dims[d] * p->in_strides[d];
            out -= (int32_t)p->dims[d] * p->out_strides[d];
            index[d] = 0;
        }
    } while (d < p->rank);
}

void ref_fill(const void *params, void *const *at)
{
    const struct kernel_fill *p = params;
    uint8_t *out = at[0];

    for (uint32_t i = 0; i < p->n; i++, out += p->width)
        copy_bytes(out, (const uint8_t *)&p->value, p->width);
}

/* First and last byte that the strides can reach lie in the span. */
static bool walk_fits(const struct kernel_copy *p, uint32_t start, const int32_t *strides,
                      const struct kernel_span *span)
{
    int64_t low = start, high = (int64_t)start + p->run;

    for (uint32_t d = 0; d < p->rank; d++) {
        int64_t reach = (int64_t)(p->dims[d] - 1) * strides[d];
        if (p->dims[d] == 0 || p->dims[d] > 0xffffff || strides[d] < -0x7fffff ||
            strides[d] > 0x7fffff || reach > 0x3fffffff || reach < -0x3fffffff)
            return false;
        if (reach < 0)
            low += reach;
        else
            high += reach;
    }
    return low >= 0 && high <= (int64_t)span->size;
}

bool ref_copy_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_copy *p = params;
    uint32_t n = p->run; /* no byte is written twice */

    for (uint32_t d = 0; d < p->rank && d < KERNEL_MAX_RANK; d++)
        n = check_product(n, p->dims[d]);
    return p->rank <= KERNEL_MAX_RANK && n != 0 && n <= spans[1].size &&
           walk_fits(p, p->in_start, p->in_strides, &spans[0]) &&
           walk_fits(p, p->out_start, p->out_strides, &spans[1]);
}

bool ref_fill_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fill *p = params;

    return p->width <= sizeof p->value && check_holds(&spans[0], p->n, p->width, 1, 1);
}
