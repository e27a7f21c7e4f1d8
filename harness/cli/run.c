/* `tinyrig run` and `tinyrig resume`: measure a suite and store what happens. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/random.h"
#include "harness/cli/progress.h"
#include "harness/cli/revision.h"
#include "harness/cli/scratch.h"
#include "harness/cli/suite.h"
#include "harness/cli/verb.h"
#include "harness/lab/lease.h"
#include "harness/lab/pool.h"
#include "harness/measure/measure.h"
#include "harness/store/store.h"

struct run_arguments {
    struct suite_options suite; /* shared with check and plan; must be first */
    uint64_t jobs;
    uint64_t virtual_jobs;
    uint64_t wait_ns;
    bool quiet;
    bool dry_run;
    const char *tag;
};

static const struct option run_options[] = {
    OPTIONS_SUITE,
    {"jobs", 'j', OPTION_NUMBER, "N", "boards at once (default: all)",
     offsetof(struct run_arguments, jobs)},
    {"virtual-jobs", 0, OPTION_NUMBER, "N", "of these, virtual boards (default: as many as CPUs)",
     offsetof(struct run_arguments, virtual_jobs)},
    {"wait", 0, OPTION_DURATION, "TIME", "wait so long for boards that others use",
     offsetof(struct run_arguments, wait_ns)},
    {"tag", 't', OPTION_STRING, "NAME", "give the run this name in the database",
     offsetof(struct run_arguments, tag)},
    {"quiet", 'q', OPTION_FLAG, NULL, "say only what went wrong",
     offsetof(struct run_arguments, quiet)},
    {"dry-run", 'n', OPTION_FLAG, NULL, "print the plan and stop",
     offsetof(struct run_arguments, dry_run)},
    OPTION_DB,
    {.name = NULL},
};

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal_number)
{
    interrupts = interrupts + 1;
}

static void catch_interrupts(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt}; /* no SA_RESTART: poll returns */

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* ---- one run ---- */

struct tee {
    struct event_sink base;
    struct event_sink *store;
    struct event_sink *progress;
};

static int tee_emit(struct event_sink *self, const struct event *e, struct err *err)
{
    struct tee *t = (struct tee *)self;
    const int r = t->store->emit(t->store, e, err);

    if (r < 0)
        return r;
    return t->progress->emit(t->progress, e, err) < 0 ? (int)err->code : r;
}

struct run {
    const struct plan *plan;
    const struct run_arguments *arguments;
    const struct context *context;
    struct store *store;
    struct progress *progress;
    struct tee tee;
    char run_id[37];
    struct scratch scratch; /* workers of one run share it, names keep them apart */
    char lock_dir[256];
    char command_line[1024];
    struct progress_counts counts;
    bool *done;         /* per case: finished by an earlier process */
    uint32_t *attempts; /* per case: number of the next attempt */
};

static uint32_t next_attempt(void *context, const struct plan_case *c)
{
    const struct run *r = context;

    return r->attempts[c - r->plan->cases];
}

static void tick(void *context)
{
    const struct measure_options *m = context;
    const struct run *r = m->context;

    progress_tick(r->progress);
}

static int emit_run(struct run *r, enum event_kind kind, struct err *err)
{
    char host[64] = "?";
    struct event e = {.kind = kind, .at_ns = clock_realtime_ns(), .run_id = r->run_id};

    (void)gethostname(host, sizeof(host) - 1);
    e.run = (struct event_run){
        .plan = r->plan, .command_line = r->command_line, .host = host, .started_ns = e.at_ns};
    return r->tee.base.emit(&r->tee.base, &e, err) < 0 ? (int)err->code : 0;
}

/* Cases that were planned away are part of the run: with their reason, never measured. */
static int emit_skips(struct run *r, struct err *err)
{
    for (size_t i = 0; i < r->plan->case_count; i++) {
        const struct plan_case *c = &r->plan->cases[i];
        struct event e = {.kind = EVENT_CASE_BEGIN,
                          .at_ns = clock_realtime_ns(),
                          .run_id = r->run_id,
                          .case_ = c};

        if (c->skip == NULL || r->done[i])
            continue;
        if (r->tee.base.emit(&r->tee.base, &e, err) < 0)
            return (int)err->code;
        e.kind = EVENT_CASE_END;
        e.end = (struct event_case_end){.status = CASE_SKIPPED, .text = c->skip};
        if (r->tee.base.emit(&r->tee.base, &e, err) < 0)
            return (int)err->code;
    }
    return 0;
}

