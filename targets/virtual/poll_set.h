/*
 * The descriptors one turn of the loop waits for. Each part of the board adds its own before the
 * wait and asks for what happened after it; a part never sees another part's descriptors.
 */
#ifndef TARGETS_VIRTUAL_POLL_SET_H
#define TARGETS_VIRTUAL_POLL_SET_H

#include <poll.h>

#define POLL_SET_MAX 32

struct poll_set {
    struct pollfd fd[POLL_SET_MAX];
    int n;
};

/* A negative fd is fine: the slot then never has events. Returns the slot. */
static inline int poll_set_add(struct poll_set *s, int fd, short events)
{
    if (s->n == POLL_SET_MAX)
        return -1;
    s->fd[s->n] = (struct pollfd){.fd = fd, .events = events};
    return s->n++;
}

static inline short poll_set_events(const struct poll_set *s, int slot)
{
    if (slot < 0 || slot >= s->n || s->fd[slot].fd < 0)
        return 0;
    return s->fd[slot].revents;
}

#endif
