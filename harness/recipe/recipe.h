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
#include "harness/spec/suite.h"

/* Part of every PROVENANCE; raised whenever an unchanged recipe gives other bytes than before. */
#define RECIPE_GENERATOR_VERSION 2

enum {
    SHAPE_RANK_MAX = 5,
    LAYER_SOURCES_MAX = 8
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

/* Numbers as a key gives them. */
struct recipe_numbers {
    const int *values;
    size_t count;
};

/* The keys of one layer; which of them a kind takes is in its key table. */
struct layer_options {
    const char *name;                 /* unique; kind and number when not given */
    const struct suite_pattern *from; /* names of its sources */
    size_t from_count;
    int filters;
    int units;
    struct recipe_numbers kernel_given, stride_given, dilation_given, size_given;
    int kernel[2]; /* height, width; so are the others */
    int stride[2];
    int dilation[2];
    int size[2]; /* resize: of the output */
    int same;    /* SAME padding; 0: none */
    enum activation activation;
    int multiplier;             /* depthwise: outputs for each input channel */
    struct recipe_numbers list; /* shape, or pads as before/after pairs */
    double gain;                /* standard deviation of an untrained layer's outputs */
    bool per_channel;           /* dense: one weight scale for each output; false: one for all */
    enum value_type type;       /* quantize */
    int axis;                   /* concat; negative: from the end */
    double alpha;               /* leaky_relu: the slope below zero */
    int rank;                   /* svdf */
    int memory;                 /* svdf: time steps it looks back */
    int frames;                 /* stream: rows that the window holds */
};

struct recipe_layer {
    const struct layer_kind *kind;
    const char *name;
    int from[LAYER_SOURCES_MAX]; /* 0: the model's input, n: layers[n - 1] */
    int from_count;
    struct layer_options options;
    struct where where;
};

struct recipe_input {
    struct recipe_numbers shape_given;
    struct shape shape;
    enum value_type type;
    const char *data_name;
    const struct data_source *data; /* makes its samples */
    const double *range;            /* low and high as given */
    size_t range_count;
    double low, high; /* the values that the quantised input can hold */
    struct where where;
};

struct recipe_train {
    enum recipe_loss loss;
    int samples, epochs, batch;
    double rate;
};

/* Test inputs. */
struct recipe_vectors {
    int data;   /* samples of the data */
    int random; /* any value that the type can hold */
};

struct recipe {
    struct arena arena;
    const char *name;
    const char *description;
    char digest[65]; /* SHA-256 of the file */
    uint32_t seed;
    struct recipe_input input;
    int calibration_samples;
    struct recipe_vectors vectors;
    int dataset_samples; /* labelled test set for accuracy; 0: none */
    bool trained;        /* else the weights stay random */
    struct recipe_train train;
    struct recipe_layer *layers;
    size_t layer_count;
};

/* Reads and checks everything but the shapes; all mistakes in one error, as harness/load. */
int recipe_load(const char *path, struct recipe *ret, struct err *err) MUST_CHECK;

/* The same from memory: n bytes followed by a NUL; `path` is what messages call it. */
int recipe_parse(const char *data, size_t n, const char *path, struct recipe *ret,
                 struct err *err) MUST_CHECK;
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
