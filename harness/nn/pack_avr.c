/* What the kernels in agents/kernels/avr read; the layouts are described there. */
#include <string.h>

#include "agents/kernels/avr/avr.h"
#include "harness/nn/pack.h"

#define BLOCK 4u

/* Sum of the magnitudes of n weights, times that of the most negative input. */
static int64_t dot_bound(const struct pack_row *r)
{
    return pack_sum_bound(0, r->weights, r->n, r->stride);
}

/* False when the sums of this row, or its shift, are not for avr_scale(). */
static bool make_scale(const struct pack_row *r, struct avr_scale *ret, uint8_t *ret_power)
{
    const int n = r->multiplier ? -r->shift : 1; /* whatever the shift is */
    const int64_t sum = dot_bound(r) + (r->bias < 0 ? -(int64_t)r->bias : r->bias);

    if (r->multiplier < 0 || n < 1 || n > AVR_MAX_SHIFT || sum >= AVR_SUM_LIMIT)
        return false;
    const int64_t most = (sum * r->multiplier >> 31) + 2 + (1 << (n - 1));
    if (most >= AVR_SUM_LIMIT || most >> n > AVR_MAX_RESULT)
        return false;
    const unsigned drop = ((unsigned)n + 7) / 8;
    *ret = (struct avr_scale){(uint32_t)r->multiplier * 2, 1u << (n - 1) << 8 | drop};
    *ret_power = (uint8_t)(1u << (8 * drop - (unsigned)n));
    return true;
}

/* Constants of n rows. */
struct constants {
    int32_t *biases;
    struct avr_scale *scales;
    size_t scale_count;
    uint8_t kind; /* enum avr_scales */
};

/* False when a sum of products may not fit into 24 bits. */
static bool make_constants(struct nn_lower *l, const struct pack_row *rows, size_t n,
                           struct constants *ret)
{
    bool uniform = true, any = false;

    *ret = (struct constants){.biases = pack_alloc(l, n * sizeof *ret->biases),
                              .scales = pack_alloc(l, n * sizeof *ret->scales)};
    for (size_t i = 0; i < n; i++) {
        uint8_t power = 0;
        if (dot_bound(&rows[i]) >= AVR_SUM_LIMIT)
            return false;
        any = any || !make_scale(&rows[i], &ret->scales[i], &power);
        ret->biases[i] = (int32_t)((uint32_t)rows[i].bias << 8 | power);
        uniform =
            uniform && rows[i].multiplier == rows[0].multiplier && rows[i].shift == rows[0].shift;
    }
    for (size_t i = 0; any && i < n; i++) {
        ret->biases[i] = rows[i].bias;
        ret->scales[i] = (struct avr_scale){(uint32_t)rows[i].multiplier, (uint32_t)rows[i].shift};
    }
    ret->scale_count = uniform ? 1 : n;
    ret->kind = (uint8_t)((any ? AVR_ANY : 0) | (uniform ? AVR_UNIFORM : 0));
    return true;
}

/* Rows as blocks [k][4]; what is left over as rows. */
static int8_t *make_blocks(struct nn_lower *l, const struct pack_row *rows, size_t n)
{
    const size_t k = n ? rows[0].n : 0, whole = n / BLOCK * BLOCK;
    int8_t *to = pack_alloc(l, n * k);

    for (size_t c = 0; c < n; c++) {
        const size_t block = c < whole ? BLOCK : 1;
        int8_t *first = to + c / block * block * k + c % block;
        for (size_t i = 0; i < k; i++)
            first[i * block] = rows[c].weights[i * rows[c].stride];
    }
    return to;
}

static void set_constants(struct nn_lower *l, struct nn_step *s, const struct constants *c,
                          size_t n)
{
    pack_constant(l, s, 3, "biases", c->biases, n * sizeof *c->biases);
    pack_constant(l, s, 4, "scales", c->scales, c->scale_count * sizeof *c->scales);
}

/* ---- convolutions ---- */

