/*
 * Published MLPerf Tiny results as reference series: results.txt files and the trees they lie in.
 *
 * Everything in such a tree is untrusted: files are at most 1 MiB, names are kept as they are and
 * escaped by whoever shows them, numbers that are none are left out.
 */
#ifndef HARNESS_MLPERF_RESULTS_H
#define HARNESS_MLPERF_RESULTS_H

#include "harness/mlperf/rules.h"

/* What one results.txt says; NAN for what it does not. */
struct mlperf_results {
    double throughput; /* median, inferences per second */
    double energy_uj;  /* median, per inference */
    double accuracy;   /* share */
    double auc;
    struct mlperf_window windows[MLPERF_WINDOWS];
    size_t window_count;
    /* of the streaming benchmark: one long stream instead of windows */
    double hits, misses, false_alarms;
    double duty_cycle;
    double power_mw;
};

/* Nothing known. */
void mlperf_results_init(struct mlperf_results *r);

/*
 * Both dialects, EnergyRunner's and the newer runner's, and logs of sessions, whose windows lie
 * between two time stamps of the device. Never fails; `ret` is filled whatever comes.
 */
void mlperf_parse(const char *text, size_t n, struct mlperf_results *ret);

struct mlperf_imported {
    unsigned runs;  /* a system of a submitter each */
    unsigned cases; /* a benchmark each */
};

/*
 * Every system of a results tree ("closed|open/<submitter>/results/[<stack>/]<system>/<benchmark>/
 * [<variant>/]<mode>/results.txt") as one run of suite "mlperf-tiny <round>", with windows shorter
 * than the rules ask for marked invalid. Early rounds have only a log in some folders: it is read
 * when there are no results. Ids follow from the names: importing again changes nothing. at_ns: the date of
 * the runs. ERR_CONFIG when there is nothing to import.
 */
int mlperf_import(const char *tree, const char *round, uint64_t at_ns, struct event_sink *sink,
                  struct mlperf_imported *ret, struct err *err) MUST_CHECK;

#endif
