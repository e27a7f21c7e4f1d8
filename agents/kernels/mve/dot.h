/* One row of inputs times one block of weights. */
#ifndef AGENTS_KERNELS_MVE_DOT_H
#define AGENTS_KERNELS_MVE_DOT_H

#include "agents/kernels/mve/helium.h"
#include "agents/kernels/mve/mve.h"

/* The sums of four channels over k > 0 inputs, of which none beyond is read. */
static inline int32x4_t mve_dot(const int8_t *x, const int8_t *weights, uint32_t k)
{
#ifdef __ARM_FEATURE_MVE
    int32_t a = 0, b = 0, c = 0, d = 0;
    int32x4_t sums;

    /* The compiler makes no loops with tail predication, and a detour of a vector of four sums. */
    __asm__("dlstp.8 lr, %[k]\n"
            "1: vldrb.8 q0, [%[x]], #16\n"
            "vldrb.8 q1, [%[w]], #16\n"
            "vmladava.s8 %[a], q0, q1\n"
            "vldrb.8 q2, [%[w]], #16\n"
            "vmladava.s8 %[b], q0, q2\n"
            "vldrb.8 q1, [%[w]], #16\n"
            "vmladava.s8 %[c], q0, q1\n"
            "vldrb.8 q2, [%[w]], #16\n"
            "vmladava.s8 %[d], q0, q2\n"
            "letp lr, 1b\n"
            "vmov %q[sums][2], %q[sums][0], %[a], %[c]\n"
            "vmov %q[sums][3], %q[sums][1], %[b], %[d]\n"
            : [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d), [x] "+r"(x),
              [w] "+r"(weights), [sums] "=&w"(sums)
            : [k] "r"(k)
            : "lr", "q0", "q1", "q2", "memory");
    return sums;
#else
    int32x4_t sums = {{0, 0, 0, 0}};

    for (uint32_t i = 0; i < k; i += MVE_VECTOR, weights += MVE_BLOCK * MVE_VECTOR) {
        int8x16_t in = vldrbq_z_s8(x + i, vctp8q(k - i));
        for (unsigned c = 0; c < MVE_BLOCK; c++)
            sums.v[c] = vmladavaq_s8(sums.v[c], in, vldrbq_s8(weights + c * MVE_VECTOR));
    }
    return sums;
#endif
}

#endif