/* Of the suite's repository: what people change between two runs. */
static size_t git_facts(const struct run *r, struct arena *arena, struct data_fact facts[static 2])
{
    const struct revision now = revision_of(r->plan->suite->path, arena);

    if (now.commit == NULL)
        return 0;
    facts[0] = (struct data_fact){.key = "git.revision", .value = now.commit};
    facts[1] = (struct data_fact){.key = "git.dirty", .value = now.dirty ? "yes" : "no"};
    return 2;
}

static int run_workers(struct run *r, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct data_fact facts[2];
    struct measure_options measure = {
        .session =
            {
                .firmware_dir = r->context->paths.firmware,
                .vboard = r->context->paths.vboard,
                .agent_posix = r->context->paths.agent_posix,
                .run_dir = r->scratch.path,
                .lock_dir = r->lock_dir,
                .purpose = r->plan->suite->name,
                .wait_ms = (unsigned)(r->arguments->wait_ns / 1000000u),
            },
        .stopping = pool_stopping,
        .attempt = next_attempt,
        .context = r,
        .facts = facts,
        .fact_count = git_facts(r, &arena, facts),
    };
    const struct pool_options pool = {
        .run_board = measure_board,
        .context = &measure,
        .jobs = (unsigned)r->arguments->jobs,
        .virtual_jobs = (unsigned)r->arguments->virtual_jobs,
        .run_id = r->run_id,
        .done = r->done,
        .interrupts = &interrupts,
        .tick = tick,
    };

    return pool_run(r->plan, &pool, &r->tee.base, err);
}

static int exit_status(const struct progress_counts *n)
{
    const unsigned lab = n->of[CASE_ERROR];
    const unsigned bad = n->of[CASE_FAILED] + n->of[CASE_OVER];

    if (lab == 0)
        return bad > 0 ? 1 : 0;
    return n->of[CASE_PASSED] + bad > 0 ? 4 : 3;
}

static int run_measured(struct run *r, struct err *err)
{
    int result = emit_skips(r, err);

    if (result == 0)
        result = run_workers(r, err);
    if (result == 0)
        result = emit_run(r, EVENT_RUN_END, err);
    if (result == ERR_CANCELLED)
        (void)err_hint(err, "go on with: tinyrig resume --db %s %s", r->context->database,
                       r->run_id);
    return result;
}

static int run_plan(struct run *r, bool resumed, struct err *err)
{
    AUTO(progress_free_auto)
    struct progress *progress =
        progress_new(r->plan, stderr, isatty(STDERR_FILENO) != 0, r->arguments->quiet);
    int result;

    r->progress = progress;
    r->tee = (struct tee){.base = {.emit = tee_emit},
                          .store = store_sink(r->store),
                          .progress = progress_sink(progress)};
    if (scratch_make(&r->scratch, err) < 0 || lease_default_folder(r->lock_dir, err) < 0)
        return (int)err->code;
    catch_interrupts();
    result = resumed ? 0 : emit_run(r, EVENT_RUN_BEGIN, err);
    if (result == 0)
        result = run_measured(r, err);
    scratch_remove(&r->scratch);
    if (result < 0)
        return result;
    if (r->arguments->tag != NULL &&
        store_tag(r->store, r->arguments->tag, r->run_id, NULL, err) < 0)
        return (int)err->code;
    r->counts = progress_counts(progress);
    r->progress = NULL;
    return exit_status(&r->counts);
}

static void join_command_line(struct run *r, const char *verb, int argc, char **argv)
{
    size_t used = (size_t)snprintf(r->command_line, sizeof(r->command_line), "tinyrig %s", verb);

    for (int i = 0; i < argc && used < sizeof(r->command_line); i++)
        used += (size_t)snprintf(r->command_line + used, sizeof(r->command_line) - used, " %s",
                                 argv[i]);
}
/* ---- the commands ---- */

static void say_summary(const struct run *r)
{
    const unsigned *n = r->counts.of;

    (void)fprintf(
        stderr, "run %.8s: %u passed, %u over budget, %u failed, %u lab errors, %u skipped\n",
        r->run_id, n[CASE_PASSED], n[CASE_OVER], n[CASE_FAILED], n[CASE_ERROR], n[CASE_SKIPPED]);
}

static void run_init(struct run *r, const struct run_arguments *a, const struct context *c,
                     const struct plan *plan, struct arena *arena)
{
    *r = (struct run){.plan = plan, .arguments = a, .context = c};
    r->done = arena_alloc(arena, plan->case_count + 1);
    r->attempts = arena_alloc(arena, (plan->case_count + 1) * sizeof(r->attempts[0]));
}

