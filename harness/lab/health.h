/*
 * What this host remembers of its boards from run to run: whether a board may be used, why not, how
 * often the lab failed it, and how its last case ended.
 *
 * One small text file per board in the state folder, changed under a lock and replaced as a whole,
 * so a kill leaves the old one or the new one. It is advice for scheduling: results live in the
 * database. A board without a file is good and unknown.
 *
 *   good --lab fault--> suspect --case without one--> good
 *   any --ladder exhausted, or FAULTS_IN_ROW--> quarantined --health check or a person--> good
 *   any --a person--> maintenance --a person--> good
 */
#ifndef HARNESS_LAB_HEALTH_H
#define HARNESS_LAB_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/spec/event.h"

enum {
    HEALTH_FAULTS_IN_ROW = 6, /* attempts; a case may use three of them */
    HEALTH_PATH = 512
};

#define BOARD_STATE_LIST(X)                                                                        \
    X(BOARD_GOOD, "good")                                                                          \
    X(BOARD_SUSPECT, "suspect")                                                                    \
    X(BOARD_QUARANTINED, "quarantined")                                                            \
    X(BOARD_MAINTENANCE, "maintenance")
enum board_state {
#define X(name, word) name,
    BOARD_STATE_LIST(X)
#undef X
};
const char *board_state_name(enum board_state state);

struct health {
    enum board_state state;
    uint64_t since_ns; /* realtime, of the state; 0: since ever */
    char by[64];       /* a user, or "tinyrig" */
    char reason[256];
    uint64_t attempts, faults, recoveries; /* since the last clear */
    uint32_t in_row;                       /* faulty attempts without a good one between */
    uint64_t last_ns;                      /* newest attempt */
    char last_status[16];
    char last_key[192];
    uint64_t checked_ns; /* newest health check; 0: never */
    bool check_passed;
};

/* TINYRIG_STATE_DIR, when that is set (ERR_LAB when it cannot be used); else TINYRIG_LOCK_DIR (a private
 * lab), /var/lib/tinyrig when it can be written, $XDG_STATE_HOME/tinyrig, ~/.local/state/tinyrig. Made
 * when missing. */
int health_folder(char path[static HEALTH_PATH], struct err *err) MUST_CHECK;

/* A board that has no file is good. A damaged file is ERR_LAB: nothing is guessed. */
int health_read(const char *folder, const char *board, struct health *ret,
                struct err *err) MUST_CHECK;

/* Change it under its lock. */
typedef void health_change_fn(void *context, struct health *h);
int health_update(const char *folder, const char *board, health_change_fn *change, void *context,
                  struct err *err) MUST_CHECK;

/* ---- changes; pure ---- */
void health_attempt(struct health *h, bool lab_fault, uint64_t now_ns);
void health_set(struct health *h, enum board_state state, const char *by, const char *reason,
                uint64_t now_ns);
void health_checked(struct health *h, bool passed, const char *reason, uint64_t now_ns);

/* Faulty attempts of all, 0 to 1. */
double health_flake_rate(const struct health *h);

/* ---- a sink that keeps it up to date while a run's events pass ---- */
struct health_sink;
/*
 * `keeps` says whether a board has a history (NULL: all have). What cannot be written is said by
 * health_sink_close(); it never fails a run.
 */
struct health_sink *health_sink_new(const char *folder, bool (*keeps)(const struct board *b));
struct event_sink *health_sink_base(struct health_sink *s);
int health_sink_close(struct health_sink *s,
                      struct err *err); /* writes, then frees; NULL is fine */

/* A virtual board that no lab file names is made anew for each run and has no history. */
bool health_kept(const struct board *b);

#endif
