/* CONV_2D, int8, per-channel: reference_integer_ops::ConvPerChannel. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* Sum over one filter window; what lies outside the input adds nothing. */
static int32_t window_sum(const struct kernel_conv *p, const int8_t *in, const int8_t *weights,
                          int32_t top, int32_t left)
{
    int32_t sum = 0;

    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        int32_t y = top + fy * p->dilation_h;
        for (int32_t fx = 0; fx < p->filter_w; fx++, weights += p->filter_c) {
            int32_t x = left + fx * p->dilation_w;
            if (y < 0 || y >= p->in_h || x < 0 || x >= p->in_w)
                continue;
            const int8_t *pixel = in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
            for (uint32_t c = 0; c < p->filter_c; c++)
                sum = arith_add(sum, (pixel[c] + (int32_t)p->in_offset) * weights[c]);
        }
    }
    return sum;
}

void ref_conv_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const int8_t *weights = at[2];
    const struct kernel_channel *channels = at[3];
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w * p->filter_c;
    uint32_t group = p->out_c / (p->in_c / p->filter_c); /* output channels of one group */

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            int32_t top = (int32_t)(pixel / p->out_w) * p->stride_h - p->pad_top;
            int32_t left = (int32_t)(pixel % p->out_w) * p->stride_w - p->pad_left;
            for (uint32_t c = 0; c < p->out_c; c++) {
                int32_t sum =
                    window_sum(p, in + c / group * p->filter_c, weights + c * filter, top, left);
                sum = arith_requantize(arith_add(sum, channels[c].bias), channels[c].multiplier,
                                       channels[c].shift);
                *out++ = (int8_t)arith_clamp(arith_add(sum, p->out_offset), p->act_min, p->act_max);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

/* Sizes of everything but the weights; also what keeps the coordinates above within 32 bits. */
bool conv_images_fit(const struct kernel_conv *p, const struct kernel_span *spans)
{
    return check_product(p->filter_h, p->dilation_h) < 0x8000 &&
           check_product(p->filter_w, p->dilation_w) < 0x8000 &&
           check_product(p->out_h, p->stride_h) < 0x40000000 &&
           check_product(p->out_w, p->stride_w) < 0x40000000 &&
           check_holds(&spans[0], p->batches, (uint32_t)p->in_h * p->in_w, p->in_c, 1) &&
           check_holds(&spans[1], p->batches, (uint32_t)p->out_h * p->out_w, p->out_c, 1);
}

bool conv_shapes_fit(const struct kernel_conv *p, const struct kernel_span *spans)
{
    return conv_images_fit(p, spans) &&
           check_holds(&spans[3], p->out_c, 1, 1, sizeof(struct kernel_channel));
}

bool ref_conv_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w;

    if (p->filter_c == 0 || p->in_c == 0 || p->in_c % p->filter_c ||
        p->out_c % (p->in_c / p->filter_c))
        return false;
    return conv_shapes_fit(p, spans) && check_holds(&spans[2], p->out_c, filter, p->filter_c, 1);
}
