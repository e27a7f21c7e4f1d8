/* FULLY_CONNECTED_S8. Spans: as for ref, weights and struct mve_channels as in mve.h. */
#include "agents/kernels/check.h"
#include "agents/kernels/mve/mve.h"

void mve_fully_connected_s8(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const struct mve_rows rows = {.weights = at[2],
                                  .channels = at[3],
                                  .k = p->in_n,
                                  .out_c = p->out_n,
                                  .out_offset = p->out_offset,
                                  .act_min = p->act_min,
                                  .act_max = p->act_max,
                                  .any_scale = p->wide};

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n, out += p->out_n)
        mve_row(&rows, in, out);
}

bool mve_fully_connected_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;
    uint32_t blocks = p->out_n / MVE_BLOCK + (p->out_n % MVE_BLOCK != 0);
    uint32_t vectors = p->in_n / MVE_VECTOR + (p->in_n % MVE_VECTOR != 0);

    return p->in_n <= 0xffffff && check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, 1) &&
           check_holds(&spans[2], blocks, MVE_BLOCK * MVE_VECTOR, vectors, 1) &&
           check_holds(&spans[3], blocks, 1, sizeof(struct mve_channels) / 4, 4);
}
