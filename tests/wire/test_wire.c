/*
 * Frames and messages. Oracles that share no code with wire.c: CRC check values and COBS examples
 * as published, and a COBS decoder written here from the algorithm's description.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "agents/wire/names.h"
#include "agents/wire/wire.h"
#include "harness/base/base.h"

enum {
    MAX_PAYLOAD = 1028,
    LINE_SIZE = WIRE_ENCODED_SIZE(MAX_PAYLOAD)
};

struct line {
    size_t n;
    uint8_t bytes[2 * LINE_SIZE];
};

static void put(void *context, uint8_t byte)
{
    struct line *line = context;

    assert_true(line->n < sizeof(line->bytes));
    line->bytes[line->n++] = byte;
}

static void encode(struct line *line, uint8_t type, const void *fields, size_t nf, const void *tail,
                   size_t nt)
{
    const struct wire_header header = {WIRE_FORMAT, type, 7, 3, 0xbeef};
    struct wire_part parts[WIRE_PARTS] = {
        [WIRE_PART_FIELDS] = {fields, (uint16_t)nf},
        [WIRE_PART_TAIL] = {tail, (uint16_t)nt},
    };

    wire_encode(&header, parts, put, line);
}

struct receiver {
    WIRE_FRAME_BUFFER(MAX_PAYLOAD) buffer;
    uint8_t guard[8]; /* must stay as it is */
    struct wire_rx rx;
    int frames;
    int garbage;
};

static void receiver_init(struct receiver *r)
{
    memset(r, 0, sizeof(*r));
    memset(r->guard, 0x5a, sizeof(r->guard));
    r->rx.frame = r->buffer.bytes;
    r->rx.capacity = sizeof(r->buffer.bytes);
}

static void feed(struct receiver *r, const uint8_t *bytes, size_t n)
{
    static const uint8_t guard[8] = {0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a};

    for (size_t i = 0; i < n; i++) {
        enum wire_rx_result result = wire_rx_byte(&r->rx, bytes[i]);

        r->frames += result == WIRE_RX_FRAME;
        r->garbage += result == WIRE_RX_GARBAGE;
    }
    assert_memory_equal(r->guard, guard, sizeof(guard));
}

/* xorshift32: the same numbers on every run */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill_random(uint8_t *bytes, size_t n, uint32_t seed)
{
    uint32_t state = seed * 2654435761u + 1;

    for (size_t i = 0; i < n; i++)
        bytes[i] = next_random(&state) % 4 == 0 ? 0 : (uint8_t)next_random(&state);
}

