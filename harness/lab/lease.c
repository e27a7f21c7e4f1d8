#include "harness/lab/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"

struct held {
    int fd;
    char path[512];
};

struct lease {
    size_t count;
    struct held list[];
};

enum {
    RECORD_MAX = 512,
    NAP_MS = 50
};

static int lease_path(const char *folder, const char *name, char path[static 512], struct err *err)
{
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._:-");

    if (n == 0 || name[n] != '\0' || name[0] == '.')
        return err_set(err, ERR_CONFIG, "'%s' cannot name a lock", name);
    if (snprintf(path, 512, "%s/%s.lock", folder, name) >= 512)
        return err_set(err, ERR_CONFIG, "lock name '%s' too long", name);
    return 0;
}

/* "pid user host since purpose\n": written in place by the winner, so the lock file never moves. */
static int record_write(int fd, const char *purpose, struct err *err)
{
    char text[RECORD_MAX];
    char host[64] = "?";
    const struct passwd *user = getpwuid(geteuid());
    int n;

    (void)gethostname(host, sizeof(host) - 1);
    n = snprintf(text, sizeof(text), "%ld %.63s %.63s %llu %.127s\n", (long)getpid(),
                 user != NULL ? user->pw_name : "?", host, (unsigned long long)clock_realtime_ns(),
                 purpose);
    if (pwrite(fd, text, (size_t)n, 0) != n || ftruncate(fd, n) < 0)
        return err_sys(err, errno, "lock record");
    return 0;
}

/* Everybody may write lock files, and their text ends up on terminals. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((*text < ' ' && *text != '\n') || *text > '~')
            *text = '?';
    }
}

/* The next space-separated word of *text into word (cut to size), moving *text behind it. */
static bool next_word(const char **text, char *word, size_t size)
{
    const size_t n = strcspn(*text, " \n");

    (void)snprintf(word, size, "%.*s", (int)n, *text);
    *text += n + ((*text)[n] == ' ');
    return n > 0;
}

static bool record_read(int fd, struct lease_holder *ret)
{
    char text[RECORD_MAX] = "";
    char pid[24];
    char since[24];
    const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    const char *p = text;

    *ret = (struct lease_holder){.pid = 0};
    make_printable(text);
    if (n <= 0 || !next_word(&p, pid, sizeof(pid)) ||
        !next_word(&p, ret->user, sizeof(ret->user)) ||
        !next_word(&p, ret->host, sizeof(ret->host)) || !next_word(&p, since, sizeof(since)))
        return false;
    (void)snprintf(ret->purpose, sizeof(ret->purpose), "%.*s", (int)strcspn(p, "\n"), p);
    ret->pid = (pid_t)strtol(pid, NULL, 10);
    ret->since_ns = strtoull(since, NULL, 10);
    return true;
}

static int busy(int fd, const char *name, struct err *err)
{
    struct lease_holder h;
    char since[21];

    if (!record_read(fd, &h))
        return err_set(err, ERR_BUSY, "'%s' is in use", name);
    clock_format_utc(h.since_ns, since);
    (void)err_set(err, ERR_BUSY, "'%s' is in use by %s (pid %ld on %s, since %s, %s)", name, h.user,
                  (long)h.pid, h.host, since, h.purpose);
    return err_hint(err, "wait for it with --wait 10min, or see 'tinyrig boards'");
}

/*
 * Made only when it is not there: in a sticky folder Linux refuses O_CREAT for a file of somebody else
 * (fs.protected_regular, which Debian sets), and the lab is shared.
 */
static int open_lock(const char *path)
{
    for (;;) {
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

        if (fd >= 0 || errno != ENOENT)
            return fd;
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd >= 0)
            (void)fchmod(fd, 0666); /* umask must not lock colleagues out */
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
}

