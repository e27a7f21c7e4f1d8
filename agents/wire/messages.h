/*
 * Every message of the tinyrig wire protocol, once. SPEC.md explains them; this list is compiled
 * into the agent and the host alike and makes the structs, the size table, the names in traces,
 * the round-trip tests and the fuzz targets.
 *
 * Fields are little-endian and in natural alignment order, so a struct in memory is its image on
 * the wire (asserted in wire.c). A TAIL message ends with 0..n further bytes.
 *
 *   X(NAME, type, direction, fields, tail)
 * Requests (host to target) are odd, answers even; an answer carries its request's seq.
 */
#ifndef AGENTS_WIRE_MESSAGES_H
#define AGENTS_WIRE_MESSAGES_H

#include <stdint.h>

#define WIRE_VERSION 1

/* clang-format off */
#define WIRE_MESSAGES(X) \
    /* ---- session: OPEN may be sent at any time; HELLO is also sent unasked after a reset ---- */ \
    X(OPEN,         0x01, HOST,   WIRE_OPEN,         NO_TAIL) \
    X(HELLO,        0x02, TARGET, WIRE_HELLO,        NO_TAIL) \
    X(ENGINE,       0x03, HOST,   WIRE_ENGINE,       NO_TAIL) \
    X(ENGINE_INFO,  0x04, TARGET, WIRE_ENGINE_INFO,  TAIL) /* tail: the engine's name */ \
    X(TIME,         0x05, HOST,   WIRE_TIME,         NO_TAIL) \
    X(TIME_INFO,    0x06, TARGET, WIRE_TIME_INFO,    NO_TAIL) \
    X(STATS,        0x07, HOST,   WIRE_STATS,        NO_TAIL) \
    X(STATS_INFO,   0x08, TARGET, WIRE_STATS_INFO,   NO_TAIL) \
    X(BAUD,         0x09, HOST,   WIRE_BAUD,         NO_TAIL) \
    X(BAUD_SET,     0x0a, TARGET, WIRE_BAUD_SET,     NO_TAIL) \
    X(RESET,        0x0b, HOST,   WIRE_RESET,        NO_TAIL) /* no answer but a new HELLO */ \
    /* ---- objects: bulk transfer, credit window, ack means stored ---- */ \
    X(WRITE,        0x11, HOST,   WIRE_WRITE,        NO_TAIL) \
    X(WRITE_READY,  0x12, TARGET, WIRE_WRITE_READY,  NO_TAIL) \
    X(DATA,         0x13, HOST,   WIRE_DATA,         TAIL)    /* not a request: no answer but ACK */ \
    X(ACK,          0x14, TARGET, WIRE_ACK,          NO_TAIL) \
    X(DIGEST,       0x15, HOST,   WIRE_DIGEST,       NO_TAIL) \
    X(DIGEST_INFO,  0x16, TARGET, WIRE_DIGEST_INFO,  NO_TAIL) \
    X(READ,         0x17, HOST,   WIRE_READ,         NO_TAIL) \
    X(READ_DATA,    0x18, TARGET, WIRE_READ_DATA,    TAIL) \
    /* ---- model and measurement ---- */ \
    X(LOAD,         0x21, HOST,   WIRE_LOAD,         NO_TAIL) \
    X(LOADED,       0x22, TARGET, WIRE_LOADED,       NO_TAIL) \
    X(TENSOR,       0x23, HOST,   WIRE_TENSOR,       NO_TAIL) \
    X(TENSOR_INFO,  0x24, TARGET, WIRE_TENSOR_INFO,  NO_TAIL) \
    X(RUN,          0x25, HOST,   WIRE_RUN,          NO_TAIL) \
    X(RUN_DONE,     0x26, TARGET, WIRE_RUN_DONE,     NO_TAIL) \
    X(RECORD,       0x27, HOST,   WIRE_RECORD,       NO_TAIL) \
    X(RECORD_INFO,  0x28, TARGET, WIRE_RECORD_INFO,  NO_TAIL) \
    X(PROFILE,      0x29, HOST,   WIRE_PROFILE,      NO_TAIL) \
    X(PROFILE_INFO, 0x2a, TARGET, WIRE_PROFILE_INFO, NO_TAIL) \
    /* ---- instead of, or before, an answer ---- */ \
    X(BUSY,         0x7e, TARGET, WIRE_BUSY,         NO_TAIL) /* extends the host's deadline */ \
    X(ERROR,        0x7c, TARGET, WIRE_ERROR,        TAIL)    /* tail: text for people */

