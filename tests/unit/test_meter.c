/* The PPK2's metadata and stream, the clock check: pure, no instrument and no thread. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/meter/clock_loss.h"
#include "harness/meter/ppk2_format.h"

#define ROOM 200000

static float current_a[ROOM];
static float filtered_a[ROOM];
static uint8_t logic[ROOM];
static uint8_t range[ROOM];

static struct ppk2_block block(void)
{
    return (struct ppk2_block){.current_a = current_a,
                               .filtered_a = filtered_a,
                               .logic = logic,
                               .range = range,
                               .room = ROOM};
}

static void read_golden(const char *name, struct buf *ret)
{
    struct err err = ERR_INIT;
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/tests/golden/ppk2/%s", getenv("TINYRIG_SOURCE"), name);
    assert_int_equal(file_read(path, 1 << 20, ret, &err), 0);
}

static struct ppk2_meta golden_meta(void)
{
    AUTO_BUF text = BUF_INIT;
    struct ppk2_meta meta;
    struct err err = ERR_INIT;

    read_golden("metadata.txt", &text);
    assert_true(ppk2_meta_complete(buf_text(&text), text.len));
    assert_int_equal(ppk2_meta_parse(buf_text(&text), text.len, &meta, &err), 0);
    return meta;
}

/* ---- conversion ---- */

static void conversion_gives_the_bits_of_the_reference(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    AUTO_BUF words = BUF_INIT;
    AUTO_BUF raw = BUF_INIT;
    AUTO_BUF filtered = BUF_INIT;
    struct ppk2_decoder d;
    struct ppk2_block out = block();

    read_golden("words.bin", &words);
    read_golden("raw.f64", &raw);
    read_golden("filtered.f64", &filtered);
    ppk2_decoder_init(&d, &meta, true);
    assert_int_equal(ppk2_decode(&d, (const uint8_t *)words.data, words.len, true, &out),
                     words.len);
    assert_int_equal(out.count, words.len / 4);
    for (size_t i = 0; i < out.count; i++) {
        uint32_t word;
        double expected;
        double expected_filtered;
        double got;

        memcpy(&word, words.data + 4 * i, 4);
        memcpy(&expected, raw.data + 8 * i, 8);
        memcpy(&expected_filtered, filtered.data + 8 * i, 8);
        got = ppk2_amperes(&meta, (word >> 14) & 7, word & 0x3fff);
        assert_memory_equal(&got, &expected, sizeof(got));
        if ((word & 0x3fff) == PPK2_SATURATED)
            assert_true(isnan(current_a[i]));
        else
            assert_true(current_a[i] == (float)expected);
        assert_true(filtered_a[i] == (float)expected_filtered);
        assert_int_equal(logic[i], word >> 24);
        assert_int_equal(range[i], (word >> 14) & 7);
    }
    assert_int_equal(d.lost + d.corrupted + d.resyncs, 0);
    ppk2_decoder_release(&d);
}

static void metadata_that_lacks_a_constant_blocks_its_range_only(void **state)
{
    AUTO_BUF text = BUF_INIT;
    struct ppk2_meta meta;
    struct err err = ERR_INIT;
    char *at;

    read_golden("metadata.txt", &text);
    at = strstr(text.data, "GI3");
    at[2] = '9'; /* no such range */
    at = strstr(text.data, "\nO2: ");
    at[5] = 'x'; /* no number */
    assert_int_equal(ppk2_meta_parse(buf_text(&text), text.len, &meta, &err), 0);
    assert_int_equal(meta.missing[0] | meta.missing[1] | meta.missing[4], 0);
    assert_int_not_equal(meta.missing[3], 0);
    assert_int_not_equal(meta.missing[2], 0);
    assert_true(isnan(ppk2_amperes(&meta, 3, 100)));
    assert_true(isnan(ppk2_amperes(&meta, 2, 100)));
    assert_true(isfinite(ppk2_amperes(&meta, 1, 100)));
}

static void a_zero_is_a_zero_but_no_resistance(void **state)
{
    static const char text[] = "R0: 0\nR1: 100\nGS1: 0\nGI1: 1\nO1: 0\nS1: 0\nI1: 0\nUG1: 1\n"
                               "VDD: 3000\nEND\n";
    struct ppk2_meta meta;
    struct err err = ERR_INIT;

    assert_int_equal(ppk2_meta_parse(text, sizeof(text) - 1, &meta, &err), 0);
    assert_int_not_equal(meta.missing[0], 0);
    assert_int_equal(meta.missing[1], 0);
    assert_true(ppk2_amperes(&meta, 1, 0) == 0);
}

static void what_is_no_metadata_is_refused(void **state)
{
    static const char text[] = "PowerShield > ack version\r\nEND\n";
    struct ppk2_meta meta;
    struct err err = ERR_INIT;

    assert_int_equal(ppk2_meta_parse(text, sizeof(text) - 1, &meta, &err), ERR_METER);
    assert_false(ppk2_meta_complete("R0: 1\nEN", 8));
    assert_false(ppk2_meta_complete("R0: 1\nBLEND", 11));
    assert_true(ppk2_meta_complete("R0: 1\r\nEND\r\n", 12));
}

