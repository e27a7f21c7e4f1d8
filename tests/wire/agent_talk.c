#include "tests/wire/agent_talk.h"

#include <string.h>

#include "tests/unit/unit.h"

#include "agents/core/agent.h"
#include "agents/wire/names.h"
#include "tests/wire/fake_port.h"

uint8_t seq;

void to_agent(void *context, uint8_t byte)
{
    (void)context;
    agent_rx(byte);
    agent_poll(); /* so that no ring fills up */
}

void say_as(uint16_t nonce, uint8_t type, uint8_t number, const void *fields, size_t n,
            const void *tail, size_t tail_n)
{
    const struct wire_header header = {WIRE_FORMAT, type, number, 0, nonce};
    struct wire_part parts[WIRE_PARTS] = {
        [WIRE_PART_FIELDS] = {fields, (uint16_t)n}, [WIRE_PART_TAIL] = {tail, (uint16_t)tail_n}};

    wire_encode(&header, parts, to_agent, NULL);
}

void say(uint8_t type, const void *fields, size_t n)
{
    say_as(NONCE, type, ++seq, fields, n, NULL, 0);
}

/* What it sent since the last look, one frame at a time. */
static WIRE_FRAME_BUFFER(2048) heard_buffer;
struct wire_rx heard = {.frame = heard_buffer.bytes, .capacity = sizeof(heard_buffer.bytes)};
size_t heard_at;

const struct wire_header *hear(void)
{
    while (heard_at < fake.sent_used) {
        enum wire_rx_result result = wire_rx_byte(&heard, fake.sent[heard_at++]);

        assert_int_not_equal(result, WIRE_RX_GARBAGE);
        if (result == WIRE_RX_FRAME)
            return wire_rx_header(&heard);
    }
    fake.sent_used = heard_at = 0;
    return NULL;
}

/* The next frame must be of this type; its message. */
const void *expect(uint8_t type)
{
    const struct wire_header *header = hear();

    assert_non_null(header);
    assert_int_equal(header->type, type);
    assert_true(wire_info_fits(wire_info_find(type), wire_rx_message_size(&heard)));
    return wire_rx_message(&heard);
}

void expect_nothing(void)
{
    assert_null(hear());
}

void expect_error(uint8_t code)
{
    const struct wire_error *error = expect(WIRE_ERROR);

    assert_int_equal(error->code, code);
    expect_nothing();
}

int setup(void **state)
{
    const struct wire_open open = {NONCE, 1, 1};

    (void)state;
    fake_port_init();
    heard_at = 0;
    memset(&heard.length, 0, sizeof(heard) - offsetof(struct wire_rx, length));
    agent_start();
    (void)expect(WIRE_HELLO);
    say_as(NONCE, WIRE_OPEN, ++seq, &open, sizeof(open), NULL, 0);
    (void)expect(WIRE_HELLO);
    expect_nothing();
    fake.events[0] = '\0';
    return 0;
}

void load_fake(void)
{
    const struct wire_load load = {.size = 16, .engine = 1};

    say(WIRE_LOAD, &load, sizeof(load));
    (void)expect(WIRE_BUSY);
    (void)expect(WIRE_LOADED);
    expect_nothing();
    fake.events[0] = '\0';
}
