/* What the kernels in agents/kernels/tuned read; the layouts are described there. */
#include <string.h>

#include "agents/kernels/arith.h"
#include "agents/kernels/tuned/add.h"
#include "agents/kernels/tuned/svdf.h"
#include "harness/nn/pack.h"

/* Sum and sum of magnitudes of a row's weights. */
static int64_t add_up(const struct pack_row *s, int32_t weights_offset, int64_t *ret_magnitude)
{
    int64_t sum = 0;

    *ret_magnitude = 0;
    for (size_t i = 0; i < s->n; i++) {
        int32_t w = s->weights[i * s->stride] + weights_offset;
        sum += w;
        *ret_magnitude += w < 0 ? -w : w;
    }
    return sum;
}

/* The largest sum, and the shift, decide whether tuned_scale() is exact. */
static bool make_channel(const struct pack_row *s, int32_t in_offset, int32_t weights_offset,
                         int32_t out_offset, struct tuned_channel *ret)
{
    int64_t magnitude, sum = add_up(s, weights_offset, &magnitude);
    int64_t bias = (int64_t)s->bias + in_offset * sum;
    int32_t n = s->multiplier ? -s->shift : 1; /* whatever the shift is */

    if (magnitude * 256 + (bias < 0 ? -bias : bias) >= TUNED_SUM_LIMIT || s->multiplier < 0 ||
        n < 1 || n > TUNED_MAX_SHIFT)
        return false;
    ret->bias = (int32_t)bias;
    ret->multiplier = s->multiplier;
    ret->rounding = (1 << n) + 1 + out_offset * (1 << (n + 1));
    ret->shift = (int32_t)sum * 256 + n + 1;
    return true;
}

/* The output for a sum whose shift is not to the left, in the range of int8. */
static int32_t output_of(const struct pack_row *s, int64_t sum, int32_t out_offset)
{
    int64_t v = (int64_t)arith_requantize((int32_t)sum, s->multiplier, s->shift) + out_offset;

    return (int32_t)(v < INT8_MIN ? INT8_MIN : v > INT8_MAX ? INT8_MAX : v);
}

/*
 * A bias that no inputs outweigh: if the least and the largest sum have the same output then so has
 * every other, as none of the steps between falls. Its record has that output for any sum.
 */
static bool make_constant_channel(const struct pack_row *s, int32_t in_offset,
                                  int32_t weights_offset, int32_t out_offset,
                                  struct tuned_channel *ret)
{
    int64_t magnitude, sum = add_up(s, weights_offset, &magnitude);
    int64_t bias = (int64_t)s->bias + in_offset * sum, reach = magnitude * 128;

    if (s->multiplier < 0 || s->shift > 0 || s->shift < -31 || bias - reach < INT32_MIN ||
        bias + reach > INT32_MAX)
        return false; /* sums may wrap around, or outputs fall */
    int32_t v = output_of(s, bias - reach, out_offset);
    if (v != output_of(s, bias + reach, out_offset))
        return false;
    ret->bias = ret->multiplier = 0;
    ret->rounding = (1 << 1) + 1 + v * (1 << 2);
    ret->shift = (int32_t)((uint32_t)sum << 8 | 2);
    return true;
}

/* What the rows of an operator share. */
struct offsets {
    int32_t in, weights, out;
};

/* For any sum; with a multiplier of 0 the shift does not matter. */
static enum tuned_scales make_any_channels(const struct pack_row *rows, size_t n,
                                           const struct offsets *o, struct tuned_channel *ret)
{
    enum tuned_scales scales = TUNED_RIGHT;

    for (size_t i = 0; i < n; i++) {
        int64_t magnitude, sum = add_up(&rows[i], o->weights, &magnitude);
        int32_t shift = rows[i].multiplier ? rows[i].shift : -1;
        ret[i].bias = (int32_t)(rows[i].bias + o->in * sum); /* wraps, as the kernel's sums do */
        ret[i].multiplier = rows[i].multiplier;
        ret[i].rounding = o->out;
        ret[i].shift = (int32_t)((uint32_t)sum << 8 | (uint8_t)shift);
        if (shift >= 0 || rows[i].multiplier < 0)
            scales = TUNED_ANY;
    }
    return scales;
}

