/* Layers that slide a window of weights or of pooling over an NHWC image. */
#include <string.h>

#include "harness/recipe/kinds.h"

enum {
    H = 1,
    W = 2,
    C = 3
};

/*
 * TFLite's rule: SAME gives ceil(in / stride) and puts the odd padding row or column below and to
 * the right; VALID gives as many windows as fit.
 */
static int window_axis(int in, int window, int stride, bool same, int *ret_pad)
{
    int out = same ? (in + stride - 1) / stride : (in - window + stride) / stride;
    int total = (out - 1) * stride + window - in;
    *ret_pad = same && total > 0 ? total / 2 : 0;
    return out;
}

int window_shape(struct graph *g, struct layer *l, const int window[2], int channels,
                 struct err *err)
{
    const struct layer_options *o = l->options;
    const struct shape *in = &layer_source(g, l, 0)->shape;
    if (in->rank != 4)
        return layer_error(g, l, err, "needs an image of 4 dimensions, its source has %d",
                           in->rank);
    l->shape = (struct shape){.rank = 4, .dim = {1, 0, 0, channels}};
    for (int i = 0; i < 2; i++) {
        int reach = (window[i] - 1) * o->dilation[i] + 1;
        if (!o->same && reach > in->dim[H + i])
            return layer_error(g, l, err, "window of %d does not fit into %d (%s)", reach,
                               in->dim[H + i], i ? "width" : "height");
        l->shape.dim[H + i] = window_axis(in->dim[H + i], reach, o->stride[i], o->same, &l->pad[i]);
    }
    return 0;
}

/* The part of one window that lies inside the image, for one output pixel. */
struct window {
    const int *kernel;
    int top, left;     /* of the window in the image; may be negative */
    int down, right;   /* dilation */
    int height, width; /* image */
};

static struct window window_at(const struct graph *g, const struct layer *l, const int kernel[2],
                               int pixel)
{
    const int width = l->shape.rank == 4 ? l->shape.dim[W] : 1; /* a global pool has one pixel */
    const struct layer_options *o = l->options;
    const struct shape *in = &layer_source(g, l, 0)->shape;
    return (struct window){
        .kernel = kernel,
        .top = pixel / width * o->stride[0] - l->pad[0],
        .left = pixel % width * o->stride[1] - l->pad[1],
        .down = o->dilation[0],
        .right = o->dilation[1],
        .height = in->dim[H],
        .width = in->dim[W],
    };
}

/* Index of the image's pixel under kernel tap t, or -1 when that is outside. */
static int window_pixel(const struct window *w, int t)
{
    int y = w->top + t / w->kernel[1] * w->down;
    int x = w->left + t % w->kernel[1] * w->right;
    if (y < 0 || y >= w->height || x < 0 || x >= w->width)
        return -1;
    return y * w->width + x;
}

static int taps(const int kernel[2])
{
    return kernel[0] * kernel[1];
}

/* Of the output; 64 bits because the layer's size is not checked yet. */
static int64_t pixels(const struct layer *l)
{
    return (int64_t)l->shape.dim[H] * l->shape.dim[W];
}

/* ---- conv2d: weights[out][ky][kx][in] ---- */

static int conv_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct layer_options *o = l->options;
    if (window_shape(g, l, o->kernel, o->filters, err))
        return err->code;
    int depth = layer_source(g, l, 0)->shape.dim[C];
    l->channels = o->filters;
    l->weight_count = (int64_t)o->filters * taps(o->kernel) * depth;
    l->macs = l->weight_count * pixels(l);
    return 0;
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void conv_pixel(const struct layer *l, const struct window *w, const double *in, int depth,
                       double *out)
{
    int n = taps(w->kernel);
    for (int c = 0; c < l->channels; c++) {
        const double *weights = l->weights + (size_t)c * n * depth;
        double sum = l->bias[c];
        for (int t = 0; t < n; t++) {
            int pixel = window_pixel(w, t);
            if (pixel >= 0)
                sum += dot(in + pixel * depth, weights + t * depth, depth);
        }
        out[c] = sum;
    }
}

