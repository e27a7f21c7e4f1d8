/* FULLY_CONNECTED_S8. Spans: as for ref, weights and struct tuned_channel as in tuned.h. */
#include "agents/kernels/check.h"
#include "agents/kernels/tuned/tuned.h"

void tuned_fully_connected_s8(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    int32_t sums[TUNED_ROW];
    const struct tuned_rows rows = {.weights = at[2],
                                    .channels = at[3],
                                    .k = p->in_n,
                                    .out_c = p->out_n,
                                    .x_factor = p->weights_offset - 128,
                                    .act_min = p->act_min,
                                    .act_max = p->act_max,
                                    .finish = tuned_finish(p->wide)};

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n, out += p->out_n)
        tuned_row(&rows, in, out, sums);
}

bool tuned_fully_connected_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;
    uint32_t blocks = p->out_n / TUNED_BLOCK + (p->out_n % TUNED_BLOCK != 0);

    return p->in_n <= 0xffffff && check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, 1) &&
           check_holds(&spans[2], blocks, TUNED_BLOCK, p->in_n, 1) &&
           check_holds(&spans[3], blocks, TUNED_BLOCK, sizeof(struct tuned_channel) / 4, 4);
}
