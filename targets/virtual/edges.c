#include "targets/virtual/edges.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/text.h"

#define LINE_MAX_BYTES 200
#define BACKLOG_MAX    (1u << 20)
#define PIPE_CHUNKS    17 /* reads that empty a full pipe of 64 KiB, see lines_read() */

void edges_init(struct edges *e, const char *name, const char *kind, const char *count_name)
{
    *e = (struct edges){.server = -1};
    (void)snprintf(e->greeting, sizeof(e->greeting), "board %s %s %s", name, kind, count_name);
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++)
        e->listeners[i].fd = -1;
    lines_init(&e->lines, LINE_MAX_BYTES);
}

static void listener_close(struct edge_listener *l)
{
    fd_close(&l->fd);
    buf_release(&l->out);
    lines_release(&l->in);
    *l = (struct edge_listener){.fd = -1};
}

static void listener_queue(struct edge_listener *l, const char *line)
{
    const size_t n = strlen(line) + 1;

    if (l->lost > 0 && l->out.len + n + 40 < BACKLOG_MAX / 2) {
        buf_printf(&l->out, "lost %llu\n", (unsigned long long)l->lost);
        l->lost = 0;
    }
    if (l->lost > 0 || l->out.len + n > BACKLOG_MAX) {
        l->lost++;
        return;
    }
    buf_puts(&l->out, line);
    buf_putc(&l->out, '\n');
}

static void listener_flush(struct edge_listener *l)
{
    ssize_t n;

    if (l->fd < 0 || l->out.len == 0)
        return;
    n = write(l->fd, l->out.data, l->out.len);
    if (n > 0)
        buf_consume(&l->out, (size_t)n);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        listener_close(l);
}

static struct edge_listener *listener_add(struct edges *e, int fd, const char *target)
{
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++) {
        struct edge_listener *l = &e->listeners[i];

        if (l->fd >= 0)
            continue;
        l->fd = fd;
        lines_init(&l->in, LINE_MAX_BYTES);
        (void)snprintf(l->target, sizeof(l->target), "%s", target);
        listener_queue(l, e->greeting);
        return l;
    }
    return NULL;
}

void edges_tell(struct edges *e, const char *line)
{
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++) {
        if (e->listeners[i].fd < 0)
            continue;
        listener_queue(&e->listeners[i], line);
        listener_flush(&e->listeners[i]);
    }
}

/* A socket file whose process is gone refuses connections; only such a one may be replaced. */
static int remove_stale(const struct sockaddr_un *address, struct err *err)
{
    AUTO(fd_close) int probe = -1;
    struct stat st;

    if (lstat(address->sun_path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_USAGE, "%s exists and is not a socket", address->sun_path);
    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0)
        return err_set(err, ERR_BUSY, "%s is served by another process", address->sun_path);
    (void)unlink(address->sun_path);
    return 0;
}

int edges_listen(struct edges *e, const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
        (int)sizeof(address.sun_path))
        return err_set(err, ERR_USAGE, "%s: longer than the %zu bytes of a socket name", path,
                       sizeof(address.sun_path) - 1);
    if (remove_stale(&address, err) < 0)
        return err->code;
    e->server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (e->server < 0)
        return err_sys(err, errno, "%s", path);
    if (bind(e->server, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        chmod(path, 0600) < 0 || listen(e->server, EDGES_LISTENERS_MAX) < 0) {
        (void)err_sys(err, errno, "%s", path);
        fd_close(&e->server);
        return err->code;
    }
    e->socket_path = path;
    return 0;
}

static int open_target(const char *target, struct err *err)
{
    uint64_t number;
    int fd;

    if (strncmp(target, "fd:", 3) == 0) {
        if (!text_to_u64(target + 3, &number) || number > 65535)
            return err_set(err, ERR_USAGE, "'%s' is not fd:N", target);
        fd = fcntl((int)number, F_DUPFD_CLOEXEC, 3);
    } else {
        fd = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    }
    return fd < 0 ? err_sys(err, errno, "%s", target) : fd;
}

