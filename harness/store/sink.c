/*
 * The event sink. Events of running attempts queue in memory and go out in one short transaction,
 * so the write lock is held for milliseconds however long a case takes, and a commit's fsync is paid a
 * few times per case instead of once per event.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/store/internal.h"

enum {
    QUEUE_WAIT_MS = 250,
    QUEUE_BYTES_MAX = 8 * 1024 * 1024 /* then it goes out whatever its age */
};

/* An attempt that has begun and not ended. */
struct active {
    struct active *next;
    struct arena arena;
    const char *run_id;
    const char *key;
    uint32_t attempt;
    int64_t id;
    struct data_fact *facts;
    size_t fact_count;
    size_t fact_capacity;
    size_t planned; /* of the facts, so many are from the plan: a fact from the board wins */
    bool facts_changed;
};

struct queued {
    struct queued *next;
    int64_t attempt;
    struct event event; /* strings and bytes in the queue's arena */
};

struct queue {
    struct active *active;
    struct arena arena;
    struct queued *first, **last;
    size_t bytes;
    struct deadline due;
};

static struct queue *queue_new(void)
{
    struct queue *q = calloc(1, sizeof(*q));

    if (q == NULL)
        abort();
    q->last = &q->first;
    return q;
}

static void queue_clear(struct queue *q)
{
    arena_release(&q->arena);
    q->first = NULL;
    q->last = &q->first;
    q->bytes = 0;
}

static void active_free(struct active *a)
{
    arena_release(&a->arena);
    free(a);
}

static void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    while (q->active != NULL) {
        struct active *a = q->active;

        q->active = a->next;
        active_free(a);
    }
    queue_clear(q);
    free(q);
}

/* ---- attempts in progress ---- */

static struct active *active_find(struct queue *q, const struct event *e)
{
    for (struct active *a = q->active; a != NULL; a = a->next) {
        if (a->attempt == e->attempt && strcmp(a->key, e->case_->key) == 0 &&
            strcmp(a->run_id, e->run_id) == 0)
            return a;
    }
    return NULL;
}

static void active_remove(struct queue *q, struct active *a)
{
    struct active **at = &q->active;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    active_free(a);
}

static struct active *active_add(struct queue *q, const struct event *e, int64_t id)
{
    struct active *a = calloc(1, sizeof(*a));

    if (a == NULL)
        abort();
    a->run_id = arena_strdup(&a->arena, e->run_id);
    a->key = arena_strdup(&a->arena, e->case_->key);
    a->attempt = e->attempt;
    a->id = id;
    a->next = q->active;
    q->active = a;
    return a;
}

static const char *fact_text(struct active *a, const char *text)
{
    return arena_strndup(&a->arena, text, strnlen(text, DB_TEXT_MAX));
}

static struct data_fact *fact_find(const struct active *a, const char *key)
{
    for (size_t i = 0; i < a->fact_count; i++) {
        if (strncmp(a->facts[i].key, key, DB_TEXT_MAX) == 0)
            return &a->facts[i];
    }
    return NULL;
}

/* Of facts with one key the last stays. */
static void active_fact(struct active *a, const char *key, const char *value)
{
    struct data_fact *f = fact_find(a, key);

    if (f != NULL && strncmp(f->value, value, DB_TEXT_MAX) == 0)
        return;
    if (f == NULL) {
        f = ARENA_PUSH(&a->arena, a->facts, a->fact_count, a->fact_capacity);
        f->key = fact_text(a, key);
    }
    f->value = fact_text(a, value);
    a->facts_changed = true;
}

static void active_fact_text(struct active *a, const char *key, const char *value)
{
    if (value != NULL)
        active_fact(a, key, value);
}

static void active_fact_number(struct active *a, const char *key, uint64_t value)
{
    if (value != 0)
        active_fact(a, key, arena_printf(&a->arena, "%llu", (unsigned long long)value));
}

/* What the plan knows about the board goes with every result; a fact from the board wins. */
static void active_board_facts(struct active *a, const struct board *b)
{
    active_fact(a, "board_type.name", b->type != NULL ? b->type : b->name);
    active_fact_text(a, "board_type.description", b->description);
    active_fact_text(a, "board_type.cpu", b->cpu);
    active_fact_text(a, "board_type.part", b->part);
    active_fact_text(a, "board_type.agent", b->agent);
    active_fact_number(a, "board_type.clock_hz", b->clock_hz);
    active_fact_number(a, "board_type.voltage_uv", b->voltage_uv);
    active_fact_number(a, "board_type.flash_bytes", b->flash.size);
    active_fact_number(a, "board_type.ram_bytes", b->ram.size);
    a->planned = a->fact_count;
}

/* An attempt that is not new goes on with the facts that it has. */
static int active_reload(struct store *s, struct active *a, struct err *err)
{
    const int r = read_context(s, a->id, &a->arena, &a->facts, &a->fact_count, err);

    a->fact_capacity = a->fact_count;
    return r;
}

