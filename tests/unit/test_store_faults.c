/*
 * What must hold whatever fails: nothing acknowledged is lost, nothing is doubled, the file stays
 * sound, and the run can be finished afterwards. Failing calls, killed writers, busy files, old files.
 * With an argument: that many kills, and nearly every n, instead of what fits in a unit test.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/store/internal.h"
#include "tests/support/fault_sqlite.h"
#include "tests/support/store_fixture.h"

static bool thorough; /* every n, not a growing step */
static unsigned kills = 25;

static void assert_sound(struct fixture *f, struct store *s)
{
    AUTO_BUF findings = BUF_INIT;
    const int r = store_check(s, &findings, &f->err);

    if (r != 0)
        print_error("%s%s\n", buf_text(&findings), f->err.text);
    assert_int_equal(r, 0);
}

/* ---- the n-th call fails, for every n ---- */

/* One run of the synthetic lab from its beginning; false in done[i] for what was not acknowledged. */
static void try_run(struct fixture *f, const char *path, bool done[static 6])
{
    AUTO(store_close_auto) struct store *s = NULL;
    struct err err = ERR_INIT;

    memset(done, 0, 6 * sizeof(done[0]));
    synthetic_release(&f->lab);
    synthetic_init(&f->lab, 2, 3, 1);
    f->lab.samples = 2;
    f->lab.profile = true;
    if (store_open(path, STORE_WRITE, &s, &err) < 0)
        return;
    if (synthetic_begin(&f->lab, f->run, store_sink(s), &err) < 0)
        return;
    for (size_t i = 0; i < 6; i++) {
        err_clear(&err);
        done[i] = synthetic_case(&f->lab, f->run, i, 0, store_sink(s), &err) == 0;
    }
    err_clear(&err);
    (void)synthetic_end(&f->lab, f->run, store_sink(s), &err);
}

static void assert_acknowledged_is_there(struct fixture *f, const char *path,
                                         const bool done[static 6])
{
    AUTO(store_close_auto) struct store *s = NULL;
    const struct store_selection all = {.parts = DATA_ALL};
    struct dataset d;

    ASSERT_DONE(f, store_open(path, STORE_WRITE, &s, &f->err));
    assert_sound(f, s);
    ASSERT_DONE(f, store_query(s, &all, &f->arena, &d, &f->err));
    for (size_t i = 0; i < 6; i++) {
        if (!done[i])
            continue;
        assert_int_equal(d.case_count, 6);
        assert_int_equal(d.cases[i].status, CASE_PASSED);
        assert_int_equal(d.cases[i].window_count, 6);
        assert_int_equal(d.cases[i].profile_count, 6);
        assert_int_equal(d.cases[i].outputs_equal, 2);
        assert_true(d.cases[i].metric_count >= 17);
        assert_true(d.cases[i].fact_count > 10);
    }
}

/* After the disk has room again, the same events complete what is missing and double nothing. */
static void assert_can_be_finished(struct fixture *f, const char *path)
{
    AUTO(store_close_auto) struct store *s = NULL;
    struct store_info info;
    bool done[6];

    try_run(f, path, done);
    for (size_t i = 0; i < 6; i++)
        assert_true(done[i]);
    ASSERT_DONE(f, store_open(path, STORE_READ, &s, &f->err));
    ASSERT_DONE(f, store_info(s, &info, &f->err));
    assert_int_equal(info.runs, 1);
    assert_int_equal(info.attempts, 6);
    assert_int_equal(info.windows, 36);
}

static void remove_database(struct fixture *f, const char *path)
{
    (void)unlink(path);
    (void)unlink(arena_printf(&f->arena, "%s-wal", path));
    (void)unlink(arena_printf(&f->arena, "%s-shm", path));
    (void)unlink(arena_printf(&f->arena, "%s-journal", path));
}

