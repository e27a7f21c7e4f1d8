#include "harness/trace/pack.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    VERSION = 1,
    HAS_PALETTE = 1,
    HAS_LOGIC = 2,
    HAS_RANGE = 4,
    PALETTE_MAX = 65536,
    HEADER = 12,
    RAW_MAX = HEADER + 4 * PALETTE_MAX + 6 * PACK_SAMPLES_MAX,
    LEVEL = 1, /* the higher ones gain little on noise */
};

/* ---- palette ---- */

static uint32_t bits_of(float f)
{
    uint32_t u;

    memcpy(&u, &f, sizeof(u));
    return u;
}

/* An order of bit patterns that is the order of numbers, NAN at an end. */
static uint32_t order_of(uint32_t bits)
{
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

static uint32_t bits_of_order(uint32_t order)
{
    return (order & 0x80000000u) != 0 ? order & 0x7fffffffu : ~order;
}

static int compare(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The different values of a chunk, sorted; 0 when there are too many. */
static size_t make_palette(const struct pack_samples *s, uint32_t *values)
{
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++)
        values[i] = order_of(bits_of(s->current_a[i]));
    qsort(values, s->count, sizeof(values[0]), compare);
    for (size_t i = 0; i < s->count; i++) {
        if (n == 0 || values[n - 1] != values[i])
            values[n++] = values[i];
    }
    return n <= PALETTE_MAX ? n : 0;
}

static size_t find(const uint32_t *values, size_t n, uint32_t value)
{
    size_t low = 0;

    while (n > 1) {
        const size_t half = n / 2;

        low += values[low + half] <= value ? half : 0;
        n -= half;
    }
    return low;
}

/* ---- writing ---- */

static void put_u32(struct buf *b, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                              (uint8_t)(v >> 24)};

    buf_append(b, bytes, 4);
}

static void put_indices(const struct pack_samples *s, const uint32_t *values, size_t n,
                        struct buf *out)
{
    uint8_t *planes = malloc(2 * s->count + 1);

    if (planes == NULL)
        abort();
    for (size_t i = 0; i < s->count; i++) {
        const size_t at = find(values, n, order_of(bits_of(s->current_a[i])));

        planes[i] = (uint8_t)at;
        planes[s->count + i] = (uint8_t)(at >> 8);
    }
    buf_append(out, planes, 2 * s->count);
    free(planes);
}

static void put_floats(const struct pack_samples *s, struct buf *out)
{
    uint8_t *planes = malloc(4 * s->count + 1);

    if (planes == NULL)
        abort();
    for (size_t i = 0; i < s->count; i++) {
        const uint32_t bits = bits_of(s->current_a[i]);

        for (size_t p = 0; p < 4; p++)
            planes[p * s->count + i] = (uint8_t)(bits >> (8 * p));
    }
    buf_append(out, planes, 4 * s->count);
    free(planes);
}

static void compress(const struct buf *raw, struct buf *out)
{
    const size_t room = ZSTD_compressBound(raw->len);
    char *packed = malloc(room);
    size_t n;

    if (packed == NULL)
        abort();
    n = ZSTD_compress(packed, room, raw->data, raw->len, LEVEL);
    if (ZSTD_isError(n))
        abort(); /* only for want of room, which the bound excludes */
    buf_append(out, packed, n);
    free(packed);
}

void pack_chunk(const struct pack_samples *s, struct buf *out)
{
    uint32_t *values = malloc((s->count + 1) * sizeof(*values));
    AUTO_BUF raw = BUF_INIT;
    size_t n;

    if (values == NULL)
        abort();
    n = make_palette(s, values);
    put_u32(&raw,
            VERSION | (uint32_t)((n > 0 ? HAS_PALETTE : 0) | (s->logic != NULL ? HAS_LOGIC : 0) |
                                 (s->range != NULL ? HAS_RANGE : 0))
                          << 8);
    put_u32(&raw, (uint32_t)s->count);
    put_u32(&raw, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_u32(&raw, bits_of_order(values[i]));
    if (n > 0)
        put_indices(s, values, n, &raw);
    else
        put_floats(s, &raw);
    if (s->logic != NULL)
        buf_append(&raw, s->logic, s->count);
    if (s->range != NULL)
        buf_append(&raw, s->range, s->count);
    free(values);
    compress(&raw, out);
}

/* ---- reading ---- */

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float float_of(uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof(f));
    return f;
}

static int broken(struct err *err)
{
    return err_set(err, ERR_STORE, "a chunk of the trace is damaged");
}

static int take_current(const uint8_t *palette, uint32_t values, const uint8_t *planes, size_t n,
                        float *ret, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t at = (uint32_t)planes[i] | (uint32_t)planes[n + i] << 8;

        if (values == 0) {
            ret[i] = float_of(at | (uint32_t)planes[2 * n + i] << 16 |
                              (uint32_t)planes[3 * n + i] << 24);
            continue;
        }
        if (at >= values)
            return broken(err);
        ret[i] = float_of(get_u32(palette + 4 * (size_t)at));
    }
    return 0;
}

static int take_raw(const uint8_t *raw, size_t size, struct pack_samples *s, struct err *err)
{
    const uint32_t flags = size >= HEADER ? get_u32(raw) >> 8 : 0;
    const uint32_t count = size >= HEADER ? get_u32(raw + 4) : 0;
    const uint32_t values = size >= HEADER ? get_u32(raw + 8) : 0;
    const size_t planes = (values > 0 ? 2u : 4u);
    size_t at = HEADER + 4 * (size_t)values;

    if (size < HEADER || raw[0] != VERSION || count > PACK_SAMPLES_MAX || values > PALETTE_MAX ||
        ((flags & HAS_PALETTE) != 0) != (values > 0) ||
        size != at + count * (planes + ((flags & HAS_LOGIC) != 0) + ((flags & HAS_RANGE) != 0)))
        return broken(err);
    if (take_current(raw + HEADER, values, raw + at, count, s->current_a, err) < 0)
        return (int)err->code;
    at += count * planes;
    if (s->logic != NULL)
        memset(s->logic, 0, count);
    if (s->range != NULL)
        memset(s->range, 0, count);
    if ((flags & HAS_LOGIC) != 0 && s->logic != NULL)
        memcpy(s->logic, raw + at, count);
    at += (flags & HAS_LOGIC) != 0 ? count : 0;
    if ((flags & HAS_RANGE) != 0 && s->range != NULL)
        memcpy(s->range, raw + at, count);
    s->count = count;
    return 0;
}

int pack_open(const void *data, size_t n, struct pack_samples *s, struct err *err)
{
    const unsigned long long size = ZSTD_getFrameContentSize(data, n);
    uint8_t *raw;
    size_t got;
    int r;

    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > RAW_MAX)
        return broken(err);
    raw = malloc((size_t)size + 1);
    if (raw == NULL)
        abort();
    got = ZSTD_decompress(raw, (size_t)size, data, n);
    r = ZSTD_isError(got) || got != size ? broken(err) : take_raw(raw, got, s, err);
    free(raw);
    return r;
}
