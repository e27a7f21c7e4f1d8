/*
 * Faults on purpose: bytes lost, bent, doubled or held back on the serial line, and things that
 * happen to the board at an exact byte, marker edge or time.
 *
 * Everything is counted or seeded, so a failure replays: "byte N" counts bytes in one direction
 * since the fault was armed, the first is 0; random faults draw from a generator seeded by the
 * board's --seed and the fault's number. Whether a fault fires never depends on how the bytes were
 * chunked by the host.
 */
#ifndef TARGETS_VIRTUAL_FAULT_H
#define TARGETS_VIRTUAL_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

#define FAULT_MAX 16

/* name, word, what it happens to, text */
/* clang-format off */
#define FAULT_LIST(X) \
    X(DROP,        "drop",        BYTES,  "bytes are lost") \
    X(GARBLE,      "garble",      BYTES,  "one bit of each byte flips") \
    X(DUPLICATE,   "duplicate",   BYTES,  "bytes arrive twice") \
    X(INSERT,      "insert",      BYTES,  "a random byte comes before each (with 'at': all before that one)") \
    X(REPLAY,      "replay",      BYTES,  "the last 'count' (64) bytes come again before byte N") \
    X(MUTE,        "mute",        BYTES,  "like drop, but without end unless 'count' says so") \
    X(STALL,       "stall",       HOLD,   "nothing passes for 'ms'; with 'count' before each of so many bytes") \
    X(ECHO,        "echo",        LINE,   "the host hears its own bytes") \
    X(RESET,       "reset",       ACTION, "the reset line is pulsed") \
    X(HANG,        "hang",        ACTION, "the core stops until a reset") \
    X(UNPLUG,      "unplug",      ACTION, "the serial cable is pulled; with 'ms' it returns after that time") \
    X(POWER_OFF,   "power-off",   ACTION, "the supply fails; with 'ms' it returns after that time") \
    X(DIE,         "die",         ACTION, "the emulator is killed, as if it had crashed") \
    X(DEBUGGER_DIES, "debugger-dies", ACTION, "the program at the probe (OpenOCD) is killed") \
    X(REBOOT_LOOP, "reboot-loop", LOOP,   "a reset every 'ms', 'count' times or without end") \
    X(FIRMWARE,    "firmware",    IMAGE,  "'file' is what the next power on finds in the flash") \
    X(SWD_WAIT,    "swd-wait",    WIRE,   "the probe's transfers are answered with WAIT") \
    X(SWD_FAULT,   "swd-fault",   WIRE,   "... with FAULT, and the sticky error is set") \
    X(SWD_PARITY,  "swd-parity",  WIRE,   "... with a parity error") \
    X(SWD_NO_ACK,  "swd-no-ack",  WIRE,   "... with nothing") \
    X(SWD_DEAD,    "swd-dead",    WIRE,   "like swd-no-ack, but without end unless 'count' says so") \
    X(SWD_OFF,     "swd-off",     WIRE,   "like swd-dead, until one comes while the reset line is low")
/* clang-format on */

enum fault_what {
    FAULT_BYTES,  /* bends bytes as they pass */
    FAULT_HOLD,   /* holds them back */
    FAULT_LINE,   /* a state of the line */
    FAULT_ACTION, /* something the board does once its trigger comes */
    FAULT_LOOP,   /* ... again and again */
    FAULT_IMAGE,  /* what lies in the flash */
    FAULT_WIRE,   /* spoils transfers of the debug probe */
};

enum fault_kind {
#define X(name, word, what, text) FAULT_##name,
    FAULT_LIST(X)
#undef X
};

enum fault_direction {
    TO_BOARD,
    FROM_BOARD
};

enum fault_trigger {
    TRIGGER_NOW,
    TRIGGER_AT,
    TRIGGER_PROBABILITY,
    TRIGGER_AFTER,
    TRIGGER_EDGE,
    TRIGGER_TRANSFER /* of the debug probe */
};

struct fault {
    int number; /* 1, 2, ... since the board started */
    enum fault_kind kind;
    enum fault_direction direction;
    enum fault_trigger trigger;
    bool waiting;       /* for its time or edge */
    uint64_t at;        /* number of byte, edge or transfer; 0 once a wait is over */
    uint64_t threshold; /* probability as a fraction of 2^64 */
    uint64_t count;     /* fires this often, UINT64_MAX: without end */
    uint64_t fired;
    uint64_t seen;  /* of them since armed */
    uint64_t noise; /* state of its random generator */
    unsigned ms;
    uint64_t due_ns; /* TRIGGER_AFTER and loops */
};

/* Something the board has to do because a fault fired. */
struct fault_action {
    enum fault_kind kind;
    int number;
    unsigned ms;
};

/* What passed lately in one direction, for stale frames. */
struct fault_history {
    uint8_t bytes[4096];
    uint64_t count; /* ever */
};

struct fault_set {
    struct fault list[FAULT_MAX];
    int count;
    int armed_ever;
    uint64_t seed;
    uint64_t stalled_until_ns[2];
    struct fault_history history[2];
    struct fault_action actions[FAULT_MAX];
    int action_count;
    char firmware[4096]; /* "" unless a wrong firmware is armed */
};

void fault_set_init(struct fault_set *s, uint64_t seed);

/*
 * Arm what the words after `fault` say: KIND [to-board|from-board]
 * [at N | swd N | prob P | after MS | edge N] [count K] [ms M] [file PATH].
 */
int fault_arm(struct fault_set *s, char *const *words, int count, struct err *err) MUST_CHECK;
void fault_clear(struct fault_set *s);

/*
 * Send n bytes through the faults of one direction, appending what comes out to `out`. Returns how
 * many were consumed: fewer than n when a stall or an action came up before the next byte.
 */
size_t fault_pass(struct fault_set *s, enum fault_direction d, const uint8_t *in, size_t n,
                  struct buf *out);
bool fault_stalls(const struct fault_set *s, enum fault_direction d);
bool fault_echoes(const struct fault_set *s);

/*
 * The probe is about to do `wanted` transfers. Returns how many happen; when fewer, *ret says what
 * the next one gets (a FAULT_WIRE kind). A power cut that is due is answered as silence.
 */
size_t fault_transfers(struct fault_set *s, size_t wanted, enum fault_kind *ret);

/* The core is held in reset: firmware that took the debug pins for itself lets them go (swd-off). */
void fault_held_in_reset(struct fault_set *s);

/* A marker edge was seen; time has passed. Both may make actions due. */
void fault_edge(struct fault_set *s);
void fault_tick(struct fault_set *s);
int fault_timeout_ms(const struct fault_set *s); /* until the next tick matters; -1: never */

/* One more firing of f, which asks the board for something. */
void fault_fire(struct fault_set *s, struct fault *f);

/* Take the oldest action that is due. */
bool fault_take_action(struct fault_set *s, struct fault_action *ret);

const char *fault_word(enum fault_kind kind);
enum fault_what fault_what(enum fault_kind kind);
void fault_list(const struct fault_set *s, struct buf *out); /* one line */
void fault_help(struct buf *out);                            /* many lines */

#endif
