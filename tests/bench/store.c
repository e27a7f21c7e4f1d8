/*
 * How fast a large database answers: bench_store TINYRIG RUNS [FOLDER]. A database in FOLDER is kept,
 * and used again by the next call with as many runs.
 *
 * RUNS small runs (one case each, five windows of 20 samples) are written by SQL, then two nights of
 * 496 cases through the sink. Timed are whole commands, process start included, best of three, and a
 * plain scan of all windows for scale. Bars, on processor time (which is the time that passes on a
 * machine with nothing else to do): compare 200 ms, report as HTML 2 s, history of one series 100 ms;
 * exit status 1 when one is missed. A million runs take about 2.5 GB of disk.
 */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/store/store.h"
#include "tests/support/synthetic.h"

enum {
    MODELS = 62,
    BOARDS = 8,
    TRIES = 3
};

/* ---- the database ---- */

/* The past: every row refers to what one real night left behind. ?1: how many runs. */
static const char *const generate[] = {
    "CREATE TEMP TABLE shape AS SELECT a.case_def AS case_def, a.context AS context,"
    " a.timebase AS timebase, row_number() OVER (ORDER BY a.id) - 1 AS k FROM attempt a",
    "CREATE UNIQUE INDEX temp.shape_k ON shape (k)",
    "CREATE TEMP TABLE figures AS SELECT a.case_def AS case_def, m.series AS series,"
    " m.value AS value, m.low AS low, m.high AS high, m.n AS n FROM attempt a"
    " JOIN measurement m ON m.attempt = a.id JOIN series s ON s.id = m.series"
    " WHERE s.metric IN ('latency', 'flash', 'ram')",
    "CREATE INDEX temp.figures_case ON figures (case_def)",
    "CREATE TEMP TABLE past AS WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) SELECT i FROM n",
    "INSERT INTO run (id, uuid, suite, host, command_line, started_ns, ended_ns)"
    " SELECT 1000 + i, printf('%08x-0000-4000-9000-%012x', i, i), 1, 'lab-1', 'tinyrig run',"
    " 1500000000000000000 + i * 200000000000, 1500000000000000000 + i * 200000000000 + 1000000000"
    " FROM past",
    "INSERT INTO run_case (run, case_def, ordinal)"
    " SELECT 1000 + i, s.case_def, 0 FROM past JOIN temp.shape s ON s.k = i % ?2",
    "INSERT INTO attempt (id, uuid, run, case_def, number, context, timebase, started_ns, ended_ns,"
    " host_ns, status) SELECT 1000 + i, CAST(printf('%016d', i) AS BLOB), 1000 + i, s.case_def, 0,"
    " s.context, s.timebase, 1500000000000000000 + i * 200000000000, 1500000001000000000 +"
    " i * 200000000000, 900000000, 'passed' FROM past JOIN temp.shape s ON s.k = i % ?2",
    "INSERT INTO measurement (attempt, series, value, low, high, n, budget, over_budget)"
    " SELECT 1000 + i, f.series, f.value * (1 + (i * 2654435761 % 997) * 1e-6), f.low, f.high, f.n,"
    " NULL, 0 FROM past JOIN temp.shape s ON s.k = i % ?2"
    " JOIN temp.figures f ON f.case_def = s.case_def",
    "INSERT INTO window (attempt, repeat, number, unit, cold, inferences, ticks, overhead, value,"
    " invalid, host_ns, samples) SELECT 1000 + p.i, w.repeat, w.number, w.unit, 0, w.inferences, "
    "w.ticks,"
    " w.overhead, w.value, 0, w.host_ns, w.samples FROM past p"
    " CROSS JOIN (SELECT * FROM window WHERE attempt = (SELECT min(id) FROM attempt) AND repeat < 2"
    " ORDER BY repeat, number LIMIT 5) w",
    "DROP TABLE past",
};

static void check(sqlite3 *db, int code, const char *what)
{
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW)
        return;
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, sqlite3_errmsg(db));
    exit(2);
}

