/* `tinyrig run` and `tinyrig resume`: measure a suite and store what happens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/random.h"
#include "harness/base/text.h"
#include "harness/cli/run.h"
#include "harness/cli/verb.h"

#define OPTIONS_ATTEMPTS                                                                           \
    {"retries",                                                                                    \
     0,                                                                                            \
     OPTION_STRING,                                                                                \
     "N",                                                                                          \
     "further attempts at a case after a lab fault (default: 2)",                                  \
     offsetof(struct run_arguments, retries)},                                                     \
        {"no-retries",                                                                             \
         0,                                                                                        \
         OPTION_FLAG,                                                                              \
         NULL,                                                                                     \
         "one attempt a case, whatever happens",                                                   \
         offsetof(struct run_arguments, no_retries)},                                              \
        {"record",                                                                                 \
         0,                                                                                        \
         OPTION_STRING,                                                                            \
         "DIR",                                                                                    \
         "keep what went over each board's link, for replays and bug reports",                     \
         offsetof(struct run_arguments, record)},                                                  \
    {                                                                                              \
        "batch", 0, OPTION_FLAG, NULL,                                                             \
            "for schedulers: exit 75 after lab faults (requeue), 76 when a board needs a person",  \
            offsetof(struct run_arguments, batch)                                                  \
    }

static const struct option run_options[] = {
    OPTIONS_SUITE,
    {"jobs", 'j', OPTION_NUMBER, "N", "boards at once (default: all)",
     offsetof(struct run_arguments, jobs), UINT32_MAX},
    {"virtual-jobs", 0, OPTION_NUMBER, "N", "of these, virtual boards (default: as many as CPUs)",
     offsetof(struct run_arguments, virtual_jobs), UINT32_MAX},
    {"wait", 0, OPTION_DURATION, "TIME", "wait so long for boards that others use",
     offsetof(struct run_arguments, wait_ns), OPTION_WAIT_MAX},
    {"run-id", 0, OPTION_STRING, "UUID",
     "the run's id; when the database has that run, go on with it, lab faults included",
     offsetof(struct run_arguments, run_id)},
    {"shard", 0, OPTION_STRING, "I/N", "only the I-th of N shares of the cases (1/4 to 4/4)",
     offsetof(struct run_arguments, shard)},
    OPTIONS_ATTEMPTS,
    {"replay", 0, OPTION_STRING, "DIR",
     "play such records in place of the boards, into a --db of their own",
     offsetof(struct run_arguments, replay)},
    {"tag", 't', OPTION_STRING, "NAME", "give the run this name in the database",
     offsetof(struct run_arguments, tag)},
    {"quiet", 'q', OPTION_FLAG, NULL, "say only what went wrong",
     offsetof(struct run_arguments, quiet)},
    {"dry-run", 'n', OPTION_FLAG, NULL, "print the plan and stop",
     offsetof(struct run_arguments, dry_run)},
    {"keep-trace", 0, OPTION_FLAG, NULL, "keep every raw trace of current (see 'tinyrig trace')",
     offsetof(struct run_arguments, keep_trace)},
    OPTION_DB,
    {.name = NULL},
};

static void say_summary(const struct run *r)
{
    const unsigned *n = r->counts.of;

    (void)fprintf(
        stderr, "run %.8s: %u passed, %u over budget, %u failed, %u lab errors, %u skipped\n",
        r->run_id, n[CASE_PASSED], n[CASE_OVER], n[CASE_FAILED], n[CASE_ERROR], n[CASE_SKIPPED]);
    if (store_conflicts(r->store) > 0)
        (void)fprintf(
            stderr,
            "%llu results had the name of another and said something else: the first of "
            "each name counts,\nthe others are in v_conflicts. A bug of tinyrig: 'tinyrig "
            "bundle' gathers what a report needs\n",
            (unsigned long long)store_conflicts(r->store));
}

static void set_plan(struct run *r, const struct plan *plan, struct arena *arena)
{
    r->plan = plan;
    r->done = arena_alloc(arena, plan->case_count + 1);
    r->elsewhere = arena_alloc(arena, plan->case_count + 1);
    r->attempts = arena_alloc(arena, (plan->case_count + 1) * sizeof(r->attempts[0]));
    r->retried = arena_alloc(arena, (plan->case_count + 1) * sizeof(r->retried[0]));
    r->spent = arena_alloc(arena, (plan->board_count + 1) * sizeof(r->spent[0]));
}

/* "2/4" */
static bool read_share(const char *text, struct arena *arena, uint64_t *ret_share, uint64_t *ret_of)
{
    const char *slash = strchr(text, '/');

    return slash != NULL &&
           text_to_u64(arena_strndup(arena, text, (size_t)(slash - text)), ret_share) &&
           text_to_u64(slash + 1, ret_of) && *ret_share > 0 && *ret_share <= *ret_of;
}