static void conv_forward(const struct graph *g, const struct layer *l, const double *const *in,
                         double *out)
{
    int depth = layer_source(g, l, 0)->shape.dim[C];
    for (int i = 0; i < pixels(l); i++) {
        struct window w = window_at(g, l, l->options->kernel, i);
        conv_pixel(l, &w, in[0], depth, out + i * l->channels);
    }
}

/* y += a * x */
static void add_scaled(double *y, double a, const double *x, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += a * x[i];
}

static void conv_pixel_back(const struct layer *l, const struct window *w, const struct backward *b,
                            int depth, const double *out_grad)
{
    int n = taps(w->kernel);
    for (int c = 0; c < l->channels; c++) {
        b->bias_grad[c] += out_grad[c];
        for (int t = 0; t < n && out_grad[c] != 0; t++) {
            int pixel = window_pixel(w, t);
            size_t at = ((size_t)c * n + t) * depth;
            if (pixel < 0)
                continue;
            add_scaled(b->weights_grad + at, out_grad[c], b->in[0] + pixel * depth, depth);
            if (b->in_grad[0])
                add_scaled(b->in_grad[0] + pixel * depth, out_grad[c], l->weights + at, depth);
        }
    }
}

static void conv_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    int depth = layer_source(g, l, 0)->shape.dim[C];
    for (int i = 0; i < pixels(l); i++) {
        struct window w = window_at(g, l, l->options->kernel, i);
        conv_pixel_back(l, &w, b, depth, b->out_grad + i * l->channels);
    }
}

static void window_options(struct tfl_op *op, const struct layer *l)
{
    const struct layer_options *o = l->options;
    option_u8(op, 0, o->same ? TFL_SAME : TFL_VALID);
    option_i32(op, 1, o->stride[1]);
    option_i32(op, 2, o->stride[0]);
}

static void conv_emit(struct emitter *e, const struct layer *l)
{
    const struct layer_options *o = l->options;
    int depth = layer_source(e->graph, l, 0)->shape.dim[C];
    struct shape weights = {{l->channels, o->kernel[0], o->kernel[1], depth}, 4};
    struct tfl_op *op = emit_op(e, l, TFL_CONV_2D, 3);
    emit_weights(e, op, l, &weights, 0);
    window_options(op, l);
    option_u8(op, 3, tfl_activation(o->activation));
    option_i32(op, 4, o->dilation[1]);
    option_i32(op, 5, o->dilation[0]);
    emit_output(e, op, l);
}

#define M layer_options
static const struct key conv2d_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_KERNEL,
    ROW_STRIDE,
    ROW_DILATION,
    ROW_PADDING,
    ROW_ACTIVATION,
    ROW_GAIN,
    ONE("filters", VALUE_INTEGER, filters, "16", "output channels", REQUIRED, RANGE(1, 65536)),
    {NULL},
};
#undef M

const struct layer_kind kind_conv2d = {
    .name = "conv2d",
    .map = KIND_MAP("conv2d", "convolution over an image", conv2d_keys),
    .sources = 1,
    .shape = conv_shape,
    .forward = conv_forward,
    .backward = conv_backward,
    .emit = conv_emit,
};

/* ---- depthwise_conv2d: weights[ky][kx][in * multiplier] ---- */

static int depthwise_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct layer_options *o = l->options;
    const struct shape *in = &layer_source(g, l, 0)->shape;
    int64_t channels = (int64_t)in->dim[C] * o->multiplier;
    if (channels > ELEMENTS_MAX)
        return layer_error(g, l, err, "has too many channels");
    if (window_shape(g, l, o->kernel, (int)channels, err))
        return err->code;
    l->channels = (int)channels;
    l->channels_last = true;
    l->weight_count = (int64_t)taps(o->kernel) * channels;
    l->macs = l->weight_count * pixels(l);
    return 0;
}

static void depthwise_forward(const struct graph *g, const struct layer *l, const double *const *in,
                              double *out)
{
    int depth = layer_source(g, l, 0)->shape.dim[C];
    for (int i = 0; i < pixels(l); i++) {
        struct window w = window_at(g, l, l->options->kernel, i);
        double *pixel_out = out + i * l->channels;
        memcpy(pixel_out, l->bias, (size_t)l->channels * sizeof(double));
        for (int t = 0; t < taps(w.kernel); t++) {
            int pixel = window_pixel(&w, t);
            for (int c = 0; pixel >= 0 && c < l->channels; c++)
                pixel_out[c] += l->weights[t * l->channels + c] *
                                in[0][pixel * depth + c / l->options->multiplier];
        }
    }
}

