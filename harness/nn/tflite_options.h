/* The options table of each operator, read into one flat struct. Used by tflite.c only. */
#ifndef HARNESS_NN_TFLITE_OPTIONS_H
#define HARNESS_NN_TFLITE_OPTIONS_H

#include "harness/nn/flat.h"
#include "harness/nn/graph.h"

/* `code` is an enum nn_opcode; other codes leave the defaults. t.pos may be 0 (no options). */
void tflite_read_options(int32_t code, struct flat_table t, struct nn_options *ret);

#endif
