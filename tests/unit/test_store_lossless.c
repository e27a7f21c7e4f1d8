/* Nothing is lost on the way into the store and out of it, and what would be, is heard of. */
#include <stdio.h>
#include <string.h>

#include "harness/store/internal.h"
#include "tests/support/event_fill.h"
#include "tests/support/store_fixture.h"

static const struct member {
    enum event_kind kind;
    size_t begin, size; /* in struct event */
} members[] = {
    {EVENT_FACT, offsetof(struct event, fact), sizeof(struct event_fact)},
    {EVENT_OUTPUT, offsetof(struct event, output), sizeof(struct event_output)},
    {EVENT_WINDOW, offsetof(struct event, window), sizeof(struct event_window)},
    {EVENT_ENERGY, offsetof(struct event, energy), sizeof(struct event_energy)},
    {EVENT_METRIC, offsetof(struct event, metric), sizeof(struct event_metric)},
    {EVENT_PROFILE, offsetof(struct event, profile), sizeof(struct event_profile)},
    {EVENT_RECOVERY, offsetof(struct event, recovery), sizeof(struct event_recovery)},
    {EVENT_CASE_END, offsetof(struct event, end), sizeof(struct event_case_end)},
};

/* No byte of a struct is in no field, apart from those that align the next. */
static void the_table_of_fields_covers_the_structs(void **state)
{
    size_t fields = 0;

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        size_t at = members[i].begin;

        for (size_t k = 0; k < event_field_count; k++) {
            const struct event_field *f = &event_fields[k];
            const size_t size = event_field_size(f->type);
            const size_t align = size < sizeof(uint64_t) ? size : sizeof(uint64_t);

            if (f->kind != members[i].kind)
                continue;
            assert_true(f->offset >= at && f->offset < at + align);
            at = f->offset + size;
            fields++;
        }
        assert_true(members[i].begin + members[i].size - at < sizeof(uint64_t));
    }
    assert_int_equal(fields, event_field_count);
}

/* ---- events of one attempt ---- */

struct sender {
    struct fixture *f;
    struct event event;
};

static struct sender begin(struct fixture *f)
{
    struct sender s = {.f = f,
                       .event = {.kind = EVENT_CASE_BEGIN,
                                 .at_ns = 77,
                                 .run_id = f->run,
                                 .case_ = &f->lab.plan.cases[0],
                                 .attempt = 3}};

    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, store_sink(f->store), &f->err));
    ASSERT_DONE(f, store_sink(f->store)->emit(store_sink(f->store), &s.event, &f->err));
    return s;
}

static void send(struct sender *s)
{
    struct event_sink *sink = store_sink(s->f->store);
    const int r = sink->emit(sink, &s->event, &s->f->err);

    ASSERT_DONE(s->f, r == EVENT_QUEUED ? 0 : r);
}

static void send_kind(struct sender *s, enum event_kind kind, unsigned seed)
{
    s->event.kind = kind;
    event_fill(&s->event, seed, &s->f->arena);
    send(s);
}

/* What the store knows of it, as the event that it was. */
static struct event stored(struct fixture *f, const struct event *sent, const struct data_case *c,
                           unsigned i)
{
    struct event e = {
        .kind = sent->kind, .at_ns = sent->at_ns, .case_ = sent->case_, .attempt = c->attempt};

    switch (sent->kind) {
    case EVENT_OUTPUT:
        e.output = c->outputs[i];
        break;
    case EVENT_WINDOW:
        e.window = c->windows[i];
        break;
    case EVENT_ENERGY:
        e.energy = c->energies[i];
        break;
    case EVENT_METRIC:
        e.metric = c->metrics[i];
        break;
    case EVENT_PROFILE:
        e.profile = c->profile[i];
        break;
    case EVENT_RECOVERY:
        e.recovery = c->recoveries[i];
        break;
    case EVENT_FACT:
        e.fact = (struct event_fact){sent->fact.key, data_case_fact(c, sent->fact.key)};
        break;
    default:
        e.end = (struct event_case_end){
            .status = c->status,
            .code = (enum err_code)fixture_number(f, "SELECT code FROM attempt"),
            .failure_class = c->failure_class,
            .stage = c->stage,
            .text = c->text,
            .hint = c->hint,
            .log = c->log,
            .host_ns = c->host_ns,
            .retried = fixture_number(f, "SELECT retried FROM attempt") != 0};
        break;
    }
    return e;
}

