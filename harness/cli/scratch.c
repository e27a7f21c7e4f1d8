#include "harness/cli/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int scratch_make(struct scratch *s, struct err *err)
{
    const char *base = getenv("TMPDIR");
    int n;

    base = base != NULL && base[0] == '/' ? base : "/tmp";
    n = snprintf(s->path, sizeof(s->path), "%s/tinyrig-run-XXXXXX", base);
    if (n >= (int)sizeof(s->path) || mkdtemp(s->path) == NULL) {
        s->path[0] = '\0';
        return err_set(err, ERR_IO, "cannot make a folder in %s", base);
    }
    return 0;
}

void scratch_remove(struct scratch *s)
{
    const struct dirent *entry;
    DIR *dir;

    if (s->path[0] == '\0')
        return;
    dir = opendir(s->path);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." are folders: refused */
    if (dir != NULL)
        (void)closedir(dir);
    (void)rmdir(s->path);
    s->path[0] = '\0';
}
