/* The gate's answer and exit status for every mixture of verdicts; rankings, fronts and picks. */
#include <math.h>

#include "harness/judge/choose.h"
#include "harness/judge/gate.h"
#include "harness/stats/rng.h"
#include "tests/unit/close.h"
#include "tests/unit/datasets.h"

#define MADE __attribute__((cleanup(made_release))) struct made
static void made_release(struct made *m)
{
    arena_release(&m->arena);
}

static const double base[] = {100.0, 100.1, 100.2, 100.3, 100.4};
static const double slow[] = {110.0, 110.1, 110.2, 110.3, 110.4};
static const double wild[] = {90, 130, 104, 96, 125};

static void latency(struct made *m, const char *model, const double *values)
{
    made_case(m, model, "m4", "tiny");
    made_windows(m, UNIT_NS, values, 5);
}

static struct gate gated(struct made *a, struct made *b, bool strict, const struct made *again)
{
    static const struct compare_options plain = {.policy = NULL};
    const struct dataset x = made_dataset(a);
    const struct dataset y = made_dataset(b);
    struct comparison *c = arena_alloc(&b->arena, 2 * sizeof(*c));
    struct gate_options options = {.strict = strict};
    struct gate g;

    compare(&x, &y, &plain, &b->arena, &c[0]);
    if (again != NULL) {
        const struct dataset z = made_dataset(again);

        compare(&x, &z, &plain, &b->arena, &c[1]);
        options.rerun = &c[1];
    }
    gate_judge(&c[0], &options, &b->arena, &g);
    return g;
}

static void nothing_new_passes(void **state)
{
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct gate g;

    latency(&a, "kws", base);
    latency(&b, "kws", base);
    g = gated(&a, &b, true, NULL);
    assert_int_equal(g.outcome, GATE_PASSED);
    assert_int_equal(g.finding_count, 0);
    assert_int_equal(g.judged, 1);
    assert_int_equal(gate_exit_status(g.outcome), 0);
    assert_string_equal(gate_outcome_name(g.outcome), "passed");
}

static void a_regression_fails_unless_a_rerun_disagrees(void **state)
{
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    MADE again = {.count = 0};
    struct gate g;

    latency(&a, "kws", base);
    latency(&a, "ad", base);
    latency(&b, "kws", slow);
    latency(&b, "ad", slow);
    g = gated(&a, &b, false, NULL);
    assert_int_equal(g.outcome, GATE_FAILED);
    assert_int_equal(gate_exit_status(g.outcome), 1);
    assert_int_equal(g.confirm_count, 2);
    assert_string_equal(g.confirm[0]->key, "kws/m4/tiny");
    assert_string_equal(g.findings[0].text, "latency +9.98 %");
    latency(&again, "kws", base);
    latency(&again, "ad", slow);
    g = gated(&a, &b, false, &again);
    assert_int_equal(g.outcome, GATE_FAILED);
    assert_int_equal(g.finding_count, 2);
    assert_string_equal(g.findings[0].case_->key, "ad/m4/tiny"); /* failing first */
    assert_int_equal(g.findings[1].weight, GATE_REMARKS);
    assert_non_null(strstr(g.findings[1].text, "not confirmed"));
    b.count = 1;
    assert_int_equal(gated(&a, &b, false, &again).outcome, GATE_PARTIAL); /* ad was not measured */
}

static void a_byte_of_flash_fails_without_a_rerun(void **state)
{
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct gate g;

    made_case(&a, "kws", "m4", "tiny");
    (void)made_metric(&a, "flash", METRIC_EXACT, UNIT_BYTES, 5000);
    made_case(&b, "kws", "m4", "tiny");
    (void)made_metric(&b, "flash", METRIC_EXACT, UNIT_BYTES, 5001);
    g = gated(&a, &b, false, NULL);
    assert_int_equal(g.outcome, GATE_FAILED);
    assert_int_equal(g.confirm_count, 0);
}