/* The attempt an event belongs to, also when this process did not see it begin. */
static int active_of(struct store *s, const struct event *e, struct active **ret, struct err *err)
{
    int64_t id = 0;
    int r;

    *ret = active_find(s->queue, e);
    if (*ret != NULL)
        return 0;
    r = find_attempt(s, e, &id, err);
    if (r > 0)
        return err_set(err, ERR_BUG, "case '%s': an event before its CASE_BEGIN", e->case_->key);
    if (r < 0)
        return r;
    *ret = active_add(s->queue, e, id);
    return active_reload(s, *ret, err);
}

/* ---- the queue ---- */

static const char *keep_text(struct queue *q, const char *text)
{
    q->bytes += text != NULL ? strlen(text) : 0;
    return text != NULL ? arena_strdup(&q->arena, text) : NULL;
}

static const void *keep_bytes(struct queue *q, const void *data, size_t size)
{
    if (data == NULL)
        return NULL;
    q->bytes += size;
    return arena_dup(&q->arena, data, size);
}

static void keep_payload(struct queue *q, struct event *e)
{
    switch (e->kind) {
    case EVENT_OUTPUT:
        e->output.data =
            e->output.size <= STORE_BLOB_MAX ? keep_bytes(q, e->output.data, e->output.size) : NULL;
        break;
    case EVENT_WINDOW:
        e->window.samples = keep_bytes(q, e->window.samples, e->window.samples_size);
        break;
    case EVENT_METRIC:
        e->metric.name = keep_text(q, e->metric.name);
        e->metric.budget = keep_text(q, e->metric.budget);
        break;
    case EVENT_PROFILE:
        e->profile.op = keep_text(q, e->profile.op);
        e->profile.kernel = keep_text(q, e->profile.kernel);
        break;
    case EVENT_FACT:
        e->fact.key = keep_text(q, e->fact.key);
        e->fact.value = keep_text(q, e->fact.value);
        break;
    default: /* holds everything itself */
        break;
    }
}

static void queue_add(struct queue *q, int64_t attempt, const struct event *e)
{
    struct queued *n = arena_alloc(&q->arena, sizeof(*n));

    n->attempt = attempt;
    n->event = *e;
    n->event.case_ = NULL; /* nobody promised that it lasts */
    n->event.run_id = NULL;
    keep_payload(q, &n->event);
    if (q->first == NULL)
        q->due = deadline_in_ms(QUEUE_WAIT_MS);
    *q->last = n;
    q->last = &n->next;
    q->bytes += sizeof(*n);
}

/* 1: its row was taken by another that differs. */
static int write_detail(struct store *s, const struct queued *n, struct err *err)
{
    const struct event *e = &n->event;

    switch (e->kind) {
    case EVENT_OUTPUT:
        return write_output(s, n->attempt, &e->output, err);
    case EVENT_WINDOW:
        return write_window(s, n->attempt, &e->window, err);
    case EVENT_ENERGY:
        return write_energy(s, n->attempt, &e->energy, err);
    case EVENT_METRIC:
        return write_metric(s, n->attempt, &e->metric, err);
    case EVENT_PROFILE:
        return write_profile(s, n->attempt, &e->profile, err);
    default: /* a fact is only queued when another took its place: see emit_fact() */
        return 1;
    }
}

static int write_queued(struct store *s, const struct queued *n, struct err *err)
{
    const int r = write_detail(s, n, err);

    return r > 0 ? write_conflict(s, n->attempt, &n->event, err) : r;
}

static int write_queue(struct store *s, struct err *err)
{
    int r = 0;

    for (const struct queued *n = s->queue->first; n != NULL && r == 0; n = n->next)
        r = write_queued(s, n, err);
    for (struct active *a = s->queue->active; a != NULL && r == 0; a = a->next) {
        if (a->facts_changed)
            r = write_context(s, a->id, a->facts, a->fact_count, err);
    }
    return r;
}

static void queue_written(struct queue *q)
{
    queue_clear(q);
    for (struct active *a = q->active; a != NULL; a = a->next)
        a->facts_changed = false;
}

static int write_end(struct store *s, int64_t attempt, const struct event *e, struct err *err)
{
    const int r = write_case_end(s, attempt, e, err);

    return r > 0 ? write_conflict(s, attempt, e, err) : r;
}

/* What is not queued. 1: the case that begins has begun before. */
static int write_event(struct store *s, const struct event *e, int64_t *attempt, struct err *err)
{
    switch (e->kind) {
    case EVENT_RUN_BEGIN:
        return write_run_begin(s, e, err);
    case EVENT_RUN_END:
        return write_run_end(s, e, err);
    case EVENT_CASE_BEGIN:
        return write_case_begin(s, e, attempt, err);
    case EVENT_CASE_END:
        return write_end(s, *attempt, e, err);
    case EVENT_RECOVERY:
        return write_recovery(s, *attempt, e, err);
    default:
        return err_set(err, ERR_BUG, "an event of kind %d has no place", (int)e->kind);
    }
}

