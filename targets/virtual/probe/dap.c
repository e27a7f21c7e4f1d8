#include "targets/virtual/probe/dap.h"

#define CSW_RESET   0x23000042u
#define CSW_PACKED  0x20u
#define CSW_COUNTS  0x30u
#define CSW_ENABLED 0x40u
#define TAR_WRAP    0xfffu /* the address counter has 12 bits */

/* Offsets in the AHB-AP. */
enum {
    AP_CSW = 0x00,
    AP_TAR = 0x04,
    AP_DRW = 0x0c,
    AP_BD0 = 0x10,
    AP_BD3 = 0x1c,
    AP_BASE = 0xf8,
    AP_IDR = 0xfc
};

#define ROM_TABLE 0xe00ff003u

void dap_init(struct dap *d, struct target *t)
{
    *d = (struct dap){.target = t};
    dap_reset(d);
}

void dap_reset(struct dap *d)
{
    d->control = 0;
    d->line_control = 0;
    d->select = 0;
    d->csw = CSW_RESET;
    d->tar = 0;
    d->result = 0;
}

bool dap_answers(const struct dap *d)
{
    return !d->target->vm.broken;
}

/* One transfer, or what comes instead. */
static enum dap_result pass(struct dap *d)
{
    enum dap_result r = DAP_OK;
    const bool asked = d->asked;

    d->asked = false;
    if (!dap_answers(d))
        return DAP_NO_ACK;
    if (asked || d->may_pass == NULL)
        return DAP_OK;
    if (d->may_pass(d->context, 1, &r) == 0 && r == DAP_FAULT)
        d->control |= DAP_STICKY_ERROR;
    return r;
}

enum dap_result dap_ask(struct dap *d)
{
    enum dap_result r;

    d->asked = false;
    r = pass(d);
    d->asked = r == DAP_OK;
    return r;
}

static uint32_t read_control(const struct dap *d)
{
    uint32_t v = d->control & ~0xa0000000u;

    v |= (v & 1u << 28) << 1; /* each power-up request is acknowledged */
    v |= (v & 1u << 30) << 1;
    return v;
}

static unsigned bank_of(const struct dap *d, unsigned reg)
{
    return (reg & 0xf0) == DAP_BANK_FROM_SELECT ? d->select & 15 : reg >> 4 & 15;
}

enum dap_result dap_read_dp(struct dap *d, unsigned reg, uint32_t *ret)
{
    const enum dap_result r = pass(d);

    *ret = 0;
    if (r != DAP_OK)
        return r;
    if ((reg & 12) == 0)
        *ret = d->target->chip->dp_id;
    else if ((reg & 12) == 4 && bank_of(d, reg) == 0)
        *ret = read_control(d);
    else if ((reg & 12) == 4)
        *ret = bank_of(d, reg) == 1 ? d->line_control | 0x40 : 0;
    else
        *ret = d->result;
    return DAP_OK;
}

/* ABORT: each bit clears its flag. */
static void write_abort(struct dap *d, uint32_t value)
{
    static const struct {
        uint32_t bit;
        uint32_t flag;
    } clears[] = {{2, DAP_STICKY_COMPARE},
                  {4, DAP_STICKY_ERROR},
                  {8, DAP_WRITE_ERROR},
                  {16, DAP_STICKY_OVERRUN}};

    for (size_t i = 0; i < ARRAY_SIZE(clears); i++) {
        if ((value & clears[i].bit) != 0)
            d->control &= ~clears[i].flag;
    }
}

enum dap_result dap_write_dp(struct dap *d, unsigned reg, uint32_t value)
{
    const enum dap_result r = pass(d);

    if (r != DAP_OK)
        return r;
    if ((reg & 12) == 0)
        write_abort(d, value);
    else if ((reg & 12) == 4 && bank_of(d, reg) == 0)
        d->control = (d->control & DAP_STICKY) | (value & 0x54fffff1u & ~(uint32_t)DAP_STICKY);
    else if ((reg & 12) == 4 && bank_of(d, reg) == 1)
        d->line_control = value;
    else if ((reg & 12) == 8)
        d->select = value;
    return DAP_OK;
}

/* ---- MEM-AP ---- */

static int item_size(const struct dap *d)
{
    return (d->csw & 7) == 0 ? 1 : ((d->csw & 7) == 1 ? 2 : 4);
}

static void count_up(struct dap *d, int size)
{
    if ((d->csw & CSW_COUNTS) != 0)
        d->tar = (d->tar & ~TAR_WRAP) | ((d->tar + (uint32_t)size) & TAR_WRAP);
}

