/* float32: convolutions, FULLY_CONNECTED and pools. */
#include "agents/kernels/check.h"
#include "agents/kernels/ref/float.h"
#include "agents/kernels/ref/ref.h"

#if KERNELS_FLOAT

/* Rows and columns of a window's taps that lie inside the image. */
struct taps {
    int32_t y0, x0;              /* of tap 0, 0 */
    uint32_t fy0, fy1, fx0, fx1; /* taps [fy0, fy1) x [fx0, fx1) */
};

/* Taps [*from, *to) of n, `dilation` apart from `start` on, lie in [0, size). */
static void clip(int32_t start, uint32_t n, uint32_t dilation, uint32_t size, uint32_t *from,
                 uint32_t *to)
{
    uint32_t first = 0, end = n;

    while (first < n && start + (int32_t)(first * dilation) < 0)
        first++;
    while (end > first && start + (int32_t)((end - 1) * dilation) >= (int32_t)size)
        end--;
    *from = first;
    *to = end;
}

static struct taps taps_at(const struct kernel_conv *p, uint32_t out_y, uint32_t out_x)
{
    struct taps t = {.y0 = (int32_t)(out_y * p->stride_h) - p->pad_top,
                     .x0 = (int32_t)(out_x * p->stride_w) - p->pad_left};

    clip(t.y0, p->filter_h, p->dilation_h, p->in_h, &t.fy0, &t.fy1);
    clip(t.x0, p->filter_w, p->dilation_w, p->in_w, &t.fx0, &t.fx1);
    return t;
}

/* The pixel under tap fy, fx. */
static const float *pixel_at(const struct kernel_conv *p, const struct taps *t, const float *in,
                             uint32_t fy, uint32_t fx)
{
    uint32_t y = (uint32_t)(t->y0 + (int32_t)(fy * p->dilation_h));
    uint32_t x = (uint32_t)(t->x0 + (int32_t)(fx * p->dilation_w));

    return in + (y * p->in_w + x) * p->in_c;
}

static float conv_sum(const struct kernel_conv *p, const struct taps *t, const float *in,
                      const float *weights)
{
    float sum = 0;

    for (uint32_t fy = t->fy0; fy < t->fy1; fy++) {
        for (uint32_t fx = t->fx0; fx < t->fx1; fx++) {
            const float *x = pixel_at(p, t, in, fy, fx);
            const float *w = weights + (fy * p->filter_w + fx) * p->filter_c;
            for (uint32_t c = 0; c < p->filter_c; c++)
                sum += x[c] * w[c];
        }
    }
    return sum;
}

static float depthwise_sum(const struct kernel_conv *p, const struct taps *t, const float *in,
                           const float *weights)
{
    float sum = 0;

    for (uint32_t fy = t->fy0; fy < t->fy1; fy++) {
        for (uint32_t fx = t->fx0; fx < t->fx1; fx++)
            sum += *pixel_at(p, t, in, fy, fx) * weights[(fy * p->filter_w + fx) * p->out_c];
    }
    return sum;
}

