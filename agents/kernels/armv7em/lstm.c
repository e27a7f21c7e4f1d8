/*
 * LSTM_S8. Spans: as for ref; the weights of each gate as FULLY_CONNECTED's (units are its outputs),
 * its biases filled up to whole blocks: int32_t [2][units rounded up to 4].
 */
#include "agents/kernels/lstm.h"

#include "agents/kernels/arith.h"
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"
#include "agents/kernels/check.h"

/* One of the two products that make a gate. */
struct product {
    const uint32_t *weights;
    const int32_t *bias;
    const int8_t *x;
    uint32_t k;
    int32_t multiplier, power; /* as in struct dsp_scale */
};

/* n sums become 16 bits each, and are added to what the gate has when there is `more` to it. */
static inline __attribute__((always_inline)) void finish(const struct product *o,
                                                         const uint32_t *sums, int16_t *gate,
                                                         uint32_t n, bool more)
{
    for (const int16_t *end = gate + n; gate != end; gate++) {
        int32_t v = dsp_high((int32_t)(*sums++ << 1), o->multiplier);
        v = dsp_high(arith_add(v, v >> 31), o->power);
        *gate = arith_saturate16(more ? *gate + arith_saturate16(v) : v);
    }
}

static __attribute__((noinline)) void multiply(const struct product *o, uint32_t units,
                                               int16_t *gate, bool more)
{
    const uint32_t *w = o->weights;
    const int32_t *bias = o->bias;
    uint32_t sums[4], n;

    for (uint32_t left = units; left > 0; left -= n, bias += 4, gate += n) {
        w = armv7em_dot_4(sums, bias, w, o->x, o->k);
        n = left < 4 ? left : 4;
        if (more)
            finish(o, sums, gate, n, true);
        else
            finish(o, sums, gate, n, false);
    }
}

/* The host has seen to it that shifts are -31..-2 and sums small: see struct dsp_scale. */
static int32_t power_of(int32_t shift)
{
    return (int32_t)(1u << ((uint32_t)shift & 31));
}

static void run_gate(const struct kernel_lstm *p, void *const *at, unsigned g, const int8_t *in,
                     const int8_t *hidden)
{
    struct product o = {.weights = at[LSTM_GATE_SPAN(g)],
                        .bias = at[LSTM_GATE_SPAN(g) + 2],
                        .x = in,
                        .k = p->in_n,
                        .multiplier = p->in_multiplier[g],
                        .power = power_of(p->in_shift[g])};
    int16_t *gate = (int16_t *)at[5] + g * p->units;

    multiply(&o, p->units, gate, false);
    o.weights = at[LSTM_GATE_SPAN(g) + 1];
    o.bias += (p->units + 3) & ~3u;
    o.x = hidden;
    o.k = p->units;
    o.multiplier = p->hidden_multiplier[g];
    o.power = power_of(p->hidden_shift[g]);
    multiply(&o, p->units, gate, true);
    lstm_curve(g, at[4], gate, p->units);
}

void armv7em_lstm_s8(const void *params, void *const *at)
{
    lstm_run(params, at, run_gate, lstm_update);
}

bool armv7em_lstm_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_lstm *p = params;
    uint32_t out4 = p->units / 4 + (p->units % 4 != 0), in4 = p->in_n / 4 + (p->in_n % 4 != 0);

    for (unsigned g = 0; g < LSTM_GATES; g++) {
        const struct kernel_span *s = &spans[LSTM_GATE_SPAN(g)];
        if (!check_holds(&s[0], out4, in4, 4, 4) || !check_holds(&s[1], out4, out4, 4, 4) ||
            !check_holds(&s[2], 2, out4, 4, sizeof(int32_t)))
            return false;
    }
    return p->units <= 0xffff && lstm_shapes_fit(p, spans);
}