/* The weights of output channel c begin at c * row and lie `stride` apart. */
static struct pack_row *conv_rows(struct nn_lower *l, const struct nn_step *s, size_t k, size_t row,
                                  size_t stride)
{
    const struct kernel_conv *p = s->params;
    const struct kernel_channel *plain = pack_data(l, s, 3);
    const int8_t *weights = pack_data(l, s, 2);
    struct pack_row *rows = pack_alloc(l, p->out_c * sizeof *rows);

    for (size_t i = 0; i < p->out_c; i++) {
        const int8_t *w = weights + i * row;
        rows[i] = (struct pack_row){pack_fold_bias(plain[i].bias, p->in_offset, w, k, stride),
                                    plain[i].multiplier,
                                    plain[i].shift,
                                    w,
                                    k,
                                    stride};
    }
    return rows;
}

static bool pack_rows(struct nn_lower *l, struct nn_step *s, size_t k, size_t row, size_t stride,
                      bool blocks)
{
    const struct kernel_conv *p = s->params;
    struct constants c;

    if (!pack_data(l, s, 2) || !pack_data(l, s, 3) || !avr_window_fits(p) || p->out_c == 0)
        return false;
    const struct pack_row *rows = conv_rows(l, s, k, row, stride);
    if (!make_constants(l, rows, p->out_c, &c))
        return false;
    int8_t *weights = blocks ? make_blocks(l, rows, p->out_c) : pack_alloc(l, p->out_c * k);
    for (size_t i = 0; !blocks && i < p->out_c * k; i++)
        weights[i] = rows[i / k].weights[i % k * stride];
    ((struct kernel_conv *)pack_params(l, s))->wide = c.kind;
    pack_constant(l, s, 2, "weights", weights, p->out_c * k);
    set_constants(l, s, &c, p->out_c);
    pack_scratch(l, s, 5, (size_t)p->filter_h * p->filter_w * p->in_c);
    return true;
}

bool pack_avr_conv(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const size_t k = (size_t)p->filter_h * p->filter_w * p->in_c;

    return p->filter_c == p->in_c && pack_rows(l, s, k, k, 1, true);
}

bool pack_avr_depthwise(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_conv *p = s->params;
    const size_t taps = (size_t)p->filter_h * p->filter_w;

    if (p->in_c != 1)
        return pack_rows(l, s, taps, 1, p->out_c, false);
    if (!pack_rows(l, s, taps, 1, p->out_c, true))
        return false;
    s->kind = KERNEL_CONV_S8; /* each output channel reads all inputs */
    struct kernel_conv *q = pack_params(l, s);
    q->filter_c = 1;
    return true;
}

/* ---- FULLY_CONNECTED ---- */

bool pack_avr_fully_connected(struct nn_lower *l, struct nn_step *s)
{
    const struct kernel_fully_connected *p = s->params;
    const int8_t *weights = pack_data(l, s, 2);
    const int32_t *biases = pack_data(l, s, 3);
    const struct kernel_channel *plain = pack_data(l, s, 3);
    struct constants c;

    if (!weights || !biases || p->weights_offset != 0 || p->in_n == 0 || p->in_n > 0xffff ||
        p->out_n == 0 || p->out_n > 0xffff)
        return false;
    struct pack_row *rows = pack_alloc(l, p->out_n * sizeof *rows);
    for (size_t i = 0; i < p->out_n; i++) {
        rows[i] = (struct pack_row){.weights = weights + i * p->in_n, .n = p->in_n, .stride = 1};
        rows[i].bias = pack_fold_bias(p->per_channel ? plain[i].bias : biases[i], p->in_offset,
                                      rows[i].weights, p->in_n, 1);
        rows[i].multiplier = p->per_channel ? plain[i].multiplier : p->multiplier;
        rows[i].shift = p->per_channel ? plain[i].shift : p->shift;
    }
    if (!make_constants(l, rows, p->out_n, &c))
        return false;
    ((struct kernel_fully_connected *)pack_params(l, s))->wide = c.kind;
    pack_constant(l, s, 2, "weights", make_blocks(l, rows, p->out_n), (size_t)p->out_n * p->in_n);
    set_constants(l, s, &c, p->out_n);
    return true;
}
