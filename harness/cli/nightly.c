/*
 * `tinyrig nightly`: health checks, a suite, the gate, reports and the night's summary, in one. It
 * carries out the other commands, so what it does can be done by hand as well.
 */
#include "harness/cli/nightly.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/command.h"
#include "harness/base/file.h"
#include "harness/base/random.h"
#include "harness/base/text.h"
#include "harness/cli/baseline.h"
#include "harness/cli/boards.h"
#include "harness/cli/verb.h"
#include "harness/cli/words.h"
#include "harness/lab/health.h"
#include "harness/plan/plan.h"

enum {
    NOTIFY_MS = 60000,
    VERDICT_MAX = 256
};

static const struct option nightly_options[] = {
    {"output", 'o', OPTION_STRING, "DIR", "reports and summary.md go there (default: nightly)",
     offsetof(struct nightly_arguments, output)},
    {"board", 'b', OPTION_STRINGS, "NAME", "only this board (may be repeated)",
     offsetof(struct nightly_arguments, boards)},
    {"baseline", 0, OPTION_STRING, "WHAT",
     "what the gate compares with (default: last-good), or 'none': no gate",
     offsetof(struct nightly_arguments, baseline)},
    {"lenient", 0, OPTION_FLAG, NULL, "what the gate could not judge does not fail",
     offsetof(struct nightly_arguments, lenient)},
    {"tolerance", 0, OPTION_STRING, "SHARE", "as of the gate",
     offsetof(struct nightly_arguments, tolerance)},
    {"confirm", 0, OPTION_FLAG, NULL, "measure again before failing on what scatters",
     offsetof(struct nightly_arguments, confirm)},
    {"keep", 0, OPTION_STRING, "TIME",
     "afterwards, prune details of untagged runs older than this, such as 90d",
     offsetof(struct nightly_arguments, keep)},
    {"wait", 0, OPTION_STRING, "TIME", "wait so long for boards that others use",
     offsetof(struct nightly_arguments, wait)},
    {"record", 0, OPTION_STRING, "DIR", "keep what went over each board's link",
     offsetof(struct nightly_arguments, record)},
    OPTION_LAB,
    OPTION_DB,
    {.name = NULL},
};

const char *night_path(const struct night *n, const char *name)
{
    return arena_printf(&n->context->arena, "%s/%s", n->output, name);
}

/* ---- steps: other commands, by their tables ---- */

static int step(struct night *n, const char *name, const struct words *w)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    const int r = words_do(name, w, &err);

    (void)fflush(stdout);
    if (r >= 0)
        return r;
    text_escape(&text, err.text, strlen(err.text));
    (void)fprintf(stderr, "tinyrig: nightly: %s: %s\n", name, buf_text(&text));
    if (err.hint[0] != '\0')
        (void)fprintf(stderr, "  hint: %s\n", err.hint);
    if (n->failure[0] == '\0')
        (void)snprintf(n->failure, sizeof(n->failure), "%s: %.480s", name, err.text);
    return err.exit_status != 0 ? err.exit_status : err_exit_status(err.code);
}

static bool is_wanted(const struct night *n, const struct board *b)
{
    const struct option_strings *named = &n->arguments->boards;

    for (size_t i = 0; i < named->count; i++) {
        if (plan_board_matches(b, named->values[i]))
            return true;
    }
    return named->count == 0;
}

/* What is broken on it, and what to try: into the night's log. */
static void call_doctor(struct night *n, const struct board *b)
{
    struct words w = {.count = 0};

    words_add(&w, NULL, b->name);
    words_add_common(&w, &n->arguments->common, WORDS_LAB);
    (void)printf("doctor %s:\n", b->name);
    (void)fflush(stdout);
    (void)step(n, "doctor", &w);
    n->failure[0] = '\0'; /* a board's illness is the table's business, not a failed step */
}

/* Only boards with a history: a virtual board of no lab file is made anew for the run. */
static int check_boards(struct night *n, struct err *err)
{
    const struct lab *lab = n->context->lab;

    for (size_t i = 0; i < lab->board_count; i++) {
        const struct board *b = lab->boards[i];
        int r;

        if (!health_kept(b) || b->maintenance != NULL || !is_wanted(n, b))
            continue;
        r = boards_check(n->context, b, 0, err);
        if (r < 0)
            return r;
        n->checked++;
        n->failed += r == 1;
        (void)fflush(stdout);
        if (r == 1)
            call_doctor(n, b);
    }
    return 0;
}

