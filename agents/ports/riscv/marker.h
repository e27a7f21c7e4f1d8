/*
 * Marker edges as stores to two words at the end of RAM, for observers that know a store by its
 * address alone. The linker script places them.
 */
#ifndef AGENTS_PORTS_RISCV_MARKER_H
#define AGENTS_PORTS_RISCV_MARKER_H

#include <stdbool.h>
#include <stdint.h>

extern volatile uint32_t g_marker_set;
extern volatile uint32_t g_marker_clear;

static inline void marker_word(bool high)
{
    if (high)
        g_marker_set = 1;
    else
        g_marker_clear = 1;
}

#endif
