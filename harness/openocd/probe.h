/*
 * A debug adapter with a chip behind it, as a board file describes them: OpenOCD started with
 * the board's scripts, connected, and asked in words that do not depend on the chip.
 *
 * Called by harness/flash, the swd transport and `tinyrig probe|doctor`. probe_start() and
 * probe_connect() are two calls so that a doctor can tell a missing adapter from a dead chip.
 * Failures carry the next thing to try, found by what OpenOCD said (probe_explain()).
 */
#ifndef HARNESS_OPENOCD_PROBE_H
#define HARNESS_OPENOCD_PROBE_H

#include "harness/openocd/openocd.h"
#include "harness/spec/board.h"

struct probe_options {
    const struct board *board;
    const char *program; /* NULL: "openocd" from PATH */
    const char *address; /* host:port of the adapter; NULL: the board file's, if any */
    bool under_reset;    /* connect while the reset line is low, whatever the board file says */
};

/*
 * Start OpenOCD with the adapter and chip configured, or join the one that the board file names
 * (`connect`); nothing has been touched yet.
 */
int probe_start(const struct probe_options *options, struct openocd **ret,
                struct err *err) MUST_CHECK;

/* `init`: open the adapter, find the chip, examine its core; then raise the speed. */
int probe_connect(struct openocd *o, const struct board *board, struct err *err) MUST_CHECK;

/* Did it find the core, too? ERR_LAB when only the debug port answers, as of a locked chip. */
int probe_check_core(struct openocd *o, const struct board *board, struct err *err) MUST_CHECK;

/* All three, which is what everyone but a doctor wants. */
int probe_open(const struct probe_options *options, struct openocd **ret,
               struct err *err) MUST_CHECK;

/* Reset and stop before the first instruction, with the chip script's own clock set-up. */
int probe_reset_halt(struct openocd *o, struct err *err) MUST_CHECK;
int probe_reset_run(struct openocd *o, struct err *err) MUST_CHECK;

/* What was found, from OpenOCD's log; 0 and "" when it does not say. */
struct probe_facts {
    bool connected; /* the adapter was opened */
    uint32_t dpidr;
    char core[64];    /* "Cortex-M4 r0p0" */
    char adapter[96]; /* "STLINK V3J10S0 (API v3) VID:PID 0483:374F" */
    double volts;     /* at the target, where the adapter measures it */
};
void probe_facts(struct openocd *o, struct probe_facts *ret);

/* Pure halves, for tests and fuzzing. */
void probe_parse_facts(const char *log, struct probe_facts *ret);
/* Sharpen err by what OpenOCD wrote: the code and the hint. Returns err's code. */
int probe_explain(const char *log, struct err *err);
/* The configuration as OpenOCD gets it, one command or script a line ("-f X" or "-c X"). */
int probe_config_text(const struct probe_options *options, struct buf *out,
                      struct err *err) MUST_CHECK;

#endif
