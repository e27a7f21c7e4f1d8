/* The loop over one board's cases, and the life of a session across them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/base/text.h"
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

    a->window_index = 0;
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
        r = run_stage(a, "energy", attempt_energy, err);
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
        return CASE_FAILED;
    case ERR_UNSUPPORTED:
    case ERR_CONFIG: /* before any session it is a slip of the lab's, not the suite's */
        return a->session != NULL ? CASE_FAILED : CASE_ERROR;
    case ERR_CANCELLED:
        return CASE_CANCELLED;
    default:
        return CASE_ERROR;
    }
}

/* What a person needs first: which board, which stage, after how long. */
static void put_failure(const struct attempt *a, const struct err *failure, uint64_t host_ns,
                        struct buf *out)
{
    const char *text = failure->text;
    char spent[32];

    text_format_duration(host_ns, spent);
    buf_printf(out, "board '%s': ", a->c->board->name);
    if (strncmp(text, buf_text(out), out->len) == 0)
        text += out->len; /* it says so itself */
    out->len -= 2;
    buf_printf(out, ", stage '%s', after %s: %s", a->stage, spent, text);
}

/* The next thing to try, by class of failure, where nothing closer to it knew one. */
static const char *hint_of(const struct err *failure)
{
    if (failure->hint[0] != '\0')
        return failure->hint;
    if (err_is_lab_fault(failure->code))
        return "'tinyrig boards check' tries the board by itself";
    switch (failure->code) {
    case ERR_AGENT:
        return "'tinyrig infer' runs the model once on this board; the log has what it printed";
    case ERR_INVALID:
        return "every window is stored with the case; longer ones (measure: window_time) count "
               "less "
               "noise";
    case ERR_USAGE:
    case ERR_CONFIG:
    case ERR_UNSUPPORTED:
        return "'tinyrig check' and 'tinyrig plan' say what fits which board";
    default:
        return NULL;
    }
}

static int end_case(struct attempt *a, const struct err *failure, const struct buf *log,
                    bool retried, struct err *err)
{
    const uint64_t host_ns = clock_monotonic_ns() - a->started_ns;
    struct event e = {.kind = EVENT_CASE_END};
    AUTO_BUF text = BUF_INIT;
    const bool failed = failure->code != ERR_OK;

    if (failed)
        put_failure(a, failure, host_ns, &text);
    e.end = (struct event_case_end){
        .status = status_of(a, failure->code),
        .code = failure->code,
        .failure_class = failed ? err_class_name(failure->code) : NULL,
        .stage = failed ? a->stage : NULL,
        .text = failed ? buf_text(&text) : NULL,
        .hint = failed ? hint_of(failure) : NULL,
        .log = log->len > 0 ? buf_text(log) : NULL,
        .host_ns = host_ns,
        .retried = retried,
    };
    return emit(&a->out, &e, err);
}

static int begin_case(struct attempt *a, struct err *err)
{
    struct event e = {.kind = EVENT_CASE_BEGIN};

    a->stage = "begin";
    return emit(&a->out, &e, err);
}

static void attempt_release(struct attempt *a)
{
    buf_release(&a->image);
    buf_release(&a->open_log);
    if (a->has_report)
        nn_report_release(&a->report);
    free(a->windows.items);
    free(a->clock.ppm);
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
    struct recovery recovery;
    struct attempt *current; /* whose rungs are noted */
    const char *meter;       /* that the suite names for this board; NULL: none */
    bool waited;             /* for others to let it go: once is enough */
    unsigned retries;        /* left for the board */
    char barred[512];        /* why nothing is tried any more; "": go on */
    bool fresh;              /* nothing has run since the board was reset */
    bool deaf;               /* events no longer reach anyone: the worker may as well end */
};

static bool stopping(const struct bench *b)
{
    return b->deaf || (b->options->stopping != NULL && b->options->stopping());
}

/* A recovery_note_fn: each rung is an event of the attempt that needed it. */
static void note_rung(void *context, const char *rung, const char *reason, bool worked)
{
    struct bench *b = context;
    struct event e = {.kind = EVENT_RECOVERY,
                      .recovery = {.rung = rung, .reason = reason, .worked = worked}};
    struct err err = ERR_INIT;

    if (b->current != NULL && emit(&b->current->out, &e, &err) < 0)
        b->deaf = true;
}

static int ensure_session(struct bench *b, struct attempt *a, struct err *err)
{
    if (b->barred[0] != '\0') {
        a->stage = "admission";
        return err_set(err, ERR_LAB, "%s", b->barred);
    }
    a->stage = "open";
    if (b->session == NULL) {
        struct session_options options = b->options->session;

        b->current = a;
        options.failure_log = &a->open_log;
        options.meter = b->meter;
        if (b->waited)
            options.wait_ms = 0;
        if (session_open(a->c->board, &options, &b->recovery, &b->session, err) < 0) {
            if (err->code == ERR_BUSY)
                b->waited = true;
            if (!err_is_lab_fault(err->code)) /* held by others, or a slip in a file: not it */
                a->stage = "admission";
            else
                (void)snprintf(b->barred, sizeof(b->barred), "given up: %.480s", err->text);
            return (int)err->code;
        }
        *a->fresh = true;
    }
    a->session = b->session;
    return 0;
}

static void drop_session(struct bench *b)
{
    session_close(b->session);
    b->session = NULL;
}

