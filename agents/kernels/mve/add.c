/*
 * ADD_S8 of two tensors of one shape, with TFLite's left shift of 20; four elements at a time.
 *
 * Spans: a, b, out, struct mve_add. Parameters: one dimension, strides of 1.
 */
#include "agents/kernels/mve/add.h"

#include "agents/kernels/check.h"
#include "agents/kernels/mve/scale.h"

struct lanes {
    int32x4_t offset, multiplier, shift;
};

static inline struct lanes lanes(int32_t offset, const struct mve_factor *f)
{
    return (struct lanes){vdupq_n_s32(offset), vdupq_n_s32(f->multiplier), vdupq_n_s32(f->shift)};
}

static inline int32x4_t widen(const int8_t *from, mve_pred16_t p, const struct lanes *l)
{
    int32x4_t v = vshlq_n_s32(vaddq_s32(vldrbq_z_s32(from, p), l->offset), 20);

    return mve_requantize(v, l->multiplier, l->shift);
}

void mve_add_s8(const void *params, void *const *at)
{
    const struct kernel_binary *p = params;
    const int8_t *a = at[0], *b = at[1];
    int8_t *out = at[2];
    const struct mve_add *add = at[3];
    const struct lanes first = lanes(p->a_offset, &add->a), second = lanes(p->b_offset, &add->b);
    const struct lanes result = lanes(p->out_offset, &add->out);
    int32x4_t min = vdupq_n_s32(p->act_min), max = vdupq_n_s32(p->act_max);

    for (uint32_t n = p->dims[0]; n > 0; a += 4, b += 4, out += 4) {
        mve_pred16_t tail = vctp32q(n);
        int32x4_t v = vaddq_s32(widen(a, tail, &first), widen(b, tail, &second));
        v = vaddq_s32(mve_requantize(v, result.multiplier, result.shift), result.offset);
        vstrbq_p_s32(out, vminq_s32(vmaxq_s32(v, min), max), tail);
        n -= n < 4 ? n : 4;
    }
}

bool mve_add_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_binary *p = params;

    return p->rank == 1 && p->a_strides[0] == 1 && p->b_strides[0] == 1 &&
           check_holds(&spans[0], p->dims[0], 1, 1, 1) &&
           check_holds(&spans[1], p->dims[0], 1, 1, 1) &&
           check_holds(&spans[2], p->dims[0], 1, 1, 1) &&
           check_holds(&spans[3], 1, 1, sizeof(struct mve_add) / 4, 4);
}
