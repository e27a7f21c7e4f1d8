/* The registers of the private peripheral bus: ours where QEMU has none, QEMU's for the rest. */
#include "targets/virtual/probe/target.h"

#define DWT_CTRL    0xe0001000u
#define DWT_FIRST   0xe0001020u
#define FP_CTRL     0xe0002000u
#define FP_FIRST    0xe0002008u
#define SCS         0xe000e000u
#define AIRCR       0xe000ed0cu
#define DFSR        0xe000ed30u
#define DHCSR       0xe000edf0u
#define DCRSR       0xe000edf4u
#define DCRDR       0xe000edf8u
#define DEMCR       0xe000edfcu
#define ROM_TABLE   0xe00ff000u
#define AIRCR_KEY   0x05fau
#define DHCSR_KEY   0xa05fu
#define DWT_MATCHED (1u << 24)

bool target_is_private(uint32_t address)
{
    return address >> 20 == 0xe00;
}

/* SCS, DWT and FPB, then the identification of Arm's ROM table for this core. */
static uint32_t read_rom_table(const struct target *t, uint32_t offset)
{
    static const uint32_t entries[] = {0xfff0f003, 0xfff02003, 0xfff03003};
    static const uint32_t component[] = {0x0d, 0x10, 0x05, 0xb1};
    static const uint32_t part[] = {
        [CORE_M0] = 0x71, [CORE_M3] = 0xc3,  [CORE_M4] = 0xc4,
        [CORE_M7] = 0xc7, [CORE_M33] = 0xc9, [CORE_M55] = 0xcd,
    };

    if (offset < 0x0c)
        return entries[offset / 4];
    if (offset >= 0xff0)
        return component[(offset - 0xff0) / 4];
    switch (offset) {
    case 0xfcc: /* system memory is on the same bus */
        return 1;
    case 0xfd0:
        return 4;
    case 0xfe0:
        return part[t->chip->core];
    case 0xfe4:
        return 0xb4;
    case 0xfe8:
        return 0x0b;
    default:
        return 0;
    }
}

static uint32_t read_watch(struct target *t, uint32_t offset)
{
    struct watchpoint *w = &t->watch[offset / 16];
    uint32_t v;

    if (offset / 16 >= t->chip->watchpoints)
        return 0;
    switch (offset & 12) {
    case 0:
        return w->address;
    case 4:
        return w->mask;
    case 8:
        v = w->function;
        w->function &= ~DWT_MATCHED;
        return v;
    default:
        return 0;
    }
}

static bool in_list(uint32_t address, uint32_t first, unsigned entries, unsigned stride)
{
    return address >= first && address < first + entries * stride;
}

bool target_debug_read(struct target *t, uint32_t address, uint32_t *ret)
{
    *ret = 0;
    if (in_list(address, FP_FIRST, TARGET_BREAKPOINTS, 4))
        *ret = t->fp_compare[(address - FP_FIRST) / 4];
    else if (in_list(address, DWT_FIRST, TARGET_WATCHPOINTS, 16))
        *ret = read_watch(t, address - DWT_FIRST);
    else if (address >= ROM_TABLE)
        *ret = read_rom_table(t, address - ROM_TABLE);
    else if (address == DHCSR)
        *ret = target_status(t);
    else if (address == DCRDR)
        *ret = t->dcrdr;
    else if (address == DEMCR)
        *ret = t->demcr;
    else if (address == FP_CTRL)
        *ret = (t->chip->fpb_version_2 ? 1u << 28 : 0) | t->chip->breakpoints << 4 |
               (t->chip->core == CORE_M0 ? 0 : 2u << 8) | (t->fp_control & 1);
    else if (address == DWT_CTRL)
        *ret = t->chip->watchpoints << 28;
    else if (address == DFSR) {
        target_attend(t);
        *ret = t->dfsr;
    } else if (address - SCS < 0x1000 && address != DCRSR)
        return target_scs_get(t, address, ret);
    return true;
}

static void write_watch(struct target *t, uint32_t offset, uint32_t value)
{
    struct watchpoint *w = &t->watch[offset / 16];

    if (offset / 16 >= t->chip->watchpoints)
        return;
    if ((offset & 12) == 0)
        w->address = value;
    else if ((offset & 12) == 4)
        w->mask = value & 15;
    else if ((offset & 12) == 8)
        target_watch(t, offset / 16, value & 0x1ef);
}

static void transfer_register(struct target *t, uint32_t value)
{
    if (!t->halted)
        return;
    if ((value & 1u << 16) != 0)
        target_core_set(t, value & 0x7f, t->dcrdr);
    else
        t->dcrdr = target_core_get(t, value & 0x7f);
}

static void write_breakpoint(struct target *t, unsigned n, uint32_t value)
{
    if (n >= t->chip->breakpoints)
        return;
    t->fp_compare[n] = value;
    target_rearm(t);
}

bool target_debug_write(struct target *t, uint32_t address, uint32_t value)
{
    if (in_list(address, FP_FIRST, TARGET_BREAKPOINTS, 4)) {
        write_breakpoint(t, (address - FP_FIRST) / 4, value);
    } else if (in_list(address, DWT_FIRST, TARGET_WATCHPOINTS, 16)) {
        write_watch(t, address - DWT_FIRST, value);
    } else if (address == FP_CTRL && (value & 2) != 0) {
        t->fp_control = value & 1;
        target_rearm(t);
    } else if (address == DHCSR) {
        if (value >> 16 == DHCSR_KEY)
            target_control(t, value);
    } else if (address == DCRSR) {
        transfer_register(t, value);
    } else if (address == DCRDR) {
        t->dcrdr = value;
    } else if (address == DEMCR) {
        t->demcr = value;
    } else if (address == DFSR) {
        t->dfsr &= ~value;
    } else if (address == AIRCR && value >> 16 == AIRCR_KEY && (value & 5) != 0) {
        target_system_reset(t); /* SYSRESETREQ or VECTRESET */
    } else if (address - SCS < 0x1000) {
        return target_scs_put(t, address, value);
    }
    return true;
}
