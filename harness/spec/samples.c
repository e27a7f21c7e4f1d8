#include "harness/spec/samples.h"

#include <stdbool.h>

enum {
    SAMPLES_VERSION = 1,
    VARINT_MAX = 10
};

void samples_pack(const uint64_t *samples, size_t count, struct buf *out)
{
    uint64_t before = 0;

    buf_putc(out, SAMPLES_VERSION);
    for (size_t i = 0; i < count; i++) {
        const uint64_t step = samples[i] - before;
        uint64_t zigzag = (step << 1) ^ (0 - (step >> 63));

        for (; zigzag >= 0x80; zigzag >>= 7)
            buf_putc(out, (char)(0x80 | (zigzag & 0x7f)));
        buf_putc(out, (char)zigzag);
        before = samples[i];
    }
}

/* One number at *at; false when it is cut off, longer than 64 bits or padded with zero bytes. */
static bool take_varint(const uint8_t *data, size_t size, size_t *at, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned n = 0; n < VARINT_MAX && *at < size; n++) {
        const uint8_t byte = data[(*at)++];

        if (n == VARINT_MAX - 1 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << (7 * n);
        if (byte < 0x80) {
            *ret = value;
            return byte != 0 || n == 0;
        }
    }
    return false;
}

int samples_unpack(const void *data, size_t size, struct arena *arena, const uint64_t **ret_samples,
                   size_t *ret_count, struct err *err)
{
    const uint8_t *bytes = data;
    size_t at = 1, count = 0;
    uint64_t *samples;
    uint64_t before = 0, zigzag;

    if (size == 0 || bytes[0] != SAMPLES_VERSION)
        return err_set(err, ERR_CONFIG, "samples: unknown packing");
    samples = arena_alloc(arena, size * sizeof(*samples));
    while (at < size) {
        if (!take_varint(bytes, size, &at, &zigzag))
            return err_set(err, ERR_CONFIG, "samples: bad number at byte %zu", at);
        before += (zigzag >> 1) ^ (0 - (zigzag & 1));
        samples[count++] = before;
    }
    *ret_samples = samples;
    *ret_count = count;
    return 0;
}
