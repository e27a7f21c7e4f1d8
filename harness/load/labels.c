/* The samples of a data set: y_labels.csv of EEMBC's layout, or two NumPy arrays. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/file.h"
#include "harness/base/npy.h"
#include "harness/base/text.h"
#include "harness/load/suite_file.h"

enum {
    SAMPLE_LIMIT = 100000,
    LABELS_MAX = 16 * 1024 * 1024,
    ARRAY_MAX = 256 * 1024 * 1024
};

static bool ends_with(const char *s, const char *end)
{
    const size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Up to three fields of a line, blanks around them cut; returns how many there are. */
static size_t split(char *line, char *fields[3])
{
    size_t n = 0;

    for (char *at = line; at != NULL; n++) {
        char *comma = strchr(at, ',');

        if (comma != NULL)
            *comma++ = '\0';
        if (n < 3) {
            fields[n] = at + strspn(at, " \t");
            fields[n][strcspn(fields[n], " \t\r")] = '\0';
        }
        at = comma;
    }
    return n;
}

/* Samples lie in the data set's folder, nowhere else. */
static bool is_inside(const char *name)
{
    return name[0] != '\0' && name[0] != '/' && strstr(name, "..") == NULL;
}

/* "NAME, CLASSES, LABEL" */
static bool read_line(struct load *l, const struct node *n, struct suite_dataset *d, char *line,
                      unsigned number)
{
    char *fields[3] = {NULL, NULL, NULL};
    struct suite_sample sample = {.path = NULL};
    double classes = 0;

    if (split(line, fields) != 3 || !is_inside(fields[0]) || !text_to_double(fields[1], &classes) ||
        !text_to_double(fields[2], &sample.label)) {
        LOAD_PROBLEM(l, n, "%.150s:%u: expected 'FILE, CLASSES, LABEL'", d->labels, number);
        return false;
    }
    sample.path = arena_printf(l->arena, "%s/%s", d->path, fields[0]);
    if (!file_check(l, n, sample.path))
        return false;
    if (d->limit == 0 || d->sample_count < d->limit)
        *ARENA_PUSH(l->arena, d->samples, d->sample_count, d->sample_capacity) = sample;
    return true;
}

static void read_csv(struct load *l, const struct node *n, struct suite_dataset *d)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    unsigned number = 0;
    char *rest;

    if (file_read(d->labels, LABELS_MAX, &text, &err) < 0) {
        LOAD_PROBLEM(l, n, "%.200s", err.text);
        return;
    }
    rest = arena_strdup(l->arena, buf_text(&text));
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        number++;
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        if (number > SAMPLE_LIMIT) {
            LOAD_PROBLEM(l, n, "%.150s: more than %d samples", d->labels, SAMPLE_LIMIT);
            return;
        }
        if (!read_line(l, n, d, line, number))
            return;
    }
}

static bool read_array(struct load *l, const struct node *n, const char *path, struct buf *file,
                       struct npy *ret)
{
    struct err err = ERR_INIT;

    if (!file_check(l, n, path))
        return false;
    if (file_read(path, ARRAY_MAX, file, &err) < 0 ||
        npy_parse(file->data, file->len, ret, &err) < 0) {
        LOAD_PROBLEM(l, n, "%.150s: %.200s", path, err.text);
        return false;
    }
    return true;
}

/* x.npy [samples, ...] and y.npy [samples]: sample i is part i of the first. */
static void read_arrays(struct load *l, const struct node *n, struct suite_dataset *d)
{
    AUTO_BUF inputs = BUF_INIT, labels = BUF_INIT;
    struct npy x, y;

    if (!read_array(l, n, d->path, &inputs, &x) || !read_array(l, n, d->labels, &labels, &y))
        return;
    if (x.rank == 0 || x.dims[0] != y.count || y.count > SAMPLE_LIMIT) {
        LOAD_PROBLEM(l, n, "%.100s holds %zu samples, %.100s %zu labels (limit %d)", d->path,
                     x.rank == 0 ? 0 : x.dims[0], d->labels, y.count, SAMPLE_LIMIT);
        return;
    }
    for (size_t i = 0; i < y.count && (d->limit == 0 || i < d->limit); i++)
        *ARENA_PUSH(l->arena, d->samples, d->sample_count, d->sample_capacity) =
            (struct suite_sample){.path = d->path, .part = (uint32_t)i, .label = npy_value(&y, i)};
    d->parts = (uint32_t)y.count;
}

void dataset_finish(struct load *l, const struct node *n, void *object)
{
    struct suite_dataset *d = object;

    if (d->path == NULL || l->no_files)
        return;
    if (ends_with(d->path, ".npy")) {
        if (d->labels == NULL)
            LOAD_PROBLEM(l, n, "'labels' must name the array of labels that goes with %.150s",
                         d->path);
        else
            read_arrays(l, n, d);
    } else {
        if (d->labels == NULL)
            d->labels = arena_printf(l->arena, "%s/y_labels.csv", d->path);
        if (file_check(l, n, d->labels))
            read_csv(l, n, d);
    }
}
