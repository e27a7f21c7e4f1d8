/* Halt, run, step and reset, and what a stop of the machine means to a debugger. */
#include <string.h>

#include "targets/virtual/probe/target.h"

#define HFSR       0xe000ed2cu
#define HARD_FAULT 3
#define IPSR       0x1ffu

enum {
    S_REGRDY = 1 << 16,
    S_HALT = 1 << 17,
    S_LOCKUP = 1 << 19,
    S_RETIRE_ST = 1 << 24,
    S_RESET_ST = 1 << 25
};

void target_init(struct target *t, const struct chip *chip)
{
    *t = (struct target){.chip = chip};
    t->vm.memory.fd = -1;
    t->vm.debug.fd = -1;
    t->vm.orders.fd = -1;
    vm_close(&t->vm);
}

/* Hardware sets C_HALT on any entry into debug state, and debuggers write back what they read. */
static void enter_debug(struct target *t, uint32_t reason)
{
    t->halted = true;
    t->dhcsr |= C_HALT;
    t->dfsr |= reason;
}

static void go_on(struct target *t)
{
    target_forget_regs(t);
    vm_continue(&t->vm);
}

void target_run(struct target *t)
{
    target_flush(t);
    t->halted = false;
    t->retired = true;
    if (t->held || t->lockup || t->frozen || t->vm.broken)
        return;
    t->store_dirty = true;
    target_arm(t, true);
    go_on(t);
}

/* ---- why it stopped ---- */

static bool step_at_scratch(struct target *t, uint16_t opcode)
{
    const uint8_t bytes[2] = {(uint8_t)opcode, (uint8_t)(opcode >> 8)};

    return vm_write(&t->vm, t->chip->scratch, bytes, 2) &&
           vm_set_register(&t->vm, 15, t->chip->scratch) && vm_step(&t->vm);
}

/*
 * A BKPT of the firmware escalated to HardFault. Go back to it as if it had halted the core there:
 * return from the exception with interrupts masked (or a pending one would be taken on the way).
 */
static void unwind(struct target *t, uint32_t pc)
{
    uint8_t saved[2];
    bool masked;

    if (!vm_read(&t->vm, t->chip->scratch, saved, 2) || !target_load_special(t))
        return;
    masked = (t->special[2] & 1) != 0;
    target_arm(t, false);
    (void)step_at_scratch(t, 0xb672); /* cpsid i */
    (void)step_at_scratch(t, 0x4770); /* bx lr */
    if (!masked) {
        (void)step_at_scratch(t, 0xb662); /* cpsie i */
        (void)vm_set_register(&t->vm, 15, pc);
    }
    (void)vm_write(&t->vm, t->chip->scratch, saved, 2);
    (void)vm_put(&t->vm, HFSR, 4, 0xffffffff);
    target_forget_regs(t);
}

/* Where the exception came from, if a BKPT lies there. */
static bool faulted_on_bkpt(struct target *t, uint32_t *ret_pc)
{
    uint32_t sp = t->regs[13];
    uint32_t pc;
    uint32_t opcode;

    if ((t->regs[14] & 4) != 0) { /* EXC_RETURN: the frame is on the process stack */
        if (!target_load_special(t))
            return false;
        sp = t->special[1];
    }
    if (!target_read(t, sp + 24, 4, &pc) || !target_read(t, pc & ~1u, 2, &opcode))
        return false;
    *ret_pc = pc & ~1u;
    return (opcode & 0xff00) == 0xbe00;
}

static void step_over_and_run(struct target *t)
{
    target_arm(t, false);
    (void)vm_step(&t->vm);
    target_forget_regs(t);
    target_run(t);
}

static void stopped_in_hard_fault(struct target *t)
{
    uint32_t pc;

    if (faulted_on_bkpt(t, &pc)) {
        unwind(t, pc);
        enter_debug(t, DFSR_BKPT);
    } else if ((t->demcr & VC_HARDERR) != 0) {
        enter_debug(t, DFSR_VCATCH);
    } else {
        step_over_and_run(t);
    }
}

static void stopped_by_watchpoint(struct target *t)
{
    for (unsigned i = 0; i < t->chip->watchpoints; i++) {
        if ((t->watch[i].function & 15) != 0)
            t->watch[i].function |= 1u << 24;
    }
    enter_debug(t, DFSR_DWT);
}

static void stopped(struct target *t)
{
    bool user;

    target_forget_regs(t);
    target_load_regs(t);
    if (!t->regs_known)
        return;
    user = target_breaks_at(t, t->regs[15]);
    if (strstr(t->vm.stop_reply, "watch:") != NULL) {
        stopped_by_watchpoint(t);
    } else if (t->catch_at != 0 && t->regs[15] == t->catch_at &&
               (t->regs[16] & IPSR) == HARD_FAULT) {
        stopped_in_hard_fault(t);
    } else if (t->catch_at != 0 && t->regs[15] == t->catch_at && !user &&
               strncmp(t->vm.stop_reply, "T05", 3) == 0) {
        step_over_and_run(t); /* it went there without an exception */
    } else {
        enter_debug(t, user ? DFSR_BKPT : DFSR_HALTED);
    }
}

void target_attend(struct target *t)
{
    if (vm_poll_stop(&t->vm, 0))
        stopped(t);
    vm_drain_orders(&t->vm);
    if (t->vm.resets != t->resets_seen) {
        t->resets_seen = t->vm.resets;
        t->was_reset = true;
    }
}

