#include "harness/lab/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/proc.h"
#include "harness/base/text.h"
#include "harness/lab/event_pipe.h"
#include "harness/lab/resources.h"
#include "harness/spec/event_text.h"

enum {
    RESTARTS_MAX = 8,
    WORKER_STOPPED = 3, /* exit status of one that was told to end */
    TICK_MS = 100,
    READ_CHUNK = 65536
};

static volatile sig_atomic_t stopping;
static bool taken_away; /* in a worker */

bool pool_taken_away(void)
{
    return taken_away;
}

bool pool_stopping(void)
{
    return stopping != 0;
}

/* ---- the worker's side ---- */

struct pipe_sink {
    struct event_sink base;
    const struct plan *plan;
    int fd;
    /* -1, or what TINYRIG_EVENT_LOG names: for tests that ask whether all that was said arrived. */
    int record;
    struct buf out;
};

static int record_open(void)
{
    const char *path = getenv("TINYRIG_EVENT_LOG");

    return path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1;
}

/* A line in one write, so that those of several workers stay whole. */
static int record_event(struct pipe_sink *s, const struct event *e)
{
    if (s->record < 0)
        return 0;
    event_put_json(e, &s->out);
    buf_putc(&s->out, '\n');
    return fd_write_all(s->record, buf_text(&s->out), s->out.len);
}

static int pipe_sink_emit(struct event_sink *self, const struct event *e, struct err *err)
{
    struct pipe_sink *s = (struct pipe_sink *)self;
    int r;

    buf_clear(&s->out);
    r = record_event(s, e);
    buf_clear(&s->out);
    event_pipe_encode(e, s->plan, &s->out);
    if (r == 0)
        r = fd_write_all(s->fd, buf_text(&s->out), s->out.len);
    return r < 0 ? err_sys(err, -r, "the parent of this worker") : 0;
}

static void on_stop(int signal_number)
{
    stopping = 1;
}

/* ---- the parent's side ---- */

struct worker {
    const struct board *board;
    struct resources needs;
    pid_t pid; /* -1: not running */
    int fd;
    struct buf in;
    unsigned restarts;
    bool started;
    bool taken;   /* somebody told it to let its board go: not touched again in this run */
    bool damaged; /* sent what no worker sends; killed for it */
};

struct case_state {
    bool done;        /* ended, or left out */
    bool begun;       /* and not ended */
    uint32_t attempt; /* number of the newest attempt */
    unsigned retried; /* attempts that another one followed, whoever saw to it */
    uint64_t since_ns;
};

struct pool {
    const struct plan *plan;
    const struct pool_options *options;
    struct event_sink *sink;
    struct worker *workers;
    size_t count;
    struct case_state *cases; /* as in the plan */
    int told;                 /* how much of *interrupts the workers know */
};

static void worker_main(struct pool *p, struct worker *w, int fd)
{
    const struct plan_case **cases =
        calloc(p->plan->case_count + 1, sizeof(const struct plan_case *));
    struct pipe_sink sink = {
        .base = {.emit = pipe_sink_emit}, .plan = p->plan, .fd = fd, .record = record_open()};
    size_t count = 0;

    if (cases == NULL)
        abort();
    for (size_t i = 0; i < p->plan->case_count; i++) {
        if (p->plan->cases[i].board == w->board && !p->cases[i].done)
            cases[count++] = &p->plan->cases[i];
    }
    p->options->run_board(p->options->context, w->board, cases, count, &sink.base);
    free(cases);
    fd_close(&sink.record);
    buf_release(&sink.out);
}

