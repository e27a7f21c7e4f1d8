/*
 * A .tar.gz in memory that depends on nothing but its contents: no clock, no user, no order of a
 * folder. Written here because a tar program would start a shell for its compressor.
 */
#ifndef HARNESS_CLI_ARCHIVE_H
#define HARNESS_CLI_ARCHIVE_H

#include "harness/base/buf.h"
#include "harness/base/err.h"

/* Append a file to a tar; names of at most 99 bytes, with '/' but not at the beginning. */
int archive_add(struct buf *tar, const char *name, const void *data, size_t n,
                struct err *err) MUST_CHECK;

/* End the tar, compress it, write it (0640, as a whole or not at all). */
int archive_write(struct buf *tar, const char *path, struct err *err) MUST_CHECK;

#endif