/* Field lists: F(type, name) and A(count, name) for bytes. */
#define WIRE_OPEN(F, A)         F(uint16_t, nonce) F(uint8_t, version_min) F(uint8_t, version_max)
#define WIRE_HELLO(F, A) \
    A(8, build_id)          /* first bytes of the ELF note; equals the firmware file's */ \
    A(12, chip_uid)         /* zeros where the chip has none */ \
    F(uint32_t, caps)       /* WIRE_CAP_* */ \
    F(uint32_t, clock_hz)   /* core clock as the port set it up */ \
    F(uint32_t, tick_hz)    /* of the timebase that the self-test chose */ \
    F(uint32_t, tick_overhead) /* ticks that an empty window costs */ \
    F(uint32_t, slot_base)  F(uint32_t, slot_size) \
    F(uint32_t, arena_base) F(uint32_t, arena_size) \
    F(uint16_t, nonce)      /* of the session; 0 after a reset */ \
    F(uint16_t, max_payload)/* largest message (fields + tail) the target takes */ \
    F(uint8_t, version)     F(uint8_t, credits) \
    F(uint8_t, timebase)    /* WIRE_TIMEBASE_* */ \
    F(uint8_t, engines)     F(uint8_t, reset_cause) \
    F(uint8_t, tick_bits)   /* width of the hardware counter under the 64-bit one */ \
    F(uint16_t, reserved)
#define WIRE_ENGINE(F, A)       F(uint8_t, engine)
#define WIRE_ENGINE_INFO(F, A)  F(uint32_t, version) F(uint32_t, caps)
#define WIRE_TIME(F, A)         F(uint32_t, token)
#define WIRE_TIME_INFO(F, A)    F(uint64_t, ticks) F(uint32_t, token) F(uint32_t, reserved)
#define WIRE_STATS(F, A)        F(uint8_t, clear)
#define WIRE_STATS_INFO(F, A) \
    F(uint32_t, stack_size) F(uint32_t, stack_peak) /* lower bound: a hole may hide depth */ \
    F(uint32_t, static_ram) /* .data + .bss of the agent, arena and slot excluded */ \
    F(uint32_t, arena_used) F(uint32_t, arena_touched) \
    F(uint32_t, frames_in)  F(uint32_t, frames_bad) F(uint32_t, bytes_lost)
#define WIRE_BAUD(F, A)         F(uint32_t, baud)
#define WIRE_BAUD_SET(F, A)     F(uint32_t, baud)
#define WIRE_RESET(F, A)        F(uint8_t, magic) /* 0xA5 */
#define WIRE_WRITE(F, A)        F(uint32_t, size) F(uint8_t, object) F(uint8_t, index) F(uint16_t, reserved)
#define WIRE_WRITE_READY(F, A)  F(uint32_t, next)
#define WIRE_DATA(F, A)         F(uint32_t, offset)
#define WIRE_ACK(F, A)          F(uint32_t, next)
#define WIRE_DIGEST(F, A)       F(uint32_t, size) F(uint8_t, object) F(uint8_t, index) F(uint16_t, reserved)
#define WIRE_DIGEST_INFO(F, A)  F(uint32_t, size) F(uint32_t, crc32) /* read back from where it lies */
#define WIRE_READ(F, A)         F(uint32_t, offset) F(uint16_t, length) F(uint8_t, object) F(uint8_t, index)
#define WIRE_READ_DATA(F, A)    F(uint32_t, offset)
#define WIRE_LOAD(F, A)         F(uint32_t, size) F(uint32_t, options) F(uint8_t, engine) A(3, reserved)
#define WIRE_LOADED(F, A) \
    F(uint32_t, arena_used) F(uint32_t, model_crc32) F(uint16_t, ops) F(uint8_t, inputs) F(uint8_t, outputs)
