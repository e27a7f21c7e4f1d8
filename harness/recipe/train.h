/*
 * A small deterministic trainer: minibatch Adam (Kingma and Ba 2015) in double precision, with the
 * learning rate falling linearly to a tenth. For models of a few thousand weights and generated
 * data; every layer kind with a backward pass can be part of it.
 */
#ifndef HARNESS_RECIPE_TRAIN_H
#define HARNESS_RECIPE_TRAIN_H

#include "harness/recipe/graph.h"

/*
 * Train g's weights as its recipe says. Loss: mean of squared errors, or cross entropy when the
 * last layer is a softmax. ERR_CONFIG when a layer cannot be trained or the data does not fit.
 */
int graph_train(struct graph *g, double *ret_loss, struct err *err) MUST_CHECK;

#endif
