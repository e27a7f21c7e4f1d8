/* What the generators of opgen*.c share. */
#ifndef TESTS_SUPPORT_OPGEN_GEN_H
#define TESTS_SUPPORT_OPGEN_GEN_H

#include "harness/tflite/model.h"
#include "tests/support/opgen.h"

struct gen {
    struct tfl_model m;
    uint32_t state;
};

/* From low to high. */
int32_t gen_pick(struct gen *g, int32_t low, int32_t high);
/* A factor between 1/spread and spread. */
float gen_factor(struct gen *g, float spread);
void *gen_bytes(struct gen *g, size_t n);

/* Tensors; each returns its index. */
int32_t gen_tensor(struct gen *g, const char *name, enum tfl_type type, const int32_t *shape,
                   size_t rank);
void gen_quant(struct gen *g, int32_t tensor, float scale, int64_t zero_point);
int32_t gen_activation(struct gen *g, const char *name, enum tfl_type type, const int32_t *shape,
                       size_t rank, float scale);
/* int8 weights in -127..127, quantised along `axis` (-1: one scale). */
int32_t gen_weights(struct gen *g, const int32_t *shape, size_t rank, int axis, float scale);
int32_t gen_bias(struct gen *g, int32_t channels, int32_t range);

struct tfl_op *gen_op(struct gen *g, enum tfl_builtin code, int32_t version);
void gen_option(struct tfl_op *op, uint8_t id, enum tfl_option_kind kind, int32_t value);
/* An activation that operators have built in. */
int gen_fused(struct gen *g);
void gen_finish(struct gen *g, int32_t in, int32_t out);

/* opgen_window.c */
void make_conv(struct gen *g);
void make_conv16(struct gen *g);
void make_depthwise(struct gen *g);
void make_depthwise16(struct gen *g);
void make_fully_connected(struct gen *g);
void make_fully_connected16(struct gen *g);
void make_average_pool(struct gen *g);
void make_max_pool(struct gen *g);
/* opgen_chain.c */
void make_chain(struct gen *g);
/* opgen_state.c */
void make_svdf(struct gen *g);
void make_lstm(struct gen *g);
void make_lookup(struct gen *g);

#endif
