/* What the kernels in agents/kernels/mve read; the layouts are described there. */
#include <string.h>

#include "agents/kernels/mve/add.h"
#include "agents/kernels/mve/svdf.h"
#include "harness/nn/pack.h"

/* A factor that mve_requantize() applies exactly: no left shift. */
static bool make_factor(int32_t multiplier, int32_t shift, struct mve_factor *ret)
{
    *ret = (struct mve_factor){multiplier, multiplier == 0 ? 0 : shift};
    return multiplier >= 0 && ret->shift <= 0 && ret->shift >= -31;
}

/* Into one lane; true when its shift goes to the left. */
static bool set_channel(const struct pack_row *s, int32_t in_offset, size_t lane,
                        struct mve_channels *block)
{
    block->bias[lane] = pack_fold_bias(s->bias, in_offset, s->weights, s->n, s->stride);
    block->multiplier[lane] = s->multiplier;
    block->shift[lane] = s->multiplier == 0 ? 0 : s->shift;
    return block->shift[lane] > 0;
}

static size_t blocks_of(size_t channels)
{
    return (channels + MVE_BLOCK - 1) / MVE_BLOCK;
}

/* Lays out the weights of a span for out_c channels: k elements from c * row on, `stride` apart. */
static void pack_rows(struct nn_lower *l, struct nn_step *s, unsigned span, size_t out_c, size_t k,
                      size_t row, size_t stride)
{
    const int8_t *weights = pack_data(l, s, span);
    size_t vectors = (k + MVE_VECTOR - 1) / MVE_VECTOR;
    size_t size = blocks_of(out_c) * MVE_BLOCK * vectors * MVE_VECTOR;
    int8_t *rows = pack_alloc(l, size);

    for (size_t c = 0; c < out_c; c++) {
        int8_t *to = rows + (c / MVE_BLOCK * vectors * MVE_BLOCK + c % MVE_BLOCK) * MVE_VECTOR;
        for (size_t i = 0; i < k; i++)
            to[i / MVE_VECTOR * MVE_BLOCK * MVE_VECTOR + i % MVE_VECTOR] =
                weights[c * row + i * stride];
    }
    pack_constant(l, s, span, "weights", rows, size);
}

/* ---- convolutions ---- */

/* Sets span 3, with `pairs` in the order of depthwise, and what its scales are. */
static void pack_channels(struct nn_lower *l, struct nn_step *s, size_t k, size_t row,
                          size_t stride, bool pairs)
{
    struct kernel_conv *p = pack_params(l, s);
    const struct kernel_channel *plain = pack_data(l, s, 3);
    const int8_t *weights = pack_data(l, s, 2);
    size_t blocks = (blocks_of(p->out_c) + 1) / 2 * 2;
    struct mve_channels *ret = pack_alloc(l, blocks * sizeof *ret);

    p->wide = 0;
    for (size_t c = 0; c < p->out_c; c++) {
        const struct pack_row source = {
            plain[c].bias, plain[c].multiplier, plain[c].shift, weights + c * row, k, stride};
        size_t block = pairs ? c / 8 * 2 + c % 2 : c / MVE_BLOCK;
        size_t lane = pairs ? c % 8 / 2 : c % MVE_BLOCK;
        p->wide |= set_channel(&source, p->in_offset, lane, &ret[block]);
    }
    pack_constant(l, s, 3, "channels", ret, blocks * sizeof *ret);
}

static bool pack_conv(struct nn_lower *l, struct nn_step *s, size_t row, size_t stride)
{
    const struct kernel_conv *p = s->params;
    size_t k = (size_t)p->filter_h * p->filter_w * p->in_c;

    if (k > 0xffff || !pack_data(l, s, 2) || !pack_data(l, s, 3))
        return false;
    pack_channels(l, s, k, row, stride, false);
    pack_rows(l, s, 2, p->out_c, k, row, stride);
    pack_scratch(l, s, 4, (k + MVE_VECTOR - 1) / MVE_VECTOR * MVE_VECTOR);
    return true;
}

bool pack_mve_conv(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    size_t k = (size_t)p->filter_h * p->filter_w * p->in_c;

    return p->filter_c == p->in_c && pack_conv(l, s, k, 1);
}

bool pack_mve_depthwise(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    size_t taps = (size_t)p->filter_h * p->filter_w;
    size_t block = MVE_DEPTHWISE_BLOCK;
    size_t size = (p->out_c + block - 1) / block * block * taps;

    if (p->in_c == 1 && p->out_c > 1) { /* each output channel reads all inputs: a convolution */
        if (!pack_conv(l, s, 1, p->out_c))
            return false;
        s->kind = KERNEL_CONV_S8;
        return true;
    }
    if (p->in_c != p->out_c || !weights || !pack_data(l, s, 3))
        return false;
    pack_channels(l, s, taps, 1, p->out_c, true);
    int8_t *blocks = pack_alloc(l, size);
    for (size_t c = 0; c < p->out_c; c++) {
        for (size_t t = 0; t < taps; t++)
            blocks[(c / block * taps + t) * block + c % block] = weights[t * p->out_c + c];
    }
    pack_constant(l, s, 2, "weights", blocks, size);
    pack_scratch(l, s, 4, taps * p->in_c);
    return true;
}

