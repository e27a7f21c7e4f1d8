/*
 * Events from a worker process to its parent, over a pipe.
 *
 * Both ends are the same program after a fork, so an event travels as its struct image followed by
 * the strings it points to. Cases travel as an index into the plan. The reader trusts nothing: it
 * checks sizes, kinds and indices and rebuilds every pointer.
 */
#ifndef HARNESS_LAB_EVENT_PIPE_H
#define HARNESS_LAB_EVENT_PIPE_H

#include "harness/base/buf.h"
#include "harness/spec/event.h"

enum {
    EVENT_PIPE_MAX = 5 * 1024 * 1024, /* one event, strings and tensors included */
    EVENT_OUTPUT_MAX =
        4 * 1024 * 1024 /* of larger outputs only the sizes travel, as in the store */
};

/* Append the image of e to out. RUN events do not travel: the parent makes them. */
void event_pipe_encode(const struct event *e, const struct plan *plan, struct buf *out);

/*
 * Take one event from the front of in. Returns 0 with *ret filled (its pointers are into `in`,
 * valid until bytes are consumed) and *ret_size consumed bytes; 1 when more bytes are needed;
 * ERR_PROTOCOL on garbage.
 */
int event_pipe_decode(const struct buf *in, const struct plan *plan, struct event *ret,
                      size_t *ret_size, struct err *err);

#endif
