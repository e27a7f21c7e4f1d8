/*
 * SQLite's world, made to fail: a VFS in front of the real one whose n-th call of a kind fails, and an
 * allocator whose n-th allocation does. Writes reach the real file; syncs are not passed on, so that
 * thousands of trials stay quick.
 */
#ifndef TESTS_SUPPORT_FAULT_SQLITE_H
#define TESTS_SUPPORT_FAULT_SQLITE_H

#include <stdbool.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_FULL,   /* writes and growing: disk full */
    FAULT_WRITE,  /* writes, truncations: I/O error */
    FAULT_SYNC,   /* fsync: I/O error */
    FAULT_READ,   /* reads: I/O error */
    FAULT_MEMORY, /* allocations */
};

/* Before any other use of SQLite in the process. */
void fault_install(void);

/* From now on the n-th call (1-based) of this kind fails; all later ones too when persistent. */
void fault_arm(enum fault_kind kind, unsigned n, bool persistent);

/* Stop failing. True when something has failed since fault_arm. */
bool fault_disarm(void);

#endif
