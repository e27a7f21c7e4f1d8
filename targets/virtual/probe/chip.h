/*
 * What a debugger finds around the core: which core it is, and the registers of the vendor that
 * QEMU's machine has wrong or lacks and that OpenOCD's flash driver needs.
 *
 * A chip is one const struct and a line in chip.c's list. Its callbacks see accesses of the
 * debugger only; firmware on the core talks to QEMU's own models.
 */
#ifndef TARGETS_VIRTUAL_PROBE_CHIP_H
#define TARGETS_VIRTUAL_PROBE_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/err.h"

struct target;

enum chip_core {
    CORE_M0,
    CORE_M3,
    CORE_M4,
    CORE_M7,
    CORE_M33,
    CORE_M55
};

struct chip {
    const char *name;
    const char *machine;  /* QEMU's */
    const char *config;   /* OpenOCD's target file, as shipped; NULL: there is none */
    bool config_has_jtag; /* it works over JTAG too */
    const char *bank;     /* of OpenOCD's `flash bank`, for use without that file; NULL: none */
    enum chip_core core;
    uint32_t dp_id;       /* of the SW-DP */
    uint32_t jtag_id;     /* of the JTAG-DP */
    uint32_t ap_id;       /* of the AHB-AP */
    uint32_t work_area;   /* RAM that OpenOCD may use */
    uint32_t scratch;     /* 32 bytes of RAM for a few instructions of ours, put back after use */
    uint32_t vectors;     /* where the core boots from */
    uint32_t memory_base; /* what keeps its content without power */
    uint32_t memory_size;
    bool erased_ones;     /* 0xff where nothing was written, as flash has */
    unsigned breakpoints; /* comparators of the FPB */
    bool locked;          /* nothing answers but what the callbacks below serve */
    bool secure;          /* Armv8-M in Secure state, whose registers qtest does not see */
    bool fpb_version_2;   /* they hold the whole address, as on the M7 and Armv8-M */
    unsigned watchpoints; /* of the DWT */
    /*
     * Registers the chip serves itself. Return false when the address is none of them. NULL: none.
     */
    bool (*read)(struct target *t, uint32_t address, uint32_t *ret);
    bool (*write)(struct target *t, uint32_t address, int size, uint32_t value);
    /* Put content into the memory that keeps it; the core stands. NULL: plain writes do. */
    bool (*fill)(struct target *t, const uint8_t *content);
};

extern const struct chip chip_nrf51;
extern const struct chip chip_same54;
/* The same chips as somebody left them. */
extern const struct chip chip_nrf51_protected;
extern const struct chip chip_same54_secured;
extern const struct chip chip_same54_unknown;
extern const struct chip chip_cm3;
extern const struct chip chip_cm4;
extern const struct chip chip_cm7;
extern const struct chip chip_cm55;

/* name: NULL for the first that fits the machine. NULL with err when there is none. */
const struct chip *chip_find(const char *name, const char *machine, struct err *err);

#endif
