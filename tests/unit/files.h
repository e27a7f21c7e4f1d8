/* Small files in a temporary folder, for tests of whoever reads files. */
#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "tests/unit/unit.h"

struct files {
    char folder[64];
    char path[256]; /* of the last files_path */
};

static inline void files_release(struct files *f)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
    if (*f->folder != '\0' && system(command) != 0) /* a name that mkdtemp made */
        print_error("cannot remove %s\n", f->folder);
}

#define AUTO_FILES AUTO(files_release) struct files

static inline void files_init(struct files *f)
{
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/tinyrig-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
}

/* Valid until the next call. */
static inline const char *files_path(struct files *f, const char *name)
{
    (void)snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, name);
    return f->path;
}

/* Makes the folders before the name too. Returns the path. */
static inline const char *files_write(struct files *f, const char *name, const char *text)
{
    struct err err = ERR_INIT;
    char folder[256];
    const char *path = files_path(f, name);

    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(file_make_dirs(folder, &err), 0);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &err), 0);
    return path;
}

#endif
