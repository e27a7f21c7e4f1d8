/* `tinyrig footprint`: where the bytes of a firmware image went. */
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/cli/verb.h"
#include "harness/elf/footprint.h"

struct footprint_arguments {
    bool objects;
};

static const struct option options[] = {
    {"objects", 0, OPTION_FLAG, NULL, "per object file, not only per archive",
     offsetof(struct footprint_arguments, objects)},
    {.name = NULL},
};

static void put_row(struct buf *out, const char *name, const struct footprint_bytes *b)
{
    buf_printf(out, "%8llu %9llu %6llu %6llu %8llu %8llu  ", (unsigned long long)b->code,
               (unsigned long long)b->constants, (unsigned long long)b->data,
               (unsigned long long)b->bss, (unsigned long long)footprint_flash(b),
               (unsigned long long)footprint_ram(b));
    text_escape(out, name, strlen(name));
    buf_putc(out, '\n');
}

static void put_objects(struct buf *out, const struct footprint *f, struct arena *arena)
{
    for (size_t i = 0; i < f->object_count; i++) {
        const struct footprint_object *o = &f->objects[i];

        put_row(out,
                o->archive[0] == '\0' ? o->object
                                      : arena_printf(arena, "%s(%s)", o->archive, o->object),
                &o->bytes);
    }
}

/* Archives in the order of their largest object. */
static void put_archives(struct buf *out, const struct footprint *f)
{
    for (size_t i = 0; i < f->object_count; i++) {
        const char *archive = f->objects[i].archive;
        bool seen = archive[0] == '\0';
        struct footprint_bytes sum;

        for (size_t k = 0; k < i; k++)
            seen = seen || strcmp(f->objects[k].archive, archive) == 0;
        if (seen)
            continue;
        sum = footprint_of(f, archive);
        put_row(out, archive, &sum);
    }
}

static int footprint_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct footprint_arguments *a = arguments;

    for (int i = 0; i < argc; i++) {
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        AUTO_BUF out = BUF_INIT;
        struct footprint f;

        if (footprint_read(argv[i], &arena, &f, err) < 0)
            return (int)err->code;
        buf_printf(&out, "%s (%s, build %.16s)\n", argv[i], f.machine,
                   f.build_id[0] != '\0' ? f.build_id : "unknown");
        buf_puts(&out, "    code constants   data    bss    flash      RAM\n");
        if (a->objects)
            put_objects(&out, &f, &arena);
        else
            put_archives(&out, &f);
        put_row(&out, "in all", &f.total);
        buf_printf(&out, "%8llu bytes are reserved for stack and heap besides\n",
                   (unsigned long long)f.total.reserved);
        (void)fputs(buf_text(&out), stdout);
    }
    return 0;
}

const struct verb verb_footprint = {
    .name = "footprint",
    .arguments = "FILE.elf...",
    .summary = "show where the flash and RAM of a firmware image went",
    .details = "Objects come from the linker map beside it (FILE.map).",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 64,
    .run = footprint_run,
};
