/*
 * Preloaded into the harness: a clock that jumps and a disk that is full, when the test says so.
 *
 * TINYRIG_SHIM names a file of two 64-bit words, shared with the test: what to add to the clock of
 * the day (ns), and whether files with ".db" in their name can grow. The other clocks never jump,
 * as on any Linux.
 */
#undef _FILE_OFFSET_BITS /* pwrite and pwrite64 are two names here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum {
    SHIM_JUMP,
    SHIM_FULL,
    SHIM_WORDS
};

static const volatile int64_t *control;

__attribute__((constructor)) static void shim_open(void)
{
    const char *path = getenv("TINYRIG_SHIM");
    const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, SHIM_WORDS * sizeof(*control), PROT_READ, MAP_SHARED, fd, 0)
                       : MAP_FAILED;

    if (at != MAP_FAILED)
        control = at;
    if (fd >= 0)
        (void)close(fd);
}

static int64_t shim_word(int i)
{
    return control != NULL ? control[i] : 0;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library has its own */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*next)(clockid_t, struct timespec *);
    int64_t ns;
    int r;

    if (next == NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    r = next(clock, ret);
    if (r != 0 || clock != CLOCK_REALTIME || shim_word(SHIM_JUMP) == 0)
        return r;
    ns = (int64_t)ret->tv_sec * 1000000000 + ret->tv_nsec + shim_word(SHIM_JUMP);
    ret->tv_sec = (time_t)(ns / 1000000000);
    ret->tv_nsec = (long)(ns % 1000000000);
    return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return -1;
    ret->tv_sec = now.tv_sec;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}

static int is_full(int fd)
{
    char link[40];
    char path[4096];
    ssize_t n;

    if (shim_word(SHIM_FULL) == 0)
        return 0;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return strstr(path, ".db") != NULL;
}

static ssize_t shim_pwrite(const char *name, int fd, const void *data, size_t size, off64_t at)
{
    ssize_t (*next)(int, const void *, size_t, off64_t);

    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    *(void **)&next = dlsym(RTLD_NEXT, name);
    return next(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return shim_pwrite("pwrite64", fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return shim_pwrite("pwrite64", fd, data, size, at);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
