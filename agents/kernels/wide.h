/* The end of one output of int16 activations, for every variant: bias, rescaling, clamping. */
#ifndef AGENTS_KERNELS_WIDE_H
#define AGENTS_KERNELS_WIDE_H

#include "agents/kernels/kernels.h"

/* `channels` are as p->wide says; of p, the output's offset and range count too. */
int16_t wide_finish(const struct kernel_conv *p, int64_t sum, const void *channels, uint32_t c);

/* What of a fully connected layer's parameters wide_finish() reads. */
static inline struct kernel_conv wide_end(const struct kernel_fully_connected *p)
{
    return (struct kernel_conv){
        .out_offset = p->out_offset, .act_min = p->act_min, .act_max = p->act_max, .wide = p->wide};
}

#endif