static void failures_and_budgets_fail(void **state)
{
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct event_metric *m;
    struct gate g;

    latency(&a, "kws", base);
    made_case(&b, "kws", "m4", "tiny")->status = CASE_FAILED;
    assert_int_equal(gated(&a, &b, false, NULL).outcome, GATE_FAILED);
    b.count = 0;
    latency(&b, "kws", base);
    m = made_metric(&b, "ram", METRIC_EXACT, UNIT_BYTES, 70000);
    m->budget = "ram <= 64KiB";
    m->over_budget = true;
    g = gated(&a, &b, false, NULL);
    assert_int_equal(g.outcome, GATE_FAILED);
    assert_string_equal(g.findings[0].text, "over budget: ram <= 64KiB");
}

static void what_was_not_shown_fails_only_strictly(void **state)
{
    MADE a = {.count = 0};
    MADE b = {.count = 0};
    struct gate g;

    latency(&a, "kws", base);
    latency(&a, "ad", base);
    latency(&b, "kws", base);
    made_case(&b, "ad", "m4", "tiny");
    made_windows(&b, UNIT_NS, wild, 3); /* three wild windows: inconclusive */
    g = gated(&a, &b, false, NULL);
    assert_int_equal(g.outcome, GATE_PASSED);
    assert_int_equal(g.findings[0].verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(gated(&a, &b, true, NULL).outcome, GATE_FAILED);
    b.cases[1].status = CASE_ERROR;
    assert_int_equal(gated(&a, &b, false, NULL).outcome, GATE_PARTIAL);
    assert_int_equal(gate_exit_status(GATE_PARTIAL), 4);
    assert_int_equal(gated(&a, &b, true, NULL).outcome, GATE_FAILED);
    b.cases[0].status = CASE_ERROR;
    assert_int_equal(gated(&a, &b, true, NULL).outcome, GATE_LAB);
    assert_int_equal(gate_exit_status(GATE_LAB), 3);
}

static void no_baseline_is_never_green(void **state)
{
    MADE a = {.count = 0};
    MADE b = {.count = 0};

    latency(&b, "kws", base);
    assert_int_equal(gated(&a, &b, false, NULL).outcome, GATE_NO_BASELINE);
    assert_int_equal(gated(&a, &b, true, NULL).outcome, GATE_NO_BASELINE);
    assert_int_equal(gate_exit_status(GATE_NO_BASELINE), 5);
    latency(&b, "ad", base);
    latency(&a, "ad", base);
    assert_int_equal(gated(&a, &b, false, NULL).outcome, GATE_PASSED);
    assert_int_equal(gated(&a, &b, true, NULL).outcome, GATE_NO_BASELINE);
    assert_int_equal(gated(&b, &a, true, NULL).outcome, GATE_FAILED); /* kws went missing */
}

/* ---- choosing ---- */

/* cycles on silicon at a clock, or instructions on a virtual board. */
static void board(struct made *m, const char *name, const char *hz, double count, double flash)
{
    const bool silicon = hz != NULL;
    struct data_case *c = made_case(m, "kws", name, "tiny");

    c->realm = silicon ? REALM_SILICON : REALM_VIRTUAL;
    (void)made_metric(m, "latency", METRIC_TIME, silicon ? UNIT_CYCLES : UNIT_INSTRUCTIONS, count);
    (void)made_metric(m, "flash", METRIC_EXACT, UNIT_BYTES, flash);
    (void)made_metric(m, "macs", METRIC_INFO, UNIT_COUNT, 2.6e6);
    if (silicon)
        made_fact(m, "clock.hz", hz);
}

static void boards_are_ranked_in_their_own_world(void **state)
{
    const struct choose_options o = {.model = "kws", .frames_per_second = 30};
    MADE m = {.count = 0};
    struct dataset d;
    const struct standing *s;

    board(&m, "virt", NULL, 1e6, 1000);
    board(&m, "m4", "80000000", 4e6, 50000);     /* 50 ms */
    board(&m, "m7", "400000000", 2e6, 60000);    /* 5 ms */
    board(&m, "m33", "160000000", 3.2e6, 60000); /* 20 ms, no smaller than the m7 */
    board(&m, "m7", "400000000", 9e6, 1);        /* an older run of the same case */
    made_case(&m, "kws", "broken", "tiny")->status = CASE_FAILED;
    made_case(&m, "ad", "m4", "tiny");
    d = made_dataset(&m);
    assert_int_equal(choose_rank(&d, &o, &m.arena, &s), 4);
    assert_string_equal(s[0].c->board, "m7");
    assert_string_equal(s[1].c->board, "m33");
    assert_string_equal(s[2].c->board, "m4");
    assert_string_equal(s[3].c->board, "virt"); /* fewest instructions, but not of this world */
    assert_close(s[0].time_ns, 5e6, 1e-12);
    assert_close(s[0].rate_margin, 1e9 / 30 / 5e6, 1e-12);
    assert_close(s[2].macs_per_cycle, 0.65, 1e-12);
    assert_true(isnan(s[3].time_ns) && s[3].instructions == 1e6 && isnan(s[3].energy_nj));
    assert_true(s[0].front && !s[1].front && s[2].front && s[3].front);
}

/* By definition: on the front if and only if no other point dominates. */
static void the_front_is_what_nobody_dominates(void **state)
{
    static const double known[] = {1, 5, 2, 4, 3, 3, 4, 4, 2, 4, 1, NAN, 0.5, NAN};
    static const bool expected[] = {true, true, true, false, true, false, true};
    struct rng rng = RNG_SEED(9);
    bool front[40];

    choose_front(known, 7, 2, front);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(front[i], expected[i]);
    for (int round = 0; round < 200; round++) {
        double x[40][3];
        size_t on_front = 0;

        for (size_t i = 0; i < 40; i++) {
            for (size_t k = 0; k < 3; k++)
                x[i][k] = (double)rng_below(&rng, 8);
        }
        choose_front(&x[0][0], 40, 3, front);
        for (size_t i = 0; i < 40; i++) {
            bool dominated = false;

            for (size_t j = 0; j < 40; j++)
                dominated |= x[j][0] <= x[i][0] && x[j][1] <= x[i][1] && x[j][2] <= x[i][2] &&
                             x[j][0] + x[j][1] + x[j][2] < x[i][0] + x[i][1] + x[i][2];
            assert_int_equal(front[i], !dominated);
            on_front += front[i];
        }
        assert_true(on_front > 0);
    }
}

static void a_pick_says_who_passes_and_by_how_much(void **state)
{
    const struct suite_budget limits[] = {
        {.metric = "latency", .op = BUDGET_LE, .value = 33e6, .unit = UNIT_NS},
        {.metric = "flash", .op = BUDGET_LE, .value = 65536, .unit = UNIT_BYTES},
    };
    MADE m = {.count = 0};
    struct dataset d;
    const struct pick *p;

    board(&m, "m4", "80000000", 4e6, 50000);
    board(&m, "virt", NULL, 1e6, 1000);
    board(&m, "m7", "400000000", 2e6, 60000);
    board(&m, "m33", "160000000", 3.2e6, 32768);
    d = made_dataset(&m);
    assert_int_equal(choose_pick(&d, "kws", limits, 2, &m.arena, &p), 4);
    assert_string_equal(p[0].c->board, "m33"); /* 39 % of time left; the m7 has 8 % of flash */
    assert_close(p[0].margin, 13.0 / 33, 1e-12);
    assert_string_equal(p[1].c->board, "m7");
    assert_close(p[1].margin, 1 - 60000.0 / 65536, 1e-12);
    assert_string_equal(p[2].c->board, "virt");
    assert_int_equal(p[2].limits[0].answer, LIMIT_UNKNOWN);
    assert_int_equal(p[2].limits[1].answer, LIMIT_HOLDS);
    assert_string_equal(p[3].c->board, "m4");
    assert_int_equal(p[3].broken, 1);
    assert_close(p[3].limits[0].margin, -17.0 / 33, 1e-12);
    assert_close(p[3].limits[0].value, 50e6, 1e-12);
    assert_int_equal(choose_pick(&d, "nobody", limits, 2, &m.arena, &p), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_new_passes),
        cmocka_unit_test(a_regression_fails_unless_a_rerun_disagrees),
        cmocka_unit_test(a_byte_of_flash_fails_without_a_rerun),
        cmocka_unit_test(failures_and_budgets_fail),
        cmocka_unit_test(what_was_not_shown_fails_only_strictly),
        cmocka_unit_test(no_baseline_is_never_green),
        cmocka_unit_test(boards_are_ranked_in_their_own_world),
        cmocka_unit_test(the_front_is_what_nobody_dominates),
        cmocka_unit_test(a_pick_says_who_passes_and_by_how_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