/* ---- FULLY_CONNECTED ---- */

bool pack_mve_fully_connected(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    const int32_t *biases = pack_data(l, s, 3);
    const struct kernel_channel *plain = pack_data(l, s, 3);
    struct mve_channels *c = pack_alloc(l, blocks_of(p->out_n) * sizeof *c);
    bool left = false;

    if (!weights || !biases || p->weights_offset != 0 || p->in_n == 0 || p->in_n > 0xffffff)
        return false;
    for (size_t i = 0; i < p->out_n; i++) {
        struct pack_row source = {.weights = weights + i * p->in_n, .n = p->in_n, .stride = 1};
        source.bias = p->per_channel ? plain[i].bias : biases[i];
        source.multiplier = p->per_channel ? plain[i].multiplier : p->multiplier;
        source.shift = p->per_channel ? plain[i].shift : p->shift;
        left |= set_channel(&source, p->in_offset, i % MVE_BLOCK, &c[i / MVE_BLOCK]);
    }
    struct kernel_fully_connected *q = pack_params(l, s);
    q->wide = left;
    pack_rows(l, s, 2, p->out_n, p->in_n, p->in_n, 1);
    pack_constant(l, s, 3, "channels", c, blocks_of(p->out_n) * sizeof *c);
    return true;
}

/* ---- SVDF ---- */

bool pack_mve_svdf(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_svdf *p = s->params;
    const int8_t *weights = pack_data(l, s, 2), *times = pack_data(l, s, 3);
    const int32_t *plain = pack_data(l, s, 4);
    size_t units = p->filters / p->rank, taps = (size_t)p->rank * p->memory;
    struct mve_channels *c = pack_alloc(l, blocks_of(p->filters) * sizeof *c);
    int32_t *biases = pack_alloc(l, blocks_of(units) * MVE_BLOCK * sizeof *biases);
    struct mve_svdf *out = pack_alloc(l, sizeof *out);

    if (!weights || !times || !plain || p->state_type != KERNEL_S8 || p->filters == 0 ||
        p->filters % p->rank || p->in_n == 0 || p->in_n > 0xffffff)
        return false;
    *out = (struct mve_svdf){p->out_multiplier, p->out_multiplier == 0 ? 0 : p->out_shift, false};
    for (size_t i = 0; i < p->filters; i++) {
        const struct pack_row row = {
            0, p->state_multiplier, p->state_shift, weights + i * p->in_n, p->in_n, 1};
        out->any_scale |= set_channel(&row, p->in_offset, i % MVE_BLOCK, &c[i / MVE_BLOCK]);
    }
    for (size_t i = 0; i < units; i++)
        biases[i] = pack_fold_bias(plain[i], -p->state_zero, times + i * taps, taps, 1);
    pack_rows(l, s, 2, p->filters, p->in_n, p->in_n, 1);
    pack_constant(l, s, 4, "biases", biases, blocks_of(units) * MVE_BLOCK * sizeof *biases);
    pack_constant(l, s, 6, "feature channels", c, blocks_of(p->filters) * sizeof *c);
    pack_constant(l, s, 7, "outputs", out, sizeof *out);
    pack_scratch(l, s, 8, p->filters);
    return true;
}

/* ---- LSTM ---- */

static bool fits(const struct pack_row *row)
{
    struct mve_factor ignored;

    return make_factor(row->multiplier, row->shift, &ignored);
}

bool pack_mve_lstm(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_lstm *p = s->params;

    if (!pack_lstm_fits(l, s, fits))
        return false;
    for (unsigned span = 6; span < s->span_count; span += 3) {
        pack_rows(l, s, span, p->units, p->in_n, p->in_n, 1);
        pack_rows(l, s, span + 1, p->units, p->units, p->units, 1);
    }
    pack_lstm_biases(l, s, MVE_BLOCK);
    return true;
}

/* ---- ADD ---- */

bool pack_mve_add(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_binary *p = s->params;
    struct mve_add *add = pack_alloc(l, sizeof *add);
    uint32_t n;

    if (p->negative || p->left_shift != 20 || !pack_contiguous(p, &n) ||
        !make_factor(p->a_multiplier, p->a_shift, &add->a) ||
        !make_factor(p->b_multiplier, p->b_shift, &add->b) ||
        !make_factor(p->out_multiplier, p->out_shift, &add->out))
        return false;
    struct kernel_binary *flat = pack_params(l, s);
    flat->rank = 1;
    flat->dims[0] = n;
    flat->a_strides[0] = flat->b_strides[0] = 1;
    pack_constant(l, s, 3, "add", add, sizeof *add);
    return true;
}

/* ---- pools: parameters and spans are those of the reference ---- */

bool pack_mve_average_pool(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_pool *p = s->params;

    return (uint32_t)p->filter_h * p->filter_w <= 255; /* sums of 16 bits */
}

bool pack_mve_max_pool(struct nn_lower *l, struct nn_step *s)
{
    return true;
}