/* ---- losses ---- */

static void put_words(struct buf *out, unsigned from, unsigned count)
{
    for (unsigned n = from; n < from + count; n++) {
        const uint32_t word = (1000 + n % 50) | 1u << 14 | (n & 63) << 18 | ((n / 500) & 1) << 24;
        const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                                  (uint8_t)(word >> 24)};

        buf_append(out, bytes, 4);
    }
}

/* Everything in pieces of `piece` bytes. */
static void decode_all(struct ppk2_decoder *d, const struct buf *bytes, size_t piece,
                       struct ppk2_block *out)
{
    size_t at = 0;
    size_t end = 0;

    while (at < bytes->len) {
        end = end + piece < bytes->len ? end + piece : bytes->len;
        at += ppk2_decode(d, (const uint8_t *)bytes->data + at, end - at, end == bytes->len, out);
    }
}

static void the_counter_finds_losses_and_keeps_time(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    static const unsigned losses[] = {1, 2, 10, 36, 63};

    for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
        for (size_t piece = 1; piece < 300; piece += 37) {
            AUTO_BUF bytes = BUF_INIT;
            struct ppk2_decoder d;
            struct ppk2_block out = block();

            put_words(&bytes, 0, 700);
            put_words(&bytes, 700 + losses[i], 800);
            ppk2_decoder_init(&d, &meta, true);
            decode_all(&d, &bytes, piece, &out);
            assert_int_equal(d.lost, losses[i]);
            assert_int_equal(d.gaps, 1);
            assert_int_equal(out.count, 1500 + losses[i]);
            assert_true(isnan(current_a[700]) && isnan(current_a[699 + losses[i]]));
            assert_false(isnan(current_a[699]) || isnan(current_a[700 + losses[i]]));
            assert_int_equal(logic[999], 1);
            assert_int_equal(logic[1000], 0);
            ppk2_decoder_release(&d);
        }
    }
}

static void one_damaged_counter_is_no_loss(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    AUTO_BUF bytes = BUF_INIT;
    struct ppk2_decoder d;
    struct ppk2_block out = block();

    put_words(&bytes, 0, 1000);
    bytes.data[4 * 400 + 2] ^= 0x54;
    ppk2_decoder_init(&d, &meta, true);
    decode_all(&d, &bytes, 100, &out);
    assert_int_equal(d.lost, 0);
    assert_int_equal(d.corrupted, 1);
    assert_int_equal(out.count, 1000);
    ppk2_decoder_release(&d);
}

/* A range at its end until the next one is on says nothing; the highest one says too much. */
static void what_is_beyond_a_range_is_lost_in_its_place(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    AUTO_BUF bytes = BUF_INIT;
    struct ppk2_decoder d;
    struct ppk2_block out = block();

    put_words(&bytes, 0, 1000);
    for (size_t n = 400; n < 402; n++) {
        bytes.data[4 * n] = (char)0xff;
        bytes.data[4 * n + 1] |= 0x3f;
    }
    ppk2_decoder_init(&d, &meta, true);
    decode_all(&d, &bytes, 100, &out);
    assert_int_equal(out.count, 1000);
    assert_int_equal(d.saturated, 2);
    assert_int_equal(d.overloaded + d.lost + d.corrupted + d.unconverted, 0);
    assert_true(isnan(current_a[400]) && isnan(current_a[401]));
    assert_false(isnan(current_a[399]) || isnan(current_a[402]));
    bytes.data[4 * 400 + 1] = 0x3f;
    bytes.data[4 * 400 + 2] |= 1; /* range 4 */
    ppk2_decoder_restart(&d);
    out.count = 0;
    decode_all(&d, &bytes, 100, &out);
    assert_int_equal(d.saturated, 2);
    assert_int_equal(d.overloaded, 1);
    ppk2_decoder_release(&d);
}

/* Bytes dropped or put in at any place: found, alignment and time restored. */
static void alignment_is_found_again_after_any_bytes_go_missing(void **state)
{
    const struct ppk2_meta meta = golden_meta();

    for (size_t dropped = 1; dropped < 12; dropped++) {
        for (size_t place = 2000; place < 2008; place++) {
            AUTO_BUF bytes = BUF_INIT;
            struct ppk2_decoder d;
            struct ppk2_block out = block();

            put_words(&bytes, 0, 1500);
            memmove(bytes.data + place, bytes.data + place + dropped, bytes.len - place - dropped);
            bytes.len -= dropped;
            ppk2_decoder_init(&d, &meta, true);
            decode_all(&d, &bytes, 512, &out);
            assert_int_equal(out.count, 1500);
            assert_in_range(d.lost, 1, 24);
            assert_int_equal(d.resyncs, dropped % 4 != 0);
            assert_int_equal(logic[999], 1); /* edges are where they were */
            assert_int_equal(logic[1000], 0);
            ppk2_decoder_release(&d);
        }
    }
}

