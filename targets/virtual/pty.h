/*
 * The board's serial cable: a pty whose slave is reached through a symlink with a stable name.
 *
 * The link is replaced atomically, so one left behind by a killed process never blocks the next
 * start. It points straight at /dev/pts/N: libserialport refuses link targets whose text contains
 * "usb" or "bluetooth", and this one never does.
 *
 * Like a real adapter, a cable that nobody has open drops what the board says, and a new owner
 * finds default settings. A pty that nobody has open reports a hang-up without end, so it leaves
 * the poll set then and inotify tells when somebody opens it.
 */
#ifndef TARGETS_VIRTUAL_PTY_H
#define TARGETS_VIRTUAL_PTY_H

#include <stdbool.h>
#include <sys/types.h>

#include "harness/base/base.h"
#include "harness/base/err.h"
#include "targets/virtual/poll_set.h"

struct pty {
    char name[64]; /* /dev/pts/N */
    char link[4000];
    int master;   /* -1 while unplugged */
    int watch;    /* inotify; -1 when the system has none left: then we look every 20 ms */
    bool open;    /* somebody else has it open */
    bool hung_up; /* ... had, and what was written before is still to be read */
    int slot_master;
    int slot_watch;
};

#define PTY_INIT                                                                                   \
    {                                                                                              \
        .master = -1, .watch = -1                                                                  \
    }

/* Create the pty and point `link` at it. */
int pty_plug(struct pty *p, const char *link, struct err *err) MUST_CHECK;

/* Pull the cable: whoever has it open gets a hang-up. Removes the link if it is still ours. */
void pty_unplug(struct pty *p);

bool pty_is_plugged(const struct pty *p);

/* Wait for the events the caller is ready for (POLLIN, POLLOUT). */
void pty_prepare(struct pty *p, struct poll_set *set, short events);
int pty_timeout_ms(const struct pty *p); /* -1: wait as long as you like */
/* Learn what happened; returns the events of the master that the caller should act on. */
short pty_serve(struct pty *p, const struct poll_set *set);

/* Like read and write on the master; 0 when there is nothing or no room. */
ssize_t pty_read(struct pty *p, void *data, size_t n);
ssize_t pty_write(struct pty *p, const void *data, size_t n);

#endif
