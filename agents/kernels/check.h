/* How kernels prove that they stay inside their spans: products that cannot overflow. */
#ifndef AGENTS_KERNELS_CHECK_H
#define AGENTS_KERNELS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "agents/kernels/kernels.h"

/* a * b, or a number larger than any span when that overflows. */
static inline uint32_t check_product(uint32_t a, uint32_t b)
{
    uint64_t p = (uint64_t)a * b;

    return p > UINT32_MAX ? UINT32_MAX : (uint32_t)p;
}

/* There are a*b*c elements of `element` bytes, and the span holds them and is aligned for them. */
bool check_holds(const struct kernel_span *span, uint32_t a, uint32_t b, uint32_t c,
                 uint32_t element);

/* Two spans of the arena have no byte in common: for scratch that the kernel believes. */
bool check_apart(const struct kernel_span *a, const struct kernel_span *b);

/* Input and output of a convolution fit its shapes, coordinates stay within 31 bits. */
bool conv_images_fit(const struct kernel_conv *p, const struct kernel_span *spans);
/* Input, output and channel spans of a convolution fit its shapes; the weights are not looked at. */
bool conv_shapes_fit(const struct kernel_conv *p, const struct kernel_span *spans);

/* A filter of one pixel without padding: its window can be read where it lies... */
static inline bool conv_reads_in_place(const struct kernel_conv *p)
{
    return p->filter_h == 1 && p->filter_w == 1 && p->pad_top == 0 && p->pad_left == 0;
}

/* ... as long as no pixel lies outside: true, too, of all other filters. */
static inline bool conv_stays_inside(const struct kernel_conv *p)
{
    return !conv_reads_in_place(p) || (p->out_h > 0 && (p->out_h - 1u) * p->stride_h < p->in_h &&
                                       (p->out_w - 1u) * p->stride_w < p->in_w);
}

static inline bool check_aligned(const struct kernel_span *span, uint32_t element)
{
    return (span->where & (element - 1)) == 0;
}

/* Bytes of an enum kernel_type; 0 when there is no such type. */
static inline uint32_t check_type_size(uint32_t type)
{
    return type <= KERNEL_U8 || type == KERNEL_BOOL ? 1
           : type == KERNEL_S16                     ? 2
           : type <= KERNEL_F32                     ? 4
                                                    : 0;
}

#endif
