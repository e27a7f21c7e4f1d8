/* What `tinyrig boards` does beside listing: check, clear, maintenance, release. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/boards.h"
#include "harness/cli/scratch.h"
#include "harness/lab/check.h"
#include "harness/lab/fault_plan.h"
#include "harness/lab/health.h"
#include "harness/lab/lease.h"

enum {
    RELEASE_MS = 15000
};

static const char *user_name(void)
{
    const struct passwd *p = getpwuid(geteuid());

    return p != NULL ? p->pw_name : "?";
}

int boards_find(const struct context *c, const char *name, const struct board **ret,
                struct err *err)
{
    const char **names;
    const char *nearest;

    for (size_t i = 0; i < c->lab->board_count; i++) {
        if (strcmp(c->lab->boards[i]->name, name) == 0) {
            *ret = c->lab->boards[i];
            return 0;
        }
    }
    names = calloc(c->lab->board_count + 1, sizeof(*names));
    if (names == NULL)
        abort();
    for (size_t i = 0; i < c->lab->board_count; i++)
        names[i] = c->lab->boards[i]->name;
    nearest = text_nearest(name, names);
    free(names);
    (void)err_set(err, ERR_USAGE, "there is no board '%s' in this lab%s%s%s", name,
                  nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                  nearest != NULL ? "'?)" : "");
    return err_hint(err, "'tinyrig boards' lists them");
}

/* ---- check ---- */

struct outcome {
    bool passed;
    const char *reason;
};

static void keep_outcome(void *context, struct health *h)
{
    const struct outcome *o = context;

    health_checked(h, o->passed, o->reason, clock_realtime_ns());
}

static void say_rung(void *context, const char *rung, const char *reason, bool worked)
{
    AUTO_BUF why = BUF_INIT;

    text_escape(&why, reason, strlen(reason));
    (void)printf("  %s %s (%s)\n", rung, worked ? "helped" : "did not help", buf_text(&why));
}

static int try_board(const struct context *c, const struct board *b, uint64_t wait_ns,
                     struct err *err)
{
    struct scratch scratch = {.path = ""};
    char locks[256];
    struct session_options options = {
        .firmware_dir = c->paths.firmware,
        .vboard = c->paths.vboard,
        .agent_posix = c->paths.agent_posix,
        .run_dir = scratch.path,
        .lock_dir = locks,
        .purpose = "health check",
        .wait_ms = (unsigned)(wait_ns / 1000000u),
        .lab = c->lab,
    };
    int r;

    if (lease_default_folder(locks, err) < 0)
        return (int)err->code;
    if (scratch_make(&scratch, err) < 0)
        return (int)err->code;
    fault_plan_options(&options);
    r = board_check(b, &options, say_rung, NULL, err);
    scratch_remove(&scratch);
    return r;
}

int boards_check(const struct context *c, const struct board *b, uint64_t wait_ns, struct err *err)
{
    const uint64_t started = clock_monotonic_ns();
    struct err failure = ERR_INIT;
    AUTO_BUF why = BUF_INIT; /* it may hold bytes of a board */
    char folder[HEALTH_PATH];
    char spent[32];
    struct outcome o;

    if (b->maintenance != NULL) {
        (void)printf("%-14s in maintenance: %s\n", b->name, b->maintenance);
        return 3;
    }
    o.passed = try_board(c, b, wait_ns, &failure) == 0;
    o.reason = failure.text;
    text_escape(&why, failure.text, strlen(failure.text));
    text_format_duration(clock_monotonic_ns() - started, spent);
    if (o.passed)
        (void)printf("%-14s passed (%s)\n", b->name, spent);
    else
        (void)printf("%-14s %s\n", b->name, buf_text(&why));
    if (failure.hint[0] != '\0')
        (void)printf("  hint: %s\n", failure.hint);
    if (failure.code == ERR_BUSY)
        return 2;
    if (!o.passed && !err_is_lab_fault(failure.code))
        return 1; /* a slip in the lab file says nothing of the board */
    if (health_kept(b) && (health_folder(folder, err) < 0 ||
                           health_update(folder, b->name, keep_outcome, &o, err) < 0))
        return (int)err->code;
    return o.passed ? 0 : 1;
}

