/*
 * The debug port and its one memory access port (AHB-AP), as in the Arm Debug Interface
 * Architecture Specification v5, between a front-end (ST-Link, JTAG, SWD) and the target.
 *
 * Faults on the wire come from outside: before transfers happen, `may_pass` is asked how many of
 * them go through before one fails, and how that one does.
 */
#ifndef TARGETS_VIRTUAL_PROBE_DAP_H
#define TARGETS_VIRTUAL_PROBE_DAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "targets/virtual/probe/target.h"

enum dap_result {
    DAP_OK,
    DAP_WAIT,
    DAP_FAULT,
    DAP_NO_ACK, /* nobody answers */
    DAP_PARITY  /* the answer is garbled */
};

/* Of CTRL/STAT. */
enum {
    DAP_OVERRUN_DETECT = 1 << 0,
    DAP_STICKY_OVERRUN = 1 << 1,
    DAP_STICKY_COMPARE = 1 << 4,
    DAP_STICKY_ERROR = 1 << 5,
    DAP_WRITE_ERROR = 1 << 7,
    DAP_STICKY = DAP_STICKY_OVERRUN | DAP_STICKY_COMPARE | DAP_STICKY_ERROR | DAP_WRITE_ERROR
};

#define DAP_BANK_FROM_SELECT 0xf0u /* for the bank in a DP register's number */

/* Items that the memory port moved, from 1 to 4 bytes each. */
struct dap_counts {
    uint64_t memory;      /* on the bus that the core shares */
    uint64_t private_bus; /* of the core: its debug and system control registers */
    uint64_t in_windows;  /* of `memory`, those while the marker was high */
};

struct dap {
    struct target *target;
    uint32_t control;
    uint32_t line_control;
    uint32_t select;
    uint32_t csw;
    uint32_t tar;
    uint32_t result; /* RDBUFF */
    bool asked;      /* dap_ask() has passed the next transfer */
    /* How many of `wanted` transfers go through; when fewer, *ret says what the next one gets. */
    size_t (*may_pass)(void *context, size_t wanted, enum dap_result *ret);
    void *context;
    bool in_window; /* the marker is high */
    struct dap_counts counts;
};

void dap_init(struct dap *d, struct target *t);
void dap_reset(struct dap *d); /* power, or the end of a connection */
bool dap_answers(const struct dap *d);

/*
 * Where the answer comes before the data (SWD on the wire): ask first; the transfer that follows is
 * then not asked about again.
 */
enum dap_result dap_ask(struct dap *d);

/* reg: 0, 4, 8, 12 with the bank in bits 7:4. */
enum dap_result dap_read_dp(struct dap *d, unsigned reg, uint32_t *ret);
enum dap_result dap_write_dp(struct dap *d, unsigned reg, uint32_t value);
/* reg: of the AP, 0x00 to 0xfc. */
enum dap_result dap_read_ap(struct dap *d, unsigned ap, unsigned reg, uint32_t *ret);
enum dap_result dap_write_ap(struct dap *d, unsigned ap, unsigned reg, uint32_t value);

/*
 * Memory past CSW and TAR, as a probe that knows them does it. `step`: by how much the address goes
 * up with each item of `size` bytes (0: always the same address). What was transferred before a
 * fault has happened.
 */
enum dap_result dap_read_memory(struct dap *d, uint32_t address, int size, bool step, uint8_t *data,
                                uint32_t len);
enum dap_result dap_write_memory(struct dap *d, uint32_t address, int size, bool step,
                                 const uint8_t *data, uint32_t len);

#endif
