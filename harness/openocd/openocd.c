#include "harness/openocd/openocd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/proc.h"
#include "harness/openocd/probe.h"

enum {
    LOG_KEPT = 256 * 1024,
    LOG_MAX = 32 * 1024 * 1024,
    ANSWER_MAX = 16 * 1024 * 1024,
    START_TIMEOUT_MS = 5000,
    SHUTDOWN_MS = 1500,
    CONFIG_MAX = 32,
    WORDS_MAX = 1024,
    TERMINATOR = 0x1a,
};

struct openocd {
    struct proc child;
    int log_fd; /* memory file the child writes to; -1 when only connected */
    int socket;
    struct buf in;
    off_t mark;  /* end of the log when the last command was sent */
    bool broken; /* an answer was missed: later ones would be taken for the wrong command */
};

/* ---- its log ---- */

static void log_from(struct openocd *o, off_t at, struct buf *out)
{
    char chunk[4096];
    ssize_t n;
    off_t end;

    if (o->log_fd < 0)
        return;
    end = lseek(o->log_fd, 0, SEEK_END);
    at = end - at > LOG_KEPT ? end - LOG_KEPT : at;
    while ((n = pread(o->log_fd, chunk, sizeof(chunk), at)) > 0) {
        buf_append(out, chunk, (size_t)n);
        at += n;
    }
}

void openocd_log(struct openocd *o, struct buf *out)
{
    log_from(o, 0, out);
}

void openocd_log_of_command(struct openocd *o, struct buf *out)
{
    log_from(o, o->mark, out);
}

bool openocd_is_lost(const struct openocd *o)
{
    return o->broken;
}

/*
 * A chatty OpenOCD must not eat the host's memory; it appends, so cutting the file is safe. What
 * comes from here on is the next command's.
 */
static void log_bound(struct openocd *o)
{
    if (o->log_fd >= 0 && lseek(o->log_fd, 0, SEEK_END) > LOG_MAX)
        (void)!ftruncate(o->log_fd, 0);
    o->mark = o->log_fd >= 0 ? lseek(o->log_fd, 0, SEEK_END) : 0;
}

static void log_errors(struct openocd *o, char *text, size_t size)
{
    AUTO_BUF log = BUF_INIT;

    openocd_log_of_command(o, &log);
    openocd_parse_errors(buf_text(&log), text, size);
}

/* ---- starting ---- */

static int child_start(struct openocd *o, const struct openocd_options *options, struct err *err)
{
    static const char *const quiet[] = {
        "-c", "bindto 127.0.0.1",  "-c", "tcl_port 0", "-c", "telnet_port disabled",
        "-c", "gdb_port disabled", "-c", "noinit"};
    const char *argv[1 + ARRAY_SIZE(quiet) + 2 * CONFIG_MAX + 1];
    size_t n = 0;

    if (options->config_count > CONFIG_MAX)
        return err_set(err, ERR_BUG, "too much OpenOCD configuration");
    argv[n++] = options->program != NULL ? options->program : "openocd";
    memcpy(argv + n, quiet, sizeof(quiet));
    n += ARRAY_SIZE(quiet);
    for (size_t i = 0; i < options->config_count; i++) {
        argv[n++] = options->config[i].script ? "-f" : "-c";
        argv[n++] = options->config[i].text;
    }
    argv[n] = NULL;
    o->log_fd = memfd_create("openocd-log", MFD_CLOEXEC);
    if (o->log_fd < 0)
        return err_sys(err, errno, "memory for OpenOCD's log");
    (void)fcntl(o->log_fd, F_SETFL, O_APPEND);
    /* It looks for scripts in its folder first; ours may be a stranger's checkout. */
    return proc_start(&o->child,
                      &(struct proc_options){
                          .argv = argv, .folder = "/", .stdio = {PROC_NULL, o->log_fd, o->log_fd}},
                      err);
}

static int child_died(struct openocd *o, int status, struct err *err)
{
    char how[64];
    char why[512];

    proc_describe_status(status, how, sizeof(how));
    log_errors(o, why, sizeof(why));
    (void)err_set(err, ERR_LAB, "OpenOCD %s%s%s", how, why[0] != '\0' ? ": " : "", why);
    return err_hint(err, "its whole log is kept with the case; run with --verbose=openocd");
}

static int child_port(struct openocd *o, unsigned timeout_ms, unsigned *ret_port, struct err *err)
{
    const struct deadline end = deadline_in_ms(timeout_ms);

    for (;;) {
        AUTO_BUF log = BUF_INIT;
        int status = 0;

        openocd_log(o, &log);
        *ret_port = openocd_parse_port(buf_text(&log));
        if (*ret_port != 0)
            return 0;
        if (proc_ended(&o->child, &status))
            return child_died(o, status, err);
        if (deadline_passed(end))
            return err_set(err, ERR_TIMEOUT, "OpenOCD opened no Tcl port in %u ms", timeout_ms);
        clock_sleep_ms(5);
    }
}

