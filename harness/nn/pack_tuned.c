/* What the kernels in agents/kernels/tuned read; the layouts are described there. */
#include <string.h>

#include "agents/kernels/tuned/add.h"
#include "harness/nn/pack.h"

/* An output channel as the reference has it. */
struct source {
    int32_t bias, multiplier, shift;
    const int8_t *weights; /* of this channel */
    size_t n, stride;
};

/* The largest sum, and the shift, decide whether tuned_scale() is exact. */
static bool make_channel(const struct source *s, int32_t in_offset, int32_t weights_offset,
                         int32_t out_offset, struct tuned_channel *ret)
{
    int64_t sum = 0, magnitude = 0;
    int32_t n = -s->shift;

    for (size_t i = 0; i < s->n; i++) {
        int32_t w = s->weights[i * s->stride] + weights_offset;
        sum += w;
        magnitude += w < 0 ? -w : w;
    }
    int64_t bias = (int64_t)s->bias + in_offset * sum;
    if (magnitude * 256 + (bias < 0 ? -bias : bias) >= TUNED_SUM_LIMIT || s->multiplier < 0)
        return false;
    if (s->multiplier == 0) /* whatever the shift is */
        n = 1;
    if (n < 1 || n > TUNED_MAX_SHIFT)
        return false;
    ret->bias = (int32_t)bias;
    ret->multiplier = s->multiplier;
    ret->rounding = (1 << n) + 1 + out_offset * (1 << (n + 1));
    ret->shift = (int32_t)sum * 256 + n + 1;
    return true;
}

/* Rows of k weights, the elements of a row `stride` apart, as blocks [k][4] with 128 added. */
static const uint8_t *make_blocks(struct nn_lower *l, const int8_t *weights, size_t out_c, size_t k,
                                  size_t row, size_t stride, size_t *ret_size)
{
    size_t size = (out_c + TUNED_BLOCK - 1) / TUNED_BLOCK * TUNED_BLOCK * k;
    uint8_t *blocks = pack_alloc(l, size);

    memset(blocks, 128, size);
    for (size_t c = 0; c < out_c; c++) {
        uint8_t *block = blocks + c / TUNED_BLOCK * TUNED_BLOCK * k + c % TUNED_BLOCK;
        for (size_t i = 0; i < k; i++)
            block[i * TUNED_BLOCK] = (uint8_t)(weights[c * row + i * stride] + 128);
    }
    *ret_size = size;
    return blocks;
}

/* ---- convolutions ---- */

/* Records for `channels` (a whole number of blocks); those beyond out_c stay zero. */
static struct tuned_channel *conv_channels(struct nn_lower *l, const struct nn_step *s, size_t k,
                                           size_t row, size_t stride, size_t channels)
{
    const struct kernel_conv *p = s->params;
    const struct kernel_channel *plain = pack_data(l, s, 3);
    const int8_t *weights = pack_data(l, s, 2);
    struct tuned_channel *ret = pack_alloc(l, channels * sizeof *ret);

    if (!plain || !weights)
        return NULL;
    for (size_t c = 0; c < p->out_c; c++) {
        const struct source source = {
            plain[c].bias, plain[c].multiplier, plain[c].shift, weights + c * row, k, stride};
        if (!make_channel(&source, p->in_offset, 0, p->out_offset, &ret[c]))
            return NULL;
    }
    return ret;
}

