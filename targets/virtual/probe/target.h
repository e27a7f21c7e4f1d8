/*
 * The chip behind the probe: the bus as the debugger's MEM-AP sees it, and the debug block of a
 * Cortex-M core (DHCSR, DCRSR, DEMCR, FPB, DWT, ROM table), which QEMU does not have, played on
 * top of the machine's gdbstub.
 *
 *   target_bus.c     where an access goes; write combining
 *   target_debug.c   the debug registers
 *   target_run.c     halt, run, step, reset, why it stopped
 *   target_regs.c    core registers, special ones by injected instructions
 *   target_break.c   breakpoints, watchpoints, BKPT opcodes, the HardFault catch
 *
 * Accesses return false for a bus error. While the machine is gone every access is one.
 */
#ifndef TARGETS_VIRTUAL_PROBE_TARGET_H
#define TARGETS_VIRTUAL_PROBE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "targets/virtual/probe/chip.h"
#include "targets/virtual/probe/vm.h"

#define TARGET_BREAKPOINTS 8
#define TARGET_WATCHPOINTS 4
#define TARGET_SOFT        256
#define TARGET_COMBINE     4096
#define TARGET_PAGE        512u /* of a flash controller with a page buffer */

/* Bits of DHCSR, DEMCR and DFSR, as in the Armv7-M Architecture Reference Manual, chapter C1. */
enum {
    C_DEBUGEN = 1,
    C_HALT = 2,
    C_STEP = 4,
    C_MASKINTS = 8,
    VC_CORERESET = 1,
    VC_HARDERR = 1 << 10,
    DFSR_HALTED = 1,
    DFSR_BKPT = 2,
    DFSR_DWT = 4,
    DFSR_VCATCH = 8
};

struct watchpoint {
    uint32_t address;
    uint32_t mask;
    uint32_t function;
    int armed; /* enum vm_break; 0: not */
    uint32_t armed_at;
    unsigned armed_length;
};

struct page_buffer {
    uint8_t bytes[TARGET_PAGE];
    uint32_t page; /* address of the page that was written to last */
    uint32_t address;
    uint16_t flags;
    uint16_t control;
};

struct target {
    const struct chip *chip;
    struct vm vm;
    /* debug block */
    uint32_t dhcsr;
    uint32_t dcrdr;
    uint32_t demcr;
    uint32_t dfsr;
    bool halted;    /* in debug state */
    bool lockup;    /* the core has given up: nothing runs until a reset or a new PC */
    bool was_reset; /* S_RESET_ST */
    bool retired;   /* S_RETIRE_ST */
    bool held;      /* nRST is low */
    bool frozen;    /* a fault has stopped its clock */
    unsigned resets_seen;
    unsigned resets_done; /* by the debugger, since ever */
    /* breakpoints */
    uint32_t fp_control;
    uint32_t fp_compare[TARGET_BREAKPOINTS];
    uint32_t hard[2 * TARGET_BREAKPOINTS]; /* what is armed in the machine */
    int hard_count;
    uint32_t soft[TARGET_SOFT]; /* BKPT opcodes the debugger wrote */
    int soft_count;
    uint32_t catch_at; /* HardFault handler; 0: not armed */
    struct watchpoint watch[TARGET_WATCHPOINTS];
    /* what is known of a halted core */
    uint32_t regs[17];
    bool regs_known;
    uint32_t special[3]; /* MSP, PSP, CONTROL:FAULTMASK:BASEPRI:PRIMASK */
    bool special_known;
    /* writes on their way */
    uint8_t combined[TARGET_COMBINE];
    uint32_t combined_at;
    uint32_t combined_size;
    /* flash */
    struct page_buffer pages;
    bool store_dirty; /* it may differ from what was saved */
};

void target_init(struct target *t, const struct chip *chip);

/* Power comes on: a machine that stands, never ran, and gets this content. */
bool target_power_on(struct target *t, const uint8_t *content, bool locked_up);

/* ---- bus ---- */
bool target_read(struct target *t, uint32_t address, int size, uint32_t *ret);
bool target_write(struct target *t, uint32_t address, int size, uint32_t value);
/* len is a multiple of size, both from the wire; on a bus error what was read so far stays. */
bool target_read_block(struct target *t, uint32_t address, int size, uint8_t *data, uint32_t len);
bool target_write_block(struct target *t, uint32_t address, int size, const uint8_t *data,
                        uint32_t len);
void target_flush(struct target *t);

/* ---- run ---- */
void target_attend(struct target *t); /* what the machine did meanwhile */
void target_run(struct target *t);
void target_control(struct target *t, uint32_t value); /* a write of DHCSR */
uint32_t target_status(struct target *t);              /* a read of it */
void target_system_reset(struct target *t);
void target_reset_line(struct target *t, bool low);
void target_rearm(struct target *t);  /* breakpoints were changed: a running core must meet them */
void target_freeze(struct target *t); /* until a reset */

/* ---- debug registers ---- */
bool target_is_private(uint32_t address);
bool target_debug_read(struct target *t, uint32_t address, uint32_t *ret);
bool target_debug_write(struct target *t, uint32_t address, uint32_t value);

/* ---- core registers, by their DCRSR numbers ---- */
void target_load_regs(struct target *t);
void target_forget_regs(struct target *t);
bool target_load_special(struct target *t);
uint32_t target_core_get(struct target *t, unsigned number);
void target_core_set(struct target *t, unsigned number, uint32_t value);

/* A word of the system control space, as the state that the core is in sees it. */
bool target_scs_get(struct target *t, uint32_t address, uint32_t *ret);
bool target_scs_put(struct target *t, uint32_t address, uint32_t value);

/* ---- breakpoints ---- */
void target_arm(struct target *t, bool on);
void target_scan(struct target *t, uint32_t address, const uint8_t *data, uint32_t len);
bool target_breaks_at(const struct target *t, uint32_t pc);
void target_watch(struct target *t, unsigned n, uint32_t function);
void target_forget_breaks(struct target *t); /* the machine that had them is gone */

#endif
