/* Shared by session.c and recover.c: a session from the inside. */
#ifndef HARNESS_LAB_INTERNAL_H
#define HARNESS_LAB_INTERNAL_H

#include "harness/flash/flash.h"
#include "harness/lab/fault_plan.h"
#include "harness/lab/instrument.h"
#include "harness/lab/labgrid.h"
#include "harness/lab/lease.h"
#include "harness/lab/power_switch.h"
#include "harness/lab/recover.h"
#include "harness/lab/resources.h"
#include "harness/lab/session.h"
#include "harness/virtual/vboard.h"

enum {
    SESSION_PATH = 1024
};

struct session {
    const struct board *board;
    struct session_options options;
    struct lease *lease;
    struct resources held;  /* by it */
    struct labgrid labgrid; /* zeroed: its address comes from elsewhere */
    struct vboard *vboard;  /* NULL for a real board */
    struct fault_plan plan;
    struct openocd *openocd; /* NULL when nothing needs a probe */
    const struct flash_ops *flash;
    uint32_t rings; /* swd: where the agent's link block lies; 0: somewhere in RAM */
    bool ready;     /* all that recovery stands on is there */
    struct transport *transport;
    struct client *client;
    struct instrument *instrument; /* NULL until asked for */
    struct instrument *supply;     /* the meter that is the board's switch; NULL: it has none */
    struct board_means means;
    const struct lab_power *power; /* NULL: no switch */
    struct power_line line;        /* of kind gpio, once it was switched */
    char firmware[SESSION_PATH];   /* "" when unknown */
    struct buf record;             /* of the port: what is not in its file yet */
    size_t recorded;               /* bytes in the file of this opening */
    char record_path[SESSION_PATH];
    char record_lost[SESSION_PATH + 256]; /* what is missing, and why; "": nothing */
    bool record_told;                     /* that */
    bool record_stopped;                  /* nothing more of this opening is kept */
    struct flash_ops replay_flash;        /* of a session that is played back */
    unsigned replayed;                    /* records so far */
    uint16_t nonce;                       /* of its first greeting */
    uint16_t greetings;
};

/* A new transport, a greeting, and the right board and firmware behind it. */
int session_reopen(struct session *s, unsigned hello_ms, struct err *err) MUST_CHECK;

/* ---- session_port.c ---- */
int session_open_port(struct session *s, unsigned wait_ms, struct err *err) MUST_CHECK;
void session_hang_up(struct session *s); /* let it go */

/* ---- supply.c: a meter as the board's switch ---- */
int session_supply(struct session *s, struct err *err) MUST_CHECK; /* finds s->power; on */
bool session_supply_measures(const struct session *s, const struct suite_energy *energy);
int session_supply_instrument(struct session *s, const struct suite_energy *energy,
                              struct instrument **ret, struct err *err) MUST_CHECK;
int session_supply_cycle(void *context, struct err *err) MUST_CHECK; /* a board_means */
void session_supply_drop(struct session *s);
struct instrument_options session_instrument_options(const struct session *s,
                                                     const struct suite_energy *energy);

/* ---- session_probe.c ---- */
bool session_over_swd(const struct session *s); /* the link is the probe's */
bool session_by_probe(const struct session *s); /* something needs a probe */
int session_open_probe(struct session *s, struct err *err) MUST_CHECK;
int session_connect_under_reset(struct session *s, struct err *err) MUST_CHECK;
/* An OpenOCD that died, or one that never connected, is started anew. */
int session_probe_again(struct session *s, struct err *err) MUST_CHECK;
/* Before the supply is switched: what OpenOCD knows of the chip does not survive that. */
void session_drop_probe(struct session *s);
/* A block that an earlier firmware left in RAM must not be taken for the one to come. */
int session_forget_rings(struct session *s, struct err *err) MUST_CHECK;
void session_probe_log(struct session *s, struct buf *out); /* the last of what OpenOCD said */
/* flash_job.progress: for people who wait (--verbose=lab), and for the fault laboratory. */
void session_step(void *context, const char *step, size_t bytes);

#endif
