/* Looking after databases: history, tags, checks, copies, merges, prunes, public views. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "tests/support/store_fixture.h"

/* Everything that must be equal in two databases, whatever the local ids: text in the arena. */
static const char *content(struct fixture *f, struct store *s)
{
    AUTO_BUF b = BUF_INIT;
    struct dataset d;
    const struct store_selection all = {.parts = DATA_ALL};

    ASSERT_DONE(f, store_query(s, &all, &f->arena, &d, &f->err));
    for (size_t i = 0; i < d.run_count; i++)
        buf_printf(&b, "%s %s %llu %llu %zu\n", d.runs[i].run_id, d.runs[i].host,
                   (unsigned long long)d.runs[i].started_ns, (unsigned long long)d.runs[i].ended_ns,
                   d.runs[i].tag_count);
    for (size_t i = 0; i < d.case_count; i++) {
        const struct data_case *c = &d.cases[i];

        buf_printf(&b, "%s %s %d %u %u %zu %zu %zu %zu %zu", c->run_id, c->key, c->status,
                   c->attempt, c->retries, c->fact_count, c->window_count, c->profile_count,
                   c->output_count, c->recovery_count);
        for (size_t m = 0; m < c->metric_count; m++)
            buf_printf(&b, " %s=%.17g", c->metrics[m].name, c->metrics[m].value);
        for (size_t w = 0; w < c->window_count; w++)
            buf_printf(&b, " %.17g/%zu", c->windows[w].value, c->windows[w].samples_size);
        assert_true(c->energy_count == (c->window_count > 0));
        for (size_t w = 0; w < c->energy_count; w++)
            buf_printf(&b, " %.17g/%.17g/%d/%d", c->energies[w].net_nj, c->energies[w].marker_nj,
                       isnan(c->energies[w].peak_na), (int)c->energies[w].lost);
        for (size_t w = 0; w < c->fact_count; w++)
            buf_printf(&b, " %s=%s", c->facts[w].key, c->facts[w].value);
        buf_putc(&b, '\n');
    }
    return arena_strdup(&f->arena, buf_text(&b));
}

static struct store *open_other(struct fixture *f, const char *name)
{
    struct store *s = NULL;

    ASSERT_DONE(f, store_open(fixture_file(f, name), STORE_WRITE, &s, &f->err));
    return s;
}

static void run_into(struct fixture *f, struct store *s, unsigned number)
{
    synthetic_run_id(number, f->run);
    f->lab.now_ns += 1000000000000;
    ASSERT_DONE(f, synthetic_run(&f->lab, f->run, store_sink(s), &f->err));
}

static void assert_sound(struct fixture *f, struct store *s)
{
    AUTO_BUF findings = BUF_INIT;
    const int r = store_check(s, &findings, &f->err);

    if (r != 0)
        print_error("%s%s\n", buf_text(&findings), f->err.text);
    assert_int_equal(r, 0);
}

/* ---- history ---- */

static void a_history_has_one_point_per_run_oldest_first(void **state)
{
    struct fixture *f = *state;
    const struct store_selection kws = {.key = "kws/virt-m4/tiny"};
    struct data_history h;

    for (unsigned i = 1; i <= 5; i++) {
        f->lab.scale = 1 + i / 100.0;
        fixture_run(f, i);
    }
    ASSERT_DONE(f, store_history(f->store, &kws, "latency", &f->arena, &h, &f->err));
    assert_int_equal(h.series_count, 1);
    assert_int_equal(h.series[0].point_count, 5);
    assert_int_equal(h.series[0].unit, UNIT_INSTRUCTIONS);
    assert_int_equal(h.series[0].realm, REALM_VIRTUAL);
    for (size_t i = 1; i < 5; i++) {
        assert_true(h.series[0].points[i].value > h.series[0].points[i - 1].value);
        assert_true(h.series[0].points[i].started_ns > h.series[0].points[i - 1].started_ns);
    }
    ASSERT_DONE(f, store_history(f->store, &kws, "flash*", &f->arena, &h, &f->err));
    assert_int_equal(h.series_count, 6);
}

