/*
 * CONV_S8: two pixels at a time, collected in scratch, with the zero point for what lies outside.
 * Where the filter is one pixel, the second is read in place (but see TUNED_PACKED_PAIRS). No input
 * is read after the outputs of a later pixel have been begun that may lie in its place.
 *
 * Spans: as for ref, weights and struct tuned_channel [blocks of out_c][4] as in tuned.h, scratch.
 */
#include "agents/kernels/check.h"
#include "agents/kernels/tuned/copy.h"
#include "agents/kernels/tuned/scale.h"

struct conv {
    const struct kernel_conv *p;
    const int8_t *in; /* of this batch */
    struct tuned_rows rows;
    int32_t *sums; /* [2][TUNED_PAIR], and what lies behind them */
    /* The next pixel. */
    uint32_t x, left;
    int32_t in_y, in_x;
};

static int8_t *scratch_of(const struct conv *c)
{
    return (int8_t *)c->sums + TUNED_CONV_SUMS;
}

/* One row of the window where columns lie apart. */
static void collect_apart(const struct kernel_conv *p, const int8_t *row, int32_t left,
                          struct tuned_sink *to)
{
    for (uint32_t fx = 0; fx < p->filter_w; fx++, left += p->dilation_w) {
        if (left < 0 || left >= p->in_w)
            tuned_fill(to, -p->in_offset, p->in_c);
        else
            tuned_copy(to, row + (uint32_t)left * p->in_c, p->in_c);
    }
}

static void collect(const struct conv *c, struct tuned_sink *to)
{
    const struct kernel_conv *p = c->p;
    uint32_t stride = (uint32_t)p->in_w * p->in_c, width = (uint32_t)p->filter_w * p->in_c;
    int32_t y = c->in_y, left = c->in_x, right = left + p->filter_w;
    /* Bytes of a row before, inside and behind the input, where columns lie side by side. */
    uint32_t before = left < 0 ? (uint32_t)arith_clamp(-left, 0, p->filter_w) * p->in_c : 0;
    uint32_t behind = 0;

    if (right > p->in_w)
        behind = (uint32_t)arith_clamp(right - p->in_w, 0, p->filter_w) * p->in_c;
    uint32_t inside = before + behind < width ? width - before - behind : 0;
    uint32_t first = (uint32_t)(left < 0 ? 0 : left) * p->in_c;
    for (uint32_t fy = 0; fy < p->filter_h; fy++, y += p->dilation_h) {
        if (y < 0 || y >= p->in_h) {
            tuned_fill(to, -p->in_offset, width);
            continue;
        }
        const int8_t *row = c->in + (uint32_t)y * stride;
        if (p->dilation_w != 1) {
            collect_apart(p, row, left, to);
            continue;
        }
        if (before)
            tuned_fill(to, -p->in_offset, before);
        if (inside)
            tuned_copy(to, row + first, inside);
        if (behind)
            tuned_fill(to, -p->in_offset, behind);
    }
}

/* On to the next pixel of the output. */
static void advance(struct conv *c)
{
    const struct kernel_conv *p = c->p;

    c->left--;
    c->in_x += p->stride_w;
    if (++c->x == p->out_w) {
        c->x = 0;
        c->in_x = -p->pad_left;
        c->in_y += p->stride_h;
    }
}

static const int8_t *in_place(const struct conv *c)
{
    return c->in + ((uint32_t)c->in_y * c->p->in_w + (uint32_t)c->in_x) * c->p->in_c;
}

#if TUNED_PACKED_PAIRS

/* The next pixel goes into one half of each pair; returns the sum of its inputs plus 128. */
static uint32_t pack_pixel(struct conv *c, unsigned half)
{
    struct tuned_sink to = {(uint16_t *)(void *)scratch_of(c) + half, 0};

    if (conv_reads_in_place(c->p))
        tuned_copy(&to, in_place(c), c->rows.k);
    else
        collect(c, &to);
    advance(c);
    return to.sum;
}

/* sums holds products of pairs; with inputs and weights 128 too large. */
static void split(uint32_t *sums, const struct tuned_channel *c)
{
    for (uint32_t i = 0; i < TUNED_PAIR; i++, c++) {
        uint32_t second = sums[4 + i];
        uint32_t weights = (uint32_t)(c->shift >> 8) << 7;
        sums[i] -= (second << 16) + weights;
        sums[4 + i] = second - weights;
    }
}

