/*
 * Which custom operators an agent's firmware holds: the names in its table (struct kernel_custom_op
 * of agents/kernels/custom.h). Files are untrusted, as in footprint.h.
 */
#ifndef HARNESS_ELF_CUSTOMS_H
#define HARNESS_ELF_CUSTOMS_H

#include "harness/elf/image.h"

/*
 * Fills *ret with their names, NULL-terminated, in the arena; none for firmware with our engine but
 * no such table. False when the file does not say: it has no symbols, or another engine.
 */
bool elf_customs(const struct elf_image *image, struct arena *arena, const char *const **ret);

#endif
