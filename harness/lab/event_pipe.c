#include "harness/lab/event_pipe.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
    STRINGS_MAX = 5
};
static const uint32_t no_string = UINT32_MAX;

/* Where the strings of each kind sit; the rest of the struct is plain data. */
static const struct layout {
    enum event_kind kind;
    size_t strings[STRINGS_MAX]; /* offsets; 0 ends (no string is at offset 0) */
} layouts[] = {
    {EVENT_CASE_BEGIN, {0}},
    {EVENT_FACT, {offsetof(struct event, fact.key), offsetof(struct event, fact.value)}},
    {EVENT_OUTPUT, {0}},
    {EVENT_WINDOW, {0}},
    {EVENT_ENERGY, {0}},
    {EVENT_METRIC, {offsetof(struct event, metric.name), offsetof(struct event, metric.budget)}},
    {EVENT_PROFILE, {offsetof(struct event, profile.op), offsetof(struct event, profile.kernel)}},
    {EVENT_RECOVERY,
     {offsetof(struct event, recovery.rung), offsetof(struct event, recovery.reason)}},
    {EVENT_CASE_END,
     {offsetof(struct event, end.failure_class), offsetof(struct event, end.stage),
      offsetof(struct event, end.text), offsetof(struct event, end.log),
      offsetof(struct event, end.hint)}},
};

struct header {
    uint32_t size; /* of everything after this header */
    uint32_t case_index;
};

static const struct layout *layout_find(enum event_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
        if (layouts[i].kind == kind)
            return &layouts[i];
    }
    return NULL;
}

static void append_bytes(struct buf *out, const void *data, size_t n)
{
    const uint32_t size = data != NULL ? (uint32_t)n : no_string;

    buf_append(out, &size, sizeof(size));
    if (data != NULL)
        buf_append(out, data, n);
}

void event_pipe_encode(const struct event *e, const struct plan *plan, struct buf *out)
{
    const struct layout *layout = layout_find(e->kind);
    struct header h = {.case_index = (uint32_t)(e->case_ - plan->cases)};
    const size_t start = out->len;

    if (layout == NULL)
        return;
    buf_append(out, &h, sizeof(h));
    buf_append(out, e, sizeof(*e));
    for (size_t i = 0; i < STRINGS_MAX && layout->strings[i] != 0; i++) {
        const char *s;

        memcpy(&s, (const char *)e + layout->strings[i], sizeof(s));
        append_bytes(out, s, s != NULL ? strlen(s) + 1 : 0);
    }
    if (e->kind == EVENT_OUTPUT)
        append_bytes(out, e->output.size <= EVENT_OUTPUT_MAX ? e->output.data : NULL,
                     e->output.size);
    if (e->kind == EVENT_WINDOW)
        append_bytes(out, e->window.samples, e->window.samples_size);
    h.size = (uint32_t)(out->len - start - sizeof(h));
    memcpy(out->data + start, &h, sizeof(h));
}

struct reader {
    const char *next;
    size_t left;
};

/* A counted byte string, or NULL with *ret_size 0. False when it does not fit. */
static bool take_bytes(struct reader *r, const void **ret, size_t *ret_size)
{
    uint32_t size;

    if (r->left < sizeof(size))
        return false;
    memcpy(&size, r->next, sizeof(size));
    r->next += sizeof(size);
    r->left -= sizeof(size);
    *ret = NULL;
    *ret_size = 0;
    if (size == no_string)
        return true;
    if (size > r->left)
        return false;
    *ret = r->next;
    *ret_size = size;
    r->next += size;
    r->left -= size;
    return true;
}

static bool take_output(struct reader *r, struct event_output *o)
{
    size_t size;

    if (!take_bytes(r, &o->data, &size))
        return false;
    if (o->data != NULL)
        o->size = size;
    return true;
}

static bool take_strings(struct reader *r, const struct layout *layout, struct event *e)
{
    for (size_t i = 0; i < STRINGS_MAX && layout->strings[i] != 0; i++) {
        const void *s;
        size_t n;

        if (!take_bytes(r, &s, &n))
            return false;
        if (s != NULL && (n == 0 || ((const char *)s)[n - 1] != '\0'))
            return false;
        memcpy((char *)e + layout->strings[i], &s, sizeof(s));
    }
    if (e->kind == EVENT_OUTPUT)
        return take_output(r, &e->output);
    if (e->kind == EVENT_WINDOW)
        return take_bytes(r, &e->window.samples, &e->window.samples_size);
    return true;
}

/* What those behind it count on: words that exist, and names that are there. */
static bool makes_sense(const struct event *e)
{
    switch (e->kind) {
    case EVENT_FACT:
        return e->fact.key != NULL && e->fact.value != NULL;
    case EVENT_WINDOW:
        return unit_name(e->window.unit)[0] != '?';
    case EVENT_ENERGY:
        return !isnan(e->energy.duration_s);
    case EVENT_METRIC:
        return e->metric.name != NULL && unit_name(e->metric.unit)[0] != '?' &&
               metric_class_name(e->metric.class_)[0] != '?';
    case EVENT_PROFILE:
        return e->profile.op != NULL && unit_name(e->profile.unit)[0] != '?';
    case EVENT_RECOVERY:
        return e->recovery.rung != NULL;
    case EVENT_CASE_END:
        return case_status_name(e->end.status)[0] != '?';
    default:
        return true;
    }
}

int event_pipe_decode(const struct buf *in, const struct plan *plan, struct event *ret,
                      size_t *ret_size, struct err *err)
{
    const struct layout *layout;
    struct reader r;
    struct header h;

    if (in->len < sizeof(h))
        return 1;
    memcpy(&h, in->data, sizeof(h));
    if (h.size > EVENT_PIPE_MAX || h.size < sizeof(*ret) || h.case_index >= plan->case_count)
        return err_set(err, ERR_PROTOCOL, "a worker sent a damaged event");
    if (in->len - sizeof(h) < h.size)
        return 1;
    r = (struct reader){.next = in->data + sizeof(h), .left = h.size};
    memcpy(ret, r.next, sizeof(*ret));
    r.next += sizeof(*ret);
    r.left -= sizeof(*ret);
    layout = layout_find(ret->kind);
    if (layout == NULL || !take_strings(&r, layout, ret) || r.left != 0 || !makes_sense(ret))
        return err_set(err, ERR_PROTOCOL, "a worker sent a damaged event");
    ret->case_ = &plan->cases[h.case_index];
    ret->run_id = NULL; /* the parent knows it */
    *ret_size = sizeof(h) + h.size;
    return 0;
}
