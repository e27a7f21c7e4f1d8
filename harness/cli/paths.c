#include "harness/cli/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int program_folder(struct arena *arena, const char **ret, struct err *err)
{
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (n < 0)
        return err_sys(err, errno, "/proc/self/exe");
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    *ret = arena_strdup(arena, path);
    return 0;
}

/* results/ of the source tree while developing; the user's state folder once installed. */
static const char *default_database(struct arena *arena, bool in_build)
{
    const char *named = getenv("TINYRIG_DB");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (named != NULL)
        return named;
    if (in_build)
        return TINYRIG_SOURCE_ROOT "/results/tinyrig.db";
    if (state != NULL && state[0] == '/')
        return arena_printf(arena, "%s/tinyrig/tinyrig.db", state);
    return arena_printf(arena, "%s/.local/state/tinyrig/tinyrig.db", home != NULL ? home : "");
}

int paths_find(struct arena *arena, struct paths *ret, struct err *err)
{
    const char *data = getenv("TINYRIG_DATA");
    const char *folder = NULL;
    bool in_build;

    if (program_folder(arena, &folder, err) < 0)
        return (int)err->code;
    in_build = access(arena_printf(arena, "%s/build.ninja", folder), F_OK) == 0;
    if (in_build) {
        ret->boards = TINYRIG_SOURCE_ROOT "/targets/boards";
        ret->firmware = arena_printf(arena, "%s/firmware", folder);
        ret->vboard = arena_printf(arena, "%s/targets/virtual/tinyrig-vboard", folder);
        ret->vmeter = arena_printf(arena, "%s/targets/virtual/tinyrig-vmeter", folder);
        ret->agent_posix = arena_printf(arena, "%s/agents/ports/posix/tinyrig-agent-posix", folder);
    } else {
        ret->boards = TINYRIG_DATA_DIR "/boards";
        ret->firmware = TINYRIG_DATA_DIR "/firmware";
        ret->vboard = TINYRIG_PROGRAM_DIR "/tinyrig-vboard";
        ret->vmeter = TINYRIG_PROGRAM_DIR "/tinyrig-vmeter";
        ret->agent_posix = TINYRIG_PROGRAM_DIR "/tinyrig-agent-posix";
    }
    if (data != NULL) {
        ret->boards = arena_printf(arena, "%s/boards", data);
        ret->firmware = arena_printf(arena, "%s/firmware", data);
    }
    ret->database = default_database(arena, in_build);
    return 0;
}
