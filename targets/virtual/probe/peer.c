#include "targets/virtual/probe/peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/file.h"

#define TABLE_MAX (16u << 20)

enum {
    FIELD_LOCAL = 1, /* "0100007F:1F90" */
    FIELD_REMOTE = 2,
    FIELD_INODE = 9
};

static const char *field(const char *line, int n)
{
    for (; n > 0; n--) {
        line += strspn(line, " ");
        line += strcspn(line, " \n");
    }
    return line + strspn(line, " ");
}

static unsigned port_of(const char *endpoint)
{
    const char *colon = strchr(endpoint, ':');

    return colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 16) : 0;
}

/* The kernel's table has one line for each end; ours is the other way round. 0: not there. */
static unsigned long find_inode(unsigned local, unsigned remote, struct err *err)
{
    AUTO_BUF table = BUF_INIT;

    if (file_read("/proc/net/tcp", TABLE_MAX, &table, err) < 0)
        return 0;
    for (const char *at = strchr(buf_text(&table), '\n'); at != NULL; at = strchr(at, '\n')) {
        at++;
        if (port_of(field(at, FIELD_LOCAL)) == local && port_of(field(at, FIELD_REMOTE)) == remote)
            return strtoul(field(at, FIELD_INODE), NULL, 10);
    }
    return 0;
}

static bool holds(const char *pid, const char *wanted)
{
    char folder[64];
    const struct dirent *entry;
    bool found = false;
    DIR *dir;

    (void)snprintf(folder, sizeof(folder), "/proc/%.20s/fd", pid);
    dir = opendir(folder);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
        char link[64] = "";

        if (readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1) > 0)
            found = strcmp(link, wanted) == 0;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

static pid_t find_holder(unsigned long inode)
{
    char wanted[40];
    const struct dirent *entry;
    pid_t pid = 0;
    DIR *dir = opendir("/proc");

    (void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    while (dir != NULL && pid == 0 && (entry = readdir(dir)) != NULL) {
        const pid_t candidate = (pid_t)strtol(entry->d_name, NULL, 10);

        if (candidate > 1 && candidate != getpid() && holds(entry->d_name, wanted))
            pid = candidate;
    }
    if (dir != NULL)
        (void)closedir(dir);
    return pid;
}

int peer_kill(int fd, struct err *err)
{
    struct sockaddr_in ours = {.sin_port = 0};
    struct sockaddr_in theirs = {.sin_port = 0};
    socklen_t size = sizeof(ours);
    socklen_t their_size = sizeof(theirs);
    unsigned long inode;
    pid_t pid;

    if (fd < 0 || getsockname(fd, (struct sockaddr *)&ours, &size) < 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &their_size) < 0)
        return err_set(err, ERR_LAB, "nobody is at the probe");
    inode = find_inode(ntohs(theirs.sin_port), ntohs(ours.sin_port), err);
    if (err->code != ERR_OK)
        return (int)err->code;
    pid = inode != 0 ? find_holder(inode) : 0;
    if (pid == 0)
        return err_set(err, ERR_LAB, "the process at the probe is not found");
    return kill(pid, SIGKILL) == 0 ? 0 : err_sys(err, errno, "process %d", (int)pid);
}
