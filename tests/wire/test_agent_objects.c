/* Objects of the agent: writes that resume, sinks, what may be read; on the fake port. */
#include <string.h>

#include "tests/unit/unit.h"

#include "agents/core/agent.h"
#include "agents/wire/wire.h"
#include "tests/wire/agent_talk.h"
#include "tests/wire/fake_port.h"

static void begin(uint8_t object, uint8_t index, uint32_t size, uint8_t flags, uint32_t wanted)
{
    const struct wire_write write = {
        .size = size, .crc32 = 77, .object = object, .index = index, .flags = flags};

    say(WIRE_WRITE, &write, sizeof(write));
    if (object == WIRE_OBJECT_SLOT && wanted == 0)
        assert_int_equal(((const struct wire_busy *)expect(WIRE_BUSY))->expect_ms, size);
    assert_int_equal(((const struct wire_write_ready *)expect(WIRE_WRITE_READY))->next, wanted);
    expect_nothing();
}

static void send_data(uint8_t number, uint32_t offset, const void *data, size_t n)
{
    say_as(NONCE, WIRE_DATA, number, &offset, 4, data, n);
}

static void expect_ack(uint8_t number, uint32_t next)
{
    assert_int_equal(((const struct wire_ack *)expect(WIRE_ACK))->next, next);
    assert_int_equal(wire_rx_header(&heard)->seq, number);
    expect_nothing();
}

static void only_the_next_piece_is_stored_and_every_piece_is_acknowledged(void **state)
{
    static const char bytes[] = "0123456789abcdef0123456789ABCDEF!!!";

    (void)state;
    begin(WIRE_OBJECT_SLOT, 0, 35, 0, 0);
    send_data(10, 0, bytes, 16);
    expect_ack(10, 16);
    send_data(11, 32, bytes + 32, 3); /* 16 was lost */
    expect_ack(11, 16);
    send_data(12, 0, "wrongwrongwrong!", 16); /* came twice */
    expect_ack(12, 16);
    send_data(13, 16, bytes + 16, 16);
    expect_ack(13, 32);
    send_data(14, 32, "too long", 8);
    expect_ack(14, 32);
    send_data(15, 32, bytes + 32, 3);
    expect_ack(15, 35);
    send_data(15, 32, bytes + 32, 3);
    expect_ack(15, 35);
    assert_memory_equal(fake.slot, bytes, 35);
    assert_int_equal(fake.erases, 1);
}

static void an_interrupted_write_resumes_even_in_a_new_session(void **state)
{
    const struct wire_open open = {NONCE, 1, 1};
    const struct wire_run run = {.windows = 1, .inferences = 1};

    (void)state;
    begin(WIRE_OBJECT_SLOT, 0, 64, 0, 0);
    send_data(1, 0, "0123456789abcdef", 16);
    expect_ack(1, 16);
    begin(WIRE_OBJECT_SLOT, 0, 64, 0, 16);
    say(WIRE_OPEN, &open, sizeof(open));
    (void)expect(WIRE_HELLO);
    begin(WIRE_OBJECT_SLOT, 0, 64, 0, 16);
    assert_int_equal(fake.erases, 1);
    begin(WIRE_OBJECT_SLOT, 0, 64, WIRE_WRITE_RESTART, 0);
    begin(WIRE_OBJECT_SLOT, 0, 48, 0, 0); /* another size: another object */
    assert_int_equal(fake.erases, 3);

    load_fake();
    begin(WIRE_OBJECT_INPUT, 1, 16, 0, 0);
    send_data(2, 0, "0123456789abcdef", 16);
    expect_ack(2, 16);
    begin(WIRE_OBJECT_INPUT, 1, 16, 0, 16);
    say(WIRE_RUN, &run, sizeof(run)); /* may have overwritten its input */
    while (hear() != NULL)
        ;
    begin(WIRE_OBJECT_INPUT, 1, 16, 0, 0);
}

