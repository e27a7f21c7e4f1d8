/*
 * Serial Wire Debug, bit by bit, as the target sees it: requests, acknowledges, parity and
 * turnaround (Arm Debug Interface v5, chapter B4). For front-ends that move the wire's bits.
 */
#ifndef TARGETS_VIRTUAL_PROBE_SWD_H
#define TARGETS_VIRTUAL_PROBE_SWD_H

#include <stdbool.h>
#include <stdint.h>

#include "targets/virtual/probe/dap.h"

struct swd {
    struct dap *dap;
    int state;
    unsigned ones; /* in a row from the host: 50 are a line reset */
    unsigned bit;  /* of the phase we are in */
    unsigned request;
    unsigned ack;
    bool bad_parity; /* of the data we drive: a fault on the wire */
    uint32_t data;
    uint64_t shift;
};

void swd_init(struct swd *s, struct dap *dap);

/* One clock cycle; `level` counts when the host drives the wire. */
void swd_clock(struct swd *s, bool host_drives, bool level);

/* What the target drives in the cycle to come; high when nobody does. */
bool swd_level(const struct swd *s);

#endif