/* The next pixel, and the one after it if there is one. */
static int8_t *run_pixels(struct conv *c, int8_t *out)
{
    const struct tuned_rows *r = &c->rows;
    const uint8_t *weights = r->weights;
    uint32_t two = c->left > 1;
    uint32_t extra[2] = {pack_pixel(c, 0) * (uint32_t)r->x_factor, 0};
    uint32_t *packed = (uint32_t *)c->sums;

    if (two)
        extra[1] = pack_pixel(c, 1) * (uint32_t)r->x_factor;
    for (uint32_t i = 0; i < r->out_c; i += TUNED_PAIR, weights += TUNED_PAIR * r->k) {
        uint32_t n = r->out_c - i < TUNED_PAIR ? r->out_c - i : TUNED_PAIR;
        tuned_dot_packed(packed, weights, (const uint32_t *)(const void *)scratch_of(c), r->k);
        split(packed, r->channels + i);
        if (two)
            tuned_finish_pair(r, r->channels + i, c->sums, extra, n, out + i);
        else
            r->finish(r, r->channels + i, c->sums, extra[0], n, out + i);
    }
    return out + (two ? 2 : 1) * r->out_c;
}

#else

/* The inputs of the next pixel; collected in `scratch` if need be. */
static const int8_t *pixel_row(struct conv *c, void *scratch)
{
    struct tuned_sink to = {{scratch}};
    const int8_t *row = to.bytes.to;

    if (conv_reads_in_place(c->p))
        row = in_place(c);
    else
        collect(c, &to);
    advance(c);
    return row;
}

static void run_pair(const struct conv *v, const int8_t *x, const int8_t *x2, int8_t *out)
{
    const struct tuned_rows *r = &v->rows;
    int32_t *sums = v->sums;
    const uint32_t extra[2] = {(uint32_t)tuned_sum(x, r->k) * (uint32_t)r->x_factor,
                               (uint32_t)tuned_sum(x2, r->k) * (uint32_t)r->x_factor};
    const uint8_t *weights = r->weights;
    uint32_t block = TUNED_BLOCK * r->k;
    uint32_t n;

    for (uint32_t c = 0; c < r->out_c; c += n, weights += n / TUNED_BLOCK * block) {
        uint32_t left = r->out_c - c;
        n = TUNED_PAIR;
        if (left > TUNED_PAIR - TUNED_BLOCK) {
            tuned_dot_pair(sums, weights, x, x2, r->k, block);
        } else {
            n = TUNED_BLOCK;
            tuned_dot_block(sums, weights, x, r->k);
            tuned_dot_block(sums + TUNED_PAIR, weights, x2, r->k);
        }
        tuned_finish_pair(r, r->channels + c, sums, extra, left < n ? left : n, out + c);
    }
}

static int8_t *run_pixels(struct conv *c, int8_t *out)
{
    const struct tuned_rows *r = &c->rows;

    if (c->left > 1) {
        const int8_t *x = pixel_row(c, scratch_of(c));
        if (conv_reads_in_place(c->p)) { /* else the second's outputs might come to lie on it */
            struct tuned_bytes to = {scratch_of(c)};
            tuned_copy_bytes(&to, x, r->k);
            x = scratch_of(c);
        }
        const int8_t *x2 = pixel_row(c, scratch_of(c) + ((r->k + 3) & ~3u));
        run_pair(c, x, x2, out);
        return out + 2 * r->out_c;
    }
    tuned_row(r, pixel_row(c, scratch_of(c)), out, c->sums);
    return out + r->out_c;
}

#endif

void tuned_conv_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    int8_t *out = at[1];
    struct conv c = {
        .p = p,
        .in = at[0],
        .rows = {.weights = at[2],
                 .channels = at[3],
                 .k = (uint32_t)p->filter_h * p->filter_w * p->in_c,
                 .out_c = p->out_c,
                 .x_factor = -128,
                 .act_min = p->act_min,
                 .act_max = p->act_max,
                 .finish = tuned_finish(p->wide)},
        .sums = at[4],
    };

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        c.x = 0;
        c.in_x = -p->pad_left;
        c.in_y = -p->pad_top;
        c.left = (uint32_t)p->out_h * p->out_w;
        while (c.left > 0)
            out = run_pixels(&c, out);
        c.in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool tuned_conv_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t k = check_product((uint32_t)p->filter_h * p->filter_w, p->in_c);
    uint32_t blocks = (p->out_c + TUNED_BLOCK - 1) / TUNED_BLOCK;

    if (p->in_c == 0 || p->filter_c != p->in_c || k > 0xffffff || !conv_stays_inside(p))
        return false;
    return conv_shapes_fit(p, spans) && check_holds(&spans[2], blocks, TUNED_BLOCK, k, 1) &&
           check_holds(&spans[3], blocks, TUNED_BLOCK, sizeof(struct tuned_channel) / 4, 4) &&
           check_holds(&spans[4], TUNED_CONV_SCRATCH(k), 1, 1, 1) && check_aligned(&spans[4], 4);
}
