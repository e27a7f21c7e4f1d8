/* Geometric means over a comparison's rows. Internal to harness/judge. */
#ifndef HARNESS_JUDGE_MEANS_H
#define HARNESS_JUDGE_MEANS_H

#include "harness/judge/compare.h"

/* Fills c->means from c->cases: known metrics first, in the order of harness/spec/metric.h. */
void compare_means(struct comparison *c, struct arena *arena);

#endif
