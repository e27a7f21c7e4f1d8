/*
 * Convolutions and fully connected layers of int16 activations and int8 weights ("int16x8"):
 * reference_integer_ops::...PerChannel with 64-bit sums, or 32-bit ones when the bias has 32 bits.
 */
#include "agents/kernels/wide.h"

#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* Products of `n` channels at each tap inside the image; a tap's weights are `step` apart. */
static int64_t window_sum(const struct kernel_conv *p, const int16_t *in, const int8_t *weights,
                          const int32_t corner[2], uint32_t n, uint32_t step)
{
    int64_t sum = 0;

    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        int32_t y = corner[0] + fy * p->dilation_h;
        for (int32_t fx = 0; fx < p->filter_w; fx++, weights += step) {
            int32_t x = corner[1] + fx * p->dilation_w;
            if (y < 0 || y >= p->in_h || x < 0 || x >= p->in_w)
                continue;
            const int16_t *pixel = in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
            for (uint32_t c = 0; c < n; c++)
                sum += (pixel[c] + (int32_t)p->in_offset) * weights[c];
        }
    }
    return sum;
}

static void convolve(const struct kernel_conv *p, void *const *at, bool depthwise)
{
    const int16_t *in = at[0];
    int16_t *out = at[1];
    const int8_t *weights = at[2];
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w * p->filter_c;
    uint32_t group = depthwise ? p->out_c / p->in_c : p->out_c / (p->in_c / p->filter_c);

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            int32_t corner[] = {(int32_t)(pixel / p->out_w) * p->stride_h - p->pad_top,
                                (int32_t)(pixel % p->out_w) * p->stride_w - p->pad_left};
            for (uint32_t c = 0; c < p->out_c; c++) {
                int64_t sum =
                    depthwise ? window_sum(p, in + c / group, weights + c, corner, 1, p->out_c)
                              : window_sum(p, in + c / group * p->filter_c, weights + c * filter,
                                           corner, p->filter_c, p->filter_c);
                *out++ = wide_finish(p, sum, at[3], c);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

void ref_conv_s16(const void *params, void *const *at)
{
    convolve(params, at, false);
}

void ref_depthwise_s16(const void *params, void *const *at)
{
    convolve(params, at, true);
}

static uint32_t channel_size(bool wide)
{
    return wide ? sizeof(struct kernel_channel_wide) : sizeof(struct kernel_channel);
}

/* The common checks, on spans scaled to bytes. */
static bool shapes_fit(const struct kernel_conv *p, const struct kernel_span *spans)
{
    struct kernel_span half[4] = {spans[0], spans[1], spans[2], spans[3]};

    half[0].size /= 2;
    half[1].size /= 2;
    return check_aligned(&spans[0], 2) && check_aligned(&spans[1], 2) &&
           check_aligned(&spans[3], p->wide ? 8 : 4) && conv_shapes_fit(p, half) &&
           check_product(p->out_c, channel_size(p->wide)) <= spans[3].size;
}

bool ref_conv_s16_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w;

    if (p->filter_c == 0 || p->in_c == 0 || p->in_c % p->filter_c ||
        p->out_c % (p->in_c / p->filter_c))
        return false;
    return shapes_fit(p, spans) && check_holds(&spans[2], p->out_c, filter, p->filter_c, 1);
}

bool ref_depthwise_s16_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;

    return p->in_c != 0 && p->out_c >= p->in_c && p->out_c % p->in_c == 0 && shapes_fit(p, spans) &&
           check_holds(&spans[2], p->filter_h, p->filter_w, p->out_c, 1);
}

void ref_fully_connected_s16(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const struct kernel_conv end = wide_end(p);
    const int16_t *in = at[0];
    int16_t *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n) {
        const int8_t *w = at[2];
        for (uint32_t c = 0; c < p->out_n; c++) {
            int64_t sum = 0;
            for (uint32_t i = 0; i < p->in_n; i++)
                sum += (in[i] + (int32_t)p->in_offset) * (*w++ + p->weights_offset);
            *out++ = wide_finish(&end, sum, at[3], c);
        }
    }
}

bool ref_fully_connected_s16_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;

    return p->weights_offset >= -128 && p->weights_offset <= 128 && /* products stay below 2^31 */
           check_holds(&spans[0], p->batches, p->in_n, 1, 2) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, 2) &&
           check_holds(&spans[2], p->out_n, p->in_n, 1, 1) &&
           check_aligned(&spans[3], p->wide ? 8 : 4) &&
           check_product(p->out_n, channel_size(p->wide)) <= spans[3].size;
}