static uint32_t lane_mask(int size)
{
    return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

static void count(struct dap *d, uint32_t address, uint32_t items)
{
    if (target_is_private(address)) {
        d->counts.private_bus += items;
        return;
    }
    d->counts.memory += items;
    d->counts.in_windows += d->in_window ? items : 0;
}

/* One access of an item at `address`, whose bytes are on the lanes the address says. */
static bool access_item(struct dap *d, bool write, uint32_t address, int size, uint32_t *word)
{
    const unsigned lane = size == 4 ? 0 : 8 * (address & 3);
    uint32_t v;

    count(d, address, 1);
    if (write)
        return target_write(d->target, address, size, *word >> lane & lane_mask(size));
    if (!target_read(d->target, address, size, &v))
        return false;
    *word |= v << lane;
    return true;
}

static enum dap_result bus_error(struct dap *d)
{
    if (!dap_answers(d))
        return DAP_NO_ACK;
    d->control |= DAP_STICKY_ERROR;
    return DAP_FAULT;
}

/* The data register: one item, or in packed mode all that fit into the word. */
static enum dap_result access_drw(struct dap *d, bool write, uint32_t *word)
{
    const int size = item_size(d);
    const bool packed = (d->csw & CSW_COUNTS) == CSW_PACKED;

    for (int i = packed ? 4 / size : 1; i > 0; i--) {
        if (!access_item(d, write, d->tar, size, word))
            return bus_error(d);
        count_up(d, size);
    }
    return DAP_OK;
}

static enum dap_result access_ap(struct dap *d, bool write, unsigned reg, uint32_t *word)
{
    if (reg == AP_DRW)
        return access_drw(d, write, word);
    if (reg < AP_BD0 || reg > AP_BD3)
        return DAP_OK;
    if (!access_item(d, write, (d->tar & ~15u) | (reg & 12), 4, word))
        return bus_error(d);
    return DAP_OK;
}

enum dap_result dap_read_ap(struct dap *d, unsigned ap, unsigned reg, uint32_t *ret)
{
    const enum dap_result r = pass(d);

    *ret = 0;
    if (r != DAP_OK || ap != 0)
        return r;
    if ((d->control & DAP_STICKY) != 0)
        return DAP_FAULT;
    switch (reg & 0xfc) {
    case AP_CSW:
        *ret = d->csw | CSW_ENABLED;
        return DAP_OK;
    case AP_TAR:
        *ret = d->tar;
        return DAP_OK;
    case AP_BASE:
        *ret = ROM_TABLE;
        return DAP_OK;
    case AP_IDR:
        *ret = d->target->chip->ap_id;
        return DAP_OK;
    default:
        return access_ap(d, false, reg & 0xfc, ret);
    }
}

enum dap_result dap_write_ap(struct dap *d, unsigned ap, unsigned reg, uint32_t value)
{
    const enum dap_result r = pass(d);

    if (r != DAP_OK || ap != 0)
        return r;
    if ((d->control & DAP_STICKY) != 0)
        return DAP_FAULT;
    if ((reg & 0xfc) == AP_CSW)
        d->csw = (value & 0x7f000037) | CSW_ENABLED;
    else if ((reg & 0xfc) == AP_TAR)
        d->tar = value;
    else
        return access_ap(d, true, reg & 0xfc, &value);
    return DAP_OK;
}

/* How many of these items happen; *ret is what the one after them gets. */
static uint32_t passing(struct dap *d, uint32_t items, enum dap_result *ret)
{
    *ret = DAP_OK;
    if (!dap_answers(d)) {
        *ret = DAP_NO_ACK;
        return 0;
    }
    if (d->may_pass != NULL)
        items = (uint32_t)d->may_pass(d->context, items, ret);
    if (*ret == DAP_FAULT)
        d->control |= DAP_STICKY_ERROR;
    return items;
}

enum dap_result dap_read_memory(struct dap *d, uint32_t address, int size, bool step, uint8_t *data,
                                uint32_t len)
{
    const uint32_t unit = (uint32_t)size;
    enum dap_result r;
    const uint32_t items = passing(d, len / unit, &r);
    bool good = true;

    count(d, address, items);
    if (step)
        good = items == 0 || target_read_block(d->target, address, size, data, items * unit);
    else
        for (uint32_t i = 0; i < items && good; i++)
            good = target_read_block(d->target, address, size, data + i * unit, unit);
    return good ? r : bus_error(d);
}

enum dap_result dap_write_memory(struct dap *d, uint32_t address, int size, bool step,
                                 const uint8_t *data, uint32_t len)
{
    const uint32_t unit = (uint32_t)size;
    enum dap_result r;
    const uint32_t items = passing(d, len / unit, &r);
    bool good = true;

    count(d, address, items);
    if (step)
        good = items == 0 || target_write_block(d->target, address, size, data, items * unit);
    else
        for (uint32_t i = 0; i < items && good; i++)
            good = target_write_block(d->target, address, size, data + i * unit, unit);
    return good ? r : bus_error(d);
}
