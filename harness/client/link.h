/*
 * Inside the client: frames over the transport and one request at a time. client.c, object.c and
 * run.c build the public calls from it.
 */
#ifndef HARNESS_CLIENT_LINK_H
#define HARNESS_CLIENT_LINK_H

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/client/client.h"

/* Largest message a target may send: READ_DATA with its offset. */
#define CLIENT_MAX_MESSAGE (WIRE_READ_MAX + 64)

/* A good frame of this session, checked for its length. */
struct client_frame {
    uint8_t type;
    uint8_t seq;
    uint8_t credit;
    const void *message; /* fields, then tail; valid until the next receive */
    const uint8_t *tail;
    size_t tail_size;
};

struct client {
    struct client_options options;
    unsigned baud;
    uint16_t nonce; /* of the session, from its first OPEN on */
    bool opened;    /* the target has answered it */
    uint8_t seq;    /* of the last request */
    uint8_t data_seq;
    uint32_t next_record;
    struct wire_hello hello;
    struct client_counts counts;
    struct buf console;

    WIRE_FRAME_BUFFER(CLIENT_MAX_MESSAGE) frame;
    struct wire_rx rx;
    /* The bytes since the last delimiter as they came: console text if they are no frame. */
    struct buf raw;
    uint8_t in[4096];
    size_t in_used, in_at;
    struct deadline ask; /* whether the board lives, when nothing came until then */
};

enum client_receive {
    CLIENT_FRAME = 1,   /* *ret is a frame of this session */
    CLIENT_GARBAGE = 2, /* something ended that was no frame: an answer may be lost */
};

int client_send_frame(struct client *c, uint8_t type, uint8_t seq, const void *fields,
                      size_t fields_size, const struct wire_part *tail, struct err *err) MUST_CHECK;

/*
 * The next thing from the target: CLIENT_FRAME, CLIENT_GARBAGE, or 0 when the time is over.
 * Frames of other sessions are dropped here; once the session is open, a HELLO that says the
 * board was reset or that another host opened it is ERR_LAB. Before, a HELLO with nonce 0 is
 * handed out: the board is there, but has no session yet.
 */
int client_receive(struct client *c, struct deadline until, struct client_frame *ret,
                   struct err *err) MUST_CHECK;

/* One request. Frames beside its answer go to `other` (RECORD_INFO), which may be NULL. */
struct client_request {
    uint8_t type;
    uint8_t answer;
    const void *fields; /* of the size that `type` has */
    unsigned busy_ms;   /* allowance from each BUSY on; 0: answer_ms */
    unsigned answer_ms; /* 0: the client's */
    unsigned limit_ms;  /* whatever the agent says; 0: ten minutes */
    bool quiet;         /* say nothing while the agent is busy: it measures */
    /* Sends what may follow the request at once, without waiting for its answer. */
    int (*follow)(void *context, struct err *err);
    /* Returns true when the answer must be on its way now. */
    bool (*other)(void *context, const struct client_frame *frame);
    void *context;
};

/*
 * Send it, repeat it while nothing answers, and wait. The answer's frame is valid until the next
 * receive. A refusal by the agent is ERR_AGENT with the agent's reason.
 */
int client_request(struct client *c, const struct client_request *request, struct client_frame *ret,
                   struct err *err) MUST_CHECK;

/* The short form: fields in, the answer's fields out. */
int client_ask(struct client *c, uint8_t type, const void *fields, uint8_t answer, void *ret_fields,
               struct err *err) MUST_CHECK;

/* "OPEN" and so on, "?" for a type that is not in the list. */
const char *client_type_name(uint8_t type);

#endif