static void depthwise_tap_back(const struct layer *l, const struct backward *b, int weight,
                               int pixel, const double *out_grad)
{
    for (int c = 0; c < l->channels; c++) {
        int at = pixel + c / l->options->multiplier;
        b->weights_grad[weight + c] += out_grad[c] * b->in[0][at];
        if (b->in_grad[0])
            b->in_grad[0][at] += out_grad[c] * l->weights[weight + c];
    }
}

static void depthwise_backward(const struct graph *g, const struct layer *l,
                               const struct backward *b)
{
    int depth = layer_source(g, l, 0)->shape.dim[C];
    for (int i = 0; i < pixels(l); i++) {
        struct window w = window_at(g, l, l->options->kernel, i);
        const double *out_grad = b->out_grad + i * l->channels;
        add_scaled(b->bias_grad, 1, out_grad, l->channels);
        for (int t = 0; t < taps(w.kernel); t++) {
            int pixel = window_pixel(&w, t);
            if (pixel >= 0)
                depthwise_tap_back(l, b, t * l->channels, pixel * depth, out_grad);
        }
    }
}

static void depthwise_emit(struct emitter *e, const struct layer *l)
{
    const struct layer_options *o = l->options;
    struct shape weights = {{1, o->kernel[0], o->kernel[1], l->channels}, 4};
    struct tfl_op *op = emit_op(e, l, TFL_DEPTHWISE_CONV_2D, 3);
    emit_weights(e, op, l, &weights, 3);
    window_options(op, l);
    option_i32(op, 3, o->multiplier);
    option_u8(op, 4, tfl_activation(o->activation));
    option_i32(op, 5, o->dilation[1]);
    option_i32(op, 6, o->dilation[0]);
    emit_output(e, op, l);
}

#define M layer_options
static const struct key depthwise_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_KERNEL,
    ROW_STRIDE,
    ROW_DILATION,
    ROW_PADDING,
    ROW_ACTIVATION,
    ROW_GAIN,
    ONE("multiplier", VALUE_INTEGER, multiplier, "2", "outputs for each input channel",
        DEFAULT("1"), RANGE(1, 1024)),
    {NULL},
};
#undef M

const struct layer_kind kind_depthwise_conv2d = {
    .name = "depthwise_conv2d",
    .map = KIND_MAP("depthwise_conv2d", "each channel convolved by itself", depthwise_keys),
    .sources = 1,
    .shape = depthwise_shape,
    .forward = depthwise_forward,
    .backward = depthwise_backward,
    .emit = depthwise_emit,
};

/* ---- pooling ---- */

static int pool_shape(struct graph *g, struct layer *l, struct err *err)
{
    return window_shape(g, l, l->options->kernel, layer_source(g, l, 0)->shape.dim[C], err);
}

/* Mean or maximum of channel c over the window's pixels inside the image. */
static double pool_value(const struct window *w, const double *in, int depth, int c, bool maximum)
{
    double sum = 0;
    int n = 0;
    for (int t = 0; t < taps(w->kernel); t++) {
        int pixel = window_pixel(w, t);
        if (pixel < 0)
            continue;
        double v = in[pixel * depth + c];
        if (!maximum)
            sum += v;
        else if (n == 0 || v > sum)
            sum = v;
        n++;
    }
    return maximum ? sum : sum / n;
}

static void pool(const struct graph *g, const struct layer *l, const int kernel[2], bool maximum,
                 const double *in, double *out)
{
    int depth = l->shape.dim[l->shape.rank - 1];
    for (int i = 0; i < l->size; i++) {
        struct window w = window_at(g, l, kernel, i / depth);
        out[i] = pool_value(&w, in, depth, i % depth, maximum);
    }
}

static void average_forward(const struct graph *g, const struct layer *l, const double *const *in,
                            double *out)
{
    pool(g, l, l->options->kernel, false, in[0], out);
}

