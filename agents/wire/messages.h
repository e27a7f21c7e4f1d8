/*
 * Every message of the tinyrig wire protocol, once. SPEC.md explains them; this list is compiled
 * into the agent and the host alike and makes the structs, the size table, the names in traces,
 * the round-trip tests and the fuzz targets.
 *
 * Fields are little-endian and in natural alignment order without holes, so a struct in memory is
 * its image on the wire (asserted in wire.h). A TAIL message ends with 0..n further bytes.
 *
 *   X(NAME, name, type, direction, tail)      fields: WIRE_FIELDS_NAME
 * Requests (host to target) are odd, answers even; an answer carries its request's seq.
 */
#ifndef AGENTS_WIRE_MESSAGES_H
#define AGENTS_WIRE_MESSAGES_H

#include <stdint.h>

#define WIRE_VERSION 1

/* clang-format off */
#define WIRE_MESSAGES(X) \
    /* ---- session: OPEN may be sent at any time; HELLO is also sent unasked after a reset ---- */ \
    X(OPEN,         open,         0x01, HOST,   NO_TAIL) \
    X(HELLO,        hello,        0x02, TARGET, NO_TAIL) \
    X(ENGINE,       engine,       0x03, HOST,   NO_TAIL) \
    X(ENGINE_INFO,  engine_info,  0x04, TARGET, TAIL)    /* tail: the engine's name */ \
    X(TIME,         time,         0x05, HOST,   NO_TAIL) \
    X(TIME_INFO,    time_info,    0x06, TARGET, NO_TAIL) \
    X(STATS,        stats,        0x07, HOST,   NO_TAIL) \
    X(STATS_INFO,   stats_info,   0x08, TARGET, NO_TAIL) \
    X(BAUD,         baud,         0x09, HOST,   NO_TAIL) \
    X(BAUD_SET,     baud_set,     0x0a, TARGET, NO_TAIL) \
    X(RESET,        reset,        0x0b, HOST,   NO_TAIL) /* no answer but a new HELLO */ \
    /* ---- objects: bulk transfer, credit window, ack means stored ---- */ \
    X(WRITE,        write,        0x11, HOST,   NO_TAIL) \
    X(WRITE_READY,  write_ready,  0x12, TARGET, NO_TAIL) \
    X(DATA,         data,         0x13, HOST,   TAIL)    /* not a request: no answer but ACK */ \
    X(ACK,          ack,          0x14, TARGET, NO_TAIL) /* carries the seq of the DATA it answers */ \
    X(DIGEST,       digest,       0x15, HOST,   NO_TAIL) \
    X(DIGEST_INFO,  digest_info,  0x16, TARGET, NO_TAIL) \
    X(READ,         read,         0x17, HOST,   NO_TAIL) \
    X(READ_DATA,    read_data,    0x18, TARGET, TAIL) \
    /* ---- model and measurement ---- */ \
    X(LOAD,         load,         0x21, HOST,   NO_TAIL) \
    X(LOADED,       loaded,       0x22, TARGET, NO_TAIL) \
    X(TENSOR,       tensor,       0x23, HOST,   NO_TAIL) \
    X(TENSOR_INFO,  tensor_info,  0x24, TARGET, NO_TAIL) \
    X(RUN,          run,          0x25, HOST,   NO_TAIL) \
    X(RUN_DONE,     run_done,     0x26, TARGET, NO_TAIL) \
    X(RECORD,       record,       0x27, HOST,   NO_TAIL) \
    X(RECORD_INFO,  record_info,  0x28, TARGET, NO_TAIL) /* also unasked, after each window */ \
    X(PROFILE,      profile,      0x29, HOST,   NO_TAIL) \
    X(PROFILE_INFO, profile_info, 0x2a, TARGET, TAIL)    /* tail: `count` wire_profile_op */ \
    X(GO,           go,           0x2b, HOST,   NO_TAIL) /* starts an armed RUN */ \
    /* ---- instead of, or before, an answer ---- */ \
    X(ERROR,        error,        0x7c, TARGET, TAIL)    /* tail: text for people, may be empty */ \
    X(BUSY,         busy,         0x7e, TARGET, NO_TAIL) /* renews the host's deadline */

/* Field lists: F(type, name) and A(count, name) for bytes. */
#define WIRE_FIELDS_OPEN(F, A) \
    F(uint16_t, nonce)      /* not 0 */ \
    F(uint8_t, version_min) F(uint8_t, version_max)
