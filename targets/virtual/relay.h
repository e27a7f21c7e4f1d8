/*
 * Carries bytes between the pty and the emulator's UART, through the faults.
 *
 * Towards the board the host is held back when the board is slow, as flow control of a USB cable
 * does. From the board everything is always taken, because a QEMU whose UART blocks stops
 * answering altogether; what the host does not read within 1 MiB is dropped and counted.
 */
#ifndef TARGETS_VIRTUAL_RELAY_H
#define TARGETS_VIRTUAL_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "targets/virtual/fault.h"
#include "targets/virtual/poll_set.h"
#include "targets/virtual/pty.h"

struct relay {
    struct buf from_host; /* before the faults */
    struct buf to_board;  /* after them */
    struct buf from_board;
    struct buf to_host;
    uint64_t bytes_to_board;
    uint64_t bytes_from_board;
    uint64_t dropped; /* from the board, because nobody read them */
    bool deaf;        /* forget what the board says: something is cutting it short */
    int slot_to;
    int slot_from;
};

/* Non-blocking; -1 while there is no board: what the host says is lost then. */
struct relay_uart {
    int to;   /* what the board hears */
    int from; /* what it says */
};

void relay_init(struct relay *r);
void relay_prepare(struct relay *r, struct poll_set *set, struct pty *pty, struct relay_uart uart);
/* Takes what both sides have said; passes it on. */
void relay_hear(struct relay *r, const struct poll_set *set, struct pty *pty,
                struct relay_uart uart);
void relay_tell(struct relay *r, struct pty *pty, struct relay_uart uart, struct fault_set *faults);

/* Read and forget all that the board has said by now. */
void relay_drain(struct relay *r, int from);

/* Whatever was on its way to a board that lost power never arrives. */
void relay_forget_input(struct relay *r);
void relay_forget_output(struct relay *r);
void relay_release(struct relay *r);

#endif