/* After a lab fault in mid-session: the board is back, or it is barred. */
static void mend(struct bench *b, struct attempt *a, const struct err *failure)
{
    struct err err = ERR_INIT;

    if (b->session == NULL)
        return;
    b->current = a;
    if (session_recover(b->session, &b->recovery, failure, &err) == 0) {
        b->fresh = false; /* whatever state it came back in */
        return;
    }
    (void)snprintf(b->barred, sizeof(b->barred), "given up: %.480s", err.text);
    drop_session(b);
}

static bool may_retry(const struct bench *b, const struct attempt *a, enum err_code code)
{
    const struct measure_options *o = b->options;
    const unsigned before = o->retried != NULL ? o->retried(o->context, a->c) : 0;

    return err_is_lab_fault(code) && b->session != NULL && b->barred[0] == '\0' && !stopping(b) &&
           before + a->tries < o->retries_case && b->retries > 0;
}

static void start(struct bench *b, struct attempt *a, const struct plan_case *c, unsigned tries);

/* A record that is lost or cut costs no result, but is told with the case. */
static void keep_record(struct bench *b, struct attempt *a)
{
    const char *lost = b->session != NULL ? session_keep_record(b->session) : NULL;
    struct err err = ERR_INIT;

    if (lost != NULL && emit_fact(&a->out, &err, "session.record", "%s", lost) < 0)
        b->deaf = true;
}

/* Close the attempt with what became of it; after a lab fault that was mended, try again. */
static void conclude(struct bench *b, struct attempt *a, const struct err *failure)
{
    struct err err = ERR_INIT;
    AUTO_BUF log = BUF_INIT;
    bool retried;

    keep_record(b, a);
    if (failure->code != ERR_OK && b->session != NULL)
        session_log(b->session, &log);
    else if (failure->code != ERR_OK)
        buf_append(&log, buf_text(&a->open_log), a->open_log.len);
    if (err_is_lab_fault(failure->code))
        mend(b, a, failure);
    else if (!session_survives(failure->code))
        drop_session(b);
    else if (failure->code == ERR_OK)
        recovery_passed(&b->recovery);
    for (size_t i = 0; i < log.len; i++)
        log.data[i] = log.data[i] == '\0' ? ' ' : log.data[i]; /* else it would end there */
    retried = may_retry(b, a, failure->code);
    if (attempt_clock(a, &err) < 0 || end_case(a, failure, &log, retried, &err) < 0)
        b->deaf = true;
    a->ended = true;
    if (retried) {
        const struct plan_case *c = a->c;
        const unsigned tries = a->tries + 1;

        b->retries--;
        attempt_release(a);
        start(b, a, c, tries);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): with conclude(), as deep as a case has tries */
static void start(struct bench *b, struct attempt *a, const struct plan_case *c, unsigned tries)
{
    const struct measure_options *o = b->options;
    struct err err = ERR_INIT;

    *a = (struct attempt){
        .options = o,
        .c = c,
        .fresh = &b->fresh,
        .started_ns = clock_monotonic_ns(),
        .tries = tries,
        .out = {.sink = b->sink,
                .case_ = c,
                .attempt = (o->attempt != NULL ? o->attempt(o->context, c) : 0) + tries},
    };
    if (begin_case(a, &err) < 0) {
        b->deaf = true;
        return;
    }
    if (ensure_session(b, a, &err) < 0 || run_preparation(a, &err) < 0)
        conclude(b, a, &err);
}

/* One run of a case, and after the last one its figures. */
static void step(struct bench *b, struct attempt *a)
{
    const bool last = a->repeat + 1 == a->c->measure->repeat;
    struct err err = ERR_INIT;
    int r = ensure_session(b, a, &err);

    if (r == 0)
        r = run_repeat(a, &err);
    if (r == 0 && last)
        r = run_conclusion(a, &err);
    a->repeat++;
    if (r < 0 || last)
        conclude(b, a, &err);
}

/* Cases one after the other, or (interleaved) a run of each in turn, so that drift hits all alike. */
static void run_group(struct bench *b, const struct plan_case *const *cases, size_t count)
{
    struct attempt *attempts = calloc(count, sizeof(*attempts));
    size_t left = count;

    if (attempts == NULL)
        abort();
    for (size_t i = 0; i < count && !stopping(b); i++)
        start(b, &attempts[i], cases[i], 0);
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
    const struct measure_options *o = context;
    struct bench b = {.options = o, .sink = sink, .retries = o->retries_board};
    const struct measure_spent *spent = o->spent != NULL ? o->spent(o->context, board) : NULL;
    const char *barred = o->barred != NULL ? o->barred(o->context, board) : NULL;
    size_t n;

    if (spent != NULL) {
        b.recovery = spent->recovery;
        b.retries -= spent->retries < b.retries ? spent->retries : b.retries;
    }
    b.recovery.note = note_rung;
    b.recovery.context = &b;
    for (size_t i = 0; i < count && b.meter == NULL; i++)
        b.meter = cases[i]->energy != NULL ? cases[i]->energy->meter : NULL;
    if (barred != NULL)
        (void)snprintf(b.barred, sizeof(b.barred), "%s", barred);

    for (size_t i = 0; i < count && !stopping(&b); i += n) {
        for (n = 1;
             i + n < count && cases[i]->measure->interleave && cases[i + n]->measure->interleave;
             n++)
            ;
        run_group(&b, cases + i, n);
    }
    session_close(b.session);
}
