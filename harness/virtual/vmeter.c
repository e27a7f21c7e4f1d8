#include "harness/virtual/vmeter.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/clock.h"
#include "harness/base/proc.h"

enum {
    START_MS = 10000,
    STOP_MS = 1000,
    ARGS_MAX = 64
};

struct vmeter {
    struct proc proc;
};

struct arguments {
    const char *argv[ARGS_MAX];
    size_t count;
    struct arena arena;
};

static void add(struct arguments *a, const char *name, const char *value)
{
    if (value == NULL || a->count + 3 > ARGS_MAX)
        return;
    a->argv[a->count++] = name;
    a->argv[a->count++] = value;
}

static void add_number(struct arguments *a, const char *name, double value)
{
    add(a, name, arena_printf(&a->arena, "%.17g", value));
}

/* How long one count of the edge stream takes on the board's own clock; 0: it does not say. */
static double count_ns(const struct board *b)
{
    if (strcmp(b->virt.kind, "qemu") == 0)
        return b->virt.icount_shift >= 0 ? ldexp(1, b->virt.icount_shift) : 0;
    return b->clock_hz > 0 ? 1e9 / b->clock_hz : 0;
}

static void make_arguments(struct arguments *a, const struct vmeter_options *o)
{
    const struct virtual_meter *m = &o->board->virt.meter;

    a->argv[a->count++] = o->program;
    add(a, "--kind", m->driver);
    add(a, "--link", o->link);
    add(a, "--edges", o->edges);
    add_number(a, "--sleep", m->sleep_na * 1e-9);
    add_number(a, "--idle", m->idle_na * 1e-9);
    add_number(a, "--run", m->run_na * 1e-9);
    add_number(a, "--rc", (double)m->rc_ns * 1e-9);
    add_number(a, "--noise", m->noise);
    add_number(a, "--count-ns", count_ns(o->board));
    add(a, "--variant", m->variant);
    for (size_t i = 0; m->faults != NULL && m->faults[i] != NULL; i++)
        add(a, "--fault", m->faults[i]);
    a->argv[a->count] = NULL;
}

/* Its only line before it works: "ready ..." or "error ...". */
static int take_answer(struct vmeter *m, struct err *err)
{
    const struct deadline end = deadline_in_ms(START_MS);
    char line[512];
    size_t size = 0;

    while (size == 0 || line[size - 1] != '\n') {
        struct pollfd p = {.fd = m->proc.stdio[1], .events = POLLIN};
        ssize_t n;

        if (poll(&p, 1, (int)deadline_left_ms(end)) == 0)
            return err_set(err, ERR_LAB, "the emulated meter does not start");
        n = read(p.fd, line + size, sizeof(line) - 1 - size);
        if (n == 0 || (n < 0 && errno != EINTR) || size + 2 >= sizeof(line))
            return err_set(err, ERR_LAB, "the emulated meter ended at once");
        size += n > 0 ? (size_t)n : 0;
    }
    line[size - 1] = '\0';
    return strncmp(line, "ready ", 6) == 0 ? 0 : err_set(err, ERR_LAB, "emulated meter: %s", line);
}

int vmeter_open(const struct vmeter_options *options, struct vmeter **ret, struct err *err)
{
    AUTO(vmeter_close_auto) struct vmeter *m = calloc(1, sizeof(*m));
    struct arguments a = {.arena = ARENA_INIT};
    int r;

    if (m == NULL)
        abort();
    m->proc = (struct proc)PROC_INIT;
    make_arguments(&a, options);
    r = proc_start(
        &m->proc,
        &(struct proc_options){.argv = a.argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}}, err);
    arena_release(&a.arena);
    if (r < 0 || take_answer(m, err) < 0)
        return (int)err->code;
    *ret = MOVE(m);
    return 0;
}

void vmeter_close(struct vmeter *m)
{
    if (m == NULL)
        return;
    if (m->proc.stdio[0] >= 0)
        (void)close(m->proc.stdio[0]); /* it ends by itself when its standard input closes */
    m->proc.stdio[0] = -1;
    (void)proc_wait(&m->proc, STOP_MS, NULL);
    proc_stop(&m->proc, STOP_MS);
    free(m);
}
