/* Operators that slide a window over an image: convolutions and pools. */
#include <math.h>
#include <string.h>

#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

/* One axis of a sliding window. */
struct axis {
    int64_t in, out, filter, stride, dilation, pad;
    bool any_output; /* the output's size is not what would be computed; so be it */
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
    if (out != a->out && !a->any_output)
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
    ret[0] =
        (struct axis){in->dims[1], out->dims[1], filter_h, w->stride_h, w->dilation_h, 0, false};
    ret[1] =
        (struct axis){in->dims[2], out->dims[2], filter_w, w->stride_w, w->dilation_w, 0, false};
    if (fit_axis(l, "height", w->padding, &ret[0]) < 0 ||
        fit_axis(l, "width", w->padding, &ret[1]) < 0)
        return lower_failed(l);
    return 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first element that output i reads. */
static int64_t first_read(const struct axis *a, int64_t i)
{
    const int64_t at = i * a->stride - a->pad;

    return at > 0 ? at : 0;
}

/*
 * What window_slack() is for the pixels of row y of the first image. Between the last pixel whose
 * window begins at the image's edge and the end of the row, reading goes ahead as evenly as writing:
 * the least lies at either end.
 */
static int64_t row_slack(const struct axis a[2], int64_t y, int64_t in_c, int64_t out_c)
{
    const int64_t start = first_read(&a[0], y) * a[1].in * in_c, last = a[1].out - 1;
    const int64_t at_edge = least(a[1].pad / a[1].stride, last);
    const int64_t pixels[] = {at_edge, least(at_edge + 1, last), last};
    /* The row below reads from the same one on. */
    const bool again = y + 1 < a[0].out && first_read(&a[0], y + 1) == first_read(&a[0], y);
    int64_t slack = INT64_MAX;

    for (size_t i = 0; i < ARRAY_SIZE(pixels); i++) {
        const int64_t low = start + (again ? 0 : first_read(&a[1], pixels[i]) * in_c);
        slack = least(slack, low - (y * a[1].out + pixels[i] + 1) * out_c);
    }
    return slack;
}

/*
 * How far the output may start after the input so that writing never passes what this and later
 * pixels still read, for a kernel that goes over the output's pixels in order and may write a pixel
 * while it still reads that pixel's window.
 */
static int32_t window_slack(const struct axis a[2], int64_t batches, int64_t in_c, int64_t out_c)
{
    const int64_t gain = a[0].in * a[1].in * in_c - a[0].out * a[1].out * out_c; /* of an image */
    int64_t slack = INT32_MAX / 2;

    for (int64_t y = 0; y < a[0].out; y++)
        slack = least(slack, row_slack(a, y, in_c, out_c) + least(0, (batches - 1) * gain));
    return (int32_t)(slack < INT32_MIN / 2 ? INT32_MIN / 2 : slack);
}

/* ---- convolutions ---- */

#define NO_SLACK INT32_MIN

struct conv {
    const struct nn_tensor *in, *filter, *bias, *out;
    struct nn_tensor weights; /* the filter as INT8 */
    struct axis axes[2];
    struct kernel_conv params;
    bool depthwise;
};

/* INT32; for 16-bit activations INT64 means 64-bit sums (depthwise has no others). */
static int check_bias(struct nn_lower *l, const struct nn_tensor *bias, int32_t channels, bool wide)
{
    if (!bias)
        return 0;
    int32_t index = lower_index(l, bias);
    if (!bias->data || (bias->type != NN_INT32 && !(wide && bias->type == NN_INT64)))
        return LOWER_FAIL_TENSOR(l, index, "the bias must be a constant of type %s",
                                 wide ? "INT32 or INT64" : "INT32");
    if (bias->elements != (size_t)channels)
        return LOWER_FAIL_TENSOR(l, index, "holds %zu biases for %d channels", bias->elements,
                                 channels);
    return 0;
}

/* PopulateConvolutionQuantizationParams(): one multiplier per output channel. */
static int channel_multiplier(struct nn_lower *l, const struct conv *c, int32_t i,
                              struct quant_multiplier *ret)
{
    float scale = c->filter->quant.scale[c->filter->quant.count > 1 ? i : 0];
    double real = (double)c->in->quant.scale[0] * (double)scale / (double)c->out->quant.scale[0];