/* CRC-32/ISO-HDLC: check value of the catalogue of parametrised CRC algorithms, and zlib's. */
static void crc_has_the_published_check_values(void **state)
{
    (void)state;
    assert_int_equal(wire_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(wire_crc32(0, "", 0), 0);
    assert_int_equal(wire_crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
    assert_int_equal(wire_crc32(wire_crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
}

/* Straight from the description: code byte, code - 1 bytes, and a zero unless the code was 255. */
static size_t plain_cobs_decode(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t used = 0;

    for (size_t i = 0; i < n;) {
        uint8_t code = in[i++];

        assert_int_not_equal(code, 0);
        for (uint8_t k = 1; k < code; k++) {
            assert_true(i < n);
            assert_int_not_equal(in[i], 0);
            out[used++] = in[i++];
        }
        if (code != 0xff && i < n)
            out[used++] = 0;
    }
    return used;
}

static void a_frame_on_the_line_is_cobs_between_zeros(void **state)
{
    static uint8_t payload[1024], decoded[LINE_SIZE];
    static const size_t sizes[] = {0,   1,   13,  239, 240, 241, 242, 243, 244, 245, 253, 254,
                                   255, 256, 497, 498, 499, 500, 508, 509, 510, 762, 1024};

    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            static struct line line;
            size_t n = sizes[i];

            fill_random(payload, sizeof(payload), (uint32_t)i + 1);
            if (kind != 0)
                memset(payload, kind == 1 ? 0 : 0xff, sizeof(payload));
            line.n = 0;
            encode(&line, WIRE_READ_DATA, "abcd", 4, payload, n);
            assert_true(line.n <= WIRE_ENCODED_SIZE(4 + n));
            assert_int_equal(line.bytes[0], 0);
            assert_int_equal(line.bytes[line.n - 1], 0);
            assert_int_equal(plain_cobs_decode(line.bytes + 1, line.n - 2, decoded),
                             WIRE_FRAME_SIZE(4 + n));
            assert_memory_equal(decoded, "\x10\x18\x07\x03\xef\xbe\x61\x62\x63\x64", 10);
            assert_memory_equal(decoded + 10, payload, n);
            assert_int_equal(wire_crc32(0, decoded, WIRE_FRAME_SIZE(4 + n)), 0x2144df1c);
        }
    }
}

/* The bytes of one frame as SPEC.md shows them; the CRC is zlib's. */
static void open_has_the_bytes_that_the_spec_shows(void **state)
{
    static const uint8_t spec[] = {0x00, 0x04, 0x10, 0x01, 0x01, 0x0b, 0x34, 0x12, 0x34,
                                   0x12, 0x01, 0x01, 0x25, 0x65, 0xc9, 0x94, 0x00};
    const struct wire_header header = {WIRE_FORMAT, WIRE_OPEN, 1, 0, 0x1234};
    const struct wire_open open = {.nonce = 0x1234, .version_min = 1, .version_max = 1};
    struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {&open, sizeof(open)}};
    struct line line = {0};

    (void)state;
    wire_encode(&header, parts, put, &line);
    assert_int_equal(line.n, sizeof(spec));
    assert_memory_equal(line.bytes, spec, sizeof(spec));
}

static void every_message_comes_back_as_it_was_sent(void **state)
{
    static uint8_t message[MAX_PAYLOAD];
    size_t count;
    const struct wire_info *info = wire_info_list(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t tails[] = {0, 1, 64, (size_t)MAX_PAYLOAD - info[i].size};

        for (size_t k = 0; k < (info[i].tail ? ARRAY_SIZE(tails) : 1); k++) {
            static struct line line;
            struct receiver r;

            receiver_init(&r);
            line.n = 0;
            fill_random(message, sizeof(message), (uint32_t)(i * 7 + k));
            encode(&line, info[i].type, message, info[i].size, message + info[i].size, tails[k]);
            feed(&r, line.bytes, line.n);
            assert_int_equal(r.frames, 1);
            assert_int_equal(r.garbage, 0);
            assert_int_equal(wire_rx_header(&r.rx)->type, info[i].type);
            assert_int_equal(wire_rx_header(&r.rx)->seq, 7);
            assert_int_equal(wire_rx_header(&r.rx)->credit, 3);
            assert_int_equal(wire_rx_header(&r.rx)->nonce, 0xbeef);
            assert_int_equal(wire_rx_message_size(&r.rx), info[i].size + tails[k]);
            assert_memory_equal(wire_rx_message(&r.rx), message, info[i].size + tails[k]);
            assert_int_equal((uintptr_t)wire_rx_message(&r.rx) % 8, 0);
            assert_true(wire_info_fits(info + i, info[i].size + tails[k]));
            assert_false(wire_info_fits(info + i, info[i].size - 1u));
        }
    }
}

static void message_types_are_unique_and_their_parity_says_who_speaks(void **state)
{
    size_t count;
    const struct wire_info *info = wire_info_list(&count);

    (void)state;
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(wire_info_find(info[i].type), info + i);
        assert_int_equal(info[i].type & 1, info[i].from_host);
    }
    assert_null(wire_info_find(0xff));
}

static void a_frame_cut_at_any_byte_is_refused_and_the_next_one_taken(void **state)
{
    size_t count;
    const struct wire_info *info = wire_info_list(&count);
    static uint8_t message[MAX_PAYLOAD];

    (void)state;
    fill_random(message, sizeof(message), 99);
    for (size_t i = 0; i < count; i++) {
        static struct line line;

        line.n = 0;
        encode(&line, info[i].type, message, info[i].size, message, info[i].tail ? 40 : 0);
        for (size_t cut = 0; cut < line.n; cut++) {
            struct receiver r;

            receiver_init(&r);
            feed(&r, line.bytes, cut);
            assert_int_equal(r.frames, 0);
            feed(&r, line.bytes, line.n); /* its first delimiter ends the piece before it */
            assert_int_equal(r.frames, cut == line.n - 1 ? 2 : 1);
            assert_int_equal(r.garbage, cut > 1 && cut < line.n - 1);
            assert_memory_equal(wire_rx_message(&r.rx), message, info[i].size);
        }
    }
}

static void too_long_a_frame_is_refused_without_writing_past_the_buffer(void **state)
{
    static struct line line;
    static uint8_t big[MAX_PAYLOAD + 1];
    struct receiver r;

    (void)state;
    receiver_init(&r);
    fill_random(big, sizeof(big), 5);
    encode(&line, WIRE_DATA, big, 4, big, sizeof(big) - 4);
    feed(&r, line.bytes, line.n);
    assert_int_equal(r.frames, 0);
    assert_int_equal(r.garbage, 1);
    line.n = 0;
    encode(&line, WIRE_DATA, big, 4, big, sizeof(big) - 5);
    feed(&r, line.bytes, line.n);
    assert_int_equal(r.frames, 1);
}

