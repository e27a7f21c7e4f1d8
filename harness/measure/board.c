/* The loop over one board's cases, and the life of a session across them. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/measure/internal.h"

static int run_stage(struct attempt *a, const char *stage,
                     int (*fn)(struct attempt *a, struct err *err), struct err *err)
{
    a->stage = stage;
    log_line(LOG_LAB, "%s: %s", a->c->key, stage);
    return fn(a, err);
}

/* ---- stages ---- */

static int stage_engine(struct attempt *a, struct err *err)
{
    struct client *client = session_client(a->session);
    struct client_engine engine;
    const int r = client_find_engine(client, a->c->engine, &a->engine, err);

    if (r > 0)
        return err_set(err, ERR_UNSUPPORTED, "the agent of board '%s' has no engine '%s'",
                       a->c->board->name, a->c->engine);
    if (r < 0 || client_engine(client, a->engine, &engine, err) < 0)
        return (int)err->code;
    a->engine_caps = engine.caps;
    return timebase_make(a->c->board, client_hello(client)->tick_hz, &a->timebase, err);
}

static int stage_place(struct attempt *a, struct err *err)
{
    if (a->image.len == 0)
        return 0;
    return session_place_model(a->session, a->image.data, a->image.len, err) < 0 ? (int)err->code
                                                                                 : 0;
}

static int stage_load(struct attempt *a, struct err *err)
{
    return client_load(session_client(a->session), a->engine, a->image.len, a->load_options,
                       &a->loaded, err);
}

static int stage_restart(struct attempt *a, struct err *err)
{
    return session_restart(a->session, err);
}

/* One repeat: a freshly reset board, golden outputs first, then windows. */
static int run_repeat(struct attempt *a, struct err *err)
{
    int r = 0;

    if (!*a->fresh)
        r = run_stage(a, "reset", stage_restart, err);
    *a->fresh = false;
    if (r == 0)
        r = run_stage(a, "place", stage_place, err);
    if (r == 0)
        r = run_stage(a, "load", stage_load, err);
    if (r == 0)
        r = run_stage(a, "check", attempt_check, err);
    if (r == 0)
        r = run_stage(a, "measure", attempt_windows, err);
    if (r == 0)
        r = run_stage(a, "check again", attempt_check_again, err);
    return r;
}

/* Once per attempt, before its repeats. */
static int run_preparation(struct attempt *a, struct err *err)
{
    int r = run_stage(a, "engine", stage_engine, err);

    if (r == 0) /* for the kernels that this agent holds */
        r = run_stage(a, "compile", attempt_compile, err);
    if (r == 0)
        r = run_stage(a, "facts", attempt_facts, err);
    return r;
}

/* Once per attempt, after its repeats, on the board as the last one left it. */
static int run_conclusion(struct attempt *a, struct err *err)
{
    int r = run_stage(a, "memory", attempt_memory, err);

    if (r == 0)
        r = run_stage(a, "profile", attempt_profile, err);
    if (r == 0)
        r = run_stage(a, "latency", attempt_latency, err);
    if (r == 0)
        r = run_stage(a, "data set", attempt_dataset, err);
    return r;
}

/* ---- around a case ---- */

static enum case_status status_of(const struct attempt *a, enum err_code code)
{
    switch (code) {
    case ERR_OK:
        return a->out.over_budget > 0 ? CASE_OVER : CASE_PASSED;
    case ERR_OUTPUT:
    case ERR_AGENT:
    case ERR_UNSUPPORTED:
    case ERR_CONFIG:
        return CASE_FAILED;
    case ERR_CANCELLED:
        return CASE_CANCELLED;
    default:
        return CASE_ERROR;
    }
}

static int end_case(struct attempt *a, const struct err *failure, uint64_t host_ns, struct err *err)
{
    struct event e = {.kind = EVENT_CASE_END};
    AUTO_BUF log = BUF_INIT;
    const bool failed = failure->code != ERR_OK;

    if (failed && a->session != NULL)
        session_log(a->session, &log);
    else if (failed)
        buf_append(&log, buf_text(&a->open_log), a->open_log.len);
    e.end = (struct event_case_end){
        .status = status_of(a, failure->code),
        .code = failure->code,
        .failure_class = failed ? err_class_name(failure->code) : NULL,
        .stage = failed ? a->stage : NULL,
        .text = failed ? failure->text : NULL,
        .hint = failed && failure->hint[0] != '\0' ? failure->hint : NULL,
        .log = log.len > 0 ? buf_text(&log) : NULL,
        .host_ns = host_ns,
    };
    return emit(&a->out, &e, err);
}

