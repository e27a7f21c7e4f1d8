/*
 * TRANSPOSE_CONV, int8 and float32: reference_integer_ops::TransposeConv. There every input pixel adds to the
 * outputs it reaches, in a buffer of 32-bit sums; here every output gathers the same products, which
 * needs no buffer and gives the same integers.
 */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/float.h"
#include "agents/kernels/ref/ref.h"

/* The input place that tap `tap` brings to output place `out`, or -1. */
static int32_t source(int32_t out, int32_t pad, int32_t tap, int32_t stride, int32_t size)
{
    int32_t at = out + pad - tap;

    if (at < 0 || at % stride)
        return -1;
    return at / stride < size ? at / stride : -1;
}

static int32_t gather_sum(const struct kernel_conv *p, const int8_t *in, const int8_t *weights,
                          int32_t out_y, int32_t out_x)
{
    int32_t sum = 0;

    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        int32_t y = source(out_y, p->pad_top, fy, p->stride_h, p->in_h);
        for (int32_t fx = 0; fx < p->filter_w; fx++, weights += p->in_c) {
            int32_t x = source(out_x, p->pad_left, fx, p->stride_w, p->in_w);
            if (y < 0 || x < 0)
                continue;
            const int8_t *pixel = in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
            for (uint32_t c = 0; c < p->in_c; c++)
                sum = arith_add(sum, (pixel[c] + (int32_t)p->in_offset) * weights[c]);
        }
    }
    return sum;
}

void ref_transpose_conv_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const int8_t *weights = at[2];
    const struct kernel_channel *channels = at[3];
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w * p->in_c;

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            int32_t y = (int32_t)(pixel / p->out_w), x = (int32_t)(pixel % p->out_w);
            for (uint32_t c = 0; c < p->out_c; c++) {
                int32_t sum = gather_sum(p, in, weights + c * filter, y, x);
                sum = arith_requantize(arith_add(sum, channels[c].bias), channels[c].multiplier,
                                       channels[c].shift);
                *out++ = (int8_t)arith_clamp(arith_add(sum, p->out_offset), p->act_min, p->act_max);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool ref_transpose_conv_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w;

    return p->stride_h != 0 && p->stride_w != 0 && conv_shapes_fit(p, spans) &&
           check_holds(&spans[2], p->out_c, filter, p->in_c, 1);
}

#if KERNELS_FLOAT

static float gather_real(const struct kernel_conv *p, const float *in, const float *weights,
                         int32_t out_y, int32_t out_x)
{
    float sum = 0;

    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        int32_t y = source(out_y, p->pad_top, fy, p->stride_h, p->in_h);
        for (int32_t fx = 0; fx < p->filter_w; fx++, weights += p->in_c) {
            int32_t x = source(out_x, p->pad_left, fx, p->stride_w, p->in_w);
            if (y < 0 || x < 0)
                continue;
            const float *pixel = in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
            for (uint32_t c = 0; c < p->in_c; c++)
                sum += pixel[c] * weights[c];
        }
    }
    return sum;
}

void ref_transpose_conv_f32(const void *params, void *const *at)
{
    const struct kernel_conv_f32 *f = params;
    const struct kernel_conv *p = &f->shape;
    const float *in = at[0], *weights = at[2], *bias = at[3];
    float *out = at[1];
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w * p->in_c;

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            int32_t y = (int32_t)(pixel / p->out_w), x = (int32_t)(pixel % p->out_w);
            for (uint32_t c = 0; c < p->out_c; c++) {
                float sum = gather_real(p, in, weights + c * filter, y, x) + bias[c];
                *out++ = float_clamp(sum, f->act_min, f->act_max);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool ref_transpose_conv_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = &((const struct kernel_conv_f32 *)params)->shape;

    return p->stride_h != 0 && p->stride_w != 0 && float_images_fit(p, spans) &&
           check_holds(&spans[2], p->out_c, (uint32_t)p->filter_h * p->filter_w, p->in_c,
                       sizeof(float));
}

#endif
