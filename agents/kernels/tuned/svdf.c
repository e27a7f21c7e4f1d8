/*
 * SVDF with int8 state. Spans: in, out as for ref,
 *   feature weights in blocks as FULLY_CONNECTED's (filters are its outputs),
 *   time weights in blocks (svdf.h), struct tuned_channel [units] of the outputs, with the state's
 *   zero point folded in, state in blocks, struct tuned_channel [blocks of filters][4] of the
 *   features, struct tuned_svdf, scratch: int32_t [filters + TUNED_ROW], then a byte for each filter.
 */
#include "agents/kernels/tuned/svdf.h"

#include "agents/kernels/check.h"
#include "agents/kernels/tuned/dot.h"

/* What the filters make of one row of inputs. */
static __attribute__((noinline)) void run_features(const struct kernel_svdf *p, void *const *at,
                                                   const int8_t *in, int8_t *features)
{
    const struct tuned_svdf *s = at[7];
    const struct tuned_rows rows = {.weights = at[2],
                                    .channels = at[6],
                                    .k = p->in_n,
                                    .out_c = p->filters,
                                    .x_factor = -128,
                                    .act_min = INT8_MIN,
                                    .act_max = INT8_MAX,
                                    .finish = tuned_finish(s->features)};

    tuned_row(&rows, in, features, at[8]);
}

/* Filters that are in no block. */
static void recall_rest(int8_t *state, const int8_t *weights, uint32_t memory, const int8_t *newest,
                        uint32_t *sums, uint32_t filters)
{
    for (; filters > 0; filters--) {
        uint32_t sum = 0;
        for (uint32_t left = memory; left > 0; left--, state++) {
            *state = left > 1 ? state[1] : *newest;
            sum += (uint32_t)(*state * *weights++);
        }
        newest++;
        *sums++ = sum;
    }
}

static void recall(const struct kernel_svdf *p, int8_t *state, const int8_t *weights,
                   const int8_t *newest, uint32_t *sums)
{
    uint32_t blocks = tuned_svdf_blocks(p), n = blocks * TUNED_BLOCK;

    if (blocks)
        tuned_recall_blocks(state, weights, p->memory, newest, sums, blocks);
    recall_rest(state + n * p->memory, weights + n * p->memory, p->memory, newest + n, sums + n,
                p->filters - n);
}

/* Those of the filters of a unit become one, from `sums` on. */
static void add_up(uint32_t *sums, uint32_t units, uint32_t rank)
{
    const uint32_t *from = sums;

    for (; units > 0; units--) {
        uint32_t sum = 0;
        for (uint32_t f = rank; f > 0; f--)
            sum += *from++;
        *sums++ = sum;
    }
}

void tuned_svdf(const void *params, void *const *at)
{
    const struct kernel_svdf *p = params;
    const struct tuned_svdf *s = at[7];
    static const struct tuned_rows outputs = {.act_min = INT8_MIN, .act_max = INT8_MAX};
    tuned_finish_fn *finish = tuned_finish(s->outputs);
    const int8_t *in = at[0];
    int8_t *out = at[1], *state = at[5];
    uint32_t *sums = at[8], units = p->filters / p->rank;
    int8_t *features = (int8_t *)(sums + p->filters + TUNED_ROW);

    for (uint32_t b = 0; b < p->batches; b++, in += p->in_n, out += units) {
        run_features(p, at, in, features);
        recall(p, state, at[3], features, sums);
        state += p->filters * p->memory;
        if (p->rank > 1)
            add_up(sums, units, p->rank);
        finish(&outputs, at[4], at[8], 0, units, out);
    }
}

bool tuned_svdf_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_svdf *p = params;
    uint32_t blocks = p->filters / TUNED_BLOCK + (p->filters % TUNED_BLOCK != 0);

    if (p->state_type != KERNEL_S8 || p->rank == 0 || p->memory == 0 || p->filters % p->rank ||
        p->in_n > 0xffffff)
        return false;
    uint32_t units = p->filters / p->rank;
    return check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, units, 1, 1) &&
           check_holds(&spans[2], blocks, TUNED_BLOCK, p->in_n, 1) &&
           check_holds(&spans[3], p->filters, p->memory, 1, 1) &&
           check_holds(&spans[4], units, 1, sizeof(struct tuned_channel) / 4, 4) &&
           check_holds(&spans[5], p->batches, check_product(p->filters, p->memory), 1, 1) &&
           check_aligned(&spans[5], 4) &&
           check_holds(&spans[6], blocks, TUNED_BLOCK, sizeof(struct tuned_channel) / 4, 4) &&
           check_holds(&spans[7], 1, 1, sizeof(struct tuned_svdf) / 4, 4) &&
           check_holds(&spans[8], check_product(p->filters, 5), 1, 1, 1) &&
           spans[8].size - 5 * p->filters >= 4 * TUNED_ROW && check_aligned(&spans[8], 4);
}
