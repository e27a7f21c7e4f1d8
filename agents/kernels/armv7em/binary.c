/* ADD, SUB and MUL, int8, of two tensors that lie alike (or one value and a tensor): one row. */
#include "agents/kernels/armv7em/armv7em.h"
#include "agents/kernels/armv7em/dsp.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* What brings one side of an ADD to the common scale; shifts right by 0 to 31. */
struct side {
    const int8_t *at;
    uint32_t step;
    int32_t offset, multiplier;
    int32_t round, sign, shift; /* none of it when shift is 0 */
};

static struct side side_of(const void *at, uint32_t step, int32_t offset, int32_t multiplier,
                           int32_t shift)
{
    int32_t right = (int32_t)(0u - (uint32_t)shift) & 31;

    return (struct side){
        at,   step, offset, multiplier, right ? (int32_t)(1u << (right - 1)) : 0, right ? -1 : 0,
        right};
}

/* As dsp_finish(), for any shift to the right; `left` is one more than the operator's own. */
static inline uint32_t next(struct side *s, uint32_t left)
{
    int32_t v = dsp_high((int32_t)((uint32_t)(*s->at + s->offset) << left), s->multiplier);

    s->at += s->step;
    return (uint32_t)((int32_t)((uint32_t)v + (uint32_t)(v >> 31 & s->sign) + (uint32_t)s->round) >>
                      s->shift);
}

static int32_t power_of(int32_t shift)
{
    return (int32_t)(1u << ((uint32_t)shift & 31));
}

void armv7em_add_s8(const void *params, void *const *at)
{
    const struct kernel_binary *p = params;
    struct side a = side_of(at[0], p->a_strides[0], p->a_offset, p->a_multiplier, p->a_shift);
    struct side b = side_of(at[1], p->b_strides[0], p->b_offset, p->b_multiplier, p->b_shift);
    int8_t *out = at[2];
    int32_t multiplier = p->out_multiplier, power = power_of(p->out_shift);
    int32_t offset = p->out_offset;
    uint32_t left = (p->left_shift & 31) + 1u, flip = p->negative ? UINT32_MAX : 0;

    for (uint32_t n = p->dims[0]; n; n--) {
        uint32_t x = next(&a, left & 31), y = next(&b, left & 31);
        *out++ = (int8_t)dsp_finish_fast(x + (y ^ flip) - flip, multiplier, power, offset);
    }
    armv7em_clamp(at[2], p->dims[0], p->act_min, p->act_max);
}

void armv7em_mul_s8(const void *params, void *const *at)
{
    const struct kernel_binary *p = params;
    const int8_t *a = at[0], *b = at[1];
    int8_t *out = at[2];
    int32_t a_offset = p->a_offset, b_offset = p->b_offset;
    int32_t multiplier = p->out_multiplier, power = power_of(p->out_shift);
    int32_t offset = p->out_offset;
    uint32_t a_step = p->a_strides[0], b_step = p->b_strides[0];

    for (uint32_t n = p->dims[0]; n; n--, a += a_step, b += b_step)
        *out++ = (int8_t)dsp_finish_fast((uint32_t)(*a + a_offset) * (uint32_t)(*b + b_offset),
                                         multiplier, power, offset);
    armv7em_clamp(at[2], p->dims[0], p->act_min, p->act_max);
}

bool armv7em_binary_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_binary *p = params;

    return p->rank == 1 && ref_binary_s8_check(params, spans) && p->a_offset >= -256 &&
           p->a_offset <= 256 && p->b_offset >= -256 && p->b_offset <= 256;
}
