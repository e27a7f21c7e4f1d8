/* Keeps the state of boards while a run's events pass: counted in memory, written now and then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/lab/health.h"

enum {
    BOARDS_MAX = 1024,
    WRITE_NS = 2000000000
};

/* What happened to a board since its file was written. Changes of state are written at once. */
struct news {
    const struct board *board;
    uint64_t written_ns; /* monotonic */
    uint32_t good, faults, recoveries;
    uint32_t faults_in_row; /* the last ones */
    uint64_t last_ns;
    char last_status[16];
    char last_key[192];
    char quarantine[256]; /* reason; "": none */
    bool suspect;         /* what the file said when it was written last */
};

struct health_sink {
    struct event_sink base;
    char folder[HEALTH_PATH];
    bool (*keeps)(const struct board *b);
    struct news *list;
    size_t count;
    struct err failure; /* the first; said at the end */
};

bool health_kept(const struct board *b)
{
    return b->realm != REALM_VIRTUAL || b->where.file == NULL || b->path == NULL ||
           strcmp(b->where.file, b->path) != 0;
}

static void apply(void *context, struct health *h)
{
    struct news *n = context;

    for (uint32_t i = 0; i < n->good; i++)
        health_attempt(h, false, n->last_ns);
    for (uint32_t i = 0; i < n->faults; i++)
        health_attempt(h, true, n->last_ns);
    h->recoveries += n->recoveries;
    if (n->faults > 0 && n->faults_in_row == 0)
        h->in_row = 0;
    if (n->last_status[0] != '\0') {
        h->last_ns = n->last_ns;
        (void)snprintf(h->last_status, sizeof(h->last_status), "%s", n->last_status);
        (void)snprintf(h->last_key, sizeof(h->last_key), "%s", n->last_key);
    }
    if (n->quarantine[0] != '\0' && h->state != BOARD_MAINTENANCE)
        health_set(h, BOARD_QUARANTINED, "tinyrig", n->quarantine, n->last_ns);
    n->suspect = h->state == BOARD_SUSPECT;
}

static void write_news(struct health_sink *s, struct news *n)
{
    struct err err = ERR_INIT;
    const bool suspect = n->suspect;

    if (n->good + n->faults + n->recoveries == 0 && n->quarantine[0] == '\0')
        return;
    if (health_update(s->folder, n->board->name, apply, n, &err) < 0) {
        log_line(LOG_LAB, "%s", err.text);
        if (s->failure.code == ERR_OK)
            s->failure = err;
        n->suspect = suspect;
    }
    n->good = n->faults = n->recoveries = n->faults_in_row = 0;
    n->quarantine[0] = '\0';
    n->written_ns = clock_monotonic_ns();
}

static struct news *news_of(struct health_sink *s, const struct board *b)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i].board == b)
            return &s->list[i];
    }
    if (s->count == BOARDS_MAX)
        return NULL;
    s->list[s->count] = (struct news){.board = b};
    return &s->list[s->count++];
}

static bool is_lab_fault(const struct event_case_end *end)
{
    return end->status == CASE_ERROR && err_is_lab_fault(end->code);
}

static void case_ended(struct health_sink *s, struct news *n, const struct event *e)
{
    const bool fault = is_lab_fault(&e->end);

    if (e->end.status == CASE_SKIPPED || e->end.status == CASE_CANCELLED ||
        (e->end.stage != NULL && strcmp(e->end.stage, "admission") == 0))
        return;
    if (fault != (n->faults > 0) && n->good + n->faults > 0)
        write_news(s, n); /* keeps the order of good and bad */
    n->good += !fault;
    n->faults += fault;
    n->faults_in_row = fault ? n->faults_in_row + 1 : 0;
    n->last_ns = e->at_ns;
    (void)snprintf(n->last_status, sizeof(n->last_status), "%s", case_status_name(e->end.status));
    (void)snprintf(n->last_key, sizeof(n->last_key), "%s", e->case_->key);
    if (fault != n->suspect || clock_monotonic_ns() - n->written_ns > WRITE_NS)
        write_news(s, n);
}

static int health_emit(struct event_sink *self, const struct event *e, struct err *err)
{
    struct health_sink *s = (struct health_sink *)self;
    struct news *n;

    if (e->case_ == NULL || (e->kind != EVENT_CASE_END && e->kind != EVENT_RECOVERY) ||
        (s->keeps != NULL && !s->keeps(e->case_->board)) ||
        (n = news_of(s, e->case_->board)) == NULL)
        return 0;
    if (e->kind == EVENT_CASE_END) {
        case_ended(s, n, e);
        return 0;
    }
    n->last_ns = e->at_ns;
    n->recoveries += e->recovery.worked;
    if (e->recovery.rung != NULL && strcmp(e->recovery.rung, "quarantine") == 0) {
        (void)snprintf(n->quarantine, sizeof(n->quarantine), "%s",
                       e->recovery.reason != NULL ? e->recovery.reason : "");
        write_news(s, n);
    }
    return 0;
}

struct health_sink *health_sink_new(const char *folder, bool (*keeps)(const struct board *b))
{
    struct health_sink *s = calloc(1, sizeof(*s));

    if (s == NULL || (s->list = calloc(BOARDS_MAX, sizeof(*s->list))) == NULL)
        abort();
    s->base.emit = health_emit;
    s->keeps = keeps;
    (void)snprintf(s->folder, sizeof(s->folder), "%s", folder);
    return s;
}

struct event_sink *health_sink_base(struct health_sink *s)
{
    return &s->base;
}

int health_sink_close(struct health_sink *s, struct err *err)
{
    int r = 0;

    if (s == NULL)
        return 0;
    for (size_t i = 0; i < s->count; i++)
        write_news(s, &s->list[i]);
    if (s->failure.code != ERR_OK) {
        *err = s->failure;
        r = (int)err->code;
    }
    free(s->list);
    free(s);
    return r;
}
