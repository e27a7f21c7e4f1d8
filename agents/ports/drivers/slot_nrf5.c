/* A slot in the own flash of an nRF51 or nRF52, written while code runs from it. */
#include "agents/core/port.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/slot.h"
#include "agents/wire/wire.h"

uint32_t slot_caps(void)
{
    return WIRE_CAP_SLOT_WRITE | WIRE_CAP_SLOT_FLASH;
}

static uint32_t pages(uint32_t size)
{
    return (size + BOARD_SLOT_PAGE_SIZE - 1) / BOARD_SLOT_PAGE_SIZE;
}

bool port_slot_erase(uint32_t size)
{
    uint32_t page = (uint32_t)(uintptr_t)port_slot().base;

    for (uint32_t n = pages(size); n != 0; n--, page += BOARD_SLOT_PAGE_SIZE)
        nrf51_flash_erase_page(page);
    return true;
}

uint32_t port_slot_erase_ms(uint32_t size)
{
    return BOARD_SLOT_PAGE_ERASE_MS * pages(size);
}

bool port_slot_write(uint32_t offset, const uint8_t *data, uint32_t n)
{
    /* Whether it worked is seen by the digest that the host asks for. */
    nrf51_flash_write((uint32_t)(uintptr_t)port_slot().base + offset, data, n);
    return true;
}
