/* `tinyrig boards`: what this host can measure on, and who is using it now. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/lab/lease.h"

struct boards_arguments {
    struct common_options common;
    bool names;
};

static const struct option options[] = {
    {"names", 0, OPTION_FLAG, NULL, "print only names, one a line",
     offsetof(struct boards_arguments, names)},
    OPTION_LAB,
    {.name = NULL},
};

static bool firmware_missing(const struct context *c, const struct board *b)
{
    char path[1024];

    if (b->flashing.firmware != NULL || b->agent == NULL ||
        (b->virt.kind != NULL && strcmp(b->virt.kind, "posix") == 0))
        return false;
    (void)snprintf(path, sizeof(path), "%s/%s.elf", c->paths.firmware, b->agent);
    return access(path, R_OK) < 0;
}

static int put_state(const struct context *c, const struct board *b, const char *locks,
                     struct buf *out, struct err *err)
{
    struct lease_holder h;
    char since[21];
    const int r = lease_read(locks, b->name, &h, err);

    if (r < 0)
        return r;
    if (b->maintenance != NULL) {
        buf_printf(out, "maintenance: %s", b->maintenance);
    } else if (r == 0) {
        clock_format_utc(h.since_ns, since);
        buf_printf(out, "in use by %s (pid %ld on %s, since %s, %s)", h.user, (long)h.pid, h.host,
                   since, h.purpose);
    } else if (firmware_missing(c, b)) {
        buf_puts(out, "no firmware: its cross compiler is missing");
    } else {
        buf_puts(out, "free");
    }
    return 0;
}

static int put_board(const struct context *c, const struct board *b, const char *locks,
                     struct buf *out, struct err *err)
{
    char flash[32];
    char ram[32];

    text_format_bytes(b->flash.size, flash);
    text_format_bytes(b->ram.size, ram);
    buf_printf(out, "%-14s %-8s %-12s %10s %10s  ", b->name, realm_name(b->realm),
               b->cpu != NULL ? b->cpu : "?", flash, ram);
    if (put_state(c, b, locks, out, err) < 0)
        return (int)err->code;
    buf_putc(out, '\n');
    return 0;
}

static int boards_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct boards_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO_BUF out = BUF_INIT;
    char locks[256];

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0 ||
        lease_default_folder(locks, err) < 0)
        return (int)err->code;
    if (!a->names)
        buf_printf(&out, "%-14s %-8s %-12s %10s %10s  %s\n", "board", "realm", "core", "flash",
                   "RAM", "state");
    for (size_t i = 0; i < c.lab->board_count; i++) {
        if (a->names)
            buf_printf(&out, "%s\n", c.lab->boards[i]->name);
        else if (put_board(&c, c.lab->boards[i], locks, &out, err) < 0)
            return (int)err->code;
    }
    (void)fputs(buf_text(&out), stdout);
    return 0;
}

const struct verb verb_boards = {
    .name = "boards",
    .arguments = "",
    .summary = "list the boards of the lab and who is using them",
    .options = options,
    .run = boards_run,
};