static int worker_start(struct pool *p, struct worker *w, struct err *err)
{
    const pid_t parent = getpid();
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_sys(err, errno, "worker for board '%s'", w->board->name);
    (void)fflush(NULL);
    w->pid = fork();
    if (w->pid < 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return err_sys(err, errno, "worker for board '%s'", w->board->name);
    }
    if (w->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        (void)signal(SIGINT, SIG_IGN); /* the terminal tells all of us; the parent decides */
        (void)signal(SIGTERM, on_stop);
        (void)close(fds[0]);
        for (size_t i = 0; i < p->count; i++)
            fd_close(&p->workers[i].fd);
        taken_away = w->taken;
        worker_main(p, w, fds[1]);
        (void)fflush(NULL);
        _exit(stopping ? WORKER_STOPPED : 0);
    }
    (void)close(fds[1]);
    w->fd = fds[0];
    w->started = true;
    (void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
    log_line(LOG_LAB, "worker %ld runs board %s", (long)w->pid, w->board->name);
    return 0;
}

static bool worker_has_work(const struct pool *p, const struct worker *w)
{
    for (size_t i = 0; i < p->plan->case_count; i++) {
        if (p->plan->cases[i].board == w->board && !p->cases[i].done)
            return true;
    }
    return false;
}

static int pool_forward(struct pool *p, struct event *e, struct err *err)
{
    struct case_state *c = &p->cases[e->case_ - p->plan->cases];

    e->run_id = p->options->run_id;
    if (e->kind == EVENT_CASE_BEGIN) {
        c->begun = true;
        c->attempt = e->attempt;
        c->since_ns = clock_monotonic_ns();
    }
    if (p->sink->emit(p->sink, e, err) < 0)
        return (int)err->code;
    if (e->kind == EVENT_CASE_END) {
        c->begun = false;
        c->done = !e->end.retried;
        c->retried += e->end.retried;
    }
    return 0;
}

/* A worker speaks of its own board's cases, of one that has begun and not ended. */
static bool event_fits(const struct pool *p, const struct worker *w, const struct event *e)
{
    const struct case_state *c = &p->cases[e->case_ - p->plan->cases];

    return e->case_->board == w->board && !c->done && c->begun != (e->kind == EVENT_CASE_BEGIN);
}

/* What a worker sends is as good as its memory: one that is damaged costs its own board's case. */
static int worker_is_damaged(struct worker *w, struct err *why)
{
    log_line(LOG_LAB, "worker of %s: %s", w->board->name, why->text);
    w->damaged = true;
    (void)kill(w->pid, SIGKILL);
    return 1;
}

/* 1 when the worker is at its end. */
static int worker_read(struct pool *p, struct worker *w, struct err *err)
{
    struct err why = ERR_INIT;
    char chunk[READ_CHUNK];
    const ssize_t n = read(w->fd, chunk, sizeof(chunk));
    size_t used = 0;

    if (n == 0)
        return 1;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : 1;
    buf_append(&w->in, chunk, (size_t)n);
    for (;;) {
        struct event e;
        const struct buf rest = {.data = w->in.data + used, .len = w->in.len - used};
        size_t size = 0;
        int r = event_pipe_decode(&rest, p->plan, &e, &size, &why);

        if (r == 0 && !event_fits(p, w, &e))
            r = err_set(&why, ERR_PROTOCOL, "an event of another board's case, or out of turn");
        if (r < 0)
            return worker_is_damaged(w, &why);
        if (r > 0)
            break;
        if (pool_forward(p, &e, err) < 0)
            return (int)err->code;
        used += size;
    }
    buf_consume(&w->in, used);
    return 0;
}

/* Somebody's doing, or the kernel's for want of memory; any other end is our own fault. */
static enum err_code code_of_death(const struct pool *p, const struct worker *w, int status)
{
    if (p->told > 0)
        return ERR_CANCELLED;
    if (w->damaged)
        return ERR_BUG;
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM)
               ? ERR_LAB
               : ERR_BUG;
}

/* A case that its worker began and will not end: say what became of it. */
static int end_for_worker(struct pool *p, const struct worker *w, size_t i, int status,
                          struct err *err)
{
    const enum err_code code = code_of_death(p, w, status);
    const struct plan_case *c = &p->plan->cases[i];
    struct case_state *state = &p->cases[i];
    const uint64_t host_ns = clock_monotonic_ns() - state->since_ns;
    AUTO_BUF text = BUF_INIT;
    char how[64];
    char spent[32];
    struct event e = {.kind = EVENT_CASE_END,
                      .at_ns = clock_realtime_ns(),
                      .case_ = c,
                      .attempt = state->attempt};

