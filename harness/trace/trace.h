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

/* All of it at once, in one transaction. info's id is ignored; samples comes from the arrays. */
int trace_add(struct trace_file *f, const struct trace_info *info, const struct trace_arrays *a,
              int64_t *ret_id, struct err *err) MUST_CHECK;

/*
 * The same piece by piece, for traces that do not fit into memory: pieces are committed as chunks
 * fill, and the trace is in the list only once it ended. What is lost, where the window was and so
 * on is taken from trace_end's info.
 */
struct trace_writer;
int trace_begin(struct trace_file *f, const struct trace_info *info, struct trace_writer **ret,
                struct err *err) MUST_CHECK;
int trace_append(struct trace_writer *w, const struct trace_arrays *a, struct err *err) MUST_CHECK;
int trace_end(struct trace_writer *w, const struct trace_info *info, int64_t *ret_id,
              struct err *err) MUST_CHECK;
void trace_writer_free(struct trace_writer *w); /* NULL is fine; a trace not ended is dropped */
DEFINE_AUTO(struct trace_writer, trace_writer_free)

/* Newest first; strings in the arena. */
int trace_list(struct trace_file *f, struct arena *arena, const struct trace_info **ret,
               size_t *ret_count, struct err *err) MUST_CHECK;

struct trace_span {
    uint64_t begin_ns, end_ns;
};
/*
 * Delete what is older than before_ns and was measured in none of the spans; traces that a killed
 * process never ended too. dry_run: only count.
 */
int trace_prune(struct trace_file *f, uint64_t before_ns, const struct trace_span *keep,
                size_t keep_count, bool dry_run, uint64_t *ret_count, struct err *err) MUST_CHECK;

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

/* A whole trace in a few hundred columns, for a page of a report. */
struct trace_overview {
    const struct trace_point *points;
    size_t count; /* of points: at most the columns asked for, fewer for a shorter trace */
    double step_s;
    double windows[1][2]; /* begin and end of the marked stretch, seconds */
    size_t window_count;  /* 0: nothing was marked */
};

/* From the pyramid, in the arena. ERR_STORE when the trace holds nothing or is damaged. */
int trace_overview(struct trace_file *f, const struct trace_info *info, size_t columns,
                   struct arena *arena, struct trace_overview *ret, struct err *err) MUST_CHECK;

#endif
