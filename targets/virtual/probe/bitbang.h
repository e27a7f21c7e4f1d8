/*
 * OpenOCD's remote_bitbang protocol: one character sets the pins or asks for TDO. Slow, and short
 * enough to be checked by eye; the fallback for those who distrust the faster adapter. OpenOCD 0.12
 * speaks JTAG over it.
 */
#ifndef TARGETS_VIRTUAL_PROBE_BITBANG_H
#define TARGETS_VIRTUAL_PROBE_BITBANG_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "targets/virtual/probe/jtag.h"

struct bitbang {
    struct jtag jtag;
    bool tck;
};

void bitbang_init(struct bitbang *b, struct dap *dap);

/* Takes all of `in`; -1 for a character that is none of the protocol's. */
long bitbang_serve(struct bitbang *b, const uint8_t *in, size_t n, struct buf *out);

#endif
