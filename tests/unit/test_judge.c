/*
 * Decisions and comparability.
 *
 * Expected verdicts follow from the rules written in harness/judge/decide.h; p-values from R
 * (wilcox.test, pt), run once.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/judge/comparable.h"
#include "harness/judge/decide.h"
#include "tests/unit/close.h"

#define SAMPLE(...)                                                                                \
    {                                                                                              \
        .values = (const double[]){__VA_ARGS__},                                                   \
        .n = sizeof((const double[]){__VA_ARGS__}) / sizeof(double), .sigma = NAN                  \
    }

static struct decision decide(struct decide_question *q)
{
    struct decision d;

    if (q->floor == 0)
        q->floor = decide_floor(&decide_policy_default, q->class_, false, false);
    decide_evidence(q, &decide_policy_default, 0.01, &d);
    decide_verdict(q, &decide_policy_default, &d);
    return d;
}

static void an_exact_metric_changes_with_the_last_byte(void **state)
{
    const double before[] = {48000};
    const double after[] = {48001};
    struct decide_question q = {.class_ = METRIC_EXACT,
                                .lower_is_better = true,
                                .a = {.runs = before, .run_count = 1, .sigma = NAN},
                                .b = {.runs = after, .run_count = 1, .sigma = NAN}};
    struct decision d = decide(&q);

    assert_int_equal(d.verdict, VERDICT_REGRESSED);
    assert_close(d.change, 1.0 / 48000, 1e-12);
    assert_string_equal(d.method, "exact");
    q.b = q.a;
    q.a.runs = after;
    assert_int_equal(decide(&q).verdict, VERDICT_IMPROVED);
    q.b.runs = after;
    d = decide(&q);
    assert_int_equal(d.verdict, VERDICT_UNCHANGED);
    assert_true(d.p == 1 && d.change == 0 && !d.tested);
}

static void equal_counts_are_exact_and_equal_times_keep_their_floor(void **state)
{
    struct decide_question q = {.class_ = METRIC_CYCLE,
                                .lower_is_better = true,
                                .a = SAMPLE(1000, 1000, 1000),
                                .b = SAMPLE(1001, 1001, 1001)};

    assert_int_equal(decide(&q).verdict, VERDICT_REGRESSED); /* 0.1 % of a deterministic counter */
    q.class_ = METRIC_TIME;
    q.floor = 0;
    assert_int_equal(decide(&q).verdict, VERDICT_UNCHANGED);
    q.deterministic = true;
    assert_int_equal(decide(&q).verdict, VERDICT_REGRESSED);
    q.deterministic = false;
    q.b = (struct decide_sample)SAMPLE(1020, 1020, 1020);
    assert_int_equal(decide(&q).verdict, VERDICT_REGRESSED); /* above the floor, without scatter */
}

static void effect_and_evidence_are_both_needed(void **state)
{
    struct decide_question q = {.class_ = METRIC_TIME,
                                .lower_is_better = true,
                                .a = SAMPLE(100.0, 100.1, 100.2, 100.3, 100.4),
                                .b = SAMPLE(103.0, 103.1, 103.2, 103.3, 103.5)};
    struct decision d = decide(&q);

    assert_int_equal(d.verdict, VERDICT_REGRESSED);
    assert_close(d.p, 2.0 / 252, 1e-12); /* the least that 5 + 5 can give */
    assert_string_equal(d.method, "Mann-Whitney, exact");
    assert_close(d.change, 3.0 / 100.2, 1e-6);
    assert_true(d.low > 0.026 && d.high < 0.034 && d.detectable < 0.01);
    q.b = (struct decide_sample)SAMPLE(100.6, 100.7, 100.8, 100.9, 101.0); /* evidence, no effect */
    d = decide(&q);
    assert_int_equal(d.verdict, VERDICT_UNCHANGED);
    assert_true(d.p < 0.01);
    q.a = (struct decide_sample)SAMPLE(90, 120, 100, 95, 130); /* effect, no evidence */
    q.b = (struct decide_sample)SAMPLE(110, 99, 140, 125, 92);
    assert_int_equal(decide(&q).verdict, VERDICT_WITHIN_NOISE);
    q.lower_is_better = false;
    q.a = (struct decide_sample)SAMPLE(100.0, 100.1, 100.2, 100.3, 100.4);
    q.b = (struct decide_sample)SAMPLE(103.0, 103.1, 103.2, 103.3, 103.5);
    assert_int_equal(decide(&q).verdict, VERDICT_IMPROVED);
}

