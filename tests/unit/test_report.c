/*
 * Reports against stored files in tests/golden/report, made from a synthetic run that went through
 * a real database. TINYRIG_UPDATE_GOLDEN=1 writes them anew; look at the difference before
 * committing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/report/report.h"
#include "harness/report/trouble.h"
#include "harness/store/store.h"
#include "tests/support/synthetic.h"
#include "tests/unit/unit.h"

struct fixture {
    struct arena arena;
    struct dataset data;
    struct err err;
};

/* What a database gives back for one synthetic run with failures, skips and retries. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct synthetic lab;
    AUTO(store_close_auto) struct store *s = NULL;
    const struct store_selection all = {.run = "last", .parts = DATA_ALL};
    char run[37];

    *state = f;
    synthetic_init(&lab, 3, 8, 7);
    lab.failures = true;
    lab.profile = true;
    ((struct plan_case *)lab.plan.cases)[12].skip = "model needs 270560 B, flash has 262144 B";
    ((struct plan_case *)lab.plan.cases)[13].skip = "model needs 270560 B, flash has 262144 B";
    synthetic_run_id(1, run);
    if (store_open(":memory:", STORE_WRITE, &s, &f->err) != 0 ||
        synthetic_run(&lab, run, store_sink(s), &f->err) != 0 ||
        store_tag(s, "baseline", "last", NULL, &f->err) != 0 ||
        store_query(s, &all, &f->arena, &f->data, &f->err) != 0)
        print_error("%s\n", f->err.text);
    synthetic_release(&lab);
    return f->err.code;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    free(f);
    return 0;
}

static void render(struct fixture *f, const char *format, struct report_options options,
                   struct buf *out)
{
    const struct report_format *r = report_format_find(format);

    assert_non_null(r);
    if (options.data == NULL)
        options.data = &f->data;
    assert_int_equal(r->render(&options, out, &f->err), 0);
    assert_false(out->full);
}

static void compare(struct fixture *f, const char *name, const struct buf *out)
{
    AUTO_BUF golden = BUF_INIT;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/tests/golden/report/%s", getenv("TINYRIG_SOURCE"), name);
    if (getenv("TINYRIG_UPDATE_GOLDEN") != NULL) {
        assert_int_equal(file_write_atomic(path, out->data, out->len, &f->err), 0);
        return;
    }
    assert_int_equal(file_read(path, 1 << 22, &golden, &f->err), 0);
    assert_string_equal(buf_text(out), buf_text(&golden));
}

#define GOLDEN_TEST(test, format, file, ...)                                                       \
    static void test(void **state)                                                                 \
    {                                                                                              \
        AUTO_BUF out = BUF_INIT;                                                                   \
                                                                                                   \
        render(*state, format, (struct report_options){__VA_ARGS__}, &out);                        \
        compare(*state, file, &out);                                                               \
    }
GOLDEN_TEST(text_by_board, "text", "board.txt", .width = 120)
GOLDEN_TEST(text_by_model_with_all_details, "text", "details.txt", .details = true,
            .group = REPORT_BY_MODEL)
GOLDEN_TEST(text_on_a_narrow_terminal_in_colour, "text", "narrow.txt", .width = 60, .colour = true)
GOLDEN_TEST(markdown_for_a_pull_request, "markdown", "run.md", .details = true)
GOLDEN_TEST(csv_for_a_spreadsheet, "csv", "run.csv", .width = 0)
GOLDEN_TEST(json_for_programs, "json", "run.json", .width = 0)
GOLDEN_TEST(junit_for_ci_servers, "junit", "run.xml", .width = 0)
GOLDEN_TEST(annotations_for_github, "github", "run.github", .width = 0)

#define REPORT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Wherever a run is summed up. */
static void results_that_contradict_others_are_told_of(void **state)
{
    static const char *const formats[] = {"text", "markdown", "html"};
    static const char *const events[] = {"{\"kind\": \"window\"}"};
    struct data_run run = {.run_id = "r", .suite = "s", .host = "h", .started_ns = 1};
    const struct data_case c = {.run_id = "r",
                                .key = "k",
                                .board = "b",
                                .engine = "e",
                                .suite = "s",
                                .conflicts = events,
                                .conflict_count = 1};
    const struct dataset data = {.runs = &run, .run_count = 1};
    const struct dataset with_case = {.runs = &run, .run_count = 1, .cases = &c, .case_count = 1};
    AUTO_BUF json = BUF_INIT;
    struct fixture f = {.data = data};

    for (size_t i = 0; i < 2 * ARRAY_SIZE(formats); i++) {
        AUTO_BUF out = BUF_INIT;

        run.conflicts = i % 2 * 25;
        render(&f, formats[i / 2], (struct report_options){.group = REPORT_BY_BOARD}, &out);
        assert_int_equal(strstr(buf_text(&out), "25 contradict others of their name") != NULL,
                         i % 2);
    }
    render(&f, "json", (struct report_options){.data = &with_case}, &json);
    assert_non_null(strstr(buf_text(&json), "\"conflicts\": [\"{\\\"kind\\\": \\\"window\\\"}\"]"));
    arena_release(&f.arena);
}

static void a_flake_is_the_labs_and_of_an_attempt_that_was_made(void **state)
{
    static const struct data_case cases[] = {
        {.board = "b", .ended = true, .status = CASE_PASSED, .retries = 1},
        {.board = "b",
         .ended = true,
         .status = CASE_ERROR,
         .failure_class = "timeout",
         .stage = "load"},
        {.board = "b", .ended = true, .status = CASE_ERROR, .failure_class = "invalid-window"},
        {.board = "b", .ended = true, .status = CASE_FAILED, .failure_class = "wrong-output"},
        {.board = "b",
         .ended = true,
         .status = CASE_ERROR,
         .failure_class = "lab",
         .stage = "admission"},
    };
    const struct dataset d = {.cases = cases, .case_count = ARRAY_SIZE(cases)};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct trouble_board *boards;

    assert_int_equal(trouble_boards(&d, &arena, &boards), 1);
    assert_int_equal(boards[0].cases, 5);
    assert_int_equal(boards[0].lab_errors, 3);
    assert_int_equal(boards[0].attempts, 5);
    assert_int_equal(boards[0].spoilt, 2);
    assert_float_equal(trouble_flake_rate(&boards[0]), 0.4, 1e-9);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_that_contradict_others_are_told_of),
        cmocka_unit_test(a_flake_is_the_labs_and_of_an_attempt_that_was_made),
        REPORT_TEST(text_by_board),
        REPORT_TEST(text_by_model_with_all_details),
        REPORT_TEST(text_on_a_narrow_terminal_in_colour),
        REPORT_TEST(markdown_for_a_pull_request),
        REPORT_TEST(csv_for_a_spreadsheet),
        REPORT_TEST(json_for_programs),
        REPORT_TEST(junit_for_ci_servers),
        REPORT_TEST(annotations_for_github),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
