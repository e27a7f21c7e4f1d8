/*
 * Ranges from generated data: runs the graph in double precision over the calibration samples,
 * and turns minimum and maximum of every tensor into scale and zero point.
 */
#ifndef HARNESS_RECIPE_CALIBRATE_H
#define HARNESS_RECIPE_CALIBRATE_H

#include "harness/recipe/graph.h"

/*
 * normalise: also rescale the weights layer by layer so that every channel has spread-out values
 * over the data, as training with batch normalisation leaves them. Random weights alone would give
 * nearly the same output for every input.
 *
 * ERR_CONFIG when the samples would need gigabytes, or a layer joins tensors whose ranges TFLite or the recipe fix to different values.
 */
int graph_calibrate(struct graph *g, bool normalise, struct err *err) MUST_CHECK;

/* TFLite's asymmetric int8 (or symmetric int16) quantisation of low..high, widened to hold 0. */
struct quantisation quantisation_of(enum value_type type, double low, double high);

/* Quantised integer of x. */
int64_t quantise(double x, enum value_type type, struct quantisation q);

#endif
