/* The samples of a data set: y_labels.csv of EEMBC's layout, or two NumPy arrays. */
#include <math.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/npy.h"
#include "harness/load/label_lines.h"
#include "harness/load/suite_file.h"

enum {
    LABELS_MAX = 16 * 1024 * 1024,
    ARRAY_MAX = 256 * 1024 * 1024
};

static bool ends_with(const char *s, const char *end)
{
    const size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool is_within(const struct suite_dataset *d, size_t i)
{
    return d->limit == 0 || i < d->limit;
}

static bool read_csv(struct load *l, const struct node *n, struct suite_dataset *d)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    struct label_lines found;

    if (file_read(d->labels, LABELS_MAX, &text, &err) < 0 ||
        label_lines_parse(buf_text(&text), text.len, d->labels, l->arena, &found, &err) < 0) {
        LOAD_PROBLEM(l, n, "%.300s", err.text);
        return false;
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct suite_sample sample = {
            .path = arena_printf(l->arena, "%s/%s", d->path, found.lines[i].name),
            .label = found.lines[i].label};

        if (!file_check(l, n, sample.path))
            return false;
        if (is_within(d, i))
            *ARENA_PUSH(l->arena, d->samples, d->sample_count, d->sample_capacity) = sample;
    }
    return true;
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
static bool read_arrays(struct load *l, const struct node *n, struct suite_dataset *d)
{
    AUTO_BUF inputs = BUF_INIT, labels = BUF_INIT;
    struct npy x, y;

    if (!read_array(l, n, d->path, &inputs, &x) || !read_array(l, n, d->labels, &labels, &y))
        return false;
    if (x.rank == 0 || x.dims[0] != y.count || y.count > LABEL_LINES_MAX) {
        LOAD_PROBLEM(l, n,
                     "%.100s holds %zu samples, %.100s %zu labels: expected as many, at most %d",
                     d->path, x.rank == 0 ? 0 : x.dims[0], d->labels, y.count, LABEL_LINES_MAX);
        return false;
    }
    for (size_t i = 0; i < y.count; i++) {
        const struct suite_sample sample = {
            .path = d->path, .part = (uint32_t)i, .label = npy_value(&y, i)};

        if (!isfinite(sample.label)) {
            LOAD_PROBLEM(l, n, "%.150s: label %zu is no number", d->labels, i);
            return false;
        }
        if (is_within(d, i))
            *ARENA_PUSH(l->arena, d->samples, d->sample_count, d->sample_capacity) = sample;
    }
    d->parts = (uint32_t)y.count;
    return true;
}

void dataset_finish(struct load *l, const struct node *n, void *object)
{
    struct suite_dataset *d = object;
    const bool arrays = d->path != NULL && ends_with(d->path, ".npy");
    bool good;

    if (d->path == NULL || l->no_files)
        return;
    if (arrays && d->labels == NULL) {
        LOAD_PROBLEM(l, n, "'labels' must name the array of labels that goes with %.150s", d->path);
        return;
    }
    if (d->labels == NULL)
        d->labels = arena_printf(l->arena, "%s/y_labels.csv", d->path);
    good = arrays ? read_arrays(l, n, d) : file_check(l, n, d->labels) && read_csv(l, n, d);
    if (good && d->sample_count == 0)
        LOAD_PROBLEM(l, n, "%.150s: expected at least one sample", d->labels);
}
