#include "harness/cli/context.h"

#include "harness/load/load.h"

int context_init(struct context *c, const struct common_options *options, struct err *err)
{
    *c = (struct context){.arena = ARENA_INIT};
    if (paths_find(&c->arena, &c->paths, err) < 0)
        return (int)err->code;
    c->database = options->database != NULL ? options->database : c->paths.database;
    return 0;
}

int context_load_lab(struct context *c, const struct common_options *options, struct err *err)
{
    const char *folders[OPTION_STRINGS_MAX + 2];
    size_t n = 0;

    for (; n < options->board_dirs.count; n++)
        folders[n] = options->board_dirs.values[n];
    folders[n++] = c->paths.boards;
    folders[n] = NULL;
    return lab_load(lab_find(options->lab, &c->arena), folders, &c->arena, &c->lab, err);
}

void context_release(struct context *c)
{
    arena_release(&c->arena);
}