enum {
    ROUNDS = 12
};

static void send_all(struct fixture *f, unsigned seed, const char *ret[ARRAY_SIZE(members)],
                     const struct event *ret_events[ARRAY_SIZE(members)])
{
    struct sender s = begin(f);

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        send_kind(&s, members[i].kind, seed);
        ret[i] = event_text(&s.event, &f->arena);
        ret_events[i] = arena_dup(&f->arena, &s.event, sizeof(s.event));
    }
}

static void assert_all_there(struct fixture *f, const char *const texts[ARRAY_SIZE(members)],
                             const struct event *const events[ARRAY_SIZE(members)])
{
    const struct dataset d =
        fixture_query(f, (struct store_selection){.run = f->run, .parts = DATA_ALL});

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const struct event got = stored(f, events[i], &d.cases[0], 0);

        assert_string_equal(event_text(&got, &f->arena), texts[i]);
    }
    assert_int_equal(d.runs[0].conflicts, 0);
    assert_int_equal(d.cases[0].window_count + d.cases[0].energy_count + d.cases[0].metric_count +
                         d.cases[0].profile_count + d.cases[0].output_count +
                         d.cases[0].recovery_count,
                     6);
}

/* As sent, sent again, read by another process, and merged into another file. */
static void every_field_comes_back_as_it_went_in(void **state)
{
    struct fixture *f = *state;
    struct store_merge added;

    for (unsigned seed = 1; seed <= ROUNDS; seed++) {
        const char *texts[ARRAY_SIZE(members)];
        const struct event *events[ARRAY_SIZE(members)];

        (void)snprintf(f->path, sizeof(f->path), "%s/%u.db", f->folder, seed);
        fixture_reopen(f, STORE_WRITE);
        for (unsigned twice = 0; twice < 2; twice++) {
            send_all(f, seed, texts, events);
            assert_all_there(f, texts, events);
        }
        (void)snprintf(f->path, sizeof(f->path), "%s/%u-merged.db", f->folder, seed);
        fixture_reopen(f, STORE_WRITE);
        for (unsigned twice = 0; twice < 2; twice++) {
            const char *from = arena_printf(&f->arena, "%u.db", seed);

            ASSERT_DONE(f, store_merge(f->store, fixture_file(f, from), &added, &f->err));
            assert_int_equal(added.attempts, twice == 0);
            assert_int_equal(added.differing, 0);
            assert_all_there(f, texts, events);
        }
    }
}

/* ---- conflicts ---- */

static const enum event_kind keyed[] = {EVENT_OUTPUT, EVENT_WINDOW,  EVENT_ENERGY,
                                        EVENT_METRIC, EVENT_PROFILE, EVENT_CASE_END};

/* Another row of its name: all but the key differs in one field. */
static void change(struct event *e)
{
    switch (e->kind) {
    case EVENT_OUTPUT:
        e->output.differences ^= 1;
        break;
    case EVENT_WINDOW:
        e->window.ticks ^= 1;
        break;
    case EVENT_ENERGY:
        e->energy.lost ^= 1;
        break;
    case EVENT_METRIC:
        e->metric.over_budget = !e->metric.over_budget;
        break;
    case EVENT_PROFILE:
        e->profile.macs ^= 1;
        break;
    default:
        e->end.retried = !e->end.retried;
        break;
    }
}

