/*
 * Row-wise execution: operators run together in strips of a few rows, so that what lies between
 * them is never whole in memory. Private to harness/nn.
 *
 * A strip of an operator is an ordinary step: the same kernel on fewer rows, with the padding that
 * is left there. Between operators lies a buffer of the rows that some later one still needs; a
 * COPY moves those to its front before new ones are added. A tensor that is wanted elsewhere too
 * stays whole, and the chain's outputs may lie over inputs that nobody reads any more: so a
 * convolution is added to a residual in place. No row is computed twice, so every output is the
 * same bit for bit and the chip's loop knows nothing of it; the image grows by the records of the
 * steps.
 *
 * Where wide images or many layers make the strips themselves large, they are cut into bands of
 * columns (tiles): strips_bands.h. Columns where bands meet are computed twice; at most an eighth of
 * the model's MACs is spent on that, and the peak must be an eighth below what rows alone reach.
 *
 * strips.c chooses the chains, strips_chain.c works out the strips of one, strips_rows.c knows the
 * operators.
 */
#ifndef HARNESS_NN_STRIPS_H
#define HARNESS_NN_STRIPS_H

#include "harness/nn/layout.h"

/*
 * Splits chains of l where the arena is fullest, as long as the peak falls by an eighth or more
 * and the records do not cost eight times the bytes that are saved. Works on steps of reference
 * form, before variants are chosen.
 */
void strips_split(struct nn_lower *l);
/* Of an operator that runs in tiles: MACs of columns that two of them compute. */
uint64_t strips_recomputed_macs(const struct nn_lower *l, size_t op);

#endif