static void a_retried_case_gives_one_point(void **state)
{
    struct fixture *f = *state;
    const struct store_selection kws = {.key = "kws/virt-m4/tiny"};
    struct data_history h;

    fixture_run(f, 1);
    f->lab.scale = 2;
    ASSERT_DONE(f, synthetic_case(&f->lab, f->run, 0, 1, store_sink(f->store), &f->err));
    ASSERT_DONE(f, store_history(f->store, &kws, "latency", &f->arena, &h, &f->err));
    assert_int_equal(h.series[0].point_count, 1);
    assert_true(h.series[0].points[0].value == 10108000);
}

/* ---- checks ---- */

static void a_sound_database_has_no_findings(void **state)
{
    struct fixture *f = *state;
    struct store_info info;

    f->lab.failures = true;
    f->lab.samples = 3;
    fixture_run(f, 1);
    assert_sound(f, f->store);
    ASSERT_DONE(f, store_info(f->store, &info, &f->err));
    assert_int_equal(info.runs, 1);
    assert_int_equal(info.attempts, 6);
    assert_true(info.file_bytes > 4096);
}

static void finds_what_was_changed_behind_its_back(void **state)
{
    static const char *const damages[] = {
        "UPDATE blob SET data = x'00'",
        "UPDATE dimension_fact SET value = 'other' WHERE key = 'compiler.version'",
        "UPDATE attempt SET ended_ns = NULL WHERE id = 1",
        "DELETE FROM run_case WHERE case_def = 1",
        "UPDATE measurement SET series = 100000 WHERE attempt = 1 AND series = 1",
        "UPDATE attempt SET status = 'great'",
        "UPDATE window SET samples = x'0180' WHERE attempt = 1",
    };
    struct fixture *f = *state;

    fixture_run(f, 1);
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        AUTO_BUF findings = BUF_INIT;
        struct store *copy;
        const char *name = fixture_file(f, "other.db");

        ASSERT_DONE(f, store_backup(f->store, name, &f->err));
        fixture_execute(name, damages[i]);
        copy = open_other(f, "other.db");
        assert_int_equal(store_check(copy, &findings, &f->err), 1);
        assert_true(findings.len > 0);
        store_close(copy);
        assert_int_equal(unlink(name), 0);
    }
}

/* Overwrite every 4 KiB page in turn: never a crash, never a silent pass of a page in use. */
static void damaged_pages_are_findings_or_errors(void **state)
{
    struct fixture *f = *state;
    const char *copy = fixture_file(f, "other.db");
    struct stat st;
    off_t pages;
    unsigned seen = 0;

    fixture_run(f, 1);
    /* compacted: migrations leave pages that are in no use */
    ASSERT_DONE(f, store_vacuum_into(f->store, fixture_file(f, "good.db"), &f->err));
    assert_int_equal(stat(fixture_file(f, "good.db"), &st), 0);
    pages = st.st_size / 4096;
    for (off_t page = 0; page < pages; page++) {
        AUTO_BUF good = BUF_INIT;
        AUTO_BUF findings = BUF_INIT;
        struct store *s = NULL;
        struct dataset d;
        const struct store_selection all = {.parts = DATA_ALL};
        int r;

        err_clear(&f->err);
        ASSERT_DONE(f, file_read(fixture_file(f, "good.db"), 1 << 24, &good, &f->err));
        memset(good.data + page * 4096 + (page == 0 ? 100 : 0), 0xa5, page == 0 ? 900 : 4096);
        ASSERT_DONE(f, file_write_atomic(copy, good.data, good.len, &f->err));
        r = store_open(copy, STORE_WRITE, &s, &f->err);
        if (r == 0)
            r = store_query(s, &all, &f->arena, &d, &f->err);
        err_clear(&f->err);
        if (s != NULL && r == 0)
            r = store_check(s, &findings, &f->err);
        seen += r != 0;
        store_close(s);
        (void)unlink(copy);
    }
    assert_int_equal(seen, pages);
}

/* ---- copies ---- */