/* The first counts; the other is in v_conflicts, and the store, the run and its report say so. */
static void a_second_of_a_name_is_kept_and_told(void **state)
{
    struct fixture *f = *state;
    struct sender s = begin(f);
    const struct event *events[ARRAY_SIZE(keyed)];
    const char *firsts[ARRAY_SIZE(keyed)];
    struct dataset d;

    for (size_t i = 0; i < ARRAY_SIZE(keyed); i++) {
        send_kind(&s, keyed[i], 5);
        events[i] = arena_dup(&f->arena, &s.event, sizeof(s.event));
        firsts[i] = event_text(&s.event, &f->arena);
        for (unsigned twice = 0; twice < 2; twice++) { /* also of what differs one is enough */
            send(&s);
            change(&s.event);
            send(&s);
            change(&s.event);
        }
        ASSERT_DONE(f, store_flush(f->store, &f->err));
        assert_int_equal(store_conflicts(f->store), i + 1);
    }
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_conflicts"), ARRAY_SIZE(keyed));
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_conflicts WHERE kind = 'window' AND"
                                       " json_extract(event, '$.inferences') > 0"),
                     1);
    d = fixture_query(f, (struct store_selection){.run = "last", .parts = DATA_ALL});
    assert_int_equal(d.runs[0].conflicts, ARRAY_SIZE(keyed));
    assert_int_equal(d.cases[0].conflict_count, ARRAY_SIZE(keyed));
    assert_non_null(strstr(d.cases[0].conflicts[0], "\"kind\": \"case-end\"")); /* by kind */
    for (size_t i = 0; i < ARRAY_SIZE(keyed); i++) {
        const struct event got = stored(f, events[i], &d.cases[0], 0);

        assert_string_equal(event_text(&got, &f->arena), firsts[i]);
    }
}

/* Every windows' number twice: what the first warm window of each repeat once was. */
static void windows_of_one_number_are_two(void **state)
{
    struct fixture *f = *state;
    struct sender s = begin(f);

    s.event.kind = EVENT_WINDOW;
    for (uint32_t i = 0; i < 4; i++) {
        s.event.window = (struct event_window){
            .index = i / 2, .cold = i == 0, .inferences = 1 + i, .unit = UNIT_NS, .value = 5};
        send(&s);
    }
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    assert_int_equal(store_conflicts(f->store), 2);
    assert_int_equal(fixture_number(f, "SELECT sum(inferences) FROM v_windows"), 1 + 3);
    assert_int_equal(fixture_number(f, "SELECT sum(json_extract(event, '$.inferences'))"
                                       " FROM v_conflicts"),
                     2 + 4);
}

/* Statements of this connection that look whether a row says the same. */
static unsigned looks(struct fixture *f)
{
    static const char look[] = "SELECT 1 FROM";
    unsigned n = 0;

    for (sqlite3_stmt *st = sqlite3_next_stmt(f->store->db.handle, NULL); st != NULL;
         st = sqlite3_next_stmt(f->store->db.handle, st))
        n += strncmp(sqlite3_sql(st), look, sizeof(look) - 1) == 0;
    return n;
}

static void what_has_its_own_name_costs_no_look(void **state)
{
    struct fixture *f = *state;
    struct sender s;

    f->lab.profile = true;
    fixture_run(f, 1);
    assert_int_equal(looks(f), 0);
    s = begin(f);
    send_kind(&s, EVENT_WINDOW, 1);
    send(&s);
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    assert_int_equal(looks(f), 1);
}

static void send_fact(struct sender *s, const char *key, const char *value)
{
    s->event.kind = EVENT_FACT;
    s->event.fact = (struct event_fact){.key = key, .value = value};
    send(s);
}

static void a_fact_that_changes_is_told_of(void **state)
{
    struct fixture *f = *state;
    struct sender s = begin(f);
    struct dataset d;

    send_fact(&s, "voltage.uv", "3300000");
    send_fact(&s, "voltage.uv", "3300000");
    send_fact(&s, "board_type.part", "as the board says"); /* the plan is not as sure */
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    assert_int_equal(store_conflicts(f->store), 0);
    send_fact(&s, "voltage.uv", "3000000");
    fixture_reopen(f, STORE_WRITE); /* what is left is written first */
    send_fact(&s, "meter.kind", "none");
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    d = fixture_query(f, (struct store_selection){.run = "last", .parts = DATA_ALL});
    assert_string_equal(data_case_fact(&d.cases[0], "voltage.uv"), "3000000");
    assert_string_equal(data_case_fact(&d.cases[0], "board_type.part"), "as the board says");
    assert_string_equal(data_case_fact(&d.cases[0], "meter.kind"), "none");
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_conflicts WHERE kind = 'fact'"
                                       " AND json_extract(event, '$.value') = '3300000'"),
                     1);
}

