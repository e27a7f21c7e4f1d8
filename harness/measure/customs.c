#include "harness/measure/customs.h"

#include <string.h>
#include <unistd.h>

#include "harness/elf/customs.h"

size_t customs_of(const struct nn_report *r, struct arena *arena, struct custom_use **ret)
{
    struct custom_use *uses = NULL;
    size_t count = 0, capacity = 0;

    for (size_t i = 0; i < r->op_count; i++) {
        if (r->ops[i].custom != NULL && r->ops[i].steps > 0)
            *ARENA_PUSH(arena, uses, count, capacity) =
                (struct custom_use){i, arena_strdup(arena, r->ops[i].custom)};
    }
    *ret = uses;
    return count;
}

const char *customs_firmware(const struct board *b, const char *firmware_dir, struct arena *arena)
{
    if (b->flashing.firmware != NULL || b->agent == NULL || firmware_dir == NULL)
        return b->flashing.firmware;
    return arena_printf(arena, "%s/%s.elf", firmware_dir, b->agent);
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

const char *customs_missing(const struct custom_use *uses, size_t count, const char *firmware,
                            struct arena *arena)
{
    AUTO(arena_release) struct arena own = ARENA_INIT; /* for the file */
    const char *const *held = NULL;
    struct err err = ERR_INIT;
    struct elf_image image;
    AUTO_BUF list = BUF_INIT;

    if (count == 0 || firmware == NULL || access(firmware, R_OK) != 0 ||
        elf_image_read(firmware, &own, &image, &err) < 0 || !elf_customs(&image, &own, &held))
        return NULL;
    for (const char *const *h = held; *h != NULL; h++)
        buf_printf(&list, "%s%s", list.len ? ", " : "", *h);
    for (size_t i = 0; i < count; i++) {
        if (!is_among(uses[i].name, held))
            return arena_printf(arena,
                                "operator %zu CUSTOM '%s': firmware %s holds no such operator (%s)",
                                uses[i].op, uses[i].name, firmware,
                                list.len ? buf_text(&list) : "there are none in it");
    }
    return NULL;
}
