/* The public views: what VIEWS.md promises is there, and shows what a dataset shows. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "tests/support/store_fixture.h"

/* Columns as they were first published. They stay, in this order; new ones come after them. */
static const struct promise {
    const char *view, *columns;
} promises[] = {
    {"v_runs", "run suite suite_path suite_sha256 host command_line time started duration_s"
               " finished cases tags conflicts"},
    {"v_cases", "run run_time suite case_key model board engine parameters realm timebase status"
                " failure_class stage text hint attempt time host_s attempts outputs_compared"
                " outputs_equal"},
    {"v_attempts", "run suite case_key model board engine parameters realm attempt status"
                   " failure_class stage text hint time host_s"},
    {"v_metrics", "run time suite case_key model board engine parameters realm metric unit class"
                  " lower_is_better value low high n budget over_budget status context"},
    {"v_windows", "run case_key model board engine parameters realm attempt repeat window cold"
                  " inferences ticks overhead value unit invalid host_s"},
    {"v_energy", "run case_key model board engine parameters realm attempt window inferences full"
                 " invalid duration_s gross_nj net_nj idle_nj marker_nj gross_nc net_nc mean_na"
                 " idle_na peak_na drift_na mean_uv systematic_nj random_nj samples lost emulated"},
    {"v_outputs", "run case_key model board engine parameters realm attempt vector tensor compared"
                  " equal first_difference differences size data pass"},
    {"v_profile", "run case_key model board engine parameters realm attempt position op kernel"
                  " value unit macs"},
    {"v_facts", "run case_key board attempt kind key value"},
    {"v_conflicts", "run case_key model board engine parameters realm attempt kind event"},
    {"v_recoveries", "run board case_key attempt time rung reason worked"},
    {"v_flakes",
     "run board realm attempts lab_faults flake_rate retried rungs rungs_helped quarantines"},
    {"v_tags", "tag run time note current"},
    {"v_mutes", "case_key metric reason time until current"},
};

/* Names of the columns of a view, separated by blanks. */
static const char *columns_of(struct fixture *f, sqlite3 *db, const char *view)
{
    AUTO_BUF b = BUF_INIT;
    sqlite3_stmt *st;
    const char *sql = arena_printf(&f->arena, "SELECT * FROM %s", view);

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    for (int i = 0; i < sqlite3_column_count(st); i++)
        buf_printf(&b, "%s%s", i > 0 ? " " : "", sqlite3_column_name(st, i));
    (void)sqlite3_finalize(st);
    return arena_strdup(&f->arena, buf_text(&b));
}

static sqlite3 *open_plain(struct fixture *f)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

static void columns_stay_as_promised(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_plain(f);

    for (size_t i = 0; i < ARRAY_SIZE(promises); i++) {
        const char *columns = columns_of(f, db, promises[i].view);

        assert_memory_equal(columns, promises[i].columns, strlen(promises[i].columns));
    }
    (void)sqlite3_close(db);
}

/* Section "## view" of VIEWS.md. */
static const char *section_of(struct fixture *f, const char *document, const char *view)
{
    const char *heading = arena_printf(&f->arena, "\n## %s\n", view);
    const char *begin = strstr(document, heading);
    const char *end;

    if (begin == NULL)
        return NULL;
    end = strstr(begin + 4, "\n## ");
    return end != NULL ? arena_strndup(&f->arena, begin, (size_t)(end - begin)) : begin;
}

static void every_view_and_column_is_documented(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_plain(f);
    sqlite3_stmt *st;
    AUTO_BUF document = BUF_INIT;
    unsigned views = 0;

    ASSERT_DONE(
        f, file_read(arena_printf(&f->arena, "%s/harness/store/VIEWS.md", getenv("TINYRIG_SOURCE")),
                     1 << 20, &document, &f->err));
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT name FROM sqlite_schema WHERE type = 'view'"
                                        " AND name LIKE 'v\\_%' ESCAPE '\\'",
                                        -1, &st, NULL),
                     SQLITE_OK);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *view = (const char *)sqlite3_column_text(st, 0);
        const char *section = section_of(f, buf_text(&document), view);
        char *columns = (char *)columns_of(f, db, view);
        char *next;

        assert_non_null(section);
        for (char *c = strtok_r(columns, " ", &next); c != NULL; c = strtok_r(NULL, " ", &next)) {
            if (strstr(section, arena_printf(&f->arena, "`%s`", c)) == NULL) {
                print_error("VIEWS.md does not explain %s.%s\n", view, c);
                fail();
            }
        }
        views++;
    }
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    assert_int_equal(views, ARRAY_SIZE(promises));
}

static void views_show_what_the_dataset_shows(void **state)
{
    struct fixture *f = *state;
    struct dataset d;
    int64_t metrics = 0, profile = 0;

    f->lab.failures = true;
    f->lab.profile = true;
    fixture_run(f, 1);
    /* a retry: the views of cases and metrics must not show both attempts */
    assert_int_equal(synthetic_case(&f->lab, f->run, 0, 1, store_sink(f->store), &f->err), 0);
    ASSERT_DONE(f, store_tag(f->store, "base", "last", "why", &f->err));
    d = fixture_query(f, (struct store_selection){.run = "last", .parts = DATA_ALL});
    for (size_t i = 0; i < d.case_count; i++) {
        metrics += (int64_t)d.cases[i].metric_count;
        profile += (int64_t)d.cases[i].profile_count;
    }
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_cases"), d.case_count);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_attempts"), d.case_count + 1);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_metrics"), metrics);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_profile WHERE attempt = 1"), 6);
    assert_true(profile > 0);
    assert_int_equal(fixture_number(f, "SELECT value FROM v_metrics WHERE metric = 'flash.model'"
                                       " AND case_key = 'kws/virt-m4/tiny'"),
                     53936);
    assert_int_equal(
        fixture_number(f, "SELECT outputs_equal FROM v_cases WHERE case_key = 'ad/virt-m4/tiny'"),
        2);
    assert_int_equal(fixture_number(f, "SELECT count(DISTINCT key) FROM v_facts WHERE kind ="
                                       " 'firmware'"),
                     2);
    assert_int_equal(fixture_number(f, "SELECT current FROM v_tags WHERE tag = 'base'"), 1);
    assert_int_equal(fixture_number(f, "SELECT cases FROM v_runs WHERE tags = 'base'"), 6);
    assert_int_equal(fixture_number(f, "SELECT count(*) FROM v_recoveries"), 1);
    assert_int_equal(fixture_number(f, "SELECT max(attempt) FROM v_windows"), 1);
    assert_int_equal(fixture_number(f, "SELECT length(data) FROM v_outputs LIMIT 1"), 12);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STORE_TEST(columns_stay_as_promised),
        STORE_TEST(every_view_and_column_is_documented),
        STORE_TEST(views_show_what_the_dataset_shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
