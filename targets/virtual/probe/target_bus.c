/* Where an access of the debugger goes. */
#include <string.h>

#include "targets/virtual/probe/target.h"

void target_flush(struct target *t)
{
    const uint32_t n = t->combined_size;

    if (n == 0)
        return;
    t->combined_size = 0;
    (void)vm_write(&t->vm, t->combined_at, t->combined, n);
    target_scan(t, t->combined_at, t->combined, n);
}

/* Sequential words go down together: one qtest command instead of a thousand. */
static void combine(struct target *t, uint32_t address, int size, uint32_t value)
{
    if (t->combined_size > 0 && (address != t->combined_at + t->combined_size ||
                                 t->combined_size + (uint32_t)size > TARGET_COMBINE))
        target_flush(t);
    if (t->combined_size == 0)
        t->combined_at = address;
    for (int i = 0; i < size; i++)
        t->combined[t->combined_size++] = (uint8_t)(value >> 8 * i);
}

static uint32_t mask_to(uint32_t value, int size)
{
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

bool target_read(struct target *t, uint32_t address, int size, uint32_t *ret)
{
    const struct vm_region *r = vm_region(&t->vm, address);
    uint8_t bytes[4] = {0};
    uint32_t word = 0;

    *ret = 0;
    if (t->vm.broken)
        return false;
    target_flush(t);
    if (t->chip->locked) {
        if (!t->chip->read(t, address, ret))
            return false;
        *ret = mask_to(*ret, size);
        return true;
    }
    if (target_is_private(address)) {
        if (!target_debug_read(t, address & ~3u, &word))
            return false;
        *ret = mask_to(word >> 8 * (address & 3), size);
        return true;
    }
    if (t->held)
        return false;
    if (t->chip->read != NULL && t->chip->read(t, address, ret)) {
        *ret = mask_to(*ret, size);
        return true;
    }
    if (r == NULL)
        return false;
    if (r->kind == VM_IO)
        return vm_get(&t->vm, address, size, ret);
    if (!vm_read(&t->vm, address, bytes, (size_t)size))
        return false;
    *ret = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return true;
}

bool target_write(struct target *t, uint32_t address, int size, uint32_t value)
{
    const struct vm_region *r = vm_region(&t->vm, address);

    if (t->vm.broken)
        return false;
    if (t->chip->locked)
        return t->chip->write(t, address, size, value);
    if (target_is_private(address)) {
        target_flush(t);
        return target_debug_write(t, address & ~3u, value);
    }
    if (t->held)
        return true;
    if (t->chip->write != NULL && t->chip->write(t, address, size, value))
        return true;
    if (r == NULL)
        return false;
    if (r->kind == VM_RAM) {
        combine(t, address, size, value);
        return true;
    }
    target_flush(t);
    if (r->kind == VM_ROM)
        return true;
    t->store_dirty = t->store_dirty || r->kind == VM_ROM_DEVICE;
    return vm_put(&t->vm, address, size, value);
}

/* A stretch of plain memory that no model of ours watches? */
static bool is_plain(struct target *t, uint32_t address, uint32_t len, bool write)
{
    const struct vm_region *r = vm_region(&t->vm, address);
    const struct chip *c = t->chip;

    if (t->vm.broken || t->held || c->locked || r == NULL || len == 0 ||
        len - 1 > r->last - address)
        return false;
    if (!write)
        return r->kind != VM_IO;
    return r->kind == VM_RAM && (c->write == NULL || address - c->memory_base >= c->memory_size);
}

bool target_read_block(struct target *t, uint32_t address, int size, uint8_t *data, uint32_t len)
{
    target_flush(t);
    if (is_plain(t, address, len, false))
        return vm_read(&t->vm, address, data, len);
    for (uint32_t i = 0; i < len; i += (uint32_t)size) {
        uint32_t v;

        if (!target_read(t, address + i, size, &v))
            return false;
        for (int k = 0; k < size; k++)
            data[i + (uint32_t)k] = (uint8_t)(v >> 8 * k);
    }
    return true;
}

bool target_write_block(struct target *t, uint32_t address, int size, const uint8_t *data,
                        uint32_t len)
{
    if (is_plain(t, address, len, true)) {
        target_flush(t);
        if (!vm_write(&t->vm, address, data, len))
            return false;
        target_scan(t, address, data, len);
        return true;
    }
    for (uint32_t i = 0; i < len; i += (uint32_t)size) {
        uint32_t v = 0;

        for (int k = 0; k < size; k++)
            v |= (uint32_t)data[i + (uint32_t)k] << 8 * k;
        if (!target_write(t, address + i, size, v))
            return false;
    }
    return true;
}
