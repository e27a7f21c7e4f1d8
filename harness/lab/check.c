#include "harness/lab/check.h"

#include "harness/base/clock.h"
#include "harness/lab/internal.h"

enum {
    CLOCK_MS = 20
};

static int check_clock(struct client *c, struct err *err)
{
    struct client_time before, after;

    if (client_time(c, &before, err) < 0)
        return (int)err->code;
    clock_sleep_ms(CLOCK_MS);
    if (client_time(c, &after, err) < 0)
        return (int)err->code;
    if (after.ticks == before.ticks)
        return err_set(err, ERR_LAB, "the board's clock does not run");
    return 0;
}

static int check_link(struct client *c, struct err *err)
{
    struct client_engine engine;

    for (unsigned i = 0; i < client_hello(c)->engines; i++) {
        if (client_engine(c, i, &engine, err) < 0)
            return (int)err->code;
    }
    return 0;
}

int board_check(const struct board *board, const struct session_options *options,
                recovery_note_fn *note, void *context, struct err *err)
{
    AUTO(session_close_auto) struct session *s = NULL;
    struct recovery recovery = {.note = note, .context = context};

    if (session_open(board, options, &recovery, &s, err) < 0)
        return (int)err->code;
    if (check_link(session_client(s), err) < 0 || check_clock(session_client(s), err) < 0 ||
        session_restart(s, err) < 0 || check_clock(session_client(s), err) < 0)
        return err_in(err, "board '%s'", board->name);
    return 0;
}
