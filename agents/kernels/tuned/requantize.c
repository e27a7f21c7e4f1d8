/* REQUANTIZE of int16 to int8. Spans: in, out as for ref, one struct tuned_channel. */
#include "agents/kernels/check.h"
#include "agents/kernels/tuned/scale.h"

static inline int8_t scaled(int32_t v, const struct tuned_channel *c)
{
    return arith_saturate8(tuned_scale(arith_add(v, c->bias), c));
}

void tuned_requantize(const void *params, void *const *at)
{
    const struct kernel_requantize *p = params;
    const struct tuned_channel c = *(const struct tuned_channel *)at[2];
    const int16_t *in = at[0], *end = in + p->n;
    int8_t *out = at[1];

    for (const int16_t *fours = in + (p->n & ~3u); in != fours; in += 4, out += 4) {
        out[0] = scaled(in[0], &c);
        out[1] = scaled(in[1], &c);
        out[2] = scaled(in[2], &c);
        out[3] = scaled(in[3], &c);
    }
    while (in != end)
        *out++ = scaled(*in++, &c);
}

bool tuned_requantize_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_requantize *p = params;

    return check_holds(&spans[0], p->n, 1, 1, 2) && check_holds(&spans[1], p->n, 1, 1, 1) &&
           check_holds(&spans[2], 1, 1, sizeof(struct tuned_channel) / 4, 4);
}
