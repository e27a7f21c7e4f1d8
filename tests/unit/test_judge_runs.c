/*
 * Histories and whole comparisons; what one metric's decision is, test_judge.c checks.
 *
 * Expected verdicts follow from the rules written in harness/judge/decide.h.
 */
#include <math.h>
#include <stdlib.h>

#include "harness/judge/compare.h"
#include "harness/judge/history.h"
#include "harness/judge/sample.h"
#include "harness/stats/distribution.h"
#include "harness/stats/rng.h"
#include "tests/unit/close.h"
#include "tests/unit/datasets.h"

#define MADE __attribute__((cleanup(made_release))) struct made
static void made_release(struct made *m)
{
    arena_release(&m->arena);
}

/* ---- histories ---- */

static struct data_series series_of(struct made *m, const double *values, size_t n)
{
    struct data_point *points = arena_alloc(&m->arena, n * sizeof(*points));

    for (size_t i = 0; i < n; i++)
        points[i] = (struct data_point){.value = values[i], .n = 5, .status = CASE_PASSED};
    return (struct data_series){.metric = "latency",
                                .suite = "s",
                                .key = "m/b/e",
                                .class_ = METRIC_TIME,
                                .unit = UNIT_NS,
                                .lower_is_better = true,
                                .points = points,
                                .point_count = n};
}

static void a_history_names_its_changes_and_its_level(void **state)
{
    MADE m = {.count = 0};
    struct rng rng = RNG_SEED(2);
    double x[60];
    struct data_series s;
    struct history h;
    const struct data_point *baseline;

    for (size_t i = 0; i < 60; i++)
        x[i] = (i < 25 ? 1000 : i < 50 ? 1300 : 1274) * (1 + 0.001 * rng_normal(&rng));
    s = series_of(&m, x, 60);
    ((struct data_point *)s.points)[10].status = CASE_FAILED; /* no number */
    history_of(&s, NULL, &decide_policy_default, &m.arena, &h);
    assert_int_equal(h.used_count, 59);
    assert_int_equal(h.change_count, 2);
    assert_int_equal(h.changes[0].at, 25);
    assert_int_equal(h.changes[0].verdict, VERDICT_REGRESSED);
    assert_close(h.changes[0].change, 0.3, 0.02);
    assert_int_equal(h.changes[1].at, 50);
    assert_int_equal(h.changes[1].verdict, VERDICT_IMPROVED);
    assert_close(h.level, 1274, 0.001);
    assert_true(h.noise.sigma > 0.0005 && h.noise.sigma < 0.002 && h.noise.df >= 16);
    assert_int_equal(history_baseline(&s, &h, &m.arena, &baseline), 10);
    assert_true(baseline[0].value == x[50]);
}

static void a_new_environment_begins_a_new_level(void **state)
{
    MADE m = {.count = 0};
    bool breaks[12] = {false};
    double x[12];
    struct data_series s;
    struct history h;

    for (size_t i = 0; i < 12; i++)
        x[i] = 1000 + (double)(i % 3) + (i >= 6);
    breaks[6] = true;
    s = series_of(&m, x, 12);
    history_of(&s, breaks, &decide_policy_default, &m.arena, &h);
    assert_int_equal(h.segment_count, 2);
    assert_true(h.changes[0].environment);
    assert_int_equal(h.changes[0].at, 6);
    assert_int_equal(h.changes[0].verdict, VERDICT_WITHIN_NOISE);
    history_of(&s, NULL, &decide_policy_default, &m.arena, &h);
    assert_int_equal(h.segment_count, 1);
    s.point_count = 0;
    history_of(&s, NULL, &decide_policy_default, &m.arena, &h);
    assert_true(h.segment_count == 0 && isnan(h.level) && h.noise.df == 0);
}

static void one_odd_night_is_not_a_level(void **state)
{
    double x[20];

    for (size_t i = 0; i < 20; i++)
        x[i] = 500 + (double)(i * 7 % 5) * 0.1;
    x[19] = 700;
    assert_int_equal(history_current(x, 20, 0.01, NULL), 20);
    x[18] = x[17] = 700;
    assert_int_equal(history_current(x, 20, 0.01, NULL), 3);
    x[19] = 701; /* exact: each value is a level */
    assert_int_equal(history_current(x, 20, 0, NULL), 1);
    assert_int_equal(history_current(x, 0, 0.01, NULL), 0);
}

