/* The innermost loops for cores that have no version in assembly, and for the host. */
#include "agents/kernels/tuned/dot.h"

#include "agents/kernels/tuned/asm.h"

uint32_t tuned_dot_one(const uint8_t *weights, const int8_t *x, uint32_t k)
{
    uint32_t sum = 0;

    for (; k >= 4; k -= 4, weights += 16, x += 4)
        sum += (uint32_t)(weights[0] * x[0] + weights[4] * x[1] + weights[8] * x[2] +
                          weights[12] * x[3]);
    for (; k > 0; k--, weights += 4)
        sum += (uint32_t)(*weights * *x++);
    return sum;
}

#if !TUNED_ASM_RECALL
void tuned_recall_blocks(int8_t *state, const int8_t *weights, uint32_t memory,
                         const int8_t *newest, uint32_t *sums, uint32_t blocks)
{
    for (; blocks > 0; blocks--, newest += 4, sums += 4) {
        uint32_t a = 0, b = 0, c = 0, d = 0;
        for (uint32_t left = memory; left > 0; left--, state += 4, weights += 4) {
            const int8_t *from = left > 1 ? state + 4 : newest;
            __builtin_memcpy(__builtin_assume_aligned(state, 4), __builtin_assume_aligned(from, 4),
                             4);
            a += (uint32_t)(from[0] * weights[0]);
            b += (uint32_t)(from[1] * weights[1]);
            c += (uint32_t)(from[2] * weights[2]);
            d += (uint32_t)(from[3] * weights[3]);
        }
        sums[0] = a;
        sums[1] = b;
        sums[2] = c;
        sums[3] = d;
    }
}
#endif

#if !TUNED_ASM_WIDE
void tuned_dot_wide(int32_t *sums, const uint8_t *weights, const int8_t *x, uint32_t k,
                    uint32_t block)
{
    for (uint32_t c = 0; c < TUNED_WIDE; c += 4)
        tuned_dot_block(sums + c, weights + c / 4 * block, x, k);
}
#endif

#if !TUNED_ASM_BLOCK
static inline void step(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d, const uint8_t *weights,
                        int32_t x)
{
    *a += (uint32_t)(weights[0] * x);
    *b += (uint32_t)(weights[1] * x);
    *c += (uint32_t)(weights[2] * x);
    *d += (uint32_t)(weights[3] * x);
}

void tuned_dot_block(int32_t *sums, const uint8_t *weights, const int8_t *x, uint32_t k)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;

    for (; k >= 4; k -= 4, weights += 16, x += 4) {
        step(&a, &b, &c, &d, weights, x[0]);
        step(&a, &b, &c, &d, weights + 4, x[1]);
        step(&a, &b, &c, &d, weights + 8, x[2]);
        step(&a, &b, &c, &d, weights + 12, x[3]);
    }
    for (; k > 0; k--, weights += 4)
        step(&a, &b, &c, &d, weights, *x++);
    sums[0] = (int32_t)a;
    sums[1] = (int32_t)b;
    sums[2] = (int32_t)c;
    sums[3] = (int32_t)d;
}
#endif

#if !TUNED_PACKED_PAIRS && !TUNED_ASM_PAIR
void tuned_dot_pair(int32_t *sums, const uint8_t *weights, const int8_t *x, const int8_t *x2,
                    uint32_t k, uint32_t block)
{
    for (uint32_t c = 0; c < TUNED_PAIR; c += 4) {
        tuned_dot_block(sums + c, weights + c / 4 * block, x, k);
        tuned_dot_block(sums + TUNED_PAIR + c, weights + c / 4 * block, x2, k);
    }
}
#endif

#if TUNED_PACKED_PAIRS && !TUNED_ASM_PAIR
void tuned_dot_packed(uint32_t *sums, const uint8_t *weights, const uint32_t *pairs, uint32_t k)
{
    for (uint32_t i = 0; i < 8; i++)
        sums[i] = 0;
    for (; k > 0; k--, pairs++, weights += 4) {
        for (uint32_t c = 0; c < 4; c++) {
            uint32_t product = *pairs * weights[c];
            sums[c] += product;
            sums[4 + c] += product >> 16;
        }
    }
}
#endif
