/* The store: what goes in as events comes back as datasets, and runs can be resumed. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/spec/samples.h"
#include "tests/support/store_fixture.h"

/* ---- opening ---- */

static void a_new_file_is_ours_and_private(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640 & ~022);
    assert_int_equal(fixture_number(f, "PRAGMA application_id"), 0x74726967);
    assert_true(fixture_number(f, "PRAGMA user_version") >= 1);
}

static void refuses_the_file_of_a_newer_program_untouched(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;

    fixture_execute(f->path, "PRAGMA user_version = 9999");
    ASSERT_FAILS(f, ERR_UNSUPPORTED, store_open(f->path, STORE_WRITE, &s, &f->err));
    assert_non_null(strstr(f->err.text, "schema 9999"));
    assert_int_equal(fixture_number(f, "PRAGMA user_version"), 9999);
}

static void refuses_the_file_of_another_program_untouched(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;
    char other[128];

    (void)snprintf(other, sizeof(other), "%s/other.db", f->folder);
    fixture_execute(other, "CREATE TABLE holiday (x)");
    ASSERT_FAILS(f, ERR_CONFIG, store_open(other, STORE_WRITE, &s, &f->err));
    assert_non_null(strstr(f->err.text, "not a tinyrig results database"));
    assert_int_equal(unlink(other), 0);

    ASSERT_DONE(
        f, file_write_atomic(other, "#!/bin/sh\necho this is no database at all\n", 40, &f->err));
    ASSERT_FAILS(f, ERR_CONFIG, store_open(other, STORE_READ, &s, &f->err));
    assert_non_null(strstr(f->err.text, "left untouched"));
}

static void says_when_there_is_no_file_to_read(void **state)
{
    struct fixture *f = *state;
    struct store *s = NULL;

    ASSERT_FAILS(f, ERR_IO, store_open("/tmp/no/such/results.db", STORE_READ, &s, &f->err));
    assert_non_null(strstr(f->err.text, "/tmp/no/such/results.db"));
    assert_non_null(strstr(f->err.hint, "tinyrig run"));
}

/* ---- events in, dataset out ---- */

static void a_run_comes_back_as_it_went_in(void **state)
{
    struct fixture *f = *state;
    const struct event_metric *m;
    struct dataset d;

    f->lab.profile = true;
    f->lab.samples = 5;
    fixture_run(f, 1);
    fixture_reopen(f, STORE_READ);
    d = fixture_query(f, (struct store_selection){.run = "last", .parts = DATA_ALL});
    assert_int_equal(d.run_count, 1);
    assert_string_equal(d.runs[0].run_id, f->run);
    assert_string_equal(d.runs[0].host, "lab-1");
    assert_true(d.runs[0].ended_ns > d.runs[0].started_ns);
    assert_int_equal(d.case_count, 6);
    assert_string_equal(d.cases[0].key, "kws/virt-m4/tiny");
    assert_int_equal(d.cases[0].status, CASE_PASSED);
    assert_int_equal(d.cases[0].realm, REALM_VIRTUAL);
    assert_int_equal(d.cases[0].timebase, UNIT_INSTRUCTIONS);
    assert_int_equal(d.cases[0].window_count, 6);
    assert_int_equal(d.cases[0].windows[2].inferences, 30);
    assert_int_equal(d.cases[0].profile_count, 6);
    assert_string_equal(d.cases[0].profile[1].op, "DEPTHWISE_CONV_2D");
    assert_int_equal(d.cases[0].outputs_compared, 2);
    assert_int_equal(d.cases[0].outputs_equal, 2);
    assert_int_equal(d.cases[0].outputs[1].size, 12);
    assert_int_equal(((const int8_t *)d.cases[0].outputs[1].data)[3], 90);
    m = data_case_metric(&d.cases[0], "latency");
    assert_non_null(m);
    assert_true(m->value == floor(2.66e6 * 1.9));
    assert_ptr_equal(m, &d.cases[0].metrics[0]);
    m = data_case_metric(&d.cases[0], "flash.model");
    assert_true(m->value == 53936 && m->class_ == METRIC_EXACT && m->unit == UNIT_BYTES);
    assert_string_equal(data_case_fact(&d.cases[0], "engine.version"), "tiny 0.1.0");
    assert_string_equal(data_case_fact(&d.cases[0], "board_type.part"), "STM32F405RG");
}

