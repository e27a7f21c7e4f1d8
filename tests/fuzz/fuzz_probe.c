/*
 * What a debugger may send to the emulated probe: the ST-Link's messages, the J-Link's, single pins.
 * The machine behind it is played here, in the place of vm_memory.c, vm_debug.c and vm_orders.c: a
 * stretch of memory, sixteen registers, and a core that stops as soon as somebody looks.
 */
#include <stdlib.h>
#include <string.h>

#include "targets/virtual/probe/bitbang.h"
#include "targets/virtual/probe/jlink.h"
#include "targets/virtual/probe/stlink.h"
#include "tests/fuzz/fuzz.h"

#define OUT_MAX (1u << 20)
#define RAM     0x20000000u

static uint8_t memory[65536];
static uint32_t registers[VM_FPSCR + 1];

/* ---- the machine ---- */

static uint8_t *place(uint32_t address, size_t n)
{
    return address >= RAM && address - RAM <= sizeof(memory) - n ? memory + (address - RAM) : NULL;
}

bool vm_read(struct vm *vm, uint32_t address, void *data, size_t n)
{
    memset(data, 0x5a, n);
    if (n <= sizeof(memory) && place(address, n) != NULL)
        memcpy(data, place(address, n), n);
    return true;
}

bool vm_write(struct vm *vm, uint32_t address, const void *data, size_t n)
{
    if (n <= sizeof(memory) && place(address, n) != NULL)
        memcpy(place(address, n), data, n);
    return true;
}

bool vm_get(struct vm *vm, uint32_t address, int size, uint32_t *ret)
{
    *ret = address ^ 0x20000401;
    return true;
}

bool vm_put(struct vm *vm, uint32_t address, int size, uint32_t value)
{
    return true;
}

void vm_continue(struct vm *vm)
{
    vm->running = true;
}

bool vm_halt(struct vm *vm)
{
    memcpy(vm->stop_reply, "T02", 4);
    vm->running = false;
    return true;
}

bool vm_step(struct vm *vm)
{
    registers[15] += 2;
    return true;
}

bool vm_poll_stop(struct vm *vm, unsigned wait_ms)
{
    if (!vm->running)
        return false;
    memcpy(vm->stop_reply, "T05", 4);
    vm->running = false;
    return true;
}

bool vm_get_registers(struct vm *vm, uint32_t regs[static 17])
{
    memcpy(regs, registers, 16 * sizeof(*regs));
    regs[16] = registers[VM_XPSR];
    return true;
}

bool vm_set_register(struct vm *vm, int number, uint32_t value)
{
    if (number < 0 || number > VM_FPSCR)
        abort();
    registers[number] = value;
    return true;
}

bool vm_get_double(struct vm *vm, int n, uint64_t *ret)
{
    *ret = registers[VM_D0 + n];
    return true;
}

bool vm_set_double(struct vm *vm, int n, uint64_t value)
{
    return vm_set_register(vm, VM_D0 + n, (uint32_t)value);
}

bool vm_get_word(struct vm *vm, int number, uint32_t *ret)
{
    *ret = registers[number];
    return true;
}

bool vm_break(struct vm *vm, bool set, enum vm_break kind, uint32_t address, unsigned length)
{
    return true;
}

bool vm_debug_start(struct vm *vm)
{
    return true;
}

bool vm_reset(struct vm *vm)
{
    vm->resets++;
    return true;
}

void vm_drain_orders(struct vm *vm)
{
}

bool vm_peek(struct vm *vm, uint32_t address, uint32_t *ret)
{
    return vm_get(vm, address, 4, ret);
}

bool vm_orders_start(struct vm *vm)
{
    return true;
}

static void open_target(struct target *t, const struct chip *chip)
{
    target_init(t, chip);
    t->vm.broken = false;
    t->vm.regions[0] =
        (struct vm_region){.first = RAM, .last = RAM + sizeof(memory) - 1, .kind = VM_RAM};
    t->vm.regions[1] = (struct vm_region){.first = 0x40000000, .last = 0x4fffffff, .kind = VM_IO};
    t->vm.regions[2] = (struct vm_region){.first = 0, .last = 0x3ffff, .kind = VM_ROM_DEVICE};
    t->vm.region_count = 3;
    memset(registers, 0, sizeof(registers));
}

/* ---- the front-ends ---- */

struct front {
    struct stlink stlink;
    struct jlink jlink;
    struct bitbang bitbang;
};

static long serve(struct front *f, int kind, const struct buf *in, struct buf *out)
{
    const uint8_t *at = (const uint8_t *)in->data;

    if (kind == 0)
        return stlink_serve(&f->stlink, at, in->len, out);
    if (kind == 1)
        return jlink_serve(&f->jlink, at, in->len, out);
    return bitbang_serve(&f->bitbang, at, in->len, out);
}

/* Faults of the wire come and go as the input has it. */
static size_t may_pass(void *context, size_t wanted, enum dap_result *ret)
{
    unsigned *noise = context;

    *noise = *noise * 1664525u + 1013904223u;
    if (*noise >> 28 != 0)
        return wanted;
    *ret = (enum dap_result)(1 + (*noise >> 20 & 3));
    return wanted / 2;
}

/* The first byte chooses the front-end, the chip and the size of the pieces that come in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct front f;
    static struct target t;
    AUTO_BUF in = {.limit = 1u << 20};
    AUTO_BUF out = {.limit = OUT_MAX};
    struct dap dap;
    unsigned noise = (unsigned)size;
    const uint8_t choice = size > 0 ? data[0] : 0;
    const size_t piece = choice >> 4 == 0 ? size : (size_t)(choice >> 4) * 7;

    open_target(&t, (choice & 4) != 0 ? &chip_nrf51 : &chip_same54);
    dap_init(&dap, &t);
    if ((choice & 8) != 0) {
        dap.may_pass = may_pass;
        dap.context = &noise;
    }
    stlink_init(&f.stlink, &dap, "fuzz");
    jlink_init(&f.jlink, &dap);
    bitbang_init(&f.bitbang, &dap);
    for (size_t at = 1; at < size; at += piece) {
        long taken;

        buf_append(&in, data + at, piece < size - at ? piece : size - at);
        taken = serve(&f, choice & 3, &in, &out);
        if (taken > (long)in.len)
            abort();
        if (taken < 0)
            break;
        buf_consume(&in, (size_t)taken);
        if (out.len > OUT_MAX / 2)
            buf_clear(&out);
    }
    vm_close(&t.vm);
    return 0;
}
