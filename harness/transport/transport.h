/*
 * A byte transport to a board: serial port, pty, TCP socket, SWD mailbox, or an agent in process.
 *
 * A back-end fills one const struct transport_ops and is named in registry.c; nothing else in the
 * harness knows it exists. Bytes are all it knows: frames are harness/client's. Its errors are
 * ERR_CONFIG (no such thing, ambiguous), ERR_BUSY (someone else has it), ERR_IO (hung up, gone)
 * and ERR_TIMEOUT (took no byte for TRANSPORT_STALL_MS).
 */
#ifndef HARNESS_TRANSPORT_TRANSPORT_H
#define HARNESS_TRANSPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"

/* How long send() waits for room before it gives up. */
#define TRANSPORT_STALL_MS 5000

/* As written in the board file; see struct board_transport. NULL and 0 mean "not given". */
struct transport_config {
    const char *where;      /* "/dev/serial/by-id/...", "localhost:5555", a pty, ... */
    const char *usb_serial; /* serial: the port of the USB device with this serial number */
    const char *usb_id;     /* serial: "VID:PID", four hex digits each */
    const char *dtr;        /* serial: "assert" (default), "deassert" or "leave" */
    unsigned baud;          /* 0: 115200 */
    void *context;          /* for back-ends that stand on something opened before (swd) */
};

struct transport;

struct transport_ops {
    const char *name; /* the word used in a board file's `transport:` */
    const char *help; /* one line for `list transports` */
    size_t size;      /* of the back-end's struct, which begins with struct transport */
    int (*open)(struct transport *t, const struct transport_config *config, struct err *err);
    /* All n bytes or an error; must not wait longer than TRANSPORT_STALL_MS without progress. */
    int (*send)(struct transport *t, const void *data, size_t n, struct err *err);
    /* Waits up to timeout_ms for at least one byte; *ret_n == 0 means none came. */
    int (*recv)(struct transport *t, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
                struct err *err);
    /* After the bytes sent so far have left. NULL where the far end's rate cannot be set. */
    int (*set_baud)(struct transport *t, unsigned baud, struct err *err);
    /* Readable when recv() has something to say, hang-up included; -1 when there is none. */
    int (*fd)(struct transport *t);
    void (*close)(struct transport *t); /* must cope with a half-opened transport */
};

struct transport {
    const struct transport_ops *ops;
};

/* NULL when there is no such back-end. */
const struct transport_ops *transport_find(const char *name);

/* NULL-terminated, in the order `list transports` shows them. */
extern const struct transport_ops *const transport_backends[];

int transport_open(const char *name, const struct transport_config *config,
                   struct transport **ret_transport, struct err *err) MUST_CHECK;
int transport_send(struct transport *t, const void *data, size_t n, struct err *err) MUST_CHECK;
int transport_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
                   struct err *err) MUST_CHECK;

/* ERR_UNSUPPORTED where the rate cannot be set from here; ask first with transport_has_baud(). */
int transport_set_baud(struct transport *t, unsigned baud, struct err *err) MUST_CHECK;
bool transport_has_baud(const struct transport *t);
int transport_fd(struct transport *t);
void transport_close(struct transport *t); /* NULL is fine */
DEFINE_AUTO(struct transport, transport_close)

#endif