static void samples_come_back_too(void **state)
{
    struct fixture *f = *state;
    const uint64_t *samples;
    struct dataset d;
    size_t count;

    f->lab.samples = 5;
    fixture_run(f, 1);
    d = fixture_query(f, (struct store_selection){.parts = DATA_WINDOWS});
    assert_int_equal(samples_unpack(d.cases[0].windows[0].samples,
                                    d.cases[0].windows[0].samples_size, &f->arena, &samples, &count,
                                    &f->err),
                     0);
    assert_int_equal(count, 5);
    assert_int_equal(samples[4], 5054000);
}

static void the_same_events_twice_change_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t rows;
    const char *all = "SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM window)"
                      " + (SELECT count(*) FROM measurement) + (SELECT count(*) FROM output)"
                      " + (SELECT count(*) FROM context) + (SELECT count(*) FROM run_session)"
                      " + (SELECT count(*) FROM recovery)";

    f->lab.failures = true;
    for (int i = 0; i < 2; i++) {
        synthetic_release(&f->lab);
        synthetic_init(&f->lab, 2, 3, 1);
        f->lab.failures = true;
        fixture_run(f, 1);
        if (i == 0)
            rows = fixture_number(f, all);
    }
    assert_true(rows > 100);
    assert_int_equal(fixture_number(f, all), rows);
}

static void equal_provenance_is_one_row(void **state)
{
    struct fixture *f = *state;
    int64_t contexts;

    fixture_run(f, 1);
    contexts = fixture_number(f, "SELECT count(*) FROM context");
    fixture_run(f, 2);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM context"), contexts);
    f->lab.build = "00000001";
    fixture_run(f, 3);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM context"), 2 * contexts);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM blob"), 1);
}

static void a_failure_keeps_class_stage_hint_and_log(void **state)
{
    struct fixture *f = *state;
    struct dataset d;

    f->lab.failures = true;
    fixture_run(f, 1);
    d = fixture_query(f, (struct store_selection){.parts = DATA_LOGS});
    assert_int_equal(d.cases[3].status, CASE_FAILED);
    assert_string_equal(d.cases[3].failure_class, "wrong-output");
    assert_string_equal(d.cases[3].stage, "check");
    assert_string_equal(d.cases[3].log, "boot\nhello\n");
    assert_int_equal(d.cases[3].recovery_count, 1);
    assert_true(d.cases[3].recoveries[0].worked);
    assert_int_equal(d.cases[3].outputs_equal, 1);
    assert_int_equal(d.cases[4].status, CASE_OVER);
    assert_true(data_case_metric(&d.cases[4], "latency")->over_budget);
}

static void a_value_that_is_no_number_comes_back_as_none(void **state)
{
    struct fixture *f = *state;
    struct event_sink *sink = store_sink(f->store);
    struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = 5, .run_id = f->run};
    struct dataset d;

    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, sink, &f->err));
    e.case_ = &f->lab.plan.cases[0];
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    e.kind = EVENT_METRIC;
    e.metric = (struct event_metric){.name = "latency", .unit = UNIT_NS, .value = NAN};
    assert_int_equal(sink->emit(sink, &e, &f->err), EVENT_QUEUED);
    e.metric = (struct event_metric){.name = NULL};
    ASSERT_FAILS(f, ERR_BUG, sink->emit(sink, &e, &f->err));
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    d = fixture_query(f, (struct store_selection){.run = "last"});
    assert_true(isnan(d.cases[0].metrics[0].value));
}

/* ---- selections ---- */

static void selects_by_name_pattern_and_run(void **state)
{
    struct fixture *f = *state;
    struct dataset d;

    fixture_run(f, 1);
    fixture_run(f, 2);
    assert_int_equal(fixture_query(f, (struct store_selection){.run = "all"}).case_count, 12);
    d = fixture_query(f, (struct store_selection){.run = "last", .board = "virt-m?"});
    assert_int_equal(d.case_count, 4);
    assert_int_equal(fixture_query(f, (struct store_selection){.model = "kws"}).case_count,
                     6 * 2 / 2);
    assert_int_equal(fixture_query(f, (struct store_selection){.engine = "other*"}).case_count, 0);
    d = fixture_query(f, (struct store_selection){.run = "last~1"});
    synthetic_run_id(1, f->run);
    assert_string_equal(d.runs[0].run_id, f->run);
    f->run[10] = '\0';
    assert_int_equal(fixture_query(f, (struct store_selection){.run = f->run}).case_count, 6);
    assert_int_equal(
        fixture_query(f, (struct store_selection){.since_ns = f->lab.now_ns}).case_count, 0);
}

