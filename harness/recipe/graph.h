/*
 * The recipe's layers with shapes, weights and a forward pass in double precision.
 *
 * layers[0] is the model's input; each other one has exactly one output tensor. Built from a recipe
 * by graph_build(), trained by train.c, given ranges by calibrate.c, written out by emit.c.
 */
#ifndef HARNESS_RECIPE_GRAPH_H
#define HARNESS_RECIPE_GRAPH_H

#include "harness/base/arena.h"
#include "harness/recipe/recipe.h"
#include "harness/recipe/repro.h"

/* real = scale * (q - zero_point), in the tensor's integer type. */
struct quantisation {
    float scale;
    int32_t zero_point;
};

struct layer {
    const struct layer_kind *kind; /* NULL for the input */
    const char *name;
    const struct layer_options *options;
    struct where where;
    int from[LAYER_SOURCES_MAX];
    int from_count;
    struct shape shape;
    int size;             /* elements of the output */
    enum value_type type; /* of the output, in the finished model */
    int pad[2];           /* rows above, columns left of the image, for SAME padding */

    double *weights;      /* TFLite's order: conv OHWI, depthwise 1HWC, dense OI */
    double *bias;         /* one per channel */
    int64_t weight_count; /* until it is checked, whatever the recipe's numbers make */
    int64_t macs;         /* multiplications of weights in one inference */
    int channels;         /* outputs that have a weight scale of their own */
    bool channels_last; /* weights[i] belongs to channel i % channels, else i / (count/channels) */

    double *state; /* what it keeps from one inference to the next; starts at zero */
    int64_t state_count;
    double state_peak; /* largest magnitude that was written to it */

    double low, high; /* of the output over the calibration data */
    struct quantisation quant;
};

struct graph {
    struct arena arena;
    const struct recipe *recipe;
    struct layer *layers;
    int count;
    uint64_t macs;
    int64_t weight_count, state_count; /* of all layers */
};

enum {
    ELEMENTS_MAX = 16 << 20, /* of one tensor; ten times what any microcontroller holds */
};

/* Weights are drawn from the recipe's seed, scaled as He et al. 2015. */
int graph_build(const struct recipe *r, struct graph *ret, struct err *err) MUST_CHECK;
void graph_release(struct graph *g);

/* The output values of every layer for one sample: values[i] has layers[i].size elements. */
double **graph_alloc_values(struct graph *g);

/* values[0] is given; fills values[index] from its sources, before and after its activation. */
void graph_forward_linear(const struct graph *g, int index, double *const *values);
void graph_activate(const struct layer *l, double *value);
void graph_forward(const struct graph *g, double *const *values);

/* Forget what a layer keeps between inferences. */
void layer_reset_state(struct layer *l);

/* The channel (see channels_last) that weight i belongs to. */
int layer_weight_channel(const struct layer *l, int i);

/* "recipe.yaml:12:5: layer 'x': " before what fmt says; ERR_CONFIG. */
int layer_error(const struct graph *g, const struct layer *l, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

#endif
