/* GNU ld's map file: which object each byte of an output section came from. */
#ifndef HARNESS_ELF_MAP_H
#define HARNESS_ELF_MAP_H

#include "harness/elf/footprint.h"

/* The image the map belongs to. */
struct map_image {
    const struct footprint *f;
    const struct footprint_section *sections; /* `counted` points into f->total */
    size_t section_count;
};

/*
 * Sort the input sections of a map into objects: only output sections of the image that are
 * counted matter. The objects lie in the arena, in the order of the map.
 */
int map_read(const char *text, const struct map_image *image, struct arena *arena,
             struct footprint_object **ret, size_t *ret_count, struct err *err) MUST_CHECK;

#endif
