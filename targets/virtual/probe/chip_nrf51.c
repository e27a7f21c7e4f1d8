/*
 * nRF51822 on QEMU's micro:bit. Flash, its controller (NVMC) and the core that runs OpenOCD's
 * programming loop are QEMU's; the factory page (FICR) is ours, for the debugger only: in QEMU 7.2
 * its table is shifted by five words, so that a driver finds a protected chip of no RAM.
 * Register numbers: nRF51 Series Reference Manual 3.0, chapters 7 (FICR) and 6 (NVMC).
 */
#include "targets/virtual/probe/target.h"

#define FICR        0x10000000u
#define NVMC_CONFIG 0x4001e504u
#define NVMC_ERASE  0x4001e50cu /* ERASEALL */

static bool read_register(struct target *t, uint32_t address, uint32_t *ret)
{
    if ((address & ~0xfffu) != FICR)
        return false;
    switch (address & 0xfff) {
    case 0x10: /* CODEPAGESIZE */
        *ret = 0x400;
        break;
    case 0x14: /* CODESIZE, pages */
        *ret = t->chip->memory_size / 0x400;
        break;
    case 0x34: /* NUMRAMBLOCK */
        *ret = 2;
        break;
    case 0x38: /* SIZERAMBLOCKS */
    case 0x3c:
        *ret = 0x2000;
        break;
    case 0x5c: /* CONFIGID: nRF51822-QFAA, build H0 */
        *ret = 0xffff0072;
        break;
    case 0x60: /* DEVICEID */
        *ret = 0x56535744;
        break;
    case 0x64:
        *ret = 1;
        break;
    default:
        *ret = 0xffffffff;
        break;
    }
    return true;
}

/* QEMU's flash starts as zeros; NVMC writes only clear bits. */
static bool fill(struct target *t, const uint8_t *content)
{
    struct vm *vm = &t->vm;

    return vm_put(vm, NVMC_CONFIG, 4, 2) && vm_put(vm, NVMC_ERASE, 4, 1) &&
           vm_put(vm, NVMC_CONFIG, 4, 1) &&
           vm_write(vm, t->chip->memory_base, content, t->chip->memory_size) &&
           vm_put(vm, NVMC_CONFIG, 4, 0);
}

/*
 * One that came with a program of its maker's in region 0: CLENR0 says how much of the flash that
 * is, PPFC that it is there. Nobody but the maker erases it.
 */
static bool read_protected(struct target *t, uint32_t address, uint32_t *ret)
{
    if (address == FICR + 0x28) /* CLENR0 */
        *ret = 0x4000;
    else if (address == FICR + 0x2c) /* PPFC */
        *ret = 0xffffff00;
    else
        return read_register(t, address, ret);
    return true;
}

/* clang-format off */
#define NRF51                                                                                      \
    .machine = "microbit", .config = "target/nrf51.cfg", .bank = "nrf51 0 0 1 1",                  \
    .core = CORE_M0, .dp_id = 0x0bb11477, .jtag_id = 0x0bb11477, .ap_id = 0x04770021,              \
    .work_area = 0x20000000, .scratch = 0x20003f00, .memory_size = 0x40000,                        \
    .erased_ones = true, .breakpoints = 4, .watchpoints = 2, .fill = fill
/* clang-format on */

const struct chip chip_nrf51 = {
    NRF51,
    .name = "nrf51",
    .read = read_register,
};

const struct chip chip_nrf51_protected = {
    NRF51,
    .name = "nrf51-protected",
    .read = read_protected,
};
