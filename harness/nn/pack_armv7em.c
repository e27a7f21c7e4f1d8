/* What the kernels in agents/kernels/armv7em read; the layouts are described there. */
#include <string.h>

#include "agents/kernels/armv7em/dsp.h"
#include "harness/nn/pack.h"

#define SUM_LIMIT (1 << 30)

/* For sums of magnitude `bound` at most. */
static struct dsp_scale make_scale(int32_t multiplier, int32_t shift, int64_t bound)
{
    if (multiplier == 0)
        return (struct dsp_scale){0, 1 << 30};
    if (multiplier < 0 || shift > -2 || shift < -31 || bound >= SUM_LIMIT)
        return (struct dsp_scale){multiplier, DSP_ANY_SHIFT - shift};
    return (struct dsp_scale){multiplier, 1 << (32 + shift)};
}

/* ---- FULLY_CONNECTED ---- */

static void dense_constants(const struct nn_lower *l, const struct nn_step *s, int32_t *biases,
                            struct dsp_scale *scales)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    const int32_t *plain = pack_data(l, s, 3);
    const struct kernel_channel *channels = pack_data(l, s, 3);
    int64_t most = 0;

    for (size_t i = 0; i < p->out_n; i++, weights += p->in_n) {
        int32_t bias = p->per_channel ? channels[i].bias : plain[i];
        biases[i] = pack_fold_bias(bias, p->in_offset, weights, p->in_n, 1);
        int64_t bound = pack_sum_bound(biases[i], weights, p->in_n, 1);
        most = bound > most ? bound : most;
        if (p->per_channel)
            scales[i] = make_scale(channels[i].multiplier, channels[i].shift, bound);
    }
    if (!p->per_channel)
        scales[0] = make_scale(p->multiplier, p->shift, most);
}

/* [out_n / 4][in_n / 4][4][4] */
static int8_t *dense_blocks(struct nn_lower *l, const int8_t *weights, size_t out_n, size_t in_n)
{
    size_t in4 = (in_n + 3) / 4;
    int8_t *blocks = pack_alloc(l, (out_n + 3) / 4 * in4 * 16);

    for (size_t o = 0; o < out_n; o++) {
        for (size_t i = 0; i < in_n; i++)
            blocks[((o / 4 * in4 + i / 4) * 4 + o % 4) * 4 + i % 4] = weights[o * in_n + i];
    }
    return blocks;
}

bool pack_armv7em_fully_connected(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    size_t out4 = (p->out_n + 3) / 4, in4 = (p->in_n + 3) / 4;
    int32_t *biases = pack_alloc(l, out4 * 4 * sizeof *biases);
    struct dsp_scale *scales = pack_alloc(l, p->out_n * sizeof *scales);

    if (!weights || !pack_data(l, s, 3) || p->weights_offset != 0)
        return false;
    dense_constants(l, s, biases, scales);
    pack_constant(l, s, 2, "weights", dense_blocks(l, weights, p->out_n, p->in_n), out4 * in4 * 16);
    pack_constant(l, s, 3, "biases", biases, out4 * 4 * sizeof *biases);
    pack_constant(l, s, 4, "scales", scales, (p->per_channel ? p->out_n : 1) * sizeof *scales);
    return true;
}

/* ---- CONV and DEPTHWISE ---- */

/* A channel with `n` weights at distance `stride`: its folded bias and scale. */
static void channel_constants(const struct kernel_conv *p, const struct kernel_channel *channel,
                              const int8_t *weights, size_t n, size_t stride, int32_t *bias,
                              struct dsp_scale *scale)
{
    *bias = pack_fold_bias(channel->bias, p->in_offset, weights, n, stride);
    *scale =
        make_scale(channel->multiplier, channel->shift, pack_sum_bound(*bias, weights, n, stride));
}