static void last_means_the_last_run_that_matches(void **state)
{
    struct fixture *f = *state;
    struct dataset d;

    fixture_run(f, 1);
    synthetic_release(&f->lab);
    synthetic_init(&f->lab, 1, 1, 1);
    f->lab.now_ns += 5000000000000;
    fixture_run(f, 2);
    d = fixture_query(f, (struct store_selection){.run = "last", .board = "virt-m0"});
    synthetic_run_id(1, f->run);
    assert_int_equal(d.run_count, 1);
    assert_string_equal(d.runs[0].run_id, f->run);
}

static void an_unknown_run_or_tag_is_a_usage_error(void **state)
{
    struct fixture *f = *state;
    struct dataset d;
    struct store_selection none = {.run = "last"};

    ASSERT_FAILS(f, ERR_USAGE, store_query(f->store, &none, &f->arena, &d, &f->err));
    assert_non_null(strstr(f->err.hint, "empty"));
    fixture_run(f, 1);
    ASSERT_DONE(f, store_tag(f->store, "baseline", "last", NULL, &f->err));
    none = (struct store_selection){.tag = "baselin"};
    ASSERT_FAILS(f, ERR_USAGE, store_query(f->store, &none, &f->arena, &d, &f->err));
    assert_string_equal(f->err.hint, "did you mean 'baseline'?");
    none = (struct store_selection){.run = "ffff-no-such"};
    ASSERT_FAILS(f, ERR_USAGE, store_query(f->store, &none, &f->arena, &d, &f->err));
}

static void a_tag_moves_to_its_newest_run(void **state)
{
    struct fixture *f = *state;
    struct dataset d;

    fixture_run(f, 1);
    ASSERT_DONE(f, store_tag(f->store, "base", "last", "first", &f->err));
    fixture_run(f, 2);
    ASSERT_DONE(f, store_tag(f->store, "base", "last", NULL, &f->err));
    d = fixture_query(f, (struct store_selection){.tag = "base"});
    assert_string_equal(d.runs[0].run_id, f->run);
    assert_string_equal(d.runs[0].tags[0], "base");
    ASSERT_DONE(f, store_untag(f->store, "base", &f->err));
    ASSERT_FAILS(f, ERR_USAGE, store_untag(f->store, "base", &f->err));
}

/* ---- resume ---- */

static void an_interrupted_run_goes_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;
    struct event_sink *sink = store_sink(f->store);
    struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = 5, .run_id = f->run};
    struct store_progress p;
    struct dataset d;
    const char *unfinished;

    f->lab.plan.run_count = 5;
    ((struct plan_case *)f->lab.plan.cases)[5].skip = "too large for this board";
    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, sink, &f->err));
    ASSERT_DONE(f, synthetic_case(&f->lab, f->run, 0, 0, sink, &f->err));
    e.case_ = &f->lab.plan.cases[1];
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    fixture_reopen(f, STORE_WRITE); /* as after a kill: case 1 has begun only */

    ASSERT_DONE(f, store_find_unfinished(f->store, &f->arena, &unfinished, &f->err));
    assert_string_equal(unfinished, f->run);
    ASSERT_DONE(f, store_run_progress(f->store, unfinished, &f->arena, &p, &f->err));
    assert_int_equal(p.case_count, 6);
    assert_int_equal(p.done_count, 2);
    assert_true(p.cases[0].done && p.cases[0].attempts == 1);
    assert_true(!p.cases[1].done && p.cases[1].attempts == 1);
    assert_true(!p.cases[2].done && p.cases[2].attempts == 0);
    assert_int_equal(p.cases[5].status, CASE_SKIPPED);

    sink = store_sink(f->store);
    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, sink, &f->err));
    for (size_t i = 1; i < 5; i++)
        ASSERT_DONE(f, synthetic_case(&f->lab, f->run, i, p.cases[i].attempts, sink, &f->err));
    ASSERT_DONE(f, synthetic_end(&f->lab, f->run, sink, &f->err));
    assert_int_equal(store_find_unfinished(f->store, &f->arena, &unfinished, &f->err), 1);
    d = fixture_query(f, (struct store_selection){.run = f->run});
    assert_int_equal(d.case_count, 6);
    assert_int_equal(d.cases[1].status, CASE_PASSED);
    assert_int_equal(d.cases[1].attempt, 1);
    assert_int_equal(d.cases[1].retries, 1);
    assert_int_equal(d.cases[5].status, CASE_SKIPPED);
    assert_string_equal(d.cases[5].text, "too large for this board");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM run_session"), 2);
}

