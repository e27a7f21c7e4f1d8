/* Frames: CRC-32, COBS both ways. Written for size first: it is a fifth of a small agent. */
#include "agents/wire/wire.h"

/*
 * CRC over a whole frame including its own CRC always leaves this value (the complement of the
 * "magic" residue 0xdebb20e3 of the reflected IEEE polynomial).
 */
#define CRC_RESIDUE 0x2144df1cu

_Static_assert(sizeof(struct wire_header) == WIRE_HEADER_SIZE, "hole in the header");

#ifdef WIRE_CRC_SMALL
uint32_t wire_crc32(uint32_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;

    crc = ~crc;
    while (n-- != 0) {
        crc ^= *p++;
        for (uint8_t bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}
#else
uint32_t wire_crc32(uint32_t crc, const void *data, size_t n)
{
    /* Remainders of the 16 nibbles: four times the speed of single bits for 72 bytes more. */
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *p = data;

    crc = ~crc;
    while (n-- != 0) {
        crc ^= *p++;
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}
#endif

/* Byte i of the pieces laid end to end. */
static uint8_t byte_at(const struct wire_part *part, uint16_t i)
{
    while (i >= part->n) {
        i = (uint16_t)(i - part->n);
        part++;
    }
    return ((const uint8_t *)part->data)[i];
}

/* Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999). */
static void put_cobs(const struct wire_part *parts, wire_put_fn *put, void *context)
{
    uint16_t at = 0;
    uint16_t end = 0;

    for (unsigned i = 0; i < WIRE_PARTS; i++)
        end = (uint16_t)(end + parts[i].n);
    for (;;) {
        uint8_t run = 0;

        while (at + run < end && run < 254 && byte_at(parts, (uint16_t)(at + run)) != 0)
            run++;
        put(context, (uint8_t)(run + 1));
        for (uint8_t i = run; i != 0; i--)
            put(context, byte_at(parts, at++));
        if (at == end)
            return;
        if (run < 254)
            at++; /* the zero that the block stands for */
    }
}

void wire_encode(const struct wire_header *header, struct wire_part parts[WIRE_PARTS],
                 wire_put_fn *put, void *context)
{
    uint32_t crc = 0;

    parts[WIRE_PART_HEADER] = (struct wire_part){header, WIRE_HEADER_SIZE};
    for (unsigned i = 0; i < WIRE_PART_CRC; i++)
        crc = wire_crc32(crc, parts[i].data, parts[i].n);
    parts[WIRE_PART_CRC] = (struct wire_part){&crc, WIRE_CRC_SIZE};
    put(context, 0);
    put_cobs(parts, put, context);
    put(context, 0);
}

static void store(struct wire_rx *rx, uint8_t byte)
{
    if (rx->length < rx->capacity)
        rx->frame[rx->length++] = byte;
    else
        rx->bad = true;
}

/* A delimiter came: is what lies before it a frame? */
static enum wire_rx_result finish(struct wire_rx *rx)
{
    bool whole = !rx->bad && rx->left == 0 && rx->length >= WIRE_FRAME_SIZE(0) &&
                 rx->frame[0] == WIRE_FORMAT && wire_crc32(0, rx->frame, rx->length) == CRC_RESIDUE;
    bool empty = rx->length == 0 && rx->left == 0 && !rx->zero;

    rx->left = 0;
    rx->zero = false;
    rx->bad = false;
    rx->ended = true;
    return whole ? WIRE_RX_FRAME : empty ? WIRE_RX_MORE : WIRE_RX_GARBAGE;
}

enum wire_rx_result wire_rx_byte(struct wire_rx *rx, uint8_t byte)
{
    if (rx->ended) {
        rx->ended = false;
        rx->length = 0;
    }
    if (byte == 0)
        return finish(rx);
    if (rx->left != 0) {
        rx->left--;
        store(rx, byte);
        return WIRE_RX_MORE;
    }
    if (rx->zero)
        store(rx, 0);
    rx->left = (uint8_t)(byte - 1);
    rx->zero = byte != 0xff;
    return WIRE_RX_MORE;
}
