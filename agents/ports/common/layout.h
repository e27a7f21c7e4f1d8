/*
 * Where the image's memory lies, as data: found in the ELF by its symbol `port_layout`, so that
 * whoever places an image elsewhere (see PORTING.md on injection) can write the answer into it.
 */
#ifndef AGENTS_PORTS_COMMON_LAYOUT_H
#define AGENTS_PORTS_COMMON_LAYOUT_H

#include <stdint.h>

struct port_layout {
    uint8_t *slot;
    uint8_t *slot_end;
    uint8_t *arena;
    uint8_t *arena_end;
};

extern const struct port_layout port_layout;

#endif
