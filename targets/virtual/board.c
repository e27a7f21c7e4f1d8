#include "targets/virtual/board.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"

enum {
    NAME_MS = 3000 /* to wait for an earlier board of the same name */
};

void board_notice(struct board *b, const char *fmt, ...)
{
    va_list ap;

    buf_puts(&b->say, "! ");
    va_start(ap, fmt);
    buf_vprintf(&b->say, fmt, ap);
    va_end(ap);
    buf_putc(&b->say, '\n');
}

/* Is the file we have locked still the one that others would lock? */
static bool is_current(int fd, const char *path)
{
    struct stat ours;
    struct stat theirs;

    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
           ours.st_dev == theirs.st_dev;
}

/* The one before may have been killed with its harness a moment ago, and be still at it. */
static int lock_name(int fd)
{
    const struct deadline end = deadline_in_ms(NAME_MS);

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (deadline_passed(end))
            return -1;
        clock_sleep_ms(20);
    }
    return 0;
}

/* Two supervisors with one name would fight over the link. */
static int take_name(struct board *b, const char *dir, struct err *err)
{
    if (snprintf(b->lock_path, sizeof(b->lock_path), "%s/.%s.lock", dir, b->options->name) >=
        (int)sizeof(b->lock_path))
        return err_set(err, ERR_USAGE, "--dir %s: path too long", dir);
    do { /* the last holder removes the file, maybe between our open and our lock */
        fd_close(&b->lock);
        b->lock = open(b->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (b->lock < 0)
            return err_sys(err, errno, "%s", b->lock_path);
        if (lock_name(b->lock) < 0) {
            fd_close(&b->lock);
            return err_set(err, ERR_BUSY, "a board named '%s' runs in %s already", b->options->name,
                           dir);
        }
    } while (!is_current(b->lock, b->lock_path));
    return 0;
}

static void give_name_back(struct board *b)
{
    if (b->lock >= 0)
        (void)unlink(b->lock_path); /* while still holding it */
    fd_close(&b->lock);
}

/* What the armed faults do to the probe's transfers. */
static size_t transfers(void *context, size_t wanted, enum dap_result *ret)
{
    static const enum dap_result results[] = {DAP_WAIT,   DAP_FAULT, DAP_PARITY, DAP_NO_ACK,
                                              DAP_NO_ACK, DAP_NO_ACK}; /* in the list's order */
    struct board *b = context;
    enum fault_kind kind = FAULT_SWD_NO_ACK;
    size_t n;

    if (b->probe.target.held)
        fault_held_in_reset(&b->faults);
    n = fault_transfers(&b->faults, wanted, &kind);
    if (n < wanted)
        *ret = results[kind - FAULT_SWD_WAIT];
    return n;
}

static int open_probe(struct board *b, const char *dir, struct err *err)
{
    const struct options *o = b->options;

    if (o->probe == NULL)
        return 0;
    if (probe_open(&b->probe,
                   &(struct probe_options){.adapters = o->probe,
                                           .chip = o->chip,
                                           .machine = o->machine,
                                           .flash = o->flash,
                                           .firmware = o->firmware,
                                           .name = o->name,
                                           .dir = dir},
                   err) < 0)
        return (int)err->code;
    b->probe.dap.may_pass = transfers;
    b->probe.dap.context = b;
    return 0;
}

static int open_parts(struct board *b, const char *dir, struct err *err)
{
    const struct options *o = b->options;

    if (snprintf(b->link, sizeof(b->link), "%s/%s", dir, o->name) >= (int)sizeof(b->link))
        return err_set(err, ERR_USAGE, "--dir %s: path too long", dir);
    if (take_name(b, dir, err) < 0)
        return err->code;
    for (int i = 0; i < o->load_count; i++) {
        if (board_load(b, o->loads[i].path, o->loads[i].address, err) < 0)
            return err->code;
    }
    if (open_probe(b, dir, err) < 0)
        return (int)err->code;
    if (o->edges_socket != NULL && edges_listen(&b->edges, o->edges_socket, err) < 0)
        return err->code;
    return pty_plug(&b->pty, b->link, err);
}

int board_open(struct board *b, const struct options *o, struct err *err)
{
    const struct emulator_ops *ops = emulator_find(o->kind, err);
    char dir[PATH_MAX];

    *b = (struct board){.options = o, .pty = PTY_INIT, .lock = -1};
    b->say.limit = 1u << 20; /* a parent that never reads loses notices, not us our memory */
    if (ops == NULL || ops->check(o, err) < 0)
        return err->code;
    if (o->probe != NULL &&
        probe_check(
            &(struct probe_options){.adapters = o->probe, .chip = o->chip, .machine = o->machine},
            err) < 0)
        return err->code;
    if (realpath(o->dir, dir) == NULL)
        return err_sys(err, errno, "--dir %s", o->dir);
    emulator_init(&b->emulator, ops);
    relay_init(&b->relay);
    edges_init(&b->edges, o->name, ops->kind, ops->count_name);
    fault_set_init(&b->faults, o->seed);
    if (open_parts(b, dir, err) < 0) {
        board_close(b);
        return err->code;
    }
    return 0;
}

void board_close(struct board *b)
{
    probe_power_off(&b->probe);
    if (b->emulator.ops != NULL) {
        emulator_release(&b->emulator);
        edges_release(&b->edges);
        relay_release(&b->relay);
    }
    probe_close(&b->probe);
    board_unload(b);
    pty_unplug(&b->pty);
    give_name_back(b);
    buf_release(&b->say);
}

static int earlier(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

int board_ms_until(uint64_t at_ns)
{
    const uint64_t now = clock_monotonic_ns();

    if (at_ns == 0)
        return -1;
    return at_ns <= now ? 0 : (int)((at_ns - now) / 1000000u + 1);
}

/* The emulator ended although nobody switched it off. */
static void mourn(struct board *b)
{
    if (b->emulator.lockup)
        board_notice(b, "board lockup: the core faulted inside a fault handler (%s)", b->died);
    else
        board_notice(b, "board died %s", b->died);
    b->deaths++;
    if (b->probe.present) {
        probe_lost(&b->probe);
        b->revive = b->emulator.lockup;
    }
    b->relay.deaf = false;
    relay_forget_input(&b->relay);
    edges_tell(&b->edges, "halt");
}

static struct relay_uart uart_of(const struct board *b)
{
    return (struct relay_uart){.to = b->emulator.uart_to, .from = b->emulator.uart_from};
}

void board_step(struct board *b, struct poll_set *set, int timeout_ms)
{
    struct err err = ERR_INIT;
    unsigned edges;

    timeout_ms = earlier(timeout_ms, fault_timeout_ms(&b->faults));
    timeout_ms = earlier(timeout_ms, pty_timeout_ms(&b->pty));
    timeout_ms = earlier(timeout_ms, emulator_timeout_ms(&b->emulator));
    timeout_ms = earlier(timeout_ms, probe_timeout_ms(&b->probe));
    timeout_ms = earlier(timeout_ms, board_ms_until(b->replug_ns));
    timeout_ms = earlier(timeout_ms, board_ms_until(b->power_on_ns));
    if (b->faults.action_count > 0 || b->revive)
        timeout_ms = 0;
    relay_prepare(&b->relay, set, &b->pty, uart_of(b));
    emulator_prepare(&b->emulator, set);
    edges_prepare(&b->edges, set, b->emulator.edges);
    probe_prepare(&b->probe, set);
    if (poll(set->fd, (nfds_t)set->n, timeout_ms) < 0)
        set->n = 0; /* EINTR: nothing happened */
    /* What the board did before it said something is told first, whoever is asked next. */
    relay_hear(&b->relay, set, &b->pty, uart_of(b));
    edges = edges_serve(&b->edges, set, &b->emulator.edges);
    for (; edges > 0; edges--)
        fault_edge(&b->faults);
    /* A client that has seen the end of a window asks after the edge was told. */
    b->probe.dap.in_window = b->edges.high;
    relay_tell(&b->relay, &b->pty, uart_of(b), &b->faults);
    emulator_serve(&b->emulator, set);
    if (probe_serve(&b->probe, set, &err) < 0)
        board_notice(b, "flash: %s", err.text);
    fault_tick(&b->faults);
    if (emulator_has_died(&b->emulator, b->died, sizeof(b->died)))
        mourn(b);
}

bool board_wait(struct board *b, bool (*done)(const struct board *, unsigned), unsigned mark,
                unsigned timeout_ms)
{
    const struct deadline end = deadline_in_ms(timeout_ms);

    while (!done(b, mark)) {
        struct poll_set set = {.n = 0};

        if (deadline_passed(end) || !emulator_runs(&b->emulator))
            return false;
        board_step(b, &set, (int)deadline_left_ms(end) < 20 ? 1 : 20);
    }
    return true;
}
