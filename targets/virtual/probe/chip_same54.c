/*
 * A SAM E54 as its flash driver sees it, over the 4 MB of SSRAM that QEMU's mps2-an386 has at 0:
 * the identification (DSU) and the flash controller (NVMCTRL) with its page buffer and the commands
 * erase block, write page and page buffer clear.
 * Register numbers: SAM D5x/E5x data sheet DS60001507, chapters 12 (DSU) and 25 (NVMCTRL).
 */
#include <string.h>

#include "targets/virtual/probe/target.h"

#define DSU       0x41002000u
#define NVMCTRL   0x41004000u
#define DEVICE_ID 0x61840000u /* SAM E54P20A */
#define PAGE      TARGET_PAGE
#define BLOCK     8192u
#define KEY       0xa5u

/* Offsets of NVMCTRL and their bits. */
enum {
    CTRLA = 0x00,
    CTRLB = 0x04,
    PARAM = 0x08,
    INTFLAG = 0x10,
    STATUS = 0x12,
    ADDR = 0x14,
    RUNLOCK = 0x18,
    COMMAND_ERASE_BLOCK = 0x01,
    COMMAND_WRITE_PAGE = 0x03,
    COMMAND_LOCK = 0x11,
    COMMAND_UNLOCK = 0x12,
    COMMAND_CLEAR_BUFFER = 0x15,
    DONE = 1,
    ADDRESS_ERROR = 2,
    PROGRAM_ERROR = 4
};

static bool in_flash(const struct target *t, uint32_t address)
{
    return address - t->chip->memory_base < t->chip->memory_size;
}

static bool read_controller(const struct target *t, uint32_t offset, uint32_t *ret)
{
    const struct page_buffer *p = &t->pages;

    switch (offset) {
    case CTRLA:
        *ret = p->control;
        break;
    case PARAM: /* page size 512 as 6, number of pages */
        *ret = 6u << 16 | t->chip->memory_size / PAGE;
        break;
    case INTFLAG: /* with STATUS.READY in the upper half */
        *ret = p->flags | DONE | 1u << 16;
        break;
    case STATUS:
        *ret = 1;
        break;
    case ADDR:
        *ret = p->address;
        break;
    case RUNLOCK: /* no region is locked */
        *ret = 0xffffffff;
        break;
    default:
        *ret = 0;
        break;
    }
    return true;
}

static bool read_register(struct target *t, uint32_t address, uint32_t *ret)
{
    if ((address & ~0xfffu) == DSU) {
        *ret = (address & 0xffc) == 0x18 ? DEVICE_ID >> 8 * (address & 3) : 0;
        return true;
    }
    if ((address & ~0xfffu) != NVMCTRL)
        return false;
    return read_controller(t, address & 0xfff, ret);
}

/* Flash cells only go from 1 to 0. */
static void write_page(struct target *t)
{
    uint8_t cells[PAGE];

    if (!vm_read(&t->vm, t->pages.page, cells, PAGE))
        return;
    for (size_t i = 0; i < PAGE; i++)
        cells[i] &= t->pages.bytes[i];
    (void)vm_write(&t->vm, t->pages.page, cells, PAGE);
    memset(t->pages.bytes, 0xff, PAGE);
    t->store_dirty = true;
}

static void erase_block(struct target *t)
{
    uint8_t ones[BLOCK];

    if (!in_flash(t, t->pages.address)) {
        t->pages.flags |= ADDRESS_ERROR;
        return;
    }
    memset(ones, 0xff, sizeof(ones));
    (void)vm_write(&t->vm, t->pages.address & ~(BLOCK - 1), ones, BLOCK);
    t->store_dirty = true;
}

static void command(struct target *t, uint32_t value)
{
    if ((value >> 8 & 0xff) != KEY) {
        t->pages.flags |= PROGRAM_ERROR;
        return;
    }
    switch (value & 0x7f) {
    case COMMAND_CLEAR_BUFFER:
        memset(t->pages.bytes, 0xff, PAGE);
        break;
    case COMMAND_WRITE_PAGE:
        write_page(t);
        break;
    case COMMAND_ERASE_BLOCK:
        erase_block(t);
        break;
    case COMMAND_LOCK:
    case COMMAND_UNLOCK:
        break;
    default:
        t->pages.flags |= PROGRAM_ERROR;
        break;
    }
    t->pages.flags |= DONE;
}

static void write_controller(struct target *t, uint32_t offset, uint32_t value)
{
    struct page_buffer *p = &t->pages;

    switch (offset) {
    case CTRLA:
        p->control = (uint16_t)value;
        break;
    case CTRLB:
        command(t, value);
        break;
    case INTFLAG: /* write 1 to clear; DONE comes back as the controller is idle */
        p->flags = (uint16_t)((p->flags & ~value) | DONE);
        break;
    case ADDR:
        p->address = value;
        break;
    default:
        break;
    }
}

static bool write_register(struct target *t, uint32_t address, int size, uint32_t value)
{
    if (in_flash(t, address)) {
        t->pages.page = address & ~(PAGE - 1);
        for (int i = 0; i < size; i++)
            t->pages.bytes[(address + (uint32_t)i) % PAGE] &= (uint8_t)(value >> 8 * i);
        return true;
    }
    if ((address & ~0xfffu) == DSU)
        return true;
    if ((address & ~0xfffu) != NVMCTRL)
        return false;
    write_controller(t, address & 0xfff, value);
    return true;
}

/* ---- chips as somebody left them ---- */

/*
 * The security bit is set: from outside there is only the part of DSU at 0x41002100, which still
 * tells what chip it is (chapter 12, DSU, "Intellectual Property Protection").
 */
static bool read_secured(struct target *t, uint32_t address, uint32_t *ret)
{
    const uint32_t offset = address - DSU;

    if (offset < 0x100 || offset >= 0x1000)
        return false;
    *ret = 0;
    if ((offset & 0xffc) == 0x118)
        *ret = DEVICE_ID >> 8 * (address & 3);
    else if (offset == 0x102) /* STATUSB.PROT */
        *ret = 1;
    return true;
}

static bool write_secured(struct target *t, uint32_t address, int size, uint32_t value)
{
    return address - DSU >= 0x100 && address - DSU < 0x1000;
}

/* A device that the driver's table does not have. */
static bool read_unknown(struct target *t, uint32_t address, uint32_t *ret)
{
    if ((address & ~0x3u) != DSU + 0x18)
        return read_register(t, address, ret);
    *ret = 0x618400fe >> 8 * (address & 3);
    return true;
}

/* clang-format off */
#define SAME54                                                                                     \
    .machine = "mps2-an386", .config = "target/atsame5x.cfg", .config_has_jtag = true,             \
    .core = CORE_M4, .dp_id = 0x2ba01477, .jtag_id = 0x4ba00477, .ap_id = 0x24770011,              \
    .work_area = 0x20000000, .scratch = 0x203fff00, .memory_size = 0x100000,                       \
    .erased_ones = true, .breakpoints = 6, .watchpoints = 4
/* clang-format on */

const struct chip chip_same54 = {
    SAME54,
    .name = "same54",
    .read = read_register,
    .write = write_register,
};

const struct chip chip_same54_secured = {
    SAME54, .name = "same54-secured", .locked = true, .read = read_secured, .write = write_secured,
};

const struct chip chip_same54_unknown = {
    SAME54,
    .name = "same54-unknown",
    .read = read_unknown,
    .write = write_register,
};
