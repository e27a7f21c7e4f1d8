/*
 * A session with one board: leased, powered, its agent running and answering. It hides every
 * back-end: who measures knows neither serial nor SWD nor the virtual lab.
 *
 * Opened once per board by its worker and kept across cases; session_restart() gives each repeat a
 * freshly reset board. After a failure (other than ERR_AGENT) close it and open another.
 */
#ifndef HARNESS_LAB_SESSION_H
#define HARNESS_LAB_SESSION_H

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/client/client.h"
#include "harness/spec/board.h"

struct session_options {
    const char *firmware_dir; /* "<agent>.elf" of boards that name no firmware */
    const char *vboard;       /* path of tinyrig-vboard */
    const char *agent_posix;  /* path of tinyrig-agent-posix */
    const char *run_dir;      /* private to this worker: links, model files */
    const char *lock_dir;
    const char *purpose; /* for the lease record */
    unsigned wait_ms;    /* for the lease */
    const char *openocd; /* NULL: "openocd" from PATH */
    /* What the board and the lab said, when opening fails; may be NULL. */
    struct buf *failure_log;
};

struct session;

int session_open(const struct board *board, const struct session_options *options,
                 struct session **ret, struct err *err) MUST_CHECK;
void session_close(struct session *s); /* NULL is fine */
DEFINE_AUTO(struct session, session_close)

struct client *session_client(struct session *s);
const struct board *session_board(const struct session *s);
const char *session_firmware(const struct session *s); /* path of the ELF; NULL when unknown */

/* Reset the board and greet its agent anew. */
int session_restart(struct session *s, struct err *err) MUST_CHECK;

/*
 * Put a model image where the agent runs models from: over the link, or by the flash back-end
 * where the slot is in flash that the chip cannot write itself. Returns 1 when it was there.
 */
int session_place_model(struct session *s, const void *image, size_t size,
                        struct err *err) MUST_CHECK;

/* What the board and the lab said since the last call: console text, news. For failed cases. */
void session_log(struct session *s, struct buf *out);

#endif