/* ---- comparisons ---- */

static struct comparison compared(const struct made *a, const struct made *b,
                                  const struct compare_options *options, struct arena *arena)
{
    const struct dataset x = made_dataset(a);
    const struct dataset y = made_dataset(b);
    struct comparison c;

    compare(&x, &y, options != NULL ? options : &(struct compare_options){.policy = NULL}, arena,
            &c);
    return c;
}

static void made_net(struct made *m, double nj, double uncertainty, double repeatability)
{
    struct event_metric *net;

    made_case(m, "kws", "m4", "tiny");
    (void)made_metric(m, "energy.repeatability", METRIC_INFO, UNIT_NJ, repeatability);
    net = made_metric(m, "energy.net", METRIC_ENERGY, UNIT_NJ, nj);
    net->low = nj - uncertainty;
    net->high = nj + uncertainty;
    net->n = 5;
}

/* The meter's gain, 10 %, is on both sides and hides nothing; what scatters does. */
static void a_meters_gain_hides_no_change_of_energy(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE steady = {.count = 0};
    MADE noisy = {.count = 0};
    MADE noise = {.count = 0};

    (void)state;
    made_net(&a, 1000, 100, 2);
    made_net(&steady, 1050, 105, 2);
    assert_int_equal(compared(&a, &steady, NULL, &arena).verdicts[VERDICT_REGRESSED], 1);
    made_net(&noise, 1000, 100, 90);
    made_net(&noisy, 1050, 105, 90);
    assert_int_equal(compared(&noise, &noisy, NULL, &arena).verdicts[VERDICT_REGRESSED], 0);
}

static void cases_meet_by_what_they_are(void **state)
{
    static const double fast[] = {100.0, 100.1, 100.2, 100.3, 100.4};
    static const double slow[] = {110.0, 110.1, 110.2, 110.3, 110.4};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;

    made_case(&a, "kws", "m4", "tiny");
    made_windows(&a, UNIT_NS, fast, 5);
    (void)made_metric(&a, "flash", METRIC_EXACT, UNIT_BYTES, 5000);
    (void)made_metric(&a, "clock.ppm", METRIC_INFO, UNIT_PPM, 12);
    made_case(&a, "gone", "m4", "tiny");
    made_windows(&a, UNIT_NS, fast, 5);
    made_case(&b, "new", "m4", "tiny");
    made_windows(&b, UNIT_NS, fast, 5);
    made_case(&b, "kws", "m4", "tiny");
    made_windows(&b, UNIT_NS, slow, 5);
    (void)made_metric(&b, "flash", METRIC_EXACT, UNIT_BYTES, 4999);
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.case_count, 3);
    assert_string_equal(c.cases[0].key, "new/m4/tiny");
    assert_int_equal(c.cases[0].verdict, VERDICT_NO_BASELINE);
    assert_int_equal(c.cases[1].verdict, VERDICT_REGRESSED);
    assert_string_equal(c.cases[1].reason, "latency: effect above the floor, and evidence for it");
    assert_int_equal(c.cases[1].row_count, 2);
    assert_int_equal(c.cases[1].rows[1].d.verdict, VERDICT_IMPROVED);
    assert_int_equal(c.cases[2].verdict, VERDICT_INVALID);
    assert_string_equal(c.cases[2].key, "gone/m4/tiny");
    assert_int_equal(c.verdicts[VERDICT_REGRESSED], 1);
    assert_int_equal(c.verdicts[VERDICT_IMPROVED], 1);
    assert_int_equal(c.verdicts[VERDICT_NO_BASELINE], 1);
    assert_int_equal(c.verdicts[VERDICT_INVALID], 1);
    assert_int_equal(c.tests, 1);
    assert_int_equal(c.mean_count, 2);
    assert_string_equal(c.means[0].metric, "latency");
    assert_close(c.means[0].ratio.mean, 110.2 / 100.2, 1e-12);
    assert_int_equal(c.means[0].incomparable, 1);
}

