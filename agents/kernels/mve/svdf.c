/*
 * SVDF with int8 state. Spans: in, out as for ref,
 *   feature weights as FULLY_CONNECTED's (filters are its outputs),
 *   time weights as for ref, int32_t bias [units] with the state's zero point folded in, filled up
 *   to whole blocks, state as for ref, struct mve_channels [blocks of filters] of the features,
 *   struct mve_svdf, scratch [filters].
 */
#include "agents/kernels/mve/svdf.h"

#include "agents/kernels/check.h"
#include "agents/kernels/mve/copy.h"
#include "agents/kernels/mve/scale.h"

/* n > 0 products of two rows; no byte beyond is read. */
static inline int32_t dot(const int8_t *a, const int8_t *b, uint32_t n)
{
    int32_t sum = 0;

#ifdef __ARM_FEATURE_MVE
    __asm__("wlstp.8 lr, %[n], 2f\n"
            "1: vldrb.8 q0, [%[a]], #16\n"
            "vldrb.8 q1, [%[b]], #16\n"
            "vmladava.s8 %[sum], q0, q1\n"
            "letp lr, 1b\n"
            "2:\n"
            : [sum] "+Te"(sum), [a] "+r"(a), [b] "+r"(b)
            : [n] "r"(n)
            : "lr", "q0", "q1", "memory");
#else
    for (uint32_t i = 0; i < n; i++)
        sum = (int32_t)((uint32_t)sum + (uint32_t)(a[i] * b[i]));
#endif
    return sum;
}

/* What the filters make of one row of inputs, into scratch. */
static __attribute__((noinline)) void run_features(const struct kernel_svdf *p, void *const *at,
                                                   const int8_t *in)
{
    const struct mve_svdf *s = at[7];
    const struct mve_rows rows = {.weights = at[2],
                                  .channels = at[6],
                                  .k = p->in_n,
                                  .out_c = p->filters,
                                  .out_offset = p->state_zero,
                                  .act_min = INT8_MIN,
                                  .act_max = INT8_MAX,
                                  .any_scale = s->any_scale};

    mve_row(&rows, in, at[8]);
}

/* All values one place down, and the newest of each filter at its end. */
static void remember(const struct kernel_svdf *p, const int8_t *newest, int8_t *state)
{
    uint32_t memory = p->memory;

    mve_copy(state, state + 1, p->filters * memory - 1);
    state += memory - 1;
    for (uint32_t f = p->filters; f > 0; f--, state += memory)
        *state = *newest++;
}

/* Sums of four units (or the last ones). */
static inline int32x4_t sums_of(const int8_t *state, const int8_t *w, uint32_t taps, uint32_t n)
{
    int32_t sums[MVE_BLOCK] = {0};

    for (uint32_t i = 0; i < n; i++, state += taps, w += taps)
        sums[i] = dot(state, w, taps);
    return vldrwq_s32(sums);
}

/* All outputs of one batch. */
static __attribute__((noinline)) void recall(const struct kernel_svdf *p, void *const *at,
                                             const int8_t *state, int8_t *out)
{
    const struct mve_range range = mve_range(p->out_zero, INT8_MIN, INT8_MAX);
    const struct mve_svdf *s = at[7];
    uint32_t taps = p->rank * p->memory, n;
    const int8_t *w = at[3];
    const int32_t *bias = at[4];

    for (uint32_t left = p->filters / p->rank; left > 0; left -= n, bias += MVE_BLOCK) {
        n = left < MVE_BLOCK ? left : MVE_BLOCK;
        int32x4_t v = vaddq_s32(sums_of(state, w, taps, n), vldrwq_s32(bias));
        v = mve_requantize_any(v, vdupq_n_s32(s->multiplier), vdupq_n_s32(s->shift));
        vstrbq_p_s32(out, mve_clamp(v, &range), vctp32q(n));
        out += n;
        state += n * taps;
        w += n * taps;
    }
}

void mve_svdf(const void *params, void *const *at)
{
    const struct kernel_svdf *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1], *state = at[5];

    for (uint32_t b = 0; b < p->batches; b++, in += p->in_n) {
        run_features(p, at, in);
        remember(p, at[8], state);
        recall(p, at, state, out);
        out += p->filters / p->rank;
        state += p->filters * p->memory;
    }
}

bool mve_svdf_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_svdf *p = params;
    uint32_t blocks = p->filters / MVE_BLOCK + (p->filters % MVE_BLOCK != 0);
    uint32_t vectors = p->in_n / MVE_VECTOR + (p->in_n % MVE_VECTOR != 0);

    if (p->state_type != KERNEL_S8 || p->rank == 0 || p->memory == 0 || p->filters % p->rank ||
        p->in_n > 0xffffff)
        return false;
    uint32_t units = p->filters / p->rank;
    return check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, units, 1, 1) &&
           check_holds(&spans[2], blocks, MVE_BLOCK * MVE_VECTOR, vectors, 1) &&
           check_holds(&spans[3], p->filters, p->memory, 1, 1) &&
           check_holds(&spans[4], units / MVE_BLOCK + (units % MVE_BLOCK != 0), MVE_BLOCK, 1, 4) &&
           check_holds(&spans[5], p->batches, check_product(p->filters, p->memory), 1, 1) &&
           check_holds(&spans[6], blocks, 1, sizeof(struct mve_channels) / 4, 4) &&
           check_holds(&spans[7], 1, 1, sizeof(struct mve_svdf) / 4, 4) &&
           check_holds(&spans[8], p->filters, 1, 1, 1);
}
