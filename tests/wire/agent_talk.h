/* Talking to the agent's core on the fake port: frames in, frames out. */
#ifndef TESTS_WIRE_AGENT_TALK_H
#define TESTS_WIRE_AGENT_TALK_H

#include <stddef.h>
#include <stdint.h>

#include "agents/wire/wire.h"

enum {
    NONCE = 0x4321 /* of the session that setup opens */
};

extern uint8_t seq;          /* of the last request */
extern struct wire_rx heard; /* the frame that hear() found */
extern size_t heard_at;      /* how much of what it sent has been heard */

int setup(void **state); /* a fresh agent with an open session */
void load_fake(void);    /* engine 1, a model of 16 bytes */

void say_as(uint16_t nonce, uint8_t type, uint8_t number, const void *fields, size_t n,
            const void *tail, size_t tail_n);
void to_agent(void *context, uint8_t byte); /* a byte as it is; context is not looked at */
void say(uint8_t type, const void *fields, size_t n);

/* The next frame it sent; NULL: none. */
const struct wire_header *hear(void);
/* The next frame must be of this type; its message. */
const void *expect(uint8_t type);
void expect_nothing(void);
void expect_error(uint8_t code);

/* A test that begins with setup(). */
#define TEST(name) cmocka_unit_test_setup(name, setup)

#endif
