/* One run: its sinks, its workers, its folders, and what its exit status says. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/revision.h"
#include "harness/cli/run.h"
#include "harness/lab/fault_plan.h"
#include "harness/lab/lease.h"
#include "harness/lab/pool.h"
#include "harness/measure/measure.h"

enum {
    BATCH_REQUEUE = 75,
    BATCH_HOLD = 76,
    RETRIES_CASE = 2,
    RETRIES_BOARD = 16,
    COMMAND_LINE_MAX = 1024 * 1024,
    TAKE_MS = 2000
};

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signal_number)
{
    interrupts = interrupts + 1;
}

/* What a run takes over, and gives back: a night goes on after it, and must still end when told. */
static const int signals[] = {SIGINT, SIGTERM, SIGPIPE};

static void catch_interrupts(struct sigaction before[static ARRAY_SIZE(signals)])
{
    interrupts = 0;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        const struct sigaction action = {.sa_handler =
                                             signals[i] == SIGPIPE ? SIG_IGN : on_interrupt};

        (void)sigaction(signals[i], &action, &before[i]); /* no SA_RESTART: poll returns */
    }
}

static void leave_interrupts(const struct sigaction before[static ARRAY_SIZE(signals)])
{
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        (void)sigaction(signals[i], &before[i], NULL);
}

static size_t board_index(const struct plan *plan, const struct board *b)
{
    size_t i = 0;

    while (i < plan->board_count && plan->boards[i] != b)
        i++;
    return i;
}

/* What is gone of the budgets: a worker that is started anew goes on with the rest. */
static void note_spent(struct tee *t, const struct event *e)
{
    struct measure_spent *s = &t->spent[board_index(t->plan, e->case_->board)];

    switch (e->kind) {
    case EVENT_CASE_BEGIN:
        t->attempts[e->case_ - t->plan->cases] = e->attempt + 1;
        break;
    case EVENT_RECOVERY:
        recovery_used(&s->recovery, e->recovery.rung, e->recovery.worked);
        break;
    case EVENT_CASE_END:
        t->retried[e->case_ - t->plan->cases] += e->end.retried;
        s->retries += e->end.retried;
        if (e->end.code == ERR_OK)
            recovery_passed(&s->recovery);
        t->slipped = t->slipped || (e->end.status == CASE_ERROR && e->end.code == ERR_CONFIG);
        break;
    default:
        break;
    }
}

static int tee_emit(struct event_sink *self, const struct event *e, struct err *err)
{
    struct tee *t = (struct tee *)self;

    for (size_t i = 0; i < SINKS; i++) {
        if (t->sinks[i] != NULL && t->sinks[i]->emit(t->sinks[i], e, err) < 0)
            return (int)err->code;
    }
    if (e->case_ != NULL)
        note_spent(t, e);
    return 0;
}

static uint32_t next_attempt(void *context, const struct plan_case *c)
{
    const struct run *r = context;

    return r->attempts[c - r->plan->cases];
}

static unsigned retried(void *context, const struct plan_case *c)
{
    const struct run *r = context;

    return r->retried[c - r->plan->cases];
}

static const struct measure_spent *spent(void *context, const struct board *b)
{
    const struct run *r = context;

    return &r->spent[board_index(r->plan, b)];
}

static uint32_t pool_attempt(void *context, const struct plan_case *c)
{
    const struct measure_options *m = context;

    return next_attempt(m->context, c);
}

