/*
 * Events as JSON, a line each, by a table of their fields: for those who keep or compare events and
 * have nothing to do with what they mean. The table is held against the structs by a test, so that a
 * new field is a new row here, and the tests that go over the table miss it nowhere on its way.
 */
#ifndef HARNESS_SPEC_EVENT_TEXT_H
#define HARNESS_SPEC_EVENT_TEXT_H

#include "harness/base/buf.h"
#include "harness/spec/event.h"

enum event_field_type {
    FIELD_U32,
    FIELD_U64,
    FIELD_BOOL,
    FIELD_REAL,
    FIELD_TEXT, /* or NULL */
    FIELD_LOG,  /* the same, long: said as bytes are */
    FIELD_BYTES, /* a pointer, which may be NULL, and behind it a size_t: size and SHA-256 are said */
    FIELD_UNIT,
    FIELD_CLASS,
    FIELD_STATUS,
    FIELD_CODE,
};

struct event_field {
    enum event_kind kind;
    enum event_field_type type;
    const char *name;
    size_t offset; /* in struct event */
};
extern const struct event_field event_fields[];
extern const size_t event_field_count;

size_t event_field_size(enum event_field_type type);

/* "window", "case-end" ...; "?" when there is no such kind. */
const char *event_kind_name(enum event_kind kind);

/*
 * {"kind": ..., "at_ns": ..., "case": ..., "attempt": ..., and its own fields}, without the line's end.
 * Numbers come back from it as they were; those that are none are NaN and Infinity, as Python has
 * them. RUN events have no fields of their own here.
 */
void event_put_json(const struct event *e, struct buf *out);

#endif
