/* Operators that slide a window over an image: convolutions and pools. */
#include <math.h>
#include <string.h>

#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

/* One axis of a sliding window. */
struct axis {
    int64_t in, out, filter, stride, dilation, pad;
};

/* ComputeOutSize() and ComputePadding(): the padding before the first element, at least 0. */
static int fit_axis(struct nn_lower *l, const char *name, enum nn_padding padding, struct axis *a)
{
    int64_t extent = (a->filter - 1) * a->dilation + 1;

    if (a->stride < 1 || a->dilation < 1 || a->filter < 1 || a->stride > INT16_MAX ||
        a->dilation > INT16_MAX || a->filter > INT16_MAX || extent > INT16_MAX)
        return LOWER_FAIL(l, "%s: filter %lld, stride %lld, dilation %lld are not supported", name,
                          (long long)a->filter, (long long)a->stride, (long long)a->dilation);
    int64_t out = padding == NN_SAME ? (a->in + a->stride - 1) / a->stride
                                     : (a->in + a->stride - extent) / a->stride;
    if (out != a->out)
        return LOWER_FAIL(l, "%s: the output has %lld, %lld are computed", name, (long long)a->out,
                          (long long)out);
    int64_t total = (out - 1) * a->stride + extent - a->in;
    a->pad = total > 0 ? total / 2 : 0;
    return 0;
}

static int check_dims(struct nn_lower *l, const struct nn_tensor *t)
{
    if (lower_rank(l, t, 4) < 0)
        return lower_failed(l);
    for (unsigned i = 0; i < 4; i++) {
        if (t->dims[i] > INT16_MAX)
            return LOWER_FAIL_TENSOR(l, lower_index(l, t), "dimension %u is %d, at most %d", i,
                                     t->dims[i], INT16_MAX);
    }
    return 0;
}

/* Both axes of an operator with input `in`, output `out` and a filter of h x w. */
static int fit_window(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                      int32_t filter_h, int32_t filter_w, struct axis ret[2])
{
    const struct nn_window *w = &l->op->options.window;

    if (check_dims(l, in) < 0 || check_dims(l, out) < 0)
        return lower_failed(l);
    if (w->padding != NN_SAME && w->padding != NN_VALID)
        return LOWER_FAIL(l, "padding %d is not supported", (int)w->padding);
    if (in->dims[0] != out->dims[0])
        return LOWER_FAIL(l, "batch of %d in, %d out", in->dims[0], out->dims[0]);
    ret[0] = (struct axis){in->dims[1], out->dims[1], filter_h, w->stride_h, w->dilation_h, 0};
    ret[1] = (struct axis){in->dims[2], out->dims[2], filter_w, w->stride_w, w->dilation_w, 0};
    if (fit_axis(l, "height", w->padding, &ret[0]) < 0 ||
        fit_axis(l, "width", w->padding, &ret[1]) < 0)
        return lower_failed(l);
    return 0;
}

/*
 * How far the output may start after the input so that writing never passes what is still to be
 * read, for a kernel that goes over the output's pixels in order and may write a pixel while it
 * still reads that pixel's window.
 */
static int32_t window_slack(const struct axis a[2], int64_t batches, int64_t in_c, int64_t out_c)
{
    int64_t slack = INT32_MAX / 2;
    int64_t image = a[0].in * a[1].in, row = a[1].in;
    int64_t low = batches * image; /* first input pixel that this and later pixels read */

    for (int64_t b = batches; b-- > 0;) {
        for (int64_t p = a[0].out * a[1].out; p-- > 0;) {
            int64_t y = p / a[1].out * a[0].stride - a[0].pad;
            int64_t x = p % a[1].out * a[1].stride - a[1].pad;
            int64_t from = b * image + (y > 0 ? y : 0) * row + (x > 0 ? x : 0);
            int64_t end = (b * a[0].out * a[1].out + p + 1) * out_c;
            low = from < low ? from : low;
            slack = low * in_c - end < slack ? low * in_c - end : slack;
        }
    }
    return (int32_t)(slack < INT32_MIN / 2 ? INT32_MIN / 2 : slack);
}

/* ---- convolutions ---- */

static int check_bias(struct nn_lower *l, const struct nn_tensor *bias, int32_t channels)
{
    if (!bias)
        return 0;
    int32_t index = lower_index(l, bias);
    if (!bias->data || bias->type != NN_INT32)
        return LOWER_FAIL_TENSOR(l, index, "the bias must be a constant of type INT32");
    if (bias->elements != (size_t)channels)
        return LOWER_FAIL_TENSOR(l, index, "holds %zu biases for %d channels", bias->elements,
                                 channels);
    return 0;
}

