/*
 * The agent's posix port as a board: a native program that talks on stdin and stdout. A reset is
 * a restart, a hang is SIGSTOP. Its clock is the host's: it counts nothing exactly.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "targets/virtual/emulator.h"

static int check(const struct options *o, struct err *err)
{
    if (access(o->firmware, X_OK) < 0)
        return err_set(err, ERR_USAGE, "--firmware %s: %s", o->firmware, strerror(errno));
    if (o->load_count > 0)
        return err_set(err, ERR_USAGE, "--load: kind posix has no flash");
    return 0;
}

static int arguments(const struct launch *l, struct arguments *a, struct err *err)
{
    if (l->load_count > 0)
        return err_set(err, ERR_USAGE, "kind posix has no flash to load into");
    arguments_add(a, "%s", l->firmware);
    arguments_add(a, "--marker-fd=%d", l->edges);
    return 0;
}

const struct emulator_ops emulator_posix = {
    .kind = "posix",
    .count_name = "nothing",
    .uart_is_stdio = true,
    .gives_edges = true,
    .check = check,
    .arguments = arguments,
};