int edges_record(struct edges *e, const char *target, bool on, struct err *err)
{
    int fd;

    if (strlen(target) >= sizeof(e->listeners[0].target))
        return err_set(err, ERR_USAGE, "name too long");
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++) {
        struct edge_listener *l = &e->listeners[i];

        if (l->fd < 0 || strcmp(l->target, target) != 0)
            continue;
        if (on)
            return err_set(err, ERR_BUSY, "%s is recording already", target);
        listener_flush(l);
        listener_close(l);
        return 0;
    }
    if (!on)
        return err_set(err, ERR_USAGE, "%s is not recording", target);
    fd = open_target(target, err);
    if (fd < 0)
        return fd;
    if (listener_add(e, fd, target) == NULL) {
        fd_close(&fd);
        return err_set(err, ERR_BUSY, "%d listeners are enough", EDGES_LISTENERS_MAX);
    }
    return 0;
}

void edges_prepare(struct edges *e, struct poll_set *set, int emulator)
{
    e->slot_server = poll_set_add(set, e->server, POLLIN);
    (void)poll_set_add(set, emulator, POLLIN); /* wakes up; edges_serve() looks by itself */
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++) {
        struct edge_listener *l = &e->listeners[i];

        l->slot = poll_set_add(
            set, l->fd,
            (short)((l->target[0] == '\0' ? POLLIN : 0) | (l->out.len > 0 ? POLLOUT : 0)));
    }
}

/* The answer follows all records that were there when it asked. */
static void hear_listener(struct edge_listener *l)
{
    const char *line;
    const bool goes_on = lines_read(&l->in, l->fd);

    while ((line = lines_next(&l->in)) != NULL) {
        if (strncmp(line, "sync ", 5) == 0)
            listener_queue(l, line);
    }
    listener_flush(l);
    if (!goes_on)
        listener_close(l);
}

static void serve_listeners(struct edges *e, const struct poll_set *set)
{
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++) {
        struct edge_listener *l = &e->listeners[i];
        const short events = poll_set_events(set, l->slot);

        if (l->fd >= 0 && (events & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            listener_close(l);
        else if ((events & POLLIN) != 0)
            hear_listener(l);
        else if ((events & POLLOUT) != 0)
            listener_flush(l);
    }
    if ((poll_set_events(set, e->slot_server) & POLLIN) != 0) {
        int fd = accept4(e->server, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0 && listener_add(e, fd, "") == NULL)
            fd_close(&fd);
    }
}

static bool take_field(const char *text, uint64_t *ret)
{
    return strcmp(text, "-") != 0 && text_to_u64(text, ret);
}

/* Remember what a record says and pass it on. Anything else is not for the listeners. */
static bool take_record(struct edges *e, const char *line)
{
    char time[24];
    char count[24];
    char level;
    int end = 0;
    const bool is_edge = sscanf(line, "edge %c %20s %20s%n", &level, time, count, &end) == 3;

    if (!is_edge && sscanf(line, "time %20s %20s%n", time, count, &end) != 2)
        return false;
    if (line[end] != '\0' || (is_edge && level != '0' && level != '1'))
        return false;
    e->has_time = take_field(time, &e->virtual_ns);
    e->has_count = take_field(count, &e->count);
    e->seen += is_edge;
    if (is_edge)
        e->high = level == '1';
    edges_tell(e, line);
    return is_edge;
}

/* Everything it has said, so that no byte of its link that came later overtakes it. */
static unsigned drain(struct edges *e, int *emulator)
{
    struct pollfd more = {.fd = *emulator, .events = POLLIN};
    unsigned edges = 0;
    const char *line;

    for (int i = 0; i < PIPE_CHUNKS && *emulator >= 0 && poll(&more, 1, 0) > 0; i++) {
        if (!lines_read(&e->lines, *emulator))
            fd_close(emulator);
        while ((line = lines_next(&e->lines)) != NULL)
            edges += take_record(e, line);
    }
    return edges;
}

unsigned edges_serve(struct edges *e, const struct poll_set *set, int *emulator)
{
    const unsigned edges = drain(e, emulator);

    serve_listeners(e, set);
    return edges;
}

void edges_restart(struct edges *e)
{
    lines_release(&e->lines);
    e->high = false;
    e->has_time = false;
    e->has_count = false;
}

void edges_release(struct edges *e)
{
    for (int i = 0; i < EDGES_LISTENERS_MAX; i++) {
        listener_flush(&e->listeners[i]);
        listener_close(&e->listeners[i]);
    }
    if (e->server >= 0)
        (void)unlink(e->socket_path);
    fd_close(&e->server);
    lines_release(&e->lines);
}
