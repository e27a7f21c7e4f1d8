/*
 * The vocabulary of metrics: names that measure emits, the store keeps and reports lay out.
 *
 * A name with dots is a part of the name before them ("flash.model" is in "flash"). Measurement may
 * emit names that are not here; they are stored, compared by their declared class, and shown after
 * the known ones.
 */
#ifndef HARNESS_SPEC_METRIC_H
#define HARNESS_SPEC_METRIC_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/spec/names.h"

/* name, heading, class, lower is better, meaning. Latency-like ones come in the case's timebase. */
#define METRIC_LIST(X)                                                                             \
    X("latency", "latency", METRIC_TIME, true, "per inference: slope over windows of N, 2N, 3N")   \
    X("latency.cold", "cold", METRIC_TIME, true, "the first inference after load")                 \
    X("latency.overhead", "overhead", METRIC_INFO, true, "fixed cost of a window: the intercept")  \
    X("latency.residual", "residual", METRIC_INFO, true, "worst distance from the line, ratio")    \
    X("latency.spread", "spread", METRIC_INFO, true, "MAD of the windows over their median")       \
    X("clock.ppm", "clock", METRIC_INFO, true, "on-target clock against the host's")               \
    X("macs", "MACs", METRIC_INFO, true, "multiply-accumulates of one inference")                  \
    X("flash", "flash", METRIC_EXACT, true, "bytes of flash in all, model included")               \
    X("flash.code", "code", METRIC_EXACT, true, "agent and engine code")                           \
    X("flash.kernels", "kernels", METRIC_EXACT, true, "kernel code")                               \
    X("flash.constants", "constants", METRIC_EXACT, true, "read-only data and .data's image")      \
    X("flash.model", "model", METRIC_EXACT, true, "the model image")                               \
    X("flash.harness", "harness", METRIC_EXACT, true, "of these, the same agent with null engine") \
    X("ram", "RAM", METRIC_EXACT, true, "bytes of RAM in all")                                     \
    X("ram.data", "data", METRIC_EXACT, true, "initialised variables")                             \
    X("ram.bss", "bss", METRIC_EXACT, true, "zeroed variables, arena apart")                       \
    X("ram.arena", "arena", METRIC_EXACT, true, "tensor arena as planned")                         \
    X("ram.arena_touched", "touched", METRIC_EXACT, true, "of the arena, bytes really written")    \
    X("ram.stack", "stack", METRIC_EXACT, true, "stack high-water mark")                           \
    X("ram.heap", "heap", METRIC_EXACT, true, "heap high-water mark")                              \
    X("ram.harness", "harness", METRIC_EXACT, true, "of these, the same agent with null engine")   \
    X("energy", "energy", METRIC_ENERGY, true, "per inference, gross")                             \
    X("energy.net", "net", METRIC_ENERGY, true, "per inference, idle baseline subtracted")         \
    X("energy.idle", "idle", METRIC_INFO, true, "idle share of one inference")                     \
    X("charge", "charge", METRIC_ENERGY, true, "per inference, gross")                             \
    X("current", "current", METRIC_ENERGY, true, "mean in the windows")                            \
    X("current.peak", "peak", METRIC_INFO, true, "highest in the windows")                         \
    X("voltage", "voltage", METRIC_INFO, true,                                                     \
      "supply, measured or declared (fact voltage.source)")                                        \
    X("accuracy", "top-1", METRIC_SCORE, false, "share of the data set classified right")          \
    X("auc", "AUC", METRIC_SCORE, false, "area under the ROC curve")                               \
    X("mse", "MSE", METRIC_SCORE, true, "mean squared error over the data set")

struct metric_info {
    const char *name;
    const char *heading; /* short, for tables */
    enum metric_class class_;
    bool lower_is_better;
    const char *text;
};

extern const struct metric_info metric_infos[];
extern const size_t metric_info_count;

/* NULL when the name is not in the vocabulary. */
const struct metric_info *metric_info_find(const char *name);

/* Place of a name in METRIC_LIST, for ordering; metric_info_count when it is not there. */
size_t metric_info_rank(const char *name);

#endif
