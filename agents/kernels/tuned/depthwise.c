/*
 * DEPTHWISE_S8: pixel after pixel, in each channel after channel. A window that lies inside the
 * input is read in place; one that does not is first collected in scratch, with the zero point for
 * what lies outside, so that the loop over taps never asks. (The host turns a convolution of one
 * input channel into CONV_S8.)
 *
 * Spans: as for ref, weights int8 [out_c][filter_h * filter_w], struct tuned_channel [out_c],
 * scratch [filter_h][filter_w][in_c].
 */
#include "agents/kernels/check.h"
#include "agents/kernels/tuned/copy.h"
#include "agents/kernels/tuned/scale.h"

struct taps;
typedef void pixel_fn(const struct kernel_conv *p, const struct taps *t, const int8_t *w,
                      const struct tuned_channel *channel, int8_t *out);

/* Where the taps of a window lie. */
struct taps {
    const int8_t *first;  /* of channel 0 */
    uint32_t row, column; /* distances */
};

static struct taps collect(const struct kernel_conv *p, const int8_t *in, int32_t top, int32_t left,
                           void *scratch)
{
    struct tuned_bytes to = {scratch};
    const struct taps taps = {to.to, (uint32_t)p->filter_w * p->in_c, p->in_c};
    int32_t y = top;

    for (uint32_t fy = 0; fy < p->filter_h; fy++, y += p->dilation_h) {
        int32_t x = left;
        for (uint32_t fx = 0; fx < p->filter_w; fx++, x += p->dilation_w) {
            if (y < 0 || y >= p->in_h || x < 0 || x >= p->in_w)
                tuned_fill_bytes(&to, -p->in_offset, p->in_c);
            else
                tuned_copy_bytes(&to, in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c,
                                 p->in_c);
        }
    }
    return taps;
}

static uint32_t product(int32_t a, int32_t b)
{
    return (uint32_t)(a * b);
}

static uint32_t sum_any(const int8_t *x, const int8_t *w, const struct taps *t, uint32_t rows,
                        uint32_t columns, uint32_t sum)
{
    uint32_t column = t->column, step = t->row;

    for (; rows > 0; rows--, x += step) {
        const int8_t *v = x;
        for (uint32_t n = columns; n > 0; n--, v += column)
            sum += product(*v, *w++);
    }
    return sum;
}

/* All channels of one pixel. */
static inline __attribute__((always_inline)) void run(const struct kernel_conv *p,
                                                      const struct taps *t, const int8_t *w,
                                                      const struct tuned_channel *channel,
                                                      int8_t *out, bool any_scale)
{
    const int8_t *x = t->first;
    uint32_t rows = p->filter_h, columns = p->filter_w, taps = rows * columns;
    uint32_t multiplier = p->in_c == p->out_c ? 1 : p->out_c / p->in_c, repeat = multiplier;
    int32_t min = p->act_min, max = p->act_max;

    for (uint32_t c = p->out_c; c > 0; c--, channel++, w += taps) {
        uint32_t sum = sum_any(x, w, t, rows, columns, (uint32_t)channel->bias);
        int32_t v =
            any_scale ? tuned_scale_any((int32_t)sum, channel) : tuned_scale((int32_t)sum, channel);
        *out++ = (int8_t)arith_clamp(v, min, max);
        if (--repeat == 0) {
            repeat = multiplier;
            x++;
        }
    }
}

static void run_fast(const struct kernel_conv *p, const struct taps *t, const int8_t *w,
                     const struct tuned_channel *channel, int8_t *out)
{
    run(p, t, w, channel, out, false);
}

static void run_any(const struct kernel_conv *p, const struct taps *t, const int8_t *w,
                    const struct tuned_channel *channel, int8_t *out)
{
    run(p, t, w, channel, out, true);
}

/* As run_fast() for filters of 3 x 3 and as many output as input channels. */
static void run_3x3(const struct kernel_conv *p, const struct taps *t, const int8_t *w,
                    const struct tuned_channel *channel, int8_t *out)
{
    uint32_t column = t->column, column2 = 2 * t->column;
    const int8_t *a = t->first, *b = a + t->row, *c = b + t->row;
    int32_t min = p->act_min, max = p->act_max;

    for (const int8_t *end = out + p->out_c; out != end; channel++, w += 9, a++, b++, c++) {
        uint32_t sum = (uint32_t)channel->bias;
        sum += product(*a, w[0]);
        sum += product(a[column], w[1]);
        sum += product(a[column2], w[2]);
        sum += product(*b, w[3]);
        sum += product(b[column], w[4]);
        sum += product(b[column2], w[5]);
        sum += product(*c, w[6]);
        sum += product(c[column], w[7]);
        sum += product(c[column2], w[8]);
        *out++ = (int8_t)arith_clamp(tuned_scale((int32_t)sum, channel), min, max);
    }
}

static struct taps taps_at(const struct kernel_conv *p, const int8_t *in, int32_t top, int32_t left,
                           int8_t *scratch)
{
    int32_t bottom = top + (p->filter_h - 1) * p->dilation_h;
    int32_t right = left + (p->filter_w - 1) * p->dilation_w;

    if (top < 0 || left < 0 || bottom >= p->in_h || right >= p->in_w)
        return collect(p, in, top, left, scratch);
    return (struct taps){in + ((uint32_t)top * p->in_w + (uint32_t)left) * p->in_c,
                         (uint32_t)p->dilation_h * p->in_w * p->in_c,
                         (uint32_t)p->dilation_w * p->in_c};
}

void tuned_depthwise_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    bool small = p->filter_h == 3 && p->filter_w == 3 && p->in_c == p->out_c;
    pixel_fn *pixel = p->wide ? run_any : small ? run_3x3 : run_fast;

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        int32_t top = -p->pad_top;
        for (uint32_t y = 0; y < p->out_h; y++, top += p->stride_h) {
            int32_t left = -p->pad_left;
            for (uint32_t x = 0; x < p->out_w; x++, left += p->stride_w, out += p->out_c) {
                const struct taps taps = taps_at(p, in, top, left, at[4]);
                pixel(p, &taps, at[2], at[3], out);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool tuned_depthwise_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t taps = (uint32_t)p->filter_h * p->filter_w;

    return p->in_c != 0 && p->out_c >= p->in_c && p->out_c % p->in_c == 0 &&
           conv_shapes_fit(p, spans) && check_holds(&spans[2], p->out_c, taps, 1, 1) &&
           check_holds(&spans[3], p->out_c, 1, sizeof(struct tuned_channel) / 4, 4) &&
           check_holds(&spans[4], taps, p->in_c, 1, 1);
}