/* In a unit test ever further apart: the first calls differ most. */
static void fail_each(struct fixture *f, enum fault_kind kind, bool persistent)
{
    const char *path = fixture_file(f, "victim.db");
    bool failed = true;

    for (unsigned n = 1; failed; n += 1 + n / (thorough ? 300 : 3)) {
        bool done[6];

        fault_arm(kind, n, persistent);
        try_run(f, path, done);
        failed = fault_disarm();
        assert_acknowledged_is_there(f, path, done);
        assert_can_be_finished(f, path);
        remove_database(f, path);
        arena_release(&f->arena);
        path = fixture_file(f, "victim.db");
    }
}

#define FAIL_EACH(test, kind, persistent)                                                          \
    static void test(void **state)                                                                 \
    {                                                                                              \
        fail_each(*state, kind, persistent);                                                       \
    }
FAIL_EACH(a_disk_that_fills_up_at_any_write_loses_nothing_acknowledged, FAULT_FULL, true)
FAIL_EACH(a_single_failed_write_loses_nothing_acknowledged, FAULT_WRITE, false)
FAIL_EACH(a_disk_that_stops_writing_loses_nothing_acknowledged, FAULT_WRITE, true)
FAIL_EACH(a_failed_sync_loses_nothing_acknowledged, FAULT_SYNC, false)
FAIL_EACH(a_failed_read_loses_nothing_acknowledged, FAULT_READ, false)
FAIL_EACH(a_failed_allocation_loses_nothing_acknowledged, FAULT_MEMORY, false)

static void a_full_disk_is_said_with_a_hint(void **state)
{
    struct fixture *f = *state;

    fault_arm(FAULT_FULL, 1, true);
    ASSERT_FAILS(f, ERR_STORE, synthetic_begin(&f->lab, f->run, store_sink(f->store), &f->err));
    (void)fault_disarm();
    assert_non_null(strstr(f->err.text, "full"));
    assert_non_null(strstr(f->err.hint, "tinyrig resume"));
}

/* ---- kill -9 ---- */

struct acknowledged {
    uint32_t run, index;
};

/* The run to go on with, or the next one. */
static int next_run(struct fixture *f, struct store *s, char id[static 37])
{
    struct arena arena = ARENA_INIT;
    const char *unfinished = NULL;
    int64_t count = 0;
    const int r = store_find_unfinished(s, &arena, &unfinished, &f->err);

    if (r == 0)
        (void)snprintf(id, 37, "%s", unfinished);
    else if (db_number(&s->db, &count, &f->err, "SELECT count(*) FROM run", "") > 0)
        synthetic_run_id((unsigned)count + 1, id);
    arena_release(&arena);
    return r < 0 ? r : 0;
}

/* Every case of a run that is not done yet, each acknowledged to the parent. */
static int write_cases(struct fixture *f, struct store *s, const char *run, int fd)
{
    struct arena arena = ARENA_INIT;
    struct store_progress p;
    struct acknowledged ack = {.run = (uint32_t)strtoul(run + 24, NULL, 10)};
    int r = synthetic_begin(&f->lab, run, store_sink(s), &f->err);

    if (r == 0)
        r = store_run_progress(s, run, &arena, &p, &f->err);
    for (; ack.index < 6 && r == 0; ack.index++) {
        f->lab.now_ns = clock_realtime_ns();
        if (p.cases[ack.index].done)
            continue;
        r = synthetic_case(&f->lab, run, ack.index, p.cases[ack.index].attempts, store_sink(s),
                           &f->err);
        if (r == 0 && write(fd, &ack, sizeof(ack)) != (ssize_t)sizeof(ack))
            r = -1;
    }
    arena_release(&arena);
    return r == 0 ? synthetic_end(&f->lab, run, store_sink(s), &f->err) : r;
}

/* Runs one after the other, resuming what was left. */
static void write_forever(struct fixture *f, int fd)
{
    AUTO(store_close_auto) struct store *s = NULL;
    char run[37];
    int r = store_open(f->path, STORE_WRITE, &s, &f->err);

    while (r == 0) {
        r = next_run(f, s, run);
        if (r == 0)
            r = write_cases(f, s, run, fd);
    }
    _exit(2);
}

