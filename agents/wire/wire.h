/*
 * Frames and messages of the link between harness and agent (SPEC.md has the bytes and the rules).
 *
 * Compiled into both sides, so freestanding: no heap, no libc, no tables that cost flash. Nothing
 * here blocks or fails: an encoder hands bytes to a callback, a decoder takes one byte at a time
 * into a buffer of the caller's and never writes past it.
 */
#ifndef AGENTS_WIRE_WIRE_H
#define AGENTS_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/wire/messages.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "wire structs are images of little-endian bytes"
#endif

/* enum wire_type: WIRE_OPEN = 0x01, ... */
enum wire_type {
#define X(NAME, name, type, direction, tail) WIRE_##NAME = (type),
    WIRE_MESSAGES(X)
#undef X
};

/* struct wire_open, struct wire_hello, ... */
#define WIRE_FIELD(type, name)  type name;
#define WIRE_ARRAY(count, name) uint8_t name[count];
#define X(NAME, name, type, direction, tail)                                                       \
    struct wire_##name {                                                                           \
        WIRE_FIELDS_##NAME(WIRE_FIELD, WIRE_ARRAY)                                                 \
    };
WIRE_MESSAGES(X)
X(PROFILE_OP, profile_op, 0, TARGET, NO_TAIL)
#undef X
#undef WIRE_FIELD
#undef WIRE_ARRAY

/* No holes: the size of a struct is the sum of its fields. */
#define WIRE_FIELD(type, name)  +sizeof(type)
#define WIRE_ARRAY(count, name) +(count)
#define X(NAME, name, type, direction, tail)                                                       \
    _Static_assert(sizeof(struct wire_##name) == 0 WIRE_FIELDS_##NAME(WIRE_FIELD, WIRE_ARRAY),     \
                   "hole in wire_" #name);
WIRE_MESSAGES(X)
X(PROFILE_OP, profile_op, 0, TARGET, NO_TAIL)
#undef X
#undef WIRE_FIELD
#undef WIRE_ARRAY

enum wire_error_code {
#define X(NAME, value, text) WIRE_ERR_##NAME = (value),
    WIRE_ERRORS(X)
#undef X
};

enum wire_reset_cause {
#define X(NAME, value, text) WIRE_RESET_##NAME = (value),
    WIRE_RESETS(X)
#undef X
};

enum wire_timebase {
#define X(NAME, value, text) WIRE_TIMEBASE_##NAME = (value),
    WIRE_TIMEBASES(X)
#undef X
};

/* The six bytes before every message. */
struct wire_header {
    uint8_t format; /* WIRE_FORMAT; a frame with another one is not a frame */
    uint8_t type;
    uint8_t seq;
    uint8_t credit; /* from the target: DATA frames it takes beyond the last ACK; else 0 */
    uint16_t nonce; /* of the session; 0: the target was reset and has none */
};

#define WIRE_FORMAT      (WIRE_VERSION << 4)
#define WIRE_HEADER_SIZE 6
#define WIRE_CRC_SIZE    4

/* Bytes of a frame with `payload` bytes of fields and tail: decoded, and at most on the line. */
#define WIRE_FRAME_SIZE(payload) (WIRE_HEADER_SIZE + (payload) + WIRE_CRC_SIZE)
#define WIRE_ENCODED_SIZE(payload)                                                                 \
    (WIRE_FRAME_SIZE(payload) + WIRE_FRAME_SIZE(payload) / 254 + 1 + 2)

/*
 * CRC-32 (IEEE 802.3: reflected 0xedb88320, as in zlib). Start with 0; the result of one piece is
 * the start of the next.
 */
uint32_t wire_crc32(uint32_t crc, const void *data, size_t n);

/* One piece of a frame. `data` may be NULL when n is 0. */
struct wire_part {
    const void *data;
    uint16_t n;
};

/* The caller sets the middle two (n = 0 for none); the others are wire_encode()'s. */
enum wire_part_index {
    WIRE_PART_HEADER,
    WIRE_PART_FIELDS,
    WIRE_PART_TAIL,
    WIRE_PART_CRC
};
#define WIRE_PARTS 4

typedef void wire_put_fn(void *context, uint8_t byte);

/*
 * Encode one frame: delimiter, COBS(header, fields, tail, CRC-32), delimiter. Fields and tail are
 * read in place, so a frame needs no buffer.
 */
void wire_encode(const struct wire_header *header, struct wire_part parts[WIRE_PARTS],
                 wire_put_fn *put, void *context);

/* A buffer for decoded frames, placed so that the message behind the header is aligned to 8. */
#define WIRE_FRAME_BUFFER(payload)                                                                 \
    struct {                                                                                       \
        _Alignas(8) uint8_t pad[8 - WIRE_HEADER_SIZE];                                             \
        uint8_t bytes[WIRE_FRAME_SIZE(payload)];                                                   \
    }

enum wire_rx_result {
    WIRE_RX_MORE,    /* in the middle of something, or idle */
    WIRE_RX_FRAME,   /* a whole frame with a right CRC lies in the buffer until the next byte */
    WIRE_RX_GARBAGE, /* what ended here was no frame */
};

struct wire_rx {
    uint8_t *frame; /* set by the owner, with its capacity */
    uint16_t capacity;
    uint16_t length; /* decoded bytes so far; of the frame at WIRE_RX_FRAME */
    uint8_t left;    /* bytes until the next code byte */
    bool zero;       /* a zero is due before the next block */
    bool bad;        /* too long */
    bool ended;      /* the buffer holds a finished frame */
};

/* Takes any byte at any time; a delimiter always brings it back to a known state. */
enum wire_rx_result wire_rx_byte(struct wire_rx *rx, uint8_t byte);

static inline const struct wire_header *wire_rx_header(const struct wire_rx *rx)
{
    return (const struct wire_header *)(const void *)rx->frame;
}

static inline const void *wire_rx_message(const struct wire_rx *rx)
{
    return rx->frame + WIRE_HEADER_SIZE;
}

static inline uint16_t wire_rx_message_size(const struct wire_rx *rx)
{
    return (uint16_t)(rx->length - WIRE_FRAME_SIZE(0));
}

#endif