/* One transaction: all that is queued, then e itself (may be NULL). 1: as of write_event(). */
static int commit(struct store *s, const struct event *e, int64_t *attempt, struct err *err)
{
    int r = db_begin(&s->db, err);
    int outcome = 0;

    if (r == 0)
        r = write_queue(s, err);
    if (r == 0 && e != NULL)
        r = outcome = write_event(s, e, attempt, err);
    if (r >= 0)
        r = db_commit(&s->db, err);
    conflicts_settle(s, r == 0);
    if (r < 0) {
        db_rollback(&s->db);
        return err_in(err, "results database");
    }
    queue_written(s->queue);
    return outcome;
}

/* ---- the sink ---- */

static int emit_case_begin(struct store *s, const struct event *e, struct err *err)
{
    struct active *a = active_find(s->queue, e);
    int64_t id = 0;
    const int r = commit(s, e, &id, err);

    if (r < 0 || a != NULL)
        return r < 0 ? r : 0;
    a = active_add(s->queue, e, id);
    if (r > 0 && active_reload(s, a, err) < 0)
        return (int)err->code;
    if (a->fact_count == 0)
        active_board_facts(a, e->case_->board);
    return 0;
}

static int emit_case_end(struct store *s, const struct event *e, struct err *err)
{
    struct active *a;
    int r = active_of(s, e, &a, err);

    if (r == 0)
        r = commit(s, e, &a->id, err);
    if (r == 0)
        active_remove(s->queue, a);
    return r;
}

static int emit_recovery(struct store *s, const struct event *e, struct err *err)
{
    const struct active *a = e->case_ != NULL ? active_find(s->queue, e) : NULL;
    int64_t id = a != NULL ? a->id : 0;

    return commit(s, e, &id, err);
}

static bool has_unit(const struct store *s, enum unit unit)
{
    return (size_t)unit < STORE_UNITS_MAX && s->units[unit] != 0;
}

/* A row that no table takes would block the queue for good. */
static bool can_be_stored(const struct store *s, const struct event *e)
{
    switch (e->kind) {
    case EVENT_FACT:
        return e->fact.key != NULL && e->fact.value != NULL;
    case EVENT_WINDOW:
        return has_unit(s, e->window.unit);
    case EVENT_ENERGY:
        return !isnan(e->energy.duration_s);
    case EVENT_METRIC:
        return e->metric.name != NULL && has_unit(s, e->metric.unit);
    case EVENT_PROFILE:
        return e->profile.op != NULL && has_unit(s, e->profile.unit);
    default:
        return e->kind == EVENT_OUTPUT;
    }
}

/* A fact that says something else than one before takes its place; the other is kept as a conflict. */
static void emit_fact(struct store *s, struct active *a, const struct event *e)
{
    const struct data_fact *before = fact_find(a, e->fact.key);
    struct event other = *e;

    if (before != NULL && before >= a->facts + a->planned &&
        strncmp(before->value, e->fact.value, DB_TEXT_MAX) != 0) {
        other.fact.value = before->value;
        queue_add(s->queue, a->id, &other);
    }
    active_fact(a, e->fact.key, e->fact.value);
}

static int emit_detail(struct store *s, const struct event *e, struct err *err)
{
    struct active *a;
    int r;

    if (!can_be_stored(s, e))
        return err_set(err, ERR_BUG, "case '%s': an event without kind, name, unit or time",
                       e->case_->key);
    r = active_of(s, e, &a, err);
    if (r < 0)
        return r;
    if (e->kind == EVENT_FACT)
        emit_fact(s, a, e);
    else
        queue_add(s->queue, a->id, e);
    if (s->queue->first == NULL ||
        (!deadline_passed(s->queue->due) && s->queue->bytes < QUEUE_BYTES_MAX))
        return EVENT_QUEUED;
    return commit(s, NULL, NULL, err);
}

static int store_emit(struct event_sink *self, const struct event *e, struct err *err)
{
    struct store *s = (struct store *)self;

    switch (e->kind) {
    case EVENT_RUN_BEGIN:
    case EVENT_RUN_END:
        return commit(s, e, NULL, err);
    case EVENT_CASE_BEGIN:
        return emit_case_begin(s, e, err);
    case EVENT_CASE_END:
        return emit_case_end(s, e, err);
    case EVENT_RECOVERY:
        return emit_recovery(s, e, err);
    default:
        return emit_detail(s, e, err);
    }
}

struct event_sink *store_sink(struct store *s)
{
    if (s->queue == NULL)
        s->queue = queue_new();
    s->sink.emit = store_emit;
    return &s->sink;
}

static bool is_idle(const struct queue *q)
{
    if (q == NULL)
        return true;
    for (const struct active *a = q->active; a != NULL; a = a->next) {
        if (a->facts_changed)
            return false;
    }
    return q->first == NULL;
}

int store_flush(struct store *s, struct err *err)
{
    return s->queue != NULL ? commit(s, NULL, NULL, err) : 0;
}

void store_close(struct store *s)
{
    struct err err = ERR_INIT;

    if (s == NULL)
        return;
    if (!is_idle(s->queue) && store_flush(s, &err) < 0)
        log_line(LOG_STORE, "%s", err.text);
    queue_free(s->queue);
    db_close(&s->db);
    free(s->path);
    free(s);
}