static int begin_case(struct attempt *a, struct err *err)
{
    struct event e = {.kind = EVENT_CASE_BEGIN};

    a->stage = "begin";
    return emit(&a->out, &e, err);
}

static int ensure_session(struct attempt *a, struct session **session, struct err *err)
{
    a->stage = "open";
    if (*session == NULL) {
        struct session_options options = a->options->session;

        options.failure_log = &a->open_log;
        if (session_open(a->c->board, &options, session, err) < 0)
            return (int)err->code;
        *a->fresh = true;
    }
    a->session = *session;
    return 0;
}

static void attempt_release(struct attempt *a)
{
    buf_release(&a->image);
    buf_release(&a->open_log);
    if (a->has_report)
        nn_report_release(&a->report);
    free(a->windows.items);
}

static bool session_survives(enum err_code code)
{
    return code == ERR_OK || code == ERR_OUTPUT || code == ERR_UNSUPPORTED || code == ERR_CONFIG ||
           code == ERR_AGENT || code == ERR_INVALID;
}

/* ---- the board ---- */

struct bench {
    const struct measure_options *options;
    struct event_sink *sink;
    struct session *session; /* NULL: to be opened by the next who needs it */
    bool fresh;              /* nothing has run since the board was reset */
    bool deaf;               /* events no longer reach anyone: the worker may as well end */
};

/* Close the attempt with what became of it; a broken session goes with it. */
static void conclude(struct bench *b, struct attempt *a, const struct err *failure)
{
    struct err err = ERR_INIT;

    if (end_case(a, failure, clock_monotonic_ns() - a->started_ns, &err) < 0)
        b->deaf = true;
    a->ended = true;
    if (!session_survives(failure->code)) {
        session_close(b->session);
        b->session = NULL;
    }
}

static void start(struct bench *b, struct attempt *a, const struct plan_case *c)
{
    const struct measure_options *o = b->options;
    struct err err = ERR_INIT;

    *a = (struct attempt){
        .options = o,
        .c = c,
        .fresh = &b->fresh,
        .started_ns = clock_monotonic_ns(),
        .out = {.sink = b->sink,
                .case_ = c,
                .attempt = o->attempt != NULL ? o->attempt(o->context, c) : 0},
    };
    if (begin_case(a, &err) < 0) {
        b->deaf = true;
        return;
    }
    if (ensure_session(a, &b->session, &err) < 0 || run_preparation(a, &err) < 0)
        conclude(b, a, &err);
}

/* One run of a case, and after the last one its figures. */
static void step(struct bench *b, struct attempt *a)
{
    const bool last = a->repeat + 1 == a->c->measure->repeat;
    struct err err = ERR_INIT;
    int r = ensure_session(a, &b->session, &err);

    if (r == 0)
        r = run_repeat(a, &err);
    if (r == 0 && last)
        r = run_conclusion(a, &err);
    a->repeat++;
    if (r < 0 || last)
        conclude(b, a, &err);
}

static bool stopping(const struct bench *b)
{
    return b->deaf || (b->options->stopping != NULL && b->options->stopping());
}

/* Cases one after the other, or (interleaved) a run of each in turn, so that drift hits all alike. */
static void run_group(struct bench *b, const struct plan_case *const *cases, size_t count)
{
    struct attempt *attempts = calloc(count, sizeof(*attempts));
    size_t left = count;

    if (attempts == NULL)
        abort();
    for (size_t i = 0; i < count && !stopping(b); i++)
        start(b, &attempts[i], cases[i]);
    while (left > 0 && !stopping(b)) {
        left = 0;
        for (size_t i = 0; i < count && !stopping(b); i++) {
            if (!attempts[i].ended && attempts[i].c != NULL)
                step(b, &attempts[i]);
            left += !attempts[i].ended && attempts[i].c != NULL;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct err err = ERR_INIT;

        if (attempts[i].c != NULL && !attempts[i].ended && !b->deaf) {
            (void)err_set(&err, ERR_CANCELLED, "interrupted");
            conclude(b, &attempts[i], &err);
        }
        attempt_release(&attempts[i]);
    }
    free(attempts);
}

void measure_board(void *context, const struct board *board, const struct plan_case *const *cases,
                   size_t count, struct event_sink *sink)
{
    struct bench b = {.options = context, .sink = sink};
    size_t n;

    for (size_t i = 0; i < count && !stopping(&b); i += n) {
        for (n = 1;
             i + n < count && cases[i]->measure->interleave && cases[i + n]->measure->interleave;
             n++)
            ;
        run_group(&b, cases + i, n);
    }
    session_close(b.session);
}
