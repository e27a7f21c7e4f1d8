/*
 * A serial port of another machine by RFC 2217 (Telnet COM port control): like `tcp`, and the baud
 * rate and DTR can be set from here. ser2net: `connection: telnet(rfc2217),tcp,...`.
 *
 * Every byte 0xff is doubled on the line, and each set-up costs a turn-around: prefer `tcp` where
 * the rate need not change.
 */
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/transport/fdio.h"
#include "harness/transport/net.h"
#include "harness/transport/transport.h"

/* Telnet (RFC 854, 855) and its options. */
enum {
    IAC = 255,
    DONT = 254,
    DO = 253,
    WONT = 252,
    WILL = 251,
    SB = 250,
    SE = 240,
    OPTION_BINARY = 0,
    OPTION_NO_GO_AHEAD = 3,
    OPTION_COM_PORT = 44,
};

/* RFC 2217, 3: a server answers each with the same number plus 100. */
enum {
    SET_BAUDRATE = 1,
    SET_DATASIZE = 2,
    SET_PARITY = 3,
    SET_STOPSIZE = 4,
    SET_CONTROL = 5,
    ANSWER = 100,
    PARITY_NONE = 1,
    STOP_ONE = 1,
    CONTROL_NO_FLOW = 1,
    CONTROL_DTR_ON = 8,
    CONTROL_DTR_OFF = 9,
};

enum {
    FIRST_BAUD = 115200,
    ANSWER_MS = 3000,
    SUB_SIZE = 64
};

enum state {
    IN_DATA,
    IN_COMMAND, /* after IAC */
    IN_OPTION,  /* after IAC WILL and its like */
    IN_SUB,
    IN_SUB_COMMAND, /* after IAC in a subnegotiation */
};

struct rfc2217 {
    struct transport base;
    int fd;
    enum state state;
    uint8_t verb; /* of the option under way */
    uint8_t sub[SUB_SIZE];
    size_t sub_used; /* > SUB_SIZE: longer than any we know */
    bool agreed;     /* the server does COM port control */
    bool refused;
    unsigned baud;    /* as the server last confirmed; 0: not yet */
    struct buf ready; /* data that came in */
};

/* ---- out ---- */

static int send_bytes(struct rfc2217 *r, const void *bytes, size_t n, struct err *err)
{
    return fdio_send(r->fd, bytes, n, err);
}

static int send_option(struct rfc2217 *r, uint8_t verb, uint8_t option, struct err *err)
{
    const uint8_t bytes[] = {IAC, verb, option};

    return send_bytes(r, bytes, sizeof(bytes), err);
}

static int send_sub(struct rfc2217 *r, uint8_t command, const uint8_t *value, size_t n,
                    struct err *err)
{
    uint8_t bytes[32] = {IAC, SB, OPTION_COM_PORT, command};
    size_t used = 4;

    for (size_t i = 0; i < n; i++) {
        bytes[used++] = value[i];
        if (value[i] == IAC)
            bytes[used++] = IAC;
    }
    bytes[used++] = IAC;
    bytes[used++] = SE;
    return send_bytes(r, bytes, used, err);
}

static int send_setting(struct rfc2217 *r, uint8_t command, uint8_t value, struct err *err)
{
    return send_sub(r, command, &value, 1, err);
}

/* ---- in ---- */

/* What we asked for is settled; everything else the server offers or wants is declined. */
static int take_option(struct rfc2217 *r, uint8_t option, struct err *err)
{
    bool ours = option == OPTION_BINARY || option == OPTION_NO_GO_AHEAD;

    if (option == OPTION_COM_PORT) {
        r->agreed = r->agreed || r->verb == DO;
        r->refused = r->verb == DONT;
        return r->verb == WILL ? send_option(r, DONT, option, err) : 0;
    }
    if (ours || r->verb == WONT || r->verb == DONT)
        return 0;
    return send_option(r, r->verb == DO ? WONT : DONT, option, err);
}

static void take_sub(struct rfc2217 *r)
{
    const uint8_t *s = r->sub;

    if (r->sub_used == 6 && s[0] == OPTION_COM_PORT && s[1] == SET_BAUDRATE + ANSWER)
        r->baud = (unsigned)s[2] << 24 | (unsigned)s[3] << 16 | (unsigned)s[4] << 8 | s[5];
}

static void add_sub(struct rfc2217 *r, uint8_t byte)
{
    if (r->sub_used < SUB_SIZE)
        r->sub[r->sub_used] = byte;
    if (r->sub_used <= SUB_SIZE)
        r->sub_used++;
}

static void take_command(struct rfc2217 *r, uint8_t byte)
{
    r->state = IN_DATA;
    switch (byte) {
    case IAC:
        buf_putc(&r->ready, (char)byte);
        break;
    case WILL:
    case WONT:
    case DO:
    case DONT:
        r->verb = byte;
        r->state = IN_OPTION;
        break;
    case SB:
        r->sub_used = 0;
        r->state = IN_SUB;
        break;
    default: /* NOP, AYT, ... */
        break;
    }
}

static int take_byte(struct rfc2217 *r, uint8_t byte, struct err *err)
{
    switch (r->state) {
    case IN_DATA:
        if (byte == IAC)
            r->state = IN_COMMAND;
        else
            buf_putc(&r->ready, (char)byte);
        return 0;
    case IN_COMMAND:
        take_command(r, byte);
        return 0;
    case IN_OPTION:
        r->state = IN_DATA;
        return take_option(r, byte, err);
    case IN_SUB:
        if (byte == IAC)
            r->state = IN_SUB_COMMAND;
        else
            add_sub(r, byte);
        return 0;
    case IN_SUB_COMMAND:
        r->state = byte == IAC ? IN_SUB : IN_DATA;
        if (byte == IAC)
            add_sub(r, byte);
        else if (byte == SE)
            take_sub(r);
        return 0;
    }
    return 0;
}

