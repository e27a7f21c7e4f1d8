#include "targets/virtual/probe/jlink.h"

#include <string.h>

#include "targets/virtual/probe/bytes.h"

#define HARDWARE    110000u /* version 11.00 */
#define MEMORY      16384u
#define CLIENT_BYTE 0x07 /* before each command */
#define BITS_MAX    65535u

enum {
    GET_VERSION = 0x01,
    SET_SPEED = 0x05,
    GET_STATE = 0x07,
    GET_SPEEDS = 0xc0,
    SELECT_WIRE = 0xc7,
    MOVE_BITS = 0xcf,
    GET_MEMORY = 0xd4,
    RESET_LOW = 0xdc,
    RESET_HIGH = 0xdd,
    TRST_LOW = 0xde,
    TRST_HIGH = 0xdf,
    GET_CAPABILITIES = 0xe8,
    GET_HARDWARE = 0xf0
};

/* Capabilities: hardware version, speeds, free memory, wires. */
#define CAPABILITIES (1u << 1 | 1u << 9 | 1u << 11 | 1u << 17)

enum {
    WIRE_JTAG = 0,
    WIRE_SWD = 1,
    WIRES = 3 /* as a set */
};

void jlink_init(struct jlink *j, struct dap *dap)
{
    *j = (struct jlink){.dap = dap};
    swd_init(&j->swd, dap);
    jtag_init(&j->jtag, dap);
}

void jlink_greet(struct jlink *j, struct buf *out)
{
    static const uint8_t greeting[] = {0, 1, 0, 4, 't', 'r', 'i', 'g'};

    jlink_init(j, j->dap);
    buf_append(out, greeting, sizeof(greeting));
}

static bool move_bit(struct jlink *j, bool direction, bool level)
{
    bool seen;

    if (!j->wire_is_swd) { /* the two bits are TMS and TDI then */
        seen = jtag_tdo(&j->jtag);
        jtag_clock(&j->jtag, direction, level);
        return seen;
    }
    swd_clock(&j->swd, direction, level);
    return direction ? level : swd_level(&j->swd);
}

static bool bit_of(const uint8_t *bits, unsigned i)
{
    return (bits[i / 8] >> i % 8 & 1) != 0;
}

static void move_bits(struct jlink *j, const uint8_t *in, unsigned bits, struct buf *out)
{
    uint8_t seen[BITS_MAX / 8 + 2] = {0};
    const unsigned bytes = (bits + 7) / 8;

    for (unsigned i = 0; i < bits; i++) {
        if (move_bit(j, bit_of(in, i), bit_of(in + bytes, i)))
            seen[i / 8] |= (uint8_t)(1u << i % 8);
    }
    buf_append(out, seen, bytes + 1); /* and a status: 0 */
}

static void answer_32(struct buf *out, uint32_t v)
{
    uint8_t bytes[4];

    put_32(bytes, v);
    buf_append(out, bytes, sizeof(bytes));
}

static void answer_version(struct buf *out)
{
    static const char version[] = "tinyrig virtual probe V11";
    uint8_t size[2];

    put_16(size, sizeof(version));
    buf_append(out, size, sizeof(size));
    buf_append(out, version, sizeof(version));
}

static void answer_state(const struct jlink *j, struct buf *out)
{
    uint8_t state[8] = {0};

    put_16(state, dap_answers(j->dap) ? 3300 : 0); /* mV of the target */
    state[6] = 1;
    buf_append(out, state, sizeof(state));
}

static void answer_speeds(struct buf *out)
{
    static const uint8_t speeds[6] = {0x00, 0x6c, 0xdc, 0x02, 1, 0}; /* 48 MHz, divided by 1 on */

    buf_append(out, speeds, sizeof(speeds));
}

static void select_wire(struct jlink *j, uint8_t wire, struct buf *out)
{
    if (wire == 0xff) {
        answer_32(out, WIRES);
        return;
    }
    answer_32(out, j->wire_is_swd ? WIRE_SWD : WIRE_JTAG);
    j->wire_is_swd = wire == WIRE_SWD;
}

/* With the client's byte; 0: not there yet, or no such command. */
static size_t message_size(const uint8_t *in, size_t n)
{
    if (in[1] == SELECT_WIRE)
        return 3;
    if (in[1] == SET_SPEED)
        return 4;
    if (in[1] == MOVE_BITS)
        return n < 5 ? 5 : 5 + 2 * (((size_t)get_16(in + 3) + 7) / 8);
    return 2;
}

static bool serve_message(struct jlink *j, const uint8_t *in, struct buf *out)
{
    switch (in[1]) {
    case GET_VERSION:
        answer_version(out);
        return true;
    case GET_CAPABILITIES:
        answer_32(out, CAPABILITIES);
        return true;
    case GET_HARDWARE:
        answer_32(out, HARDWARE);
        return true;
    case GET_MEMORY:
        answer_32(out, MEMORY);
        return true;
    case GET_STATE:
        answer_state(j, out);
        return true;
    case GET_SPEEDS:
        answer_speeds(out);
        return true;
    case SELECT_WIRE:
        select_wire(j, in[2], out);
        return true;
    case MOVE_BITS:
        move_bits(j, in + 5, get_16(in + 3), out);
        return true;
    case RESET_LOW:
    case RESET_HIGH:
        target_reset_line(j->dap->target, in[1] == RESET_LOW);
        return true;
    case SET_SPEED:
    case TRST_LOW:
    case TRST_HIGH:
        return true;
    default:
        return false;
    }
}

long jlink_serve(struct jlink *j, const uint8_t *in, size_t n, struct buf *out)
{
    size_t taken = 0;

    while (n - taken >= 2) {
        const uint8_t *at = in + taken;
        const size_t size = message_size(at, n - taken);

        if (at[0] != CLIENT_BYTE)
            return -1;
        if (size > n - taken)
            break;
        if (!serve_message(j, at, out))
            return -1;
        taken += size;
    }
    return (long)taken;
}

static void put_text(uint8_t *at, const char *text)
{
    while (*text != '\0')
        *at++ = (uint8_t)*text++;
}

void jlink_announce(uint32_t serial, uint8_t datagram[static 128])
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};

    memset(datagram, 0, 128);
    put_text(datagram, "Found");
    memcpy(datagram + 16, loopback, sizeof(loopback));
    datagram[32] = 2;
    put_32(datagram + 48, serial);
    put_32(datagram + 52, HARDWARE);
    put_text(datagram + 64, "tinyrig");
    put_text(datagram + 96, "tinyrig");
}
