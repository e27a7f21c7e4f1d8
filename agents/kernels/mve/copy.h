/* How a window of inputs is collected in scratch. */
#ifndef AGENTS_KERNELS_MVE_COPY_H
#define AGENTS_KERNELS_MVE_COPY_H

#include "agents/kernels/mve/helium.h"
#include "agents/kernels/mve/mve.h"

/* n bytes; both return where the next ones go. */
static inline int8_t *mve_copy(int8_t *to, const int8_t *from, uint32_t n)
{
    int8_t *end = to + n;

#ifdef __ARM_FEATURE_MVE
    /* The compiler makes no loops with tail predication. */
    __asm__ volatile("wlstp.8 lr, %[n], 2f\n"
                     "1: vldrb.8 q0, [%[from]], #16\n"
                     "vstrb.8 q0, [%[to]], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : [to] "+r"(to), [from] "+r"(from)
                     : [n] "r"(n)
                     : "lr", "q0", "memory");
#else
    for (; to < end; to += MVE_VECTOR, from += MVE_VECTOR, n -= MVE_VECTOR) {
        mve_pred16_t p = vctp8q(n);
        vstrbq_p_s8(to, vldrbq_z_s8(from, p), p);
    }
#endif
    return end;
}

static inline int8_t *mve_fill(int8_t *to, int32_t value, uint32_t n)
{
    int8x16_t v = vdupq_n_s8((int8_t)value);
    int8_t *end = to + n;

    for (; to < end; to += MVE_VECTOR, n -= MVE_VECTOR)
        vstrbq_p_s8(to, v, vctp8q(n));
    return end;
}

#endif
