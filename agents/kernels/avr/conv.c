/*
 * CONV_S8: the window of each pixel is collected in scratch, unless it is one pixel and read in
 * place. Spans: in, out, weights, int32_t biases[out_c], struct avr_scale [out_c or 1], scratch [k].
 */
#include "agents/kernels/avr/avr.h"
#include "agents/kernels/check.h"

struct conv {
    const struct kernel_conv *p;
    const int8_t *in; /* of this batch */
    int8_t *scratch;
    struct avr_rows rows;
};

static void run_pixel(const struct conv *c, int32_t y, int32_t x, int8_t *out)
{
    const struct kernel_conv *p = c->p;

    if (p->filter_h == 1 && p->filter_w == 1 && avr_inside(p, y, x)) {
        avr_row(&c->rows, c->in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c, out);
        return;
    }
    avr_collect(p, c->in, y, x, c->scratch);
    avr_row(&c->rows, c->scratch, out);
}

void avr_conv_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    int8_t *out = at[1];
    struct conv c = {.p = p,
                     .in = at[0],
                     .scratch = at[5],
                     .rows = {.weights = at[2],
                              .biases = at[3],
                              .scales = at[4],
                              .k = (uint16_t)((uint32_t)p->filter_h * p->filter_w * p->in_c),
                              .out_c = p->out_c,
                              .out_offset = p->out_offset,
                              .act_min = p->act_min,
                              .act_max = p->act_max,
                              .scales_kind = (uint8_t)p->wide}};

    for (uint16_t batch = 0; batch < p->batches; batch++) {
        int32_t y = -(int32_t)p->pad_top;
        for (uint16_t oy = 0; oy < p->out_h; oy++, y += p->stride_h) {
            int32_t x = -(int32_t)p->pad_left;
            for (uint16_t ox = 0; ox < p->out_w; ox++, x += p->stride_w, out += p->out_c)
                run_pixel(&c, y, x, out);
        }
        c.in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool avr_conv_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;

    return p->filter_c == p->in_c && avr_conv_fits(p, spans) &&
           check_holds(&spans[2], p->out_c, (uint32_t)p->filter_h * p->filter_w, p->in_c, 1);
}
