#include "harness/cli/archive.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "harness/base/file.h"

enum {
    BLOCK = 512,
    NAME_MAX_BYTES = 99,
    GZIP_WINDOW = 15 + 16, /* zlib: a gzip header, with time 0 and no name */
};

/* POSIX 1003.1-1988, "ustar": octal numbers, blocks of 512 bytes. */
struct header {
    char name[100];
    char mode[8], uid[8], gid[8];
    char size[12], mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[6], version[2];
    char user[32], group[32];
    char major[8], minor[8];
    char prefix[155];
    char pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static void put_octal(char *field, size_t size, size_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%0*zo", (int)size - 1, value);
    memcpy(field, text, size);
}

static void fill_header(struct header *h, const char *name, size_t n)
{
    const unsigned char *bytes = (const unsigned char *)h;
    size_t sum = 0;

    memset(h, 0, sizeof(*h));
    memcpy(h->name, name, strlen(name));
    put_octal(h->mode, sizeof(h->mode), 0640);
    put_octal(h->uid, sizeof(h->uid), 0);
    put_octal(h->gid, sizeof(h->gid), 0);
    put_octal(h->size, sizeof(h->size), n);
    put_octal(h->mtime, sizeof(h->mtime), 0);
    memset(h->checksum, ' ', sizeof(h->checksum));
    h->type = '0';
    memcpy(h->magic, "ustar", sizeof(h->magic));
    memcpy(h->version, "00", sizeof(h->version));
    for (size_t i = 0; i < sizeof(*h); i++)
        sum += bytes[i];
    put_octal(h->checksum, sizeof(h->checksum) - 1, sum);
}

static void pad_blocks(struct buf *tar, size_t blocks)
{
    static const char zeros[BLOCK];

    while (blocks-- > 0)
        buf_append(tar, zeros, BLOCK);
    if (tar->len % BLOCK != 0)
        buf_append(tar, zeros, BLOCK - tar->len % BLOCK);
}

int archive_add(struct buf *tar, const char *name, const void *data, size_t n, struct err *err)
{
    struct header h;

    if (strlen(name) > NAME_MAX_BYTES || name[0] == '/' || strstr(name, "..") != NULL)
        return err_set(err, ERR_CONFIG, "'%s' cannot be put into an archive", name);
    fill_header(&h, name, n);
    buf_append(tar, &h, sizeof(h));
    buf_append(tar, data, n);
    pad_blocks(tar, 0);
    return tar->full ? err_set(err, ERR_CONFIG, "the archive gets too large at '%s'", name) : 0;
}

static int compress_all(const struct buf *tar, struct buf *out, struct err *err)
{
    z_stream z = {.next_in = (Bytef *)tar->data, .avail_in = (uInt)tar->len};
    char chunk[16384];
    int r;

    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return err_set(err, ERR_BUG, "zlib does not begin");
    do {
        z.next_out = (Bytef *)chunk;
        z.avail_out = sizeof(chunk);
        r = deflate(&z, Z_FINISH);
        buf_append(out, chunk, sizeof(chunk) - z.avail_out);
    } while (r == Z_OK);
    (void)deflateEnd(&z);
    return r == Z_STREAM_END ? 0 : err_set(err, ERR_BUG, "zlib does not end");
}

int archive_write(struct buf *tar, const char *path, struct err *err)
{
    AUTO_BUF out = BUF_INIT;

    pad_blocks(tar, 2);
    if (compress_all(tar, &out, err) < 0)
        return (int)err->code;
    return file_write_named(path, buf_text(&out), out.len, err);
}
