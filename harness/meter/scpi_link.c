#include "harness/meter/scpi_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LXI
#include <lxi.h>
#endif

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/meter/scpi_format.h"

enum {
    ANSWER_MS = 3000,
    PIECE = 65536,
    ERRORS_MAX = 32, /* of a queue: more, and it is not one */
};

/* ---- bytes ---- */

#ifdef HAVE_LXI
static int vxi_connect(struct scpi_link *s, const char *where, struct err *err)
{
    char host[256];
    char *name;

    (void)snprintf(host, sizeof(host), "%s", where);
    name = strchr(host, '/');
    if (name != NULL)
        *name++ = '\0';
    (void)lxi_init();
    s->vxi = lxi_connect(host, 0, name, ANSWER_MS, VXI11);
    return s->vxi >= 0 ? 0 : err_set(err, ERR_METER, "no VXI-11 instrument at '%s'", host);
}

static int vxi_send(struct scpi_link *s, const char *line, size_t n, struct err *err)
{
    return lxi_send(s->vxi, line, (int)n, ANSWER_MS) == (int)n
               ? 0
               : err_set(err, ERR_METER, "the VXI-11 instrument takes no command");
}

static int vxi_receive(struct scpi_link *s, char *piece, size_t size, size_t *ret, struct err *err)
{
    const int n = lxi_receive(s->vxi, piece, (int)size, ANSWER_MS);

    *ret = n > 0 ? (size_t)n : 0;
    return n >= 0 ? 0 : err_set(err, ERR_METER, "the VXI-11 instrument does not answer");
}

static void vxi_disconnect(struct scpi_link *s)
{
    if (s->vxi >= 0)
        (void)lxi_disconnect(s->vxi);
    s->vxi = -1;
}
#else
static int vxi_connect(struct scpi_link *s, const char *where, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED, "this tinyrig was built without liblxi, which %s needs",
                   where);
}

static int vxi_send(struct scpi_link *s, const char *line, size_t n, struct err *err)
{
    return err_set(err, ERR_BUG, "no VXI-11");
}

static int vxi_receive(struct scpi_link *s, char *piece, size_t size, size_t *ret, struct err *err)
{
    return err_set(err, ERR_BUG, "no VXI-11");
}

static void vxi_disconnect(struct scpi_link *s)
{
}
#endif

int scpi_connect(struct scpi_link *s, const char *where, struct err *err)
{
    char address[256];
    const struct transport_config config = {.where = address};

    *s = (struct scpi_link)SCPI_LINK_INIT;
    if (where == NULL || where[0] == '\0')
        return err_set(err, ERR_CONFIG,
                       "'where' must be host, host:port, vxi11:host or /dev/usbtmcN");
    if (strncmp(where, "vxi11:", 6) == 0)
        return vxi_connect(s, where + 6, err);
    if (where[0] == '/') {
        s->file = open(where, O_RDWR | O_CLOEXEC | O_NOCTTY);
        return s->file < 0 ? err_sys(err, errno, "%s", where) : 0;
    }
    (void)snprintf(address, sizeof(address), strchr(where, ':') != NULL ? "%s" : "%s:5025", where);
    return transport_open("tcp", &config, &s->transport, err);
}

void scpi_disconnect(struct scpi_link *s)
{
    transport_close(s->transport);
    s->transport = NULL;
    fd_close(&s->file);
    vxi_disconnect(s);
    buf_release(&s->received);
}

int scpi_send(struct scpi_link *s, const char *line, struct err *err)
{
    char text[256];
    const int n = snprintf(text, sizeof(text), "%s\n", line);

    if (n < 0 || (size_t)n >= sizeof(text))
        return err_set(err, ERR_BUG, "a SCPI command of %d bytes", n);
    if (s->transport != NULL)
        return transport_send(s->transport, text, (size_t)n, err);
    if (s->vxi >= 0)
        return vxi_send(s, text, (size_t)n, err);
    return write(s->file, text, (size_t)n) == n ? 0 : err_sys(err, errno, "usbtmc");
}