    if (scale >= 0 && quant_multiplier(real, ret) && (!c->params.wide || ret->shift < 8))
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, c->filter), "scale %g of channel %d cannot be used",
                             (double)scale, i);
}

/* The span of channels, narrow or wide. */
static int make_channels(struct nn_lower *l, const struct conv *c, struct nn_span *ret)
{
    size_t count = (size_t)c->out->dims[3];
    size_t size = count * (c->params.wide ? sizeof(struct kernel_channel_wide)
                                          : sizeof(struct kernel_channel));
    void *channels = arena_alloc(l->arena, size);

    for (size_t i = 0; i < count; i++) {
        int64_t bias = c->bias ? lower_const_int(c->bias, i) : 0;
        struct quant_multiplier m;
        if (channel_multiplier(l, c, (int32_t)i, &m) < 0)
            return lower_failed(l);
        if (c->params.wide)
            ((struct kernel_channel_wide *)channels)[i] =
                (struct kernel_channel_wide){bias, m.multiplier, m.shift};
        else
            ((struct kernel_channel *)channels)[i] =
                (struct kernel_channel){(int32_t)bias, m.multiplier, m.shift};
    }
    *ret = lower_constant(l, "channels", channels, size);
    if (c->params.wide)
        l->buffers[ret->buffer].align = 8;
    return 0;
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
    int32_t low = 0, high = 0;

    if (lower_range(l, out, &low, &high) < 0)
        return lower_failed(l);
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
        .in_offset = in->quant.count ? (int16_t)-in->quant.zero_point[0] : 0,
        .out_offset = out->quant.count ? (int16_t)out->quant.zero_point[0] : 0,
    };
}

/* What all convolutions have in common; `axis` of the filter is the output channel. */
static int read_conv(struct nn_lower *l, unsigned axis, size_t in, struct conv *c)
{
    uint32_t types = TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16);

    c->in = lower_in(l, in, types);
    c->out = c->in ? lower_out(l, 0, TYPE_BIT(c->in->type)) : NULL;
    if (!c->out || lower_no_zero_point(l, c->in) < 0 || lower_no_zero_point(l, c->out) < 0 ||
        lower_rank(l, c->out, 4) < 0 || lower_filter(l, 1, &c->weights) < 0)
        return lower_failed(l);
    c->filter = lower_optional(l, 1);
    if (check_filter(l, c->filter, axis) < 0)
        return lower_failed(l);
    if (c->filter->dims[axis] != c->out->dims[3])
        return LOWER_FAIL_TENSOR(l, lower_index(l, c->filter),
                                 "makes %d channels, the output has %d", c->filter->dims[axis],
                                 c->out->dims[3]);
    return 0;
}

static int set_conv(struct nn_lower *l, struct conv *c)
{
    bool wide = c->in->type == NN_INT16;

    c->params = conv_params(c->in, c->out, c->axes);
    c->params.wide = wide && (c->depthwise || (c->bias && c->bias->type == NN_INT64));
    if (c->params.wide && c->bias && c->bias->type != NN_INT64)
        return LOWER_FAIL_TENSOR(l, lower_index(l, c->bias), "type %s, INT64 is expected",
                                 nn_type_name((int)c->bias->type));
    if (check_bias(l, c->bias, c->out->dims[3], wide) < 0 ||
        set_range(l, c->out, &c->params.act_min, &c->params.act_max) < 0)
        return lower_failed(l);
    return 0;
}

/*
 * Reads what the padded input was made of, with the padding as the convolution's own; not where a
 * window would lie outside altogether, which no kernel has to expect.
 */
static void take_padding(const struct nn_lower *l, struct conv *c)
{
    const struct nn_padded *p = &l->padded[lower_index(l, c->in)];
    int32_t before[] = {p->top, p->left}, after[] = {p->bottom, p->right};
    struct axis axes[2] = {c->axes[0], c->axes[1]};

    if (!p->in)
        return;
    for (int i = 0; i < 2; i++) {
        struct axis *a = &axes[i];
        int64_t extent = (a->filter - 1) * a->dilation + 1;
        a->in -= before[i] + after[i];
        a->pad += before[i];
        int64_t beyond = (a->out - 1) * a->stride - a->pad + extent - a->in;
        if (a->pad >= extent || beyond >= extent || a->in < 1)
            return;
    }
    c->in = p->in;
    c->axes[0] = axes[0];
    c->axes[1] = axes[1];
}

