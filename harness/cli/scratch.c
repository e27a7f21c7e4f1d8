#include "harness/cli/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"

#define PREFIX "tinyrig-run-"
#define LOCK   "lock"

enum {
    BASE_MS = 5000,
    NAP_MS = 5
};

static void empty_folder(int fd)
{
    const int again = dup(fd);
    DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(fd, entry->d_name, 0); /* "." and ".." are folders: refused */
    if (dir != NULL)
        (void)closedir(dir);
}

/*
 * Whoever makes a folder, or removes those of others, has the base folder for himself meanwhile: what has
 * no lock then was left by one that was killed in between. -1: somebody else keeps it (systemd-tmpfiles
 * takes the same lock when it tidies up), and nothing is removed this time.
 */
static int hold_base(const char *base)
{
    AUTO(fd_close) int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct deadline end = deadline_in_ms(BASE_MS);

    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (deadline_passed(end))
            return -1;
        clock_sleep_ms(NAP_MS);
    }
    return fd_take(&fd);
}

/* Its processes hold a lock on a file in it for as long as one of them lives. */
static bool is_stale(int folder)
{
    AUTO(fd_close) int lock = openat(folder, LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const bool none = lock < 0 && errno == ENOENT;
    struct stat st;

    if (fstat(folder, &st) < 0 || st.st_uid != geteuid())
        return false;
    return none || (lock >= 0 && fstat(lock, &st) == 0 && S_ISREG(st.st_mode) &&
                    flock(lock, LOCK_EX | LOCK_NB) == 0);
}

/* What processes that were killed have left behind: ours alone, and nobody lives in it. */
static void sweep(const char *base)
{
    DIR *dir = opendir(base);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        AUTO(fd_close) int folder = -1;

        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        folder = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0 || !is_stale(folder))
            continue;
        log_line(LOG_LAB, "%s/%s: left by a process that was killed", base, entry->d_name);
        empty_folder(folder);
        (void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

/* The lock appears under its name once it is held. */
static int hold(struct scratch *s, struct err *err)
{
    char made[sizeof(s->path) + 16];
    char named[sizeof(s->path) + 16];

    (void)snprintf(made, sizeof(made), "%s/" LOCK ".new", s->path);
    (void)snprintf(named, sizeof(named), "%s/" LOCK, s->path);
    s->lock = open(made, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->lock < 0 || flock(s->lock, LOCK_EX | LOCK_NB) < 0 || rename(made, named) < 0)
        return err_sys(err, errno, "%s", named);
    return 0;
}

static const char *base_folder(void)
{
    const char *base = getenv("TMPDIR");

    return base != NULL && base[0] == '/' ? base : "/tmp";
}

void scratch_sweep(void)
{
    const char *base = base_folder();
    AUTO(fd_close) int alone = hold_base(base);

    if (alone >= 0)
        sweep(base);
}

int scratch_make(struct scratch *s, struct err *err)
{
    const char *base = base_folder();
    AUTO(fd_close) int alone = hold_base(base);
    int n;

    if (alone >= 0)
        sweep(base);
    n = snprintf(s->path, sizeof(s->path), "%s/" PREFIX "XXXXXX", base);
    if (n >= (int)sizeof(s->path) || mkdtemp(s->path) == NULL) {
        s->path[0] = '\0';
        return err_set(err, ERR_IO, "cannot make a folder in %s", base);
    }
    if (hold(s, err) < 0) {
        scratch_remove(s);
        return (int)err->code;
    }
    return 0;
}

void scratch_remove(struct scratch *s)
{
    AUTO(fd_close) int folder = -1;

    if (s->path[0] == '\0')
        return;
    folder = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0)
        empty_folder(folder);
    (void)rmdir(s->path);
    fd_close(&s->lock);
    s->path[0] = '\0';
}
