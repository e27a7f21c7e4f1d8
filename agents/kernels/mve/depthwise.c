/*
 * DEPTHWISE_S8 with as many output as input channels: eight channels at a time, each in a lane. A
 * window that lies inside the input is read in place; one that does not is first collected in
 * scratch, with the zero point for what lies outside.
 *
 * Spans: as for ref, weights and struct mve_channels as in mve.h, scratch
 * [filter_h][filter_w][in_c].
 */
#include "agents/kernels/check.h"
#include "agents/kernels/mve/copy.h"
#include "agents/kernels/mve/scale.h"

/* Where the taps of a window lie. */
struct taps {
    const int8_t *first;  /* of channel 0 */
    uint32_t row, column; /* distances */
};

/* Eight channels: the even ones, and the odd ones. */
struct sums {
    int32x4_t even, odd;
};

/* n taps `column` apart of eight channels; returns where the next weights lie. */
static inline const int8_t *sum_taps(struct sums *s, const int8_t *x, uint32_t column,
                                     const int8_t *w, uint32_t n)
{
#ifdef __ARM_FEATURE_MVE
    /* Left to itself, the compiler keeps neither sums nor addresses in registers. */
    __asm__("dls lr, %[n]\n"
            "1: vldrb.s16 q0, [%[x]]\n"
            "vldrb.s16 q1, [%[w]], #8\n"
            "add %[x], %[column]\n"
            "vmullb.s16 q2, q0, q1\n"
            "vmullt.s16 q3, q0, q1\n"
            "vadd.i32 %q[even], %q[even], q2\n"
            "vadd.i32 %q[odd], %q[odd], q3\n"
            "le lr, 1b\n"
            : [even] "+w"(s->even), [odd] "+w"(s->odd), [x] "+l"(x), [w] "+l"(w)
            : [n] "r"(n), [column] "r"(column)
            : "lr", "q0", "q1", "q2", "q3", "memory");
#else
    for (; n > 0; n--, x += column, w += MVE_DEPTHWISE_BLOCK) {
        int16x8_t in = vldrbq_s16(x), weights = vldrbq_s16(w);
        s->even = vaddq_s32(s->even, vmullbq_int_s16(in, weights));
        s->odd = vaddq_s32(s->odd, vmulltq_int_s16(in, weights));
    }
#endif
    return w;
}

static inline struct sums sum_block(const struct kernel_conv *k, const struct taps *t,
                                    const int8_t *x, const int8_t *w)
{
    struct sums s = {vdupq_n_s32(0), vdupq_n_s32(0)};

    for (uint32_t rows = k->filter_h; rows > 0; rows--, x += t->row)
        w = sum_taps(&s, x, t->column, w, k->filter_w);
    return s;
}

/* The same for those channels of the block that p says; inputs beside them are not read. */
static struct sums sum_part(const struct kernel_conv *k, const struct taps *t, const int8_t *x,
                            const int8_t *w, mve_pred16_t p)
{
    struct sums s = {vdupq_n_s32(0), vdupq_n_s32(0)};

    for (uint32_t rows = k->filter_h; rows > 0; rows--, x += t->row) {
        const int8_t *v = x;
        for (uint32_t n = k->filter_w; n > 0; n--, v += t->column, w += MVE_DEPTHWISE_BLOCK) {
            int16x8_t in = vldrbq_z_s16(v, p), weights = vldrbq_s16(w);
            s.even = vaddq_s32(s.even, vmullbq_int_s16(in, weights));
            s.odd = vaddq_s32(s.odd, vmulltq_int_s16(in, weights));
        }
    }
    return s;
}

static inline int16x8_t scale(const struct sums *s, const struct mve_channels *c,
                              const struct mve_range *range)
{
    int16x8_t out = vmovnbq_s32(vdupq_n_s16(0), mve_scale(s->even, c, range));

    return vmovntq_s32(out, mve_scale(s->odd, c + 1, range));
}

/* As scale(), where a channel's shift goes to the left. */
static void store_any(int8_t *to, const struct sums *s, const struct mve_channels *c,
                      const struct mve_range *range, mve_pred16_t p)
{
    int16x8_t out = vmovnbq_s32(vdupq_n_s16(0), mve_scale_any(s->even, c, range));

    vstrbq_p_s16(to, vmovntq_s32(out, mve_scale_any(s->odd, c + 1, range)), p);
}