static void a_slot_that_cannot_be_written_says_so(void **state)
{
    const struct wire_write write = {.size = 32, .object = WIRE_OBJECT_SLOT};

    (void)state;
    fake.flash_fails = true;
    say(WIRE_WRITE, &write, sizeof(write));
    (void)expect(WIRE_BUSY);
    expect_error(WIRE_ERR_FLASH);
    send_data(1, 0, "0123456789abcdef", 16);
    expect_error(WIRE_ERR_STATE);
    fake.flash_fails = false;
    begin(WIRE_OBJECT_SLOT, 0, 32, 0, 0);
    fake.flash_fails = true;
    send_data(2, 0, "0123456789abcdef", 16);
    expect_error(WIRE_ERR_FLASH);
    fake.caps = 0;
    say(WIRE_WRITE, &write, sizeof(write));
    expect_error(WIRE_ERR_FLASH);
}

static void pieces_that_flash_cannot_take_are_refused(void **state)
{
    (void)state;
    begin(WIRE_OBJECT_SLOT, 0, 32, 0, 0);
    send_data(1, 0, "0123456789abcde", 15);
    expect_error(WIRE_ERR_RANGE);
    send_data(2, 0, "0123456789abcdef", 16);
    expect_ack(2, 16);
}

static void writing_the_slot_unloads_the_model(void **state)
{
    const struct wire_run run = {.windows = 1};

    (void)state;
    load_fake();
    begin(WIRE_OBJECT_SLOT, 0, 32, 0, 0);
    say(WIRE_RUN, &run, sizeof(run));
    expect_error(WIRE_ERR_STATE);
}

static void a_sink_counts_and_digests_what_it_does_not_keep(void **state)
{
    const struct wire_digest digest = {.object = WIRE_OBJECT_SINK};
    const struct wire_digest_info *info;

    (void)state;
    begin(WIRE_OBJECT_SINK, 0, 20, 0, 0);
    send_data(1, 0, "0123456789abcdef", 16);
    expect_ack(1, 16);
    send_data(2, 16, "ghij", 4);
    expect_ack(2, 20);
    say(WIRE_DIGEST, &digest, sizeof(digest));
    info = expect(WIRE_DIGEST_INFO);
    assert_int_equal(info->size, 20);
    assert_int_equal(info->crc32, wire_crc32(0, "0123456789abcdefghij", 20));
}

static void nothing_outside_an_object_can_be_read_or_written(void **state)
{
    struct wire_read read = {.offset = FAKE_SLOT_SIZE, .length = 1, .object = WIRE_OBJECT_SLOT};
    struct wire_write write = {.size = FAKE_SLOT_SIZE + 1, .object = WIRE_OBJECT_SLOT};
    struct wire_digest digest = {.size = FAKE_ARENA_SIZE + 1, .object = WIRE_OBJECT_ARENA};

    (void)state;
    say(WIRE_READ, &read, sizeof(read));
    expect_error(WIRE_ERR_RANGE);
    read = (struct wire_read){.offset = 0xffffffff, .length = 2, .object = WIRE_OBJECT_SLOT};
    say(WIRE_READ, &read, sizeof(read));
    expect_error(WIRE_ERR_RANGE);
    read = (struct wire_read){.length = WIRE_READ_MAX + 1, .object = WIRE_OBJECT_SLOT};
    say(WIRE_READ, &read, sizeof(read));
    expect_error(WIRE_ERR_RANGE);
    read = (struct wire_read){.length = 1, .object = WIRE_OBJECT_SINK};
    say(WIRE_READ, &read, sizeof(read));
    expect_error(WIRE_ERR_RANGE);
    say(WIRE_WRITE, &write, sizeof(write));
    expect_error(WIRE_ERR_SIZE);
    write = (struct wire_write){.size = 1, .object = WIRE_OBJECT_ARENA};
    say(WIRE_WRITE, &write, sizeof(write));
    expect_error(WIRE_ERR_FLASH);
    say(WIRE_DIGEST, &digest, sizeof(digest));
    expect_error(WIRE_ERR_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_the_next_piece_is_stored_and_every_piece_is_acknowledged),
        TEST(an_interrupted_write_resumes_even_in_a_new_session),
        TEST(a_slot_that_cannot_be_written_says_so),
        TEST(pieces_that_flash_cannot_take_are_refused),
        TEST(writing_the_slot_unloads_the_model),
        TEST(a_sink_counts_and_digests_what_it_does_not_keep),
        TEST(nothing_outside_an_object_can_be_read_or_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