    proc_describe_status(status, how, sizeof(how));
    text_format_duration(host_ns, spent);
    buf_printf(&text, "board '%s', stage 'worker', after %s: its process %s%s", c->board->name,
               spent, w->damaged ? "sent a damaged event and was " : "was ", how);
    e.end = (struct event_case_end){
        .status = code == ERR_CANCELLED ? CASE_CANCELLED : CASE_ERROR,
        .code = code,
        .failure_class = err_class_name(code),
        .stage = "worker",
        .text = buf_text(&text),
        .hint = code == ERR_BUG ? "a bug of tinyrig: 'tinyrig bundle' gathers what a report needs"
                                : "who kills processes here? 'dmesg' knows when memory ran out",
        .host_ns = host_ns,
        .retried =
            code == ERR_LAB && w->restarts < RESTARTS_MAX && state->retried < p->options->retries,
    };
    return pool_forward(p, &e, err);
}

/* Its workers died too often: what is left of its cases ends here, untried. */
static int give_up(struct pool *p, const struct worker *w, struct err *err)
{
    const struct pool_options *o = p->options;

    for (size_t i = 0; i < p->plan->case_count; i++) {
        const struct plan_case *c = &p->plan->cases[i];
        struct event e = {.kind = EVENT_CASE_BEGIN, .at_ns = clock_realtime_ns(), .case_ = c};

        if (c->board != w->board || p->cases[i].done)
            continue;
        e.attempt = o->attempt != NULL ? o->attempt(o->context, c) : 0;
        if (pool_forward(p, &e, err) < 0)
            return (int)err->code;
        e.kind = EVENT_CASE_END;
        e.end = (struct event_case_end){.status = CASE_ERROR,
                                        .code = ERR_LAB,
                                        .failure_class = err_class_name(ERR_LAB),
                                        .stage = "admission",
                                        .text = "given up: the board's processes died too often",
                                        .hint = "'tinyrig resume --lab-faults' tries again"};
        if (pool_forward(p, &e, err) < 0)
            return (int)err->code;
    }
    return 0;
}

static int worker_gone(struct pool *p, struct worker *w, struct err *err)
{
    int status = 0;
    char how[64];

    (void)waitpid(w->pid, &status, 0);
    w->pid = -1;
    fd_close(&w->fd);
    buf_clear(&w->in);
    proc_describe_status(status, how, sizeof(how));
    log_line(LOG_LAB, "worker of %s %s", w->board->name, how);
    for (size_t i = 0; i < p->plan->case_count; i++) {
        if (p->plan->cases[i].board == w->board && p->cases[i].begun &&
            end_for_worker(p, w, i, status, err) < 0)
            return (int)err->code;
    }
    w->damaged = false;
    /* Not by us: 'boards release --force'. A further worker says so of the cases that are left. */
    w->taken = p->told == 0 && WIFEXITED(status) && WEXITSTATUS(status) == WORKER_STOPPED;
    if (p->told > 0 || !worker_has_work(p, w))
        return 0;
    return w->restarts++ < RESTARTS_MAX ? worker_start(p, w, err) : give_up(p, w, err);
}

static size_t pool_running(const struct pool *p, bool only_virtual)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct worker *w = &p->workers[i];

        n += w->pid > 0 && (!only_virtual || w->board->realm == REALM_VIRTUAL);
    }
    return n;
}

/* Boards that share an instrument take turns, in the plan's order, each with all of its cases. */
static bool pool_clashes(const struct pool *p, const struct worker *w)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->workers[i].pid > 0 && resources_clash(&p->workers[i].needs, &w->needs))
            return true;
    }
    return false;
}

