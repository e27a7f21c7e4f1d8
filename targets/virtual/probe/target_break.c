/*
 * Breakpoints. FPB comparators and watchpoints become the machine's own. A BKPT opcode does not
 * stop QEMU (it escalates to HardFault), so each one that the debugger writes into RAM gets a
 * breakpoint of the machine, and while a debugger is there the HardFault handler has one too:
 * target_run.c looks what brought the core there.
 */
#include "targets/virtual/probe/target.h"

#define VTOR       0xe000ed08u
#define HARD_FAULT 3
#define NMI        2
#define CODE_MAX   1024u /* a loader and its like; longer firmware has the HardFault catch */

static bool is_standing(const struct target *t)
{
    return !t->vm.running && !t->vm.broken;
}

static void drop_soft(struct target *t, int i)
{
    (void)vm_break(&t->vm, false, VM_BREAK_SOFT, t->soft[i], 2);
    t->soft[i] = t->soft[--t->soft_count];
}

/*
 * Memory was written. A running core is left alone: what a flash driver streams to its loader
 * contains bytes of any value, and stopping the machine for each would be wrong as well as slow.
 */
void target_scan(struct target *t, uint32_t address, const uint8_t *data, uint32_t len)
{
    if (!is_standing(t))
        return;
    for (int i = 0; i < t->soft_count;) {
        if (t->soft[i] + 1 >= address && t->soft[i] < address + len)
            drop_soft(t, i);
        else
            i++;
    }
    if (len > CODE_MAX)
        return; /* bulk data: what looks like a BKPT in it is none */
    for (uint32_t k = address & 1; k + 1 < len; k += 2) {
        if (data[k + 1] != 0xbe)
            continue;
        if (t->soft_count == TARGET_SOFT)
            drop_soft(t, 0); /* an old one: the loader that was written last needs its own */
        t->soft[t->soft_count++] = address + k;
        (void)vm_break(&t->vm, true, VM_BREAK_SOFT, address + k, 2);
    }
}

bool target_breaks_at(const struct target *t, uint32_t pc)
{
    for (int i = 0; i < t->hard_count; i++) {
        if (t->hard[i] == pc)
            return true;
    }
    for (int i = 0; i < t->soft_count; i++) {
        if (t->soft[i] == pc)
            return true;
    }
    return false;
}

static void disarm(struct target *t)
{
    for (int i = 0; i < t->hard_count; i++)
        (void)vm_break(&t->vm, false, VM_BREAK_HARD, t->hard[i], 2);
    t->hard_count = 0;
    if (t->catch_at != 0)
        (void)vm_break(&t->vm, false, VM_BREAK_HARD, t->catch_at, 2);
    t->catch_at = 0;
}

static void list_whole_addresses(struct target *t)
{
    for (unsigned i = 0; i < t->chip->breakpoints; i++) {
        if ((t->fp_compare[i] & 1) != 0)
            t->hard[t->hard_count++] = t->fp_compare[i] & ~1u;
    }
}

/* Version 1 of the FPB: the upper two bits say which halfword of the word at COMP. */
static void list_comparators(struct target *t)
{
    for (unsigned i = 0; i < t->chip->breakpoints; i++) {
        const uint32_t compare = t->fp_compare[i];
        const uint32_t word = compare & 0x1ffffffc;

        if ((compare & 1) == 0)
            continue;
        if ((compare & 1u << 30) != 0)
            t->hard[t->hard_count++] = word;
        if ((compare & 1u << 31) != 0)
            t->hard[t->hard_count++] = word | 2;
    }
}

/* Not while the core is in the handler: `b .` there would be caught for ever. */
static void arm_catch(struct target *t)
{
    uint32_t vectors;
    uint32_t handler;

    target_load_regs(t);
    if (!t->regs_known || (t->regs[16] & 0x1ff) == HARD_FAULT || (t->regs[16] & 0x1ff) == NMI)
        return;
    if (!target_scs_get(t, VTOR, &vectors) || !vm_get(&t->vm, vectors + 12, 4, &handler))
        return;
    handler &= ~1u;
    if (handler >= 0x40 && handler < 0xfffffff0 && vm_region(&t->vm, handler) != NULL &&
        vm_break(&t->vm, true, VM_BREAK_HARD, handler, 2))
        t->catch_at = handler;
}

void target_arm(struct target *t, bool on)
{
    disarm(t);
    if (!on || (t->dhcsr & C_DEBUGEN) == 0)
        return;
    if ((t->fp_control & 1) != 0)
        t->chip->fpb_version_2 ? list_whole_addresses(t) : list_comparators(t);
    for (int i = 0; i < t->hard_count; i++)
        (void)vm_break(&t->vm, true, VM_BREAK_HARD, t->hard[i], 2);
    arm_catch(t);
}

static enum vm_break watch_kind(uint32_t function)
{
    switch (function & 15) {
    case 5:
        return VM_WATCH_READ;
    case 6:
        return VM_WATCH_WRITE;
    case 7:
        return VM_WATCH_ACCESS;
    default:
        return VM_BREAK_SOFT; /* none */
    }
}

void target_watch(struct target *t, unsigned n, uint32_t function)
{
    struct watchpoint *w = &t->watch[n];
    const enum vm_break kind = watch_kind(function);
    const bool was_running = t->vm.running;

    w->function = function;
    (void)vm_halt(&t->vm);
    if (w->armed != 0)
        (void)vm_break(&t->vm, false, (enum vm_break)w->armed, w->armed_at, w->armed_length);
    w->armed = 0;
    w->armed_at = w->address;
    w->armed_length = 1u << w->mask;
    if (kind != VM_BREAK_SOFT && vm_break(&t->vm, true, kind, w->armed_at, w->armed_length))
        w->armed = (int)kind;
    if (was_running && !t->vm.broken)
        vm_continue(&t->vm);
}

void target_forget_breaks(struct target *t)
{
    t->hard_count = 0;
    t->soft_count = 0;
    t->catch_at = 0;
    for (int i = 0; i < TARGET_WATCHPOINTS; i++)
        t->watch[i].armed = 0;
}