#define WIRE_TENSOR(F, A)       F(uint8_t, output) F(uint8_t, index)
#define WIRE_TENSOR_INFO(F, A)  F(uint32_t, size) F(uint8_t, type) A(3, reserved)
#define WIRE_RUN(F, A) \
    F(uint32_t, first_record) /* number of the first window's record */ \
    F(uint32_t, inferences)   /* per window */ \
    F(uint16_t, windows)      F(uint16_t, flags) /* WIRE_RUN_* */ \
    F(uint32_t, gap_ticks)    /* quiet time before and after each window (energy) */
#define WIRE_RUN_DONE(F, A)     F(uint32_t, next_record) F(uint32_t, status)
#define WIRE_RECORD(F, A)       F(uint32_t, number)
#define WIRE_RECORD_INFO(F, A) \
    F(uint64_t, ticks) F(uint32_t, number) F(uint32_t, inferences) F(uint32_t, flags) F(uint32_t, output_crc32)
#define WIRE_PROFILE(F, A)      F(uint16_t, op) F(uint16_t, flags) /* op 0xffff: run the pass */
#define WIRE_PROFILE_INFO(F, A) F(uint64_t, ticks) F(uint16_t, op) F(uint16_t, kind) F(uint32_t, variant)
#define WIRE_BUSY(F, A)         F(uint32_t, expect_ms)
#define WIRE_ERROR(F, A)        F(uint16_t, code) F(uint16_t, request) F(uint32_t, detail)
/* clang-format on */

/* Bulk objects. */
enum wire_object {
    WIRE_OBJECT_SLOT = 0,   /* the model image, in flash or RAM */
    WIRE_OBJECT_INPUT = 1,  /* input tensor `index` of the loaded model */
    WIRE_OBJECT_OUTPUT = 2, /* output tensor `index`; read only */
    WIRE_OBJECT_SINK = 3,   /* counted and digested, not kept: link benchmarks */
    WIRE_OBJECT_ARENA = 4,  /* read only, for people who debug a model */
};

enum wire_cap {
    WIRE_CAP_SLOT_WRITE = 1 << 0, /* the slot can be written over the link */
    WIRE_CAP_SLOT_FLASH = 1 << 1, /* ... and lies in flash: it survives a reset */
    WIRE_CAP_MARKER = 1 << 2,     /* a marker pin */
    WIRE_CAP_BAUD = 1 << 3,
    WIRE_CAP_PROFILE = 1 << 4,
    WIRE_CAP_SLEEP = 1 << 5,
    WIRE_CAP_UID = 1 << 6,
};

#define WIRE_TIMEBASES(X)                                                                          \
    X(NONE, 0, "none")                                                                             \
    X(DWT, 1, "DWT CYCCNT")                                                                        \
    X(SYSTICK, 2, "SysTick")                                                                       \
    X(CHIP_TIMER, 3, "chip timer")                                                                 \
    X(MCYCLE, 4, "mcycle")                                                                         \
    X(AVR_TIMER, 5, "AVR timer")                                                                   \
    X(HOST, 6, "host monotonic clock")

enum wire_run_flag {
    WIRE_RUN_MARKER = 1 << 0, /* raise the marker pin during each window */
    WIRE_RUN_COLD = 1 << 1,   /* reload the model first: caches and state as after LOAD */
    WIRE_RUN_DIGEST = 1 << 2, /* CRC-32 of the outputs after each window */
    WIRE_RUN_ARMED = 1 << 3,  /* wait for GO (a second RUN with the same seq + 1) */
    WIRE_RUN_SLEEP = 1 << 4,  /* sleep instead of spinning in the gaps */
};

#define WIRE_ERRORS(X)                                                                             \
    X(UNKNOWN, 1, "unknown message")                                                               \
    X(LENGTH, 2, "wrong length")                                                                   \
    X(STATE, 3, "not now")                                                                         \
    X(RANGE, 4, "out of range")                                                                    \
    X(SPACE, 5, "does not fit")                                                                    \
    X(CRC, 6, "wrong CRC")                                                                         \
    X(MODEL, 7, "model image refused")                                                             \
    X(ENGINE, 8, "engine failed")                                                                  \
    X(FLASH, 9, "slot could not be written")                                                       \
    X(VERSION, 10, "no common protocol version")                                                   \
    X(GONE, 11, "record no longer kept")

#endif
