/*
 * Core registers. The gdbstub has r0 to r15, xPSR and the FPU; stack pointers and masks are read
 * and written by a few MRS and MSR instructions in scratch RAM, stepped with interrupts and timers
 * frozen and everything put back afterwards.
 */
#include <string.h>

#include "targets/virtual/probe/target.h"

#define SCRATCH     32
#define IT_BITS     0x0600fc00u /* xPSR: an IT block would make our instructions conditional */
#define THUMB       0x01000000u /* and so would its absence, after a reset into blank memory */
#define CODE_MAX    12          /* halfwords */
#define ICSR        0xe000ed04u
#define PENDSVSET   (1u << 28)
#define PENDSVCLR   (1u << 27)
#define DCRSR_PC    15
#define DCRSR_MSP   17
#define DCRSR_PSP   18
#define DCRSR_MASKS 20
#define DCRSR_FPSCR 33
#define DCRSR_S0    64

void target_load_regs(struct target *t)
{
    if (!t->regs_known)
        t->regs_known = vm_get_registers(&t->vm, t->regs);
}

void target_forget_regs(struct target *t)
{
    t->regs_known = false;
    t->special_known = false;
}

static bool is_awkward(uint32_t xpsr)
{
    return (xpsr & IT_BITS) != 0 || (xpsr & THUMB) == 0;
}

static void put_back(struct target *t, const uint32_t saved[static 17],
                     const uint32_t now[static 17])
{
    for (int i = 0; i < 13; i++) {
        if (saved[i] != now[i])
            (void)vm_set_register(&t->vm, i, saved[i]);
    }
    if (is_awkward(saved[16]))
        (void)vm_set_register(&t->vm, VM_XPSR, saved[16]);
    (void)vm_set_register(&t->vm, 15, saved[15]);
    t->regs_known = false;
}

/* Run `steps` instructions of 32 bits; r0 is `in` before, r0.. go to out after. */
static bool inject(struct target *t, const uint16_t *code, int steps, uint32_t in, uint32_t *out)
{
    const uint32_t scratch = t->chip->scratch;
    uint8_t memory[SCRATCH];
    uint8_t bytes[2 * CODE_MAX];
    uint32_t saved[17];
    uint32_t now[17];

    target_load_regs(t);
    memcpy(saved, t->regs, sizeof(saved));
    for (size_t i = 0; i < 2 * (size_t)steps; i++) {
        bytes[2 * i] = (uint8_t)code[i];
        bytes[2 * i + 1] = (uint8_t)(code[i] >> 8);
    }
    if (!t->regs_known || !vm_read(&t->vm, scratch, memory, sizeof(memory)) ||
        !vm_write(&t->vm, scratch, bytes, 4 * (size_t)steps))
        return false;
    if (out == NULL)
        (void)vm_set_register(&t->vm, 0, in);
    if (is_awkward(saved[16]))
        (void)vm_set_register(&t->vm, VM_XPSR, (saved[16] & ~IT_BITS) | THUMB);
    (void)vm_set_register(&t->vm, 15, scratch);
    for (int i = 0; i < steps; i++)
        (void)vm_step(&t->vm);
    if (!vm_get_registers(&t->vm, now))
        return false;
    if (out != NULL)
        memcpy(out, now, (size_t)steps * sizeof(*out));
    put_back(t, saved, now);
    return vm_write(&t->vm, scratch, memory, sizeof(memory));
}

bool target_load_special(struct target *t)
{
    /* MRS r0..r5: MSP, PSP, CONTROL... in the order of SYSm below */
    static const uint16_t code[CODE_MAX] = {
        0xf3ef, 0x8008, /* MSP */
        0xf3ef, 0x8109, /* PSP */
        0xf3ef, 0x8214, /* CONTROL */
        0xf3ef, 0x8310, /* PRIMASK */
        0xf3ef, 0x8411, /* BASEPRI */
        0xf3ef, 0x8513, /* FAULTMASK */
    };
    uint32_t v[6] = {0};

    if (t->special_known)
        return true;
    if (!inject(t, code, t->chip->core == CORE_M0 ? 4 : 6, 0, v))
        return false;
    t->special[0] = v[0];
    t->special[1] = v[1];
    t->special[2] = v[2] << 24 | (v[5] & 255) << 16 | (v[4] & 255) << 8 | (v[3] & 255);
    t->special_known = true;
    return true;
}

static void write_special(struct target *t, unsigned sysm, uint32_t value)
{
    const uint16_t code[2] = {0xf380, (uint16_t)(0x8800u | sysm)}; /* MSR SYSm, r0 */

    (void)inject(t, code, 1, value, NULL);
    t->special_known = false;
}