/* Whatever came; a read of USBTMC is a whole message, and the kernel bounds its time. */
static int receive(struct scpi_link *s, struct err *err)
{
    char piece[PIECE];
    size_t n = 0;
    int r;

    if (s->transport != NULL) {
        r = transport_recv(s->transport, piece, sizeof(piece), 100, &n, err);
    } else if (s->vxi >= 0) {
        r = vxi_receive(s, piece, sizeof(piece), &n, err);
    } else {
        const ssize_t got = read(s->file, piece, sizeof(piece));

        n = got > 0 ? (size_t)got : 0;
        r = got < 0 ? err_sys(err, errno, "usbtmc") : 0;
    }
    buf_append(&s->received, piece, n);
    return r;
}

/* ---- answers ---- */

/* Until `enough` says that an answer is whole: returns its length, line end included. */
static int64_t await(struct scpi_link *s, const char *question, size_t most,
                     int64_t (*enough)(const char *data, size_t n), struct err *err)
{
    const struct deadline end = deadline_in_ms(ANSWER_MS);

    buf_clear(&s->received); /* whatever is left of an answer that was given up */
    if (scpi_send(s, question, err) < 0)
        return (int)err->code;
    for (;;) {
        const int64_t length = enough(buf_text(&s->received), s->received.len);

        if (length > 0)
            return length;
        if (length < 0 || s->received.len > most)
            return err_set(err, ERR_METER, "the answer to '%s' makes no sense: '%.40s'", question,
                           buf_text(&s->received));
        if (deadline_passed(end))
            return err_set(err, ERR_METER, "no answer to '%s'", question);
        if (receive(s, err) < 0)
            return (int)err->code;
    }
}

int scpi_ask(struct scpi_link *s, const char *question, char answer[static SCPI_ANSWER_MAX],
             struct err *err)
{
    const int64_t n = await(s, question, SCPI_ANSWER_MAX - 1, scpi_line_length, err);

    if (n < 0)
        return (int)n;
    if (n >= SCPI_ANSWER_MAX)
        return err_set(err, ERR_METER, "the answer to '%s' has %lld bytes", question, (long long)n);
    memcpy(answer, s->received.data, (size_t)n);
    answer[n] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return 0;
}

int scpi_ask_number(struct scpi_link *s, const char *question, double *ret, struct err *err)
{
    char answer[SCPI_ANSWER_MAX];

    if (scpi_ask(s, question, answer, err) < 0)
        return (int)err->code;
    if (!scpi_number(answer, ret))
        return err_set(err, ERR_METER, "'%s' is answered with '%.40s'", question, answer);
    return 0;
}

int scpi_ask_block(struct scpi_link *s, const char *question, size_t most, struct buf *ret,
                   struct err *err)
{
    const int64_t n = await(s, question, most + 16, scpi_block_length, err);
    uint64_t size = 0;
    int64_t begin;

    if (n < 0)
        return (int)n;
    begin = scpi_block_begin(buf_text(&s->received), s->received.len, &size);
    if (begin <= 0 || size > most)
        return err_set(err, ERR_METER, "'%s' is answered with a block of %llu bytes", question,
                       (unsigned long long)size);
    buf_clear(ret);
    buf_append(ret, s->received.data + begin, size);
    return 0;
}

int scpi_check(struct scpi_link *s, const char *after, struct err *err)
{
    char first[SCPI_ANSWER_MAX] = "";
    char answer[SCPI_ANSWER_MAX];

    for (int i = 0; i < ERRORS_MAX; i++) {
        if (scpi_ask(s, "SYST:ERR?", answer, err) < 0)
            return (int)err->code;
        if (strtol(answer, NULL, 10) == 0)
            return first[0] == '\0' ? 0
                                    : err_set(err, ERR_METER, "%s: it says %.80s", after, first);
        if (first[0] == '\0')
            (void)snprintf(first, sizeof(first), "%s", answer);
    }
    return err_set(err, ERR_METER, "%s: its queue of errors has no end: %.80s", after, first);
}
