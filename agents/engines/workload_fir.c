/*
 * A DSP filter: `taps` Q15 coefficients over a block of int16 samples, followed by one recursive
 * section. The delay lines are state, so blocks join without a seam.
 *
 * Output sample: x = sat16((sum of c[k] * in[n-k] + 2^14) >> 15), y = sat16(x + (y' * 3 >> 2)).
 * Coefficients: c[k] = (k * 2654435761 + 12345 mod 2^32) >> 16, as int16, shifted right by log2 of
 * taps so that no sum overflows.
 */
#include "agents/engines/workload.h"

struct fir_state {
    int32_t last;     /* y' */
    uint32_t at;      /* of the newest sample in `line` */
    int16_t memory[]; /* coefficients [taps], line [taps] */
};

static void fir_sizes(const uint32_t *v, struct workload_sizes *ret)
{
    ret->in = v[1] * 2;
    ret->out = v[1] * 2;
    ret->state = (uint32_t)sizeof(struct fir_state) + v[0] * 4;
}

static int16_t coefficient(uint32_t k, uint32_t taps)
{
    int32_t c = (int16_t)((k * 2654435761u + 12345u) >> 16);

    while (taps > 1) {
        c /= 2;
        taps = (taps + 1) / 2;
    }
    return (int16_t)c;
}

static void fir_start(const struct workload_run *r)
{
    struct fir_state *s = r->state;

    for (uint32_t k = 0; k < r->v[0]; k++)
        s->memory[k] = coefficient(k, r->v[0]);
}

static int32_t saturate(int32_t v)
{
    return v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v;
}

static int32_t fir_sample(struct fir_state *s, uint32_t taps, int16_t in)
{
    int16_t *line = s->memory + taps;
    int32_t sum = 1 << 14;
    uint32_t at;

    s->at = s->at + 1 == taps ? 0 : s->at + 1;
    at = s->at;
    line[at] = in;
    for (uint32_t k = 0; k < taps; k++) {
        sum += (int32_t)s->memory[k] * line[at];
        at = at == 0 ? taps - 1 : at - 1;
    }
    return saturate(sum >> 15);
}

/* The convolution of the newest sample again, in 64 bits and from the other end. */
static int fir_check(const struct fir_state *s, uint32_t taps, int32_t x)
{
    const int16_t *line = s->memory + taps;
    int64_t sum = 1 << 14;

    for (uint32_t k = taps; k-- > 0;)
        sum += (int64_t)s->memory[k] * line[(s->at + taps - k) % taps];
    return saturate((int32_t)(sum >> 15)) == x;
}

static int fir_run(const struct workload_run *r)
{
    struct fir_state *s = r->state;
    const int16_t *in = r->in;
    int16_t *out = r->out;
    int32_t x = 0;

    for (uint32_t n = 0; n < r->v[1]; n++) {
        x = fir_sample(s, r->v[0], in[n]);
        s->last = saturate(x + (s->last * 3 >> 2));
        out[n] = (int16_t)s->last;
    }
    return fir_check(s, r->v[0], x) ? 0 : 1;
}

const struct workload workload_fir = {
    .name = "fir",
    .params = {{"taps", 32, 1, 1024}, {"samples", 64, 1, 4096}},
    .sizes = fir_sizes,
    .start = fir_start,
    .run = fir_run,
};