static void write_masks(struct target *t, uint32_t value)
{
    static const struct {
        unsigned shift;
        unsigned sysm;
        bool every_core;
    } fields[] = {{24, 20, true}, {16, 19, false}, {8, 17, false}, {0, 16, true}};
    uint32_t differs;

    if (!target_load_special(t))
        return;
    differs = t->special[2] ^ value;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if ((differs >> fields[i].shift & 255) != 0 &&
            (fields[i].every_core || t->chip->core != CORE_M0))
            write_special(t, fields[i].sysm, value >> fields[i].shift & 255);
    }
}

static uint32_t get_special(struct target *t, unsigned number)
{
    if (!target_load_special(t))
        return 0;
    return t->special[number == DCRSR_MASKS ? 2 : number - DCRSR_MSP];
}

static uint32_t get_single(struct target *t, unsigned n)
{
    uint64_t pair = 0;

    (void)vm_get_double(&t->vm, (int)(n / 2), &pair);
    return (uint32_t)(pair >> (n % 2 != 0 ? 32 : 0));
}

static void set_single(struct target *t, unsigned n, uint32_t value)
{
    const unsigned shift = n % 2 != 0 ? 32 : 0;
    uint64_t pair = 0;

    if (vm_get_double(&t->vm, (int)(n / 2), &pair))
        (void)vm_set_double(&t->vm, (int)(n / 2),
                            (pair & ~(0xffffffffull << shift)) | (uint64_t)value << shift);
}

uint32_t target_core_get(struct target *t, unsigned number)
{
    uint32_t v = 0;

    if (t->lockup && number == DCRSR_PC)
        return 0xfffffffe;
    if (number <= 16) {
        target_load_regs(t);
        return t->regs_known ? t->regs[number] : 0;
    }
    if (number == DCRSR_MSP || number == DCRSR_PSP || number == DCRSR_MASKS)
        return get_special(t, number);
    if (number == DCRSR_FPSCR)
        (void)vm_get_word(&t->vm, VM_FPSCR, &v);
    else if (number >= DCRSR_S0 && number < DCRSR_S0 + 32)
        v = get_single(t, number - DCRSR_S0);
    return v;
}

static void set_general(struct target *t, unsigned number, uint32_t value)
{
    if (number == DCRSR_PC) {
        t->lockup = false;
        value &= ~1u;
    }
    (void)vm_set_register(&t->vm, number == 16 ? VM_XPSR : (int)number, value);
    target_forget_regs(t);
}

void target_core_set(struct target *t, unsigned number, uint32_t value)
{
    if (number <= 16)
        set_general(t, number, value);
    else if (number == DCRSR_MSP)
        write_special(t, 8, value);
    else if (number == DCRSR_PSP)
        write_special(t, 9, value);
    else if (number == DCRSR_MASKS)
        write_masks(t, value);
    else if (number == DCRSR_FPSCR)
        (void)vm_set_register(&t->vm, VM_FPSCR, value);
    else if (number >= DCRSR_S0 && number < DCRSR_S0 + 32)
        set_single(t, number - DCRSR_S0, value);
}

bool target_scs_get(struct target *t, uint32_t address, uint32_t *ret)
{
    return t->chip->secure ? vm_peek(&t->vm, address, ret) : vm_get(&t->vm, address, 4, ret);
}

/* From outside QEMU writes as Non-secure; so let the core itself do it, in a moment of its time. */
static bool store_by_core(struct target *t, uint32_t address, uint32_t value)
{
    static const uint16_t code[2] = {0x6008, 0xbf00}; /* str r0, [r1]; nop */
    const bool running = t->vm.running;
    uint32_t r1;
    bool good;

    if (running && (!vm_halt(&t->vm) || strncmp(t->vm.stop_reply, "T02", 3) != 0))
        return false;
    target_forget_regs(t);
    target_arm(t, false);
    target_load_regs(t);
    r1 = t->regs[1];
    (void)vm_set_register(&t->vm, 1, address);
    target_forget_regs(t);
    /* A core in WFI does not step. What is pending as Non-secure wakes it; steps take no interrupt. */
    (void)vm_put(&t->vm, ICSR, 4, PENDSVSET);
    good = inject(t, code, 1, value, NULL);
    (void)vm_put(&t->vm, ICSR, 4, PENDSVCLR);
    (void)vm_set_register(&t->vm, 1, r1);
    target_forget_regs(t);
    if (running) {
        target_arm(t, true);
        target_forget_regs(t);
        vm_continue(&t->vm);
    }
    return good;
}

bool target_scs_put(struct target *t, uint32_t address, uint32_t value)
{
    return t->chip->secure ? store_by_core(t, address, value) : vm_put(&t->vm, address, 4, value);
}