static void run_suite(struct night *n)
{
    const struct nightly_arguments *a = n->arguments;
    struct words w = {.count = 0};

    words_add(&w, NULL, n->suite);
    words_add(&w, "--run-id", n->run_id);
    words_add(&w, "--wait", a->wait);
    words_add(&w, "--record", a->record);
    for (size_t i = 0; i < a->boards.count; i++)
        words_add(&w, "--board", a->boards.values[i]);
    words_add_common(&w, &a->common, WORDS_LAB | WORDS_DB);
    n->run_status = step(n, "run", &w);
}

static void run_gate(struct night *n)
{
    const struct nightly_arguments *a = n->arguments;
    const char *baseline = a->baseline != NULL ? a->baseline : BASELINE_LAST_GOOD;
    struct words w = {.count = 0};

    if (strcmp(baseline, "none") == 0)
        return;
    words_add(&w, NULL, n->run_id);
    words_add(&w, "--baseline", baseline);
    words_add(&w, "--tolerance", a->tolerance);
    words_add(&w, NULL, a->lenient ? "--lenient" : NULL);
    words_add(&w, NULL, a->confirm ? "--confirm" : NULL);
    words_add(&w, "--format", "markdown");
    words_add(&w, "--output", night_path(n, "gate.md"));
    words_add_common(&w, &a->common, WORDS_LAB | WORDS_DB);
    n->gate_status = step(n, "gate", &w);
    /* The first night has nothing to compare with, and makes what the next one has. */
    n->first = n->gate_status == 5 && n->run_status == 0 && strcmp(baseline, "last-good") == 0;
    if (n->first)
        n->gate_status = 0;
}

static const struct {
    const char *file, *format;
} reports[] = {{"report.html", "html"}, {"report.md", "markdown"}, {"junit.xml", "junit"}};

/* Nothing of the night before may pass for this one's. */
static void remove_old(const struct night *n)
{
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
        (void)unlink(night_path(n, reports[i].file));
    (void)unlink(night_path(n, "gate.md"));
    (void)unlink(night_path(n, "summary.md"));
}

static void write_reports(struct night *n)
{
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
        struct words w = {.count = 0};

        words_add(&w, NULL, n->run_id);
        words_add(&w, "--format", reports[i].format);
        words_add(&w, "--output", night_path(n, reports[i].file));
        words_add_common(&w, &n->arguments->common, WORDS_DB);
        (void)step(n, "report", &w);
    }
}

static void prune(struct night *n)
{
    struct words w = {.count = 0};

    if (n->arguments->keep == NULL)
        return;
    words_add(&w, NULL, "prune");
    words_add(&w, "--older", n->arguments->keep);
    words_add(&w, NULL, "--keep-tagged");
    words_add_common(&w, &n->arguments->common, WORDS_DB);
    (void)step(n, "db", &w);
}

/* ---- what the night says ---- */

/* There are results that a gate can look at. */
static bool has_measured(const struct night *n)
{
    return n->run_status == 0 || n->run_status == 1 || n->run_status == 4;
}

int night_status(const struct night *n)
{
    const int run = n->run_status;

    if (!has_measured(n))
        return run; /* no run to judge: interrupted, wrong usage, no lab, a bug of ours */
    if (run == 1 || n->gate_status == 1)
        return 1;
    if (n->gate_status != STEP_NOT_DONE && n->gate_status != 0 && n->gate_status != 4)
        return n->gate_status; /* the gate itself did not come to a verdict */
    return run == 4 || n->gate_status == 4 ? 4 : 0;
}

const char *night_verdict(const struct night *n)
{
    const int status = night_status(n);

    if (has_measured(n) && (status == 2 || status == 3 || status == 70))
        return "measured, not judged: the gate failed";
    switch (status) {
    case 0:
        return "passed";
    case 1:
        return "failed";
    case 2:
        return "not begun: wrong usage or a wrong file";
    case 3:
        return "not measured: the lab failed";
    case 4:
        return "partly measured: the lab failed some cases";
    case 5:
        return "not judged: no baseline";
    case 130:
        return "interrupted";
    default:
        return "not done: internal error";
    }
}

/* ---- word to people, when the verdict is another than last time ---- */

static int tell(const struct night *n, const char *before, const char *now, const struct buf *text,
                struct err *err)
{
    struct arena *arena = &n->context->arena;
    const char *const env[] = {arena_printf(arena, "TINYRIG_VERDICT=%s", now),
                               arena_printf(arena, "TINYRIG_VERDICT_BEFORE=%s", before),
                               arena_printf(arena, "TINYRIG_RUN=%s", n->run_id),
                               arena_printf(arena, "TINYRIG_SUITE=%s", n->suite), NULL};
    const struct command c = {.argv = n->context->lab->notify,
                              .env = env,
                              .input = buf_text(text),
                              .timeout_ms = NOTIFY_MS};

