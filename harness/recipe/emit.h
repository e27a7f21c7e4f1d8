/*
 * From a graph with ranges to a .tflite model: quantised constants, tensors, operators.
 */
#ifndef HARNESS_RECIPE_EMIT_H
#define HARNESS_RECIPE_EMIT_H

#include "harness/recipe/graph.h"
#include "harness/tflite/model.h"

struct emitter {
    const struct graph *graph;
    struct tfl_model model;
    int32_t *tensor_of; /* layer -> tensor of its output */
};

/* Append the finished file to ret. */
void emit_model(const struct graph *g, struct buf *ret);

/* For the kinds. An operator with the layer's sources as its first inputs; no output yet. */
struct tfl_op *emit_op(struct emitter *e, const struct layer *l, enum tfl_builtin code,
                       int32_t version);
void emit_output(struct emitter *e, struct tfl_op *op, const struct layer *l);

/* Symmetric int8 weights of that shape and int32 biases, as the operator's next two inputs. */
void emit_weights(struct emitter *e, struct tfl_op *op, const struct layer *l,
                  const struct shape *shape, int axis);

/* A tensor beside the layer's own: name is "layer/what". For emit_op()'s inputs and outputs. */
int32_t emit_tensor(struct emitter *e, const struct layer *l, const char *what, enum tfl_type type,
                    const struct shape *shape);
void emit_scale(struct emitter *e, int32_t tensor, float scale, int32_t zero_point);

/* count weights as symmetric int8 with one scale, which is returned. */
float emit_matrix(struct emitter *e, struct tfl_op *op, const struct layer *l, const char *what,
                  const struct shape *shape, const double *weights);

/* int32 values of that scale as the next input. */
void emit_bias(struct emitter *e, struct tfl_op *op, const struct layer *l, const char *what,
               const double *bias, int count, float scale);

/* An int32 constant as the next input. */
void emit_ints(struct emitter *e, struct tfl_op *op, const char *name, const int32_t *values,
               int rows, int columns);

void option_u8(struct tfl_op *op, uint8_t id, int v);
void option_i32(struct tfl_op *op, uint8_t id, int32_t v);
void option_f32(struct tfl_op *op, uint8_t id, float v);
int tfl_activation(enum activation a);

#endif
