/*
 * DEPTHWISE_CONV_2D, int8, one output channel for each of 4 or more input channels. Spans: in, out
 * as for ref (in the arena),
 *   weights int16_t [blocks][taps / 2, rounded up][4 channels][2 taps], a zero for the odd one,
 *   int32_t bias [blocks][4], struct dsp_scale [blocks][4],
 *   scratch: int32_t [taps rounded up to 2, and 2 more], then in_c zero points.
 * A block is four channels; the last one ends with the last channel and may overlap its neighbour.
 *
 * The taps of a window are a list of distances from the input, so that padding costs nothing: its
 * taps lie on the zero points.
 */
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"
#include "agents/kernels/check.h"

#define LAST INT32_MIN /* ends the list of taps */

struct depthwise {
    const struct kernel_conv *p;
    const int8_t *in;
    int32_t *taps;
    int32_t outside; /* distance of the zero points */
    uint32_t count;
};

/* Four channels of a pixel. */
struct block {
    const int32_t *bias;
    const struct dsp_scale *scale;
    int32_t offset;
};

/* The block's outputs from the taps at `base`; returns the weights that follow. */
static __attribute__((noinline)) const uint32_t *four_channels(const struct block *v,
                                                               const uint32_t *w,
                                                               const int8_t *base,
                                                               const int32_t *taps, int8_t *out)
{
    const int32_t *bias = v->bias;
    uint32_t a = (uint32_t)bias[0], b = (uint32_t)bias[1], c = (uint32_t)bias[2],
             d = (uint32_t)bias[3];

#ifdef DSP_ASM
    uint32_t x, y, low;

    __asm__("   ldrd %[x], %[y], [%[taps]], #8\n"
            "1: ldr %[x], [%[base], %[x]]\n"
            "   ldr %[y], [%[base], %[y]]\n"
            "   ldmia %[w]!, {r4, r5, r6, r8}\n"
            "   pkhbt %[low], %[x], %[y], lsl #16\n"
            "   pkhtb %[y], %[y], %[x], asr #16\n"
            "   sxtb16 %[x], %[low]\n"
            "   sxtb16 %[low], %[low], ror #8\n"
            "   smlad %[a], %[x], r4, %[a]\n"
            "   smlad %[b], %[low], r5, %[b]\n"
            "   sxtb16 %[x], %[y]\n"
            "   sxtb16 %[low], %[y], ror #8\n"
            "   smlad %[c], %[x], r6, %[c]\n"
            "   smlad %[d], %[low], r8, %[d]\n"
            "   ldrd %[x], %[y], [%[taps]], #8\n"
            "   cmp %[x], #0x80000000\n"
            "   bne 1b\n"
            : [w] "+r"(w), [taps] "+r"(taps), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d),
              [x] "=&r"(x), [y] "=&r"(y), [low] "=&r"(low)
            : [base] "r"(base)
            : "r4", "r5", "r6", "r8", "cc", "memory");
#else
    for (; *taps != LAST; taps += 2, w += 4) {
        uint32_t x = dsp_load(base + taps[0]), y = dsp_load(base + taps[1]);
        uint32_t low = dsp_low_halves(x, y), high = dsp_high_halves(x, y);
        a = dsp_dot(dsp_even(low), w[0], a);
        b = dsp_dot(dsp_odd(low), w[1], b);
        c = dsp_dot(dsp_even(high), w[2], c);
        d = dsp_dot(dsp_odd(high), w[3], d);
    }
#endif
    const struct dsp_scale *scale = v->scale;
    int32_t offset = v->offset;

    out[0] = (int8_t)dsp_finish(a, scale[0].multiplier, scale[0].power, offset);
    out[1] = (int8_t)dsp_finish(b, scale[1].multiplier, scale[1].power, offset);
    out[2] = (int8_t)dsp_finish(c, scale[2].multiplier, scale[2].power, offset);
    out[3] = (int8_t)dsp_finish(d, scale[3].multiplier, scale[3].power, offset);
    return w;
}