static bool pool_has_room(const struct pool *p, const struct worker *w)
{
    const struct pool_options *o = p->options;
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t virtual_jobs = o->virtual_jobs != 0 ? o->virtual_jobs
                                : cpus > 2           ? (size_t)cpus
                                                     : 2;

    if ((o->jobs != 0 && pool_running(p, false) >= o->jobs) || pool_clashes(p, w))
        return false;
    return w->board->realm != REALM_VIRTUAL || pool_running(p, true) < virtual_jobs;
}

static int pool_fill(struct pool *p, struct err *err)
{
    for (size_t i = 0; i < p->count && p->told == 0; i++) {
        struct worker *w = &p->workers[i];

        if (!w->started && worker_has_work(p, w) && pool_has_room(p, w) &&
            worker_start(p, w, err) < 0)
            return (int)err->code;
    }
    return 0;
}

static void pool_tell(struct pool *p)
{
    const int wanted = p->options->interrupts != NULL ? *p->options->interrupts : 0;

    if (wanted <= p->told)
        return;
    p->told = wanted;
    for (size_t i = 0; i < p->count; i++) {
        if (p->workers[i].pid > 0)
            (void)kill(p->workers[i].pid, wanted > 1 ? SIGKILL : SIGTERM);
    }
}

static int pool_step(struct pool *p, struct pollfd *polls, struct err *err)
{
    for (size_t i = 0; i < p->count; i++)
        polls[i] = (struct pollfd){.fd = p->workers[i].fd, .events = POLLIN};
    (void)poll(polls, p->count, TICK_MS); /* EINTR: the loop looks at *interrupts */
    for (size_t i = 0; i < p->count; i++) {
        int r = 0;

        if (p->workers[i].fd >= 0 && polls[i].revents != 0)
            r = worker_read(p, &p->workers[i], err);
        if (r > 0)
            r = worker_gone(p, &p->workers[i], err);
        if (r < 0)
            return r;
    }
    if (p->options->tick != NULL)
        p->options->tick(p->options->context);
    return 0;
}

static int pool_loop(struct pool *p, struct pollfd *polls, struct err *err)
{
    for (;;) {
        pool_tell(p);
        if (pool_fill(p, err) < 0)
            return (int)err->code;
        if (pool_running(p, false) == 0)
            break;
        if (pool_step(p, polls, err) < 0)
            return (int)err->code;
    }
    if (p->told > 0)
        return err_set(err, ERR_CANCELLED, "interrupted");
    return 0;
}

static void pool_release(struct pool *p)
{
    for (size_t i = 0; i < p->count; i++) {
        struct worker *w = &p->workers[i];

        if (w->pid > 0) {
            (void)kill(w->pid, SIGKILL);
            (void)waitpid(w->pid, NULL, 0);
        }
        fd_close(&w->fd);
        buf_release(&w->in);
    }
    free(p->workers);
    free(p->cases);
}

int pool_run(const struct plan *plan, const struct pool_options *options, struct event_sink *sink,
             struct err *err)
{
    AUTO(pool_release) struct pool p = {.plan = plan, .options = options, .sink = sink};
    struct pollfd *polls = calloc(plan->board_count + 1, sizeof(*polls));
    int r;

    p.workers = calloc(plan->board_count + 1, sizeof(*p.workers));
    p.cases = calloc(plan->case_count + 1, sizeof(*p.cases));
    if (polls == NULL || p.workers == NULL || p.cases == NULL)
        abort();
    for (size_t i = 0; i < plan->case_count; i++)
        p.cases[i].done =
            plan->cases[i].skip != NULL || (options->done != NULL && options->done[i]);
    for (size_t i = 0; i < plan->board_count; i++) {
        p.workers[i] = (struct worker){.board = plan->boards[i], .pid = -1, .fd = -1};
        resources_of_plan(plan, plan->boards[i], &p.workers[i].needs);
    }
    p.count = plan->board_count;
    r = pool_loop(&p, polls, err);
    free(polls);
    return r;
}