/* What is needed to measure the rest as it began; and a case that one plan leaves to another. */
static void a_run_knows_what_its_command_asked_for(void **state)
{
    struct fixture *f = *state;
    struct event_sink *sink = store_sink(f->store);
    struct event e = {.kind = EVENT_RUN_BEGIN,
                      .at_ns = 5,
                      .run_id = f->run,
                      .run = {.plan = &f->lab.plan,
                              .started_ns = 5,
                              .repeat = 7,
                              .interleave = true,
                              .suite_file = "/lab/suites/s.yaml"}};
    struct plan_case *last = (struct plan_case *)&f->lab.plan.cases[5];
    struct store_progress p;

    last->skip = "not in share 1/2";
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    ASSERT_DONE(f, store_run_progress(f->store, f->run, &f->arena, &p, &f->err));
    assert_int_equal(p.repeat, 7);
    assert_true(p.interleave);
    assert_string_equal(p.run.suite_file, "/lab/suites/s.yaml");
    assert_true(p.cases[5].done);
    assert_string_equal(p.cases[5].skip, last->skip);
    assert_null(p.cases[4].skip);
    last->skip = NULL;
    e.run.started_ns = 6;
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    last->skip = "not in share 1/2"; /* it is never taken back */
    e.run.started_ns = 7;
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    ASSERT_DONE(f, store_run_progress(f->store, f->run, &f->arena, &p, &f->err));
    assert_false(p.cases[5].done);
    assert_null(p.cases[5].skip);
}

static void a_cancelled_case_is_still_to_do(void **state)
{
    struct fixture *f = *state;
    struct event_sink *sink = store_sink(f->store);
    struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = 5, .run_id = f->run};
    struct store_progress p;

    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, sink, &f->err));
    e.case_ = &f->lab.plan.cases[0];
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    e.kind = EVENT_CASE_END;
    e.end = (struct event_case_end){.status = CASE_CANCELLED, .code = ERR_CANCELLED};
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    ASSERT_DONE(f, store_run_progress(f->store, "last", &f->arena, &p, &f->err));
    assert_int_equal(p.done_count, 0);
    assert_int_equal(p.cases[0].attempts, 1);
}

/* Killed between a lab fault and the next attempt, which was promised. */
static void a_case_that_was_to_be_retried_is_still_to_do(void **state)
{
    struct fixture *f = *state;
    struct event_sink *sink = store_sink(f->store);
    struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = 5, .run_id = f->run};
    struct store_progress p;

    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, sink, &f->err));
    for (uint32_t i = 0; i < 2; i++) {
        e.kind = EVENT_CASE_BEGIN;
        e.attempt = i;
        e.case_ = &f->lab.plan.cases[0];
        ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
        e.kind = EVENT_CASE_END;
        e.end = (struct event_case_end){
            .status = CASE_ERROR, .code = ERR_LAB, .failure_class = "lab", .retried = i == 0};
        ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
        ASSERT_DONE(f, store_run_progress(f->store, "last", &f->arena, &p, &f->err));
        assert_int_equal(p.cases[0].done, i == 1); /* the second was the last */
        assert_int_equal(p.cases[0].attempts, i + 1);
    }
    assert_int_equal(fixture_number(f, "SELECT lab_faults FROM v_flakes"), 2);
    assert_int_equal(fixture_number(f, "SELECT retried FROM v_flakes"), 1);
    assert_int_equal(fixture_number(f, "SELECT flake_rate = 1.0 FROM v_flakes"), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_file_is_ours_and_private),
        STORE_TEST(refuses_the_file_of_a_newer_program_untouched),
        STORE_TEST(refuses_the_file_of_another_program_untouched),
        STORE_TEST(says_when_there_is_no_file_to_read),
        STORE_TEST(a_run_comes_back_as_it_went_in),
        STORE_TEST(samples_come_back_too),
        STORE_TEST(the_same_events_twice_change_nothing),
        STORE_TEST(equal_provenance_is_one_row),
        STORE_TEST(a_failure_keeps_class_stage_hint_and_log),
        STORE_TEST(a_value_that_is_no_number_comes_back_as_none),
        STORE_TEST(selects_by_name_pattern_and_run),
        STORE_TEST(last_means_the_last_run_that_matches),
        STORE_TEST(an_unknown_run_or_tag_is_a_usage_error),
        STORE_TEST(a_tag_moves_to_its_newest_run),
        STORE_TEST(an_interrupted_run_goes_on_where_it_stopped),
        STORE_TEST(a_run_knows_what_its_command_asked_for),
        STORE_TEST(a_cancelled_case_is_still_to_do),
        STORE_TEST(a_case_that_was_to_be_retried_is_still_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