/* Read what there is, waiting for it up to timeout_ms; data goes to `ready`. */
static int pump(struct rfc2217 *r, unsigned timeout_ms, struct err *err)
{
    uint8_t bytes[2048];
    size_t n;

    if (fdio_recv(r->fd, bytes, sizeof(bytes), timeout_ms, &n, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < n; i++) {
        if (take_byte(r, bytes[i], err) < 0)
            return (int)err->code;
    }
    return 0;
}

/* ---- the transport ---- */

static int confirm_baud(struct rfc2217 *r, unsigned baud, struct err *err)
{
    const uint8_t value[4] = {(uint8_t)(baud >> 24), (uint8_t)(baud >> 16), (uint8_t)(baud >> 8),
                              (uint8_t)baud};
    struct deadline until = deadline_in_ms(ANSWER_MS);

    r->baud = 0;
    if (send_sub(r, SET_BAUDRATE, value, sizeof(value), err) < 0)
        return (int)err->code;
    while (r->baud == 0 && !deadline_passed(until)) {
        if (pump(r, deadline_left_ms(until), err) < 0)
            return (int)err->code;
    }
    if (r->baud == 0)
        return err_set(err, ERR_TIMEOUT, "baud rate: no confirmation in %d ms", ANSWER_MS);
    if (r->baud != baud)
        return err_set(err, ERR_UNSUPPORTED, "baud rate: the server set %u instead of %u", r->baud,
                       baud);
    return 0;
}

static int negotiate(struct rfc2217 *r, struct err *err)
{
    struct deadline until = deadline_in_ms(ANSWER_MS);

    if (send_option(r, WILL, OPTION_COM_PORT, err) < 0 ||
        send_option(r, WILL, OPTION_BINARY, err) < 0 ||
        send_option(r, DO, OPTION_BINARY, err) < 0 ||
        send_option(r, WILL, OPTION_NO_GO_AHEAD, err) < 0 ||
        send_option(r, DO, OPTION_NO_GO_AHEAD, err) < 0)
        return (int)err->code;
    while (!r->agreed && !r->refused && !deadline_passed(until)) {
        if (pump(r, deadline_left_ms(until), err) < 0)
            return (int)err->code;
    }
    if (r->agreed)
        return 0;
    err_set(err, ERR_UNSUPPORTED, "the server does no COM port control");
    return err_hint(err, "use `transport: tcp`, or telnet(rfc2217) in the ser2net file");
}

static int rfc2217_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct rfc2217 *r = (struct rfc2217 *)t;
    const char *dtr = config->dtr != NULL ? config->dtr : "assert";

    r->fd = -1;
    if (net_connect(config->where, &r->fd, err) < 0 || negotiate(r, err) < 0)
        return (int)err->code;
    if (send_setting(r, SET_DATASIZE, 8, err) < 0 ||
        send_setting(r, SET_PARITY, PARITY_NONE, err) < 0 ||
        send_setting(r, SET_STOPSIZE, STOP_ONE, err) < 0 ||
        send_setting(r, SET_CONTROL, CONTROL_NO_FLOW, err) < 0)
        return (int)err->code;
    if (strcmp(dtr, "leave") != 0 &&
        send_setting(r, SET_CONTROL,
                     strcmp(dtr, "deassert") == 0 ? CONTROL_DTR_OFF : CONTROL_DTR_ON, err) < 0)
        return (int)err->code;
    return confirm_baud(r, config->baud != 0 ? config->baud : FIRST_BAUD, err);
}

static int rfc2217_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    struct rfc2217 *r = (struct rfc2217 *)t;
    const uint8_t *at = data;
    AUTO_BUF out = BUF_INIT;

    for (size_t i = 0; i < n; i++) {
        buf_putc(&out, (char)at[i]);
        if (at[i] == IAC)
            buf_putc(&out, (char)IAC);
    }
    return send_bytes(r, out.data, out.len, err);
}

static int rfc2217_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                        size_t *ret_n, struct err *err)
{
    struct rfc2217 *r = (struct rfc2217 *)t;
    struct deadline until = deadline_in_ms(timeout_ms);
    bool late = false;

    while (r->ready.len == 0 && !late) {
        late = deadline_passed(until);
        if (pump(r, deadline_left_ms(until), err) < 0)
            return (int)err->code;
    }
    *ret_n = r->ready.len < cap ? r->ready.len : cap;
    memcpy(data, buf_text(&r->ready), *ret_n);
    buf_consume(&r->ready, *ret_n);
    return 0;
}

static int rfc2217_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    return confirm_baud((struct rfc2217 *)t, baud, err);
}

static int rfc2217_fd(struct transport *t)
{
    return ((struct rfc2217 *)t)->fd;
}

static void rfc2217_close(struct transport *t)
{
    struct rfc2217 *r = (struct rfc2217 *)t;

    fd_close(&r->fd);
    buf_release(&r->ready);
}

const struct transport_ops transport_rfc2217 = {
    .name = "rfc2217",
    .help = "a remote serial port with its baud rate and DTR (Telnet COM port control)",
    .size = sizeof(struct rfc2217),
    .open = rfc2217_open,
    .send = rfc2217_send,
    .recv = rfc2217_recv,
    .set_baud = rfc2217_set_baud,
    .fd = rfc2217_fd,
    .close = rfc2217_close,
};
