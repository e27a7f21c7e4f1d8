/*
 * What the core's files share: the one object, and the way to answer.
 *   agent.c   bytes to messages, session, dispatch, everything small
 *   object.c  bulk transfer
 *   run.c     models, windows, profile
 */
#ifndef AGENTS_CORE_INTERNAL_H
#define AGENTS_CORE_INTERNAL_H

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/core/port.h"
#include "agents/engines/engine.h"
#include "agents/wire/wire.h"

_Static_assert(AGENT_MAX_PAYLOAD >= 36 && AGENT_MAX_PAYLOAD % 16 == 4,
               "payload: 4 + a multiple of 16");
_Static_assert((AGENT_RX_RING & (AGENT_RX_RING - 1)) == 0, "ring: a power of two");
_Static_assert(AGENT_RX_RING > (AGENT_CREDITS - 1) * WIRE_ENCODED_SIZE(AGENT_MAX_PAYLOAD),
               "ring too small for the credits");
_Static_assert(AGENT_RECORDS >= 1 && AGENT_RECORDS <= 255, "records");

#if AGENT_RX_RING <= 256
typedef uint8_t ring_index;
#else
typedef uint16_t ring_index;
#endif

struct profile_answer {
    struct wire_profile_info info;
    struct wire_profile_op ops[AGENT_PROFILE_OPS];
};

/* The last answer: built here, sent from here, and sent again when its request is repeated. */
struct answer {
    uint8_t type; /* 0: none */
    uint8_t size;
    uint8_t request;
    uint8_t seq;
    struct wire_part tail;
    union {
#define X(NAME, name, type, direction, tail) struct wire_##name name;
        WIRE_MESSAGES(X)
#undef X
        struct profile_answer profile_answer;
    } as;
};

/* The bulk write in progress or last done. */
struct incoming {
    struct wire_write what;
    uint8_t *base;  /* where it goes; NULL: a sink */
    uint32_t next;  /* everything below is stored */
    uint32_t crc32; /* of a sink's bytes */
    bool open;
};

/* Small members first: the short load and store instructions reach only the beginning. */
struct agent {
    bool armed; /* run waits for GO */
    bool trial; /* of a new baud rate */
    bool awake; /* since a TIME: counters may stand still while the core sleeps */
    uint8_t timebase;
    volatile ring_index head; /* written by agent_rx() only */
    volatile ring_index tail; /* written by agent_poll() only */
    uint16_t nonce;
    uint16_t junk; /* bytes since the last good frame */
    uint32_t baud;
    uint32_t tick_hz;
    uint32_t tick_overhead;
    uint32_t frames_in, frames_bad, bytes_lost;
    const struct engine *engine; /* NULL: no model is loaded */
    struct engine_model model;
    struct wire_rx rx;
    struct incoming incoming;
    struct wire_run run; /* the armed one */
    uint64_t trial_start;
    struct answer answer;
    struct wire_record_info records[AGENT_RECORDS];
    WIRE_FRAME_BUFFER(AGENT_MAX_PAYLOAD) frame;
    uint8_t ring[AGENT_RX_RING];
};

extern AGENT_STORAGE struct agent agent;

/*
 * A handler gets the fields of its request (their size already checked), fills agent.answer.as
 * and ends with agent_reply() or agent_fail().
 */
typedef void handler_fn(const void *request);

void agent_reply(uint8_t type, uint8_t size);
void agent_fail(uint8_t code, uint32_t detail);

/* Send a message of its own beside the answer. */
void agent_send(uint8_t type, uint8_t seq, const void *fields, uint8_t size);

/* Tell the host to wait; returns once the bytes have left the chip. */
void agent_busy(uint32_t expect_ms);

/* object.c */
handler_fn object_on_write, object_on_digest, object_on_read;
void object_on_data(const void *message, uint16_t size, uint8_t seq);

/* run.c */
handler_fn run_on_load, run_on_tensor, run_on_run, run_on_go, run_on_record, run_on_profile;
void run_start(void);             /* self-test of the timebase, its overhead, no records */
uint32_t run_arena_touched(void); /* bytes up to the highest one written since LOAD */

#endif