#define WIRE_FIELDS_HELLO(F, A) \
    A(8, build_id)          /* first bytes of the ELF note; equals the firmware file's */ \
    A(12, chip_uid)         /* zeros where the chip has none */ \
    F(uint32_t, caps)       /* WIRE_CAP_* */ \
    F(uint32_t, clock_hz)   /* core clock as the port set it up */ \
    F(uint32_t, tick_hz)    /* of the timebase that the self-test chose; 0: unknown */ \
    F(uint32_t, tick_overhead) /* ticks that an empty window costs */ \
    F(uint32_t, slot_base)  F(uint32_t, slot_size) \
    F(uint32_t, arena_base) F(uint32_t, arena_size) \
    F(uint16_t, nonce)      /* of the session; 0 after a reset */ \
    F(uint16_t, max_payload)/* largest message (fields + tail) the target takes */ \
    F(uint8_t, version)     F(uint8_t, credits) \
    F(uint8_t, timebase)    /* WIRE_TIMEBASE_*; NONE when it failed its self-test */ \
    F(uint8_t, engines)     F(uint8_t, reset_cause) \
    F(uint8_t, tick_bits)   /* width of the hardware counter under the 64-bit one */ \
    F(uint8_t, records)     /* how many window records are kept until overwritten */ \
    F(uint8_t, reserved)
#define WIRE_FIELDS_ENGINE(F, A)      F(uint8_t, engine)
#define WIRE_FIELDS_ENGINE_INFO(F, A) F(uint32_t, version) F(uint32_t, caps)
#define WIRE_FIELDS_TIME(F, A)        F(uint32_t, token)
#define WIRE_FIELDS_TIME_INFO(F, A)   F(uint64_t, ticks) F(uint32_t, token) F(uint32_t, reserved)
#define WIRE_FIELDS_STATS(F, A)       F(uint8_t, clear) /* 1: counters and stack paint start anew */
#define WIRE_FIELDS_STATS_INFO(F, A) \
    F(uint32_t, stack_size) F(uint32_t, stack_peak) /* lower bound: a hole may hide depth */ \
    F(uint32_t, static_ram) /* .data + .bss of the agent, arena and slot excluded */ \
    F(uint32_t, arena_used) /* as the engine planned it */ \
    F(uint32_t, arena_touched) /* highest byte written since LOAD */ \
    F(uint32_t, frames_in)  F(uint32_t, frames_bad) F(uint32_t, bytes_lost)
#define WIRE_FIELDS_BAUD(F, A)        F(uint32_t, baud)
#define WIRE_FIELDS_BAUD_SET(F, A)    F(uint32_t, baud)
#define WIRE_FIELDS_RESET(F, A)       F(uint8_t, magic) /* WIRE_RESET_MAGIC */
#define WIRE_FIELDS_WRITE(F, A) \
    F(uint32_t, size) F(uint32_t, crc32) /* of the whole object: names what a resume may continue */ \
    F(uint8_t, object) F(uint8_t, index) F(uint8_t, flags) /* WIRE_WRITE_* */ F(uint8_t, reserved)
#define WIRE_FIELDS_WRITE_READY(F, A) F(uint32_t, next) /* go on here; > 0 when resuming */
#define WIRE_FIELDS_DATA(F, A)        F(uint32_t, offset)
#define WIRE_FIELDS_ACK(F, A)         F(uint32_t, next) /* everything below it is stored */
#define WIRE_FIELDS_DIGEST(F, A) \
    F(uint32_t, size) F(uint8_t, object) F(uint8_t, index) F(uint16_t, reserved)
#define WIRE_FIELDS_DIGEST_INFO(F, A) F(uint32_t, size) F(uint32_t, crc32) /* read back in place */
#define WIRE_FIELDS_READ(F, A) \
    F(uint32_t, offset) F(uint16_t, length) /* <= WIRE_READ_MAX */ F(uint8_t, object) F(uint8_t, index)
#define WIRE_FIELDS_READ_DATA(F, A)   F(uint32_t, offset)
#define WIRE_FIELDS_LOAD(F, A) \
    F(uint32_t, size) F(uint32_t, options) /* the engine's own */ F(uint8_t, engine) A(3, reserved)
#define WIRE_FIELDS_LOADED(F, A) \
    F(uint32_t, arena_used) F(uint16_t, ops) F(uint8_t, inputs) F(uint8_t, outputs)
#define WIRE_FIELDS_TENSOR(F, A)      F(uint8_t, output) F(uint8_t, index)
#define WIRE_FIELDS_TENSOR_INFO(F, A) F(uint32_t, size) F(uint8_t, type) A(3, reserved)
#define WIRE_FIELDS_RUN(F, A) \
    F(uint32_t, first_record) /* number of the first window's record; not 0xffffffff */ \
    F(uint32_t, inferences)   /* per window */ \
    F(uint32_t, gap_ticks)    /* quiet time before and after each window (energy) */ \
    F(uint16_t, windows)      F(uint16_t, flags) /* WIRE_RUN_* */
#define WIRE_FIELDS_RUN_DONE(F, A) \
    F(uint32_t, next_record)  /* first number not measured */ \
    F(uint8_t, status)        /* engine_status; not 0 when an inference failed */ \
    F(uint8_t, armed)         /* 1: nothing ran yet, GO starts it */ \
    F(uint16_t, reserved)
