/*
 * A model's tensors over the link: all inputs or outputs one after the other, as they lie in a
 * vector file.
 */
#ifndef HARNESS_MEASURE_TENSORS_H
#define HARNESS_MEASURE_TENSORS_H

#include "harness/base/buf.h"
#include "harness/client/client.h"

/* `name` is said when the size is not that of the model's inputs (ERR_CONFIG). */
int tensors_write(struct client *c, unsigned inputs, const struct buf *data, const char *name,
                  struct err *err) MUST_CHECK;
/* Appends to ret. */
int tensors_read(struct client *c, unsigned outputs, struct buf *ret, struct err *err) MUST_CHECK;

#endif
