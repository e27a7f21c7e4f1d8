/* The debug probe of a session: OpenOCD, opened, lost and opened again. */
#include <stdio.h>
#include <string.h>

#include "harness/base/log.h"
#include "harness/lab/internal.h"
#include "harness/openocd/probe.h"

enum {
    PROBE_LOG_MAX = 16384
};

/* For people who wait (--verbose=lab), and for the fault laboratory. */
void session_step(void *context, const char *step, size_t bytes)
{
    struct session *s = context;

    if (bytes > 0)
        log_line(LOG_LAB, "%s: %s, %zu bytes", s->board->name, step, bytes);
    else
        log_line(LOG_LAB, "%s: %s", s->board->name, step);
    if (s->vboard != NULL)
        fault_plan_step(&s->plan, s->vboard, step);
}

bool session_over_swd(const struct session *s)
{
    const char *kind = s->board->transport.kind;

    return kind != NULL && strcmp(kind, "swd") == 0;
}

bool session_by_probe(const struct session *s)
{
    if (session_replays(s))
        return false;
    return (s->flash != NULL && s->flash->needs_probe) || session_over_swd(s);
}

static int open_probe(struct session *s, bool under_reset, struct err *err)
{
    char address[32];
    struct probe_options options = {
        .board = s->board, .program = s->options.openocd, .under_reset = under_reset};
    unsigned port = 0;

    if (!session_by_probe(s))
        return 0;
    if (s->vboard != NULL) {
        if (vboard_probe_port(s->vboard, "stlink", &port, err) < 0)
            return (int)err->code;
        (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
        options.address = address;
    }
    session_step(s, "connect", 0);
    if (probe_start(&options, &s->openocd, err) < 0)
        return (int)err->code;
    if (probe_connect(s->openocd, s->board, err) == 0 &&
        probe_check_core(s->openocd, s->board, err) == 0)
        return 0;
    if (s->options.failure_log != NULL)
        session_probe_log(s, s->options.failure_log);
    session_drop_probe(s);
    return (int)err->code;
}

int session_open_probe(struct session *s, struct err *err)
{
    return open_probe(s, false, err);
}

/*
 * For a chip whose firmware took the debug pins, or crashes before a debugger gets a word in: the
 * reset line is low while it connects. Without the line to the chip's reset this fails, and those
 * who come after it connect as always.
 */
int session_connect_under_reset(struct session *s, struct err *err)
{
    session_drop_probe(s);
    if (open_probe(s, true, err) < 0)
        return (int)err->code;
    if (probe_reset_halt(s->openocd, err) == 0 && probe_reset_run(s->openocd, err) == 0)
        return 0;
    session_drop_probe(s);
    return (int)err->code;
}

/* An OpenOCD that died, or one that never connected, is started anew. */
void session_drop_probe(struct session *s)
{
    openocd_close(s->openocd);
    s->openocd = NULL;
}

int session_probe_again(struct session *s, struct err *err)
{
    if (s->openocd != NULL && !openocd_is_lost(s->openocd))
        return 0;
    session_drop_probe(s);
    return session_open_probe(s, err);
}

/* A block that an earlier firmware left in RAM must not be taken for the one to come. */
int session_forget_rings(struct session *s, struct err *err)
{
    static const uint32_t nothing[4] = {0, 0, 0, 0};

    if (!session_over_swd(s) || s->rings == 0 || s->openocd == NULL)
        return 0;
    return openocd_write_words(s->openocd, s->rings, nothing, ARRAY_SIZE(nothing), err);
}

/* The last of what OpenOCD said. */
void session_probe_log(struct session *s, struct buf *out)
{
    AUTO_BUF log = BUF_INIT;
    size_t from;

    if (s->openocd == NULL)
        return;
    openocd_log(s->openocd, &log);
    from = log.len > PROBE_LOG_MAX ? log.len - PROBE_LOG_MAX : 0;
    buf_puts(out, "openocd:\n");
    buf_append(out, buf_text(&log) + from, log.len - from);
}
