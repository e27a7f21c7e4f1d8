/*
 * A debug adapter as OpenOCD's `jlink` driver (libjaylink) meets it over TCP. Its commands carry
 * the bits of the wire in both directions, so here every request, acknowledge and parity bit of SWD
 * is the real thing: this mode proves swd.c, and can carry JTAG as well.
 *
 * A pure function of bytes in and bytes out; fuzzed as such. "J-Link" is SEGGER's mark. This
 * answers on loopback only, for OpenOCD only.
 */
#ifndef TARGETS_VIRTUAL_PROBE_JLINK_H
#define TARGETS_VIRTUAL_PROBE_JLINK_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "targets/virtual/probe/jtag.h"
#include "targets/virtual/probe/swd.h"

#define JLINK_PORT 19020u /* libjaylink knows no other */

struct jlink {
    struct dap *dap;
    struct swd swd;
    struct jtag jtag;
    bool wire_is_swd;
};

void jlink_init(struct jlink *j, struct dap *dap);
void jlink_greet(struct jlink *j, struct buf *out); /* at the start of a connection */
/* Returns the bytes taken, or -1 when the other side does not speak this protocol. */
long jlink_serve(struct jlink *j, const uint8_t *in, size_t n, struct buf *out);

/* The datagram of 128 bytes by which an adapter with this serial number says that it is there. */
void jlink_announce(uint32_t serial, uint8_t datagram[static 128]);

#endif
