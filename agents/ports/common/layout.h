/*
 * Where the image's memory lies, as data: found in the ELF by its symbol `port_layout`, so that
 * whoever places an image elsewhere (see PORTING.md on injection) can write the answer into it.
 */
#ifndef AGENTS_PORTS_COMMON_LAYOUT_H
#define AGENTS_PORTS_COMMON_LAYOUT_H

#include <stdint.h>

#include BOARD_HEADER

struct port_layout {
    uint8_t *slot;
    uint8_t *slot_end;
    uint8_t *arena;
    uint8_t *arena_end;
#ifdef BOARD_INJECTED
    uint32_t clock_hz; /* of the core; else the board's header knows it */
#endif
};

/* What is written into the image afterwards must be read from there, not known to the compiler. */
#ifdef BOARD_INJECTED
#define PORT_LAYOUT_READ volatile
#else
#define PORT_LAYOUT_READ
#endif

extern const PORT_LAYOUT_READ struct port_layout port_layout;

#endif
