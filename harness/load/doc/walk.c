#include "harness/load/doc/walk.h"

#include <assert.h>

#include "harness/load/board_file.h"
#include "harness/load/lab_file.h"
#include "harness/load/suite_file.h"

const char *const keys_file_names[KEYS_FILES + 1] = {
    [KEYS_SUITE] = "suite",
    [KEYS_BOARD] = "board",
    [KEYS_LAB] = "lab",
};

const struct key_map *const walk_roots[KEYS_FILES] = {
    [KEYS_SUITE] = &suite_map,
    [KEYS_BOARD] = &board_map,
    [KEYS_LAB] = &lab_map,
};

static void visit(struct walk *w, const struct key_map *map)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->maps[i] == map)
            return;
    }
    assert(w->count < WALK_LIMIT);
    w->maps[w->count++] = map;
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        if (k->map != NULL)
            visit(w, k->map);
    }
}

void walk_maps(enum keys_file file, struct walk *ret)
{
    ret->count = 0;
    visit(ret, walk_roots[file]);
}
