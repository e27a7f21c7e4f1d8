/*
 * One virtual board from the harness's side: starts tinyrig-vboard and speaks its control protocol
 * (targets/virtual/README.md). The board lives as long as this object.
 *
 * Called by harness/lab and by the `qemu` flash back-end. Every call is bounded in time. What the
 * supervisor reports unasked ("! ...": the core locked up, the emulator died) is collected as news
 * for the log of the case.
 */
#ifndef HARNESS_VIRTUAL_VBOARD_H
#define HARNESS_VIRTUAL_VBOARD_H

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/spec/board.h"

struct vboard;

struct vboard_options {
    const struct board *board;
    const char *program;  /* path of tinyrig-vboard */
    const char *firmware; /* ELF; NULL: what the board's flash holds */
    const char *run_dir;  /* for the pty's link; must exist */
    const char *edges;    /* unix socket to serve the edge stream on; NULL: none */
    const char *probe;    /* adapters of the emulated probe; NULL: stlink if the board has one */
    uint64_t seed;        /* of random faults; 0: 1 */
};

/* Start with the power on. ERR_LAB with the supervisor's last words when it does not come up. */
int vboard_open(const struct vboard_options *options, struct vboard **ret,
                struct err *err) MUST_CHECK;
void vboard_close(struct vboard *v); /* NULL is fine */
DEFINE_AUTO(struct vboard, vboard_close)

const char *vboard_port(const struct vboard *v); /* path of the serial port, stable */

/* Send one command line; the reply after "ok" replaces *ret (may be NULL). ERR_LAB on "error". */
int vboard_command(struct vboard *v, struct buf *ret, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5) MUST_CHECK;

/*
 * TCP port on 127.0.0.1 of one of the emulated probe's adapters, such as "stlink". The adapter's
 * serial number is the board's name.
 */
int vboard_probe_port(struct vboard *v, const char *adapter, unsigned *ret_port,
                      struct err *err) MUST_CHECK;

int vboard_reset(struct vboard *v, struct err *err) MUST_CHECK;
int vboard_power_cycle(struct vboard *v, struct err *err) MUST_CHECK;

/* Put a file into the part's flash: seen after the power cycle that this does. */
int vboard_flash(struct vboard *v, const char *path, uint64_t address, struct err *err) MUST_CHECK;

/* ERR_LAB when the emulator or its supervisor is dead: no answer will come. Costs next to nothing. */
int vboard_alive(struct vboard *v, struct err *err) MUST_CHECK;

/* News since the last call, one line each, appended to out. */
void vboard_news(struct vboard *v, struct buf *out);

#endif
