/*
 * A model recipe as its YAML file describes it (layers, seed, data, training), and what is made
 * from it. Same recipe and generator version: same bytes, on every machine.
 *
 * Used by the tinyrig-recipe program. What the layer kinds compute is in graph.h and kinds.h.
 */
#ifndef HARNESS_RECIPE_RECIPE_H
#define HARNESS_RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

/* Part of every PROVENANCE; raised whenever an unchanged recipe gives other bytes than before. */
#define RECIPE_GENERATOR_VERSION 2

enum {
    SHAPE_RANK_MAX = 5,
    LAYER_SOURCES_MAX = 8,
    LAYER_LIST_MAX = 16,
    RECIPE_LAYERS_MAX = 512
};

struct shape {
    int dim[SHAPE_RANK_MAX]; /* [0] is the batch, always 1 */
    int rank;
};

enum value_type {
    TYPE_INT8,
    TYPE_INT16,
    TYPE_FLOAT32
};
enum activation {
    ACT_NONE,
    ACT_RELU,
    ACT_RELU6
};
enum recipe_loss {
    LOSS_SQUARED,
    LOSS_CROSS_ENTROPY
};

/* One bit each in `given`. The order is that of the key table in load.c. */
enum layer_option {
    OPT_NAME,
    OPT_FROM,
    OPT_FILTERS,
    OPT_UNITS,
    OPT_KERNEL,
    OPT_STRIDE,
    OPT_DILATION,
    OPT_PADDING,
    OPT_ACTIVATION,
    OPT_MULTIPLIER,
    OPT_SHAPE,
    OPT_PADS,
    OPT_GAIN,
    OPT_PER_CHANNEL,
    OPT_TYPE,
    OPT_AXIS,
    OPT_ALPHA,
    OPT_SIZE,
    OPT_RANK,
    OPT_MEMORY,
    OPT_FRAMES,
    OPT_COUNT
};

/* Settings of one layer. Those not given have the default named here. */
struct layer_options {
    uint32_t given;
    int filters;
    int units;
    int kernel[2];   /* height, width */
    int stride[2];   /* 1, 1 */
    int dilation[2]; /* 1, 1 */
    bool same;       /* false: no padding */
    enum activation activation;
    int multiplier;           /* 1; depthwise: outputs for each input channel */
    int list[LAYER_LIST_MAX]; /* shape, or pads as before/after pairs */
    int list_count;
    double gain;          /* 1; standard deviation of an untrained layer's outputs */
    bool per_channel;     /* dense: one weight scale for each output; false: one for all */
    enum value_type type; /* quantize: int8 */
    int axis;             /* concat: -1, the last */
    double alpha;         /* leaky_relu: 0.1, the slope below zero */
    int size[2];          /* resize: height, width */
    int rank;             /* svdf: 1 */
    int memory;           /* svdf: time steps it looks back */
    int frames;           /* stream: rows that the window holds */
};

struct recipe_layer {
    const struct layer_kind *kind;
    const char *name;            /* unique; kind and number when not given */
    int from[LAYER_SOURCES_MAX]; /* 0: the model's input, n: layers[n - 1] */
    int from_count;
    struct layer_options options;
    unsigned line, column;
};

struct recipe_input {
    struct shape shape;
    enum value_type type;
    const struct data_source *data; /* makes its samples */
    double low, high;               /* the values that the quantised input can hold */
};

struct recipe_train {
    bool enabled;
    enum recipe_loss loss;
    int samples, epochs, batch;
    double rate;
};

struct recipe {
    struct arena arena;
    const char *path;
    const char *name;
    const char *description;
    char digest[65]; /* SHA-256 of the file */
    uint64_t seed;
    struct recipe_input input;
    int calibration_samples;
    int vectors_data, vectors_random; /* test inputs: samples of the data, random bytes */
    int dataset_samples;              /* labelled test set for accuracy; 0: none */
    struct recipe_train train;
    struct recipe_layer *layers;
    size_t layer_count, layer_capacity;
};

/* Reads and checks everything but the shapes. Errors carry file:line:column. */
int recipe_load(const char *path, struct recipe *ret, struct err *err) MUST_CHECK;
void recipe_release(struct recipe *r);

struct graph; /* graph.h */

struct recipe_result {
    struct buf tflite;
    struct graph *graph; /* trained and calibrated, in double precision */
    uint64_t macs;
    uint64_t weights;  /* parameters, biases included */
    double train_loss; /* mean over the last epoch; 0 when nothing was trained */
};

/* Make the model. ERR_CONFIG: layers that do not fit each other, with their place in the file. */
int recipe_build(const struct recipe *r, struct recipe_result *ret, struct err *err) MUST_CHECK;
void recipe_result_release(struct recipe_result *r);

/* Write in00.bin ... into an existing folder: raw little-endian input tensors. */
int recipe_write_vectors(const struct recipe *r, const char *folder, struct err *err) MUST_CHECK;

/*
 * Write real00-LAYER.bin ...: every layer's values in double precision, as float32, that the
 * quantised model approximates; for the samples of the data, not for the random inputs.
 */
int recipe_write_real(const struct recipe *r, const struct recipe_result *model, const char *folder,
                      struct err *err) MUST_CHECK;

/*
 * Write the labelled test set: one raw input tensor per file and y_labels.csv in EEMBC's layout,
 * a line "file,classes,label" per sample. ERR_USAGE when the recipe has no labelled data.
 */
int recipe_write_dataset(const struct recipe *r, const char *folder, struct err *err) MUST_CHECK;

#endif
