/* A slot that only the lab can write: flash which the agent has no driver for, or ROM. */
#include "agents/core/port.h"
#include "agents/ports/common/slot.h"

uint32_t slot_caps(void)
{
    return 0;
}

bool port_slot_erase(uint32_t size)
{
    (void)size;
    return false;
}

uint32_t port_slot_erase_ms(uint32_t size)
{
    (void)size;
    return 0;
}

bool port_slot_write(uint32_t offset, const uint8_t *data, uint32_t n)
{
    (void)offset;
    (void)data;
    (void)n;
    return false;
}
