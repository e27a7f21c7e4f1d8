/*
 * A file that was put into a board's flash: a copy in memory, so that the file may go, which the
 * emulator opens as /proc/self/fd/N.
 */
#ifndef TARGETS_VIRTUAL_IMAGE_H
#define TARGETS_VIRTUAL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/err.h"

#define IMAGE_MAX_BYTES (64u << 20)

struct image {
    int fd; /* -1: none */
    uint64_t address;
};

/*
 * Copy the file at path. With as_elf the copy is an ELF file with one segment at `address` (below
 * 4 GiB): QEMU's loader refuses raw files larger than the machine's RAM, which on a part with more
 * flash than RAM is a nuisance.
 */
int image_load(struct image *image, const char *path, uint64_t address, bool as_elf,
               struct err *err) MUST_CHECK;
void image_release(struct image *image);

#endif
