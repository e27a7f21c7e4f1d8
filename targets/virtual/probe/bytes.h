/* Little-endian numbers in byte arrays. */
#ifndef TARGETS_VIRTUAL_PROBE_BYTES_H
#define TARGETS_VIRTUAL_PROBE_BYTES_H

#include <stdint.h>

static inline uint16_t get_16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void put_16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put_32(uint8_t *p, uint32_t v)
{
    put_16(p, v);
    put_16(p + 2, v >> 16);
}

#endif
