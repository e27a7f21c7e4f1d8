#include "targets/virtual/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/text.h"

#define ORDER_LINE_MAX 65536 /* QMP answers can be long */
#define ERROR_LINE_MAX 2048
#define WAKE_MIN_MS    5
#define WAKE_MAX_MS    200

static const struct emulator_ops *const kinds[] = {
    &emulator_qemu,
    &emulator_simavr,
    &emulator_posix,
};

const struct emulator_ops *emulator_find(const char *kind, struct err *err)
{
    const char *names[ARRAY_SIZE(kinds) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        names[i] = kinds[i]->kind;
        if (strcmp(kind, names[i]) == 0)
            return kinds[i];
    }
    (void)err_set(err, ERR_USAGE, "unknown kind '%s': qemu, simavr or posix", kind);
    if (text_nearest(kind, names) != NULL)
        (void)err_hint(err, "did you mean '%s'?", text_nearest(kind, names));
    return NULL;
}

void arguments_add(struct arguments *a, const char *fmt, ...)
{
    AUTO_BUF text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    a->full = a->full || a->count + 1 >= (int)ARRAY_SIZE(a->list);
    if (!a->full)
        a->list[a->count++] = arena_strdup(&a->arena, buf_text(&text));
}

static void arguments_release(struct arguments *a)
{
    arena_release(&a->arena);
}

void emulator_init(struct emulator *e, const struct emulator_ops *ops)
{
    *e = (struct emulator){.ops = ops,
                           .proc = PROC_INIT,
                           .uart_to = -1,
                           .uart_from = -1,
                           .orders = -1,
                           .edges = -1,
                           .debug = {-1, -1, -1}};
    lines_init(&e->order_lines, ORDER_LINE_MAX);
    lines_init(&e->error_lines, ERROR_LINE_MAX);
}

/* A stream whose first end is ours: non-blocking and not inherited. */
static int open_stream(int *ret_ours, int *ret_childs)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    if (fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0) {
        const int failure = errno;

        (void)close(pair[0]);
        (void)close(pair[1]);
        return -failure;
    }
    *ret_ours = pair[0];
    *ret_childs = pair[1];
    return 0;
}

static void unlink_pipes(struct emulator *e)
{
    char path[PATH_MAX + 8];

    for (int i = 0; i < 2 && e->uart_path[0] != '\0'; i++) {
        (void)snprintf(path, sizeof(path), "%s%s", e->uart_path, i == 0 ? ".in" : ".out");
        (void)unlink(path);
    }
    e->uart_path[0] = '\0';
}

/* Opened for both directions: neither side waits for the other, and neither sees an end. */
static int open_pipe(const char *base, const char *suffix, int *ret)
{
    char path[PATH_MAX + 8];

    (void)snprintf(path, sizeof(path), "%s%s", base, suffix);
    (void)unlink(path); /* of somebody who was killed: we hold the name's lock */
    if (mkfifo(path, 0600) < 0)
        return -errno;
    *ret = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return *ret < 0 ? -errno : 0;
}

/*
 * A socket holds some 280 writes of one byte, as each is a packet to it, and a UART model that finds
 * it full drops the byte (QEMU's SiFive one does): a pipe holds 65536. QEMU takes pipes by name only;
 * the names go as soon as it has opened them.
 */
static int open_uart(struct emulator *e, const struct options *o, int *ret_childs)
{
    int r;

    if (e->ops->uart_is_pipes) {
        r = snprintf(e->uart_path, sizeof(e->uart_path), "%s/.%s", o->dir, o->name);
        if (r + 5 > (int)sizeof(e->uart_path))
            return -ENAMETOOLONG;
        r = open_pipe(e->uart_path, ".in", &e->uart_to);
        return r < 0 ? r : open_pipe(e->uart_path, ".out", &e->uart_from);
    }
    r = open_stream(&e->uart_to, ret_childs);
    if (r < 0)
        return r;
    e->uart_from = fcntl(e->uart_to, F_DUPFD_CLOEXEC, 0);
    return e->uart_from < 0 ? -errno : 0;
}

static void close_all(struct emulator *e)
{
    fd_close(&e->uart_to);
    fd_close(&e->uart_from);
    unlink_pipes(e);
    fd_close(&e->orders);
    fd_close(&e->edges);
    for (int i = 0; i < EMULATOR_DEBUG_STREAMS; i++)
        fd_close(&e->debug[i]);
    for (int i = 0; i < 3; i++)
        fd_close(&e->proc.stdio[i]);
}

