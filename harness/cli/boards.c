/* `tinyrig boards`: what this host can measure on, how it fares, and who is using it now. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/boards.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/lab/health.h"
#include "harness/lab/lease.h"

struct boards_arguments {
    struct common_options common;
    uint64_t wait_ns;
    bool names;
    bool force;
};

static const struct option options[] = {
    {"names", 0, OPTION_FLAG, NULL, "print only names, one a line",
     offsetof(struct boards_arguments, names)},
    {"force", 0, OPTION_FLAG, NULL, "for release: do it", offsetof(struct boards_arguments, force)},
    {"wait", 0, OPTION_DURATION, "TIME", "for check: wait so long for boards that others use",
     offsetof(struct boards_arguments, wait_ns), OPTION_WAIT_MAX},
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

/* "suspect 12% (3/25)": how it fares, and how its newest case ended. */
static void put_health(const struct health *h, struct buf *out)
{
    char flakes[24] = "-";
    char last[40] = "-";
    char when[21];

    if (h->attempts > 0)
        (void)snprintf(flakes, sizeof(flakes), "%.1f%%", 100 * health_flake_rate(h));
    if (h->last_ns > 0) {
        clock_format_utc(h->last_ns, when);
        (void)snprintf(last, sizeof(last), "%s %.16s", h->last_status, when);
    }
    buf_printf(out, "%-11s %6s  %-27s ", board_state_name(h->state), flakes, last);
}

static int put_board(const struct context *c, const struct board *b, const char *locks,
                     const char *states, struct buf *out, struct err *err)
{
    struct err unread = ERR_INIT;
    struct health h;
    char flash[32];
    char ram[32];

    if (health_read(states, b->name, &h, &unread) < 0)
        h = (struct health){.state = BOARD_MAINTENANCE}; /* why, its state says */
    text_format_bytes(b->flash.size, flash);
    text_format_bytes(b->ram.size, ram);
    buf_printf(out, "%-14s %-8s %-12s %10s %10s  ", b->name, realm_name(b->realm),
               b->cpu != NULL ? b->cpu : "?", flash, ram);
    put_health(&h, out);
    if (put_state(c, b, locks, out, err) < 0)
        return (int)err->code;
    if (h.state == BOARD_QUARANTINED)
        buf_printf(out, "; quarantined: %s", h.reason);
    buf_putc(out, '\n');
    return 0;
}

static int list_boards(const struct boards_arguments *a, const struct context *c, struct err *err)
{
    AUTO_BUF out = BUF_INIT;
    char states[HEALTH_PATH];
    char locks[256];

    if (lease_default_folder(locks, err) < 0 || health_folder(states, err) < 0)
        return (int)err->code;
    if (!a->names)
        buf_printf(&out, "%-14s %-8s %-12s %10s %10s  %-11s %6s  %-27s %s\n", "board", "realm",
                   "core", "flash", "RAM", "health", "flakes", "last case", "state");
    for (size_t i = 0; i < c->lab->board_count; i++) {
        if (a->names)
            buf_printf(&out, "%s\n", c->lab->boards[i]->name);
        else if (put_board(c, c->lab->boards[i], locks, states, &out, err) < 0)
            return (int)err->code;
    }
    (void)fputs(buf_text(&out), stdout);
    return 0;
}

/* Named boards, or all: the worst outcome is the exit status. */
static int check_boards(const struct boards_arguments *a, const struct context *c, int argc,
                        char **argv, struct err *err)
{
    int status = 0;

    for (size_t i = 0; i < (argc > 0 ? (size_t)argc : c->lab->board_count); i++) {
        const struct board *b = argc > 0 ? NULL : c->lab->boards[i];
        int r;

        if (argc > 0 && boards_find(c, argv[i], &b, err) < 0)
            return (int)err->code;
        r = boards_check(c, b, a->wait_ns, err);
        if (r < 0)
            return r;
        if (r == 1 || (r > 1 && argc > 0))
            status = err_exit_status(ERR_LAB);
        (void)fflush(stdout);
    }
    return status;
}

static int set_boards(const struct context *c, int argc, char **argv, bool maintenance,
                      struct err *err)
{
    const int named = maintenance ? 1 : argc;

    if (argc < 1 || (maintenance && argc != 2))
        return err_set(err, ERR_USAGE, "boards: expected %s",
                       maintenance ? "maintenance NAME REASON" : "clear NAME...");
    for (int i = 0; i < named; i++) {
        const struct board *b = NULL;

        if (boards_find(c, argv[i], &b, err) < 0 ||
            boards_set(b, maintenance, maintenance ? argv[1] : "", err) < 0)
            return (int)err->code;
    }
    return 0;
}

static int boards_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct boards_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    const char *what = argc > 0 ? argv[0] : "list";
    const struct board *b = NULL;

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0)
        return (int)err->code;
    if (strcmp(what, "list") == 0)
        return list_boards(a, &c, err);
    if (strcmp(what, "check") == 0)
        return check_boards(a, &c, argc - 1, argv + 1, err);
    if (strcmp(what, "clear") == 0 || strcmp(what, "maintenance") == 0)
        return set_boards(&c, argc - 1, argv + 1, what[0] == 'm', err);
    if (strcmp(what, "state") == 0 && argc == 2)
        return boards_find(&c, argv[1], &b, err) < 0 ? (int)err->code : boards_say_state(b, err);
    if (strcmp(what, "release") == 0 && argc == 2)
        return boards_find(&c, argv[1], &b, err) < 0 ? (int)err->code
                                                     : boards_release(b, a->force, err);
    return err_set(err, ERR_USAGE,
                   "boards: expected list, check [NAME...], state NAME, clear NAME..., "
                   "maintenance NAME REASON or release NAME, got '%s'",
                   what);
}

const struct verb verb_boards = {
    .name = "boards",
    .arguments = "[list|check|state|clear|maintenance|release]",
    .summary = "list the boards of the lab; check, clear or release them",
    .details = "list              state, health, newest case and holder (the default)\n"
               "check [NAME...]   try boards without a suite; a pass ends a quarantine;\n"
               "                  exit status 3 when one failed\n"
               "state NAME        its health in a line; exit status 3: not to be used\n"
               "clear NAME...     a person says that they are good again\n"
               "maintenance NAME REASON\n"
               "                  a person takes it out of service, until 'clear'\n"
               "release NAME      says what it would break; with --force, ends its holder",
    .options = options,
    .arguments_max = 64,
    .run = boards_run,
};