static void assert_once(struct fixture *f, struct store *s, const struct acknowledged *ack)
{
    int64_t n = 0;
    char run[37];

    synthetic_run_id(ack->run, run);
    assert_int_equal(db_number(&s->db, &n, &f->err,
                               "SELECT count(*) FROM attempt a JOIN run r ON r.id = a.run"
                               " JOIN case_def c ON c.id = a.case_def WHERE r.uuid = ?"
                               " AND c.key = ? AND a.status = 'passed' AND (SELECT count(*) FROM"
                               " window w WHERE w.attempt = a.id) = 6",
                               "tt", run, f->lab.plan.cases[ack->index].key),
                     1);
    assert_int_equal(n, 1);
}

/* Returns how many cases were acknowledged before the kill. */
static unsigned kill_once(struct fixture *f, unsigned wait_us)
{
    AUTO(store_close_auto) struct store *s = NULL;
    struct acknowledged ack;
    int fds[2], status;
    unsigned count = 0;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(fds[0]);
        write_forever(f, fds[1]);
    }
    (void)close(fds[1]);
    (void)usleep(wait_us);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    ASSERT_DONE(f, store_open(f->path, STORE_WRITE, &s, &f->err));
    while (read(fds[0], &ack, sizeof(ack)) == (ssize_t)sizeof(ack)) {
        assert_once(f, s, &ack);
        count++;
    }
    (void)close(fds[0]);
    assert_sound(f, s);
    return count;
}

static void a_killed_writer_loses_and_doubles_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned count = 0;

    store_close(f->store);
    f->store = NULL;
    srandom(1);
    for (unsigned i = 0; i < kills; i++)
        count += kill_once(f, 500 + (unsigned)random() % 60000);
    print_message("%u kills, %u acknowledged cases, all there once\n", kills, count);
    assert_true(count > 0);
    ASSERT_DONE(f, store_open(f->path, STORE_WRITE, &f->store, &f->err));
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM (SELECT 1 FROM attempt WHERE status IS"
                                       " NOT NULL GROUP BY run, case_def HAVING count(*) > 1)"),
                     0);
}

static void merge_forever(struct fixture *f)
{
    AUTO(store_close_auto) struct store *s = NULL;
    struct store_merge added;

    if (store_open(f->path, STORE_WRITE, &s, &f->err) < 0)
        _exit(2);
    for (unsigned i = 0;; i++) {
        if (store_merge(s, fixture_file(f, i % 2 == 0 ? "a.db" : "b.db"), &added, &f->err) < 0)
            _exit(3);
        if (db_exec(&s->db, "DELETE FROM run WHERE id = (SELECT min(id) FROM run)", &f->err) < 0)
            _exit(4);
    }
}

