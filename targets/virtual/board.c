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

/* Generous, as a loaded machine may need seconds; less than the harness waits for a reply. */
#define POWER_ON_TIMEOUT_MS 20000
#define RESET_TIMEOUT_MS    5000

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
        if (flock(b->lock, LOCK_EX | LOCK_NB) < 0) {
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
    if (b->emulator.ops != NULL) {
        emulator_release(&b->emulator);
        edges_release(&b->edges);
        relay_release(&b->relay);
    }
    board_unload(b);
    pty_unplug(&b->pty);
    give_name_back(b);
    buf_release(&b->say);
}

static int earlier(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int until(uint64_t at_ns)
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
    b->relay.deaf = false;
    relay_forget_input(&b->relay);
    edges_tell(&b->edges, "halt");
}

void board_step(struct board *b, struct poll_set *set, int timeout_ms)
{
    unsigned edges;

    timeout_ms = earlier(timeout_ms, fault_timeout_ms(&b->faults));
    timeout_ms = earlier(timeout_ms, pty_timeout_ms(&b->pty));
    timeout_ms = earlier(timeout_ms, emulator_timeout_ms(&b->emulator));
    timeout_ms = earlier(timeout_ms, until(b->replug_ns));
    timeout_ms = earlier(timeout_ms, until(b->power_on_ns));
    if (b->faults.action_count > 0)
        timeout_ms = 0;
    relay_prepare(&b->relay, set, &b->pty, b->emulator.uart);
    emulator_prepare(&b->emulator, set);
    edges_prepare(&b->edges, set, b->emulator.edges);
    if (poll(set->fd, (nfds_t)set->n, timeout_ms) < 0)
        set->n = 0; /* EINTR: nothing happened */
    edges = edges_serve(&b->edges, set, &b->emulator.edges);
    for (; edges > 0; edges--)
        fault_edge(&b->faults);
    relay_serve(&b->relay, set, &b->pty, b->emulator.uart, &b->faults);
    emulator_serve(&b->emulator, set);
    fault_tick(&b->faults);
    if (emulator_has_died(&b->emulator, b->died, sizeof(b->died)))
        mourn(b);
}

