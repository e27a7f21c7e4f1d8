/*
 * A real serial port through libserialport, chosen by what does not change when boards are
 * replugged: the USB serial number, VID:PID when only one such device is there, or a
 * /dev/serial/by-id path. Never a bare ttyACM or ttyUSB number. Ptys work too (sp_pty.h).
 *
 * The library opens and configures; bytes go through the descriptor, because only poll() notices
 * a hang-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

#include "harness/base/buf.h"
#include "harness/transport/fdio.h"
#include "harness/transport/sp_pty.h"
#include "harness/transport/transport.h"

enum {
    FIRST_BAUD = 115200
};

struct serial {
    struct transport base;
    struct sp_port *port;
    struct sp_pty_alias alias;
    int fd;
};

static void free_text(char **text)
{
    free(*text);
}

/* What the library says about its last failure; it leaves the cause in errno. */
static int library_error(enum sp_return status, const char *what, struct err *err)
{
    int sys = sp_last_error_code();

    if (status == SP_ERR_SUPP)
        return err_set(err, ERR_UNSUPPORTED, "%s: not supported by the port", what);
    if (status != SP_ERR_FAIL)
        return err_set(err, ERR_IO, "%s: libserialport error %d", what, (int)status);
    if (sys == EBUSY)
        return err_set(err, ERR_BUSY, "%s: another program has the port", what);
    err_sys(err, sys, "%s", what);
    return sys == EACCES ? err_hint(err, "join the group that owns the device (often `dialout`)")
                         : (int)err->code;
}

/* ---- which port ---- */

struct usb_wish {
    const char *serial; /* NULL: any */
    int vid, pid;       /* -1: any */
};

/* Four hex digits, or -1. */
static int hex4(const char *s)
{
    char digits[5] = {s[0], s[1], s[2], s[3], '\0'};

    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? (int)strtoul(digits, NULL, 16) : -1;
}

static int parse_wish(const struct transport_config *config, struct usb_wish *ret, struct err *err)
{
    const char *id = config->usb_id;

    ret->serial = config->usb_serial;
    ret->vid = ret->pid = -1;
    if (id == NULL)
        return 0;
    if (strlen(id) == 9 && id[4] == ':') {
        ret->vid = hex4(id);
        ret->pid = hex4(id + 5);
    }
    if (ret->vid < 0 || ret->pid < 0)
        return err_set(err, ERR_CONFIG, "usb_id '%s': expected VID:PID, as in 0483:374b", id);
    return 0;
}

static bool matches(const struct sp_port *port, const struct usb_wish *wish)
{
    const char *serial = sp_get_port_usb_serial(port);
    int vid = -1;
    int pid = -1;

    if (sp_get_port_transport(port) != SP_TRANSPORT_USB)
        return false;
    if (wish->serial != NULL && (serial == NULL || strcmp(serial, wish->serial) != 0))
        return false;
    (void)sp_get_port_usb_vid_pid(port, &vid, &pid);
    return wish->vid < 0 || (vid == wish->vid && pid == wish->pid);
}

/* "/dev/ttyACM0 0483:374b 066FFF48" for each USB port: what there is to choose from. */
static void describe_ports(struct sp_port **list, struct buf *text)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        const char *serial = sp_get_port_usb_serial(list[i]);
        int vid = 0;
        int pid = 0;

        if (sp_get_port_transport(list[i]) != SP_TRANSPORT_USB)
            continue;
        (void)sp_get_port_usb_vid_pid(list[i], &vid, &pid);
        buf_printf(text, "%s%s %04x:%04x %s", text->len != 0 ? "; " : "", sp_get_port_name(list[i]),
                   (unsigned)vid, (unsigned)pid, serial != NULL ? serial : "(no serial number)");
    }
}

static void free_ports(struct sp_port ***list)
{
    if (*list != NULL)
        sp_free_port_list(*list);
}