static void a_failure_or_a_refusal_is_a_verdict_of_its_own(void **state)
{
    static const double x[] = {100.0, 100.1, 100.2};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct data_case *failed;
    struct comparison c;

    for (int i = 0; i < 5; i++) {
        made_case(&a, (const char *const[]){"m0", "m1", "m2", "m3", "m4"}[i], "m4", "tiny");
        made_windows(&a, UNIT_NS, x, 3);
    }
    a.cases[3].status = CASE_FAILED;
    a.cases[3].text = "output 0 differs";
    a.cases[4].status = CASE_SKIPPED;
    failed = made_case(&b, "m0", "m4", "tiny");
    failed->status = CASE_FAILED;
    failed->text = "output 3 differs";
    made_case(&b, "m1", "m4", "tiny")->status = CASE_ERROR;
    made_case(&b, "m2", "m4", "tiny");
    made_windows(&b, UNIT_NS, x, 3);
    for (size_t i = 0; i < 3; i++)
        ((struct event_window *)b.cases[2].windows)[i].invalid = INVALID(INVALID_LINK);
    made_case(&b, "m3", "m4", "tiny");
    made_windows(&b, UNIT_NS, x, 3);
    made_case(&b, "m4", "m4", "tiny")->status = CASE_SKIPPED;
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.case_count, 4);
    assert_int_equal(c.skipped, 1);
    assert_int_equal(c.cases[0].verdict, VERDICT_FAILED);
    assert_string_equal(c.cases[0].reason, "output 3 differs");
    assert_int_equal(c.cases[1].verdict, VERDICT_INVALID);
    assert_string_equal(c.cases[1].reason, "error");
    assert_int_equal(c.cases[2].verdict, VERDICT_INVALID);
    assert_string_equal(c.cases[2].reason, "latency: the link was not silent");
    assert_int_equal(c.cases[3].verdict, VERDICT_NO_BASELINE);
    assert_string_equal(c.cases[3].reason, "latency: the baseline failed: output 0 differs");
}

static void what_differs_too_much_is_not_compared(void **state)
{
    static const double x[] = {100.0, 100.1, 100.2, 100.3, 100.4};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;

    made_case(&a, "m0", "m4", "tiny");
    made_windows(&a, UNIT_NS, x, 5);
    made_case(&a, "m1", "m4", "tiny");
    made_windows(&a, UNIT_NS, x, 5);
    (void)made_metric(&a, "flash", METRIC_EXACT, UNIT_BYTES, 5000);
    made_fact(&a, "clock.hz", "80000000");
    made_case(&a, "m2", "m4", "tiny");
    made_windows(&a, UNIT_CYCLES, x, 5);
    made_case(&b, "m0", "m4", "tiny")->realm = REALM_VIRTUAL;
    made_windows(&b, UNIT_NS, x, 5);
    made_case(&b, "m1", "m4", "tiny");
    made_windows(&b, UNIT_NS, x, 5);
    (void)made_metric(&b, "flash", METRIC_EXACT, UNIT_BYTES, 5000);
    made_fact(&b, "clock.hz", "120000000");
    made_case(&b, "m2", "m4", "tiny");
    made_windows(&b, UNIT_NS, x, 5);
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.cases[0].verdict, VERDICT_INCOMPARABLE);
    assert_string_equal(c.cases[0].reason, "latency: realm: silicon against virtual");
    assert_int_equal(c.cases[1].rows[0].d.verdict, VERDICT_INCOMPARABLE);
    assert_string_equal(c.cases[1].rows[0].blocked_by->key, "clock.hz");
    assert_int_equal(c.cases[1].rows[1].d.verdict, VERDICT_UNCHANGED); /* bytes know no clock */
    assert_string_equal(c.cases[2].reason, "latency: unit of time: cycles against ns");
    assert_int_equal(c.means[0].incomparable, 3);
}

/* Two boards on purpose: their types do not block, realm and unit still do. */
static void boards_and_engines_are_compared_across(void **state)
{
    static const double x[] = {100.0, 100.1, 100.2, 100.3, 100.4};
    static const double y[] = {50.0, 50.1, 50.2, 50.3, 50.4};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;

    for (int i = 0; i < 2; i++) {
        made_case(&a, i == 0 ? "kws" : "ad", "m4", "tflm");
        made_windows(&a, UNIT_CYCLES, x, 5);
        made_fact(&a, "board_type.part", "STM32L4R5");
        made_case(&b, i == 0 ? "kws" : "ad", "m7", "tiny");
        made_windows(&b, UNIT_CYCLES, y, 5);
        made_fact(&b, "board_type.part", "STM32H743");
    }
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.across, ACROSS(FACT_OF_BOARD) | ACROSS(FACT_OF_ENGINE));
    assert_int_equal(c.case_count, 2);
    assert_int_equal(c.cases[0].verdict, VERDICT_IMPROVED);
    assert_int_equal(c.cases[0].differences.count, 1);
    assert_int_equal(c.verdicts[VERDICT_IMPROVED], 2);
    /* One more board in b: now boards are not one against one, and nothing meets. */
    made_case(&b, "kws", "m0", "tiny");
    made_windows(&b, UNIT_CYCLES, y, 5);
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.verdicts[VERDICT_NO_BASELINE], 3);
}

