/* Private to harness/load/doc: the maps that are below a root, each once. */
#ifndef HARNESS_LOAD_DOC_WALK_H
#define HARNESS_LOAD_DOC_WALK_H

#include "harness/load/doc/keys.h"
#include "harness/load/key.h"

enum {
    WALK_LIMIT = 32
};

struct walk {
    const struct key_map *maps[WALK_LIMIT]; /* the root first, then in the order of the keys */
    size_t count;
};

void walk_maps(enum keys_file file, struct walk *ret);

extern const struct key_map *const walk_roots[KEYS_FILES];

#endif
