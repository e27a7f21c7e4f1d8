/*
 * Raw traces of current, in a SQLite file of their own beside the results (so that those stay
 * small): compressed chunks of 100 000 samples, and a pyramid of minimum, maximum and mean that
 * shows an hour at once.
 *
 * harness/measure writes a trace per energy window (several processes may write at once), `tinyrig
 * trace` reads. Times are seconds since the trace's first sample.
 */
#ifndef HARNESS_TRACE_TRACE_H
#define HARNESS_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/err.h"

#define TRACE_FIRST_LEVEL 1000 /* samples in an entry of the lowest level */
#define TRACE_LEVEL_STEP  32
#define TRACE_LEVELS      4

struct trace_info {
    int64_t id; /* in its file */
    const char *case_key;
    const char *meter;
    const char *calibration;
    uint32_t window;
    uint64_t at_ns; /* realtime */
    double rate_hz, supply_v;
    uint64_t samples, lost;
    double on_s, off_s; /* the marked window; equal: none */
    uint32_t inferences;
    uint32_t invalid; /* INVALID_* bits */
    bool emulated;
};

struct trace_arrays {
    const float *current_a;
    const uint8_t *logic; /* NULL: none */
    const uint8_t *range; /* NULL: none */
    size_t count;
};

/* One column of a plot. */
struct trace_point {
    float min_a, max_a, mean_a; /* NAN: all lost */
};

struct trace_file;

/* Created when `write` and missing. ERR_STORE says what is wrong with it. */
int trace_open(const char *path, bool write, struct trace_file **ret, struct err *err) MUST_CHECK;
void trace_close(struct trace_file *f); /* NULL is fine */
DEFINE_AUTO(struct trace_file, trace_close)

/* All of it in one transaction. info's id is ignored; samples comes from the arrays. */
int trace_add(struct trace_file *f, const struct trace_info *info, const struct trace_arrays *a,
              int64_t *ret_id, struct err *err) MUST_CHECK;

/* Newest first; strings in the arena. */
int trace_list(struct trace_file *f, struct arena *arena, const struct trace_info **ret,
               size_t *ret_count, struct err *err) MUST_CHECK;

/* Where to read samples to: arrays of `room`; logic and range may be NULL. */
struct trace_target {
    float *current_a;
    uint8_t *logic, *range;
    size_t room;
};

/* Samples from `first` on. Returns the number read (less at the end) or a negative error. */
int64_t trace_read(struct trace_file *f, int64_t id, uint64_t first, const struct trace_target *to,
                   struct err *err);

/* `columns` points that cover [first, first + count): from the pyramid when that is fine enough. */
int trace_columns(struct trace_file *f, const struct trace_info *info, uint64_t first,
                  uint64_t count, size_t columns, struct trace_point *ret,
                  struct err *err) MUST_CHECK;

#endif