static void muted_metrics_are_shown_but_not_counted(void **state)
{
    static const double x[] = {100.0, 100.1, 100.2, 100.3, 100.4};
    static const double y[] = {120.0, 120.1, 120.2, 120.3, 120.4};
    const struct mute mutes[] = {
        {.key = "kws/*", .metric = "latency*", .expires_ns = 1000, .reason = "known"}};
    struct compare_options o = {.mutes = mutes, .mute_count = 1, .now_ns = 999};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;

    made_case(&a, "kws", "m4", "tiny");
    made_windows(&a, UNIT_NS, x, 5);
    made_case(&b, "kws", "m4", "tiny");
    made_windows(&b, UNIT_NS, y, 5);
    c = compared(&a, &b, &o, &arena);
    assert_int_equal(c.muted, 1);
    assert_int_equal(c.verdicts[VERDICT_REGRESSED], 0);
    assert_int_equal(c.cases[0].rows[0].d.verdict, VERDICT_REGRESSED);
    assert_string_equal(c.cases[0].rows[0].mute->reason, "known");
    assert_int_equal(c.cases[0].verdict, VERDICT_UNCHANGED);
    o.now_ns = 1000; /* expired */
    c = compared(&a, &b, &o, &arena);
    assert_int_equal(c.verdicts[VERDICT_REGRESSED], 1);
}

static void an_a_a_pair_needs_the_same_binary(void **state)
{
    static const double x[] = {100.0, 100.1, 100.2, 100.3, 100.4};
    static const double y[] = {120.0, 120.1, 120.2, 120.3, 120.4};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};

    made_case(&a, "kws", "m4", "tiny");
    made_windows(&a, UNIT_NS, x, 5);
    made_case(&b, "kws", "m4", "tiny");
    made_windows(&b, UNIT_NS, y, 5);
    assert_int_equal(compared(&a, &b, NULL, &arena).cases[0].verdict, VERDICT_REGRESSED);
    made_fact(&a, "firmware.sha256", "f0");
    made_fact(&b, "firmware.sha256", "f0");
    assert_int_equal(compared(&a, &b, NULL, &arena).cases[0].verdict, VERDICT_WITHIN_NOISE);
    made_fact(&a, "compiler.flags", "-O2");
    made_fact(&b, "compiler.flags", "-O3");
    assert_int_equal(compared(&a, &b, NULL, &arena).cases[0].verdict, VERDICT_REGRESSED);
}

/* Nine nights before a big step and five after it: the base is the level after it. */
static void a_base_of_many_runs_is_its_current_level(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct rng rng = RNG_SEED(44);
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;
    double x[5];

    for (int night = 14; night >= 0; night--) { /* newest first */
        struct made *m = night == 14 ? &b : &a;
        const double level = night < 9 ? 1000 : night < 14 ? 1400 : 1428;

        made_case(m, "kws", "m4", "tiny");
        for (size_t i = 0; i < 5; i++)
            x[i] = level * (1 + 0.0005 * rng_normal(&rng));
        made_windows(m, UNIT_NS, x, 5);
    }
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.cases[0].runs_a, 14);
    assert_int_equal(c.cases[0].rows[0].d.runs_a, 5);
    assert_int_equal(c.cases[0].rows[0].d.na, 25);
    assert_int_equal(c.cases[0].verdict, VERDICT_REGRESSED);
    assert_close(c.cases[0].rows[0].d.change, 0.02, 0.05);
}

static void only_comparable_runs_are_pooled(void **state)
{
    static const double x[] = {100.0, 100.1, 100.2, 100.3, 100.4};
    static const double y[] = {55.0, 55.1, 55.2, 55.3, 55.4};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;

    made_case(&a, "kws", "m4", "tiny");
    made_windows(&a, UNIT_NS, x, 5);
    made_fact(&a, "clock.hz", "80000000");
    made_case(&a, "kws", "m4", "tiny"); /* an older run at another clock */
    made_windows(&a, UNIT_NS, y, 5);
    made_fact(&a, "clock.hz", "160000000");
    made_case(&b, "kws", "m4", "tiny");
    made_windows(&b, UNIT_NS, x, 5);
    made_fact(&b, "clock.hz", "80000000");
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.cases[0].runs_a, 1);
    assert_int_equal(c.cases[0].left_out, 1);
    assert_int_equal(c.cases[0].verdict, VERDICT_UNCHANGED);
}