static void conflicts_go_with_a_merge_and_a_prune(void **state)
{
    struct fixture *f = *state;
    struct store_prune prune = {.before_ns = UINT64_MAX / 4};
    struct store_merge added;
    struct sender s = begin(f);

    send_kind(&s, EVENT_PROFILE, 1);
    change(&s.event);
    send(&s);
    send_kind(&s, EVENT_CASE_END, 1);
    (void)snprintf(f->path, sizeof(f->path), "%s/merged.db", f->folder);
    fixture_reopen(f, STORE_WRITE);
    for (unsigned twice = 0; twice < 2; twice++)
        ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "results.db"), &added, &f->err));
    assert_int_equal(fixture_number(f, "SELECT conflicts FROM v_runs"), 1);
    ASSERT_DONE(f, store_prune(f->store, &prune, &f->err));
    assert_int_equal(fixture_number(f, "SELECT conflicts FROM v_runs"), 0);
}

/* ---- merges ---- */

static void a_merge_tells_of_attempts_that_differ(void **state)
{
    static const char *const lies[] = {"UPDATE attempt SET text = 'x' WHERE id = 2",
                                       "UPDATE measurement SET value = 1 WHERE attempt = 3",
                                       "UPDATE window SET ticks = 1 WHERE attempt = 4"};
    struct fixture *f = *state;
    struct store_merge added;

    fixture_run(f, 1);
    ASSERT_DONE(f, store_backup(f->store, fixture_file(f, "other.db"), &f->err));
    for (size_t i = 0; i <= ARRAY_SIZE(lies); i++) {
        ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "other.db"), &added, &f->err));
        assert_int_equal(added.differing, i);
        if (i < ARRAY_SIZE(lies))
            fixture_execute(fixture_file(f, "other.db"), lies[i]);
    }
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM window WHERE ticks = 1"), 0);
}

/* A file from before a resume does not end the run that was taken up. */
static void an_older_file_does_not_end_a_run(void **state)
{
    struct fixture *f = *state;
    struct store_merge added;
    const char *unfinished;

    fixture_run(f, 1);
    ASSERT_DONE(f, store_backup(f->store, fixture_file(f, "ended.db"), &f->err));
    f->lab.now_ns += 5000;
    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, store_sink(f->store), &f->err));
    ASSERT_DONE(f, store_backup(f->store, fixture_file(f, "resumed.db"), &f->err));
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "ended.db"), &added, &f->err));
    ASSERT_DONE(f, store_find_unfinished(f->store, &f->arena, &unfinished, &f->err));
    (void)snprintf(f->path, sizeof(f->path), "%s/ended.db", f->folder);
    fixture_reopen(f, STORE_WRITE);
    assert_int_equal(store_find_unfinished(f->store, &f->arena, &unfinished, &f->err), 1);
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "resumed.db"), &added, &f->err));
    ASSERT_DONE(f, store_find_unfinished(f->store, &f->arena, &unfinished, &f->err));
    ASSERT_DONE(f, synthetic_end(&f->lab, f->run, store_sink(f->store), &f->err));
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "resumed.db"), &added, &f->err));
    assert_int_equal(store_find_unfinished(f->store, &f->arena, &unfinished, &f->err), 1);
}

