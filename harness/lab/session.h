/*
 * A session with one board: leased, powered, its agent running and answering. It hides every
 * back-end: who measures knows neither serial nor SWD nor the virtual lab.
 *
 * Opened once per board by its worker and kept across cases; session_restart() gives each repeat a
 * freshly reset board. After a lab fault session_recover() brings the board back, or it is closed.
 */
#ifndef HARNESS_LAB_SESSION_H
#define HARNESS_LAB_SESSION_H

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/client/client.h"
#include "harness/lab/instrument.h"
#include "harness/lab/recover.h"
#include "harness/spec/board.h"
#include "harness/spec/lab.h"

struct session_options {
    const char *firmware_dir; /* "<agent>.elf" of boards that name no firmware */
    const char *vboard;       /* path of tinyrig-vboard */
    const char *agent_posix;  /* path of tinyrig-agent-posix */
    const char *run_dir;      /* private to this worker: links, model files */
    const char *lock_dir;
    const char *purpose; /* for the lease record */
    unsigned wait_ms;    /* for the lease */
    const char *meter;   /* that the cases to come name, leased with the board; NULL: its own */
    const char *openocd; /* NULL: "openocd" from PATH */
    /* What the board and the lab said, when opening fails; may be NULL. */
    struct buf *failure_log;
    const struct lab *lab;  /* for power switches and meters; may be NULL */
    const char *record_dir; /* keep the byte stream of each session there; NULL: do not */
    const char *replay_dir; /* play such records back, in place of the boards; NULL: do not */
    const char *fault_dir;  /* of the fault laboratory (fault_plan.h); NULL: none */
    uint64_t fault_seed;
    unsigned answer_ms; /* one try of a short request; 0: as the board needs it */
    size_t record_max;  /* bytes of one opening of the port; 0: as many as a replay takes */
    const char *vmeter; /* path of tinyrig-vmeter; NULL: no energy */
};

struct session;

/*
 * With a ladder, a board that does not come up is brought back if it can be. Whoever answers must be
 * the board and the firmware that were meant (chip UID, build id), else ERR_LAB.
 */
int session_open(const struct board *board, const struct session_options *options,
                 struct recovery *recovery, struct session **ret, struct err *err) MUST_CHECK;
void session_close(struct session *s); /* NULL is fine */
DEFINE_AUTO(struct session, session_close)

struct client *session_client(struct session *s);
bool session_replays(const struct session *s);         /* records play the board */
const char *session_firmware(const struct session *s); /* path of the ELF; NULL when unknown */

/*
 * After a lab fault: climb the ladder until the agent answers again. On failure the session is of no
 * more use: close it, and leave the board alone.
 */
int session_recover(struct session *s, struct recovery *recovery, const struct err *why,
                    struct err *err) MUST_CHECK;

/* Reset the board and greet its agent anew. */
int session_restart(struct session *s, struct err *err) MUST_CHECK;

/*
 * Put a model image where the agent runs models from: over the link, or by the flash back-end
 * where the slot is in flash that the chip cannot write itself. Returns 1 when it was there.
 */
int session_place_model(struct session *s, const void *image, size_t size,
                        struct err *err) MUST_CHECK;

/*
 * The power instrument, opened when first asked for and kept. ERR_METER, ERR_CONFIG or ERR_BUSY
 * when there is none to be had; the session goes on without.
 */
int session_instrument(struct session *s, const struct suite_energy *energy,
                       struct instrument **ret, struct err *err) MUST_CHECK;
/* Close it: it misbehaved, or another one is wanted next. */
void session_drop_instrument(struct session *s);

/*
 * Put what came over the link since the last call into the session's record. NULL when all of it is there,
 * or none is kept; else what is lost, and why.
 */
const char *session_keep_record(struct session *s);

/* What the board and the lab said since the last call: console text, news. For failed cases. */
void session_log(struct session *s, struct buf *out);

#endif
