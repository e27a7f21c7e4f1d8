/*
 * One const table per kind of layer: what a new kind must provide. Registered in kinds.c.
 */
#ifndef HARNESS_RECIPE_KINDS_H
#define HARNESS_RECIPE_KINDS_H

#include "harness/load/key.h"
#include "harness/recipe/emit.h"
#include "harness/recipe/graph.h"

/* Where an output's quantisation comes from. */
enum range_rule {
    RANGE_OWN,    /* its own minimum and maximum over the calibration data */
    RANGE_SHARED, /* the same as its sources': TFLite's operator does not rescale */
    RANGE_UNIT,   /* 0..1: scale 1/256, zero point -128, fixed by TFLite */
    RANGE_SIGNED, /* -1..1: scale 1/128, zero point 0, fixed by TFLite */
};

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
    struct key_map map; /* its keys, by KIND_MAP */
    int sources;        /* -1: two or more */
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

/*
 * Every kind, in the order of the help: the word in the recipe and the table's name. A new kind is a
 * table in a kind_*.c and a line here.
 */
#define LAYER_KIND_LIST(X)                                                                         \
    X(conv2d)                                                                                      \
    X(depthwise_conv2d)                                                                            \
    X(dense)                                                                                       \
    X(average_pool)                                                                                \
    X(max_pool)                                                                                    \
    X(global_average_pool)                                                                         \
    X(mean)                                                                                        \
    X(add)                                                                                         \
    X(sub)                                                                                         \
    X(mul)                                                                                         \
    X(concat)                                                                                      \
    X(softmax)                                                                                     \
    X(relu)                                                                                        \
    X(relu6)                                                                                       \
    X(leaky_relu)                                                                                  \
    X(hard_swish)                                                                                  \
    X(logistic)                                                                                    \
    X(tanh)                                                                                        \
    X(reshape)                                                                                     \
    X(flatten)                                                                                     \
    X(pad)                                                                                         \
    X(resize_nearest)                                                                              \
    X(resize_bilinear)                                                                             \
    X(svdf)                                                                                        \
    X(lstm)                                                                                        \
    X(stream)                                                                                      \
    X(quantize)                                                                                    \
    X(dequantize)

#define X(name) extern const struct layer_kind kind_##name;
LAYER_KIND_LIST(X)
#undef X

/* A layer of the file before its sources are known. */
struct layer_file {
    const char *word; /* a kind without keys */
    struct where where;
    bool given[64]; /* by place in LAYER_KIND_LIST */
    struct layer_options options;
};

extern const struct key_map layer_map;
extern const struct layer_kind *const layer_kinds[]; /* NULL-terminated */

/* Rows that the kinds' key tables are made of. Each table ends with {NULL}. */
extern const char *const padding_words[], *const activation_words[], *const type_words[];
#define NUMBERS(name_, field_, example_, help_, ...)                                               \
    LIST(name_, VALUE_INTEGER, field_.values, example_, help_, COUNT(field_.count), __VA_ARGS__)
#define ROW_NAME ONE("name", VALUE_NAME, name, "stem", "what other layers call it", OPTIONAL)
#define ROW_FROM                                                                                   \
    LIST("from", VALUE_NAME_AT, from, "[stem, body]",                                              \
         "its sources: names of layers before it, or input; else the layer before it", OPTIONAL,   \
         COUNT(from_count))
#define ROW_KERNEL                                                                                 \
    NUMBERS("kernel", kernel_given, "[3, 3]", "height and width of the window", REQUIRED,          \
            RANGE(1, 1024))
#define ROW_STRIDE                                                                                 \
    NUMBERS("stride", stride_given, "2", "steps down and right", DEFAULT("1"), RANGE(1, 1024))
#define ROW_DILATION                                                                               \
    NUMBERS("dilation", dilation_given, "2", "pixels between the window's rows and columns",       \
            DEFAULT("1"), RANGE(1, 1024))
#define ROW_PADDING                                                                                \
    ONE("padding", VALUE_WORD, same, "same", "around the image, by TensorFlow's rule",             \
        DEFAULT("valid"), WORDS(padding_words))
#define ROW_ACTIVATION                                                                             \
    ONE("activation", VALUE_WORD, activation, "relu", "fused into the operator", DEFAULT("none"),  \
        WORDS(activation_words))
#define ROW_GAIN                                                                                   \
    ONE("gain", VALUE_NUMBER, gain, "1.5", "spread of the outputs when the weights are random",    \
        DEFAULT("1"))
#define ROW_UNITS ONE("units", VALUE_INTEGER, units, "10", "outputs", REQUIRED, RANGE(1, 65536))

/* The map of a kind: its keys, sizes resolved. */
#define KIND_MAP(name_, help_, keys_)                                                              \
    {                                                                                              \
        .name = (name_), .help = (help_), .keys = (keys_), .size = sizeof(struct layer_options),   \
        .finish = layer_options_finish                                                             \
    }
void layer_options_finish(struct load *l, const struct node *n, void *options);

/* Name and sources are all that such a layer can be told. */
extern const struct key plain_keys[];

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