static int read_windowed_conv(struct nn_lower *l, unsigned axis, struct conv *c)
{
    if (lower_arity(l, 2, 3, 1) < 0 || read_conv(l, axis, 0, c) < 0)
        return lower_failed(l);
    c->bias = lower_optional(l, 2);
    if (fit_window(l, c->in, c->out, c->filter->dims[1], c->filter->dims[2], c->axes) < 0)
        return lower_failed(l);
    take_padding(l, c);
    return set_conv(l, c);
}

static int emit_conv(struct nn_lower *l, enum kernel_kind kind, const struct conv *c, int32_t slack)
{
    struct nn_span channels;

    if (make_channels(l, c, &channels) < 0)
        return lower_failed(l);
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, &c->params);
    if (lower_add_in(l, s, c->in) < 0 || lower_add_out(l, s, c->out) < 0)
        return lower_failed(l);
    lower_span(s, lower_constant(l, c->filter->name, c->weights.data, c->weights.size));
    lower_span(s, channels);
    if (slack != NO_SLACK)
        lower_share(s, 1, 0, slack);
    return 0;
}

/* For kernels that go over the output's pixels in order. */
static int32_t conv_slack(const struct conv *c)
{
    int64_t element = lower_element_size(c->in);

    return window_slack(c->axes, c->in->dims[0], c->in->dims[3] * element,
                        c->out->dims[3] * element);
}

/* Input channels that one output channel of CONV_2D reads. */
static int set_group(struct nn_lower *l, struct conv *c)
{
    int32_t group = c->filter->dims[3];

    if (c->in->dims[3] % group || c->out->dims[3] % (c->in->dims[3] / group))
        return LOWER_FAIL_TENSOR(l, lower_index(l, c->filter),
                                 "reads %d channels, the input has %d", group, c->in->dims[3]);
    c->params.filter_c = (uint16_t)group;
    l->macs[l->op_index] = (uint64_t)c->out->elements * (uint64_t)group *
                           (uint64_t)c->filter->dims[1] * (uint64_t)c->filter->dims[2];
    return 0;
}

static int set_multiplier(struct nn_lower *l, struct conv *c)
{
    if (c->filter->dims[0] != 1)
        return LOWER_FAIL_TENSOR(l, lower_index(l, c->filter), "first dimension is %d, not 1",
                                 c->filter->dims[0]);
    if (c->out->dims[3] % c->in->dims[3])
        return LOWER_FAIL(l, "%d input channels do not divide %d output channels", c->in->dims[3],
                          c->out->dims[3]);
    c->params.filter_c = 1;
    l->macs[l->op_index] =
        (uint64_t)c->out->elements * (uint64_t)c->filter->dims[1] * (uint64_t)c->filter->dims[2];
    return 0;
}

/* The same with real numbers; `axis` of the filter is the output channel. */
static int read_float_conv(struct nn_lower *l, unsigned axis, size_t in, struct conv *c)
{
    c->in = lower_in(l, in, TYPE_BIT(NN_FLOAT32));
    c->out = c->in ? lower_out(l, 0, TYPE_BIT(NN_FLOAT32)) : NULL;
    c->filter = c->out ? lower_float_const(l, 1) : NULL;
    if (!c->filter || lower_rank(l, c->out, 4) < 0 || check_dims(l, c->filter) < 0)
        return lower_failed(l);
    if (c->filter->dims[axis] != c->out->dims[3])
        return LOWER_FAIL_TENSOR(l, lower_index(l, c->filter),
                                 "makes %d channels, the output has %d", c->filter->dims[axis],
                                 c->out->dims[3]);
    return 0;
}