/* Weights in the order of CONV's reference: [out_c][window]. */
static void pack_conv(struct nn_lower *l, struct nn_step *s, const struct kernel_conv *p,
                      const int8_t *weights)
{
    const struct kernel_channel *channels = pack_data(l, s, 3);
    size_t window = (size_t)p->filter_h * p->filter_w * p->filter_c, words = (window + 3) / 4;
    size_t groups = p->in_c / p->filter_c, group_out = p->out_c / groups;
    size_t even = (group_out + 1) & ~(size_t)1, count = groups * even;
    int32_t *biases = pack_alloc(l, count * sizeof *biases);
    struct dsp_scale *scales = pack_alloc(l, count * sizeof *scales);
    int8_t *blocks = pack_alloc(l, count * words * 4);

    for (size_t c = 0; c < p->out_c; c++, weights += window) {
        size_t to = c / group_out * even + c % group_out;
        channel_constants(p, &channels[c], weights, window, 1, &biases[to], &scales[to]);
        for (size_t k = 0; k < window; k++)
            blocks[((to / 2 * words + k / 4) * 2 + to % 2) * 4 + k % 4] = weights[k];
    }
    pack_constant(l, s, 2, "weights", blocks, count * words * 4);
    pack_constant(l, s, 3, "biases", biases, count * sizeof *biases);
    pack_constant(l, s, 4, "scales", scales, count * sizeof *scales);
    pack_scratch(l, s, 5, words * 20);
    if (group_out != p->out_c) /* a later group's windows are read after outputs of both pixels */
        s->sharing_count = 0;
}

/* Zero points lie in the windows as bytes. */
static bool conv_fits(const struct nn_lower *l, const struct nn_step *s)
{
    const struct kernel_conv *p = s->params;

    return pack_data(l, s, 2) && pack_data(l, s, 3) && p->in_offset >= -INT8_MAX &&
           p->in_offset <= -INT8_MIN;
}

bool pack_armv7em_conv(struct nn_lower *l, struct nn_step *s)
{
    if (!conv_fits(l, s))
        return false;
    pack_conv(l, s, s->params, pack_data(l, s, 2));
    return true;
}

/* With several outputs for an input channel, or few channels: a convolution in in_c groups. */
static void pack_depthwise_as_conv(struct nn_lower *l, struct nn_step *s, const int8_t *weights)
{
    const struct kernel_conv *p = s->params;
    size_t taps = (size_t)p->filter_h * p->filter_w;
    int8_t *turned = pack_alloc(l, taps * p->out_c);
    struct kernel_conv q = *p;

    for (size_t t = 0; t < taps; t++) {
        for (size_t c = 0; c < p->out_c; c++)
            turned[c * taps + t] = weights[t * p->out_c + c];
    }
    q.filter_c = 1;
    pack_conv(l, s, &q, turned);
    s->kind = KERNEL_CONV_S8;
    s->params = arena_dup(l->arena, &q, sizeof q);
}

/* The channel that entry i of a list of blocks of four stands for; the last block ends with c. */
static size_t block_channel(size_t i, size_t c)
{
    return i / 4 * 4 + 4 <= c ? i : c - 4 + i % 4;
}

bool pack_armv7em_depthwise(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const struct kernel_channel *channels = pack_data(l, s, 3);
    const int8_t *weights = pack_data(l, s, 2);
    size_t taps = (size_t)p->filter_h * p->filter_w, pairs = (taps + 1) / 2;
    size_t blocks = (p->in_c + 3u) / 4;

    if (!conv_fits(l, s) || l->buffers[s->spans[0].buffer].data)
        return false;
    if (p->in_c < 4 || p->out_c != p->in_c) {
        pack_depthwise_as_conv(l, s, weights);
        return true;
    }
    int32_t *biases = pack_alloc(l, blocks * 4 * sizeof *biases);
    struct dsp_scale *scales = pack_alloc(l, blocks * 4 * sizeof *scales);
    int16_t *wide = pack_alloc(l, blocks * pairs * 16);
    for (size_t i = 0; i < blocks * 4; i++) {
        size_t c = block_channel(i, p->in_c);
        channel_constants(p, &channels[c], weights + c, taps, p->in_c, &biases[i], &scales[i]);
        for (size_t t = 0; t < taps; t++)
            wide[((i / 4 * pairs + t / 2) * 4 + i % 4) * 2 + t % 2] =
                (int16_t)weights[t * p->in_c + c];
    }
    pack_constant(l, s, 2, "weights", wide, blocks * pairs * 16);
    pack_constant(l, s, 3, "biases", biases, blocks * 4 * sizeof *biases);
    pack_constant(l, s, 4, "scales", scales, blocks * 4 * sizeof *scales);
    pack_scratch(l, s, 5, (pairs * 2 + 2 + blocks) * 4);
    return true;
}