static int find_usb_port(const struct usb_wish *wish, struct sp_port **ret, struct err *err)
{
    AUTO(free_ports) struct sp_port **list = NULL;
    AUTO_BUF present = BUF_INIT;
    struct sp_port *found = NULL;
    enum sp_return status = sp_list_ports(&list);
    int count = 0;

    if (status != SP_OK)
        return library_error(status, "listing ports", err);
    for (size_t i = 0; list[i] != NULL; i++) {
        if (matches(list[i], wish)) {
            found = list[i];
            count++;
        }
    }
    if (count == 1) {
        status = sp_copy_port(found, ret);
        return status == SP_OK ? 0 : library_error(status, "copying a port", err);
    }
    describe_ports(list, &present);
    if (count == 0)
        err_set(err, ERR_LAB, "no such USB serial port");
    else
        err_set(err, ERR_CONFIG, "%d USB serial ports match: give `usb_serial`", count);
    return err_hint(err, "present: %s", present.len != 0 ? buf_text(&present) : "none");
}

/* A name like ttyACM3 says which device was plugged in fourth, not which board it is. */
static int refuse_bare_number(const char *where, struct err *err)
{
    const char *slash = strrchr(where, '/');
    const char *name = slash != NULL ? slash + 1 : where;

    if (strncmp(name, "ttyACM", 6) != 0 && strncmp(name, "ttyUSB", 6) != 0)
        return 0;
    err_set(err, ERR_CONFIG, "%s may be another board after the next replug", name);
    return err_hint(err, "give `usb_serial`, `usb_id`, or a path below /dev/serial/by-id");
}

static int port_by_path(struct serial *serial, const char *where, struct err *err)
{
    AUTO(free_text) char *real = NULL;
    const char *name;
    enum sp_return status;

    if (refuse_bare_number(where, err) < 0)
        return (int)err->code;
    real = realpath(where, NULL);
    if (real == NULL) {
        err_sys(err, errno, "looking for the port");
        return err_hint(err, "is the board plugged in? `ls -l /dev/serial/by-id` shows what is");
    }
    name = real;
    if (sp_pty_is(real)) {
        if (sp_pty_alias_make(&serial->alias, real, err) < 0)
            return (int)err->code;
        name = serial->alias.name;
    }
    status = sp_get_port_by_name(name, &serial->port);
    if (status == SP_ERR_ARG)
        return err_set(err, ERR_CONFIG, "not a serial port");
    return status == SP_OK ? 0 : library_error(status, "finding the port", err);
}

static int choose_port(struct serial *serial, const struct transport_config *config,
                       struct err *err)
{
    struct usb_wish wish;

    if (parse_wish(config, &wish, err) < 0)
        return (int)err->code;
    if (config->where == NULL) {
        if (wish.serial == NULL && wish.vid < 0)
            return err_set(err, ERR_CONFIG, "needs `where`, `usb_serial` or `usb_id`");
        return find_usb_port(&wish, &serial->port, err);
    }
    if (port_by_path(serial, config->where, err) < 0)
        return (int)err->code;
    if ((wish.serial != NULL || wish.vid >= 0) && !matches(serial->port, &wish))
        return err_set(err, ERR_LAB,
                       "the device there is not the one that usb_serial or usb_id "
                       "names");
    return 0;
}

/* ---- setting it up ---- */

