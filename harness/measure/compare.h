/* Whether an output is what was expected. Used by check.c and its test. */
#ifndef HARNESS_MEASURE_COMPARE_H
#define HARNESS_MEASURE_COMPARE_H

#include "harness/base/buf.h"
#include "harness/nn/nn.h"
#include "harness/spec/event.h"

/*
 * Sets compared, equal, differences (in bytes) and first_difference of o. Integers must be equal;
 * float32 outputs may differ by `tolerance` times the larger of 1 and the expected value. `r` says
 * which outputs are float32; NULL: all of them, when there is a tolerance.
 */
void check_compare(const struct nn_report *r, double tolerance, const struct buf *got,
                   const struct buf *expected, struct event_output *o);

#endif
