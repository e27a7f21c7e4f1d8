/*
 * y_labels.csv in EEMBC's layout: lines of FILE, CLASSES, LABEL. Called by labels.c on files nobody
 * vouches for; whether the samples are there is the caller's to find out.
 */
#ifndef HARNESS_LOAD_LABEL_LINES_H
#define HARNESS_LOAD_LABEL_LINES_H

#include "harness/base/arena.h"
#include "harness/base/err.h"

enum {
    LABEL_LINES_MAX = 100000
};

struct label_line {
    const char *name; /* inside the data set's folder: neither absolute nor with ".." */
    double label;
};

struct label_lines {
    struct label_line *lines;
    size_t count, capacity;
};

/* ERR_CONFIG names `file`, the line and what was expected there. Empty lines count for nothing. */
int label_lines_parse(const char *text, size_t len, const char *file, struct arena *arena,
                      struct label_lines *ret, struct err *err) MUST_CHECK;

#endif