/* ---- DHCSR ---- */

static void halt(struct target *t)
{
    if (!t->vm.running) { /* locked up, frozen, or just stopped */
        enter_debug(t, DFSR_HALTED);
        target_forget_regs(t);
        return;
    }
    if (!vm_halt(&t->vm))
        return;
    stopped(t);
    if (!t->halted && t->vm.running && vm_halt(&t->vm))
        stopped(t);
}

static void step(struct target *t)
{
    target_flush(t);
    target_arm(t, false);
    if (!t->lockup && !t->frozen)
        (void)vm_step(&t->vm);
    target_forget_regs(t);
    t->store_dirty = true;
    t->retired = true;
    enter_debug(t, DFSR_HALTED);
}

void target_rearm(struct target *t)
{
    if (!t->vm.running || !vm_halt(&t->vm))
        return;
    if (strncmp(t->vm.stop_reply, "T02", 3) != 0) { /* it met one just now */
        stopped(t);
        if (t->halted || t->vm.running)
            return;
    }
    target_forget_regs(t);
    target_arm(t, true);
    go_on(t);
}

void target_control(struct target *t, uint32_t value)
{
    const uint32_t before = t->dhcsr;

    target_attend(t);
    t->dhcsr = value & 0x2f;
    if ((t->dhcsr & C_DEBUGEN) == 0) {
        t->dhcsr = 0;
        if (t->halted)
            target_run(t);
        else if ((before & C_DEBUGEN) != 0)
            target_rearm(t);
    } else if ((t->dhcsr & C_HALT) != 0) {
        if (!t->halted && !t->held)
            halt(t);
    } else if (t->halted) {
        (t->dhcsr & C_STEP) != 0 ? step(t) : target_run(t);
    } else if ((before & C_DEBUGEN) == 0) {
        target_rearm(t);
    }
}

uint32_t target_status(struct target *t)
{
    uint32_t v;

    target_attend(t);
    v = t->dhcsr | S_REGRDY;
    if (t->halted) {
        v |= S_HALT;
    } else {
        v |= t->lockup ? S_LOCKUP : 0;
        v |= t->vm.running || t->retired ? S_RETIRE_ST : 0;
        t->retired = false;
    }
    v |= t->was_reset ? S_RESET_ST : 0;
    t->was_reset = t->held;
    return v;
}

/* ---- reset ---- */

/* A core that boots from a blank memory faults inside its fault handler, and QEMU would abort. */
static bool can_boot(struct target *t)
{
    const struct vm_region *r;
    uint32_t sp;
    uint32_t pc;

    if (!vm_get(&t->vm, t->chip->vectors, 4, &sp) || !vm_get(&t->vm, t->chip->vectors + 4, 4, &pc))
        return false;
    r = vm_region(&t->vm, pc & ~1u);
    return (pc & 1) != 0 && (sp & 3) == 0 && r != NULL && r->kind != VM_IO;
}

static void come_out_of_reset(struct target *t, bool locked_up)
{
    target_forget_regs(t);
    t->was_reset = true;
    t->resets_seen = t->vm.resets;
    t->halted = false;
    t->frozen = false;
    t->lockup = locked_up || !can_boot(t);
    if ((t->dhcsr & C_DEBUGEN) != 0 && (t->demcr & VC_CORERESET) != 0) {
        enter_debug(t, DFSR_VCATCH);
        return;
    }
    t->dhcsr &= C_DEBUGEN; /* C_HALT, C_STEP and C_MASKINTS do not survive */
    target_run(t);
}

void target_system_reset(struct target *t)
{
    target_flush(t);
    if (!vm_halt(&t->vm) || !vm_reset(&t->vm))
        return;
    t->resets_done++;
    if (!t->held)
        come_out_of_reset(t, false);
}

void target_reset_line(struct target *t, bool low)
{
    if (low && !t->held) {
        target_flush(t);
        (void)vm_halt(&t->vm);
        t->held = true;
        t->was_reset = true;
    } else if (!low && t->held) {
        t->held = false;
        target_system_reset(t);
    }
}

void target_freeze(struct target *t)
{
    (void)vm_halt(&t->vm);
    t->frozen = true;
}

bool target_power_on(struct target *t, const uint8_t *content, bool locked_up)
{
    const struct chip *c = t->chip;

    target_forget_breaks(t);
    t->combined_size = 0;
    t->held = false;
    t->halted = false;
    t->dfsr = 0;
    if (!locked_up) { /* else it is the same power-on still, and a debugger may be there */
        t->dhcsr = 0;
        t->demcr = 0;
        t->fp_control = 0;
        memset(t->fp_compare, 0, sizeof(t->fp_compare));
        memset(t->watch, 0, sizeof(t->watch));
    }
    memset(&t->pages, 0, sizeof(t->pages));
    memset(t->pages.bytes, 0xff, sizeof(t->pages.bytes));
    if (!(c->fill != NULL ? c->fill(t, content)
                          : vm_write(&t->vm, c->memory_base, content, c->memory_size)) ||
        !vm_reset(&t->vm))
        return false;
    t->store_dirty = false;
    come_out_of_reset(t, locked_up);
    return !t->vm.broken;
}
