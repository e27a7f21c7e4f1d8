#include "harness/virtual/vboard.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/proc.h"
#include "harness/virtual/arguments.h"

enum {
    START_MS = 30000,
    REPLY_MS = 30000,
    STOP_MS = 1000,
    LINE_MAX_BYTES = 8192,
    NEWS_MAX = 16384,
};

struct vboard {
    struct proc proc;
    struct buf in;
    struct buf news;
    char port[512];
    char dead[128]; /* what its supervisor said last of a board that died; "": it lives */
};

/* ---- lines ---- */

static void keep_news(struct vboard *v, const char *line)
{
    log_line(LOG_VIRTUAL, "%s", line);
    if (strncmp(line, "board died", 10) == 0 || strncmp(line, "board lockup", 12) == 0)
        (void)snprintf(v->dead, sizeof(v->dead), "%s", line);
    buf_puts(&v->news, line);
    buf_putc(&v->news, '\n');
}

static int ended(struct vboard *v, struct err *err)
{
    int status = 0;
    char how[64] = "closed its output";

    if (proc_wait(&v->proc, STOP_MS, &status))
        proc_describe_status(status, how, sizeof(how));
    (void)err_set(err, ERR_LAB, "the virtual board's supervisor %s", how);
    if (v->news.len > 0)
        (void)err_in(err, "%.400s", buf_text(&v->news));
    return (int)err->code;
}

/* The next line that is no news, without its newline, into line. */
static int take_line(struct vboard *v, struct deadline end, struct buf *line, struct err *err)
{
    for (;;) {
        const char *newline = v->in.len > 0 ? memchr(v->in.data, '\n', v->in.len) : NULL;
        char chunk[1024];
        ssize_t n;

        if (newline != NULL) {
            const size_t size = (size_t)(newline - v->in.data);

            buf_clear(line);
            buf_append(line, v->in.data, size);
            buf_consume(&v->in, size + 1);
            if (strncmp(buf_text(line), "! ", 2) != 0)
                return 0;
            keep_news(v, buf_text(line) + 2);
            continue;
        }
        if (v->in.full)
            return err_set(err, ERR_LAB, "the virtual board's supervisor sent an endless line");
        if (!fd_wait(v->proc.stdio[1], POLLIN, end))
            return err_set(err, ERR_TIMEOUT, "no answer from the virtual board's supervisor");
        n = read(v->proc.stdio[1], chunk, sizeof(chunk));
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return ended(v, err);
        if (n > 0)
            buf_append(&v->in, chunk, (size_t)n);
    }
}

/* Unasked lines may be waiting; a whole one is read without blocking for long. */
static int look(struct vboard *v, struct err *err)
{
    struct pollfd p = {.fd = v->proc.stdio[1], .events = POLLIN};
    AUTO_BUF line = BUF_INIT;

    if (p.fd < 0 || poll(&p, 1, 0) <= 0 || take_line(v, deadline_in_ms(20), &line, err) == 0)
        return 0;
    if (err->code == ERR_TIMEOUT) /* of the rest of a line, or of one that is no news */
        err_clear(err);
    return (int)err->code;
}

/* It said that it died; it may have been started again since, by a probe or a fault. */
int vboard_alive(struct vboard *v, struct err *err)
{
    AUTO_BUF reply = BUF_INIT;

    if (look(v, err) < 0)
        return (int)err->code;
    if (v->dead[0] == '\0')
        return 0;
    if (vboard_command(v, &reply, err, "status") < 0)
        return (int)err->code;
    if (strstr(buf_text(&reply), "state=dead") == NULL &&
        strstr(buf_text(&reply), "state=lockup") == NULL) {
        v->dead[0] = '\0';
        return 0;
    }
    (void)err_set(err, ERR_LAB, "virtual board: %s", v->dead);
    return err_hint(err, "a reset or a power cycle starts it again");
}

void vboard_news(struct vboard *v, struct buf *out)
{
    struct err ignored = ERR_INIT;

    (void)look(v, &ignored);
    buf_append(out, buf_text(&v->news), v->news.len);
    buf_clear(&v->news);
}

/* ---- starting ---- */

static void make_arguments(struct argument_list *a, const struct vboard_options *o)
{
    const struct board *b = o->board;

    argument_add(a, o->program);
    argument_add_pair(a, "--kind", b->virt.kind);
    argument_add_pair(a, "--name", b->name);
    argument_add_pair(a, "--dir", o->run_dir);
    argument_add_pair(a, "--firmware", o->firmware);
    argument_add_pair(a, "--machine", b->virt.machine);
    if (strcmp(b->virt.kind, "qemu") == 0) {
        if (b->virt.icount_shift >= 0)
            argument_add_pair(a, "--icount", arena_printf(&a->arena, "%d", b->virt.icount_shift));
        else
            argument_add_pair(a, "--icount", "off");
    }
    if (strcmp(b->virt.kind, "simavr") == 0)
        argument_add_pair(a, "--clock", arena_printf(&a->arena, "%u", b->clock_hz));
    if (b->virt.marker_set != 0) {
        argument_add_hex(a, "--marker-set", b->virt.marker_set);
        argument_add_hex(a, "--marker-clear", b->virt.marker_clear);
    }
    argument_add_pair(a, "--edges-socket", o->edges);
    if (b->virt.probe) {
        argument_add_pair(a, "--probe", o->probe != NULL ? o->probe : "stlink");
        argument_add_pair(a, "--chip", b->virt.chip);
        argument_add_pair(a, "--flash",
                          b->virt.flash_file != NULL
                              ? b->virt.flash_file
                              : arena_printf(&a->arena, "%s/%s.flash", o->run_dir, b->name));
    }
    if (o->seed != 0)
        argument_add_hex(a, "--seed", o->seed);
    if (b->virt.cpu_options != NULL && b->virt.cpu_options[0] != NULL) {
        argument_add(a, "--");
        for (size_t i = 0; b->virt.cpu_options[i] != NULL; i++)
            argument_add(a, b->virt.cpu_options[i]);
    }
}