static void a_backup_is_the_same_and_never_overwrites(void **state)
{
    struct fixture *f = *state;
    struct store *copy;

    f->lab.profile = true;
    fixture_run(f, 1);
    ASSERT_DONE(f, store_backup(f->store, fixture_file(f, "copy.db"), &f->err));
    ASSERT_DONE(f, store_vacuum_into(f->store, fixture_file(f, "other.db"), &f->err));
    ASSERT_FAILS(f, ERR_USAGE, store_backup(f->store, fixture_file(f, "copy.db"), &f->err));
    ASSERT_FAILS(f, ERR_USAGE, store_vacuum_into(f->store, f->path, &f->err));
    err_clear(&f->err);
    copy = open_other(f, "copy.db");
    assert_string_equal(content(f, copy), content(f, f->store));
    store_close(copy);
    copy = open_other(f, "other.db");
    assert_string_equal(content(f, copy), content(f, f->store));
    assert_sound(f, copy);
    store_close(copy);
}

/* ---- merge ---- */

static void a_merge_adds_everything_once(void **state)
{
    struct fixture *f = *state;
    struct store *other = open_other(f, "other.db");
    struct store_merge added;
    const char *once;

    f->lab.failures = true;
    f->lab.profile = true;
    f->lab.samples = 4;
    fixture_run(f, 1);
    run_into(f, other, 2);
    f->lab.build = "feedbeef";
    run_into(f, other, 3);
    ASSERT_DONE(f, store_tag(other, "base", "last", NULL, &f->err));
    store_close(other);
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "other.db"), &added, &f->err));
    assert_int_equal(added.runs, 2);
    assert_int_equal(added.attempts, 12);
    once = content(f, f->store);
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "other.db"), &added, &f->err));
    assert_int_equal(added.runs + added.attempts + added.measurements, 0);
    assert_string_equal(content(f, f->store), once);
    assert_int_equal(fixture_query(f, (struct store_selection){.tag = "base"}).case_count, 6);
    assert_sound(f, f->store);
}

static void merges_in_any_order_give_the_same(void **state)
{
    struct fixture *f = *state;
    static const char *const order[2][3] = {{"a.db", "b.db", "c.db"}, {"c.db", "a.db", "b.db"}};
    const char *results[2];
    struct store_merge added;

    for (unsigned i = 0; i < 3; i++) {
        struct store *s = open_other(f, order[0][i]);

        f->lab.failures = i == 1;
        run_into(f, s, i + 1);
        store_close(s);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct store *all = open_other(f, i == 0 ? "x.db" : "y.db");

        for (unsigned k = 0; k < 3; k++)
            ASSERT_DONE(f, store_merge(all, fixture_file(f, order[i][k]), &added, &f->err));
        results[i] = content(f, all);
        store_close(all);
    }
    assert_string_equal(results[0], results[1]);
}

/* One run in two files, as two nodes of a cluster leave it; one of them was killed in a case. */
static void shards_of_one_run_become_one_run(void **state)
{
    struct fixture *f = *state;
    struct store *node[2] = {open_other(f, "a.db"), open_other(f, "b.db")};
    struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = 77, .run_id = f->run};
    struct store_merge added;
    struct dataset d;

    for (size_t n = 0; n < 2; n++)
        ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, store_sink(node[n]), &f->err));
    e.case_ = &f->lab.plan.cases[5];
    ASSERT_DONE(f, store_sink(node[0])->emit(store_sink(node[0]), &e, &f->err));
    for (size_t i = 0; i < 6; i++)
        ASSERT_DONE(f,
                    synthetic_case(&f->lab, f->run, i, i == 5, store_sink(node[i >= 3]), &f->err));
    ASSERT_DONE(f, synthetic_end(&f->lab, f->run, store_sink(node[1]), &f->err));
    store_close(node[0]);
    store_close(node[1]);
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "a.db"), &added, &f->err));
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "b.db"), &added, &f->err));
    d = fixture_query(f, (struct store_selection){.run = "last"});
    assert_int_equal(d.run_count, 1);
    assert_int_equal(d.case_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(d.cases[i].status, CASE_PASSED);
    assert_int_equal(d.cases[5].retries, 1);
}

/* A share by its number from 0 of two, of a run that began at `at`: all of it, or but its last case. */
static void write_share(struct fixture *f, const char *name, size_t share, uint64_t at, bool whole)
{
    struct store *s = open_other(f, name);
    struct plan_case *cases = (struct plan_case *)f->lab.plan.cases;

    f->lab.now_ns = at;
    for (size_t i = 0; i < 6; i++)
        cases[i].skip = i / 3 == share ? NULL : "not in share";
    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, store_sink(s), &f->err));
    for (size_t i = 3 * share; i < 3 * share + (whole ? 3 : 2); i++)
        ASSERT_DONE(f, synthetic_case(&f->lab, f->run, i, 0, store_sink(s), &f->err));
    if (whole)
        ASSERT_DONE(f, synthetic_end(&f->lab, f->run, store_sink(s), &f->err));
    store_close(s);
}

