/* Stored cases as the folder that MLPerf Tiny's submission checker walks. */
#ifndef HARNESS_MLPERF_SUBMISSION_H
#define HARNESS_MLPERF_SUBMISSION_H

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/spec/dataset.h"

struct mlperf_submission {
    const char *folder;    /* made when missing; files in it are replaced */
    const char *submitter; /* one path component */
    const char *status;    /* "available", "preview" or "rdi" */
    bool closed;
};

/*
 * One system per board of the data, one benchmark per case whose model is one. Every broken rule
 * goes to `findings`, a line each, and the folder is written all the same. 0, or 1 when a rule is
 * broken. ERR_USAGE: nothing of the data is a benchmark, or bad options.
 */
int mlperf_export(const struct mlperf_submission *s, const struct dataset *data,
                  struct buf *findings, struct err *err) MUST_CHECK;

#endif
