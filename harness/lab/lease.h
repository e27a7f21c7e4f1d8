/*
 * One kernel lock per board (or probe, meter, hub port), taken before anything is touched.
 *
 * The lock is flock(2) on a file in the lab's lock folder, so it vanishes with its holder however
 * that dies. Beside it lies a record of who holds it, for people and for losers of the race; the
 * record is written only by the winner and never truncated by a loser.
 *
 * Several resources are taken in one call, in the lab-wide order of their names, so that two
 * suites that share instruments cannot deadlock.
 */
#ifndef HARNESS_LAB_LEASE_H
#define HARNESS_LAB_LEASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/err.h"

struct lease_holder {
    pid_t pid;
    char user[64];
    char host[64];
    char purpose[128]; /* suite name */
    uint64_t since_ns; /* realtime */
};

struct lease; /* one or more resources, held together */

/*
 * Take all named resources, waiting up to wait_ms. ERR_BUSY names the resource and its holder.
 * Names hold letters, digits, '.', '_', '-', ':' only (ERR_CONFIG otherwise).
 */
int lease_take(const char *folder, const char *const *names, size_t count, const char *purpose,
               unsigned wait_ms, struct lease **ret_lease, struct err *err) MUST_CHECK;
void lease_release(struct lease *lease); /* NULL is fine */
DEFINE_AUTO(struct lease, lease_release)
/* The same for a thing that is gone for good (a run that ended): its file goes too. */
void lease_end(struct lease *lease);

/* Who holds it now. Returns 0 and fills *ret, or 1 when it is free. Takes nothing. */
int lease_read(const char *folder, const char *name, struct lease_holder *ret, struct err *err);

/* Nobody holds it, and a process of this user on this host that did was killed: it never ended it. */
bool lease_left(const char *folder, const char *name);

/*
 * TINYRIG_LOCK_DIR, when that is set (ERR_LAB when it cannot be used); else /run/lock/tinyrig, else
 * /tmp/tinyrig-locks; made when missing.
 */
int lease_default_folder(char path[static 256], struct err *err) MUST_CHECK;

#endif
