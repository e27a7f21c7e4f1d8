/* Rows of inputs times blocks of weights. */
#include "agents/kernels/mve/dot.h"
#include "agents/kernels/mve/scale.h"

static void row_any(const struct mve_rows *r, const int8_t *x, int8_t *out)
{
    const struct mve_range range = mve_range(r->out_offset, r->act_min, r->act_max);
    const struct mve_channels *channels = r->channels;
    const int8_t *w = r->weights;
    uint32_t block = (r->k + MVE_VECTOR - 1) / MVE_VECTOR * MVE_BLOCK * MVE_VECTOR, n;

    for (uint32_t left = r->out_c; left > 0; left -= n, out += n, channels++, w += block) {
        n = left < MVE_BLOCK ? left : MVE_BLOCK;
        vstrbq_p_s32(out, mve_scale_any(mve_dot(x, w, r->k), channels, &range), vctp32q(n));
    }
}

void mve_row(const struct mve_rows *r, const int8_t *x, int8_t *out)
{
    if (r->any_scale) {
        row_any(r, x, out);
        return;
    }
    const struct mve_range range = mve_range(r->out_offset, r->act_min, r->act_max);
    const struct mve_channels *channels = r->channels;
    const int8_t *w = r->weights;
    uint32_t k = r->k, block = (k + MVE_VECTOR - 1) / MVE_VECTOR * MVE_BLOCK * MVE_VECTOR;

    for (uint32_t n = r->out_c / MVE_BLOCK; n > 0; n--, channels++, w += block, out += MVE_BLOCK)
        vstrbq_s32(out, mve_scale(mve_dot(x, w, k), channels, &range));
    if (r->out_c % MVE_BLOCK)
        vstrbq_p_s32(out, mve_scale(mve_dot(x, w, k), channels, &range),
                     vctp32q(r->out_c % MVE_BLOCK));
}