static int start(struct vboard *v, const struct vboard_options *o, struct err *err)
{
    AUTO(argument_list_release) struct argument_list a = ARGUMENT_LIST_INIT;
    int r;

    make_arguments(&a, o);
    r = proc_start(
        &v->proc,
        &(struct proc_options){.argv = a.argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}}, err);
    return r;
}

int vboard_open(const struct vboard_options *options, struct vboard **ret, struct err *err)
{
    AUTO(vboard_close_auto) struct vboard *v = calloc(1, sizeof(*v));
    AUTO_BUF line = BUF_INIT;

    if (v == NULL)
        abort();
    v->proc = (struct proc)PROC_INIT;
    v->in.limit = LINE_MAX_BYTES;
    v->news.limit = NEWS_MAX;
    if (start(v, options, err) < 0)
        return (int)err->code;
    if (take_line(v, deadline_in_ms(START_MS), &line, err) < 0)
        return (int)err->code;
    if (strncmp(buf_text(&line), "ready ", 6) != 0 || line.len - 6 >= sizeof(v->port))
        return err_set(err, ERR_LAB, "virtual board: %.300s", buf_text(&line));
    (void)snprintf(v->port, sizeof(v->port), "%s", buf_text(&line) + 6);
    *ret = MOVE(v);
    return 0;
}

void vboard_close(struct vboard *v)
{
    if (v == NULL)
        return;
    /* It ends by itself, with everything it owns, when its standard input closes. */
    for (int i = 0; i < 3; i++) {
        if (v->proc.stdio[i] >= 0)
            (void)close(v->proc.stdio[i]);
        v->proc.stdio[i] = -1;
    }
    (void)proc_wait(&v->proc, STOP_MS, NULL);
    proc_stop(&v->proc, STOP_MS);
    buf_release(&v->in);
    buf_release(&v->news);
    free(v);
}

const char *vboard_port(const struct vboard *v)
{
    return v->port;
}

/* ---- commands ---- */

static int send_line(struct vboard *v, const struct buf *line, struct err *err)
{
    if (write(v->proc.stdio[0], buf_text(line), line->len) != (ssize_t)line->len)
        return ended(v, err);
    return 0;
}

int vboard_command(struct vboard *v, struct buf *ret, struct err *err, const char *fmt, ...)
{
    AUTO_BUF line = BUF_INIT;
    AUTO_BUF reply = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&line, fmt, ap);
    va_end(ap);
    if (strchr(buf_text(&line), '\n') != NULL)
        return err_set(err, ERR_BUG, "a command of two lines for the virtual board");
    log_line(LOG_VIRTUAL, "> %s", buf_text(&line));
    buf_putc(&line, '\n');
    if (send_line(v, &line, err) < 0 || take_line(v, deadline_in_ms(REPLY_MS), &reply, err) < 0)
        return (int)err->code;
    log_line(LOG_VIRTUAL, "< %s", buf_text(&reply));
    if (strncmp(buf_text(&reply), "ok", 2) != 0)
        return err_set(err, ERR_LAB, "virtual board: %s", buf_text(&reply));
    if (ret != NULL) {
        buf_clear(ret);
        buf_puts(ret, buf_text(&reply) + (reply.len > 3 ? 3 : 2));
    }
    return 0;
}

int vboard_probe_port(struct vboard *v, const char *adapter, unsigned *ret_port, struct err *err)
{
    AUTO_BUF reply = BUF_INIT;
    const char *at;

    if (vboard_command(v, &reply, err, "status") < 0)
        return (int)err->code;
    at = strstr(buf_text(&reply), " probe=");
    at = at != NULL ? strstr(at, adapter) : NULL;
    if (at == NULL || at[strlen(adapter)] != ':')
        return err_set(err, ERR_LAB, "virtual board: it has no emulated probe '%s'", adapter);
    *ret_port = (unsigned)strtoul(at + strlen(adapter) + 1, NULL, 10);
    return 0;
}

int vboard_reset(struct vboard *v, struct err *err)
{
    return vboard_command(v, NULL, err, "reset");
}

int vboard_power_cycle(struct vboard *v, struct err *err)
{
    return vboard_command(v, NULL, err, "power-cycle 0");
}

int vboard_flash(struct vboard *v, const char *path, uint64_t address, struct err *err)
{
    if (strpbrk(path, "\"\\\n") != NULL)
        return err_set(err, ERR_FLASH, "%s: a name the virtual board cannot take", path);
    if (vboard_command(v, NULL, err, "unload") < 0 ||
        vboard_command(v, NULL, err, "load \"%s\" 0x%llx", path, (unsigned long long)address) < 0)
        return (int)err->code;
    return vboard_power_cycle(v, err);
}
