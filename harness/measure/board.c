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
    const int r = client_find_engine(client, a->c->engine, &a->engine, err);

    if (r > 0)
        return err_set(err, ERR_UNSUPPORTED, "the agent of board '%s' has no engine '%s'",
                       a->c->board->name, a->c->engine);
    if (r < 0)
        return r;
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
static int run_repeat(struct attempt *a, struct windows *w, struct err *err)
{
    int r = 0;

    if (a->repeat > 0)
        r = run_stage(a, "reset", stage_restart, err);
    if (r == 0 && a->repeat > 0)
        r = run_stage(a, "place", stage_place, err);
    if (r == 0)
        r = run_stage(a, "load", stage_load, err);
    if (r == 0)
        r = run_stage(a, "check", attempt_check, err);
    if (r == 0) {
        a->stage = "measure";
        r = attempt_windows(a, w, err);
    }
    if (r == 0)
        r = run_stage(a, "check again", attempt_check_again, err);
    return r;
}

static int run_attempt(struct attempt *a, struct windows *w, struct err *err)
{
    int r = run_stage(a, "compile", attempt_compile, err);

    if (r == 0)
        r = run_stage(a, "engine", stage_engine, err);
    if (r == 0)
        r = run_stage(a, "facts", attempt_facts, err);
    if (r == 0)
        r = run_stage(a, "place", stage_place, err);
    for (a->repeat = 0; r == 0 && a->repeat < a->c->measure->repeat; a->repeat++)
        r = run_repeat(a, w, err);
    if (r == 0)
        r = run_stage(a, "memory", attempt_memory, err);
    if (r == 0) {
        a->stage = "latency";
        r = attempt_latency(a, w, err);
    }
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
    if (*session == NULL && session_open(a->c->board, &a->options->session, session, err) < 0)
        return (int)err->code;
    a->session = *session;
    return 0;
}

static void attempt_release(struct attempt *a)
{
    buf_release(&a->image);
    if (a->has_report)
        nn_report_release(&a->report);
}

static bool session_survives(enum err_code code)
{
    return code == ERR_OK || code == ERR_OUTPUT || code == ERR_UNSUPPORTED || code == ERR_CONFIG ||
           code == ERR_AGENT || code == ERR_INVALID;
}

/* False when events no longer reach anyone: the worker may as well end. */
static bool run_case(const struct measure_options *options, const struct plan_case *c,
                     struct event_sink *sink, struct session **session)
{
    AUTO(attempt_release)
    struct attempt a = {
        .options = options,
        .c = c,
        .out = {.sink = sink,
                .case_ = c,
                .attempt = options->attempt != NULL ? options->attempt(options->context, c) : 0},
    };
    struct windows w = {.items = NULL};
    struct err err = ERR_INIT;
    struct err sink_err = ERR_INIT;
    const uint64_t started = clock_monotonic_ns();
    int r = begin_case(&a, &sink_err);

    if (r < 0)
        return false;
    if (ensure_session(&a, session, &err) == 0)
        (void)run_attempt(&a, &w, &err);
    r = end_case(&a, &err, clock_monotonic_ns() - started, &sink_err);
    free(w.items);
    if (!session_survives(err.code)) {
        session_close(*session);
        *session = NULL;
    }
    return r == 0;
}

void measure_board(void *context, const struct board *board, const struct plan_case *const *cases,
                   size_t count, struct event_sink *sink)
{
    const struct measure_options *options = context;
    struct session *session = NULL;

    for (size_t i = 0; i < count; i++) {
        if (options->stopping != NULL && options->stopping())
            break;
        if (!run_case(options, cases[i], sink, &session))
            break;
    }
    session_close(session);
}