/* A lock on a file that was removed meanwhile keeps nobody out. */
static bool is_named(int fd, const char *path)
{
    struct stat ours, named;

    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

/* 0 with the lock, 1 when others have it, negative errno. *ret_fd is open unless negative. */
static int try_take(const char *path, int *ret_fd)
{
    AUTO(fd_close) int fd = open_lock(path);
    int r = 1;

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        r = is_named(fd, path) ? 0 : 1;
    else if (errno != EWOULDBLOCK && errno != EINTR)
        return -errno;
    *ret_fd = fd_take(&fd);
    return r;
}

static int take_one(const char *folder, const char *name, const char *purpose, struct deadline end,
                    struct held *ret, struct err *err)
{
    if (lease_path(folder, name, ret->path, err) < 0)
        return (int)err->code;
    for (;;) {
        AUTO(fd_close) int fd = -1;
        const int r = try_take(ret->path, &fd);

        if (r < 0)
            return err_sys(err, -r, "%s", ret->path);
        if (r == 0 && record_write(fd, purpose, err) < 0)
            return (int)err->code;
        if (r == 0) {
            ret->fd = fd_take(&fd);
            return 0;
        }
        if (deadline_passed(end))
            return busy(fd, name, err);
        clock_sleep_ms(NAP_MS);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int lease_take(const char *folder, const char *const *names, size_t count, const char *purpose,
               unsigned wait_ms, struct lease **ret_lease, struct err *err)
{
    AUTO(lease_release_auto) struct lease *l = calloc(1, sizeof(*l) + count * sizeof(l->list[0]));
    const char *sorted[16];
    /* A reader (lease_read) holds a shared lock for a moment: never give up on the first try. */
    const struct deadline end = deadline_in_ms(wait_ms < 200 ? 200 : wait_ms);

    if (l == NULL)
        abort();
    if (count > ARRAY_SIZE(sorted))
        return err_set(err, ERR_CONFIG, "too many resources in one lease");
    memcpy(sorted, names, count * sizeof(names[0]));
    qsort(sorted, count, sizeof(sorted[0]), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(sorted[i], sorted[i - 1]) == 0)
            continue; /* named twice: held once */
        if (take_one(folder, sorted[i], purpose, end, &l->list[l->count], err) < 0)
            return (int)err->code;
        l->count++;
        log_line(LOG_LAB, "leased %s", sorted[i]);
    }
    *ret_lease = MOVE(l);
    return 0;
}

void lease_release(struct lease *l)
{
    if (l == NULL)
        return;
    while (l->count > 0)
        fd_close(&l->list[--l->count].fd); /* drops the flock; the record stays as history */
    free(l);
}

void lease_end(struct lease *l)
{
    for (size_t i = 0; l != NULL && i < l->count; i++)
        (void)unlink(l->list[i].path); /* while it is held: whoever waits looks again */
    lease_release(l);
}

int lease_read(const char *folder, const char *name, struct lease_holder *ret, struct err *err)
{
    char path[512];
    AUTO(fd_close) int fd = -1;

    if (lease_path(folder, name, path, err) < 0)
        return (int)err->code;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return 1;
    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 1; /* nobody holds it; ours goes with the descriptor */
    if (errno != EWOULDBLOCK)
        return err_sys(err, errno, "%s", path);
    if (!record_read(fd, ret))
        (void)snprintf(ret->user, sizeof(ret->user), "?");
    return 0;
}

bool lease_left(const char *folder, const char *name)
{
    const struct passwd *user = getpwuid(geteuid());
    struct err ignored = ERR_INIT;
    struct lease_holder h;
    AUTO(fd_close) int fd = -1;
    char host[64] = "?";
    char path[512];

    if (lease_path(folder, name, path, &ignored) < 0)
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    (void)gethostname(host, sizeof(host) - 1);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0 && record_read(fd, &h) && user != NULL &&
           strcmp(h.user, user->pw_name) == 0 && strcmp(h.host, host) == 0;
}

static bool folder_usable(const char *path)
{
    if (mkdir(path, 01777) == 0)
        (void)chmod(path, 01777);
    return access(path, R_OK | W_OK | X_OK) == 0;
}

int lease_default_folder(char path[static 256], struct err *err)
{
    const char *const named = getenv("TINYRIG_LOCK_DIR");
    const char *const candidates[] = {"/run/lock/tinyrig", "/tmp/tinyrig-locks"};

    /* Never another one in its place: two folders are two locks for a board. */
    if (named != NULL && *named != '\0')
        return folder_usable(named) && snprintf(path, 256, "%s", named) < 256
                   ? 0
                   : err_set(err, ERR_LAB, "TINYRIG_LOCK_DIR '%s' is no folder that can be written",
                             named);
    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (folder_usable(candidates[i])) {
            (void)snprintf(path, 256, "%s", candidates[i]);
            return 0;
        }
    }
    return err_set(err, ERR_LAB, "no folder for board locks can be written");
}
