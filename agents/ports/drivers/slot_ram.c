/* A slot in RAM: gone at the next reset. */
#include "agents/core/port.h"
#include "agents/ports/common/slot.h"
#include "agents/wire/wire.h"

uint32_t slot_caps(void)
{
    return WIRE_CAP_SLOT_WRITE;
}

bool port_slot_erase(uint32_t size)
{
    (void)size;
    return true;
}

uint32_t port_slot_erase_ms(uint32_t size)
{
    (void)size;
    return 0;
}

bool port_slot_write(uint32_t offset, const uint8_t *data, uint32_t n)
{
    __builtin_memcpy(port_slot().base + offset, data, n);
    return true;
}
