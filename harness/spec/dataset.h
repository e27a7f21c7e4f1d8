/*
 * What a report is made from: rows read back from the store (or from an import), as plain
 * structs. harness/store fills it, harness/report and harness/stats read it.
 *
 * All pointers live in the arena the dataset was read into. Strings are as they were stored:
 * names, logs and error texts come from files and boards, so whoever prints them escapes them.
 */
#ifndef HARNESS_SPEC_DATASET_H
#define HARNESS_SPEC_DATASET_H

#include "harness/spec/event.h"

/* Parts of a case that are read only when asked for. */
enum data_part {
    DATA_FACTS = 1 << 0,
    DATA_WINDOWS = 1 << 1,
    DATA_PROFILE = 1 << 2,
    DATA_OUTPUTS = 1 << 3,
    DATA_LOGS = 1 << 4,
    DATA_ALL = DATA_FACTS | DATA_WINDOWS | DATA_PROFILE | DATA_OUTPUTS | DATA_LOGS,
};

struct data_fact {
    const char *key;
    const char *value;
};

/* One attempt at one case: the newest that ended, or the newest of all when none did. */
struct data_case {
    const char *run_id;
    const char *key;
    const char *suite;
    const char *model; /* NULL for a workload */
    const char *board;
    const char *engine;
    const char *parameters; /* "kernels=best", or "" */
    enum realm realm;
    enum unit timebase;        /* unit of its latency */
    uint32_t ordinal;          /* place in the plan */
    uint32_t attempt;          /* 0-based number of the attempt shown */
    uint32_t retries;          /* further attempts, not shown */
    bool ended;                /* false: never begun, killed in the middle, or still running */
    enum case_status status;   /* CASE_CANCELLED when it never ended; CASE_SKIPPED: see text */
    const char *failure_class; /* NULL when it did not fail */
    const char *stage;
    const char *text; /* what happened, or why it was skipped; may be NULL */
    const char *hint;
    const char *log; /* with DATA_LOGS, else NULL */
    uint64_t started_ns;
    uint64_t host_ns;
    uint64_t context; /* equal numbers (of one database): same binaries, same things; 0: unknown */
    const struct data_fact *facts; /* by key */
    size_t fact_count;
    const struct event_metric *metrics; /* in the order of harness/spec/metric.h, then by name */
    size_t metric_count;
    const struct event_window *windows; /* with DATA_WINDOWS */
    size_t window_count;
    const struct event_energy *energies; /* with DATA_WINDOWS */
    size_t energy_count;
    const struct event_profile *profile; /* with DATA_PROFILE */
    size_t profile_count;
    const struct event_output *outputs; /* with DATA_OUTPUTS */
    size_t output_count;
    const struct event_recovery *recoveries;
    size_t recovery_count;
    const char *const
        *conflicts; /* events (JSON) under the name of another that is not as they are */
    size_t conflict_count;
    uint32_t outputs_compared;
    uint32_t outputs_equal;
};

struct data_run {
    const char *run_id;
    const char *suite;
    const char *suite_path; /* as it was typed */
    const char *suite_file; /* absolute, where the run began; NULL: a run of an older program */
    const char *suite_digest;
    const char *host;
    const char *command_line;
    const char *const *tags;
    size_t tag_count;
    uint64_t started_ns;
    uint64_t ended_ns;  /* 0: never ended (killed, or still running) */
    uint64_t conflicts; /* events like others by name and not by content: a bug (v_conflicts) */
    bool replayed;      /* records played the boards */
};

struct dataset {
    const struct data_run *runs; /* newest first */
    size_t run_count;
    const struct data_case *cases; /* runs in that order; in a run, plan order */
    size_t case_count;
};

/* One value of one series over time; see data_history. */
struct data_point {
    const char *run_id;
    uint64_t started_ns; /* of the attempt */
    double value;
    double low, high;
    uint32_t n;
    enum case_status status;
    uint64_t context; /* as in data_case */
    bool emulated;    /* of a meter whose numbers are made up */
};

/* One metric of one case in one unit, oldest point first. */
struct data_series {
    const char *suite;
    const char *key;
    const char *model;
    const char *board;
    const char *engine;
    const char *parameters;
    enum realm realm;
    const char *metric;
    enum metric_class class_;
    enum unit unit;
    bool lower_is_better;
    const struct data_point *points;
    size_t point_count;
};

struct data_history {
    const struct data_series *series;
    size_t series_count;
};

/* NULL when the case has none of that name. */
const struct event_metric *data_case_metric(const struct data_case *c, const char *name);
const char *data_case_fact(const struct data_case *c, const char *key);
/* Is this figure from an emulated meter, and so made up? c may be NULL. */
bool data_case_emulated(const struct data_case *c, const char *metric);
const struct data_run *dataset_run(const struct dataset *d, const char *run_id);

#endif