/* In the worker: a board in quarantine is left alone until a check passed or a person said so. */
static const char *barred(void *context, const struct board *b)
{
    static char text[512];
    const struct run *r = context;
    struct health h;
    struct err err = ERR_INIT;
    char since[21];

    if (pool_taken_away())
        return "it was taken away by 'tinyrig boards release --force'";
    if (!health_kept(b) || r->arguments->replay != NULL)
        return NULL;
    if (health_read(r->state_dir, b->name, &h, &err) < 0)
        (void)snprintf(text, sizeof(text), "%.500s", err.text);
    else if (h.state == BOARD_QUARANTINED) {
        clock_format_utc(h.since_ns, since);
        (void)snprintf(text, sizeof(text), "in quarantine since %s: %s", since, h.reason);
    } else {
        return NULL;
    }
    return text;
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
    char file[PATH_MAX];
    struct event e = {.kind = kind, .at_ns = clock_realtime_ns(), .run_id = r->run_id};

    (void)gethostname(host, sizeof(host) - 1);
    e.run = (struct event_run){
        .plan = r->plan,
        .command_line = buf_text(&r->command_line),
        .host = host,
        .started_ns = e.at_ns,
        .repeat = (uint32_t)r->arguments->suite.repeat,
        .interleave = r->arguments->suite.interleave,
        .suite_file = realpath(r->plan->suite->path, file),
        .replayed = r->arguments->replay != NULL,
    };
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

        if (c->skip == NULL || r->done[i] || r->elsewhere[i])
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

/* Of the suite's repository: what people change between two runs. And whether any board was there. */
static size_t run_facts(const struct run *r, struct arena *arena, struct data_fact facts[static 3])
{
    const struct revision now = revision_of(r->plan->suite->path, arena);
    size_t n = 0;

    if (now.commit != NULL) {
        facts[n++] = (struct data_fact){.key = "git.revision", .value = now.commit};
        facts[n++] = (struct data_fact){.key = "git.dirty", .value = now.dirty ? "yes" : "no"};
    }
    if (r->arguments->replay != NULL)
        facts[n++] = (struct data_fact){.key = "session.replayed", .value = "yes"};
    return n;
}

int run_retries(const struct run_arguments *a, unsigned *ret, struct err *err)
{
    uint64_t n = RETRIES_CASE;

    if (a->no_retries)
        n = 0;
    else if (a->retries != NULL && (!text_to_u64(a->retries, &n) || n > RETRIES_BOARD))
        return err_set(err, ERR_USAGE, "--retries: expected a number up to %d, got '%s'",
                       RETRIES_BOARD, a->retries);
    *ret = (unsigned)n;
    return 0;
}

static int run_workers(struct run *r, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct run_arguments *a = r->arguments;
    struct data_fact facts[3];
    char traces[4096];
    struct measure_options measure = {
        .session =
            {
                .lab = r->plan->lab,
                .record_dir = a->record,
                .replay_dir = a->replay,
                .firmware_dir = r->context->paths.firmware,
                .vboard = r->context->paths.vboard,
                .vmeter = r->context->paths.vmeter,
                .agent_posix = r->context->paths.agent_posix,
                .run_dir = r->scratch.path,
                .lock_dir = r->lock_dir,
                .purpose = r->plan->suite->name,
                .wait_ms = (unsigned)(r->arguments->wait_ns / 1000000u),
            },
        .traces = traces,
        .keep_traces = a->keep_trace,
        .stopping = pool_stopping,
        .attempt = next_attempt,
        .context = r,
        .facts = facts,
        .fact_count = run_facts(r, &arena, facts),
        .barred = barred,
        .retries_board = RETRIES_BOARD,
        .spent = spent,
        .retried = retried,
    };
    struct pool_options pool = {
        .run_board = measure_board,
        .context = &measure,
        .jobs = (unsigned)r->arguments->jobs,
        .virtual_jobs = (unsigned)r->arguments->virtual_jobs,
        .run_id = r->run_id,
        .done = r->done,
        .interrupts = &interrupts,
        .attempt = pool_attempt,
        .tick = tick,
    };

    if (run_retries(a, &measure.retries_case, err) < 0)
        return (int)err->code;
    if (snprintf(traces, sizeof(traces), "%s-traces", r->context->database) >= (int)sizeof(traces))
        return err_set(err, ERR_USAGE, "%s: path too long", r->context->database);
    fault_plan_options(&measure.session);
    pool.retries = measure.retries_case;
    return pool_run(r->plan, &pool, &r->tee.base, err);
}

static int exit_status(const struct progress_counts *n)
{
    const unsigned lab = n->of[CASE_ERROR] + n->of[CASE_CANCELLED];
    const unsigned bad = n->of[CASE_FAILED] + n->of[CASE_OVER];

    if (lab == 0)
        return bad > 0 ? 1 : 0;
    return n->of[CASE_PASSED] + bad > 0 ? 4 : 3;
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@%+=:,./_-";

    return word[0] != '\0' && word[strspn(word, plain)] == '\0';
}

void run_put_word(struct buf *out, const char *word)
{
    if (out->len > 0)
        buf_putc(out, ' ');
    if (is_plain(word)) {
        buf_puts(out, word);
        return;
    }
    buf_putc(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *word);
    }
    buf_putc(out, '\'');
}

