/*
 * CONV_S8: pixel after pixel. Where the filter is one pixel it is read in place; other windows are
 * first collected in scratch, with the zero point for what lies outside.
 *
 * Spans: as for ref, weights and struct mve_channels as in mve.h, scratch of k bytes filled up to
 * whole vectors.
 */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/mve/copy.h"

static int8_t *collect_row(const struct kernel_conv *p, const int8_t *row, int32_t left, int8_t *to)
{
    int32_t zero = -p->in_offset, width = p->filter_w, before = 0, after = 0;

    if (p->dilation_w != 1) {
        for (; width > 0; width--, left += p->dilation_w) {
            if (left < 0 || left >= p->in_w)
                to = mve_fill(to, zero, p->in_c);
            else
                to = mve_copy(to, row + (uint32_t)left * p->in_c, p->in_c);
        }
        return to;
    }
    if (left < 0)
        before = arith_clamp(-left, 0, width);
    if (left + width > p->in_w)
        after = arith_clamp(left + width - p->in_w, 0, width - before);
    to = mve_fill(to, zero, (uint32_t)before * p->in_c);
    if (before + after < width)
        to = mve_copy(to, row + (uint32_t)(left + before) * p->in_c,
                      (uint32_t)(width - before - after) * p->in_c);
    return mve_fill(to, zero, (uint32_t)after * p->in_c);
}

static void collect(const struct kernel_conv *p, const int8_t *in, int32_t top, int32_t left,
                    int8_t *to)
{
    uint32_t stride = (uint32_t)p->in_w * p->in_c;

    for (uint32_t fy = 0; fy < p->filter_h; fy++, top += p->dilation_h) {
        if (top < 0 || top >= p->in_h)
            to = mve_fill(to, -p->in_offset, (uint32_t)p->filter_w * p->in_c);
        else
            to = collect_row(p, in + (uint32_t)top * stride, left, to);
    }
}

/* One row of the output's pixels. */
static int8_t *run_row(const struct kernel_conv *p, const struct mve_rows *rows, const int8_t *in,
                       int32_t top, void *scratch, int8_t *out)
{
    const int8_t *x = scratch;
    bool direct = conv_reads_in_place(p);
    int32_t left = -p->pad_left;

    for (uint32_t n = p->out_w; n > 0; n--, left += p->stride_w, out += p->out_c) {
        if (direct)
            x = in + ((uint32_t)top * p->in_w + (uint32_t)left) * p->in_c;
        else
            collect(p, in, top, left, scratch);
        mve_row(rows, x, out);
    }
    return out;
}

void mve_conv_s8(const void *params, void *const *at)
{
    const struct kernel_conv *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    struct mve_rows rows = {.weights = at[2],
                            .channels = at[3],
                            .k = (uint32_t)p->filter_h * p->filter_w * p->in_c,
                            .out_c = p->out_c,
                            .out_offset = p->out_offset,
                            .act_min = p->act_min,
                            .act_max = p->act_max,
                            .any_scale = p->wide};

    if (!conv_reads_in_place(p)) /* what scratch holds beyond k meets weights of zero */
        rows.k = (rows.k + MVE_VECTOR - 1) / MVE_VECTOR * MVE_VECTOR;
    for (uint32_t batch = 0; batch < p->batches; batch++) {
        int32_t top = -p->pad_top;
        for (uint32_t y = 0; y < p->out_h; y++, top += p->stride_h)
            out = run_row(p, &rows, in, top, at[4], out);
        in += (uint32_t)p->in_h * p->in_w * p->in_c;
    }
}

bool mve_conv_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_conv *p = params;
    uint32_t k = check_product((uint32_t)p->filter_h * p->filter_w, p->in_c);
    uint32_t blocks = (p->out_c + MVE_BLOCK - 1) / MVE_BLOCK;
    uint32_t vectors = k / MVE_VECTOR + (k % MVE_VECTOR != 0);

    if (p->in_c == 0 || p->filter_c != p->in_c || k > 0xffffff || !conv_stays_inside(p))
        return false;
    return conv_shapes_fit(p, spans) &&
           check_holds(&spans[2], blocks, MVE_BLOCK * MVE_VECTOR, vectors, 1) &&
           check_holds(&spans[3], blocks, 1, sizeof(struct mve_channels) / 4, 4) &&
           check_holds(&spans[4], vectors, MVE_VECTOR, 1, 1);
}
