/*
 * The JTAG side of the debug port: a TAP with a 4-bit instruction register (JTAG-DP), one clock at
 * a time. Front-ends that move single bits use it.
 */
#ifndef TARGETS_VIRTUAL_PROBE_JTAG_H
#define TARGETS_VIRTUAL_PROBE_JTAG_H

#include <stdbool.h>
#include <stdint.h>

#include "targets/virtual/probe/dap.h"

struct jtag {
    struct dap *dap;
    int state;
    unsigned instruction;
    uint64_t shift;
    unsigned length; /* of the register that is shifted */
    uint32_t data;   /* what the next capture of DPACC or APACC shows */
    unsigned ack;    /* with it */
    bool gone;       /* nobody drove TDO at the last capture */
};

void jtag_init(struct jtag *j, struct dap *dap);

/* A rising edge of TCK with these levels. */
void jtag_clock(struct jtag *j, bool tms, bool tdi);
bool jtag_tdo(const struct jtag *j);

#endif
