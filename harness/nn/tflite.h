/*
 * Reads .tflite files (flatbuffer schema version 3, identifier "TFL3") into nn_model.
 *
 * Clean room from the public schema. Nothing in the file is trusted: offsets, counts, shapes and
 * indices are checked, memory use is bounded by the file's size. Whether an operator can be run is
 * not decided here (see nn.h).
 */
#ifndef HARNESS_NN_TFLITE_H
#define HARNESS_NN_TFLITE_H

#include "harness/base/err.h"
#include "harness/nn/graph.h"

/* No larger file is read. */
#define TFLITE_MAX_FILE (64u << 20)

/* ERR_CONFIG when the bytes are not a model that can be read. Release with nn_model_free(). */
int tflite_read(const void *data, size_t size, struct nn_model **ret_model,
                struct err *err) MUST_CHECK;
void nn_model_free(struct nn_model *model); /* NULL is fine */
DEFINE_AUTO(struct nn_model, nn_model_free)

#endif