/* ---- ADD and MUL ---- */

/* Parameters and constants are those of the reference. */
bool pack_armv7em_binary(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_binary *p = s->params;
    bool halves =
        s->kind == KERNEL_MUL_S8 || (p->left_shift <= 21 && p->a_shift <= 0 && p->a_shift >= -31 &&
                                     p->b_shift <= 0 && p->b_shift >= -31);

    return p->rank == 1 && halves && p->out_shift <= -2 && p->out_shift >= -31;
}

/* ---- SVDF ---- */

/* Biases of `rows` dot products of n weights each, with an offset folded in; returns their bound. */
static int64_t fold_rows(int32_t *biases, const int32_t *plain, int32_t offset,
                         const int8_t *weights, size_t rows, size_t n)
{
    int64_t most = 0;

    for (size_t i = 0; i < rows; i++, weights += n) {
        biases[i] = pack_fold_bias(plain ? plain[i] : 0, offset, weights, n, 1);
        int64_t bound = pack_sum_bound(biases[i], weights, n, 1);
        most = bound > most ? bound : most;
    }
    return most;
}

bool pack_armv7em_svdf(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_svdf *p = s->params;
    const int8_t *weights = pack_data(l, s, 2), *times = pack_data(l, s, 3);
    const int32_t *plain = pack_data(l, s, 4);
    size_t out4 = (p->filters + 3) / 4, units = p->filters / p->rank;
    int32_t *features = pack_alloc(l, out4 * 4 * sizeof *features);
    int32_t *biases = pack_alloc(l, units * sizeof *biases);
    struct dsp_scale *scales = pack_alloc(l, 2 * sizeof *scales);

    if (!weights || !times || !plain || p->state_type != KERNEL_S8 || p->filters % p->rank)
        return false;
    int64_t bound = fold_rows(features, NULL, p->in_offset, weights, p->filters, p->in_n);
    scales[0] = make_scale(p->state_multiplier, p->state_shift, bound);
    bound = fold_rows(biases, plain, -p->state_zero, times, units, (size_t)p->rank * p->memory);
    scales[1] = make_scale(p->out_multiplier, p->out_shift, bound);
    pack_constant(l, s, 2, "weights", dense_blocks(l, weights, p->filters, p->in_n),
                  out4 * 16 * ((p->in_n + 3) / 4));
    pack_constant(l, s, 4, "biases", biases, units * sizeof *biases);
    pack_constant(l, s, 6, "feature biases", features, out4 * 4 * sizeof *features);
    pack_constant(l, s, 7, "scales", scales, 2 * sizeof *scales);
    return true;
}

/* ---- LSTM ---- */

static bool fits(const struct pack_row *row)
{
    int64_t bound = pack_sum_bound(row->bias, row->weights, row->n, row->stride);

    return make_scale(row->multiplier, row->shift, bound).power > 0;
}

bool pack_armv7em_lstm(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_lstm *p = s->params;
    size_t out4 = (p->units + 3) / 4, in4 = (p->in_n + 3) / 4;

    if (!pack_lstm_fits(l, s, fits))
        return false;
    for (unsigned span = 6; span < s->span_count; span += 3) {
        const void *w = dense_blocks(l, pack_data(l, s, span), p->units, p->in_n);
        pack_constant(l, s, span, "gate weights", w, out4 * in4 * 16);
        w = dense_blocks(l, pack_data(l, s, span + 1), p->units, p->units);
        pack_constant(l, s, span + 1, "gate weights", w, out4 * out4 * 16);
    }
    pack_lstm_biases(l, s, 4);
    return true;
}

/* ---- MAX_POOL: parameters and spans are those of the reference ---- */

bool pack_armv7em_max_pool(struct nn_lower *l, struct nn_step *s)
{
    return true;
}
