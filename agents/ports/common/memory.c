/*
 * Arena, slot, static data, the painted stack, the build id: the linker script's symbols as the
 * core wants them.
 */
#include "agents/core/port.h"
#include "agents/ports/common/layout.h"

#define PAINT 0xa5a5a5a5u /* as start-up code paints it */

extern uint8_t port_slot_start[], port_slot_limit[];
extern uint8_t port_arena_start[], port_arena_limit[];
extern uint8_t port_data_start[], port_bss_limit[];
extern uint32_t port_stack_limit[], port_stack_top[];

const PORT_LAYOUT_READ struct port_layout port_layout = {
    .slot = port_slot_start,
    .slot_end = port_slot_limit,
    .arena = port_arena_start,
    .arena_end = port_arena_limit,
};

static struct port_region region(uint8_t *from, uint8_t *to)
{
    return (struct port_region){.base = from, .size = (uint32_t)(to - from)};
}

struct port_region port_arena(void)
{
    return region(port_layout.arena, port_layout.arena_end);
}

struct port_region port_slot(void)
{
    return region(port_layout.slot, port_layout.slot_end);
}

uint32_t port_static_ram(void)
{
    return (uint32_t)(port_bss_limit - port_data_start);
}

struct port_stack port_stack(bool repaint)
{
    uint32_t *word = port_stack_limit;

    while (word < port_stack_top && *word == PAINT)
        word++;
    if (repaint) {
        /* Our own frame lies within 64 bytes; nothing is called while painting. */
        uintptr_t end = (uintptr_t)__builtin_frame_address(0) - 64;

        for (volatile uint32_t *p = port_stack_limit; (uintptr_t)p < end; p++)
            *p = PAINT;
    }
    return (struct port_stack){
        .size = (uint32_t)((uint8_t *)port_stack_top - (uint8_t *)port_stack_limit),
        .peak = (uint32_t)((uint8_t *)port_stack_top - (uint8_t *)word),
    };
}

const uint8_t *port_build_id(void)
{
    /* An ELF note: three words, "GNU\0", then the hash that the linker made of the whole image. */
    extern const uint8_t port_build_note[];

    return port_build_note + 16;
}