static int emit_float_conv(struct nn_lower *l, enum kernel_kind kind, const struct conv *c,
                           size_t bias_input, int32_t slack)
{
    struct kernel_conv_f32 p = {.shape = c->params};
    struct nn_span bias;

    if (lower_float_bias(l, bias_input, (uint32_t)c->out->dims[3], &bias) < 0 ||
        lower_float_range(l, &p.act_min, &p.act_max) < 0)
        return lower_failed(l);
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, &p);
    if (lower_add_in(l, s, c->in) < 0 || lower_add_out(l, s, c->out) < 0)
        return lower_failed(l);
    lower_span(s, lower_constant(l, c->filter->name, c->filter->data, c->filter->size));
    lower_span(s, bias);
    if (slack != NO_SLACK)
        lower_share(s, 1, 0, slack);
    return 0;
}

static int lower_float_conv(struct nn_lower *l, unsigned axis)
{
    struct conv c = {.depthwise = axis == 3};

    if (lower_needs_fpu(l) < 0 || lower_arity(l, 2, 3, 1) < 0 ||
        read_float_conv(l, axis, 0, &c) < 0 ||
        fit_window(l, c.in, c.out, c.filter->dims[1], c.filter->dims[2], c.axes) < 0)
        return lower_failed(l);
    take_padding(l, &c);
    c.params = conv_params(c.in, c.out, c.axes);
    if ((c.depthwise ? set_multiplier(l, &c) : set_group(l, &c)) < 0)
        return lower_failed(l);
    return emit_float_conv(l, c.depthwise ? KERNEL_DEPTHWISE_F32 : KERNEL_CONV_F32, &c, 2,
                           conv_slack(&c));
}

int lower_conv_2d(struct nn_lower *l)
{
    struct conv c = {0};

    if (lower_is_float(l))
        return lower_float_conv(l, 0);
    if (read_windowed_conv(l, 0, &c) < 0)
        return lower_failed(l);
    if (set_group(l, &c) < 0)
        return lower_failed(l);
    return emit_conv(l, c.in->type == NN_INT16 ? KERNEL_CONV_S16 : KERNEL_CONV_S8, &c,
                     conv_slack(&c));
}

int lower_depthwise_conv_2d(struct nn_lower *l)
{
    struct conv c = {.depthwise = true};

    if (lower_is_float(l))
        return lower_float_conv(l, 3);
    if (read_windowed_conv(l, 3, &c) < 0)
        return lower_failed(l);
    if (set_multiplier(l, &c) < 0)
        return lower_failed(l);
    return emit_conv(l, c.in->type == NN_INT16 ? KERNEL_DEPTHWISE_S16 : KERNEL_DEPTHWISE_S8, &c,
                     conv_slack(&c));
}

/* The window slides over the output: its padding is what SAME would need there. */
static int fit_transposed(struct nn_lower *l, struct conv *c)
{
    const struct nn_window *w = &l->op->options.window;

    if (check_dims(l, c->in) < 0 || check_dims(l, c->out) < 0)
        return lower_failed(l);
    if (c->in->dims[0] != c->out->dims[0] || c->filter->dims[3] != c->in->dims[3])
        return LOWER_FAIL(l, "batches or channels of input, filter and output do not fit");
    for (int i = 0; i < 2; i++)
        c->axes[i] = (struct axis){.in = c->out->dims[1 + i],
                                   .out = c->in->dims[1 + i],
                                   .filter = c->filter->dims[1 + i],
                                   .stride = i ? w->stride_w : w->stride_h,
                                   .dilation = 1,
                                   .any_output = true};
    if (fit_axis(l, "height", w->padding, &c->axes[0]) < 0 ||
        fit_axis(l, "width", w->padding, &c->axes[1]) < 0)
        return lower_failed(l);
    for (int i = 0; i < 2; i++) { /* the kernel's view: in is the input again */
        c->axes[i].in = c->in->dims[1 + i];
        c->axes[i].out = c->out->dims[1 + i];
    }
    l->macs[l->op_index] = (uint64_t)c->in->elements * (uint64_t)c->out->dims[3] *
                           (uint64_t)c->filter->dims[1] * (uint64_t)c->filter->dims[2];
    return 0;
}

static int lower_float_transpose_conv(struct nn_lower *l)
{
    struct conv c = {0};

    if (lower_needs_fpu(l) < 0 || lower_arity(l, 3, 4, 1) < 0 || read_float_conv(l, 0, 2, &c) < 0 ||
        fit_transposed(l, &c) < 0)
        return lower_failed(l);
    c.params = conv_params(c.in, c.out, c.axes);
    c.params.filter_c = c.params.in_c;
    return emit_float_conv(l, KERNEL_TRANSPOSE_CONV_F32, &c, 3, NO_SLACK);
}