static void the_same_binary_never_alerts(void **state)
{
    struct decide_question q = {.class_ = METRIC_TIME,
                                .lower_is_better = true,
                                .same = true,
                                .a = SAMPLE(100.0, 100.1, 100.2, 100.3, 100.4),
                                .b = SAMPLE(103.0, 103.1, 103.2, 103.3, 103.5)};

    assert_int_equal(decide(&q).verdict, VERDICT_WITHIN_NOISE);
}

/* Three windows cannot reach p = 0.01 by ranks (0.1 at best), but by t they can. */
static void few_windows_are_judged_by_their_scatter(void **state)
{
    struct decide_question q = {.class_ = METRIC_TIME,
                                .lower_is_better = true,
                                .a = SAMPLE(100.0, 100.1, 100.2),
                                .b = SAMPLE(110.0, 110.1, 110.2)};
    struct decision d = decide(&q);

    assert_int_equal(d.verdict, VERDICT_REGRESSED);
    assert_string_equal(d.method, "Student, pooled windows");
    assert_true(d.p < 1e-6 && d.needed == 0);
    q.b = (struct decide_sample)SAMPLE(98.0, 103.0, 111.0);
    d = decide(&q);
    assert_int_equal(d.verdict, VERDICT_INCONCLUSIVE);
    q.a = (struct decide_sample)SAMPLE(100.0);
    q.b = (struct decide_sample)SAMPLE(103.0);
    d = decide(&q);
    assert_int_equal(d.verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(d.needed, 5);
    assert_true(isinf(d.detectable) && !d.tested);
}

/* Energy as the store has it: a value, its interval, n = 5; no windows. */
static void a_stored_interval_stands_for_the_windows(void **state)
{
    const double before[] = {400};
    const double after[] = {440};
    struct decide_question q = {.class_ = METRIC_ENERGY,
                                .lower_is_better = true,
                                .a = {.runs = before, .run_count = 1, .sigma = 2, .sigma_n = 5},
                                .b = {.runs = after, .run_count = 1, .sigma = 2, .sigma_n = 5}};
    struct decision d = decide(&q);

    assert_int_equal(d.verdict, VERDICT_REGRESSED);
    assert_close(d.p, 1.08833e-09, 1e-4); /* 2 * pt(-40 / (2 * sqrt(2/5)), 8) */
    q.b.sigma_n = 0;
    q.b.sigma = NAN;
    assert_int_equal(decide(&q).verdict, VERDICT_INCONCLUSIVE);
}

/* Windows of one run agree too well; nights of 0.8 % scatter must not alert at 1.5 %. */
static void scatter_between_runs_widens_the_evidence(void **state)
{
    const double runs_a[] = {100.2};
    const double runs_b[] = {101.7};
    struct decide_question q = {.class_ = METRIC_TIME,
                                .lower_is_better = true,
                                .a = SAMPLE(100.0, 100.1, 100.2, 100.3, 100.4),
                                .b = SAMPLE(101.5, 101.6, 101.7, 101.8, 101.9)};
    struct decision d;

    q.a.runs = runs_a;
    q.b.runs = runs_b;
    q.a.run_count = q.b.run_count = 1;
    assert_int_equal(decide(&q).verdict, VERDICT_REGRESSED);
    q.noise = (struct decide_noise){.sigma = 0.008, .df = 19};
    d = decide(&q);
    assert_int_equal(d.verdict, VERDICT_WITHIN_NOISE);
    assert_string_equal(d.method, "Student, between runs");
    assert_close(d.p, 0.201479, 1e-5); /* 2 * pt(-0.01497 / (0.008 * sqrt(2)), 19) */
    assert_true(d.low < 0 && d.high > 0.03 && d.detectable > 0.03);
}

static void levels_of_facts_decide_what_may_be_compared(void **state)
{
    static const struct data_fact a[] = {{"board.uid", "A1"},       {"compiler.version", "12.2"},
                                         {"model.sha256", "aa"},    {"probe.path", "1-2"},
                                         {"voltage.uv", "3300000"}, {"x.unheard", "1"}};
    static const struct data_fact b[] = {{"x.unheard", "1"},     {"voltage.uv", "3309000"},
                                         {"model.sha256", "aa"}, {"compiler.version", "13.1"},
                                         {"meter.serial", "P7"}, {"probe.path", "1-3"},
                                         {"board.uid", "B2"}};
    static const struct data_fact low[] = {{"voltage.uv", "1800000"}, {"model.sha256", "bb"}};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct differences d = comparable_facts(a, 6, b, 7, 0, &arena);

    assert_int_equal(d.count, 3); /* 0.3 % of voltage and another probe port are no difference */
    assert_string_equal(d.list[0].key, "board.uid");
    assert_string_equal(d.list[1].key, "compiler.version");
    assert_string_equal(d.list[2].key, "meter.serial");
    assert_null(d.list[2].a);
    assert_string_equal(d.list[1].b, "13.1");
    assert_null(comparable_block(&d, METRIC_ENERGY));
    d = comparable_facts(a, 6, low, 2, 0, &arena);
    assert_string_equal(d.list[0].key, "model.sha256"); /* worst first */
    assert_int_equal(d.list[0].level, DIFFERENCE_BLOCK);
    assert_string_equal(comparable_block(&d, METRIC_EXACT)->key, "model.sha256");
    d = comparable_facts(a, 6, low, 2, ACROSS(FACT_OF_MODEL), &arena);
    assert_string_equal(comparable_block(&d, METRIC_ENERGY)->title, "supply");
    assert_null(comparable_block(&d, METRIC_TIME));
    d = comparable_facts(a, 6, low, 1, ACROSS(FACT_OF_BOARD), &arena);
    assert_null(comparable_block(&d, METRIC_ENERGY)); /* two boards on purpose */
    assert_non_null(comparable_find(&d, "voltage.uv"));
}

static void every_fact_of_the_vocabulary_is_found(void **state)
{
    for (size_t i = 0; i < fact_info_count; i++) {
        char key[64];
        const size_t n = strlen(fact_infos[i].key);

        assert_true(n < sizeof(key));
        memcpy(key, fact_infos[i].key, n + 1);
        if (key[n - 1] == '*')
            key[n - 1] = 'x';
        assert_ptr_equal(fact_info_find(key), &fact_infos[i]);
    }
    assert_int_equal(fact_info_find("nobody.knows")->level, DIFFERENCE_INFORM);
    assert_string_equal(verdict_name(VERDICT_WITHIN_NOISE), "within-noise");
    assert_int_equal(verdict_find("incomparable"), VERDICT_INCOMPARABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_metric_changes_with_the_last_byte),
        cmocka_unit_test(equal_counts_are_exact_and_equal_times_keep_their_floor),
        cmocka_unit_test(effect_and_evidence_are_both_needed),
        cmocka_unit_test(the_same_binary_never_alerts),
        cmocka_unit_test(few_windows_are_judged_by_their_scatter),
        cmocka_unit_test(a_stored_interval_stands_for_the_windows),
        cmocka_unit_test(scatter_between_runs_widens_the_evidence),
        cmocka_unit_test(levels_of_facts_decide_what_may_be_compared),
        cmocka_unit_test(every_fact_of_the_vocabulary_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
