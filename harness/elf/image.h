/*
 * What a programmer needs of a firmware file: the bytes and where they go, its symbols, its build
 * id; and the move of an Arm image to another place in RAM (agents/core/PORTING.md, injection).
 *
 * Called by harness/flash. Files are untrusted, as in footprint.h.
 */
#ifndef HARNESS_ELF_IMAGE_H
#define HARNESS_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/err.h"

struct elf_segment {
    uint32_t load;    /* where a programmer writes it */
    uint32_t address; /* where it runs; the same for code */
    uint32_t size;    /* bytes in the file; what is zeroed at start is not counted */
    uint8_t *bytes;
};

struct elf_image {
    const char *path;
    bool arm;
    uint32_t entry;
    struct elf_segment *segments;
    size_t segment_count;
    uint32_t size;                 /* of all segments */
    const char *build_id;          /* hex; "" when there is none */
    struct elf_contents *contents; /* of the file, for the calls below */
};

/* Read a file; everything lives in the arena. ERR_CONFIG when it is no ELF32 executable. */
int elf_image_read(const char *path, struct arena *arena, struct elf_image *ret,
                   struct err *err) MUST_CHECK;
int elf_image_parse(const void *elf, size_t size, const char *name, struct arena *arena,
                    struct elf_image *ret, struct err *err) MUST_CHECK;

/* Value and size of a symbol; false when there is none of that name. Not moved with the image. */
bool elf_image_symbol(const struct elf_image *image, const char *name, uint32_t *ret_value,
                      uint32_t *ret_size);

/* n bytes of the image at a run address; NULL when they are not within it. */
const void *elf_image_bytes(const struct elf_image *image, uint32_t address, size_t n);

/*
 * Move the image, once, by delta bytes, a multiple of 64 KiB: every absolute word and every upper half of
 * an address in a pair of MOVW and MOVT. The file must have been linked with --emit-relocs
 * (ERR_CONFIG otherwise) and for Arm.
 */
int elf_image_move(struct elf_image *image, uint32_t delta, struct err *err) MUST_CHECK;

/* Overwrite bytes of the image at a run address. False when they are not within it. */
bool elf_image_patch(struct elf_image *image, uint32_t address, const void *bytes, size_t n);

#endif