static int configure(struct serial *serial, unsigned baud, struct err *err)
{
    const struct {
        const char *what;
        enum sp_return status;
    } steps[] = {
        {"baud rate", sp_set_baudrate(serial->port, (int)baud)},
        {"8 bits", sp_set_bits(serial->port, 8)},
        {"no parity", sp_set_parity(serial->port, SP_PARITY_NONE)},
        {"1 stop bit", sp_set_stopbits(serial->port, 1)},
        {"no flow control", sp_set_flowcontrol(serial->port, SP_FLOWCONTROL_NONE)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        if (steps[i].status != SP_OK)
            return library_error(steps[i].status, steps[i].what, err);
    }
    return 0;
}

/* The kernel drops DTR at the last close; where DTR resets the board that would reset it again. */
static int keep_lines_at_close(int fd, struct err *err)
{
    struct termios tty;

    if (tcgetattr(fd, &tty) != 0)
        return err_sys(err, errno, "tcgetattr");
    tty.c_cflag &= ~(tcflag_t)HUPCL;
    if (tcsetattr(fd, TCSANOW, &tty) != 0)
        return err_sys(err, errno, "tcsetattr");
    return 0;
}

/*
 * Opening raises DTR. USB-CDC firmware often stays mute until it sees DTR; auto-reset circuits
 * take its edge for a reset: hence a policy per board.
 */
static int apply_dtr(struct serial *serial, const char *policy, struct err *err)
{
    enum sp_return status;

    if (policy == NULL || strcmp(policy, "assert") == 0)
        status = sp_set_dtr(serial->port, SP_DTR_ON);
    else if (strcmp(policy, "deassert") == 0)
        status = sp_set_dtr(serial->port, SP_DTR_OFF);
    else if (strcmp(policy, "leave") == 0)
        return keep_lines_at_close(serial->fd, err);
    else
        return err_set(err, ERR_CONFIG, "dtr '%s': expected assert, deassert or leave", policy);
    return status == SP_OK ? 0 : library_error(status, "DTR", err);
}

static int serial_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct serial *serial = (struct serial *)t;
    enum sp_return status;

    serial->fd = -1;
    if (choose_port(serial, config, err) < 0)
        return (int)err->code;
    status = sp_open(serial->port, SP_MODE_READ_WRITE);
    if (status != SP_OK)
        return library_error(status, "open", err);
    sp_pty_alias_remove(&serial->alias); /* known by its handle from here on; killed, none stays */
    status = sp_get_port_handle(serial->port, &serial->fd);
    if (status != SP_OK)
        return library_error(status, "handle", err);
    if (fdio_lock_tty(serial->fd, err) < 0 || fdio_set_nonblocking(serial->fd, err) < 0)
        return (int)err->code;
    (void)fcntl(serial->fd, F_SETFD, FD_CLOEXEC); /* the library does not */
    if (configure(serial, config->baud != 0 ? config->baud : FIRST_BAUD, err) < 0)
        return (int)err->code;
    return apply_dtr(serial, config->dtr, err);
}

static int serial_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    return fdio_send(((struct serial *)t)->fd, data, n, err);
}

static int serial_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                       size_t *ret_n, struct err *err)
{
    return fdio_recv(((struct serial *)t)->fd, data, cap, timeout_ms, ret_n, err);
}

static int serial_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    struct serial *serial = (struct serial *)t;
    enum sp_return status = sp_drain(serial->port);

    if (status == SP_OK)
        status = sp_set_baudrate(serial->port, (int)baud);
    return status == SP_OK ? 0 : library_error(status, "baud rate", err);
}

static int serial_fd(struct transport *t)
{
    return ((struct serial *)t)->fd;
}

static void serial_close(struct transport *t)
{
    struct serial *serial = (struct serial *)t;

    if (serial->port != NULL) {
        if (serial->fd >= 0) /* unsent bytes would hold up the close for up to 30 s */
            (void)sp_flush(serial->port, SP_BUF_BOTH);
        (void)sp_close(serial->port); /* an error when it was never opened */
        sp_free_port(serial->port);
    }
    sp_pty_alias_remove(&serial->alias);
}

const struct transport_ops transport_serial = {
    .name = "serial",
    .help = "a serial port, by USB serial number, VID:PID or /dev/serial/by-id path",
    .size = sizeof(struct serial),
    .open = serial_open,
    .send = serial_send,
    .recv = serial_recv,
    .set_baud = serial_set_baud,
    .fd = serial_fd,
    .close = serial_close,
};
