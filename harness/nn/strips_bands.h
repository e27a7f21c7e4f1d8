/*
 * Tiles: a chain's images are cut into bands of columns, and each band runs in strips of rows. The
 * strips are as much narrower as there are bands; what a band reads beyond its border is computed
 * by its neighbour too. Used by strips.c only.
 *
 * A band of an operator is an ordinary step on a narrower image. COPYs cut a band out of what the
 * chain reads and put the last operator's band into its output; both run in strips like the others.
 */
#ifndef HARNESS_NN_STRIPS_BANDS_H
#define HARNESS_NN_STRIPS_BANDS_H

#include "harness/nn/strips_chain.h"

/* Can the chain, which chain_take() has made, run in bands? Every tensor in it has one reader. */
bool bands_fit(const struct nn_lower *l, const struct chain *c);
/*
 * Replaces the chain's steps by those of its bands, in strips, in a new array of steps. False when
 * rows of some band would begin off a word; then what happened to the steps must be undone.
 */
bool bands_split(struct nn_lower *l, const struct chain *c, uint32_t bands);

#endif