/* The other share was killed: the run has not ended with this one. It is resumed, and then it has. */
static void a_merged_run_ends_with_its_last_part(void **state)
{
    static const char *const orders[][3] = {{"a.db", "b.db", "c.db"},
                                            {"b.db", "a.db", "c.db"},
                                            {"c.db", "b.db", "a.db"},
                                            {"c.db", "a.db", "b.db"}};
    struct fixture *f = *state;
    struct store_merge added;
    const char *first = NULL;

    synthetic_run_id(1, f->run);
    write_share(f, "a.db", 0, 9000000000000, true);
    write_share(f, "b.db", 1, 5000000000000, false);
    write_share(f, "c.db", 1, 7000000000000, true);
    for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
        struct store *all = open_other(f, arena_printf(&f->arena, "all%zu.db", o));
        const struct store_selection last = {.run = "last"};
        bool whole = false, a = false;
        struct dataset d;

        for (size_t i = 0; i < 3; i++) {
            ASSERT_DONE(f, store_merge(all, fixture_file(f, orders[o][i]), &added, &f->err));
            a = a || orders[o][i][0] == 'a';
            whole = whole || orders[o][i][0] == 'c';
            ASSERT_DONE(f, store_query(all, &last, &f->arena, &d, &f->err));
            /* A share alone does not know of the other one, but for what it leaves to it. */
            assert_int_equal(d.runs[0].ended_ns != 0, whole || (a && i == 0));
        }
        first = o == 0 ? content(f, all) : first;
        assert_string_equal(content(f, all), first);
        store_close(all);
    }
}

/* A file merged while its case ran, and again when it was done. */
static void a_later_merge_completes_an_attempt(void **state)
{
    struct fixture *f = *state;
    struct store *other = open_other(f, "other.db");
    struct event_sink *sink = store_sink(other);
    struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = 77, .run_id = f->run};
    struct store_merge added;
    struct dataset d;

    ASSERT_DONE(f, synthetic_begin(&f->lab, f->run, sink, &f->err));
    e.case_ = &f->lab.plan.cases[0];
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "other.db"), &added, &f->err));
    assert_int_equal(added.attempts, 1);
    e.kind = EVENT_METRIC;
    e.metric = (struct event_metric){.name = "latency", .unit = UNIT_NS, .value = 5, .n = 1};
    assert_true(sink->emit(sink, &e, &f->err) >= 0);
    e.kind = EVENT_CASE_END;
    e.end = (struct event_case_end){.status = CASE_PASSED};
    ASSERT_DONE(f, sink->emit(sink, &e, &f->err));
    store_close(other);
    ASSERT_DONE(f, store_merge(f->store, fixture_file(f, "other.db"), &added, &f->err));
    d = fixture_query(f, (struct store_selection){.run = "last"});
    assert_int_equal(d.cases[0].status, CASE_PASSED);
    assert_true(d.cases[0].metrics[0].value == 5);
}

static void refuses_to_merge_what_it_cannot_trust(void **state)
{
    static const char *const damages[] = {
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 9999",
        "ALTER TABLE recovery ADD COLUMN x TEXT",
        "UPDATE blob SET data = x'00'",
    };
    struct fixture *f = *state;
    const char *before;
    struct store_merge added;

    fixture_run(f, 1);
    before = content(f, f->store);
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        const char *other = fixture_file(f, "other.db");
        struct store *s = open_other(f, "other.db");

        run_into(f, s, 2);
        store_close(s);
        fixture_execute(other, damages[i]);
        ASSERT_FAILS(f, ERR_CONFIG, store_merge(f->store, other, &added, &f->err));
        err_clear(&f->err);
        assert_string_equal(content(f, f->store), before);
        assert_int_equal(unlink(other), 0);
    }
    ASSERT_FAILS(f, ERR_USAGE, store_merge(f->store, "/no/such.db", &added, &f->err));
}

/* ---- prune ---- */

