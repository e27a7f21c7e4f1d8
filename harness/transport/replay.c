/*
 * A recorded session (filter.h) played back: what the target said, as soon as as many bytes have
 * been sent as the recorded host had sent by then. For bug reports and as test fixtures; who
 * replays must open the session with the recorded nonce.
 *
 * Time plays no part, so a replay is as fast as the host and always the same.
 */
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/transport/transport.h"

enum {
    RECORD_LIMIT = 256 << 20
};

struct replay {
    struct transport base;
    struct buf text;
    size_t line_at; /* the next line of text */
    size_t line_no;
    uint64_t sent;      /* by the host, now */
    uint64_t sent_then; /* by the recorded host, before the bytes in `ready` */
    struct buf ready;   /* decoded bytes of the last "<" line */
};

static int bad_line(const struct replay *r, struct err *err)
{
    return err_set(err, ERR_CONFIG, "line %zu: expected '<microseconds> < <hex>' or '> <hex>'",
                   r->line_no);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* The hex bytes of a line, appended to out (NULL: only counted); -1 when it is not hex. */
static long decode_hex(const char *s, size_t n, struct buf *out)
{
    if (n % 2 != 0)
        return -1;
    for (size_t i = 0; i < n; i += 2) {
        int high = hex_digit(s[i]);
        int low = hex_digit(s[i + 1]);

        if (high < 0 || low < 0)
            return -1;
        if (out != NULL)
            buf_putc(out, (char)(high << 4 | low));
    }
    return (long)(n / 2);
}

/* The next line: 1 when it brought bytes into `ready`, 0 when not, negative when it is wrong. */
static int take_line(struct replay *r, struct err *err)
{
    const char *line = r->text.data + r->line_at;
    const char *end = memchr(line, '\n', r->text.len - r->line_at);
    size_t n = end != NULL ? (size_t)(end - line) : r->text.len - r->line_at;
    const char *way = memchr(line, ' ', n);
    long bytes;

    r->line_at += n + (end != NULL);
    r->line_no++;
    if (way == NULL || (size_t)(way - line) + 3 > n || way[2] != ' ' ||
        (way[1] != '<' && way[1] != '>'))
        return bad_line(r, err);
    bytes = decode_hex(way + 3, n - (size_t)(way - line) - 3, way[1] == '<' ? &r->ready : NULL);
    if (bytes < 0)
        return bad_line(r, err);
    if (way[1] == '<')
        return 1;
    r->sent_then += (uint64_t)bytes;
    return 0;
}

static int replay_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct replay *r = (struct replay *)t;

    if (config->where == NULL)
        return err_set(err, ERR_CONFIG, "needs `where`, the file of a recorded session");
    if (file_read(config->where, RECORD_LIMIT, &r->text, err) < 0)
        return (int)err->code;
    while (r->line_at < r->text.len) { /* all of it, so that a broken record is refused at once */
        if (take_line(r, err) < 0)
            return (int)err->code;
        buf_clear(&r->ready);
    }
    r->line_at = r->line_no = 0;
    r->sent_then = 0;
    return 0;
}

static int replay_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    (void)data;
    (void)err;
    ((struct replay *)t)->sent += n;
    return 0;
}

static int replay_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                       size_t *ret_n, struct err *err)
{
    struct replay *r = (struct replay *)t;

    while (r->ready.len == 0 && r->line_at < r->text.len) {
        if (take_line(r, err) < 0)
            return (int)err->code;
    }
    if (r->ready.len == 0)
        return err_set(err, ERR_IO, "the port hung up (the record ends)");
    *ret_n = 0;
    if (r->sent < r->sent_then) { /* the recorded host had said more: so must this one */
        clock_sleep_ms(timeout_ms);
        return 0;
    }
    *ret_n = r->ready.len < cap ? r->ready.len : cap;
    memcpy(data, r->ready.data, *ret_n);
    buf_consume(&r->ready, *ret_n);
    return 0;
}

static int replay_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    (void)t;
    (void)baud;
    (void)err;
    return 0;
}

static int replay_fd(struct transport *t)
{
    (void)t;
    return -1;
}

static void replay_close(struct transport *t)
{
    struct replay *r = (struct replay *)t;

    buf_release(&r->text);
    buf_release(&r->ready);
}

const struct transport_ops transport_replay = {
    .name = "replay",
    .help = "a recorded session, played back",
    .size = sizeof(struct replay),
    .open = replay_open,
    .send = replay_send,
    .recv = replay_recv,
    .set_baud = replay_set_baud,
    .fd = replay_fd,
    .close = replay_close,
};