/* PopulateConvolutionQuantizationParams(): one multiplier per output channel. */
static struct kernel_channel *make_channels(struct nn_lower *l, const struct nn_tensor *in,
                                            const struct nn_tensor *filter,
                                            const struct nn_tensor *bias,
                                            const struct nn_tensor *out, int32_t count)
{
    struct kernel_channel *c = arena_alloc(l->arena, (size_t)count * sizeof *c);

    for (int32_t i = 0; i < count; i++) {
        float scale = filter->quant.scale[filter->quant.count > 1 ? i : 0];
        double real = (double)in->quant.scale[0] * (double)scale / (double)out->quant.scale[0];
        struct quant_multiplier m;
        if (!(scale >= 0) || !quant_multiplier(real, &m)) {
            LOWER_FAIL_TENSOR(l, lower_index(l, filter), "scale %g of channel %d cannot be used",
                              (double)scale, i);
            return NULL;
        }
        c[i] = (struct kernel_channel){(int32_t)(bias ? lower_const_int(bias, (size_t)i) : 0),
                                       m.multiplier, m.shift};
    }
    return c;
}

static int check_filter(struct nn_lower *l, const struct nn_tensor *filter, unsigned axis)
{
    int32_t index = lower_index(l, filter);

    if (check_dims(l, filter) < 0)
        return lower_failed(l);
    if (filter->elements == 0 || filter->quant.count == 0)
        return LOWER_FAIL_TENSOR(l, index, "has no elements or no scale");
    if (filter->quant.count > 1 && filter->quant.axis != axis)
        return LOWER_FAIL_TENSOR(l, index, "is quantised along dimension %u, %u is expected",
                                 filter->quant.axis, axis);
    for (size_t i = 0; i < filter->quant.count; i++) {
        if (filter->quant.zero_point[i] != 0)
            return LOWER_FAIL_TENSOR(l, index,
                                     "zero point %d of channel %zu: weights must be "
                                     "symmetric",
                                     filter->quant.zero_point[i], i);
    }
    return 0;
}

static int set_range(struct nn_lower *l, const struct nn_tensor *out, int16_t *min, int16_t *max)
{
    int32_t low = out->type == NN_INT16 ? INT16_MIN : INT8_MIN;
    int32_t high = out->type == NN_INT16 ? INT16_MAX : INT8_MAX;
    enum nn_activation activation = l->op->options.activation;

    if (!quant_activation_range(activation, out->quant.scale[0], out->quant.zero_point[0], &low,
                                &high))
        return LOWER_FAIL(l, "fused activation %s is not supported",
                          nn_activation_name(activation));
    *min = (int16_t)low;
    *max = (int16_t)high;
    return 0;
}

static struct kernel_conv conv_params(const struct nn_tensor *in, const struct nn_tensor *out,
                                      const struct axis a[2])
{
    return (struct kernel_conv){
        .batches = (uint16_t)in->dims[0],
        .in_h = (uint16_t)a[0].in,
        .in_w = (uint16_t)a[1].in,
        .in_c = (uint16_t)in->dims[3],
        .out_h = (uint16_t)a[0].out,
        .out_w = (uint16_t)a[1].out,
        .out_c = (uint16_t)out->dims[3],
        .filter_h = (uint16_t)a[0].filter,
        .filter_w = (uint16_t)a[1].filter,
        .stride_h = (uint16_t)a[0].stride,
        .stride_w = (uint16_t)a[1].stride,
        .dilation_h = (uint16_t)a[0].dilation,
        .dilation_w = (uint16_t)a[1].dilation,
        .pad_top = (int16_t)a[0].pad,
        .pad_left = (int16_t)a[1].pad,
        .in_offset = (int16_t)-in->quant.zero_point[0],
        .out_offset = (int16_t)out->quant.zero_point[0],
    };
}

struct conv {
    const struct nn_tensor *in, *filter, *bias, *out;
    struct axis axes[2];
    struct kernel_conv params;
};

/* What CONV_2D and DEPTHWISE_CONV_2D have in common; `axis` of the filter is the output channel. */
static int read_conv(struct nn_lower *l, unsigned axis, struct conv *c)
{
    if (lower_arity(l, 2, 3, 1) < 0)
        return lower_failed(l);
    c->in = lower_in(l, 0, TYPE_BIT(NN_INT8));
    c->out = c->in ? lower_out(l, 0, TYPE_BIT(NN_INT8)) : NULL;
    c->filter = c->out ? lower_const(l, 1, NN_INT8) : NULL;
    c->bias = lower_optional(l, 2);
    if (!c->filter || check_filter(l, c->filter, axis) < 0 ||
        fit_window(l, c->in, c->out, c->filter->dims[1], c->filter->dims[2], c->axes) < 0)
        return lower_failed(l);
    if (c->filter->dims[axis] != c->out->dims[3])
        return LOWER_FAIL_TENSOR(l, lower_index(l, c->filter),
                                 "makes %d channels, the output has %d", c->filter->dims[axis],
                                 c->out->dims[3]);
    c->params = conv_params(c->in, c->out, c->axes);
    if (check_bias(l, c->bias, c->out->dims[3]) < 0 ||
        set_range(l, c->out, &c->params.act_min, &c->params.act_max) < 0)
        return lower_failed(l);
    return 0;
}