static int spawn(struct emulator *e, struct launch *l, struct err *err)
{
    AUTO(arguments_release) struct arguments a = {.count = 0};
    const bool stdio = e->ops->uart_is_stdio;
    int kept[3 + EMULATOR_DEBUG_STREAMS + OPTIONS_LOADS_MAX];
    struct proc_options o = {
        .stdio = {stdio ? l->uart : PROC_NULL, stdio ? l->uart : PROC_NULL, PROC_PIPE},
        .keep_fds = kept};

    if (!stdio && l->uart >= 0)
        kept[o.keep_count++] = l->uart;
    if (l->orders >= 0)
        kept[o.keep_count++] = l->orders;
    if (l->edges >= 0)
        kept[o.keep_count++] = l->edges;
    for (int i = 0; i < EMULATOR_DEBUG_STREAMS; i++) {
        if (l->debug[i] >= 0)
            kept[o.keep_count++] = l->debug[i];
    }
    for (int i = 0; i < l->load_count; i++)
        kept[o.keep_count++] = l->loads[i].fd;
    if (e->ops->arguments(l, &a, err) < 0)
        return err->code;
    for (int i = 0; l->options->extra[i] != NULL; i++)
        arguments_add(&a, "%s", l->options->extra[i]);
    if (a.full)
        return err_set(err, ERR_USAGE, "too many arguments for the emulator");
    o.argv = a.list;
    for (int i = 0; i < a.count; i++)
        log_line(LOG_VIRTUAL, "argv[%d] %s", i, a.list[i]);
    if (proc_start(&e->proc, &o, err) < 0)
        return err->code;
    (void)fcntl(e->proc.stdio[2], F_SETFL, O_NONBLOCK);
    return 0;
}

struct ends {
    int uart;
    int orders;
    int edges;
    int debug[EMULATOR_DEBUG_STREAMS];
};

static void ends_close(struct ends *c)
{
    fd_close(&c->uart);
    fd_close(&c->orders);
    fd_close(&c->edges);
    for (int i = 0; i < EMULATOR_DEBUG_STREAMS; i++)
        fd_close(&c->debug[i]);
}

static int open_streams(struct emulator *e, const struct options *o, struct ends *childs)
{
    const bool probe = o->probe != NULL;
    int r = open_uart(e, o, &childs->uart);

    if (r == 0 && e->ops->takes_orders)
        r = open_stream(&e->orders, &childs->orders);
    if (r == 0 && e->ops->gives_edges)
        r = open_stream(&e->edges, &childs->edges);
    for (int i = 0; i < EMULATOR_DEBUG_STREAMS && r == 0 && probe; i++)
        r = open_stream(&e->debug[i], &childs->debug[i]);
    return r;
}

int emulator_start(struct emulator *e, const struct launch *launch, struct err *err)
{
    AUTO(ends_close) struct ends childs = {-1, -1, -1, {-1, -1, -1}};
    struct launch l = *launch;
    const int r = open_streams(e, l.options, &childs);

    if (r < 0) {
        close_all(e);
        return err_sys(err, -r, "cannot create a pipe or socket pair");
    }
    l.uart = childs.uart;
    l.uart_path = e->uart_path;
    l.orders = childs.orders;
    l.edges = childs.edges;
    memcpy(l.debug, childs.debug, sizeof(l.debug));
    e->ready = !e->ops->takes_orders;
    e->halted = false;
    e->lockup = false;
    e->last_words[0] = '\0';
    lines_release(&e->order_lines);
    lines_release(&e->error_lines);
    if (spawn(e, &l, err) < 0) {
        close_all(e);
        return err->code;
    }
    return 0;
}

bool emulator_runs(const struct emulator *e)
{
    return e->proc.pid >= 0;
}

void emulator_kill(struct emulator *e)
{
    if (e->proc.pid >= 0) {
        (void)kill(-e->proc.pid, SIGKILL);
        (void)waitpid(e->proc.pid, NULL, 0);
        e->proc.pid = -1;
    }
    close_all(e);
}