/* Every N-th case that is to run is ours; the others are planned away, without an attempt. */
static int take_shard(struct run *r, struct arena *arena, struct err *err)
{
    const char *text = r->arguments->shard;
    uint64_t share = 0, of = 0, seen = 0;
    struct plan_case *cases;
    struct plan *plan;

    if (text == NULL)
        return 0;
    if (!read_share(text, arena, &share, &of))
        return err_set(err, ERR_USAGE, "--shard: expected I/N such as 2/4, got '%s'", text);
    plan = arena_dup(arena, r->plan, sizeof(*plan));
    cases = arena_dup(arena, plan->cases, (plan->case_count + 1) * sizeof(*cases));
    for (size_t i = 0; i < plan->case_count; i++) {
        if (cases[i].skip != NULL || seen++ % of == share - 1)
            continue;
        cases[i].skip = arena_printf(arena, "not in share %s", text);
        r->elsewhere[i] = true;
    }
    plan->cases = cases;
    plan_recount(plan, arena);
    r->plan = plan;
    return 0;
}

/* ---- what an earlier process did ---- */

static int compare_cases(const void *a, const void *b)
{
    return strcmp((*(const struct plan_case *const *)a)->key,
                  (*(const struct plan_case *const *)b)->key);
}

static int compare_key(const void *key, const void *c)
{
    return strcmp(key, (*(const struct plan_case *const *)c)->key);
}

/* What the store knows of each case of the plan; NULL: it is none of the run. */
static const struct store_case_progress **match_cases(const struct plan *plan,
                                                      const struct store_progress *progress,
                                                      struct arena *arena, size_t *ret_missing)
{
    const struct store_case_progress **of =
        arena_alloc(arena, (plan->case_count + 1) * sizeof(struct store_case_progress *));
    const struct plan_case **sorted =
        arena_alloc(arena, (plan->case_count + 1) * sizeof(struct plan_case *));

    for (size_t i = 0; i < plan->case_count; i++)
        sorted[i] = &plan->cases[i];
    qsort(sorted, plan->case_count, sizeof(struct plan_case *), compare_cases);
    *ret_missing = SIZE_MAX;
    for (size_t i = 0; i < progress->case_count; i++) {
        const struct plan_case **found = bsearch(progress->cases[i].key, sorted, plan->case_count,
                                                 sizeof(struct plan_case *), compare_key);

        if (found != NULL)
            of[*found - plan->cases] = &progress->cases[i];
        else if (*ret_missing == SIZE_MAX)
            *ret_missing = i;
    }
    return of;
}

/*
 * A resumed run has the cases that it began with, whatever the suite makes on this lab without --board
 * and --filter; what was planned away stays so, such as the shares of others.
 */
static const struct plan *plan_of_run(const struct plan *whole,
                                      const struct store_progress *progress, struct arena *arena)
{
    size_t missing, n = 0;
    const struct store_case_progress **of = match_cases(whole, progress, arena, &missing);
    struct plan *plan = arena_dup(arena, whole, sizeof(*plan));
    struct plan_case *cases =
        arena_dup(arena, whole->cases, (whole->case_count + 1) * sizeof(*cases));

    for (size_t i = 0; i < whole->case_count; i++) {
        if (of[i] == NULL)
            continue;
        cases[n] = whole->cases[i];
        if (of[i]->skip != NULL)
            cases[n].skip = of[i]->skip;
        n++;
    }
    plan->cases = cases;
    plan->case_count = n;
    plan_recount(plan, arena);
    return plan;
}

/* Is there nothing to do for it? `again`: `run` with the same id, whose plan is what counts. */
static bool is_done(const struct store_case_progress *p, const struct plan_case *c, bool faults_too,
                    bool again)
{
    if (p->status == CASE_ERROR && faults_too)
        return false;
    return p->done && !(again && p->status == CASE_SKIPPED && c->skip == NULL);
}

/* What an earlier process finished is left out; what it began gets the next attempt number. */
static int take_progress(struct run *r, const struct store_progress *progress, bool faults_too,
                         bool again, struct arena *arena, struct err *err)
{
    size_t missing;
    const struct store_case_progress **of = match_cases(r->plan, progress, arena, &missing);

    if (missing != SIZE_MAX) {
        (void)err_set(err, ERR_CONFIG, "case '%s' of the run is none of its suite on this lab",
                      progress->cases[missing].key);
        return err_hint(err,
                        "give --lab and --board-dir as the run had them; when the suite or the "
                        "lab changed, start a new run");
    }
    for (size_t i = 0; i < r->plan->case_count; i++) {
        if (of[i] == NULL)
            continue;
        r->done[i] = is_done(of[i], &r->plan->cases[i], faults_too, again);
        r->attempts[i] = of[i]->attempts;
        r->before.of[of[i]->status] += r->done[i] && of[i]->status != CASE_SKIPPED;
    }
    return 0;
}

