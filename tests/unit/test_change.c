/* Change points against a published series, and what must hold whatever the series is. */
#include <math.h>
#include <string.h>

#include "harness/stats/change.h"
#include "harness/stats/rng.h"
#include "tests/unit/unit.h"

/*
 * Annual flow of the Nile at Aswan, 1871 to 1970, in 10^8 m^3 (R's data set Nile). Cobb (Biometrika
 * 65, 1978) finds one change, after 1898; so do R's changepoint::cpt.mean(Nile) and
 * strucchange::breakpoints(Nile ~ 1): 28 values before it, medians 1110 (R: median(Nile[1:28]) is
 * 1110) and 845 afterwards (median(Nile[29:100]) is 845).
 */
static const double nile[100] = {
    1120, 1160, 963, 1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994,  1020,
    960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
    874,  694,  940, 833,  701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,
    1120, 1100, 832, 764,  821,  768,  845,  864,  862,  698,  845,  744,  796,  1040, 759,
    781,  865,  845, 944,  984,  897,  822,  1010, 771,  676,  649,  846,  812,  742,  801,
    1040, 860,  874, 848,  890,  744,  749,  838,  1050, 918,  986,  797,  923,  975,  815,
    1020, 906,  901, 1170, 912,  746,  919,  718,  714,  740};

static double median_of(const double *x, size_t n)
{
    double copy[100];
    double t;

    memcpy(copy, x, n * sizeof(*x));
    for (size_t i = 1; i < n; i++) {
        for (size_t k = i; k > 0 && copy[k] < copy[k - 1]; k--) {
            t = copy[k];
            copy[k] = copy[k - 1];
            copy[k - 1] = t;
        }
    }
    return n % 2 == 1 ? copy[n / 2] : (copy[n / 2 - 1] + copy[n / 2]) / 2;
}

static void the_nile_changed_after_1898(void **state)
{
    const struct change_options o = {0};
    struct change_segment s[100];

    (void)state;
    assert_int_equal(change_find(nile, 100, &o, s), 2);
    assert_int_equal(s[0].begin, 0);
    assert_int_equal(s[0].end, 28);
    assert_int_equal(s[1].end, 100);
    assert_true(s[0].median == median_of(nile, 28) && s[1].median == median_of(nile + 28, 72));
}

static void make(struct rng *rng, double *x, size_t n)
{
    const size_t at = 5 + rng_below(rng, n - 10);

    for (size_t i = 0; i < n; i++)
        x[i] = rng_normal(rng) + (i >= at ? 6.0 : 0.0);
}

/* The unit and the zero of a scale are nobody's business. */
static void segments_follow_scaling_and_shifting(void **state)
{
    const struct change_options o = {0};
    struct rng rng = RNG_SEED(11);

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct change_segment s[40], t[40];
        double x[40], y[40];
        size_t n;

        make(&rng, x, 40);
        for (size_t i = 0; i < 40; i++)
            y[i] = 4096 * x[i] - 524288;
        n = change_find(x, 40, &o, s);
        assert_int_equal(change_find(y, 40, &o, t), n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(s[i].begin, t[i].begin);
            assert_int_equal(s[i].end, t[i].end);
        }
    }
}

/* Time runs forwards or backwards: the levels are the same. */
static void segments_mirror_when_time_runs_backwards(void **state)
{
    const struct change_options o = {0};
    struct rng rng = RNG_SEED(12);

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct change_segment s[40], t[40];
        double x[40], y[40];
        size_t n;

        make(&rng, x, 40);
        for (size_t i = 0; i < 40; i++)
            y[i] = x[39 - i];
        n = change_find(x, 40, &o, s);
        assert_int_equal(change_find(y, 40, &o, t), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(s[i].begin, 40 - t[n - 1 - i].end);
    }
}

/* Known by calculation: 1.4826 * 1 / sqrt(2), and 3 (1 + 5 / 50) sqrt(2 / pi) ln 50. */
static void noise_and_penalty_are_what_the_formulas_say(void **state)
{
    static const double x[] = {10, 11, 10, 11, 10, 11, 10};

    (void)state;
    assert_true(fabs(change_noise(x, 7) - 1.048356) < 1e-5);
    assert_true(fabs(change_penalty(1, 50) - 10.300431) < 1e-5);
    assert_true(fabs(change_penalty(2.5, 50) - 2.5 * 10.300431) < 1e-4);
    assert_true(change_noise(x, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nile_changed_after_1898),
        cmocka_unit_test(segments_follow_scaling_and_shifting),
        cmocka_unit_test(segments_mirror_when_time_runs_backwards),
        cmocka_unit_test(noise_and_penalty_are_what_the_formulas_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
