#include <math.h>

#include "harness/stats/score.h"
#include "tests/unit/unit.h"

static double auc(const double *scores, const char *labels, size_t n)
{
    struct score_sample samples[16];

    for (size_t i = 0; i < n; i++)
        samples[i] = (struct score_sample){scores[i], labels[i] == '+'};
    return score_auc(samples, n);
}

static void is_the_share_of_pairs_in_order(void **state)
{
    const double up[] = {1, 2, 3, 4}, mixed[] = {3, 1, 2, 2, 5};

    assert_true(auc(up, "--++", 4) == 1);
    assert_true(auc(up, "++--", 4) == 0);
    /* positives 3, 2 against negatives 1, 2, 5: 1 + 1 + 0 and 1 + 1/2 + 0 of 6 */
    assert_true(fabs(auc(mixed, "+--+-", 5) - 3.5 / 6) < 1e-12);
}

static void equal_scores_say_nothing(void **state)
{
    const double same[] = {7, 7, 7, 7};

    assert_true(auc(same, "+-+-", 4) == 0.5);
    assert_true(isnan(auc(same, "++++", 4)));
    assert_true(isnan(auc(same, "", 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_share_of_pairs_in_order),
        cmocka_unit_test(equal_scores_say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
