/*
 * CONV_S16, DEPTHWISE_S16 and FULLY_CONNECTED_S16 with sums of 32 bits, which the host has shown to
 * be enough (or which wrap around as the reference's do), for inputs without a zero point.
 *
 * Spans: as for ref; but weights of CONV and FULLY_CONNECTED lie in blocks [k][4], one for each four
 * output channels, the last filled up with zeros, and CONV has scratch: int16_t [k]. Parameters:
 * CONV has one group, DEPTHWISE as many outputs as inputs.
 */
#include "agents/kernels/wide.h"

#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"
#include "agents/kernels/tuned/tuned.h"

static inline void step(uint32_t sums[4], int32_t x, const int8_t *w)
{
    sums[0] += (uint32_t)(x * w[0]);
    sums[1] += (uint32_t)(x * w[1]);
    sums[2] += (uint32_t)(x * w[2]);
    sums[3] += (uint32_t)(x * w[3]);
}

/* k inputs times weights from w on, for n channels of out. */
static void run_row(const struct kernel_conv *end, const int16_t *in, uint32_t k, const int8_t *w,
                    const void *channels, uint32_t n, int16_t *out)
{
    for (uint32_t c = 0; c < n; c += TUNED_BLOCK) {
        uint32_t sums[TUNED_BLOCK] = {0}, left = k;
        const int16_t *x = in;
        for (; left >= 4; left -= 4, x += 4, w += 4 * TUNED_BLOCK) {
            step(sums, x[0], w);
            step(sums, x[1], w + TUNED_BLOCK);
            step(sums, x[2], w + 2 * TUNED_BLOCK);
            step(sums, x[3], w + 3 * TUNED_BLOCK);
        }
        for (; left > 0; left--, w += TUNED_BLOCK)
            step(sums, *x++, w);
        for (uint32_t i = 0; i < TUNED_BLOCK && c + i < n; i++)
            *out++ = wide_finish(end, (int32_t)sums[i], channels, c + i);
    }
}

void tuned_fully_connected_s16(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const struct kernel_conv end = wide_end(p);
    const int16_t *in = at[0];
    int16_t *out = at[1];

    for (uint32_t b = 0; b < p->batches; b++, in += p->in_n, out += p->out_n)
        run_row(&end, in, p->in_n, at[2], at[3], p->out_n, out);
}

static uint32_t blocks_of(uint32_t channels)
{
    return channels / TUNED_BLOCK + (channels % TUNED_BLOCK != 0);
}

bool tuned_fully_connected_s16_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;

    return ref_fully_connected_s16_check(params, spans) &&
           check_holds(&spans[2], blocks_of(p->out_n), TUNED_BLOCK, p->in_n, 1);
}

/* ---- convolutions ---- */

/* One output pixel: its place, and the first input row and column of its window. */
struct pixel {
    int32_t y, x;
};

/* The window as one row: where it lies, or collected in scratch with zeros for what is outside. */
static const int16_t *collect(const struct kernel_conv *p, const int16_t *in,
                              const struct pixel *corner, int16_t *scratch)
{
    int16_t *to = scratch;

    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        int32_t y = corner->y + fy * p->dilation_h;
        for (int32_t fx = 0; fx < p->filter_w; fx++) {
            int32_t x = corner->x + fx * p->dilation_w;
            bool inside = y >= 0 && y < p->in_h && x >= 0 && x < p->in_w;
            const int16_t *from = in;
            if (inside)
                from += ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
            if (inside && p->filter_h * p->filter_w == 1)
                return from;
            for (uint32_t c = p->in_c; c > 0; c--)
                *to++ = inside ? *from++ : 0;
        }
    }
    return scratch;
}

typedef void pixel_fn(const struct kernel_conv *p, void *const *at, const int16_t *in,
                      const struct pixel *corner, int16_t *out);

static void all_pixels(const struct kernel_conv *p, void *const *at, pixel_fn *run)
{
    const int16_t *in = at[0];
    int16_t *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        struct pixel corner = {-p->pad_top, 0};
        for (uint32_t y = 0; y < p->out_h; y++, corner.y += p->stride_h) {
            corner.x = -p->pad_left;
            for (uint32_t x = 0; x < p->out_w; x++, corner.x += p->stride_w, out += p->out_c)
                run(p, at, in, &corner, out);
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

static void conv_pixel(const struct kernel_conv *p, void *const *at, const int16_t *in,
                       const struct pixel *corner, int16_t *out)
{
    uint32_t k = (uint32_t)p->filter_h * p->filter_w * p->in_c;

    run_row(p, collect(p, in, corner, at[4]), k, at[2], at[3], p->out_c, out);
}

void tuned_conv_s16(const void *params, void *const *at)
{
    all_pixels(params, at, conv_pixel);
}

bool tuned_conv_s16_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t k = check_product((uint32_t)p->filter_h * p->filter_w, p->in_c);

    return ref_conv_s16_check(params, spans) && p->filter_c == p->in_c &&
           check_holds(&spans[2], blocks_of(p->out_c), TUNED_BLOCK, k, 1) &&
           check_holds(&spans[4], k, 1, 1, 2);
}

/* Sums of the first n channels. */
static inline __attribute__((always_inline)) void depthwise_sums(const struct kernel_conv *p,
                                                                 const int16_t *in,
                                                                 const int8_t *weights,
                                                                 const struct pixel *corner,
                                                                 uint32_t n, uint32_t *sums)
{
    for (int32_t fy = 0; fy < p->filter_h; fy++) {
        int32_t y = corner->y + fy * p->dilation_h, x = corner->x;
        const int8_t *w = weights + (uint32_t)fy * p->filter_w * p->out_c;
        if (y < 0 || y >= p->in_h)
            continue;
        for (uint32_t fx = p->filter_w; fx > 0; fx--, x += p->dilation_w, w += p->out_c) {
            if (x < 0 || x >= p->in_w)
                continue;
            const int16_t *pixel = in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
            for (uint32_t i = 0; i < n; i++)
                sums[i] += (uint32_t)(pixel[i] * w[i]);
        }
    }
}

static void depthwise_pixel(const struct kernel_conv *p, void *const *at, const int16_t *in,
                            const struct pixel *corner, int16_t *out)
{
    const int8_t *weights = at[2];
    uint32_t c = 0;

    for (; c + 4 <= p->out_c; c += 4) {
        uint32_t sums[4] = {0};
        depthwise_sums(p, in + c, weights + c, corner, 4, sums);
        for (uint32_t i = 0; i < 4; i++)
            *out++ = wide_finish(p, (int32_t)sums[i], at[3], c + i);
    }
    for (; c < p->out_c; c++) {
        uint32_t sum = 0;
        depthwise_sums(p, in + c, weights + c, corner, 1, &sum);
        *out++ = wide_finish(p, (int32_t)sum, at[3], c);
    }
}

void tuned_depthwise_s16(const void *params, void *const *at)
{
    all_pixels(params, at, depthwise_pixel);
}

bool tuned_depthwise_s16_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;

    return ref_depthwise_s16_check(params, spans) && p->in_c == p->out_c;
}