static void bytes_that_do_not_belong_there_are_passed_over(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    uint32_t x = 1;
    int mistaken = 0;

    for (size_t more = 1; more < 12; more++) {
        for (int round = 0; round < 50; round++) {
            AUTO_BUF bytes = BUF_INIT;
            struct ppk2_decoder d;
            struct ppk2_block out = block();

            put_words(&bytes, 0, 500);
            for (size_t i = 0; i < more; i++) {
                x = x * 1664525 + 1013904223;
                buf_putc(&bytes, (char)(x >> 24));
            }
            put_words(&bytes, 500, 1000);
            ppk2_decoder_init(&d, &meta, true);
            decode_all(&d, &bytes, 512, &out);
            /* One in 64 bears the right counter: nobody could tell it from a sample. */
            mistaken += d.lost > 0 || out.count != 1500;
            ppk2_decoder_release(&d);
        }
    }
    assert_in_range(mistaken, 0, 550 / 20);
}

static void pieces_of_any_size_give_the_same_samples(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    AUTO_BUF words = BUF_INIT;
    float *expected = malloc(3000 * sizeof(float));

    read_golden("words.bin", &words);
    for (size_t piece = 1; piece < 70; piece++) {
        struct ppk2_decoder d;
        struct ppk2_block out = block();

        ppk2_decoder_init(&d, &meta, true);
        decode_all(&d, &words, piece, &out);
        assert_int_equal(out.count, 3000);
        if (piece == 1)
            memcpy(expected, filtered_a, 3000 * sizeof(float));
        assert_memory_equal(filtered_a, expected, 3000 * sizeof(float));
        ppk2_decoder_release(&d);
    }
    free(expected);
}

static void bytes_without_sense_end(void **state)
{
    const struct ppk2_meta meta = golden_meta();
    AUTO_BUF bytes = BUF_INIT;
    struct ppk2_decoder d;
    struct ppk2_block out = block();
    uint32_t x = 1;

    for (int i = 0; i < 40000; i++) {
        x = x * 1664525 + 1013904223;
        buf_putc(&bytes, (char)(x >> 24));
    }
    ppk2_decoder_init(&d, &meta, true);
    decode_all(&d, &bytes, 999, &out);
    assert_true(d.corrupted > 1000);
    ppk2_decoder_release(&d);
}

/* ---- the clock ---- */

/* A host that reads every millisecond, late by up to `jitter_ns`, sometimes stalled for long. */
static uint64_t run_clock(const unsigned *losses, size_t count, double ppm, unsigned jitter_ns)
{
    struct clock_loss c;
    uint64_t samples = 0;
    uint64_t found = 0;
    uint64_t missing = 0;
    uint32_t x = 7;

    clock_loss_init(&c, 10000, 64);
    for (unsigned ms = 0; ms < 2000 * (count + 1); ms++) {
        const double now = ms * 1e6 * (1 + ppm * 1e-6);
        uint64_t late;
        uint64_t lost;

        x = x * 1664525 + 1013904223;
        late = x % (jitter_ns + 1) + (ms % 2000 == 600 ? 180000000 : 0);
        if (ms % 2000 == 1000 && ms / 2000 < count)
            missing += losses[ms / 2000];
        samples = ms * 100 + 100 - missing + found;
        lost = clock_loss_feed(&c, 1000000000u + (uint64_t)now + 1000000 + late, samples);
        found += lost;
    }
    return found;
}

static void the_clock_finds_what_the_counter_cannot_see(void **state)
{
    static const unsigned losses[] = {64, 128, 6400, 64, 640};
    static const double ppm[] = {0, 50, -50};

    for (size_t i = 0; i < ARRAY_SIZE(ppm); i++) {
        assert_int_equal(run_clock(losses, 5, ppm[i], 200000), 64 + 128 + 6400 + 64 + 640);
        assert_int_equal(run_clock(losses, 0, ppm[i], 200000), 0);
        assert_int_equal(run_clock((const unsigned[]){64}, 1, ppm[i], 900000), 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversion_gives_the_bits_of_the_reference),
        cmocka_unit_test(metadata_that_lacks_a_constant_blocks_its_range_only),
        cmocka_unit_test(a_zero_is_a_zero_but_no_resistance),
        cmocka_unit_test(what_is_no_metadata_is_refused),
        cmocka_unit_test(the_counter_finds_losses_and_keeps_time),
        cmocka_unit_test(one_damaged_counter_is_no_loss),
        cmocka_unit_test(what_is_beyond_a_range_is_lost_in_its_place),
        cmocka_unit_test(alignment_is_found_again_after_any_bytes_go_missing),
        cmocka_unit_test(bytes_that_do_not_belong_there_are_passed_over),
        cmocka_unit_test(pieces_of_any_size_give_the_same_samples),
        cmocka_unit_test(bytes_without_sense_end),
        cmocka_unit_test(the_clock_finds_what_the_counter_cannot_see),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