/* Turn the loop until done() or the end of the emulator or of the time. */
static bool wait_for(struct board *b, bool (*done)(const struct board *, unsigned), unsigned mark,
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

static bool is_ready(const struct board *b, unsigned mark)
{
    return b->emulator.ready;
}

static bool was_reset(const struct board *b, unsigned mark)
{
    return b->emulator.resets != mark;
}

static bool was_halted(const struct board *b, unsigned mark)
{
    return b->emulator.halts != mark;
}

static int start(struct board *b, struct err *err)
{
    struct launch l = {
        .options = b->options,
        .firmware = b->faults.firmware[0] != '\0' ? b->faults.firmware : b->options->firmware,
        .loads = b->loads,
        .load_count = b->load_count,
    };

    edges_restart(&b->edges);
    b->died[0] = '\0';
    if (emulator_start(&b->emulator, &l, err) < 0)
        return err->code;
    if (!wait_for(b, is_ready, 0, POWER_ON_TIMEOUT_MS)) {
        const bool runs = emulator_runs(&b->emulator);

        emulator_kill(&b->emulator);
        if (runs)
            return err_set(err, ERR_TIMEOUT, "the emulator was not ready within %d s",
                           POWER_ON_TIMEOUT_MS / 1000);
        return err_set(err, ERR_LAB, "the emulator %s", b->died);
    }
    return 0;
}

int board_power(struct board *b, bool on, struct err *err)
{
    b->power_on_ns = 0;
    if (on == b->power)
        return 0;
    b->power = on;
    if (!on) {
        emulator_kill(&b->emulator);
        relay_forget_input(&b->relay);
        b->died[0] = '\0';
        edges_tell(&b->edges, "power off");
        return 0;
    }
    b->power_ons++;
    edges_tell(&b->edges, "power on");
    if (start(b, err) < 0) {
        b->power = false;
        edges_tell(&b->edges, "power off");
        return err->code;
    }
    return 0;
}

int board_power_cycle(struct board *b, unsigned ms, struct err *err)
{
    const struct deadline end = deadline_in_ms(ms);

    if (board_power(b, false, err) < 0)
        return err->code;
    while (!deadline_passed(end)) {
        struct poll_set set = {.n = 0};

        board_step(b, &set, (int)deadline_left_ms(end));
    }
    return board_power(b, true, err);
}

int board_reset(struct board *b, struct err *err)
{
    const unsigned before = b->emulator.resets;
    const bool halted = b->emulator.halted;

    if (!b->power)
        return err_set(err, ERR_LAB, "the power is off");
    edges_tell(&b->edges, "reset");
    if (!emulator_runs(&b->emulator) || !b->emulator.ops->takes_orders) {
        emulator_kill(&b->emulator);
        relay_forget_input(&b->relay);
        return start(b, err);
    }
    b->emulator.ops->order(&b->emulator, ORDER_RESET);
    if (halted)
        emulator_halt(&b->emulator, false);
    if (wait_for(b, was_reset, before, RESET_TIMEOUT_MS))
        return 0;
    if (!emulator_runs(&b->emulator))
        return err_set(err, ERR_LAB, "the emulator %s", b->died);
    /* Deaf to orders: what a person would do is pull the plug. */
    emulator_kill(&b->emulator);
    return start(b, err);
}

int board_load(struct board *b, const char *path, uint64_t address, struct err *err)
{
    struct image *image = NULL;

    for (int i = 0; i < b->load_count && image == NULL; i++) {
        if (b->loads[i].address == address)
            image = &b->loads[i];
    }
    if (image == NULL && b->load_count == OPTIONS_LOADS_MAX)
        return err_set(err, ERR_BUSY, "%d files are loaded already", OPTIONS_LOADS_MAX);
    if (image == NULL) {
        image = &b->loads[b->load_count];
        image->fd = -1;
    }
    if (image_load(image, path, address, b->emulator.ops->loads_are_elf, err) < 0)
        return (int)err->code;
    b->load_count += image == &b->loads[b->load_count];
    return 0;
}

void board_unload(struct board *b)
{
    while (b->load_count > 0)
        image_release(&b->loads[--b->load_count]);
}

int board_unplug(struct board *b, struct err *err)
{
    b->replug_ns = 0;
    if (!pty_is_plugged(&b->pty))
        return err_set(err, ERR_LAB, "the cable is unplugged already");
    pty_unplug(&b->pty);
    relay_forget_input(&b->relay);
    relay_forget_output(&b->relay);
    return 0;
}

int board_replug(struct board *b, const char *name, struct err *err)
{
    char *slash = strrchr(b->link, '/');

    b->replug_ns = 0;
    if (pty_is_plugged(&b->pty))
        return err_set(err, ERR_LAB, "the cable is plugged in already");
    if (name != NULL) {
        if (strchr(name, '/') != NULL || name[0] == '.' || name[0] == '\0' || strlen(name) > 100)
            return err_set(err, ERR_USAGE, "'%.100s' is not a plain file name", name);
        (void)snprintf(slash + 1, sizeof(b->link) - (size_t)(slash + 1 - b->link), "%s", name);
    }
    return pty_plug(&b->pty, b->link, err);
}

static uint64_t in_ms(unsigned ms)
{
    return clock_monotonic_ns() + (uint64_t)ms * 1000000u;
}

/*
 * Something happens to the board in mid-sentence: the core stops here, and what it had said beyond
 * the byte at which the fault fired never happened.
 */
static void cut_short(struct board *b)
{
    const unsigned before = b->emulator.halts;

    if (!emulator_runs(&b->emulator))
        return;
    b->relay.deaf = true;
    relay_drain(&b->relay, -1);
    if (!b->emulator.halted) {
        emulator_halt(&b->emulator, true);
        (void)wait_for(b, was_halted, before, RESET_TIMEOUT_MS);
    }
    relay_drain(&b->relay, b->emulator.uart);
    b->relay.deaf = false;
}

static int act(struct board *b, const struct fault_action *a, struct err *err)
{
    switch (a->kind) {
    case FAULT_RESET:
    case FAULT_REBOOT_LOOP:
        cut_short(b);
        return b->power ? board_reset(b, err) : 0;
    case FAULT_HANG:
        cut_short(b);
        edges_tell(&b->edges, "halt");
        return 0;
    case FAULT_UNPLUG:
        if (pty_is_plugged(&b->pty) && board_unplug(b, err) < 0)
            return err->code;
        b->replug_ns = a->ms > 0 ? in_ms(a->ms) : 0;
        return 0;
    case FAULT_POWER_OFF:
        relay_drain(&b->relay, b->emulator.uart);
        if (board_power(b, false, err) < 0)
            return err->code;
        b->power_on_ns = a->ms > 0 ? in_ms(a->ms) : 0;
        return 0;
    case FAULT_DIE:
        if (emulator_runs(&b->emulator)) {
            b->relay.deaf = true; /* until the death is noticed */
            relay_drain(&b->relay, -1);
            (void)kill(b->emulator.proc.pid, SIGKILL);
        }
        return 0;
    default:
        return err_set(err, ERR_BUG, "fault %d is not an action", (int)a->kind);
    }
}

static void act_on_timers(struct board *b, struct err *err)
{
    if (b->replug_ns != 0 && until(b->replug_ns) == 0) {
        if (board_replug(b, NULL, err) < 0)
            return;
        board_notice(b, "cable is back");
    }
    if (b->power_on_ns != 0 && until(b->power_on_ns) == 0) {
        if (board_power(b, true, err) < 0)
            return;
        board_notice(b, "power is back");
    }
}

void board_act(struct board *b)
{
    struct fault_action action;
    struct err err = ERR_INIT;

    while (fault_take_action(&b->faults, &action)) {
        board_notice(b, "fault %d: %s", action.number, fault_word(action.kind));
        if (act(b, &action, &err) < 0)
            board_notice(b, "fault %d: %s", action.number, err.text);
        err_clear(&err);
    }
    act_on_timers(b, &err);
    if (err.code != ERR_OK)
        board_notice(b, "%s", err.text);
}
