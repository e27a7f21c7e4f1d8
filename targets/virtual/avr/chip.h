/*
 * One AVR in simavr: its UART as byte queues, its marker pin as a callback, reset and run.
 *
 * Linked with libsimavr (GPL-3), so this program as a whole is under the GPL; these files alone
 * are MIT like the rest of the repository.
 */
#ifndef TARGETS_VIRTUAL_AVR_CHIP_H
#define TARGETS_VIRTUAL_AVR_CHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"

struct chip_options {
    const char *mcu;
    uint32_t clock_hz;
    const char *firmware;
    char port; /* of the marker pin: 'B' */
    int bit;
};

struct chip {
    struct avr_t *avr;
    struct avr_irq_t *uart_in;
    uint32_t clock_hz;
    struct buf input;   /* to the chip's UART, not yet taken */
    struct buf output;  /* from it, for the caller to take */
    bool may_send;      /* the chip's receiver has room */
    bool waits;         /* it slept since the last chip_run */
    uint64_t idle_debt; /* cycles slept that no real time was spent on yet */
    unsigned resets;    /* by the watchdog or by us */
    void (*edge)(void *context, bool high, uint64_t cycle);
    void *context;
};

enum chip_state {
    CHIP_RUNS,
    CHIP_CRASHED,
    CHIP_DEAD_ASLEEP
};

int chip_open(struct chip *c, const struct chip_options *o, struct err *err) MUST_CHECK;

/* Put bytes into the flash, as a programmer would before power on. */
int chip_load(struct chip *c, const char *path, uint64_t address, struct err *err) MUST_CHECK;

/* Run for at least `cycles`, or until it sleeps with nothing to do for a while. */
enum chip_state chip_run(struct chip *c, uint64_t cycles);

void chip_reset(struct chip *c);
uint64_t chip_cycles(const struct chip *c);
uint64_t chip_ns(const struct chip *c, uint64_t cycle);
uint32_t chip_pc(const struct chip *c);
void chip_close(struct chip *c);

#endif
