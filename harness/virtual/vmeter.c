#include "harness/virtual/vmeter.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/proc.h"
#include "harness/virtual/arguments.h"

enum {
    START_MS = 10000,
    STOP_MS = 1000,
};

struct vmeter {
    struct proc proc;
};

/* How long one count of the edge stream takes on the board's own clock; 0: it does not say. */
static double count_ns(const struct board *b)
{
    if (strcmp(b->virt.kind, "qemu") == 0)
        return b->virt.icount_shift >= 0 ? ldexp(1, b->virt.icount_shift) : 0;
    return b->clock_hz > 0 ? 1e9 / b->clock_hz : 0;
}

static void make_arguments(struct argument_list *a, const struct vmeter_options *o)
{
    const struct virtual_meter *m = &o->board->virt.meter;

    argument_add(a, o->program);
    argument_add_pair(a, "--kind", m->driver);
    argument_add_pair(a, "--link", o->link);
    argument_add_pair(a, "--edges", o->edges);
    argument_add_real(a, "--sleep", m->sleep_na * 1e-9);
    argument_add_real(a, "--idle", m->idle_na * 1e-9);
    argument_add_real(a, "--run", m->run_na * 1e-9);
    argument_add_real(a, "--rc", (double)m->rc_ns * 1e-9);
    argument_add_real(a, "--noise", m->noise);
    argument_add_real(a, "--count-ns", count_ns(o->board));
    argument_add_pair(a, "--variant", m->variant);
    for (size_t i = 0; m->faults != NULL && m->faults[i] != NULL; i++)
        argument_add_pair(a, "--fault", m->faults[i]);
}

/* Its only line before it works: "ready ..." or "error ...". */
static int take_answer(struct vmeter *m, struct err *err)
{
    const struct deadline end = deadline_in_ms(START_MS);
    char line[512];
    size_t size = 0;

    while (size == 0 || line[size - 1] != '\n') {
        const int fd = m->proc.stdio[1];
        ssize_t n;

        if (!fd_wait(fd, POLLIN, end))
            return err_set(err, ERR_LAB, "the emulated meter does not start");
        n = read(fd, line + size, sizeof(line) - 1 - size);
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
    AUTO(argument_list_release) struct argument_list a = ARGUMENT_LIST_INIT;
    int r;

    if (m == NULL)
        abort();
    m->proc = (struct proc)PROC_INIT;
    make_arguments(&a, options);
    r = proc_start(
        &m->proc,
        &(struct proc_options){.argv = a.argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}}, err);
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
