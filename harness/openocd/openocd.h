/*
 * Drives one OpenOCD over its Tcl port: a child of ours, or one that already runs.
 *
 * As a child it listens on 127.0.0.1 at a port of its own choosing, with telnet and gdb switched
 * off, in its own process group; it dies with us. Its log goes to memory (never a pipe that could
 * fill and block it) and is kept for the failed case. Called by the openocd flash back-end, the
 * swd transport and `tinyrig probe|doctor`.
 *
 * OpenOCD's Tcl answers carry no status, so every command travels inside `catch` and comes back
 * with its return code; a failing one is ERR_LAB (or what its words mean: probe_explain()) with the
 * answer and the last error of the log.
 */
#ifndef HARNESS_OPENOCD_OPENOCD_H
#define HARNESS_OPENOCD_OPENOCD_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

struct openocd;

struct openocd_options {
    const char *program; /* NULL: "openocd" from PATH */
    const char *connect; /* "host:port" of a running OpenOCD; the rest is then unused */
    /*
     * Configuration, run in this order before `init`, each a complete Tcl command or a script
     * ("-f"). Text from a board file must have gone through openocd_quote().
     */
    const struct openocd_config {
        bool script;
        const char *text;
    } * config;
    size_t config_count;
    unsigned start_timeout_ms; /* 0: 5000 */
};

/* Start (or connect) and wait for the Tcl port. `init` is left to the caller. */
int openocd_open(const struct openocd_options *options, struct openocd **ret,
                 struct err *err) MUST_CHECK;

/* `shutdown`, a bounded wait, then SIGKILL to the group. NULL is fine. */
void openocd_close(struct openocd *o);
DEFINE_AUTO(struct openocd, openocd_close)

/* Run one command; its result replaces *ret (which may be NULL). */
int openocd_command(struct openocd *o, unsigned timeout_ms, struct buf *ret, struct err *err,
                    const char *fmt, ...) PRINTF_LIKE(5, 6) MUST_CHECK;

/* The same, with what the command prints for people (`flash info 0`) as the result. */
int openocd_capture(struct openocd *o, unsigned timeout_ms, struct buf *ret, struct err *err,
                    const char *fmt, ...) PRINTF_LIKE(5, 6) MUST_CHECK;

/* Words of 32 bits; count up to 1024. */
int openocd_read_words(struct openocd *o, uint32_t address, uint32_t *words, size_t count,
                       struct err *err) MUST_CHECK;
int openocd_write_words(struct openocd *o, uint32_t address, const uint32_t *words, size_t count,
                        struct err *err) MUST_CHECK;

/* The log so far (its last 256 KiB at most) appended to out. Empty for a connected one. */
void openocd_log(struct openocd *o, struct buf *out);

/* Of it, what the command that was sent last brought. Failures of earlier ones explain nothing. */
void openocd_log_of_command(struct openocd *o, struct buf *out);

/* It died, or an answer was missed: whatever failed, the chip may not be the reason. */
bool openocd_is_lost(const struct openocd *o);

/*
 * Append text as one Tcl word that means exactly these bytes. ERR_CONFIG for control characters:
 * 0x1a would end the command, and no file name or serial number needs them.
 */
int openocd_quote(struct buf *out, const char *text, struct err *err) MUST_CHECK;

/* The same of a file that is there, for an OpenOCD that works in another folder than we. */
int openocd_quote_file(struct buf *out, const char *path, struct err *err) MUST_CHECK;

/*
 * The pure part, for tests and fuzzing: split "CODE RESULT" as `list [catch ...] $result` prints
 * it. Returns 0 with the unquoted result in *ret, 1 when the command failed (result likewise), or
 * ERR_PROTOCOL when it is no such list.
 */
int openocd_parse_answer(const char *answer, size_t n, struct buf *ret, struct err *err);

/* The Tcl port in a log, or 0 when the line is not there yet. */
unsigned openocd_parse_port(const char *log);

/* The last "Error:" lines of a log, joined with "; ", into text. Empty when there are none. */
void openocd_parse_errors(const char *log, char *text, size_t size);

#endif