static void kill_merge_once(struct fixture *f)
{
    AUTO(store_close_auto) struct store *s = NULL;
    const pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        merge_forever(f);
    (void)usleep(500 + (unsigned)random() % 50000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    ASSERT_DONE(f, store_open(f->path, STORE_WRITE, &s, &f->err));
    assert_sound(f, s);
    assert_int_equal(fixture_number(f, "SELECT count(*) % 6 FROM attempt"), 0);
}

static void a_killed_merge_is_all_or_nothing(void **state)
{
    static const char *const names[] = {"a.db", "b.db"};
    struct fixture *f = *state;
    struct store_merge added;

    for (unsigned i = 0; i < 2; i++) {
        struct store *s = NULL;

        ASSERT_DONE(f, store_open(fixture_file(f, names[i]), STORE_WRITE, &s, &f->err));
        synthetic_run_id(i + 1, f->run);
        ASSERT_DONE(f, synthetic_run(&f->lab, f->run, store_sink(s), &f->err));
        store_close(s);
    }
    store_close(f->store);
    f->store = NULL;
    for (unsigned i = 0; i < kills / 2; i++)
        kill_merge_once(f);
    ASSERT_DONE(f, store_open(f->path, STORE_WRITE, &f->store, &f->err));
    for (unsigned i = 0; i < 2; i++)
        ASSERT_DONE(f, store_merge(f->store, fixture_file(f, names[i]), &added, &f->err));
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM attempt"), 12);
}

/* ---- company ---- */

static void several_writers_share_one_file(void **state)
{
    struct fixture *f = *state;
    enum {
        WRITERS = 4
    };
    pid_t pids[WRITERS];

    for (unsigned w = 0; w < WRITERS; w++) {
        pids[w] = fork();
        assert_true(pids[w] >= 0);
        if (pids[w] == 0) {
            struct store *s = NULL;
            int r = store_open(f->path, STORE_WRITE, &s, &f->err);

            for (unsigned i = 0; i < 3 && r == 0; i++) {
                synthetic_run_id(100 * (w + 1) + i, f->run);
                r = synthetic_run(&f->lab, f->run, store_sink(s), &f->err);
            }
            store_close(s);
            _exit(r == 0 ? 0 : 1);
        }
    }
    for (unsigned w = 0; w < WRITERS; w++) {
        int status;

        assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM attempt"), 3 * WRITERS * 6);
    assert_sound(f, f->store);
}

static void open_at_once(struct fixture *f, const char *path)
{
    pid_t pids[6];

    for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct store *s = NULL;
            const int r = store_open(path, STORE_WRITE, &s, &f->err);

            if (r < 0)
                print_error("%s\n", f->err.text);
            _exit(r == 0 ? 0 : 1);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

/* Every process finds or makes the newest schema. */
static void several_processes_may_create_the_file_at_once(void **state)
{
    struct fixture *f = *state;
    const char *path = fixture_file(f, "other.db");

    for (unsigned i = 0; i < (thorough ? 200 : 10); i++) {
        open_at_once(f, path);
        remove_database(f, path);
    }
}

static void a_locked_file_is_waited_for(void **state)
{
    struct fixture *f = *state;
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct store *s = NULL;

        if (store_open(f->path, STORE_WRITE, &s, &f->err) < 0 || db_begin(&s->db, &f->err) < 0)
            _exit(1);
        clock_sleep_ms(300);
        db_rollback(&s->db);
        store_close(s);
        _exit(0);
    }
    clock_sleep_ms(50);
    ASSERT_DONE(f, synthetic_run(&f->lab, f->run, store_sink(f->store), &f->err));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- old files ---- */

/* The schema of one file as text; white space of SQL kept, so equal means equal. */
static const char *schema_of(struct fixture *f, struct store *s)
{
    AUTO_BUF b = BUF_INIT;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, &f->err,
                     "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name", "");

    while (r == 0 && (r = db_step(&s->db, st, &f->err)) > 0) {
        buf_printf(&b, "%s %s %s\n", (const char *)sqlite3_column_text(st, 0),
                   (const char *)sqlite3_column_text(st, 1),
                   (const char *)sqlite3_column_text(st, 2));
        r = 0;
    }
    assert_int_equal(r, 0);
    return arena_strdup(&f->arena, buf_text(&b));
}

/* A file as the program of schema `version` left it, with a case in it. */
static const char *make_old_file(struct fixture *f, int version)
{
    const char *path = arena_printf(&f->arena, "%s/v%d.db", f->folder, version);
    AUTO_BUF sql = BUF_INIT;

    for (int i = 0; i < version; i++)
        buf_puts(&sql, store_migrations[i].text);
    buf_printf(&sql,
               "PRAGMA application_id = %d; PRAGMA user_version = %d;"
               "INSERT INTO unit (name) VALUES ('cycles');"
               "INSERT INTO suite (name, digest, path) VALUES ('old', 'd', 'old.yaml');"
               "INSERT INTO run (uuid, suite, started_ns) VALUES ('0000-old', 1, 5);"
               "INSERT INTO case_def (hash, suite, key, board, engine, parameters, realm)"
               " VALUES (zeroblob(32), 'old', 'k', 'b', 'e', '', 'virtual');"
               "INSERT INTO run_case (run, case_def, ordinal) VALUES (1, 1, 0);"
               "INSERT INTO attempt (uuid, run, case_def, number, started_ns, ended_ns, status)"
               " VALUES (zeroblob(32), 1, 1, 0, 6, 7, 'passed');"
               "INSERT INTO series (case_def, metric, unit, class, lower_is_better)"
               " VALUES (1, 'latency', 1, 'cycle', 1);"
               "INSERT INTO measurement (attempt, series, value, n, over_budget)"
               " VALUES (1, 1, 42, 1, 0);"
               "INSERT INTO blob (hash, data) VALUES ("
               "x'a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222', x'0102');"
               "INSERT INTO output (attempt, vector, tensor, compared, equal, first_difference,"
               " differences, size, blob%s) VALUES (1, 3, 0, 1, 0, 1, 2, 2, 1%s);",
               STORE_APPLICATION_ID, version, version < 7 ? "" : ", pass",
               version < 7 ? "" : ", 0");
    fixture_execute(path, buf_text(&sql));
    return path;
}

static void files_of_every_older_version_are_brought_up_to_date(void **state)
{
    struct fixture *f = *state;
    const char *newest = schema_of(f, f->store);

    for (int version = 1; version < (int)store_migrations_count; version++) {
        const char *path = make_old_file(f, version);
        struct store *s = NULL;
        struct dataset d;
        const struct store_selection all = {.run = "last", .parts = DATA_OUTPUTS};

        ASSERT_DONE(f, store_open(path, STORE_READ, &s, &f->err));
        assert_string_equal(schema_of(f, s), newest);
        ASSERT_DONE(f, store_query(s, &all, &f->arena, &d, &f->err));
        assert_int_equal(d.case_count, 1);
        assert_true(data_case_metric(&d.cases[0], "latency")->value == 42);
        assert_int_equal(d.cases[0].output_count, 1);
        assert_int_equal(d.cases[0].outputs_compared, 1);
        assert_int_equal(d.cases[0].outputs[0].vector, 3);
        assert_int_equal(d.cases[0].outputs[0].differences, 2);
        assert_memory_equal(d.cases[0].outputs[0].data, "\1\2", 2);
        if (version < 8) /* it was the suite's */
            assert_string_equal(d.runs[0].suite_path, "old.yaml");
        assert_sound(f, s);
        store_close(s);
        ASSERT_DONE(f, store_open(path, STORE_WRITE, &s, &f->err));
        store_close(s);
        (void)snprintf(f->path, sizeof(f->path), "%s", path);
        assert_int_equal(fixture_number(f, "SELECT value FROM v_metrics WHERE case_key = 'k' AND "
                                           "metric = 'latency'"),
                         42); /* the public views of old files, too */
        assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_runs"), 1);
    }
}

static void an_old_file_is_merged_without_being_changed(void **state)
{
    struct fixture *f = *state;
    const char *path = make_old_file(f, 1);
    struct store_merge added;
    struct store *s = NULL;

    ASSERT_DONE(f, store_merge(f->store, path, &added, &f->err));
    assert_int_equal(added.runs, 1);
    ASSERT_DONE(f, store_open(STORE_MEMORY, STORE_WRITE, &s, &f->err));
    store_close(s);
    (void)snprintf(f->path, sizeof(f->path), "%s/v1.db", f->folder);
    assert_int_equal(fixture_number(f, "PRAGMA user_version"), 1);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(a_disk_that_fills_up_at_any_write_loses_nothing_acknowledged),
        STORE_TEST(a_single_failed_write_loses_nothing_acknowledged),
        STORE_TEST(a_disk_that_stops_writing_loses_nothing_acknowledged),
        STORE_TEST(a_failed_sync_loses_nothing_acknowledged),
        STORE_TEST(a_failed_read_loses_nothing_acknowledged),
        STORE_TEST(a_failed_allocation_loses_nothing_acknowledged),
        STORE_TEST(a_full_disk_is_said_with_a_hint),
        STORE_TEST(a_killed_writer_loses_and_doubles_nothing),
        STORE_TEST(a_killed_merge_is_all_or_nothing),
        STORE_TEST(several_writers_share_one_file),
        STORE_TEST(several_processes_may_create_the_file_at_once),
        STORE_TEST(a_locked_file_is_waited_for),
        STORE_TEST(files_of_every_older_version_are_brought_up_to_date),
        STORE_TEST(an_old_file_is_merged_without_being_changed),
    };

    thorough = argc > 1;
    if (thorough)
        kills = (unsigned)strtoul(argv[1], NULL, 10);
    fault_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