/* A second time from the beginning, or on boards: neither is the rest of what the records hold. */
static int check_replayed(const struct data_run *run, const struct run_arguments *a,
                          struct err *err)
{
    if (!run->replayed && a->replay == NULL)
        return 0;
    (void)err_set(err, ERR_USAGE, "run %.8s %s: nothing can go on with it%s", run->run_id,
                  run->replayed ? "was played from records" : "was measured on boards",
                  run->replayed ? "" : " from records");
    return run_hint_replay(err);
}

static int check_run_id(const char *id, struct err *err)
{
    for (size_t i = 0; i < 36; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? id[i] != '-' : strchr("0123456789abcdef", id[i]) == NULL || id[i] == '\0')
            return err_set(err, ERR_USAGE,
                           "--run-id: expected a UUID in lower case such as "
                           "6f1c2a34-7b5e-4d21-9c0a-3f5d8e7a1b2c, got '%s'",
                           id);
    }
    return id[36] == '\0' ? 0 : err_set(err, ERR_USAGE, "--run-id: '%s' is too long", id);
}

/* A new run; or, with --run-id, the rest of one that is in the database already. */
static int name_run(struct run *r, struct arena *arena, struct err *err)
{
    struct store_progress progress;
    const char *id = r->arguments->run_id;
    int result;

    if (id == NULL)
        random_uuid(r->run_id);
    else if (check_run_id(id, err) < 0)
        return (int)err->code;
    else
        (void)snprintf(r->run_id, sizeof(r->run_id), "%s", id);
    if (run_take(r, r->plan->suite->name, err) < 0)
        return (int)err->code;
    if (id == NULL)
        return 0;
    result = store_run_progress(r->store, id, arena, &progress, err);
    if (result == ERR_USAGE) { /* none of that id */
        err_clear(err);
        return 0;
    }
    if (result == 0)
        result = check_replayed(&progress.run, r->arguments, err);
    if (result == 0 && strcmp(r->plan->suite->digest, progress.run.suite_digest) != 0)
        return err_set(err, ERR_CONFIG, "run %s was of another suite (%s)", id,
                       progress.run.suite_path);
    return result < 0 ? result : take_progress(r, &progress, true, true, arena, err);
}

/* Of those on --replay: what was measured once must not count twice. */
static int check_arguments(const struct run_arguments *a, struct err *err)
{
    unsigned retries;

    if (run_retries(a, &retries, err) < 0)
        return (int)err->code;
    if (a->replay == NULL)
        return 0;
    if (a->record != NULL)
        return err_set(err, ERR_USAGE, "--replay and --record exclude each other");
    if (access(a->replay, R_OK | X_OK) < 0)
        return err_set(err, ERR_USAGE, "--replay: '%s': %s", a->replay, strerror(errno));
    if (a->suite.common.database != NULL)
        return 0;
    (void)err_set(err, ERR_USAGE, "--replay needs a --db of its own");
    return err_hint(err, "--db replay.db; results of records do not belong among those of boards");
}

static int print_plan(const struct plan *plan)
{
    AUTO_BUF text = BUF_INIT;

    plan_print(plan, true, &text);
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

static int run_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct run_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    AUTO(run_release) struct run r = {.arguments = a, .context = &c};
    const struct plan *plan = NULL;
    int status;

    if (check_arguments(a, err) < 0 || context_init(&c, &a->suite.common, err) < 0 ||
        suite_plan(&c, &a->suite, argv[0], &plan, err) < 0)
        return (int)err->code;
    set_plan(&r, plan, &c.arena);
    if (take_shard(&r, &c.arena, err) < 0)
        return (int)err->code;
    if (a->dry_run)
        return print_plan(r.plan);
    if (store_open(c.database, STORE_WRITE, &store, err) < 0)
        return run_batch_failure(a, (int)err->code, err);
    r.store = store;
    status = name_run(&r, &c.arena, err);
    if (status == 0)
        status = run_plan(&r, err);
    if (status >= 0)
        say_summary(&r);
    return run_batch_failure(a, status, err);
}