static void run_pixel(const struct kernel_conv *k, const struct taps *t, void *const *at,
                      int8_t *out)
{
    const struct mve_range range = mve_range(k->out_offset, k->act_min, k->act_max);
    const struct mve_channels *channels = at[3];
    const int8_t *w = at[2], *x = t->first;
    uint32_t block = (uint32_t)k->filter_h * k->filter_w * MVE_DEPTHWISE_BLOCK;

    for (uint32_t n = k->out_c / MVE_DEPTHWISE_BLOCK; n > 0; n--, channels += 2, w += block) {
        struct sums s = sum_block(k, t, x, w);
        vstrbq_s16(out, scale(&s, channels, &range));
        x += MVE_DEPTHWISE_BLOCK;
        out += MVE_DEPTHWISE_BLOCK;
    }
    if (k->out_c % MVE_DEPTHWISE_BLOCK) {
        mve_pred16_t p = vctp16q(k->out_c % MVE_DEPTHWISE_BLOCK);
        struct sums s = sum_part(k, t, x, w, p);
        vstrbq_p_s16(out, scale(&s, channels, &range), p);
    }
}

/* The same where a channel's shift goes to the left. */
static __attribute__((noinline)) void run_pixel_any(const struct kernel_conv *k,
                                                    const struct taps *t, void *const *at,
                                                    int8_t *out)
{
    const struct mve_range range = mve_range(k->out_offset, k->act_min, k->act_max);
    const struct mve_channels *channels = at[3];
    const int8_t *w = at[2], *x = t->first;
    uint32_t block = (uint32_t)k->filter_h * k->filter_w * MVE_DEPTHWISE_BLOCK, n;

    for (uint32_t left = k->out_c; left > 0; left -= n, channels += 2, w += block) {
        n = left < MVE_DEPTHWISE_BLOCK ? left : MVE_DEPTHWISE_BLOCK;
        mve_pred16_t p = vctp16q(n);
        struct sums s = sum_part(k, t, x, w, p);
        store_any(out, &s, channels, &range, p);
        x += n;
        out += n;
    }
}

static struct taps collect(const struct kernel_conv *p, const int8_t *in, int32_t top, int32_t left,
                           int8_t *scratch)
{
    int8_t *to = scratch;
    int32_t y = top;

    for (uint32_t fy = 0; fy < p->filter_h; fy++, y += p->dilation_h) {
        int32_t x = left;
        for (uint32_t fx = 0; fx < p->filter_w; fx++, x += p->dilation_w) {
            if (y < 0 || y >= p->in_h || x < 0 || x >= p->in_w)
                to = mve_fill(to, -p->in_offset, p->in_c);
            else
                to = mve_copy(to, in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c, p->in_c);
        }
    }
    return (struct taps){scratch, (uint32_t)p->filter_w * p->in_c, p->in_c};
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

void mve_depthwise_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        int32_t top = -p->pad_top;
        for (uint32_t y = 0; y < p->out_h; y++, top += p->stride_h) {
            int32_t left = -p->pad_left;
            for (uint32_t x = 0; x < p->out_w; x++, left += p->stride_w, out += p->out_c) {
                const struct taps taps = taps_at(p, in, top, left, at[4]);
                if (p->wide)
                    run_pixel_any(p, &taps, at, out);
                else
                    run_pixel(p, &taps, at, out);
            }
        }
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool mve_depthwise_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t blocks = (p->out_c + MVE_DEPTHWISE_BLOCK - 1) / MVE_DEPTHWISE_BLOCK;
    uint32_t taps = (uint32_t)p->filter_h * p->filter_w;

    return p->in_c != 0 && p->out_c == p->in_c && conv_shapes_fit(p, spans) &&
           check_holds(&spans[2], blocks, MVE_DEPTHWISE_BLOCK, taps, 1) &&
           check_holds(&spans[3], blocks, 2, sizeof(struct mve_channels) / 4, 4) &&
           check_holds(&spans[4], taps, p->in_c, 1, 1);
}