static void put_option(struct buf *out, const char *option, const char *value)
{
    if (value == NULL)
        return;
    run_put_word(out, option);
    run_put_word(out, value);
}

int run_hint_replay(struct err *err)
{
    return err_hint(err,
                    "records are played from their beginning: 'tinyrig run' the suite again, with "
                    "--replay and another --db");
}

/* The command that goes on with it, as it can be typed. */
static int hint_resume(const struct run *r, struct err *err)
{
    const struct run_arguments *a = r->arguments;
    const struct option_strings *folders = &a->suite.common.board_dirs;
    AUTO_BUF words = BUF_INIT;

    if (a->replay != NULL)
        return run_hint_replay(err);
    run_put_word(&words, "tinyrig");
    run_put_word(&words, "resume");
    put_option(&words, "--lab", a->suite.common.lab);
    for (size_t i = 0; i < folders->count; i++)
        put_option(&words, "--board-dir", folders->values[i]);
    put_option(&words, "--record", a->record);
    put_option(&words, "--db", r->context->database);
    run_put_word(&words, r->run_id);
    return err_hint(err, "go on with: %s", buf_text(&words));
}

static int run_measured(struct run *r, struct err *err)
{
    int result = emit_skips(r, err);

    if (result == 0)
        result = run_workers(r, err);
    if (result == 0)
        result = emit_run(r, EVENT_RUN_END, err);
    return result == ERR_CANCELLED ? hint_resume(r, err) : result;
}

/* A board, or a lab file, that a person has to look at is worth more than another try. */
static int batch_status(const struct run *r, int status)
{
    struct health h;
    struct err err = ERR_INIT;

    if (status != 3 && status != 4)
        return status;
    if (r->tee.slipped)
        return BATCH_HOLD;
    for (size_t i = 0; i < r->plan->board_count; i++) {
        if (health_kept(r->plan->boards[i]) &&
            (health_read(r->state_dir, r->plan->boards[i]->name, &h, &err) < 0 ||
             h.state == BOARD_QUARANTINED))
            return BATCH_HOLD;
    }
    return BATCH_REQUEUE;
}

static int open_folders(struct run *r, struct err *err)
{
    if (scratch_make(&r->scratch, err) < 0 || health_folder(r->state_dir, err) < 0)
        return (int)err->code;
    if (r->arguments->record != NULL && file_make_dirs(r->arguments->record, err) < 0)
        return (int)err->code;
    if (r->arguments->replay == NULL) /* else no board did anything */
        r->health = health_sink_new(r->state_dir, health_kept);
    return 0;
}

static void close_health(struct run *r)
{
    struct err err = ERR_INIT;

    if (health_sink_close(r->health, &err) < 0)
        (void)fprintf(stderr, "tinyrig: the state of a board could not be kept: %s\n", err.text);
    r->health = NULL;
}