/* Which one it is, and what it has done, once nobody else adds to it. */
static int resume_take(struct run *r, const char *run, struct arena *arena,
                       struct store_progress *ret, struct err *err)
{
    if (store_run_progress(r->store, run, arena, ret, err) < 0)
        return (int)err->code;
    (void)snprintf(r->run_id, sizeof(r->run_id), "%s", ret->run.run_id);
    if (run_take(r, ret->run.suite, err) < 0)
        return (int)err->code;
    return store_run_progress(r->store, r->run_id, arena, ret, err);
}

static int resume_plan(struct run_arguments *a, struct context *c, const char *run, struct run *r,
                       struct err *err)
{
    struct store_progress progress;
    const struct plan *plan = NULL;

    if (resume_take(r, run, &c->arena, &progress, err) < 0 ||
        check_replayed(&progress.run, a, err) < 0)
        return (int)err->code;
    a->suite.repeat = progress.repeat;
    a->suite.interleave = progress.interleave;
    if (suite_plan(c, &a->suite, suite_of_run(&progress.run), &plan, err) < 0) {
        if (err->hint[0] == '\0')
            (void)err_hint(err,
                           progress.run.suite_file != NULL
                               ? "resume with the --lab and --board-dir that the run had"
                               : "resume in the folder where the run began, with its --lab and "
                                 "--board-dir");
        return (int)err->code;
    }
    if (strcmp(plan->suite->digest, progress.run.suite_digest) != 0) {
        (void)err_set(err, ERR_CONFIG, "%s changed since the run began", plan->suite->path);
        return err_hint(err, "start a new run: results of two suites do not belong together");
    }
    set_plan(r, plan_of_run(plan, &progress, &c->arena), &c->arena);
    return take_progress(r, &progress, a->lab_faults, false, &c->arena, err);
}

static int resume_run(void *arguments, int argc, char **argv, struct err *err)
{
    struct run_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    AUTO(run_release) struct run r = {.arguments = a, .context = &c};
    const char *unfinished = NULL;
    int status;

    if (check_arguments(a, err) < 0 || context_init(&c, &a->suite.common, err) < 0 ||
        store_open(c.database, STORE_WRITE, &store, err) < 0)
        return run_batch_failure(a, (int)err->code, err);
    if (argc > 0) {
        unfinished = argv[0];
    } else {
        status = store_find_unfinished(store, &c.arena, &unfinished, err);
        if (status < 0)
            return status;
        if (status > 0) {
            scratch_sweep(); /* of one that was killed when its run had just ended */
            (void)fprintf(stderr, "nothing to resume: every run has ended\n");
            return 0;
        }
    }
    r.store = store;
    status = resume_plan(a, &c, unfinished, &r, err);
    if (status == 0)
        status = run_plan(&r, err);
    if (status >= 0)
        say_summary(&r);
    return run_batch_failure(a, status, err);
}

const struct verb verb_run = {
    .name = "run",
    .arguments = "SUITE.yaml",
    .summary = "measure a suite on its boards and store the results",
    .details = "Exit status: 0 all passed; 1 wrong outputs or budgets broken; 3 lab failure;\n"
               "4 some cases failed by the lab; 130 interrupted (resume with 'tinyrig resume').\n"
               "With --batch 75 and 76 stand for 3 and 4: try again, or call a person.",
    .options = run_options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_run,
};

static const struct option resume_options[] = {
    {"jobs", 'j', OPTION_NUMBER, "N", "boards at once (default: all)",
     offsetof(struct run_arguments, jobs), UINT32_MAX},
    {"virtual-jobs", 0, OPTION_NUMBER, "N", "of these, virtual boards (default: as many as CPUs)",
     offsetof(struct run_arguments, virtual_jobs), UINT32_MAX},
    {"wait", 0, OPTION_DURATION, "TIME", "wait so long for boards that others use",
     offsetof(struct run_arguments, wait_ns), OPTION_WAIT_MAX},
    {"quiet", 'q', OPTION_FLAG, NULL, "say only what went wrong",
     offsetof(struct run_arguments, quiet)},
    {"lab-faults", 0, OPTION_FLAG, NULL, "cases that ended with a lab fault too",
     offsetof(struct run_arguments, lab_faults)},
    OPTIONS_ATTEMPTS,
    OPTION_LAB,
    OPTION_DB,
    {.name = NULL},
};

const struct verb verb_resume = {
    .name = "resume",
    .arguments = "[RUN]",
    .summary = "go on with a run that was interrupted or killed",
    .details =
        "RUN is the beginning of a run's id; by default the newest run that never ended. It goes\n"
        "on with the boards, cases and repeats that the run began with, from any folder; --lab\n"
        "and --board-dir are to be given again. Exit status: that of the whole run, as of 'run'.",
    .options = resume_options,
    .arguments_max = 1,
    .run = resume_run,
};