static int emit_conv(struct nn_lower *l, enum kernel_kind kind, const struct conv *c)
{
    struct kernel_channel *channels =
        make_channels(l, c->in, c->filter, c->bias, c->out, c->out->dims[3]);

    if (!channels)
        return lower_failed(l);
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, &c->params);
    if (lower_add_in(l, s, c->in) < 0 || lower_add_out(l, s, c->out) < 0 ||
        lower_add_in(l, s, c->filter) < 0)
        return lower_failed(l);
    lower_span(s,
               lower_constant(l, "channels", channels, (size_t)c->out->dims[3] * sizeof *channels));
    lower_share(s, 1, 0, window_slack(c->axes, c->in->dims[0], c->in->dims[3], c->out->dims[3]));
    return 0;
}

int lower_conv_2d(struct nn_lower *l)
{
    struct conv c = {0};

    if (read_conv(l, 0, &c) < 0)
        return lower_failed(l);
    int32_t group = c.filter->dims[3]; /* input channels that one output channel reads */
    if (c.in->dims[3] % group || c.out->dims[3] % (c.in->dims[3] / group))
        return LOWER_FAIL_TENSOR(l, lower_index(l, c.filter), "reads %d channels, the input has %d",
                                 group, c.in->dims[3]);
    c.params.filter_c = (uint16_t)group;
    l->macs[l->op_index] = (uint64_t)c.out->elements * (uint64_t)group *
                           (uint64_t)c.filter->dims[1] * (uint64_t)c.filter->dims[2];
    return emit_conv(l, KERNEL_CONV_S8, &c);
}

int lower_depthwise_conv_2d(struct nn_lower *l)
{
    struct conv c = {0};

    if (read_conv(l, 3, &c) < 0)
        return lower_failed(l);
    if (c.filter->dims[0] != 1)
        return LOWER_FAIL_TENSOR(l, lower_index(l, c.filter), "first dimension is %d, not 1",
                                 c.filter->dims[0]);
    if (c.out->dims[3] % c.in->dims[3])
        return LOWER_FAIL(l, "%d input channels do not divide %d output channels", c.in->dims[3],
                          c.out->dims[3]);
    l->macs[l->op_index] =
        (uint64_t)c.out->elements * (uint64_t)c.filter->dims[1] * (uint64_t)c.filter->dims[2];
    return emit_conv(l, KERNEL_DEPTHWISE_S8, &c);
}

/* ---- pools ---- */

static int lower_pool(struct nn_lower *l, enum kernel_kind kind)
{
    const struct nn_window *w = &l->op->options.window;
    struct axis a[2];

    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_in(l, 0, TYPE_BIT(NN_INT8));
    const struct nn_tensor *out = in ? lower_out(l, 0, TYPE_BIT(NN_INT8)) : NULL;
    if (!out)
        return lower_failed(l);
    if (fit_window(l, in, out, w->filter_h, w->filter_w, a) < 0)
        return lower_failed(l);
    if (in->dims[3] != out->dims[3])
        return LOWER_FAIL(l, "%d channels in, %d out", in->dims[3], out->dims[3]);
    if (fabs((double)in->quant.scale[0] - (double)out->quant.scale[0]) > 1.0e-6 ||
        in->quant.zero_point[0] != out->quant.zero_point[0])
        return lower_same_quant(l, in, out);
    struct kernel_pool p = {
        .batches = (uint16_t)in->dims[0],
        .in_h = (uint16_t)a[0].in,
        .in_w = (uint16_t)a[1].in,
        .c = (uint16_t)in->dims[3],
        .out_h = (uint16_t)a[0].out,
        .out_w = (uint16_t)a[1].out,
        .filter_h = (uint16_t)a[0].filter,
        .filter_w = (uint16_t)a[1].filter,
        .stride_h = (uint16_t)a[0].stride,
        .stride_w = (uint16_t)a[1].stride,
        .pad_top = (int16_t)a[0].pad,
        .pad_left = (int16_t)a[1].pad,
    };
    if (set_range(l, out, &p.act_min, &p.act_max) < 0)
        return lower_failed(l);
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, &p);
    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0, window_slack(a, in->dims[0], in->dims[3], out->dims[3]));
    return 0;
}

int lower_average_pool(struct nn_lower *l)
{
    return lower_pool(l, KERNEL_AVERAGE_POOL_S8);
}

int lower_max_pool(struct nn_lower *l)
{
    return lower_pool(l, KERNEL_MAX_POOL_S8);
}
