/*
 * FULLY_CONNECTED, int8. Spans: in [batches][in_n], out [batches][out_n],
 *   weights [out_n / 4][in_n / 4][4 outputs][4 inputs], both counts rounded up, zeros in the gaps,
 *   int32_t bias [out_n rounded up to 4], struct dsp_scale [per_channel ? the same : 1].
 */
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"
#include "agents/kernels/check.h"

/* The last n < 4 inputs, without reading past them. */
static uint32_t load_rest(const int8_t *in, uint32_t n)
{
    uint32_t v = 0;

    for (uint32_t i = 0; i < n; i++)
        v |= (uint32_t)(uint8_t)in[i] << (8 * i);
    return v;
}

/* Four sums over one word of inputs. */
static inline void add_word(uint32_t sums[4], const uint32_t *w, uint32_t x)
{
    uint32_t even = dsp_even(x), odd = dsp_odd(x);

    for (int i = 0; i < 4; i++) {
        sums[i] = dsp_dot(dsp_even(w[i]), even, sums[i]);
        sums[i] = dsp_dot(dsp_odd(w[i]), odd, sums[i]);
    }
}

/* Four sums over n > 0 words of inputs; returns the weights that follow. */
static __attribute__((noinline)) const uint32_t *add_words(uint32_t sums[4], const uint32_t *w,
                                                           const int8_t *in, uint32_t n)
{
#ifdef DSP_ASM
    uint32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3], x, y;

    __asm__("1: ldmia %[w]!, {r4, r5, r6, r8}\n"
            "   ldr %[y], [%[in]], #4\n"
            "   sxtb16 %[x], %[y]\n"
            "   sxtb16 %[y], %[y], ror #8\n"
            "   sxtb16 r12, r4\n"
            "   sxtb16 r4, r4, ror #8\n"
            "   smlad %[s0], r12, %[x], %[s0]\n"
            "   smlad %[s0], r4, %[y], %[s0]\n"
            "   sxtb16 r12, r5\n"
            "   sxtb16 r5, r5, ror #8\n"
            "   smlad %[s1], r12, %[x], %[s1]\n"
            "   smlad %[s1], r5, %[y], %[s1]\n"
            "   sxtb16 r12, r6\n"
            "   sxtb16 r6, r6, ror #8\n"
            "   smlad %[s2], r12, %[x], %[s2]\n"
            "   smlad %[s2], r6, %[y], %[s2]\n"
            "   sxtb16 r12, r8\n"
            "   sxtb16 r8, r8, ror #8\n"
            "   smlad %[s3], r12, %[x], %[s3]\n"
            "   subs %[n], %[n], #1\n"
            "   smlad %[s3], r8, %[y], %[s3]\n"
            "   bne 1b\n"
            : [w] "+r"(w), [in] "+r"(in), [n] "+r"(n), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2),
              [s3] "+r"(s3), [x] "=&r"(x), [y] "=&r"(y)
            :
            : "r4", "r5", "r6", "r8", "r12", "cc", "memory");
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
#else
    for (; n; n--, w += 4, in += 4)
        add_word(sums, w, dsp_load(in));
#endif
    return w;
}

const uint32_t *armv7em_dot_4(uint32_t sums[4], const int32_t *bias, const uint32_t *w,
                              const int8_t *in, uint32_t n)
{
    uint32_t rest = n % 4;

    for (int i = 0; i < 4; i++)
        sums[i] = (uint32_t)bias[i];
    if (n >= 4)
        w = add_words(sums, w, in, n / 4);
    if (rest) {
        add_word(sums, w, load_rest(in + n - rest, rest));
        w += 4;
    }
    return w;
}

void armv7em_fully_connected_s8(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    uint32_t sums[4];

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n) {
        const uint32_t *w = at[2];
        const int32_t *bias = at[3];
        const struct dsp_scale *scale = at[4];
        for (uint32_t left = p->out_n; left; bias += 4) {
            w = armv7em_dot_4(sums, bias, w, in, p->in_n);
            for (uint32_t i = 0; i < 4 && left; i++, left--) {
                *out++ =
                    (int8_t)dsp_finish(sums[i], scale->multiplier, scale->power, p->out_offset);
                scale += p->per_channel;
            }
        }
    }
    armv7em_clamp(at[1], p->batches * p->out_n, p->act_min, p->act_max);
}

bool armv7em_fully_connected_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;
    uint32_t in4 = p->in_n / 4 + (p->in_n % 4 != 0), out4 = p->out_n / 4 + (p->out_n % 4 != 0);

    return p->per_channel <= 1 && check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, 1) &&
           check_holds(&spans[2], out4, in4, 4, 4) && check_holds(&spans[3], out4, 4, 1, 4) &&
           check_holds(&spans[4], p->per_channel ? p->out_n : 1, 2, 1, 4);
}
