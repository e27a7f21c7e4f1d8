#include "harness/cli/context.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/lab/health.h"
#include "harness/load/load.h"

int context_init(struct context *c, const struct common_options *options, struct err *err)
{
    *c = (struct context){.arena = ARENA_INIT};
    if (paths_find(&c->arena, &c->paths, err) < 0)
        return (int)err->code;
    c->database = options->database != NULL ? options->database : c->paths.database;
    return 0;
}

/* Boards that a person took out of service by command, beside those of the lab file. */
static int overlay_maintenance(struct context *c, struct err *err)
{
    const struct board **boards;
    struct lab *lab = arena_dup(&c->arena, c->lab, sizeof(*lab));
    struct err unread = ERR_INIT;
    char folder[HEALTH_PATH];

    if (health_folder(folder, err) < 0)
        return (int)err->code;
    boards = arena_dup(&c->arena, lab->boards, lab->board_count * sizeof(const struct board *));
    for (size_t i = 0; i < lab->board_count; i++) {
        struct health h;
        struct board *copy;

        if (health_read(folder, boards[i]->name, &h, &unread) < 0) {
            /* It may be in quarantine. The other boards are none the worse for it. */
            h = (struct health){.state = BOARD_MAINTENANCE, .by = "tinyrig"};
            (void)snprintf(h.reason, sizeof(h.reason), "%.255s", unread.text);
            err_clear(&unread);
        }
        if (h.state != BOARD_MAINTENANCE || boards[i]->maintenance != NULL)
            continue;
        copy = arena_dup(&c->arena, boards[i], sizeof(*copy));
        copy->maintenance = arena_printf(&c->arena, "%s (%s)", h.reason, h.by);
        boards[i] = copy;
    }
    lab->boards = boards;
    c->lab = lab;
    return 0;
}

static bool names_programs(const struct lab *lab)
{
    bool any = lab->commands[0] != NULL || lab->notify != NULL || lab->labgrid != NULL;

    for (size_t i = 0; i < lab->meter_count; i++)
        any = any || lab->meters[i].mux != NULL;
    for (size_t i = 0; i < lab->power_count; i++)
        any = any || lab->powers[i].on != NULL || lab->powers[i].off != NULL;
    return any;
}

/*
 * A lab file is trusted because somebody who runs the lab put it there or named it. One that merely
 * lies in the working folder may have come with a stranger's change to a repository.
 */
static int check_trust(const struct common_options *options, const struct lab *lab, struct err *err)
{
    const char *named = options->lab != NULL ? options->lab : getenv("TINYRIG_LAB");

    if ((named != NULL && *named != '\0') || lab->path == NULL || lab->path[0] == '/' ||
        !names_programs(lab))
        return 0;
    (void)err_set(err, ERR_CONFIG, "%s was found in the working folder and names programs to run",
                  lab->path);
    return err_hint(err, "when you trust it: --lab %s, or move it to /etc/tinyrig/lab.yaml",
                    lab->path);
}

int context_load_lab(struct context *c, const struct common_options *options, struct err *err)
{
    const char *folders[OPTION_STRINGS_MAX + 2];
    size_t n = 0;

    for (; n < options->board_dirs.count; n++)
        folders[n] = options->board_dirs.values[n];
    folders[n++] = c->paths.boards;
    folders[n] = NULL;
    if (lab_load(lab_find(options->lab, &c->arena), folders, &c->arena, &c->lab, err) < 0)
        return (int)err->code;
    return check_trust(options, c->lab, err) < 0 ? (int)err->code : overlay_maintenance(c, err);
}

void context_release(struct context *c)
{
    arena_release(&c->arena);
}
