#include "harness/stats/score.h"

#include <math.h>
#include <stdlib.h>

static int by_score(const void *left, const void *right)
{
    const struct score_sample *a = left, *b = right;

    return (a->score > b->score) - (a->score < b->score);
}

double score_auc(struct score_sample *samples, size_t n)
{
    double wins = 0, positives = 0, below = 0;
    size_t end;

    if (n > 0)
        qsort(samples, n, sizeof(samples[0]), by_score);
    for (size_t i = 0; i < n; i = end) {
        double p = 0;

        for (end = i; end < n && samples[end].score == samples[i].score; end++)
            p += samples[end].positive ? 1 : 0;
        const double q = (double)(end - i) - p;
        wins += p * (below + q / 2);
        positives += p;
        below += q;
    }
    return positives > 0 && below > 0 ? wins / positives / below : (double)NAN;
}
