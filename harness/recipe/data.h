/*
 * Generated data: samples that calibrate a model, train it, and test it.
 *
 * A source fills one input tensor per call from a random stream. Labelled sources also say which
 * class it is (for accuracy), or what the right output is (for regression).
 */
#ifndef HARNESS_RECIPE_DATA_H
#define HARNESS_RECIPE_DATA_H

#include "harness/base/err.h"
#include "harness/recipe/recipe.h"
#include "harness/recipe/repro.h"

struct sample {
    double *x;
    double *target; /* NULL when nobody asks */
    int label;      /* 0 when there are none */
    bool normal;    /* asked for: no anomalies, as in training */
};

enum {
    TARGETS_INPUT = -1
};

struct data_source {
    const char *name;
    const char *summary;
    int classes; /* 0: no labels */
    int targets; /* values per regression target; 0: none, TARGETS_INPUT: the input again */
    int rank;    /* the input shape it needs; 0: any */
    int dim[SHAPE_RANK_MAX];
    /* Draw one sample; s->x and s->target have room for what shape and targets say. */
    void (*draw)(struct rng *r, const struct recipe_input *in, struct sample *s);
};

const struct data_source *data_find(const char *name);
extern const char *const data_names[]; /* NULL-terminated */

#endif
