/* Which files are a model's inputs and expected outputs. */
#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/buf.h"
#include "harness/load/suite_file.h"

enum {
    VECTOR_LIMIT = 100000 /* of one model */
};

struct file_list {
    const char **paths;
    const char **parts; /* what the pattern's only `*` stood for; NULL when not known */
    size_t count;
    size_t capacity;
    size_t part_capacity;
};

static bool is_pattern(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The nearest name in the same folder, as a hint. */
static void suggest_file(const char *path, char text[static 96])
{
    const char *slash = strrchr(path, '/');
    const char *names[512] = {NULL};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *folder = slash == NULL ? "." : arena_strndup(&arena, path, (size_t)(slash - path));
    DIR *dir = opendir(*folder == '\0' ? "/" : folder);
    const struct dirent *entry;
    size_t count = 0;

    text[0] = '\0';
    while (dir != NULL && count + 1 < ARRAY_SIZE(names) && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            names[count++] = arena_strdup(&arena, entry->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    qsort(names, count, sizeof(names[0]), by_text);
    key_suggest(slash == NULL ? path : slash + 1, names, text);
}

bool file_check(struct load *l, const struct node *n, const char *path)
{
    struct stat st;
    char hint[96];

    if (l->no_files)
        return true;
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            LOAD_PROBLEM(l, n, "'%.200s' is not a file", path);
        return S_ISREG(st.st_mode);
    }
    suggest_file(path, hint);
    LOAD_PROBLEM(l, n, "there is no file '%.200s'%s", path, hint);
    return false;
}

/* in2.bin comes before in10.bin, as people number files. */
static int by_version(const void *left, const void *right)
{
    return strverscmp(*(const char *const *)left, *(const char *const *)right);
}

/*
 * What the only `*` of text, which ends pattern, matched in path. NULL when text has other or more
 * wildcards: then only the number of files can be compared.
 */
static const char *matched_part(const char *text, const char *pattern, const char *path,
                                struct arena *arena)
{
    const char *star = strchr(text, '*');
    size_t before, after, n;

    if (star == NULL || strpbrk(text, "?[") != NULL || strchr(star + 1, '*') != NULL)
        return NULL;
    star = pattern + strlen(pattern) - strlen(star);
    before = (size_t)(star - pattern);
    after = strlen(star + 1);
    n = strlen(path);
    return n < before + after ? NULL : arena_strndup(arena, path + before, n - before - after);
}

static void add_file(struct load *l, struct file_list *list, const char *path, const char *part)
{
    size_t count = list->count;

    *ARENA_PUSH(l->arena, list->paths, list->count, list->capacity) = path;
    *ARENA_PUSH(l->arena, list->parts, count, list->part_capacity) = part;
}

/* The pattern with the folder of the file before it, whose own * and [ mean themselves. */
static const char *glob_text(const struct load *l, const char *pattern)
{
    const char *slash = strrchr(l->file, '/');
    AUTO_BUF text = BUF_INIT;

    for (const char *s = l->file; *pattern != '/' && slash != NULL && s <= slash; s++) {
        if (strchr("*?[\\", *s) != NULL)
            buf_putc(&text, '\\');
        buf_putc(&text, *s);
    }
    buf_puts(&text, pattern);
    return arena_strdup(l->arena, buf_text(&text));
}

static bool add_pattern(struct load *l, const struct node *n, const char *text,
                        struct file_list *list)
{
    AUTO(globfree) glob_t found = {0};
    const char *pattern = value_path(text, l->file, l->arena);
    bool good = true;

    if (glob(glob_text(l, text), GLOB_NOSORT, NULL, &found) != 0) {
        LOAD_PROBLEM(l, n, "no file matches '%.200s'", pattern);
        return false;
    }
    if (found.gl_pathc > VECTOR_LIMIT) {
        LOAD_PROBLEM(l, n, "'%.200s' matches %zu files (limit %d)", pattern, (size_t)found.gl_pathc,
                     VECTOR_LIMIT);
        return false;
    }
    qsort(found.gl_pathv, found.gl_pathc, sizeof(found.gl_pathv[0]), by_version);
    for (size_t i = 0; i < found.gl_pathc && good; i++) {
        good = file_check(l, n, found.gl_pathv[i]);
        add_file(l, list, arena_strdup(l->arena, found.gl_pathv[i]),
                 matched_part(text, pattern, found.gl_pathv[i], l->arena));
    }
    return good;
}

static bool list_files(struct load *l, const struct node *n, const char *const *paths,
                       struct file_list *list)
{
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++) {
        if (is_pattern(paths[i])) {
            if (!l->no_files && !add_pattern(l, n, paths[i], list))
                return false;
        } else {
            const char *path = value_path(paths[i], l->file, l->arena);

            if (!file_check(l, n, path))
                return false;
            add_file(l, list, path, NULL);
        }
    }
    return true;
}

/* Files that a `*` paired must have matched the same part: in7.bin belongs to out7.bin. */
static bool pairs_match(struct load *l, const struct node *n, const struct file_list *inputs,
                        const struct file_list *expected)
{
    for (size_t i = 0; i < inputs->count && i < expected->count; i++) {
        const char *a = inputs->parts[i];
        const char *b = expected->parts[i];

        if (a == NULL || b == NULL || strcmp(a, b) == 0)
            continue;
        LOAD_PROBLEM(l, n, "'%.150s' and '%.150s' do not belong together", inputs->paths[i],
                     expected->paths[i]);
        return false;
    }
    if (inputs->count == expected->count)
        return true;
    LOAD_PROBLEM(l, n, "%zu input files but %zu expected outputs", inputs->count, expected->count);
    return false;
}

void vectors_find(struct load *l, const struct node *n, const struct vector_files *files,
                  struct suite_model *model)
{
    struct file_list inputs = {0};
    struct file_list expected = {0};
    struct suite_vector *vectors;

    if (!list_files(l, n, files->inputs, &inputs) || !list_files(l, n, files->expected, &expected))
        return;
    if (files->expected != NULL && !l->no_files && !pairs_match(l, n, &inputs, &expected))
        return;
    if (inputs.count > VECTOR_LIMIT) {
        LOAD_PROBLEM(l, n, "too many inputs (limit %d)", VECTOR_LIMIT);
        return;
    }
    vectors = arena_alloc(l->arena, (inputs.count + 1) * sizeof(*vectors));
    for (size_t i = 0; i < inputs.count; i++) {
        vectors[i].input = inputs.paths[i];
        vectors[i].expected = i < expected.count ? expected.paths[i] : NULL;
    }
    model->vectors = vectors;
    model->vector_count = inputs.count;
}
