/* What the kernels in agents/kernels/armv7em read; the layouts are described there. */
#include <string.h>

#include "agents/kernels/armv7em/dsp.h"
#include "harness/nn/pack.h"

#define SUM_LIMIT (1 << 30)

/* False when the factor is not one that dsp_finish() can apply. */
static bool make_scale(int32_t multiplier, int32_t shift, struct dsp_scale *ret)
{
    if (multiplier == 0) {
        *ret = (struct dsp_scale){0, 1 << 30};
        return true;
    }
    if (multiplier < 0 || shift > -2 || shift < -31)
        return false;
    *ret = (struct dsp_scale){multiplier, 1 << (32 + shift)};
    return true;
}

/* ---- FULLY_CONNECTED ---- */

static bool dense_constants(const struct nn_lower *l, const struct nn_step *s, int32_t *biases,
                            struct dsp_scale *scales)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    const int32_t *plain = pack_data(l, s, 3);
    const struct kernel_channel *channels = pack_data(l, s, 3);

    if (p->weights_offset != 0 || !make_scale(p->multiplier, p->shift, &scales[0]))
        return false;
    for (size_t i = 0; i < p->out_n; i++, weights += p->in_n) {
        int32_t bias = p->per_channel ? channels[i].bias : plain[i];
        if (p->per_channel && !make_scale(channels[i].multiplier, channels[i].shift, &scales[i]))
            return false;
        biases[i] = pack_fold_bias(bias, p->in_offset, weights, p->in_n, 1);
        if (pack_sum_bound(biases[i], weights, p->in_n, 1) >= SUM_LIMIT)
            return false;
    }
    return true;
}

bool pack_armv7em_fully_connected(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    size_t out4 = (p->out_n + 3) / 4, in4 = (p->in_n + 3) / 4;
    int32_t *biases = pack_alloc(l, out4 * 4 * sizeof *biases);
    struct dsp_scale *scales = pack_alloc(l, p->out_n * sizeof *scales);
    int8_t *blocks = pack_alloc(l, out4 * in4 * 16);

    if (!weights || !pack_data(l, s, 3) || !dense_constants(l, s, biases, scales))
        return false;
    for (size_t o = 0; o < p->out_n; o++) {
        for (size_t i = 0; i < p->in_n; i++)
            blocks[((o / 4 * in4 + i / 4) * 4 + o % 4) * 4 + i % 4] = weights[o * p->in_n + i];
    }
    pack_constant(l, s, 2, "weights", blocks, out4 * in4 * 16);
    pack_constant(l, s, 3, "biases", biases, out4 * 4 * sizeof *biases);
    pack_constant(l, s, 4, "scales", scales, (p->per_channel ? p->out_n : 1) * sizeof *scales);
    return true;
}
