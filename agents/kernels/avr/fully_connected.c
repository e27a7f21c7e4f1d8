/* FULLY_CONNECTED_S8. Spans: in, out, weights, int32_t biases[out_n], struct avr_scale [out_n or 1]. */
#include "agents/kernels/avr/avr.h"
#include "agents/kernels/check.h"

void avr_fully_connected_s8(const void *params, void *const *at)
{
    const struct kernel_fully_connected *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const struct avr_rows rows = {.weights = at[2],
                                  .biases = at[3],
                                  .scales = at[4],
                                  .k = (uint16_t)p->in_n,
                                  .out_c = (uint16_t)p->out_n,
                                  .out_offset = p->out_offset,
                                  .act_min = p->act_min,
                                  .act_max = p->act_max,
                                  .scales_kind = p->wide};

    for (uint32_t batch = 0; batch < p->batches; batch++, in += p->in_n, out += p->out_n)
        avr_row(&rows, in, out);
}

bool avr_fully_connected_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_fully_connected *p = params;
    uint32_t scales = p->wide & AVR_UNIFORM ? 1 : p->out_n;

    return p->in_n > 0 && p->in_n <= 0xffff && p->out_n <= 0xffff &&
           check_holds(&spans[0], p->batches, p->in_n, 1, 1) &&
           check_holds(&spans[1], p->batches, p->out_n, 1, 1) &&
           check_holds(&spans[2], p->out_n, p->in_n, 1, 1) &&
           check_holds(&spans[3], p->out_n, 1, 1, sizeof(int32_t)) &&
           check_holds(&spans[4], scales, sizeof(struct avr_scale) / 4, 1, 4);
}
