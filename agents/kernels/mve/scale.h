/* From sums to outputs; see struct mve_channels. */
#ifndef AGENTS_KERNELS_MVE_SCALE_H
#define AGENTS_KERNELS_MVE_SCALE_H

#include "agents/kernels/mve/helium.h"
#include "agents/kernels/mve/mve.h"

/* The output's zero point and range, in every lane. */
struct mve_range {
    int32x4_t offset, min, max;
};

static inline struct mve_range mve_range(int32_t offset, int32_t min, int32_t max)
{
    return (struct mve_range){vdupq_n_s32(offset), vdupq_n_s32(min), vdupq_n_s32(max)};
}

static inline int32x4_t mve_requantize(int32x4_t v, int32x4_t multiplier, int32x4_t shift)
{
    v = vqrdmulhq_s32(v, multiplier);
    v = vqaddq_s32(v, vshrq_n_s32(vandq_s32(v, shift), 31));
    return vrshlq_s32(v, shift);
}

/* The same where a shift may also go to the left. */
static inline int32x4_t mve_requantize_any(int32x4_t v, int32x4_t multiplier, int32x4_t shift)
{
    v = vshlq_s32(v, vmaxq_s32(shift, vdupq_n_s32(0)));
    return mve_requantize(v, multiplier, vminq_s32(shift, vdupq_n_s32(0)));
}

static inline int32x4_t mve_clamp(int32x4_t v, const struct mve_range *range)
{
    v = vaddq_s32(v, range->offset);
    return vminq_s32(vmaxq_s32(v, range->min), range->max);
}

/* Four outputs from their sums without biases. */
static inline int32x4_t mve_scale(int32x4_t sums, const struct mve_channels *c,
                                  const struct mve_range *range)
{
    int32x4_t v = vaddq_s32(sums, vldrwq_s32(c->bias));

    v = mve_requantize(v, vldrwq_s32(c->multiplier), vldrwq_s32(c->shift));
    return mve_clamp(v, range);
}

static inline int32x4_t mve_scale_any(int32x4_t sums, const struct mve_channels *c,
                                      const struct mve_range *range)
{
    int32x4_t v = vaddq_s32(sums, vldrwq_s32(c->bias));

    v = mve_requantize_any(v, vldrwq_s32(c->multiplier), vldrwq_s32(c->shift));
    return mve_clamp(v, range);
}

#endif
