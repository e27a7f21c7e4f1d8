/*
 * DEPTHWISE_S8: windows are read in place; those that reach over the border are collected in scratch
 * first. Spans: in, out, weights, int32_t biases[out_c], struct avr_scale [out_c or 1], scratch
 * [filter_h * filter_w * in_c].
 */
#include "agents/kernels/avr/avr.h"
#include "agents/kernels/check.h"

struct depthwise {
    const struct kernel_conv *p;
    const int8_t *in; /* of this batch */
    int8_t *scratch;
    struct avr_window in_place, collected;
    struct avr_rows rows;
};

/* The channels of one pixel, whose window begins at x. */
static void run_channels(const struct depthwise *d, const int8_t *x, const struct avr_window *w,
                         int8_t *out)
{
    struct avr_cursor cursor = avr_cursor_at(&d->rows, out);
    uint16_t multiplier = d->p->out_c / d->p->in_c, left = multiplier;
    const int8_t *weights = d->rows.weights;
    int32_t sums[4];
    uint8_t n = 0;

    for (uint16_t c = d->p->out_c; c > 0; c--, weights += d->rows.k) {
        sums[n++] = avr_dot_window(x, weights, w);
        if (--left == 0) {
            left = multiplier;
            x++;
        }
        if (n == 4 || c == 1) {
            avr_finish(&cursor, sums, n);
            n = 0;
        }
    }
}

static void run_pixel(const struct depthwise *d, int32_t y, int32_t x, int8_t *out)
{
    const struct kernel_conv *p = d->p;

    if (avr_inside(p, y, x)) {
        const int8_t *first = d->in + ((uint32_t)y * p->in_w + (uint32_t)x) * p->in_c;
        run_channels(d, first, &d->in_place, out);
        return;
    }
    avr_collect(p, d->in, y, x, d->scratch);
    run_channels(d, d->scratch, &d->collected, out);
}

void avr_depthwise_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    int8_t *out = at[1];
    uint8_t rows = (uint8_t)p->filter_h, columns = (uint8_t)p->filter_w;
    uint32_t column = (uint32_t)p->dilation_w * p->in_c;
    uint32_t row = (uint32_t)p->dilation_h * p->in_w * p->in_c;
    struct depthwise d = {
        .p = p,
        .in = at[0],
        .scratch = at[5],
        .in_place = {rows, columns, (uint16_t)column, (uint16_t)(row - columns * column)},
        .collected = {rows, columns, p->in_c, 0},
        .rows = {.weights = at[2],
                 .biases = at[3],
                 .scales = at[4],
                 .k = (uint16_t)(rows * (uint16_t)columns),
                 .out_offset = p->out_offset,
                 .act_min = p->act_min,
                 .act_max = p->act_max,
                 .scales_kind = (uint8_t)p->wide}};

    for (uint16_t batch = 0; batch < p->batches; batch++) {
        int32_t y = -(int32_t)p->pad_top;
        for (uint16_t oy = 0; oy < p->out_h; oy++, y += p->stride_h) {
            int32_t x = -(int32_t)p->pad_left;
            for (uint16_t ox = 0; ox < p->out_w; ox++, x += p->stride_w, out += p->out_c)
                run_pixel(&d, y, x, out);
        }
        d.in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool avr_depthwise_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;

    return avr_conv_fits(p, spans) && p->out_c >= p->in_c && p->out_c % p->in_c == 0 &&
           check_holds(&spans[2], p->out_c, p->filter_h, p->filter_w, 1);
}
