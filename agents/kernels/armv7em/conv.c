/*
 * CONV_2D, int8, in groups. Spans: in, out as for ref,
 *   weights [groups][outputs of a group / 2][words][2 outputs][4 inputs]: both counts rounded up,
 *     zeros in the gaps; a window is fh * fw * filter_c inputs in order, four in a word,
 *   int32_t bias [groups][outputs rounded up to 2], struct dsp_scale likewise,
 *   scratch: words of 16 bytes (two windows as pairs of int16), then one window as bytes.
 *
 * Two pixels and two channels at a time: a word of weights is widened once for two pixels.
 */
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"
#include "agents/kernels/check.h"

struct conv {
    const struct kernel_conv *p;
    const int8_t *in;
    int8_t *out;
    const uint32_t *weights;
    const int32_t *biases;
    const struct dsp_scale *scales;
    uint32_t *columns; /* [words]: even and odd bytes of the first window, then of the second */
    int8_t *stage;
    uint32_t groups, group_out;
    uint32_t row;    /* bytes of a window's row */
    uint32_t words;  /* of a window */
    uint32_t end;    /* of the group's channels */
    uint32_t second; /* from the first pixel's output to the second's; 0 when there is one only */
    bool solid;      /* a row is whole words that lie side by side in the input */
};

/* Where a window lies. */
struct place {
    const int8_t *in; /* the batch's first element */
    int32_t top, left;
};

static int8_t *copy(int8_t *to, const int8_t *from, uint32_t n)
{
    for (; n >= 4; n -= 4, to += 4, from += 4)
        dsp_store(to, dsp_load(from));
    while (n--)
        *to++ = *from++;
    return to;
}

static int8_t *fill(int8_t *to, int8_t v, uint32_t n)
{
    for (uint32_t word = (uint8_t)v * 0x01010101u; n >= 4; n -= 4, to += 4)
        dsp_store(to, word);
    while (n--)
        *to++ = v;
    return to;
}

static void widen(uint32_t *to, const int8_t *from, uint32_t words)
{
    for (; words; words--, from += 4, to += 4) {
        uint32_t v = dsp_load(from);
        to[0] = dsp_even(v);
        to[1] = dsp_odd(v);
    }
}

/* The row of a window at `line` (NULL: outside the input), with zero points where it leaves it. */
static int8_t *put_row(const struct conv *v, int8_t *to, const int8_t *line, int32_t left)
{
    const struct kernel_conv *p = v->p;
    int8_t zero = (int8_t)-p->in_offset;

    if (!line)
        return fill(to, zero, v->row);
    for (int32_t fx = 0; fx < p->filter_w; fx++, left += p->dilation_w) {
        if (left < 0 || left >= p->in_w)
            to = fill(to, zero, p->filter_c);
        else
            to = copy(to, line + (uint32_t)left * p->in_c, p->filter_c);
    }
    return to;
}

static __attribute__((noinline)) void load_window(const struct conv *v, const struct place *at,
                                                  const int8_t *in, uint32_t *to)
{
    const struct kernel_conv *p = v->p;
    int32_t y = at->top;
    bool inside = at->left >= 0 && at->left + p->filter_w <= p->in_w;
    int8_t *stage = v->stage;

    for (uint32_t fy = 0; fy < p->filter_h; fy++, y += p->dilation_h) {
        const int8_t *line = 0;
        if (y >= 0 && y < p->in_h)
            line = in + (uint32_t)y * p->in_w * p->in_c;
        if (line && v->solid && inside) {
            widen(to, line + (uint32_t)at->left * p->in_c, v->row / 4);
            to += v->row;
            continue;
        }
        stage = put_row(v, stage, line, at->left);
        if (v->solid) {
            widen(to, v->stage, v->row / 4);
            to += v->row;
            stage = v->stage;
        }
    }
    if (!v->solid)
        widen(to, v->stage, v->words);
}

/*
 * Channels `channel` and the next one (not when it is the group's last) of both windows, from their
 * weights w, into out[0..1] and out[second..second + 1]. At least one word.
 */
static __attribute__((noinline)) void two_channels(const struct conv *v, const uint32_t *w,
                                                   uint32_t channel, int8_t *out)
{
    const uint32_t *x = v->columns;
    uint32_t n = v->words;
    uint32_t a = (uint32_t)v->biases[channel], b = a, c = (uint32_t)v->biases[channel + 1], d = c;

#ifdef DSP_ASM
    uint32_t w0, t;

    __asm__("1: ldmia %[x]!, {r4, r5, r6, r8}\n"
            "   ldr %[w0], [%[w]], #4\n"
            "   sxtb16 %[t], %[w0]\n"
            "   sxtb16 %[w0], %[w0], ror #8\n"
            "   smlad %[a], %[t], r4, %[a]\n"
            "   smlad %[b], %[t], r6, %[b]\n"
            "   smlad %[a], %[w0], r5, %[a]\n"
            "   smlad %[b], %[w0], r8, %[b]\n"
            "   ldr %[w0], [%[w]], #4\n"
            "   sxtb16 %[t], %[w0]\n"
            "   sxtb16 %[w0], %[w0], ror #8\n"
            "   smlad %[c], %[t], r4, %[c]\n"
            "   smlad %[d], %[t], r6, %[d]\n"
            "   subs %[n], %[n], #1\n"
            "   smlad %[c], %[w0], r5, %[c]\n"
            "   smlad %[d], %[w0], r8, %[d]\n"
            "   bne 1b\n"
            : [w] "+r"(w), [x] "+r"(x), [n] "+r"(n), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c),
              [d] "+r"(d), [w0] "=&r"(w0), [t] "=&r"(t)
            :
            : "r4", "r5", "r6", "r8", "cc", "memory");