/* The list of taps for the window at top, left; an odd one gets the first as its partner. */
static __attribute__((noinline)) void find_taps(const struct depthwise *v, int32_t top,
                                                int32_t left)
{
    const struct kernel_conv *p = v->p;
    int32_t *tap = v->taps;

    for (uint32_t fy = 0; fy < p->filter_h; fy++, top += p->dilation_h) {
        int32_t x = left;
        for (uint32_t fx = 0; fx < p->filter_w; fx++, x += p->dilation_w) {
            bool inside = top >= 0 && top < p->in_h && x >= 0 && x < p->in_w;
            *tap++ = inside ? (top * p->in_w + x) * p->in_c : v->outside;
        }
    }
    if (v->count & 1)
        *tap++ = v->taps[0];
    *tap = LAST;
}

static void move_taps(const struct depthwise *v)
{
    int32_t step = v->p->stride_w * v->p->in_c;

    for (int32_t *tap = v->taps; *tap != LAST; tap++)
        *tap += step;
}

/* All channels of one pixel. */
static void pixel(const struct depthwise *v, void *const *at, int8_t *out)
{
    struct block b = {at[3], at[4], v->p->out_offset};
    const uint32_t *w = at[2];
    uint32_t last = v->p->in_c - 4u;

    for (uint32_t c = 0;; b.bias += 4, b.scale += 4) {
        w = four_channels(&b, w, v->in + c, v->taps, out + c);
        if (c == last)
            break;
        c = c + 4 < last ? c + 4 : last;
    }
}

static int8_t *row(struct depthwise *v, void *const *at, int32_t top, int8_t *out)
{
    const struct kernel_conv *p = v->p;
    int32_t left = -p->pad_left, end = left + (p->filter_w - 1) * p->dilation_w;
    bool inside = false; /* the taps of the pixel before are those of no padding left or right */

    for (uint32_t ox = 0; ox < p->out_w; ox++, left += p->stride_w, end += p->stride_w) {
        bool here = left >= 0 && end < p->in_w && top >= 0 &&
                    top + (p->filter_h - 1) * p->dilation_h < p->in_h;
        if (inside && here)
            move_taps(v);
        else
            find_taps(v, top, left);
        inside = here;
        pixel(v, at, out);
        out += p->in_c;
    }
    return out;
}

void armv7em_depthwise_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    struct depthwise v = {.p = p, .in = at[0], .taps = at[5]};
    int8_t *out = at[1];

    v.count = (uint32_t)p->filter_h * p->filter_w;
    int8_t *zeros = (int8_t *)(v.taps + ((v.count + 1) & ~1u) + 2);
    for (uint32_t i = 0; i < p->in_c; i++)
        zeros[i] = (int8_t)-p->in_offset;
    for (uint32_t batch = 0; batch < p->batches; batch++) {
        int32_t top = -p->pad_top;
        v.outside = (int32_t)(zeros - v.in);
        for (uint32_t oy = 0; oy < p->out_h; oy++, top += p->stride_h)
            out = row(&v, at, top, out);
        v.in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
    armv7em_clamp(at[1], (uint32_t)(out - (int8_t *)at[1]), p->act_min, p->act_max);
}

/* Input and scratch in the arena: then distances between them have 31 bits. */
bool armv7em_depthwise_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t taps2 = ((uint32_t)p->filter_h * p->filter_w + 1) & ~1u, blocks = (p->in_c + 3u) / 4;

    return p->in_c >= 4 && p->out_c == p->in_c && taps2 < 0x10000 && conv_images_fit(p, spans) &&
           spans[0].size < 0x40000000 &&
           ((spans[0].where | spans[5].where) & KERNEL_SPAN_CONST) == 0 &&
           check_apart(&spans[1], &spans[5]) && /* the list of taps stays as it is */
           check_holds(&spans[2], blocks, taps2, 8, 1) && check_aligned(&spans[2], 4) &&
           check_holds(&spans[3], blocks, 4, 1, 4) && check_holds(&spans[4], blocks, 8, 1, 4) &&
           check_holds(&spans[5], taps2 + 2 + blocks, 1, 1, 4);
}