static void execute(sqlite3 *db, const char *sql)
{
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static void fill(const char *path, int64_t runs)
{
    sqlite3 *db;

    check(NULL, sqlite3_open(path, &db), path);
    execute(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;"
                "PRAGMA temp_store = MEMORY; BEGIN");
    for (size_t i = 0; i < ARRAY_SIZE(generate); i++) {
        sqlite3_stmt *st;

        check(db, sqlite3_prepare_v2(db, generate[i], -1, &st, NULL), generate[i]);
        if (sqlite3_bind_parameter_count(st) > 0)
            check(db, sqlite3_bind_int64(st, 1, runs), "bind");
        if (sqlite3_bind_parameter_count(st) > 1)
            check(db, sqlite3_bind_int64(st, 2, (int64_t)MODELS * BOARDS), "bind");
        check(db, sqlite3_step(st), generate[i]);
        (void)sqlite3_finalize(st);
    }
    execute(db, "COMMIT");
    (void)sqlite3_close(db);
}

static void night(const char *path, struct synthetic *lab, unsigned number, double scale)
{
    AUTO(store_close_auto) struct store *s = NULL;
    struct err err = ERR_INIT;
    char id[37];

    synthetic_run_id(number, id);
    lab->scale = scale;
    lab->now_ns += 86400000000000;
    if (store_open(path, STORE_WRITE, &s, &err) < 0 ||
        synthetic_run(lab, id, store_sink(s), &err) < 0) {
        (void)fprintf(stderr, "bench_store: %s\n", err.text);
        exit(2);
    }
}

/* ---- the questions ---- */

static double seconds(void)
{
    return (double)clock_monotonic_ns() / 1e9;
}

static double children_seconds(void)
{
    struct rusage r;

    (void)getrusage(RUSAGE_CHILDREN, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Best of three, in milliseconds of processor time, and of time that passed. */
static double time_command(const char *const *argv, double *ret_passed)
{
    double best = 1e12;

    *ret_passed = 1e12;

    for (int i = 0; i < TRIES; i++) {
        const struct proc_options o = {.argv = argv, .stdio = {PROC_NULL, PROC_NULL, PROC_INHERIT}};
        AUTO(proc_release) struct proc p = PROC_INIT;
        struct err err = ERR_INIT;
        const double before = children_seconds();
        const double start = seconds();
        int status = -1;

        if (proc_start(&p, &o, &err) < 0 || !proc_wait(&p, 600000, &status) || status != 0) {
            (void)fprintf(stderr, "bench_store: %s %s failed (%d)\n", argv[1], argv[2], status);
            exit(2);
        }
        best = fmin(best, 1000 * (children_seconds() - before));
        *ret_passed = fmin(*ret_passed, 1000 * (seconds() - start));
    }
    return best;
}

static double time_scan(const char *path, int64_t *ret_windows)
{
    double best = 1e12;
    sqlite3 *db;

    check(NULL, sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), path);
    for (int i = 0; i < TRIES; i++) {
        const double before = seconds();
        sqlite3_stmt *st;

        check(db,
              sqlite3_prepare_v2(db,
                                 "SELECT count(*), sum(value), sum(length(samples)) FROM window",
                                 -1, &st, NULL),
              "scan");
        check(db, sqlite3_step(st), "scan");
        *ret_windows = sqlite3_column_int64(st, 0);
        (void)sqlite3_finalize(st);
        best = fmin(best, 1000 * (seconds() - before));
    }
    (void)sqlite3_close(db);
    return best;
}

static int ask(const char *tinyrig, const char *path, const char *folder)
{
    char html[512];
    char database[512];
    int64_t windows = 0;
    const double scan = time_scan(path, &windows);
    int missed = 0;

    (void)snprintf(html, sizeof(html), "%s/night.html", folder);
    (void)snprintf(database, sizeof(database), "--db=%s", path);
    {
        const struct {
            const char *what;
            double bar; /* 0: none */
            const char *argv[8];
        } questions[] = {
            {"compare of two nights", 200, {tinyrig, "compare", "last~1", "last", database}},
            {"compare of two boards' cases",
             200,
             {tinyrig, "compare", "board=virt-m4,model=kws", "board=virt-m0,model=kws", database}},
            {"report of a night as HTML",
             2000,
             {tinyrig, "report", "last", "--output", html, database}},
            {"history of one series",
             100,
             {tinyrig, "history", "key=kws/nucleo-l4r5zi/tiny", database}},
            {"ranking of one model", 0, {tinyrig, "rank", "--model", "kws", database}},
        };

        printf("plain scan of %lld windows: %.0f ms\n", (long long)windows, scan);
        for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
            double passed;
            const double ms = time_command(questions[i].argv, &passed);

            printf("%s: %.0f ms (%.0f ms passed; %.4f of the scan)", questions[i].what, ms, passed,
                   ms / scan);
            if (questions[i].bar > 0)
                printf(", bar %.0f ms%s", questions[i].bar,
                       ms > questions[i].bar ? ": MISSED" : "");
            printf("\n");
            missed += questions[i].bar > 0 && ms > questions[i].bar;
        }
    }
    (void)unlink(html);
    return missed;
}

static void build(const char *path, int64_t runs)
{
    const double start = seconds();
    struct synthetic lab;

    synthetic_init(&lab, MODELS, BOARDS, 1);
    lab.samples = 20;
    lab.profile = true;
    night(path, &lab, 1, 1);
    fill(path, runs);
    lab.now_ns = 1500000000000000000ull + (uint64_t)runs * 200000000000ull;
    lab.samples = 0;
    night(path, &lab, 2, 1);
    night(path, &lab, 3, 1.02);
    synthetic_release(&lab);
    printf("%lld runs, %lld samples written in %.0f s\n", (long long)runs + 3,
           (long long)runs * 100, seconds() - start);
    (void)fflush(stdout);
}

static void print_load(void)
{
    double load[1];

    if (getloadavg(load, 1) == 1)
        printf("load of this machine: %.1f on %ld processors\n", load[0],
               sysconf(_SC_NPROCESSORS_ONLN));
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/bench-store-XXXXXX";
    const bool keep = argc > 3;
    const char *folder = keep ? argv[3] : made;
    char path[300];
    int64_t runs;
    int missed;

    if (argc < 3 || (!keep && mkdtemp(made) == NULL))
        return 2;
    runs = strtoll(argv[2], NULL, 10);
    (void)snprintf(path, sizeof(path), "%s/%s.db", folder, argv[2]);
    if (access(path, R_OK) != 0)
        build(path, runs);
    missed = ask(argv[1], path, folder);
    print_load();
    if (!keep) {
        (void)unlink(path);
        (void)rmdir(folder);
    }
    return missed > 0;
}
