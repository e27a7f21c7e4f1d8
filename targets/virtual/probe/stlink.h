/*
 * A debug adapter as OpenOCD's `st-link` driver with `st-link backend tcp` meets it: the framing of
 * the vendor's TCP server, and inside it the adapter's USB commands. SWD bits are not on the wire
 * here (OpenOCD calls this transport dapdirect_swd): a command says which register or memory to
 * access, and the adapter does the transfers.
 *
 * A pure function of bytes in and bytes out over a struct dap; fuzzed as such. "ST-Link" is
 * STMicroelectronics' mark. This answers on loopback only, for OpenOCD only.
 */
#ifndef TARGETS_VIRTUAL_PROBE_STLINK_H
#define TARGETS_VIRTUAL_PROBE_STLINK_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "targets/virtual/probe/dap.h"

#define STLINK_PAYLOAD_MAX 16384u
#define STLINK_ITEMS_MAX   2048u
#define STLINK_SERIAL_MAX  24

struct stlink {
    struct dap *dap;
    char serial[STLINK_SERIAL_MAX + 1];
    uint8_t mode;
    uint8_t last_status; /* of the last memory access */
    uint32_t fault_address;
    uint8_t items[8 * STLINK_ITEMS_MAX]; /* results of the last batch */
    uint32_t items_size;
};

void stlink_init(struct stlink *s, struct dap *dap, const char *serial);

/*
 * Take whole messages from `in`, append the answers to `out`. Returns the bytes taken, or -1 when
 * the other side does not speak this protocol and is to be cut off.
 */
long stlink_serve(struct stlink *s, const uint8_t *in, size_t n, struct buf *out);

#endif
