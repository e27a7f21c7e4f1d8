/*
 * The harness's side of the agent protocol (agents/wire/SPEC.md): one session with one agent over
 * one transport. harness/lab opens it, harness/measure drives it.
 *
 * Calls block until done, within stated deadlines, and retry what the protocol allows to be
 * repeated, so a lost or corrupted frame costs time only. What cannot be mended comes back as
 *   ERR_TIMEOUT   no answer in time           ERR_AGENT    the agent refused or the engine failed
 *   ERR_LAB       the board was reset in mid-session, or someone else took it over
 *   ERR_IO        the port hung up            ERR_PROTOCOL answers that make no sense
 * with the request, the time spent and the next thing to try in the text. After an error other
 * than ERR_AGENT the session is of no more use: close it.
 */
#ifndef HARNESS_CLIENT_CLIENT_H
#define HARNESS_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/wire/wire.h"
#include "harness/base/err.h"
#include "harness/transport/transport.h"

struct client;

struct client_options {
    struct transport *transport; /* borrowed; must outlive the client */
    unsigned baud;               /* the transport's rate now; 0: 115200 */
    unsigned max_baud;           /* switch to this after HELLO, if both sides can; 0: stay */
    unsigned hello_ms;           /* how long to ask for a HELLO; 0: 5000 */
    unsigned answer_ms;          /* one try of a short request; 0: 500 */
    uint16_t nonce;              /* 0: random. Fixed ones are for replayed records */
    /*
     * Asked while an answer is late: is there still somebody who could give it? A failure ends the
     * wait. NULL: nobody knows, so it waits as long as it takes.
     */
    int (*alive)(void *context, struct err *err);
    void *context;
};

int client_open(const struct client_options *options, struct client **ret,
                struct err *err) MUST_CHECK;
void client_close(struct client *c); /* NULL is fine; sends nothing */
DEFINE_AUTO(struct client, client_close)

/* ---- what the target said about itself ---- */
const struct wire_hello *client_hello(const struct client *c);
unsigned client_baud(const struct client *c); /* the rate in use */

/*
 * Everything the board sent that was no frame: printf, fault dumps, noise. The last 64 KiB, not
 * NUL-free and not printable: escape it before showing. Valid until the next call.
 */
const char *client_console(struct client *c, size_t *ret_n);

/* What it took: for reports on the health of the lab. */
struct client_counts {
    uint64_t frames_sent, frames_received, retries, rewinds;
    uint64_t garbage; /* stretches between delimiters that were no frame */
    uint64_t stale;   /* good frames of another session or an earlier request */
    uint64_t wait_ns; /* for the board and the line; the rest of a session is the host's own */
};
struct client_counts client_counts(const struct client *c);

struct client_engine {
    char name[32];
    uint32_t version;
    uint32_t caps;
};
int client_engine(struct client *c, unsigned index, struct client_engine *ret,
                  struct err *err) MUST_CHECK;

/* 1 when the agent has no engine of that name. */
int client_find_engine(struct client *c, const char *name, unsigned *ret_index,
                       struct err *err) MUST_CHECK;

/* One reading of the target's clock between two of ours (monotonic). */
struct client_time {
    uint64_t ticks;
    uint64_t before_ns, after_ns;
};
int client_time(struct client *c, struct client_time *ret, struct err *err) MUST_CHECK;

int client_stats(struct client *c, bool clear, struct wire_stats_info *ret,
                 struct err *err) MUST_CHECK;

/* Restart the firmware, then open the session again (same transport, new nonce). */
int client_reset(struct client *c, struct err *err) MUST_CHECK;

/* ---- objects: WIRE_OBJECT_* ---- */
typedef void client_progress_fn(void *context, size_t done, size_t total);

struct client_write {
    uint8_t object, index;
    const void *data;
    size_t size;
    client_progress_fn *progress; /* may be NULL */
    void *context;
    bool verify;            /* compare the digest read back from where the bytes lie */
    bool resume;            /* go on where an interrupted write of the same bytes stopped */
    unsigned stop_and_wait; /* 1: one frame in flight, for comparisons */
    unsigned limit_ms;      /* without a byte stored, however busy the agent is; 0: ten minutes */
};

/* Returns once all bytes are stored. */
int client_write(struct client *c, const struct client_write *write, struct err *err) MUST_CHECK;

int client_digest(struct client *c, uint8_t object, uint8_t index, size_t size, uint32_t *ret_crc32,
                  struct err *err) MUST_CHECK;

int client_read(struct client *c, uint8_t object, uint8_t index, size_t offset, void *ret_data,
                size_t size, struct err *err) MUST_CHECK;

/*
 * Put a model image into the slot and check it there. Returns 1 when it was there already (flash
 * slots survive a reset), 0 when it was sent.
 */
int client_upload_model(struct client *c, const void *image, size_t size,
                        client_progress_fn *progress, void *context, struct err *err) MUST_CHECK;

/* ---- models ---- */
int client_load(struct client *c, unsigned engine, size_t image_size, uint32_t options,
                struct wire_loaded *ret, struct err *err) MUST_CHECK;
int client_tensor(struct client *c, bool output, unsigned index, struct wire_tensor_info *ret,
                  struct err *err) MUST_CHECK;
int client_write_input(struct client *c, unsigned index, const void *data, size_t size,
                       struct err *err) MUST_CHECK;
int client_read_output(struct client *c, unsigned index, void *ret_data, size_t size,
                       struct err *err) MUST_CHECK;

/* ---- windows ---- */
struct client_run {
    uint32_t inferences; /* per window */
    uint32_t windows;    /* any number; the client splits them to what the agent keeps */
    uint16_t flags;      /* WIRE_RUN_* except ARMED */
    uint32_t gap_ticks;
    unsigned window_ms; /* allowance for one window with its gaps */
};

/*
 * Measure; records[0..windows) in order. ERR_AGENT when an inference failed. Missing records are
 * asked for again.
 */
int client_run(struct client *c, const struct client_run *run, struct wire_record_info *records,
               struct err *err) MUST_CHECK;

/*
 * The same in two steps, so that a meter can be started in between: after client_arm() returned,
 * the target waits in silence for client_go(). windows must not exceed HELLO's `records`.
 */
int client_arm(struct client *c, const struct client_run *run, struct err *err) MUST_CHECK;
int client_go(struct client *c, const struct client_run *run, struct wire_record_info *records,
              struct err *err) MUST_CHECK;

/* Ticks of every operator, by as many extra passes as the agent needs. rows[0..ops). */
int client_profile(struct client *c, unsigned ops, unsigned pass_ms, struct wire_profile_op *rows,
                   struct err *err) MUST_CHECK;

#endif