static void a_prune_keeps_the_summaries(void **state)
{
    struct fixture *f = *state;
    struct store_prune p = {.keep_tagged = true};
    const struct store_span *kept;
    struct dataset d;
    size_t count;

    f->lab.profile = true;
    f->lab.failures = true;
    fixture_run(f, 1);
    ASSERT_DONE(f, store_tag(f->store, "keep", "last", NULL, &f->err));
    fixture_run(f, 2);
    ASSERT_DONE(f, store_tag(f->store, "good", "last", STORE_GATE_NOTE, &f->err));
    p.before_ns = f->lab.now_ns;
    fixture_run(f, 3);
    p.dry_run = true;
    ASSERT_DONE(f, store_prune(f->store, &p, &f->err));
    assert_int_equal(p.runs, 0); /* the newest of the gate's is what the next night needs */
    ASSERT_DONE(f, store_prune_kept(f->store, &p, &f->arena, &kept, &count, &f->err));
    assert_int_equal(count, 2);
    ASSERT_DONE(f, store_tag(f->store, "good", "last", STORE_GATE_NOTE, &f->err));
    ASSERT_DONE(f, store_prune(f->store, &p, &f->err));
    assert_int_equal(p.runs, 1);
    ASSERT_DONE(f, store_prune_kept(f->store, &p, &f->arena, &kept, &count, &f->err));
    assert_int_equal(count, 1);
    assert_true(kept[0].begin_ns > 0 && kept[0].begin_ns < kept[0].end_ns &&
                kept[0].end_ns <= p.before_ns);
    assert_int_equal(p.windows, 30);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM window"), 90);
    p.dry_run = false;
    ASSERT_DONE(f, store_prune(f->store, &p, &f->err));
    assert_int_equal(p.runs, 1);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM window"), 60);
    d = fixture_query(f, (struct store_selection){.run = "last~1", .parts = DATA_ALL});
    assert_int_equal(d.cases[0].window_count, 0);
    assert_int_equal(d.cases[0].outputs_equal, 2);
    assert_null(d.cases[0].outputs[0].data);
    assert_non_null(data_case_metric(&d.cases[0], "latency"));
    assert_string_equal(d.cases[3].failure_class, "wrong-output");
    assert_null(d.cases[3].log);
    assert_sound(f, f->store);
}

static void a_prune_of_whole_runs_leaves_nothing_of_them(void **state)
{
    struct fixture *f = *state;
    struct store_prune p = {.whole_runs = true};

    f->lab.failures = true;
    f->lab.profile = true;
    fixture_run(f, 1);
    p.before_ns = f->lab.now_ns + 1000;
    ASSERT_DONE(f, store_prune(f->store, &p, &f->err));
    assert_int_equal(
        fixture_number(f, "SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM attempt)"
                          " + (SELECT count(*) FROM window) + (SELECT count(*) FROM measurement)"
                          " + (SELECT count(*) FROM output) + (SELECT count(*) FROM blob)"
                          " + (SELECT count(*) FROM context) + (SELECT count(*) FROM dimension)"
                          " + (SELECT count(*) FROM case_def) + (SELECT count(*) FROM series)"
                          " + (SELECT count(*) FROM recovery) + (SELECT count(*) FROM suite)"),
        0);
    ASSERT_DONE(f, store_vacuum(f->store, &f->err));
    assert_sound(f, f->store);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(a_history_has_one_point_per_run_oldest_first),
        STORE_TEST(a_retried_case_gives_one_point),
        STORE_TEST(a_sound_database_has_no_findings),
        STORE_TEST(finds_what_was_changed_behind_its_back),
        STORE_TEST(damaged_pages_are_findings_or_errors),
        STORE_TEST(a_backup_is_the_same_and_never_overwrites),
        STORE_TEST(a_merge_adds_everything_once),
        STORE_TEST(merges_in_any_order_give_the_same),
        STORE_TEST(shards_of_one_run_become_one_run),
        STORE_TEST(a_merged_run_ends_with_its_last_part),
        STORE_TEST(a_later_merge_completes_an_attempt),
        STORE_TEST(refuses_to_merge_what_it_cannot_trust),
        STORE_TEST(a_prune_keeps_the_summaries),
        STORE_TEST(a_prune_of_whole_runs_leaves_nothing_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
