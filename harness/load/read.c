#include "harness/load/read.h"

#include <string.h>

void read_text(struct load *l, const char *data, size_t n, const struct key_map *map, void *object)
{
    const struct node *root = node_parse(data, n, l->file, l->problems);

    if (root != NULL)
        key_read(l, root, map, object, READ_FRESH);
}

const char *read_stem(const char *path, const char *suffix, struct arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const size_t n = strlen(name);
    const size_t m = strlen(suffix);

    if (n > m && strcmp(name + n - m, suffix) == 0)
        return arena_strndup(arena, name, n - m);
    return arena_strdup(arena, name);
}