#define WIRE_FIELDS_RECORD(F, A)      F(uint32_t, number)
#define WIRE_FIELDS_RECORD_INFO(F, A) \
    F(uint64_t, ticks)        /* raw difference, overhead not removed */ \
    F(uint32_t, number)       F(uint32_t, inferences) \
    F(uint32_t, output_crc32) /* WIRE_RUN_DIGEST; with WIRE_RUN_STACK its depth; else 0 */ \
    F(uint16_t, flags)        /* those of its RUN */ \
    F(uint8_t, status)        /* engine_status */ F(uint8_t, reserved)
#define WIRE_FIELDS_PROFILE(F, A)     F(uint16_t, first) F(uint16_t, reserved)
#define WIRE_FIELDS_PROFILE_INFO(F, A) F(uint16_t, first) F(uint16_t, count) F(uint32_t, reserved)
#define WIRE_FIELDS_GO(F, A)          F(uint8_t, reserved)
#define WIRE_FIELDS_ERROR(F, A) \
    F(uint8_t, code) /* WIRE_ERR_* */ F(uint8_t, request) F(uint16_t, reserved) F(uint32_t, detail)
#define WIRE_FIELDS_BUSY(F, A) \
    F(uint32_t, expect_ms) /* silence to expect; 0: as long as the request is allowed */

/* One operator in the tail of PROFILE_INFO. */
#define WIRE_FIELDS_PROFILE_OP(F, A) \
    F(uint64_t, ticks) F(uint16_t, op) F(uint16_t, kind) F(uint32_t, variant)
/* clang-format on */

#define WIRE_RESET_MAGIC 0xa5

/* READ needs no buffer on the target, so its limit does not follow max_payload. */
#define WIRE_READ_MAX 1024

/* Bulk objects. */
enum wire_object {
    WIRE_OBJECT_SLOT = 0,   /* the model image, in flash or RAM */
    WIRE_OBJECT_INPUT = 1,  /* input tensor `index` of the loaded model */
    WIRE_OBJECT_OUTPUT = 2, /* output tensor `index`; read only */
    WIRE_OBJECT_SINK = 3,   /* counted and digested, not kept: link benchmarks */
    WIRE_OBJECT_ARENA = 4,  /* read only, for people who debug a model */
};

enum wire_write_flag {
    WIRE_WRITE_RESTART = 1 << 0, /* forget what is there: never resume */
};

enum wire_cap {
    WIRE_CAP_SLOT_WRITE = 1 << 0, /* the slot can be written over the link */
    WIRE_CAP_SLOT_FLASH = 1 << 1, /* ... and lies in flash: it survives a reset */
    WIRE_CAP_MARKER = 1 << 2,     /* a marker pin */
    WIRE_CAP_BAUD = 1 << 3,       /* the rate can be changed */
    WIRE_CAP_PROFILE = 1 << 4,    /* set by the core when an engine can profile */
    WIRE_CAP_SLEEP = 1 << 5,      /* port_sleep really sleeps */
    WIRE_CAP_UID = 1 << 6,        /* chip_uid is real */
};

#define WIRE_RESETS(X)                                                                             \
    X(UNKNOWN, 0, "unknown")                                                                       \
    X(POWER, 1, "power-on")                                                                        \
    X(SOFTWARE, 2, "software")                                                                     \
    X(PIN, 3, "pin")                                                                               \
    X(WATCHDOG, 4, "watchdog")                                                                     \
    X(BROWN_OUT, 5, "brown-out")                                                                   \
    X(FAULT, 6, "fault") /* the agent's own fault handler, after its dump */

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
    WIRE_RUN_COLD = 1 << 1,   /* caches emptied before each window, where the port can */
    WIRE_RUN_DIGEST = 1 << 2, /* CRC-32 of the outputs after each window */
    WIRE_RUN_ARMED = 1 << 3,  /* prepare, answer, and wait for GO */
    WIRE_RUN_SLEEP = 1 << 4,  /* sleep instead of spinning in the gaps */
    WIRE_RUN_RESET = 1 << 5,  /* the model's variables back to their start before each window */
    WIRE_RUN_STACK = 1 << 6,  /* how deep the stack is in each window, in place of a CRC */
};

/* From 16 on: 16 + enum engine_status, for what an engine refused (asserted in run.c). */
#define WIRE_ERRORS(X)                                                                             \
    X(UNKNOWN, 1, "unknown message")                                                               \
    X(LENGTH, 2, "wrong length")                                                                   \
    X(STATE, 3, "not now: nothing loaded, opened or armed for it")                                 \
    X(RANGE, 4, "out of range")                                                                    \
    X(SIZE, 5, "does not fit the object")                                                          \
    X(FLASH, 6, "slot could not be erased or written")                                             \
    X(VERSION, 7, "no common protocol version")                                                    \
    X(GONE, 8, "record no longer kept")                                                            \
    X(UNSUPPORTED, 9, "this agent cannot do that")                                                 \
    X(MODEL, 17, "model image refused")                                                            \
    X(ARENA, 18, "arena too small for the model")                                                  \
    X(OPERATOR, 19, "operator not supported by the engine")                                        \
    X(ENGINE, 20, "engine failed")

#endif
