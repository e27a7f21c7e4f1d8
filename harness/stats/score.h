/* How good a model is at its data set: pure functions over one number a sample. */
#ifndef HARNESS_STATS_SCORE_H
#define HARNESS_STATS_SCORE_H

#include <stdbool.h>
#include <stddef.h>

struct score_sample {
    double score; /* higher: more likely positive */
    bool positive;
};

/*
 * Area under the ROC curve: the chance that a positive sample scores higher than a negative one,
 * ties counting half (Mann-Whitney). Sorts the samples. NAN without samples of both kinds.
 */
double score_auc(struct score_sample *samples, size_t n);

#endif