/* Two files of an attempt that never ended: the one that saw more of it is believed. */
static void a_merge_keeps_the_facts_of_who_knows_more(void **state)
{
    struct fixture *f = *state;
    struct sender s = begin(f);
    struct store_merge added;
    struct dataset d;

    send_fact(&s, "board.uid", "1");
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    ASSERT_DONE(f, store_backup(f->store, fixture_file(f, "early.db"), &f->err));
    send_fact(&s, "clock.hz", "7");
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    ASSERT_DONE(f, store_backup(f->store, fixture_file(f, "late.db"), &f->err));
    for (unsigned order = 0; order < 2; order++) {
        (void)snprintf(f->path, sizeof(f->path), "%s/merged-%u.db", f->folder, order);
        fixture_reopen(f, STORE_WRITE);
        for (unsigned i = 0; i < 2; i++)
            ASSERT_DONE(f,
                        store_merge(f->store, fixture_file(f, i == order ? "late.db" : "early.db"),
                                    &added, &f->err));
        d = fixture_query(f, (struct store_selection){.run = "last", .parts = DATA_ALL});
        assert_string_equal(data_case_fact(&d.cases[0], "clock.hz"), "7");
    }
}

/* Two copies of a suite's file are one suite; each run knows where its own lay. */
static void a_run_keeps_the_path_of_its_suite(void **state)
{
    struct fixture *f = *state;
    struct suite *suite = (struct suite *)f->lab.plan.suite;
    struct store_merge added;
    struct store_progress p;
    struct dataset d;

    fixture_run(f, 1);
    suite->path = "copy/quickstart.yaml";
    fixture_run(f, 2);
    for (unsigned merged = 0; merged < 2; merged++) {
        d = fixture_query(f, (struct store_selection){.run = "all"});
        assert_string_equal(d.runs[0].suite_path, "copy/quickstart.yaml");
        assert_string_equal(d.runs[1].suite_path, "suites/quickstart.yaml");
        ASSERT_DONE(f, store_run_progress(f->store, d.runs[1].run_id, &f->arena, &p, &f->err));
        assert_string_equal(p.run.suite_path, "suites/quickstart.yaml");
        (void)snprintf(f->path, sizeof(f->path), "%s/merged.db", f->folder);
        fixture_reopen(f, STORE_WRITE);
        ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "results.db"), &added, &f->err));
    }
    assert_int_equal(fixture_number(f, "SELECT count(DISTINCT suite_path) FROM v_runs"), 2);
}

/* An output that is wrong after the windows has a row of its own, and its vector is not right. */
static void a_later_wrong_output_is_kept_beside_the_first(void **state)
{
    struct fixture *f = *state;
    struct sender s = begin(f);
    struct dataset d;

    s.event.kind = EVENT_OUTPUT;
    for (uint32_t i = 0; i < 3; i++) {
        s.event.output = (struct event_output){.vector = i % 2,
                                               .pass = i / 2,
                                               .compared = true,
                                               .equal = i != 2,
                                               .data = i == 2 ? "bad" : "fit",
                                               .size = 3};
        send(&s);
    }
    ASSERT_DONE(f, store_flush(f->store, &f->err));
    d = fixture_query(f, (struct store_selection){.run = "last", .parts = DATA_ALL});
    assert_int_equal(d.cases[0].output_count, 3);
    assert_memory_equal(d.cases[0].outputs[1].data, "bad", 3);
    assert_int_equal(d.cases[0].outputs_compared, 2);
    assert_int_equal(d.cases[0].outputs_equal, 1);
    assert_int_equal(fixture_number(f, "SELECT outputs_compared FROM v_cases LIMIT 1"), 2);
    assert_int_equal(fixture_number(f, "SELECT outputs_equal FROM v_cases LIMIT 1"), 1);
    assert_int_equal(store_conflicts(f->store), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_fields_covers_the_structs),
        STORE_TEST(every_field_comes_back_as_it_went_in),
        STORE_TEST(a_second_of_a_name_is_kept_and_told),
        STORE_TEST(windows_of_one_number_are_two),
        STORE_TEST(what_has_its_own_name_costs_no_look),
        STORE_TEST(a_fact_that_changes_is_told_of),
        STORE_TEST(conflicts_go_with_a_merge_and_a_prune),
        STORE_TEST(a_merge_tells_of_attempts_that_differ),
        STORE_TEST(an_older_file_does_not_end_a_run),
        STORE_TEST(a_merge_keeps_the_facts_of_who_knows_more),
        STORE_TEST(a_run_keeps_the_path_of_its_suite),
        STORE_TEST(a_later_wrong_output_is_kept_beside_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