static void max_forward(const struct graph *g, const struct layer *l, const double *const *in,
                        double *out)
{
    pool(g, l, l->options->kernel, true, in[0], out);
}

/* Spread one output's gradient: evenly, or to the pixel that was the maximum. */
static void pool_value_back(const struct window *w, const struct backward *b, int depth, int c,
                            double grad, bool maximum)
{
    double best = maximum ? pool_value(w, b->in[0], depth, c, true) : 0;
    int inside = 0;
    for (int t = 0; t < taps(w->kernel); t++)
        inside += window_pixel(w, t) >= 0;
    for (int t = 0; t < taps(w->kernel); t++) {
        int pixel = window_pixel(w, t);
        if (pixel < 0 || (maximum && b->in[0][pixel * depth + c] != best))
            continue;
        b->in_grad[0][pixel * depth + c] += maximum ? grad : grad / inside;
        if (maximum)
            return;
    }
}

static void pool_back(const struct graph *g, const struct layer *l, const int kernel[2],
                      bool maximum, const struct backward *b)
{
    int depth = l->shape.dim[l->shape.rank - 1];
    for (int i = 0; b->in_grad[0] && i < l->size; i++) {
        struct window w = window_at(g, l, kernel, i / depth);
        pool_value_back(&w, b, depth, i % depth, b->out_grad[i], maximum);
    }
}

static void average_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    pool_back(g, l, l->options->kernel, false, b);
}

static void max_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    pool_back(g, l, l->options->kernel, true, b);
}

static void pool_emit(struct emitter *e, const struct layer *l, enum tfl_builtin code,
                      const int kernel[2])
{
    struct tfl_op *op = emit_op(e, l, code, 2);
    window_options(op, l);
    option_i32(op, 3, kernel[1]);
    option_i32(op, 4, kernel[0]);
    option_u8(op, 5, tfl_activation(l->options->activation));
    emit_output(e, op, l);
}

static void average_emit(struct emitter *e, const struct layer *l)
{
    pool_emit(e, l, TFL_AVERAGE_POOL_2D, l->options->kernel);
}

static void max_emit(struct emitter *e, const struct layer *l)
{
    pool_emit(e, l, TFL_MAX_POOL_2D, l->options->kernel);
}

#define M layer_options
static const struct key pool_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_KERNEL,
    ROW_STRIDE,
    ROW_PADDING,
    ROW_ACTIVATION,
    NUMBERS("dilation", dilation_given, "1", "always 1", DEFAULT("1"), RANGE(1, 1)),
    {NULL},
};
#undef M

const struct layer_kind kind_average_pool = {
    .name = "average_pool",
    .map = KIND_MAP("average_pool", "mean of a window", pool_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = pool_shape,
    .forward = average_forward,
    .backward = average_backward,
    .emit = average_emit,
};

const struct layer_kind kind_max_pool = {
    .name = "max_pool",
    .map = KIND_MAP("max_pool", "maximum of a window", pool_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = pool_shape,
    .forward = max_forward,
    .backward = max_backward,
    .emit = max_emit,
};

/* One window over the whole image: an AVERAGE_POOL_2D, as converters write it. */

static const int *whole_image(const struct graph *g, const struct layer *l)
{
    return &layer_source(g, l, 0)->shape.dim[H];
}

static int global_shape(struct graph *g, struct layer *l, struct err *err)
{
    return window_shape(g, l, whole_image(g, l), layer_source(g, l, 0)->shape.dim[C], err);
}

static void global_forward(const struct graph *g, const struct layer *l, const double *const *in,
                           double *out)
{
    pool(g, l, whole_image(g, l), false, in[0], out);
}

static void global_backward(const struct graph *g, const struct layer *l, const struct backward *b)
{
    pool_back(g, l, whole_image(g, l), false, b);
}

static void global_emit(struct emitter *e, const struct layer *l)
{
    pool_emit(e, l, TFL_AVERAGE_POOL_2D, whole_image(e->graph, l));
}

const struct layer_kind kind_global_average_pool = {
    .name = "global_average_pool",
    .map = KIND_MAP("global_average_pool", "mean over the image, which stays four-dimensional",
                    plain_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = global_shape,
    .forward = global_forward,
    .backward = global_backward,
    .emit = global_emit,
};