static int run_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct run_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    const struct plan *plan = NULL;
    struct run r;
    int status;

    if (context_init(&c, &a->suite.common, err) < 0 ||
        suite_plan(&c, &a->suite, argv[0], &plan, err) < 0)
        return (int)err->code;
    if (a->dry_run) {
        AUTO_BUF text = BUF_INIT;

        plan_print(plan, true, &text);
        (void)fputs(buf_text(&text), stdout);
        return 0;
    }
    if (store_open(c.database, STORE_WRITE, &store, err) < 0)
        return (int)err->code;
    run_init(&r, a, &c, plan, &c.arena);
    r.store = store;
    random_uuid(r.run_id);
    join_command_line(&r, "run", argc, argv);
    status = run_plan(&r, false, err);
    if (status >= 0)
        say_summary(&r);
    return status;
}

/* What an earlier process finished is left out; what it began gets the next attempt number. */
static int take_progress(struct run *r, const struct store_progress *progress, struct err *err)
{
    for (size_t i = 0; i < progress->case_count; i++) {
        const struct store_case_progress *p = &progress->cases[i];
        size_t k = 0;

        while (k < r->plan->case_count && strcmp(r->plan->cases[k].key, p->key) != 0)
            k++;
        if (k == r->plan->case_count) {
            (void)err_set(err, ERR_CONFIG, "case '%s' of the run is not in its suite any more",
                          p->key);
            return err_hint(err, "the suite or the lab changed: start a new run");
        }
        r->done[k] = p->done;
        r->attempts[k] = p->attempts;
    }
    return 0;
}

static int resume_plan(struct run_arguments *a, struct context *c, struct store *store,
                       const char *run, struct run *r, struct err *err)
{
    struct store_progress progress;
    const struct plan *plan = NULL;

    if (store_run_progress(store, run, &c->arena, &progress, err) < 0)
        return (int)err->code;
    if (suite_plan(c, &a->suite, progress.run.suite_path, &plan, err) < 0)
        return (int)err->code;
    if (strcmp(plan->suite->digest, progress.run.suite_digest) != 0) {
        (void)err_set(err, ERR_CONFIG, "%s changed since the run began", progress.run.suite_path);
        return err_hint(err, "start a new run: results of two suites do not belong together");
    }
    run_init(r, a, c, plan, &c->arena);
    r->store = store;
    (void)snprintf(r->run_id, sizeof(r->run_id), "%s", progress.run.run_id);
    return take_progress(r, &progress, err);
}

static int resume_run(void *arguments, int argc, char **argv, struct err *err)
{
    struct run_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    const char *unfinished = NULL;
    struct run r;
    int status;

    if (context_init(&c, &a->suite.common, err) < 0 ||
        store_open(c.database, STORE_WRITE, &store, err) < 0)
        return (int)err->code;
    if (argc > 0) {
        unfinished = argv[0];
    } else {
        status = store_find_unfinished(store, &c.arena, &unfinished, err);
        if (status < 0)
            return status;
        if (status > 0) {
            (void)fprintf(stderr, "nothing to resume: every run has ended\n");
            return 0;
        }
    }
    if (resume_plan(a, &c, store, unfinished, &r, err) < 0)
        return (int)err->code;
    join_command_line(&r, "resume", argc, argv);
    status = run_plan(&r, true, err);
    if (status >= 0)
        say_summary(&r);
    return status;
}

const struct verb verb_run = {
    .name = "run",
    .arguments = "SUITE.yaml",
    .summary = "measure a suite on its boards and store the results",
    .details = "Exit status: 0 all passed; 1 wrong outputs or budgets broken; 3 lab failure;\n"
               "4 some cases failed by the lab; 130 interrupted (resume with 'tinyrig resume').",
    .options = run_options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run_run,
};

static const struct option resume_options[] = {
    {"jobs", 'j', OPTION_NUMBER, "N", "boards at once (default: all)",
     offsetof(struct run_arguments, jobs)},
    {"virtual-jobs", 0, OPTION_NUMBER, "N", "of these, virtual boards (default: as many as CPUs)",
     offsetof(struct run_arguments, virtual_jobs)},
    {"wait", 0, OPTION_DURATION, "TIME", "wait so long for boards that others use",
     offsetof(struct run_arguments, wait_ns)},
    {"quiet", 'q', OPTION_FLAG, NULL, "say only what went wrong",
     offsetof(struct run_arguments, quiet)},
    OPTION_LAB,
    OPTION_DB,
    {.name = NULL},
};

const struct verb verb_resume = {
    .name = "resume",
    .arguments = "[RUN]",
    .summary = "go on with a run that was interrupted or killed",
    .details = "RUN is the beginning of a run's id; by default the newest run that never ended.",
    .options = resume_options,
    .arguments_max = 1,
    .run = resume_run,
};
