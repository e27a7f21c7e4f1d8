/*
 * Random models of many layers, as .tflite bytes: chains of windows with residuals, and graphs that
 * branch and join. What comes of fusing, strips and memory planning is compared on them.
 */
#ifndef TESTS_SUPPORT_LAYERGEN_H
#define TESTS_SUPPORT_LAYERGEN_H

#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

/* Windows one after the other, now and then x + f(f(x)). Appends to ret. */
int layergen_chain(uint32_t seed, struct buf *ret, struct err *err) MUST_CHECK;
/* Tensors that several operators read, sums, products and concatenations of any two. */
int layergen_branches(uint32_t seed, struct buf *ret, struct err *err) MUST_CHECK;
/* Wide images and many layers: strips of their rows are large. */
int layergen_wide(uint32_t seed, struct buf *ret, struct err *err) MUST_CHECK;
/* Rows padded, joined and cut, tensors under other shapes: what is moved about, and not computed. */
int layergen_joins(uint32_t seed, struct buf *ret, struct err *err) MUST_CHECK;
/* The model of a recipe's text. */
int layergen_recipe(const char *text, struct buf *ret, struct err *err) MUST_CHECK;

#endif