static void console_text_between_frames_costs_no_frame(void **state)
{
    struct line line = {0};
    struct receiver r;

    (void)state;
    receiver_init(&r);
    for (const char *c = "HardFault at 0x08001234\r\n"; *c != '\0'; c++)
        put(&line, (uint8_t)*c);
    encode(&line, WIRE_ACK, "1234", 4, NULL, 0);
    for (const char *c = "more text"; *c != '\0'; c++)
        put(&line, (uint8_t)*c);
    encode(&line, WIRE_ACK, "5678", 4, NULL, 0);
    feed(&r, line.bytes, line.n);
    assert_int_equal(r.frames, 2);
    assert_int_equal(r.garbage, 2);
}

static void a_frame_of_another_format_is_not_a_frame(void **state)
{
    const struct wire_header header = {WIRE_FORMAT + 1, WIRE_ACK, 0, 0, 0};
    struct wire_part parts[WIRE_PARTS] = {[WIRE_PART_FIELDS] = {"1234", 4}};
    struct line line = {0};
    struct receiver r;

    (void)state;
    receiver_init(&r);
    wire_encode(&header, parts, put, &line);
    feed(&r, line.bytes, line.n);
    assert_int_equal(r.frames, 0);
    assert_int_equal(r.garbage, 1);
}

/* One to four changes: flip, overwrite, delete, insert, swap. */
static void corrupt(struct line *line, uint32_t *random)
{
    for (uint32_t times = next_random(random) % 4 + 1; times != 0; times--) {
        size_t at = next_random(random) % line->n;
        uint8_t byte = (uint8_t)(next_random(random) >> 8);

        switch (next_random(random) % 5) {
        case 0:
            line->bytes[at] ^= (uint8_t)(1u << byte % 8);
            break;
        case 1:
            line->bytes[at] = byte;
            break;
        case 2:
            memmove(line->bytes + at, line->bytes + at + 1, line->n - at - 1);
            line->n--;
            break;
        case 3:
            memmove(line->bytes + at + 1, line->bytes + at, line->n - at);
            line->bytes[at] = byte;
            line->n++;
            break;
        default:
            line->bytes[at] = line->bytes[byte % line->n];
            break;
        }
    }
}

/*
 * Whatever still counts as a frame must be the frame that was sent (a change may hit only the
 * outer delimiters, or undo another one).
 */
static void of_a_million_corrupted_frames_none_is_taken_for_another(void **state)
{
    uint8_t message[64];
    uint32_t random = 12345;
    size_t count;
    const struct wire_info *info = wire_info_list(&count);
    struct receiver r;
    long same = 0;

    (void)state;
    receiver_init(&r);
    for (long i = 0; i < 1000000; i++) {
        const struct wire_info *which = info + (size_t)i % count;
        size_t tail = which->tail ? next_random(&random) % 8 : 0;
        struct line line;

        line.n = 0;
        fill_random(message, sizeof(message), (uint32_t)i);
        encode(&line, which->type, message, which->size, message, tail);
        corrupt(&line, &random);
        put(&line, 0);
        for (size_t k = 0; k < line.n; k++) {
            if (wire_rx_byte(&r.rx, line.bytes[k]) != WIRE_RX_FRAME)
                continue;
            same++;
            assert_int_equal(wire_rx_header(&r.rx)->type, which->type);
            assert_int_equal(wire_rx_message_size(&r.rx), which->size + tail);
            assert_memory_equal(wire_rx_message(&r.rx), message, which->size);
        }
    }
    assert_true(same < 200000); /* the corruption does corrupt */
}

static void error_codes_and_timebases_have_texts(void **state)
{
    (void)state;
    assert_string_equal(wire_error_text(WIRE_ERR_ARENA), "arena too small for the model");
    assert_string_equal(wire_error_text(200), "unknown error");
    assert_string_equal(wire_timebase_name(WIRE_TIMEBASE_DWT), "DWT CYCCNT");
    assert_string_equal(wire_timebase_name(200), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_has_the_published_check_values),
        cmocka_unit_test(a_frame_on_the_line_is_cobs_between_zeros),
        cmocka_unit_test(open_has_the_bytes_that_the_spec_shows),
        cmocka_unit_test(every_message_comes_back_as_it_was_sent),
        cmocka_unit_test(message_types_are_unique_and_their_parity_says_who_speaks),
        cmocka_unit_test(a_frame_cut_at_any_byte_is_refused_and_the_next_one_taken),
        cmocka_unit_test(too_long_a_frame_is_refused_without_writing_past_the_buffer),
        cmocka_unit_test(console_text_between_frames_costs_no_frame),
        cmocka_unit_test(a_frame_of_another_format_is_not_a_frame),
        cmocka_unit_test(of_a_million_corrupted_frames_none_is_taken_for_another),
        cmocka_unit_test(error_codes_and_timebases_have_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
