/* Results back from what `export --format csv` wrote: a baseline that can be read and diffed. */
#ifndef HARNESS_CLI_CSV_READ_H
#define HARNESS_CLI_CSV_READ_H

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"

/*
 * Cases with their metrics; facts, windows and the rest are not in such a file. Columns are found by
 * their titles. ERR_CONFIG with the line of the first mistake; at most 64 MiB.
 */
int csv_read(const char *path, struct arena *arena, struct dataset *ret,
             struct err *err) MUST_CHECK;
/* The same from memory; `path` is for messages. For fuzzing. */
int csv_parse(const char *path, const char *text, size_t n, struct arena *arena,
              struct dataset *ret, struct err *err) MUST_CHECK;

#endif
