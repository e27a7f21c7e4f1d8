/* Windows of convolutions: where they lie, and those that reach over the border. */
#include "agents/kernels/arith.h"
#include "agents/kernels/avr/avr.h"
#include "agents/kernels/check.h"

bool avr_inside(const struct kernel_conv *p, int32_t y, int32_t x)
{
    return y >= 0 && x >= 0 && y + (p->filter_h - 1) * (int32_t)p->dilation_h < p->in_h &&
           x + (p->filter_w - 1) * (int32_t)p->dilation_w < p->in_w;
}

static int8_t zero_of(const struct kernel_conv *p)
{
    return (int8_t)(0u - (uint16_t)p->in_offset);
}

/* n times the zero point, or n bytes from `from` on; returns where they end. */
static int8_t *put(int8_t *to, const int8_t *from, int8_t zero, uint16_t n)
{
    if (from)
        __builtin_memcpy(to, from, n);
    else
        __builtin_memset(to, zero, n);
    return to + n;
}

/* One row of the window where columns lie apart. */
static int8_t *collect_apart(const struct kernel_conv *p, const int8_t *row, int32_t x, int8_t *to)
{
    for (uint16_t fx = 0; fx < p->filter_w; fx++, x += p->dilation_w) {
        bool outside = x < 0 || x >= p->in_w;
        to = put(to, outside ? 0 : row + (uint32_t)x * p->in_c, zero_of(p), p->in_c);
    }
    return to;
}

void avr_collect(const struct kernel_conv *p, const int8_t *in, int32_t y, int32_t x, int8_t *to)
{
    uint16_t width = (uint16_t)(p->filter_w * (uint32_t)p->in_c);
    /* Columns before, inside and behind the input, where they lie side by side. */
    int32_t first = arith_clamp(x, 0, p->in_w), end = arith_clamp(x + p->filter_w, 0, p->in_w);
    uint16_t inside = (uint16_t)((uint32_t)(end - first) * p->in_c);
    uint16_t before = (uint16_t)((uint32_t)arith_clamp(-x, 0, p->filter_w) * p->in_c);
    int8_t zero = zero_of(p);

    for (uint16_t fy = 0; fy < p->filter_h; fy++, y += p->dilation_h) {
        if (y < 0 || y >= p->in_h || (inside == 0 && p->dilation_w == 1)) {
            to = put(to, 0, zero, width);
            continue;
        }
        const int8_t *row = in + (uint32_t)y * p->in_w * p->in_c;
        if (p->dilation_w != 1) {
            to = collect_apart(p, row, x, to);
        } else {
            to = put(to, 0, zero, before);
            to = put(to, row + (uint32_t)first * p->in_c, zero, inside);
            to = put(to, 0, zero, (uint16_t)(width - before - inside));
        }
    }
}

bool avr_window_fits(const struct kernel_conv *p)
{
    uint32_t row = check_product(p->in_w, p->in_c);

    return p->filter_h > 0 && p->filter_h <= 0xff && p->filter_w > 0 && p->filter_w <= 0xff &&
           p->in_c > 0 && check_product(check_product(p->filter_h, p->dilation_h), row) <= 0xffff &&
           check_product((uint32_t)p->filter_h * p->filter_w, p->in_c) <= 0xffff;
}

bool avr_conv_fits(const struct kernel_conv *p, const struct kernel_span *spans)
{
    uint32_t scales = p->wide & AVR_UNIFORM ? 1 : p->out_c;

    return avr_window_fits(p) && conv_images_fit(p, spans) &&
           check_holds(&spans[3], p->out_c, 1, 1, sizeof(int32_t)) &&
           check_holds(&spans[4], scales, sizeof(struct avr_scale) / 4, 1, 4) &&
           check_holds(&spans[5], (uint32_t)p->filter_h * p->filter_w, p->in_c, 1, 1) &&
           check_apart(&spans[0], &spans[5]);
}