int boards_say_state(const struct board *b, struct err *err)
{
    char folder[HEALTH_PATH];
    struct health h;

    if (health_folder(folder, err) < 0 || health_read(folder, b->name, &h, err) < 0)
        return (int)err->code;
    if (b->maintenance != NULL) { /* by the lab file, or by a person's word */
        (void)printf("%s: %s\n", board_state_name(BOARD_MAINTENANCE), b->maintenance);
        return err_exit_status(ERR_LAB);
    }
    (void)printf("%s%s%s\n", board_state_name(h.state), h.reason[0] != '\0' ? ": " : "", h.reason);
    return h.state == BOARD_QUARANTINED ? err_exit_status(ERR_LAB) : 0;
}

/* ---- clear, maintenance ---- */

struct word {
    bool maintenance;
    const char *reason;
};

static void keep_word(void *context, struct health *h)
{
    const struct word *w = context;

    health_set(h, w->maintenance ? BOARD_MAINTENANCE : BOARD_GOOD, user_name(), w->reason,
               clock_realtime_ns());
}

int boards_set(const struct board *b, bool maintenance, const char *reason, struct err *err)
{
    struct word w = {.maintenance = maintenance, .reason = reason};
    char folder[HEALTH_PATH];

    if (health_folder(folder, err) < 0)
        return (int)err->code;
    return health_update(folder, b->name, keep_word, &w, err);
}

/* ---- release ---- */

/* Only ever a process of ours: the record may be old and its number somebody else's by now. */
static bool is_tinyrig(pid_t pid)
{
    char link[64];
    char target[512];
    ssize_t n;
    const char *name;

    (void)snprintf(link, sizeof(link), "/proc/%ld/exe", (long)pid);
    n = readlink(link, target, sizeof(target) - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    name = strrchr(target, '/');
    return name != NULL && strncmp(name + 1, "tinyrig", 7) == 0;
}

static bool same_host(const char *host)
{
    char own[64] = "?";

    (void)gethostname(own, sizeof(own) - 1);
    return strcmp(own, host) == 0;
}

static void explain(const struct board *b, const struct lease_holder *h)
{
    char since[21];

    clock_format_utc(h->since_ns, since);
    (void)printf(
        "%s is held by %s, process %ld on %s, since %s, for '%s'.\n"
        "A release ends that worker: the case it measures is cancelled, the cases that are\n"
        "left on this board end as lab faults, and other boards of the run go on. Nothing\n"
        "that was stored is lost; 'tinyrig resume --lab-faults' measures the rest.\n",
        b->name, h->user, (long)h->pid, h->host, since, h->purpose);
}

static bool wait_free(const char *locks, const char *name, unsigned ms)
{
    const struct deadline end = deadline_in_ms(ms);
    struct lease_holder h;
    struct err ignored = ERR_INIT;

    while (lease_read(locks, name, &h, &ignored) == 0) {
        if (deadline_passed(end))
            return false;
        clock_sleep_ms(50);
    }
    return true;
}

static int end_holder(const char *locks, const struct board *b, const struct lease_holder *h,
                      struct err *err)
{
    if (!same_host(h->host))
        return err_set(err, ERR_LAB, "its holder runs on host %s: release it there", h->host);
    if (!is_tinyrig(h->pid))
        return err_set(err, ERR_LAB, "process %ld is not a tinyrig; it is left alone",
                       (long)h->pid);
    if (kill(h->pid, SIGTERM) < 0)
        return err_sys(err, errno, "process %ld", (long)h->pid);
    if (!wait_free(locks, b->name, RELEASE_MS)) {
        (void)kill(h->pid, SIGKILL); /* the lock falls with it */
        (void)printf(
            "It did not end when told and was killed; its run may take the board again.\n");
        if (!wait_free(locks, b->name, RELEASE_MS))
            return err_set(err, ERR_LAB, "process %ld does not end", (long)h->pid);
    }
    (void)printf("%s is free.\n", b->name);
    return 0;
}

int boards_release(const struct board *b, bool force, struct err *err)
{
    struct lease_holder h;
    char locks[256];
    int r;

    if (lease_default_folder(locks, err) < 0)
        return (int)err->code;
    r = lease_read(locks, b->name, &h, err);
    if (r < 0)
        return r;
    if (r > 0) {
        (void)printf("%s is free.\n", b->name);
        return 0;
    }
    explain(b, &h);
    if (!force) {
        (void)printf("Nothing was done; --force does it.\n");
        return 1;
    }
    return end_holder(locks, b, &h, err);
}
