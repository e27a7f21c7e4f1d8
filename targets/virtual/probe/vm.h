/*
 * The emulated machine as the probe sees it, over three of QEMU's own interfaces:
 *   qtest    memory as the CPU sees it, MMIO included, while the guest runs or stands;
 *   gdbstub  run control, registers, breakpoints;
 *   QMP      system reset and the memory map.
 * RAM and ROM are read straight from the process (process_vm_readv), which no guest can notice.
 *
 * Functions that return bool say false when the machine is gone or does not answer; `broken` is set
 * then, and nothing is ever waited for again. Never called with the emulator's own order stream.
 */
#ifndef TARGETS_VIRTUAL_PROBE_VM_H
#define TARGETS_VIRTUAL_PROBE_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/base.h"
#include "harness/base/err.h"
#include "targets/virtual/probe/stream.h"

#define VM_REGIONS_MAX 160
#define VM_REPLY_MAX   8192 /* of the gdbstub */
#define VM_PATIENCE_MS 5000
#define VM_XPSR        25 /* its register number in the gdbstub */
#define VM_FPSCR       42
#define VM_D0          26

enum vm_memory {
    VM_RAM,
    VM_ROM,
    VM_ROM_DEVICE, /* reads are memory, writes go to a model */
    VM_IO
};

struct vm_region {
    uint32_t first;
    uint32_t last;
    enum vm_memory kind;
    uint64_t host; /* address in QEMU's process; 0: unknown */
};

enum vm_break {
    VM_BREAK_SOFT,
    VM_BREAK_HARD,
    VM_WATCH_WRITE,
    VM_WATCH_READ,
    VM_WATCH_ACCESS
};

struct vm {
    struct stream memory;
    struct stream debug;
    struct stream orders;
    pid_t pid;
    struct vm_region regions[VM_REGIONS_MAX];
    int region_count;
    bool direct;         /* process_vm_readv works */
    bool running;        /* as far as we know */
    bool broken;         /* gone, or does not answer */
    unsigned resets;     /* seen to complete, whoever asked */
    char stop_reply[80]; /* the gdbstub's last */
};

/* The streams' order in the argument of vm_open(). */
enum vm_stream {
    VM_STREAM_MEMORY,
    VM_STREAM_DEBUG,
    VM_STREAM_ORDERS,
    VM_STREAMS
};

/*
 * Take over our ends of the sockets of a QEMU that was started with -S; learn its memory map; check
 * that the CPU's identification can be read (qtest promises nothing between versions).
 */
int vm_open(struct vm *vm, int fds[static VM_STREAMS], pid_t pid, struct err *err) MUST_CHECK;
void vm_close(struct vm *vm);

const struct vm_region *vm_region(const struct vm *vm, uint32_t address); /* NULL: nothing there */

/* ---- memory (vm_memory.c) ---- */
bool vm_read(struct vm *vm, uint32_t address, void *data, size_t n);
bool vm_write(struct vm *vm, uint32_t address, const void *data, size_t n);
/* One access of 1, 2 or 4 bytes. */
bool vm_get(struct vm *vm, uint32_t address, int size, uint32_t *ret);
bool vm_put(struct vm *vm, uint32_t address, int size, uint32_t value);

/* ---- run control (vm_debug.c) ---- */
void vm_continue(struct vm *vm);
bool vm_halt(struct vm *vm);
bool vm_step(struct vm *vm);
/* True when the machine has just stopped; the reason is in stop_reply. */
bool vm_poll_stop(struct vm *vm, unsigned wait_ms);
bool vm_get_registers(struct vm *vm, uint32_t regs[static 17]); /* r0..r15, xPSR */
bool vm_set_register(struct vm *vm, int number, uint32_t value);
bool vm_get_double(struct vm *vm, int n, uint64_t *ret);
bool vm_set_double(struct vm *vm, int n, uint64_t value);
bool vm_get_word(struct vm *vm, int number, uint32_t *ret); /* any 32-bit register */
bool vm_break(struct vm *vm, bool set, enum vm_break kind, uint32_t address, unsigned length);

/* Ask for the target description, which makes the FPU's registers known. */
bool vm_debug_start(struct vm *vm);

/* ---- orders (vm_orders.c) ---- */
bool vm_reset(struct vm *vm); /* it must stand; it stays so */
void vm_drain_orders(struct vm *vm);
/* A word as the core would read it, also of what only its Secure state sees; it may run. */
bool vm_peek(struct vm *vm, uint32_t address, uint32_t *ret);
bool vm_orders_start(struct vm *vm); /* greeting, capabilities, memory map */

#endif