/* A step whose weights of output channel c are the k elements from c * row on, `stride` apart. */
static bool pack_rows(struct nn_lower *l, struct nn_step *s, size_t row, size_t stride)
{
    const struct kernel_conv *p = s->params;
    size_t k = (size_t)p->filter_h * p->filter_w * p->in_c;
    size_t channels = (p->out_c + TUNED_BLOCK - 1) / TUNED_BLOCK * TUNED_BLOCK, size;
    const struct tuned_channel *c = conv_channels(l, s, k, row, stride, channels);

    if (!c || k > 0xffff)
        return false;
    const uint8_t *blocks = make_blocks(l, pack_data(l, s, 2), p->out_c, k, row, stride, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
    pack_constant(l, s, 3, "channels", c, channels * sizeof *c);
    pack_scratch(l, s, 4, TUNED_CONV_SCRATCH(k));
    return true;
}

bool pack_tuned_conv(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    size_t k = (size_t)p->filter_h * p->filter_w * p->in_c;

    return p->filter_c == p->in_c && pack_rows(l, s, k, 1);
}

bool pack_tuned_depthwise(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    size_t taps = (size_t)p->filter_h * p->filter_w;

    if (p->in_c == 1 && p->out_c > 1) { /* each output channel reads all inputs: a convolution */
        if (!pack_rows(l, s, 1, p->out_c))
            return false;
        s->kind = KERNEL_CONV_S8;
        return true;
    }
    const struct tuned_channel *c = conv_channels(l, s, taps, 1, p->out_c, p->out_c);
    if (!c)
        return false;
    int8_t *rows = pack_alloc(l, taps * p->out_c);
    for (size_t i = 0; i < p->out_c; i++) {
        for (size_t t = 0; t < taps; t++)
            rows[i * taps + t] = weights[t * p->out_c + i];
    }
    pack_constant(l, s, 2, "weights", rows, taps * p->out_c);
    pack_constant(l, s, 3, "channels", c, p->out_c * sizeof *c);
    pack_scratch(l, s, 4, taps * p->in_c);
    return true;
}

/* ---- FULLY_CONNECTED ---- */

bool pack_tuned_fully_connected(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    const int32_t *biases = pack_data(l, s, 3);
    const struct kernel_channel *plain = pack_data(l, s, 3);
    size_t channels = ((size_t)p->out_n + TUNED_BLOCK - 1) / TUNED_BLOCK * TUNED_BLOCK, size;
    struct tuned_channel *c = pack_alloc(l, channels * sizeof *c);

    if (!weights || !biases || p->in_n == 0 || p->in_n > 0xffffff)
        return false;
    for (size_t i = 0; i < p->out_n; i++) {
        struct source source = {.weights = weights + i * p->in_n, .n = p->in_n, .stride = 1};
        source.bias = p->per_channel ? plain[i].bias : biases[i];
        source.multiplier = p->per_channel ? plain[i].multiplier : p->multiplier;
        source.shift = p->per_channel ? plain[i].shift : p->shift;
        if (!make_channel(&source, p->in_offset, p->weights_offset, p->out_offset, &c[i]))
            return false;
    }
    const uint8_t *blocks = make_blocks(l, weights, p->out_n, p->in_n, p->in_n, 1, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
    pack_constant(l, s, 3, "channels", c, channels * sizeof *c);
    return true;
}

/* ---- LSTM ---- */

/* One factor for the sums of all units; weights [units][n]. */
static bool gate_fits(int32_t multiplier, int32_t shift, const int32_t *bias, const int8_t *weights,
                      size_t units, size_t n)
{
    struct tuned_channel ignored;

    for (size_t u = 0; u < units; u++) {
        const struct source source = {bias[u], multiplier, shift, weights + u * n, n, 1};
        if (!make_channel(&source, 0, 0, 0, &ignored))
            return false;
    }
    return multiplier != 0;
}

static bool lstm_fits(const struct nn_lower *l, const struct nn_step *s)
{
    const struct kernel_lstm *p = s->params;

    if (p->in_n == 0 || p->in_n > 0xffff || p->units > 0xffff)
        return false;
    for (unsigned g = 0; g < 4; g++) {
        const int8_t *in = pack_data(l, s, 6 + 3 * g), *hidden = pack_data(l, s, 7 + 3 * g);
        const int32_t *bias = pack_data(l, s, 8 + 3 * g);
        if (!in || !hidden || !bias ||
            !gate_fits(p->in_multiplier[g], p->in_shift[g], bias, in, p->units, p->in_n) ||
            !gate_fits(p->hidden_multiplier[g], p->hidden_shift[g], bias + p->units, hidden,
                       p->units, p->units))
            return false;
    }
    return true;
}

bool pack_tuned_lstm(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_lstm *p = s->params;
    size_t padded = ((size_t)p->units + TUNED_BLOCK - 1) / TUNED_BLOCK * TUNED_BLOCK, size;

    if (!lstm_fits(l, s))
        return false;
    for (unsigned span = 6; span < s->span_count; span += 3) {
        const int32_t *plain = pack_data(l, s, span + 2);
        int32_t *bias = pack_alloc(l, 2 * padded * sizeof *bias);
        memcpy(bias, plain, p->units * sizeof *bias);
        memcpy(bias + padded, plain + p->units, p->units * sizeof *bias);
        const void *w = make_blocks(l, pack_data(l, s, span), p->units, p->in_n, p->in_n, 1, &size);
        pack_constant(l, s, span, "gate weights", w, size);
        w = make_blocks(l, pack_data(l, s, span + 1), p->units, p->units, p->units, 1, &size);
        pack_constant(l, s, span + 1, "gate weights", w, size);
        pack_constant(l, s, span + 2, "gate bias", bias, 2 * padded * sizeof *bias);
    }
    return true;
}

/* ---- ADD ---- */

static bool make_operand(int32_t offset, int32_t multiplier, int32_t shift,
                         struct tuned_operand *ret)
{
    if (multiplier < 0 || shift > 0 || shift < -TUNED_MAX_SHIFT || offset < -128 || offset > 128)
        return false;
    *ret = (struct tuned_operand){.offset = offset,
                                  .high = multiplier >> 11,
                                  .low = multiplier & 0x7ff,
                                  .half = shift ? 1 << (-shift - 1) : 0,
                                  .ties = shift ? -1 : 0,
                                  .shift = -shift};
    return true;
}

bool pack_tuned_add(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_binary *p = s->params;
    struct tuned_add *add = pack_alloc(l, sizeof *add);
    const struct source out = {.multiplier = p->out_multiplier, .shift = p->out_shift};
    uint32_t n;

    if (p->negative || p->left_shift != 20 || !pack_contiguous(p, &n) ||
        !make_operand(p->a_offset, p->a_multiplier, p->a_shift, &add->a) ||
        !make_operand(p->b_offset, p->b_multiplier, p->b_shift, &add->b) ||
        !make_channel(&out, 0, 0, p->out_offset, &add->out))
        return false;
    struct kernel_binary *flat = pack_params(l, s);
    flat->rank = 1;
    flat->dims[0] = n;
    flat->a_strides[0] = flat->b_strides[0] = 1;
    pack_constant(l, s, 3, "add", add, sizeof *add);
    return true;
}
