/* The back-ends, and what they share. */
#include <string.h>
#include <strings.h>

#include "harness/base/arena.h"
#include "harness/base/hash.h"
#include "harness/base/log.h"
#include "harness/elf/build_id.h"
#include "harness/elf/image.h"
#include "harness/flash/flash.h"

extern const struct flash_ops flash_none, flash_qemu, flash_openocd, flash_inject, flash_command;

const struct flash_ops *const flash_backends[] = {
    &flash_none, &flash_qemu, &flash_openocd, &flash_inject, &flash_command, NULL,
};

const struct flash_ops *flash_find(const char *name)
{
    for (size_t i = 0; flash_backends[i] != NULL; i++) {
        if (strcmp(flash_backends[i]->name, name) == 0)
            return flash_backends[i];
    }
    return NULL;
}

void flash_step(const struct flash_job *job, const char *step, size_t bytes)
{
    log_line(LOG_LAB, "%s: %s, %zu bytes", job->board->name, step, bytes);
    if (job->progress != NULL)
        job->progress(job->context, step, bytes);
}

int flash_check_identity(const char *firmware, const uint8_t build_id[8], struct err *err)
{
    char built[BUILD_ID_TEXT] = "";
    char running[17];

    if (build_id_read(firmware, built, err) <
        0) /* the native agent's file is of the host's class */
        return (int)err->code;
    if (strlen(built) < 16)
        return 1;
    hex_encode(build_id, 8, running);
    if (strncasecmp(built, running, 16) == 0)
        return 0;
    (void)err_set(err, ERR_LAB, "the firmware that answers (build id %s) is not %s (%.16s)",
                  running, firmware, built);
    return err_hint(err, "flash it anew, or look whether this is the port of another board");
}

int flash_symbol(const struct flash_ops *ops, const struct flash_job *job, const char *name,
                 uint32_t *ret_address, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct elf_image image;
    uint32_t value = 0;
    uint32_t delta = 0;

    if (job->firmware == NULL || job->firmware[0] == '\0')
        return 1;
    if (elf_image_read(job->firmware, &arena, &image, err) < 0)
        return (int)err->code;
    if (!elf_image_symbol(&image, name, &value, NULL))
        return 1;
    if (ops->moved != NULL && ops->moved(job, &delta, err) < 0)
        return (int)err->code;
    *ret_address = value + delta;
    return 0;
}