    return command_check(&c, NULL, err);
}

static int tell_changes(const struct night *n, const char *now, const struct buf *text,
                        struct err *err)
{
    const char *path = night_path(n, "verdict");
    AUTO_BUF before = BUF_INIT;

    if (access(path, F_OK) == 0 && file_read(path, VERDICT_MAX, &before, err) < 0)
        return (int)err->code;
    if (before.len > 0 && strcmp(buf_text(&before), now) == 0)
        return 0;
    if (n->context->lab->notify != NULL &&
        tell(n, before.len > 0 ? buf_text(&before) : "none", now, text, err) < 0)
        return (int)err->code;
    return file_write_atomic(path, now, strlen(now), err);
}

/* A mail that cannot be sent changes no verdict. The verdict is then not kept: told again next time. */
static void notify(const struct night *n, const char *now, const struct buf *text)
{
    struct err err = ERR_INIT;

    if (tell_changes(n, now, text, &err) < 0)
        (void)fprintf(stderr, "tinyrig: nightly: nobody was told: %s\n", err.text);
}

static int finish(struct night *n, struct err *err)
{
    const int status = night_status(n);
    AUTO_BUF summary = BUF_INIT;
    int r;

    night_summary(n, &summary);
    r = file_write_atomic(night_path(n, "summary.md"), buf_text(&summary), summary.len, err);
    notify(n, night_verdict(n), &summary); /* of a full disk, too */
    if (r < 0)
        return r;
    (void)fprintf(stderr, "nightly: %s; see %s\n", night_verdict(n), night_path(n, "summary.md"));
    return status;
}

/* A slip of the pen must not cost a night. */
static int check_arguments(const struct nightly_arguments *a, struct err *err)
{
    uint64_t ns;
    double share;

    if (a->keep != NULL && !(text_to_ns(a->keep, &ns) && ns > 0 && ns <= OPTION_AGE_MAX))
        return err_set(err, ERR_USAGE, "--keep: expected a duration such as 90d, got '%s'",
                       a->keep);
    if (a->wait != NULL && !(text_to_ns(a->wait, &ns) && ns <= OPTION_WAIT_MAX))
        return err_set(err, ERR_USAGE,
                       "--wait: expected a duration such as 2h, at most 30d, got '%s'", a->wait);
    return baseline_tolerance(a->tolerance, &share, err);
}

/* What no board can be blamed for, such as a full disk: there is a page about it all the same. */
static void give_up(struct night *n, const struct err *err)
{
    (void)fprintf(stderr, "tinyrig: nightly: checks of boards: %s\n", err->text);
    (void)snprintf(n->failure, sizeof(n->failure), "checks of boards: %.480s", err->text);
    n->run_status = err_exit_status(err->code);
}

static void measure(struct night *n)
{
    run_suite(n);
    if (has_measured(n))
        run_gate(n);
    if (n->run_status != 2)
        write_reports(n);
    if (n->run_status != 130) /* whoever stops the night wants it to end */
        prune(n);
}

static int nightly_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct nightly_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    struct night n = {.arguments = a,
                      .context = &c,
                      .suite = argv[0],
                      .output = a->output != NULL ? a->output : "nightly",
                      .run_status = STEP_NOT_DONE,
                      .gate_status = STEP_NOT_DONE};

    if (check_arguments(a, err) < 0 || context_init(&c, &a->common, err) < 0 ||
        context_load_lab(&c, &a->common, err) < 0 || file_make_dirs(n.output, err) < 0)
        return (int)err->code;
    remove_old(&n);
    random_uuid(n.run_id);
    if (check_boards(&n, err) < 0) {
        give_up(&n, err);
        err_clear(err);
    } else {
        measure(&n);
    }
    return finish(&n, err);
}

const struct verb verb_nightly = {
    .name = "nightly",
    .arguments = "SUITE.yaml",
    .summary = "check boards, run a suite, gate it, report: a night in one command",
    .details =
        "Writes summary.md (one page), report.html, report.md, junit.xml and gate.md. Boards\n"
        "that fail their check are seen by the doctor. When the verdict is another than the\n"
        "night before, the lab file's 'notify' program gets the page on standard input and\n"
        "TINYRIG_VERDICT, TINYRIG_VERDICT_BEFORE, TINYRIG_RUN and TINYRIG_SUITE in its\n"
        "environment. Exit status: 0 passed, or the first night of all; 1 a regression, a\n"
        "wrong output or a broken budget; 2 usage; 3 the lab failed; 4 it failed some cases;\n"
        "5 no baseline; 130 interrupted.",
    .options = nightly_options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = nightly_run,
};
