/*
 * Reports: a dataset as text that people or programs read. Called by harness/cli.
 *
 * Every format takes the same input and only appends to a buffer; who prints or stores it is the
 * caller's business. Names, logs and messages come from files and boards: each format makes them
 * inert in its own way. Numbers never change meaning on the way: counts of an emulator are called
 * instructions or cycles and never milliseconds, and every table says timebase and realm.
 */
#ifndef HARNESS_REPORT_REPORT_H
#define HARNESS_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/spec/dataset.h"

enum report_group {
    REPORT_BY_BOARD, /* a section per board: rows are models */
    REPORT_BY_MODEL, /* a section per model: rows are boards */
};

struct comparison; /* harness/judge/compare.h */
struct gate;       /* harness/judge/gate.h */
struct history;    /* harness/judge/history.h */
struct mute;       /* harness/judge/compare.h */

/* One metric over time, and what harness/judge says about it. */
struct report_trend {
    const struct data_series *series;
    const struct history *history;
    const bool *breaks;      /* one per point: the environment changed there; or NULL */
    const struct mute *mute; /* in force now, or NULL */
};

/* A current trace to draw, thinned out by the caller to at most a few hundred steps. */
struct report_trace {
    const char *key;  /* of its case */
    const char *text; /* meter, mode, voltage */
    double begin_s;
    double step_s;
    size_t count;
    const double *mean_na;
    const double *low_na; /* NULL, or the extremes of each step */
    const double *high_na;
    const double (*windows)[2]; /* begin and end in seconds */
    size_t window_count;
};

struct report_options {
    const struct dataset *data;
    const struct comparison *comparison; /* of data with something before it, or NULL */
    const struct gate *gate;             /* its answer, or NULL */
    const char *base;                    /* what it was compared with, for people */
    const struct report_trend *trends;
    size_t trend_count;
    const struct report_trace *traces;
    size_t trace_count;
    const char *title; /* NULL: the suite's name */
    enum report_group group;
    bool details;   /* memory split, provenance and skipped cases in the text formats too */
    bool colour;    /* text: ANSI colours */
    unsigned width; /* text: columns to fit; 0: no limit */
};

/* One output format. */
struct report_format {
    const char *name;      /* for --format */
    const char *extension; /* a file of this kind ends in it; NULL when no file does */
    const char *summary;
    unsigned parts; /* DATA_*: what it shows beside metrics, so that no more is read */
    int (*render)(const struct report_options *options, struct buf *out, struct err *err);
};

extern const struct report_format *const report_formats[]; /* ends with NULL */

/* NULL when there is none of that name. */
const struct report_format *report_format_find(const char *name);
/* By the ending of a path ("night.html"), NULL when no format has it. */
const struct report_format *report_format_of_path(const char *path);

/* colour and width for the terminal at fd (NO_COLOR, TERM=dumb and COLUMNS are honoured). */
void report_fit_terminal(struct report_options *options, int fd);

#endif