void ref_conv_f32(const void *params, void *const *at)
{
    const struct kernel_conv_f32 *f = params;
    const struct kernel_conv *p = &f->shape;
    const float *in = at[0], *weights = at[2], *bias = at[3];
    float *out = at[1];
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w * p->filter_c;
    uint32_t group = p->out_c / (p->in_c / p->filter_c);

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            struct taps t = taps_at(p, pixel / p->out_w, pixel % p->out_w);
            for (uint32_t c = 0; c < p->out_c; c++) {
                float sum = conv_sum(p, &t, in + c / group * p->filter_c, weights + c * filter);
                *out++ = float_clamp(sum + bias[c], f->act_min, f->act_max);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

void ref_depthwise_f32(const void *params, void *const *at)
{
    const struct kernel_conv_f32 *f = params;
    const struct kernel_conv *p = &f->shape;
    const float *in = at[0], *weights = at[2], *bias = at[3];
    float *out = at[1];
    uint32_t multiplier = p->out_c / p->in_c;

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            struct taps t = taps_at(p, pixel / p->out_w, pixel % p->out_w);
            for (uint32_t c = 0; c < p->out_c; c++) {
                float sum = depthwise_sum(p, &t, in + c / multiplier, weights + c);
                *out++ = float_clamp(sum + bias[c], f->act_min, f->act_max);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

void ref_fully_connected_f32(const void *params, void *const *at)
{
    const struct kernel_fully_connected_f32 *p = params;
    const float *in = at[0], *bias = at[3];
    float *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n) {
        const float *w = at[2];
        for (uint32_t o = 0; o < p->out_n; o++, w += p->in_n) {
            float sum = 0;
            for (uint32_t i = 0; i < p->in_n; i++)
                sum += in[i] * w[i];
            *out++ = float_clamp(sum + bias[o], p->act_min, p->act_max);
        }
    }
}

/* ---- pools ---- */

static float pool_window(const struct kernel_pool_f32 *f, const float *in, uint32_t out_y,
                         uint32_t out_x)
{
    const struct kernel_pool *p = &f->shape;
    int32_t y0 = (int32_t)(out_y * p->stride_h) - p->pad_top;
    int32_t x0 = (int32_t)(out_x * p->stride_w) - p->pad_left;
    int32_t y1 = y0 + p->filter_h < p->in_h ? y0 + p->filter_h : p->in_h;
    int32_t x1 = x0 + p->filter_w < p->in_w ? x0 + p->filter_w : p->in_w;
    float sum = 0, max = -FLOAT_MAX;
    uint32_t n = 0;

    for (int32_t y = y0 > 0 ? y0 : 0; y < y1; y++) {
        for (int32_t x = x0 > 0 ? x0 : 0; x < x1; x++) {
            float v = in[((uint32_t)y * p->in_w + (uint32_t)x) * p->c];
            sum += v;
            max = v > max ? v : max;
            n++;
        }
    }
    if (f->max)
        return max;
    return n ? sum / (float)n : 0;
}

void ref_pool_f32(const void *params, void *const *at)
{
    const struct kernel_pool_f32 *f = params;
    const struct kernel_pool *p = &f->shape;
    const float *in = at[0];
    float *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            for (uint32_t c = 0; c < p->c; c++)
                *out++ = float_clamp(pool_window(f, in + c, pixel / p->out_w, pixel % p->out_w),
                                     f->act_min, f->act_max);
        }
        in += (uint32_t)p->in_h * p->in_w * p->c;
    }
}

/* ---- checks ---- */

bool float_images_fit(const struct kernel_conv *p, const struct kernel_span *spans)
{
    return check_product(p->filter_h, p->dilation_h) < 0x8000 &&
           check_product(p->filter_w, p->dilation_w) < 0x8000 &&
           check_product(p->out_h, p->stride_h) < 0x40000000 &&
           check_product(p->out_w, p->stride_w) < 0x40000000 &&
           check_holds(&spans[0], p->batches, (uint32_t)p->in_h * p->in_w, p->in_c, 4) &&
           check_holds(&spans[1], p->batches, (uint32_t)p->out_h * p->out_w, p->out_c, 4) &&
           check_holds(&spans[3], p->out_c, 1, 1, 4);
}

bool ref_conv_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = &((const struct kernel_conv_f32 *)params)->shape;
    uint32_t filter = (uint32_t)p->filter_h * p->filter_w;

    if (p->filter_c == 0 || p->in_c == 0 || p->in_c % p->filter_c ||
        p->out_c % (p->in_c / p->filter_c))
        return false;
    return float_images_fit(p, spans) &&
           check_holds(&spans[2], p->out_c, filter, p->filter_c, sizeof(float));
}

bool ref_depthwise_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = &((const struct kernel_conv_f32 *)params)->shape;

    return p->in_c != 0 && p->out_c >= p->in_c && p->out_c % p->in_c == 0 &&
           float_images_fit(p, spans) &&
           check_holds(&spans[2], p->filter_h, p->filter_w, p->out_c, sizeof(float));
}

bool ref_fully_connected_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected_f32 *p = params;

    return check_holds(&spans[0], p->batches, p->in_n, 1, sizeof(float)) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, sizeof(float)) &&
           check_holds(&spans[2], p->out_n, p->in_n, 1, sizeof(float)) &&
           check_holds(&spans[3], p->out_n, 1, 1, sizeof(float));
}

bool ref_pool_f32_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_pool *p = &((const struct kernel_pool_f32 *)params)->shape;

    return check_product(p->out_h, p->stride_h) < 0x40000000 &&
           check_product(p->out_w, p->stride_w) < 0x40000000 &&
           check_holds(&spans[0], p->batches, (uint32_t)p->in_h * p->in_w, p->c, sizeof(float)) &&
           check_holds(&spans[1], p->batches, (uint32_t)p->out_h * p->out_w, p->c, sizeof(float));
}

#endif