#else
    for (; n; n--, w += 2, x += 4) {
        a = dsp_dot(dsp_odd(w[0]), x[1], dsp_dot(dsp_even(w[0]), x[0], a));
        b = dsp_dot(dsp_odd(w[0]), x[3], dsp_dot(dsp_even(w[0]), x[2], b));
        c = dsp_dot(dsp_odd(w[1]), x[1], dsp_dot(dsp_even(w[1]), x[0], c));
        d = dsp_dot(dsp_odd(w[1]), x[3], dsp_dot(dsp_even(w[1]), x[2], d));
    }
#endif
    const struct dsp_scale *scale = v->scales + channel;
    int32_t offset = v->p->out_offset, m0 = scale[0].multiplier, p0 = scale[0].power,
            m1 = scale[1].multiplier, p1 = scale[1].power;
    int8_t *other = out + v->second;

    if ((p0 | p1) < 0) {
        a = (uint32_t)armv7em_finish(a, m0, p0, offset);
        b = (uint32_t)armv7em_finish(b, m0, p0, offset);
        c = (uint32_t)armv7em_finish(c, m1, p1, offset);
        d = (uint32_t)armv7em_finish(d, m1, p1, offset);
    } else {
        a = (uint32_t)dsp_finish_fast(a, m0, p0, offset);
        b = (uint32_t)dsp_finish_fast(b, m0, p0, offset);
        c = (uint32_t)dsp_finish_fast(c, m1, p1, offset);
        d = (uint32_t)dsp_finish_fast(d, m1, p1, offset);
    }
    other[0] = (int8_t)b;
    out[0] = (int8_t)a;
    if (channel + 1 == v->end)
        return;
    other[1] = (int8_t)d;
    out[1] = (int8_t)c;
}

/* One group's channels of the two loaded windows. */
static void channels(struct conv *v, uint32_t group, int8_t *out)
{
    uint32_t channel = group * ((v->group_out + 1) & ~1u);
    const uint32_t *w = v->weights + channel * v->words;

    v->end = channel + v->group_out;
    for (; channel < v->end; channel += 2, w += 2 * v->words, out += 2)
        two_channels(v, w, channel, out);
}

/* `n` (1 or 2) pixels. With one group, both windows are read before either output is written. */
static void pixels(struct conv *v, const struct place at[2], uint32_t n)
{
    v->second = n == 2 ? v->p->out_c : 0;
    for (uint32_t group = 0; group < v->groups; group++) {
        for (uint32_t i = 0; i < n; i++)
            load_window(v, &at[i], at[i].in + group * v->p->filter_c, v->columns + 2 * i);
        channels(v, group, v->out + group * v->group_out);
    }
    v->out += n * v->p->out_c;
}

static void conv_init(struct conv *v, const struct kernel_conv *p, void *const *at)
{
    *v = (struct conv){.p = p,
                       .in = at[0],
                       .out = at[1],
                       .weights = at[2],
                       .biases = at[3],
                       .scales = at[4],
                       .columns = at[5],
                       .groups = (uint32_t)p->in_c / p->filter_c,
                       .row = (uint32_t)p->filter_w * p->filter_c};
    v->group_out = p->out_c / v->groups;
    v->words = (v->row * p->filter_h + 3) / 4;
    v->stage = (int8_t *)(v->columns + 4 * v->words);
    v->solid = v->row % 4 == 0 && (p->filter_w == 1 || (v->groups == 1 && p->dilation_w == 1));
}

void armv7em_conv_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    struct conv v;
    struct place places[2];
    uint32_t waiting = 0;

    conv_init(&v, p, at);
    for (uint32_t batch = 0; batch < p->batches; batch++) {
        int32_t top = -p->pad_top;
        for (uint32_t oy = 0; oy < p->out_h; oy++, top += p->stride_h) {
            int32_t left = -p->pad_left;
            for (uint32_t ox = 0; ox < p->out_w; ox++, left += p->stride_w) {
                places[waiting++] = (struct place){v.in, top, left};
                if (waiting == 2)
                    pixels(&v, places, waiting);
                waiting &= 1;
            }
        }
        v.in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
    if (waiting)
        pixels(&v, places, waiting);
    armv7em_clamp(at[1], (uint32_t)(v.out - (int8_t *)at[1]), p->act_min, p->act_max);
}

bool armv7em_conv_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;

    if (p->filter_c == 0 || p->in_c == 0 || p->in_c % p->filter_c)
        return false;
    uint32_t groups = (uint32_t)p->in_c / p->filter_c;
    uint32_t window = check_product((uint32_t)p->filter_h * p->filter_w, p->filter_c);
    uint32_t words = window / 4 + (window % 4 != 0),
             channels2 = groups * ((p->out_c / groups + 1) & ~1u);

    return p->out_c % groups == 0 && conv_images_fit(p, spans) &&
           check_holds(&spans[2], channels2, words, 4, 1) && check_aligned(&spans[2], 4) &&
           check_holds(&spans[3], channels2, 1, 1, 4) &&
           check_holds(&spans[4], channels2, 2, 1, 4) && check_holds(&spans[5], words, 5, 1, 4);
}
