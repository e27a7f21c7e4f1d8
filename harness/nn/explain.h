/* What the compiler made of a model, for people: aligned text, and the memory plan as a picture. */
#ifndef HARNESS_NN_EXPLAIN_H
#define HARNESS_NN_EXPLAIN_H

#include "harness/base/buf.h"
#include "harness/nn/nn.h"

/* Inputs, outputs, one line per operator, totals. `name` is what to call the model.
 * Appended to b, as the picture below. */
void nn_explain_text(const struct nn_report *r, const char *name, struct buf *b);

/*
 * The memory plan: time (steps) from left to right, the arena from bottom to top, one rectangle per
 * buffer. A complete SVG document with a text alternative; names from the file are escaped.
 */
void nn_explain_svg(const struct nn_report *r, const char *name, struct buf *b);

#endif
