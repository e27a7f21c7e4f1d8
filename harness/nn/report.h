/* Fills struct nn_report from what the compiler worked out. Private to harness/nn. */
#ifndef HARNESS_NN_REPORT_H
#define HARNESS_NN_REPORT_H

#include "harness/nn/layout.h"

void report_fill(const struct nn_lower *l, const struct nn_plan *plan, size_t image_bytes,
                 struct nn_report *ret);

#endif
