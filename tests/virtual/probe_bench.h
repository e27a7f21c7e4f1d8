/*
 * What the tests of the emulated probe share: a board with a probe and our test firmware for it,
 * and stock OpenOCD, run as a person would run it.
 */
#ifndef TESTS_VIRTUAL_PROBE_BENCH_H
#define TESTS_VIRTUAL_PROBE_BENCH_H

#include "harness/base/buf.h"
#include "harness/base/proc.h"
#include "tests/virtual/bench.h"

struct probe_board {
    const char *name; /* "m0", "m4" */
    const char *machine;
    const char *const *options; /* of QEMU */
    unsigned flash_size;
    const char *bank;    /* OpenOCD's name for it */
    unsigned marker_set; /* addresses whose stores are edges; 0: no marker */
    unsigned marker_clear;
};

extern const struct probe_board probe_m0; /* nRF51 */
extern const struct probe_board probe_m4; /* SAM E54 */

/*
 * Power on with version 1 of the test firmware in the flash; its greeting has been read. Skips what
 * is not built or installed.
 */
void probe_start(struct bench *b, const struct probe_board *board);
/* Same, with other adapters than an ST-Link; OpenOCD is told of the first. */
void probe_start_with(struct bench *b, const struct probe_board *board, const char *adapters);

/* Path of version 1 or 2 of the firmware. */
void probe_firmware(const struct probe_board *board, int version, char *path, size_t size);

struct openocd {
    struct proc proc;
    struct buf log;
};

void openocd_open(struct bench *b, struct openocd *o, const char *script);
/* Wait until it has said so (it has to, within 30 s). Returns where in the log. */
const char *openocd_expect(struct openocd *o, const char *wanted);
void openocd_close(struct openocd *o); /* kill it */

/* Run a script to its end; the log replaces *log (may be NULL). Returns the exit status. */
int openocd_run(struct bench *b, const char *script, struct buf *log);

/* It has to succeed. */
void openocd_must(struct bench *b, const char *script, struct buf *log);

#endif