int lower_transpose_conv(struct nn_lower *l)
{
    const struct nn_tensor *in = lower_optional(l, 2);
    struct conv c = {0};

    if (in && in->type == NN_FLOAT32)
        return lower_float_transpose_conv(l);
    if (lower_arity(l, 3, 4, 1) < 0 || read_conv(l, 0, 2, &c) < 0)
        return lower_failed(l);
    c.bias = lower_optional(l, 3);
    if (c.in->type != NN_INT8)
        return LOWER_FAIL_TENSOR(l, lower_index(l, c.in), "type INT16 is not supported here");
    if (fit_transposed(l, &c) < 0 || set_conv(l, &c) < 0)
        return lower_failed(l);
    c.params.filter_c = c.params.in_c;
    return emit_conv(l, KERNEL_TRANSPOSE_CONV_S8, &c, NO_SLACK);
}

/* ---- pools ---- */

/* Input, output and the window between them; what the quantised kernel takes. */
static int read_pool(struct nn_lower *l, enum nn_type type, const struct nn_tensor **ret_in,
                     const struct nn_tensor **ret_out, struct axis a[2], struct kernel_pool *p)
{
    const struct nn_window *w = &l->op->options.window;

    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = *ret_in = lower_in(l, 0, TYPE_BIT(type));
    const struct nn_tensor *out = *ret_out = in ? lower_out(l, 0, TYPE_BIT(type)) : NULL;
    if (!out)
        return lower_failed(l);
    if (fit_window(l, in, out, w->filter_h, w->filter_w, a) < 0)
        return lower_failed(l);
    if (in->dims[3] != out->dims[3])
        return LOWER_FAIL(l, "%d channels in, %d out", in->dims[3], out->dims[3]);
    *p = (struct kernel_pool){
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
    return 0;
}

static int emit_pool(struct nn_lower *l, enum kernel_kind kind, const struct nn_tensor *in,
                     const struct nn_tensor *out, const struct axis a[2], const void *params)
{
    const int64_t element = lower_element_size(in);
    struct nn_step *s = lower_step(l, kind, KERNEL_REF, params);

    if (lower_add_in(l, s, in) < 0 || lower_add_out(l, s, out) < 0)
        return lower_failed(l);
    lower_share(s, 1, 0,
                window_slack(a, in->dims[0], in->dims[3] * element, out->dims[3] * element));
    return 0;
}

static int lower_float_pool(struct nn_lower *l, bool max)
{
    struct kernel_pool_f32 p = {.max = max};
    const struct nn_tensor *in = NULL, *out = NULL;
    struct axis a[2];

    if (lower_needs_fpu(l) < 0 || read_pool(l, NN_FLOAT32, &in, &out, a, &p.shape) < 0 ||
        lower_float_range(l, &p.act_min, &p.act_max) < 0)
        return lower_failed(l);
    return emit_pool(l, KERNEL_POOL_F32, in, out, a, &p);
}

static int lower_pool(struct nn_lower *l, enum kernel_kind kind)
{
    const struct nn_tensor *in = NULL, *out = NULL;
    struct kernel_pool p;
    struct axis a[2];

    if (lower_is_float(l))
        return lower_float_pool(l, kind == KERNEL_MAX_POOL_S8);
    if (read_pool(l, NN_INT8, &in, &out, a, &p) < 0)
        return lower_failed(l);
    if (fabs((double)in->quant.scale[0] - (double)out->quant.scale[0]) > 1.0e-6 ||
        in->quant.zero_point[0] != out->quant.zero_point[0])
        return lower_same_quant(l, in, out);
    if (set_range(l, out, &p.act_min, &p.act_max) < 0)
        return lower_failed(l);
    return emit_pool(l, kind, in, out, a, &p);
}

int lower_average_pool(struct nn_lower *l)
{
    return lower_pool(l, KERNEL_AVERAGE_POOL_S8);
}

int lower_max_pool(struct nn_lower *l)
{
    return lower_pool(l, KERNEL_MAX_POOL_S8);
}