/* Records for n rows; says of which scales they are. */
static enum tuned_scales make_channels(const struct pack_row *rows, size_t n,
                                       const struct offsets *o, struct tuned_channel *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (!make_channel(&rows[i], o->in, o->weights, o->out, &ret[i]) &&
            !make_constant_channel(&rows[i], o->in, o->weights, o->out, &ret[i]))
            return make_any_channels(rows, n, o, ret);
    }
    return TUNED_SMALL;
}

static size_t padded(size_t channels)
{
    return (channels + TUNED_BLOCK - 1) / TUNED_BLOCK * TUNED_BLOCK;
}

/* Rows of k weights, the elements of a row `stride` apart, as blocks [k][4] with 128 added. */
static uint8_t *make_blocks(struct nn_lower *l, const int8_t *weights, size_t out_c, size_t k,
                            size_t row, size_t stride, size_t *ret_size)
{
    size_t size = padded(out_c) * k;
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

/* Sets span 3, and what its scales are. */
static void pack_channels(struct nn_lower *l, struct nn_step *s, size_t k, size_t row,
                          size_t stride)
{
    struct kernel_conv *p = pack_params(l, s);
    const struct kernel_channel *plain = pack_data(l, s, 3);
    const int8_t *weights = pack_data(l, s, 2);
    const struct offsets offsets = {p->in_offset, 0, p->out_offset};
    struct pack_row *rows = pack_alloc(l, p->out_c * sizeof *rows);
    struct tuned_channel *c = pack_alloc(l, padded(p->out_c) * sizeof *c);

    for (size_t i = 0; i < p->out_c; i++)
        rows[i] = (struct pack_row){
            plain[i].bias, plain[i].multiplier, plain[i].shift, weights + i * row, k, stride};
    p->wide = make_channels(rows, p->out_c, &offsets, c);
    pack_constant(l, s, 3, "channels", c, padded(p->out_c) * sizeof *c);
}

/* A step whose weights of output channel c are the k elements from c * row on, `stride` apart. */
static bool pack_rows(struct nn_lower *l, struct nn_step *s, size_t row, size_t stride)
{
    const struct kernel_conv *p = s->params;
    size_t k = (size_t)p->filter_h * p->filter_w * p->in_c, size;

    if (!pack_data(l, s, 2) || !pack_data(l, s, 3) || k > 0xffff)
        return false;
    pack_channels(l, s, k, row, stride);
    const uint8_t *blocks = make_blocks(l, pack_data(l, s, 2), p->out_c, k, row, stride, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
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
    if (!weights || !pack_data(l, s, 3))
        return false;
    int8_t *rows = pack_alloc(l, taps * p->out_c);
    for (size_t i = 0; i < p->out_c; i++) {
        for (size_t t = 0; t < taps; t++)
            rows[i * taps + t] = weights[t * p->out_c + i];
    }
    pack_channels(l, s, taps, 1, p->out_c);
    pack_constant(l, s, 2, "weights", rows, taps * p->out_c);
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
    const struct offsets offsets = {p->in_offset, p->weights_offset, p->out_offset};
    struct pack_row *rows = pack_alloc(l, p->out_n * sizeof *rows);
    struct tuned_channel *c = pack_alloc(l, padded(p->out_n) * sizeof *c);
    size_t size;

    if (!weights || !biases || p->in_n == 0 || p->in_n > 0xffffff)
        return false;
    for (size_t i = 0; i < p->out_n; i++) {
        rows[i] = (struct pack_row){.weights = weights + i * p->in_n, .n = p->in_n, .stride = 1};
        rows[i].bias = p->per_channel ? plain[i].bias : biases[i];
        rows[i].multiplier = p->per_channel ? plain[i].multiplier : p->multiplier;
        rows[i].shift = p->per_channel ? plain[i].shift : p->shift;
    }
    struct kernel_fully_connected *q = pack_params(l, s);
    q->wide = make_channels(rows, p->out_n, &offsets, c);
    const uint8_t *blocks = make_blocks(l, weights, p->out_n, p->in_n, p->in_n, 1, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
    pack_constant(l, s, 3, "channels", c, padded(p->out_n) * sizeof *c);
    return true;
}

/* ---- SVDF ---- */

/* `count` rows of n weights each, with one factor; their sums' offset is folded in, `plain` too. */
static struct pack_row *rows_of(struct nn_lower *l, const int8_t *weights, size_t count, size_t n,
                                int32_t multiplier, int32_t shift)
{
    struct pack_row *rows = pack_alloc(l, count * sizeof *rows);

    for (size_t i = 0; i < count; i++)
        rows[i] = (struct pack_row){0, multiplier, shift, weights + i * n, n, 1};
    return rows;
}

/* The outputs' records; says of which scales they are. */
static enum tuned_scales pack_svdf_outputs(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_svdf *p = s->params;
    const int32_t *plain = pack_data(l, s, 4);
    size_t units = p->filters / p->rank, taps = (size_t)p->rank * p->memory;
    const struct offsets offsets = {-p->state_zero, 0, p->out_zero};
    struct pack_row *rows =
        rows_of(l, pack_data(l, s, 3), units, taps, p->out_multiplier, p->out_shift);
    struct tuned_channel *c = pack_alloc(l, units * sizeof *c);

    for (size_t i = 0; i < units; i++)
        rows[i].bias = plain[i];
    enum tuned_scales scales = make_channels(rows, units, &offsets, c);
    pack_constant(l, s, 4, "channels", c, units * sizeof *c);
    return scales;
}

/* Time weights as the state lies: blocks of four filters, what is left as it was. */
static void pack_svdf_times(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_svdf *p = s->params;
    const int8_t *plain = pack_data(l, s, 3);
    size_t memory = p->memory, n = tuned_svdf_blocks(p) * (size_t)TUNED_BLOCK * memory;
    int8_t *times = arena_dup(l->arena, plain, p->filters * memory);

    for (size_t i = 0; i < n; i++) {
        size_t filter = i / memory;
        times[filter / TUNED_BLOCK * TUNED_BLOCK * memory + i % memory * TUNED_BLOCK +
              filter % TUNED_BLOCK] = plain[i];
    }
    pack_constant(l, s, 3, "time weights", times, p->filters * memory);
}

bool pack_tuned_svdf(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_svdf *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    const struct offsets offsets = {p->in_offset, 0, p->state_zero};
    struct tuned_channel *c = pack_alloc(l, padded(p->filters) * sizeof *c);
    struct tuned_svdf *out = pack_alloc(l, sizeof *out);
    size_t size;

    if (!weights || !pack_data(l, s, 3) || !pack_data(l, s, 4) || p->state_type != KERNEL_S8 ||
        !pack_own_state(l, s, 5) || p->filters == 0 || p->filters % p->rank || p->in_n == 0 ||
        p->in_n > 0xffffff)
        return false;
    const struct pack_row *rows =
        rows_of(l, weights, p->filters, p->in_n, p->state_multiplier, p->state_shift);
    out->features = make_channels(rows, p->filters, &offsets, c);
    out->outputs = pack_svdf_outputs(l, s);
    pack_svdf_times(l, s);
    const uint8_t *blocks = make_blocks(l, weights, p->filters, p->in_n, p->in_n, 1, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
    pack_constant(l, s, 6, "feature channels", c, padded(p->filters) * sizeof *c);
    pack_constant(l, s, 7, "outputs", out, sizeof *out);
    pack_scratch(l, s, 8, (size_t)p->filters * 5 + TUNED_ROW * 4);
    return true;
}

/* ---- LSTM ---- */

static bool fits(const struct pack_row *row)
{
    struct tuned_channel ignored;

    return make_channel(row, 0, 0, 0, &ignored);
}

bool pack_tuned_lstm(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_lstm *p = s->params;
    size_t size;

    if (!pack_lstm_fits(l, s, fits))
        return false;
    for (unsigned span = 6; span < s->span_count; span += 3) {
        const void *w = make_blocks(l, pack_data(l, s, span), p->units, p->in_n, p->in_n, 1, &size);
        pack_constant(l, s, span, "gate weights", w, size);
        w = make_blocks(l, pack_data(l, s, span + 1), p->units, p->units, p->units, 1, &size);
        pack_constant(l, s, span + 1, "gate weights", w, size);
    }
    pack_lstm_biases(l, s, TUNED_BLOCK);
    pack_scratch(l, s, 5, TUNED_LSTM_SCRATCH(p->units));
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
    const struct pack_row out = {.multiplier = p->out_multiplier, .shift = p->out_shift};
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

/* ---- pools: parameters and spans are those of the reference ---- */

bool pack_tuned_pool(struct nn_lower *l, struct nn_step *s)
{
    return true;
}

/* ---- MEAN ---- */

/* Two dimensions that are walked as all of these are, in the same order; false: there are more. */
static bool make_two(uint32_t *dims, uint32_t *strides, uint8_t *rank)
{
    uint32_t two_dims[2] = {1, 1}, two_strides[2] = {0, 0};
    unsigned at = 2; /* the first of two that is taken */

    for (unsigned d = *rank; d-- > 0;) {
        if (dims[d] == 1)
            continue;
        if (at < 2 && strides[d] == two_dims[at] * two_strides[at]) {
            two_dims[at] *= dims[d];
            continue;
        }
        if (at == 0)
            return false;
        two_dims[--at] = dims[d];
        two_strides[at] = strides[d];
    }
    memcpy(dims, two_dims, sizeof two_dims);
    memcpy(strides, two_strides, sizeof two_strides);
    *rank = 2;
    return true;
}

bool pack_tuned_mean(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_reduce *plain = s->params;
    struct kernel_reduce p = *plain;

    if (p.type != KERNEL_S8 || !make_two(p.outer_dims, p.outer_strides, &p.outer_rank) ||
        !make_two(p.inner_dims, p.inner_strides, &p.inner_rank))
        return false;
    *(struct kernel_reduce *)pack_params(l, s) = p;
    return true;
}

/* ---- REQUANTIZE ---- */

bool pack_tuned_requantize(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_requantize *p = s->params;
    struct tuned_channel *c = pack_alloc(l, sizeof *c);

    if (p->in_type != KERNEL_S16 || p->out_type != KERNEL_S8 || p->in_zero < INT16_MIN ||
        p->in_zero > INT16_MAX)
        return false;
    const struct pack_row row = {-p->in_zero, p->multiplier, p->shift, NULL, 0, 1};
    if (!make_channel(&row, 0, 0, p->out_zero, c))
        return false;
    pack_constant(l, s, 2, "scale", c, sizeof *c);
    return true;
}

/* ---- int16 activations ---- */

/* Rows of k weights as blocks [k][4], as they are. */
static const uint8_t *signed_blocks(struct nn_lower *l, const int8_t *weights, size_t out_c,
                                    size_t k, size_t *ret_size)
{
    uint8_t *blocks = make_blocks(l, weights, out_c, k, k, 1, ret_size);

    for (size_t i = 0; i < *ret_size; i++)
        blocks[i] ^= 128;
    return blocks;
}

/* Do sums of 32 bits do for rows of n weights, `stride` apart? Sums that are not wide wrap anyway. */
static bool sums_are_narrow(bool wide, const int8_t *weights, size_t rows, size_t row, size_t n,
                            size_t stride)
{
    for (size_t c = 0; wide && c < rows; c++) {
        if (pack_sum_bound(0, weights + c * row, n, stride) / 128 > UINT16_MAX)
            return false;
    }
    return true;
}

bool pack_tuned_conv_s16(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    size_t k = (size_t)p->filter_h * p->filter_w * p->in_c, size;

    if (!weights || p->in_offset != 0 || p->filter_c != p->in_c || k > 0xffff ||
        !sums_are_narrow(p->wide, weights, p->out_c, k, k, 1))
        return false;
    const uint8_t *blocks = signed_blocks(l, weights, p->out_c, k, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
    pack_scratch(l, s, 4, 2 * k);
    return true;
}

bool pack_tuned_depthwise_s16(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);

    return weights && p->in_offset == 0 && p->in_c == p->out_c &&
           sums_are_narrow(p->wide, weights, p->out_c, 1, (size_t)p->filter_h * p->filter_w,
                           p->out_c);
}

bool pack_tuned_fully_connected_s16(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    size_t size;

    if (!weights || p->in_offset != 0 || p->weights_offset != 0 ||
        !sums_are_narrow(p->wide, weights, p->out_n, p->in_n, p->in_n, 1))
        return false;
    const uint8_t *blocks = signed_blocks(l, weights, p->out_n, p->in_n, &size);
    pack_constant(l, s, 2, "weights", blocks, size);
    return true;
}
