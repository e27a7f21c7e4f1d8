/*
 * A port for tests of the core: the link is two byte queues, time stands still unless told
 * otherwise, and everything the core asks of a chip is written down in order.
 */
#ifndef TESTS_WIRE_FAKE_PORT_H
#define TESTS_WIRE_FAKE_PORT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAKE_SLOT_SIZE = 256,
    FAKE_ARENA_SIZE = 128
};

struct fake_port {
    uint8_t sent[16384];
    size_t sent_used;
    char events[4096]; /* "drain silent marker-up ..." */
    uint64_t ticks;
    uint64_t tick_step; /* what each reading adds */
    uint32_t baud;
    uint32_t caps;
    bool flash_fails;
    int erases;
    jmp_buf *reset; /* where port_reset() goes; NULL: it aborts */
    _Alignas(16) uint8_t slot[FAKE_SLOT_SIZE];
    _Alignas(16) uint8_t arena[FAKE_ARENA_SIZE];
};

extern struct fake_port fake;

void fake_port_init(void); /* all as after power-up */

/* The engine "fake", number 1: two operators, counts, fails on command. */
struct fake_engine {
    int loads, invokes, resets;
    int fail_at; /* the invoke that fails; 0: none */
};
extern struct fake_engine fake_engine;

#endif