/* As it was typed: of argv the options are gone. */
static void note_command_line(struct run *r)
{
    AUTO_BUF typed = BUF_INIT;
    struct err ignored = ERR_INIT;

    if (file_read("/proc/self/cmdline", COMMAND_LINE_MAX, &typed, &ignored) < 0)
        buf_clear(&typed);
    run_put_word(&r->command_line, "tinyrig");
    for (size_t at = strlen(buf_text(&typed)) + 1; at < typed.len;
         at += strlen(typed.data + at) + 1)
        run_put_word(&r->command_line, typed.data + at);
}

/* ---- the run itself, held against other processes ---- */

static int say_taken(const struct run *r, const char *name, struct err *err)
{
    struct lease_holder h = {.user = "?"};
    struct err ignored = ERR_INIT;
    char since[21];

    (void)lease_read(r->lock_dir, name, &h, &ignored);
    clock_format_utc(h.since_ns, since);
    err_clear(err);
    (void)err_set(err, ERR_BUSY, "run %.8s is going on: process %ld of %s has had it since %s",
                  r->run_id, (long)h.pid, h.user, since);
    return err_hint(err, "when that has ended, 'tinyrig resume' measures what it left");
}

int run_take(struct run *r, const char *suite, struct err *err)
{
    const char *path = store_path(r->store);
    char name[128];
    const char *const names[] = {name};
    struct stat st;

    if (stat(path, &st) < 0)
        return err_sys(err, errno, "%s", path);
    (void)snprintf(name, sizeof(name), "run:%s:%llx-%llx", r->run_id, (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    if (lease_default_folder(r->lock_dir, err) < 0)
        return (int)err->code;
    /* Workers of a process that was killed may take a moment to follow it. */
    if (lease_take(r->lock_dir, names, 1, suite, TAKE_MS, &r->hold, err) < 0)
        return err->code == ERR_BUSY ? say_taken(r, name, err) : (int)err->code;
    return 0;
}

void run_release(struct run *r)
{
    lease_end(r->hold);
    r->hold = NULL;
    buf_release(&r->command_line);
}

int run_plan(struct run *r, struct err *err)
{
    AUTO(progress_free_auto)
    struct progress *progress =
        progress_new(r->plan, r->done, stderr, isatty(STDERR_FILENO) != 0, r->arguments->quiet);
    struct sigaction before[ARRAY_SIZE(signals)];
    int result;

    r->progress = progress;
    note_command_line(r);
    if (open_folders(r, err) < 0)
        return (int)err->code;
    r->tee = (struct tee){
        .base = {.emit = tee_emit},
        .sinks = {store_sink(r->store), progress_sink(progress),
                  r->health != NULL ? health_sink_base(r->health) : NULL},
        .plan = r->plan,
        .attempts = r->attempts,
        .retried = r->retried,
        .spent = r->spent,
    };
    catch_interrupts(before);
    result = emit_run(r, EVENT_RUN_BEGIN, err); /* again in a resumed run: it is not over */
    if (result == 0)
        result = run_measured(r, err);
    scratch_remove(&r->scratch);
    close_health(r);
    leave_interrupts(before);
    if (result < 0)
        return result;
    if (r->arguments->tag != NULL &&
        store_tag(r->store, r->arguments->tag, r->run_id, NULL, err) < 0)
        return (int)err->code;
    r->counts = progress_counts(progress);
    for (size_t i = 0; i < ARRAY_SIZE(r->counts.of); i++)
        r->counts.of[i] += r->before.of[i];
    r->progress = NULL;
    return r->arguments->batch ? batch_status(r, exit_status(&r->counts)) : exit_status(&r->counts);
}

/* What the scheduler is told when there is no run to speak of. */
int run_batch_failure(const struct run_arguments *a, int status, struct err *err)
{
    if (a->batch && status < 0 &&
        (err_is_lab_fault(err->code) || err->code == ERR_BUSY || err->code == ERR_STORE))
        err->exit_status = BATCH_REQUEUE;
    return status;
}
