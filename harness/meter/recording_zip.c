/* Just enough of zip (PKWARE APPNOTE 6.3) to take a member out of a .ppk2 file. */
#include <string.h>
#include <zlib.h>

#include "harness/meter/recording.h"

enum {
    END_SIZE = 22,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_MAX = 65535,
    STORED = 0,
    DEFLATED = 8,
};

struct member {
    unsigned method;
    size_t packed, size, offset;
};

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static size_t u32(const uint8_t *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static const uint8_t *find_end(const uint8_t *data, size_t n)
{
    for (size_t back = END_SIZE; back <= n && back <= END_SIZE + COMMENT_MAX; back++) {
        if (memcmp(data + n - back, "PK\5\6", 4) == 0)
            return data + n - back;
    }
    return NULL;
}

/* In the central directory; false when it is not there or the directory is broken. */
static bool find_member(const uint8_t *data, size_t n, const char *name, struct member *ret)
{
    const uint8_t *end = find_end(data, n);
    size_t at = end != NULL ? u32(end + 16) : n;

    for (unsigned i = 0; end != NULL && i < u16(end + 10); i++) {
        const uint8_t *p = data + at;
        size_t length;

        if (at > n || n - at < CENTRAL_SIZE || memcmp(p, "PK\1\2", 4) != 0)
            return false;
        length = u16(p + 28);
        if (n - at - CENTRAL_SIZE < length)
            return false;
        if (length == strlen(name) && memcmp(p + CENTRAL_SIZE, name, length) == 0) {
            *ret = (struct member){.method = u16(p + 10),
                                   .packed = u32(p + 20),
                                   .size = u32(p + 24),
                                   .offset = u32(p + 42)};
            return true;
        }
        at += CENTRAL_SIZE + length + u16(p + 30) + u16(p + 32);
    }
    return false;
}

/* Where its bytes lie; NULL when not in the file. */
static const uint8_t *bytes_of(const uint8_t *data, size_t n, const struct member *m)
{
    size_t at = m->offset;

    if (at > n || n - at < LOCAL_SIZE || memcmp(data + at, "PK\3\4", 4) != 0)
        return NULL;
    at += LOCAL_SIZE + u16(data + at + 26) + u16(data + at + 28);
    return at <= n && n - at >= m->packed ? data + at : NULL;
}

static bool inflate_into(const uint8_t *packed, const struct member *m, struct buf *ret)
{
    z_stream z = {.next_in = (Bytef *)packed, .avail_in = (uInt)m->packed}; /* only read */
    uint8_t piece[16384];
    int r = Z_OK;

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return false;
    while (r == Z_OK && !ret->full) {
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        r = inflate(&z, Z_NO_FLUSH);
        buf_append(ret, piece, sizeof(piece) - z.avail_out);
    }
    (void)inflateEnd(&z);
    return r == Z_STREAM_END && ret->len == m->size;
}

int recording_unzip(const char *name, const void *data, size_t n, const char *member, size_t limit,
                    struct buf *ret, struct err *err)
{
    struct member m;
    const uint8_t *packed;
    bool good = false;

    if (!find_member(data, n, member, &m))
        return err_set(err, ERR_CONFIG, "%s: there is no %s in it", name, member);
    packed = bytes_of(data, n, &m);
    if (m.size > limit)
        return err_set(err, ERR_CONFIG, "%s: %s is too large (%zu bytes)", name, member, m.size);
    ret->limit = m.size + 1;
    if (packed != NULL && m.method == STORED && m.packed == m.size) {
        buf_append(ret, packed, m.size);
        good = true;
    } else if (packed != NULL && m.method == DEFLATED) {
        good = inflate_into(packed, &m, ret);
    }
    return good ? 0 : err_set(err, ERR_CONFIG, "%s: %s is damaged", name, member);
}
