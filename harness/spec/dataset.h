/*
 * What a report is made from: rows read back from the store (or from an import), as plain
 * structs. harness/store fills it, harness/report and harness/stats read it.
 */
#ifndef HARNESS_SPEC_DATASET_H
#define HARNESS_SPEC_DATASET_H

#include "harness/spec/event.h"

struct data_fact {
    const char *key;
    const char *value;
};

struct data_metric {
    struct event_metric m;
};

struct data_case {
    const char *run_id;
    const char *key;
    const char *suite;
    const char *model; /* NULL for a workload */
    const char *board;
    const char *engine;
    const char *parameters; /* "kernels=best", or "" */
    enum realm realm;
    enum unit timebase;
    uint32_t attempt; /* the last one; earlier ones are counted in retries */
    uint32_t retries;
    enum case_status status;
    const char *failure_class;
    const char *stage;
    const char *text;
    uint64_t started_ns;
    uint64_t host_ns;
    const struct data_fact *facts;
    size_t fact_count;
    const struct event_metric *metrics;
    size_t metric_count;
    const struct event_window *windows;
    size_t window_count;
    const struct event_profile *profile;
    size_t profile_count;
    uint32_t outputs_compared;
    uint32_t outputs_equal;
};

struct data_run {
    const char *run_id;
    const char *suite;
    const char *host;
    const char *command_line;
    uint64_t started_ns;
    uint64_t ended_ns; /* 0: never ended (killed, or still running) */
};

struct dataset {
    const struct data_run *runs;
    size_t run_count;
    const struct data_case *cases;
    size_t case_count;
};

#endif
