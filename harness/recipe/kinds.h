/*
 * One const table per kind of layer: what a new kind must provide. Registered in kinds.c.
 */
#ifndef HARNESS_RECIPE_KINDS_H
#define HARNESS_RECIPE_KINDS_H

#include "harness/recipe/emit.h"
#include "harness/recipe/graph.h"

/* Where an output's quantisation comes from. */
enum range_rule {
    RANGE_OWN,    /* its own minimum and maximum over the calibration data */
    RANGE_SHARED, /* the same as its sources': TFLite's operator does not rescale */
    RANGE_UNIT,   /* 0..1: scale 1/256, zero point -128, fixed by TFLite */
    RANGE_SIGNED, /* -1..1: scale 1/128, zero point 0, fixed by TFLite */
};

#define OPT_BIT(option) (1u << (option))

/* One sample's way back through a layer; the gradients of loss. */
struct backward {
    const double *const *in;
    const double *out_grad;
    double *const *in_grad; /* NULL entries: not needed */
    double *weights_grad;
    double *bias_grad;
};

struct layer_kind {
    const char *name;
    uint32_t allowed; /* OPT_BIT()s; name and from always are */
    uint32_t required;
    int sources; /* -1: two or more */
    enum range_rule range;
    bool recurrent; /* calibration does not rescale its weights */

    /* Set shape, pad, weight_count, channels; count MACs. Sources have their shapes already. */
    int (*shape)(struct graph *g, struct layer *l, struct err *err);
    /* out gets the values before the fused activation. */
    void (*forward)(const struct graph *g, const struct layer *l, const double *const *in,
                    double *out);
    /* Add to in_grad, weights_grad and bias_grad (as weights and bias). NULL: cannot be trained. */
    void (*backward)(const struct graph *g, const struct layer *l, const struct backward *b);
    void (*emit)(struct emitter *e, const struct layer *l);
};

const struct layer_kind *kind_find(const char *name);
const char *const *kind_names(void); /* NULL-terminated */

extern const struct layer_kind kind_conv2d, kind_depthwise, kind_dense;
extern const struct layer_kind kind_average_pool, kind_max_pool, kind_global_average_pool;
extern const struct layer_kind kind_add, kind_softmax, kind_relu, kind_relu6;
extern const struct layer_kind kind_reshape, kind_flatten, kind_pad;
extern const struct layer_kind kind_quantize, kind_dequantize;
extern const struct layer_kind kind_sub, kind_mul, kind_concat, kind_mean;
extern const struct layer_kind kind_logistic, kind_tanh, kind_hard_swish, kind_leaky_relu;
extern const struct layer_kind kind_resize_nearest, kind_resize_bilinear;
extern const struct layer_kind kind_svdf, kind_lstm, kind_stream;

/* What kinds share. */
static inline const struct layer *layer_source(const struct graph *g, const struct layer *l, int i)
{
    return &g->layers[l->from[i]];
}

/* The shape of the only source, or of all of them when they are the same. */
int same_shape(struct graph *g, struct layer *l, struct err *err);

/* A sliding window over NHWC, TFLite's padding rule. `window` is h, w of the kernel. */
int window_shape(struct graph *g, struct layer *l, const int window[2], int channels,
                 struct err *err);

#endif
