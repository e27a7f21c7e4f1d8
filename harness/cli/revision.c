#include "harness/cli/revision.h"

#include <ctype.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/proc.h"

enum {
    GIT_TIMEOUT_MS = 5000,
    OUTPUT_MAX = 256 /* longer than any commit id; more of a status says nothing new */
};

/*
 * A checkout may hold a folder that looks like a bare repository, with a configuration that names
 * programs: git must take none but the checkout's own.
 */
#define GIT "git", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"

/* Output of git up to OUTPUT_MAX bytes; false when it failed, hung or is not there. */
static bool git(const char *const *argv, char text[static OUTPUT_MAX + 1])
{
    const struct proc_options options = {.argv = argv, .stdio = {PROC_NULL, PROC_PIPE, PROC_NULL}};
    const struct deadline d = deadline_in_ms(GIT_TIMEOUT_MS);
    AUTO(proc_release) struct proc p = PROC_INIT;
    struct err err = ERR_INIT;
    size_t n = 0;
    int status = 0;

    if (proc_start(&p, &options, &err) < 0)
        return false;
    while (n < OUTPUT_MAX) {
        struct pollfd f = {.fd = p.stdio[1], .events = POLLIN};
        ssize_t got;

        if (poll(&f, 1, (int)deadline_left_ms(d)) <= 0)
            return false;
        got = read(p.stdio[1], text + n, OUTPUT_MAX - n);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
    if (n == OUTPUT_MAX)
        return true; /* it has more to say than anybody wants to know */
    return proc_wait(&p, (unsigned)deadline_left_ms(d), &status) && status == 0;
}

/* A commit id and nothing else, its line end cut off. */
static const char *commit_id(char *text, struct arena *arena)
{
    const size_t n = strcspn(text, "\n");

    text[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return NULL;
    }
    return n == 40 || n == 64 ? arena_strdup(arena, text) : NULL;
}

struct revision revision_of(const char *path, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash == NULL   ? "."
                         : slash == path ? "/"
                                         : arena_strndup(arena, path, (size_t)(slash - path));
    const char *const head[] = {GIT, "-C", folder, "rev-parse", "--verify", "HEAD", NULL};
    const char *const changes[] = {GIT,      "-C",          folder, "--no-optional-locks",
                                   "status", "--porcelain", "-uno", NULL};
    char text[OUTPUT_MAX + 1];
    struct revision r = {.commit = NULL};

    if (git(head, text))
        r.commit = commit_id(text, arena);
    r.dirty = r.commit != NULL && git(changes, text) && text[0] != '\0';
    return r;
}

const char *revision_resolve(const char *name, struct arena *arena)
{
    const char *const argv[] = {
        GIT,       "rev-parse",        "--verify",
        "--quiet", "--end-of-options", arena_printf(arena, "%s^{commit}", name),
        NULL};
    char text[OUTPUT_MAX + 1];
    const char *commit = git(argv, text) ? commit_id(text, arena) : NULL;

    return commit != NULL ? commit : name;
}