void emulator_halt(struct emulator *e, bool halt)
{
    if (e->ops->takes_orders)
        e->ops->order(e, halt ? ORDER_HALT : ORDER_RESUME);
    else if (e->proc.pid >= 0)
        (void)kill(-e->proc.pid, halt ? SIGSTOP : SIGCONT);
    if (!e->ops->takes_orders)
        e->halts += halt;
    e->halted = halt;
}

void emulator_prepare(struct emulator *e, struct poll_set *set)
{
    e->slot_orders = poll_set_add(set, e->orders, POLLIN);
    e->slot_errors = poll_set_add(set, e->proc.stdio[2], POLLIN);
}

static void read_errors(struct emulator *e)
{
    const bool alive = lines_read(&e->error_lines, e->proc.stdio[2]);
    const char *line;

    while ((line = lines_next(&e->error_lines)) != NULL) {
        log_line(LOG_VIRTUAL, "%s: %s", e->ops->kind, line);
        if (line[0] == '\0')
            continue;
        /* QEMU signs its own complaints; hints and register dumps that follow say less. */
        if (strncmp(e->last_words, "qemu", 4) != 0 || strncmp(line, "qemu", 4) == 0)
            (void)snprintf(e->last_words, sizeof(e->last_words), "%s", line);
        if (e->ops->complain != NULL)
            e->ops->complain(e, line);
    }
    if (!alive)
        fd_close(&e->proc.stdio[2]);
}

/*
 * Some UART models of QEMU 7.2 (CMSDK's, for one) do not tell the main loop when their receiver is
 * switched on, so a byte may lie in the pipe until the loop turns for another reason. Give it one
 * for as long as there are bytes that do not move.
 */
static void wake_if_stuck(struct emulator *e)
{
    const uint64_t now = clock_monotonic_ns();
    int unread = 0;

    if (e->ops->wake == NULL || e->uart_to < 0 || ioctl(e->uart_to, FIONREAD, &unread) < 0)
        unread = 0;
    if (unread == 0 || unread != e->unread || e->wake_ns == 0) {
        e->wake_ms = WAKE_MIN_MS;
        e->wake_ns = unread == 0 ? 0 : now + WAKE_MIN_MS * 1000000u;
    } else if (now >= e->wake_ns) {
        e->ops->wake(e);
        e->wake_ms = e->wake_ms * 2 < WAKE_MAX_MS ? e->wake_ms * 2 : WAKE_MAX_MS;
        e->wake_ns = now + (uint64_t)e->wake_ms * 1000000u;
    }
    e->unread = unread;
}

int emulator_timeout_ms(const struct emulator *e)
{
    const uint64_t now = clock_monotonic_ns();

    if (e->wake_ns == 0)
        return -1;
    return e->wake_ns <= now ? 0 : (int)((e->wake_ns - now) / 1000000u + 1);
}

void emulator_serve(struct emulator *e, const struct poll_set *set)
{
    const char *line;

    wake_if_stuck(e);

    if (poll_set_events(set, e->slot_orders) != 0) {
        const bool alive = lines_read(&e->order_lines, e->orders);

        while ((line = lines_next(&e->order_lines)) != NULL)
            e->ops->hear(e, line);
        if (!alive)
            fd_close(&e->orders);
        if (e->ready)
            unlink_pipes(e);
    }
    if (poll_set_events(set, e->slot_errors) != 0)
        read_errors(e);
}

bool emulator_has_died(struct emulator *e, char *text, size_t n)
{
    int status = 0;
    size_t used;

    if (e->proc.pid < 0 || !proc_ended(&e->proc, &status))
        return false;
    if (e->proc.stdio[2] >= 0)
        read_errors(e);
    proc_describe_status(status, text, n);
    used = strlen(text);
    if (e->last_words[0] != '\0')
        (void)snprintf(text + used, n - used, ": %s", e->last_words);
    close_all(e);
    return true;
}

void emulator_send(struct emulator *e, const char *line)
{
    AUTO_BUF out = BUF_INIT;

    buf_printf(&out, "%s\n", line);
    /* A few dozen bytes into a socket of 200 kB: it is taken whole, or the emulator is stuck. */
    if (e->orders >= 0 && send(e->orders, out.data, out.len, MSG_NOSIGNAL) != (ssize_t)out.len)
        log_line(LOG_VIRTUAL, "%s does not take orders", e->ops->kind);
}

void emulator_release(struct emulator *e)
{
    emulator_kill(e);
    lines_release(&e->order_lines);
    lines_release(&e->error_lines);
}