/* Windows of N, 2N, 3N with a fixed cost: values are per inference, without it. */
static void windows_of_different_length_are_values_of_one_kind(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c;

    for (int side = 0; side < 2; side++) {
        struct made *m = side == 0 ? &a : &b;
        struct event_window *w = arena_alloc(&m->arena, 6 * sizeof(*w));
        const double per = side == 0 ? 2016 : 2017;

        made_case(m, "kws", "m4", "tiny")->realm = REALM_VIRTUAL;
        for (uint32_t i = 0; i < 6; i++) {
            const uint32_t n = 100 * (1 + i % 3);

            w[i] = (struct event_window){
                .repeat = i / 3, .inferences = n, .value = 37 + per * n, .unit = UNIT_CYCLES};
        }
        m->cases[0].windows = w;
        m->cases[0].window_count = 6;
        m->cases[0].timebase = UNIT_CYCLES;
        (void)made_metric(m, "latency", METRIC_TIME, UNIT_CYCLES, per);
    }
    c = compared(&a, &b, NULL, &arena);
    assert_true(c.cases[0].rows[0].d.a == 2016 && c.cases[0].rows[0].d.b == 2017);
    assert_int_equal(c.cases[0].rows[0].d.na, 6);
    assert_int_equal(c.cases[0].rows[0].d.runs_a, 2);
    assert_int_equal(c.cases[0].verdict, VERDICT_REGRESSED);
    assert_string_equal(c.cases[0].rows[0].d.method, "exact");
}

static void nothing_compares_to_nothing(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct comparison c = compared(&a, &b, NULL, &arena);

    assert_int_equal(c.case_count, 0);
    made_case(&b, "kws", "m4", "tiny");
    c = compared(&a, &b, NULL, &arena);
    assert_int_equal(c.case_count, 1);
    assert_int_equal(c.cases[0].verdict, VERDICT_UNCHANGED);
    assert_string_equal(c.cases[0].reason, "no metric to judge");
}

/* A figure with its interval gives back its scatter, and more of them do not make it smaller. */
static void summaries_of_many_runs_scatter_as_one_does(void **state)
{
    MADE m = {.arena = ARENA_INIT};
    const double half = student_quantile(0.975, 4) * 2 / sqrt(5); /* of 5 values, sd 2 */
    const struct event_metric metric = {.name = "latency",
                                        .class_ = METRIC_TIME,
                                        .unit = UNIT_NS,
                                        .value = 100,
                                        .low = 100 - half,
                                        .high = 100 + half,
                                        .n = 5};
    const struct data_case run = {.metrics = &metric, .metric_count = 1};
    const struct data_case *const runs[] = {&run, &run, &run, &run};

    assert_close(sample_of(runs, 1, "latency", &m.arena).sigma, 2, 1e-9);
    assert_close(sample_of(runs, 4, "latency", &m.arena).sigma, 2, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_history_names_its_changes_and_its_level),
        cmocka_unit_test(a_new_environment_begins_a_new_level),
        cmocka_unit_test(one_odd_night_is_not_a_level),
        cmocka_unit_test(a_meters_gain_hides_no_change_of_energy),
        cmocka_unit_test(cases_meet_by_what_they_are),
        cmocka_unit_test(a_failure_or_a_refusal_is_a_verdict_of_its_own),
        cmocka_unit_test(what_differs_too_much_is_not_compared),
        cmocka_unit_test(boards_and_engines_are_compared_across),
        cmocka_unit_test(muted_metrics_are_shown_but_not_counted),
        cmocka_unit_test(an_a_a_pair_needs_the_same_binary),
        cmocka_unit_test(a_base_of_many_runs_is_its_current_level),
        cmocka_unit_test(only_comparable_runs_are_pooled),
        cmocka_unit_test(windows_of_different_length_are_values_of_one_kind),
        cmocka_unit_test(nothing_compares_to_nothing),
        cmocka_unit_test(summaries_of_many_runs_scatter_as_one_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
