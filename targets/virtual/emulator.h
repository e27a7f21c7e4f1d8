/*
 * What runs the firmware: one child process with a socket for the UART, one for orders (QMP or
 * our own lines) and one on which marker edges come back.
 *
 * A back-end is one const struct emulator_ops and a line in emulator.c's list. It only says how
 * to start its program and what the lines on the order socket mean; it never touches the pty and
 * never waits: board.c owns the loop.
 */
#ifndef TARGETS_VIRTUAL_EMULATOR_H
#define TARGETS_VIRTUAL_EMULATOR_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/base.h"
#include "harness/base/err.h"
#include "harness/base/proc.h"
#include "targets/virtual/image.h"
#include "targets/virtual/lines.h"
#include "targets/virtual/options.h"
#include "targets/virtual/poll_set.h"

#define EMULATOR_DEBUG_STREAMS 3 /* qtest, gdbstub, QMP: for the probe */

enum emulator_order {
    ORDER_RESET,
    ORDER_HALT,
    ORDER_RESUME
};

struct emulator {
    const struct emulator_ops *ops;
    struct proc proc;         /* pid -1: power is off, or it died */
    int uart_to;              /* our ends; -1 when there is none. What the board hears, */
    int uart_from;            /* and what it says */
    char uart_path[PATH_MAX]; /* of its pipes, while they have names */
    int orders;
    int edges;
    int debug[EMULATOR_DEBUG_STREAMS]; /* until the probe takes them; -1 without one */
    struct lines order_lines;
    struct lines error_lines;
    bool ready;           /* has said that it listens to orders */
    unsigned resets;      /* seen to complete */
    unsigned halts;       /* same */
    bool halted;          /* the core stands still because we said so, or soon will */
    bool lockup;          /* died because the core locked up */
    char last_words[300]; /* of its stderr: usually why it died */
    int unread;           /* measure of the UART bytes it has not taken yet */
    unsigned wake_ms;
    uint64_t wake_ns; /* when to wake it because of them; 0: not at all */
    int slot_orders;
    int slot_errors;
};

/* Everything a start depends on. The descriptors are filled in by emulator_start(). */
struct launch {
    const struct options *options;
    const char *firmware;
    const struct image *loads;
    int load_count;
    int uart;              /* the child's ends; -1 with uart_is_pipes */
    const char *uart_path; /* with uart_is_pipes: it hears PATH.in and says PATH.out */
    int orders;
    int edges;
    int debug[EMULATOR_DEBUG_STREAMS]; /* with options->probe only */
};

struct arguments {
    struct arena arena;
    const char *list[160];
    int count;
    bool full;
};

struct emulator_ops {
    const char *kind;
    const char *count_name; /* what the edge stream counts */
    bool uart_is_stdio;     /* the child talks on stdin and stdout instead of launch.uart */
    bool uart_is_pipes;     /* two named pipes instead of one socket */
    bool takes_orders;      /* else a reset is a restart and a halt is SIGSTOP */
    bool gives_edges;
    bool loads_are_elf; /* files for the flash are wrapped */
    /* Complain early about options that cannot work. */
    int (*check)(const struct options *o, struct err *err);
    /* Append argv. */
    int (*arguments)(const struct launch *l, struct arguments *a, struct err *err);
    void (*order)(struct emulator *e, enum emulator_order order);
    /* One line arrived on the order socket. */
    void (*hear)(struct emulator *e, const char *line);
    /* Make it look at its UART socket again. NULL: it never forgets to. */
    void (*wake)(struct emulator *e);
    /* One line arrived on stderr. NULL: nothing special in it. */
    void (*complain)(struct emulator *e, const char *line);
};

extern const struct emulator_ops emulator_qemu;
extern const struct emulator_ops emulator_simavr;
extern const struct emulator_ops emulator_posix;

const struct emulator_ops *emulator_find(const char *kind, struct err *err);

void arguments_add(struct arguments *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

void emulator_init(struct emulator *e, const struct emulator_ops *ops);
int emulator_start(struct emulator *e, const struct launch *launch, struct err *err) MUST_CHECK;
bool emulator_runs(const struct emulator *e);
void emulator_kill(struct emulator *e); /* at once, as a supply that fails */

/* Halt or resume by whatever means the back-end has. */
void emulator_halt(struct emulator *e, bool halt);

void emulator_prepare(struct emulator *e, struct poll_set *set);
int emulator_timeout_ms(const struct emulator *e); /* -1: no hurry */
void emulator_serve(struct emulator *e, const struct poll_set *set);

/*
 * True once, when the child ended on its own: reaps it, closes everything, and puts why into text.
 */
bool emulator_has_died(struct emulator *e, char *text, size_t n);

void emulator_send(struct emulator *e, const char *line); /* on the order socket */
void emulator_release(struct emulator *e);

#endif