static int socket_connect(const char *host, const char *port, int *ret, struct err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    AUTO(fd_close) int fd = -1;
    const int on = 1;
    const int r = getaddrinfo(host, port, &hints, &list);
    int failure = ECONNREFUSED;

    if (r != 0)
        return err_set(err, ERR_LAB, "OpenOCD at %s:%s: %s", host, port, gai_strerror(r));
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
            failure = errno;
            fd_close(&fd);
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        return err_sys(err, failure, "OpenOCD at %s:%s", host, port);
    /* Without this every command waits 40 ms for a delayed ACK. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    *ret = fd_take(&fd);
    return 0;
}

static int connect_to(struct openocd *o, const char *where, struct err *err)
{
    char host[256];
    const char *colon = strrchr(where, ':');

    if (colon == NULL || colon == where || (size_t)(colon - where) >= sizeof(host))
        return err_set(err, ERR_CONFIG, "OpenOCD address '%s': expected host:port", where);
    memcpy(host, where, (size_t)(colon - where));
    host[colon - where] = '\0';
    return socket_connect(host, colon + 1, &o->socket, err);
}

int openocd_open(const struct openocd_options *options, struct openocd **ret, struct err *err)
{
    AUTO(openocd_close_auto) struct openocd *o = calloc(1, sizeof(*o));
    unsigned timeout_ms = options->start_timeout_ms;
    unsigned port = 0;
    char text[16];

    if (o == NULL)
        abort();
    o->child = (struct proc)PROC_INIT;
    o->log_fd = -1;
    o->socket = -1;
    o->in.limit = ANSWER_MAX;
    if (options->connect != NULL) {
        if (connect_to(o, options->connect, err) < 0)
            return (int)err->code;
    } else {
        timeout_ms = timeout_ms != 0 ? timeout_ms : START_TIMEOUT_MS;
        if (child_start(o, options, err) < 0 || child_port(o, timeout_ms, &port, err) < 0)
            return (int)err->code;
        (void)snprintf(text, sizeof(text), "%u", port);
        if (socket_connect("127.0.0.1", text, &o->socket, err) < 0)
            return (int)err->code;
    }
    *ret = MOVE(o);
    return 0;
}

void openocd_close(struct openocd *o)
{
    if (o == NULL)
        return;
    if (o->child.pid > 0 && o->socket >= 0) {
        (void)!send(o->socket, "shutdown\x1a", 9, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)proc_wait(&o->child, SHUTDOWN_MS, NULL);
    }
    fd_close(&o->socket);
    proc_stop(&o->child, 200);
    fd_close(&o->log_fd);
    buf_release(&o->in);
    free(o);
}

/* ---- commands ---- */

static int send_all(struct openocd *o, const struct buf *text, struct deadline end, struct err *err)
{
    size_t sent = 0;

    while (sent < text->len) {
        struct pollfd p = {.fd = o->socket, .events = POLLOUT};
        ssize_t n;

        if (poll(&p, 1, (int)deadline_left_ms(end)) == 0)
            return err_set(err, ERR_TIMEOUT, "OpenOCD takes no more commands");
        n = send(o->socket, text->data + sent, text->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return err_sys(err, errno, "OpenOCD's Tcl port");
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int connection_lost(struct openocd *o, struct err *err)
{
    int status = 0;

    if (o->child.pid > 0 && proc_wait(&o->child, 300, &status))
        return child_died(o, status, err);
    return err_set(err, ERR_LAB, "OpenOCD closed its Tcl port");
}

/* Bytes up to the terminator; *ret_size is where it stands in o->in. */
static int receive_answer(struct openocd *o, struct deadline end, size_t *ret_size, struct err *err)
{
    size_t searched = 0;

    for (;;) {
        struct pollfd p = {.fd = o->socket, .events = POLLIN};
        char chunk[16384];
        const char *found = NULL;
        ssize_t n;

        if (o->in.len > searched)
            found = memchr(o->in.data + searched, TERMINATOR, o->in.len - searched);
        if (found != NULL) {
            *ret_size = (size_t)(found - o->in.data);
            return 0;
        }
        searched = o->in.len;
        if (o->in.full)
            return err_set(err, ERR_PROTOCOL, "OpenOCD's answer has no end");
        if (poll(&p, 1, (int)deadline_left_ms(end)) == 0)
            return err_set(err, ERR_TIMEOUT, "no answer from OpenOCD");
        n = recv(o->socket, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return connection_lost(o, err);
        if (n > 0)
            buf_append(&o->in, chunk, (size_t)n);
    }
}

static int exchange(struct openocd *o, const struct buf *command, unsigned timeout_ms,
                    struct buf *ret, struct err *err)
{
    const struct deadline end = deadline_in_ms(timeout_ms);
    AUTO_BUF wrapped = BUF_INIT;
    size_t size = 0;
    int r;

    if (o->broken)
        return err_set(err, ERR_LAB, "OpenOCD missed an answer before; it must be restarted");
    if (memchr(buf_text(command), TERMINATOR, command->len) != NULL)
        return err_set(err, ERR_BUG, "command for OpenOCD holds its terminator");
    buf_printf(&wrapped,
               "set tinyrig_code [catch {%s} tinyrig_result]; "
               "list $tinyrig_code $tinyrig_result\x1a",
               buf_text(command));
    log_line(LOG_OPENOCD, "> %s", buf_text(command));
    log_bound(o);
    r = send_all(o, &wrapped, end, err);
    if (r == 0)
        r = receive_answer(o, end, &size, err);
    if (r < 0) {
        o->broken = true;
        return r;
    }
    r = openocd_parse_answer(o->in.data, size, ret, err);
    buf_consume(&o->in, size + 1);
    log_line(LOG_OPENOCD, "< %d %.200s", r, buf_text(ret));
    return r;
}

static int command_failed(struct openocd *o, const struct buf *command, const struct buf *result,
                          struct err *err)
{
    AUTO_BUF log = BUF_INIT;
    char why[512];
    const int shown = command->len > 80 ? 80 : (int)command->len;

    openocd_log_of_command(o, &log);
    openocd_parse_errors(buf_text(&log), why, sizeof(why));
    (void)err_set(err, ERR_LAB, "OpenOCD: '%.*s' failed: %s%s%s", shown, buf_text(command),
                  buf_text(result), result->len > 0 && why[0] != '\0' ? "; log: " : "", why);
    return probe_explain(buf_text(&log), err);
}

static int run(struct openocd *o, unsigned timeout_ms, struct buf *ret, struct err *err,
               const struct buf *command)
{
    AUTO_BUF result = BUF_INIT;
    const int r = exchange(o, command, timeout_ms, &result, err);

    if (r < 0)
        return err_in(err, "'%.80s'", buf_text(command));
    if (r > 0)
        return command_failed(o, command, &result, err);
    if (ret != NULL) {
        buf_clear(ret);
        buf_append(ret, buf_text(&result), result.len);
    }
    return 0;
}

int openocd_command(struct openocd *o, unsigned timeout_ms, struct buf *ret, struct err *err,
                    const char *fmt, ...)
{
    AUTO_BUF command = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&command, fmt, ap);
    va_end(ap);
    return run(o, timeout_ms, ret, err, &command);
}

int openocd_capture(struct openocd *o, unsigned timeout_ms, struct buf *ret, struct err *err,
                    const char *fmt, ...)
{
    AUTO_BUF command = BUF_INIT;
    va_list ap;

    buf_puts(&command, "capture {");
    va_start(ap, fmt);
    buf_vprintf(&command, fmt, ap);
    va_end(ap);
    buf_putc(&command, '}');
    return run(o, timeout_ms, ret, err, &command);
}

int openocd_read_words(struct openocd *o, uint32_t address, uint32_t *words, size_t count,
                       struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    const char *p;

    if (count == 0 || count > WORDS_MAX)
        return err_set(err, ERR_BUG, "read of %zu words", count);
    if (openocd_command(o, 2000, &text, err, "read_memory 0x%x 32 %zu", address, count) < 0)
        return (int)err->code;
    p = buf_text(&text);
    for (size_t i = 0; i < count; i++) {
        char *end;
        const unsigned long long v = strtoull(p, &end, 0);

        if (end == p || v > UINT32_MAX)
            return err_set(err, ERR_PROTOCOL, "OpenOCD read %zu of %zu words at 0x%x", i, count,
                           address);
        words[i] = (uint32_t)v;
        p = end;
    }
    return 0;
}

int openocd_write_words(struct openocd *o, uint32_t address, const uint32_t *words, size_t count,
                        struct err *err)
{
    AUTO_BUF command = BUF_INIT;

    if (count == 0 || count > WORDS_MAX)
        return err_set(err, ERR_BUG, "write of %zu words", count);
    buf_printf(&command, "write_memory 0x%x 32 {", address);
    for (size_t i = 0; i < count; i++)
        buf_printf(&command, "0x%x ", words[i]);
    buf_putc(&command, '}');
    return run(o, 2000, NULL, err, &command);
}
