#include "harness/elf/customs.h"

#include <string.h>

enum {
    ROW = 12, /* name, run, check: three pointers */
    ROWS_MAX = 256,
    NAME_MAX_LENGTH = 128
};

/* A NUL-terminated text of the image, in the arena; NULL when it is none. */
static const char *text_at(const struct elf_image *image, uint32_t address, struct arena *arena)
{
    for (size_t n = 0; n < NAME_MAX_LENGTH; n++) {
        const char *end = elf_image_bytes(image, address + (uint32_t)n, 1);

        if (end == NULL)
            return NULL;
        if (*end == '\0')
            return arena_dup(arena, elf_image_bytes(image, address, n + 1), n + 1);
    }
    return NULL;
}

bool elf_customs(const struct elf_image *image, struct arena *arena, const char *const **ret)
{
    const char **names = arena_alloc(arena, (ROWS_MAX + 1) * sizeof(names[0]));
    uint32_t at = 0;
    uint32_t size = 0;
    size_t count = 0;

    if (!elf_image_symbol(image, "kernels_ref", &at, NULL))
        return false;
    *ret = names;
    names[0] = NULL;
    if (!elf_image_symbol(image, "kernel_customs", &at, &size))
        return true;
    for (uint32_t i = 0; i < size / ROW && i < ROWS_MAX; i++) {
        const void *row = elf_image_bytes(image, at + i * ROW, ROW);
        uint32_t name = 0;

        if (row == NULL)
            return false;
        memcpy(&name, row, sizeof(name));
        if (name == 0)
            return true;
        names[count] = text_at(image, name, arena);
        if (names[count] == NULL)
            return false;
        names[++count] = NULL;
    }
    return false; /* a table without an end */
}
