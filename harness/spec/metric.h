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

/* What kind of quantity it is, and so which units it may be written and stored in. */
enum metric_kind {
    METRIC_KIND_TIME,    /* in the case's timebase: ns, cycles or instructions */
    METRIC_KIND_BYTES,   /* UNIT_BYTES */
    METRIC_KIND_COUNT,   /* UNIT_COUNT */
    METRIC_KIND_RATIO,   /* UNIT_RATIO: 1 is 100 % */
    METRIC_KIND_PPM,     /* UNIT_PPM */
    METRIC_KIND_ENERGY,  /* UNIT_NJ */
    METRIC_KIND_CHARGE,  /* UNIT_NC */
    METRIC_KIND_CURRENT, /* UNIT_NA */
    METRIC_KIND_VOLTAGE, /* UNIT_UV */
    METRIC_KIND_LIFE,    /* UNIT_NS of calendar time */
};

/* name, kind, heading, class, lower is better, meaning. Latency-like ones come in the case's timebase. */
#define METRIC_LIST(X)                                                                             \
    X("latency", TIME, "latency", METRIC_TIME, true,                                               \
      "per inference: slope over windows of N, 2N, 3N")                                            \
    X("latency.cold", TIME, "cold", METRIC_TIME, true, "the first inference after load")           \
    X("latency.overhead", TIME, "overhead", METRIC_INFO, true,                                     \
      "fixed cost of a window: the intercept")                                                     \
    X("latency.residual", RATIO, "residual", METRIC_INFO, true,                                    \
      "worst distance from the line, ratio")                                                       \
    X("latency.spread", RATIO, "spread", METRIC_INFO, true,                                        \
      "MAD of the windows over their median")                                                      \
    X("clock.ppm", PPM, "clock", METRIC_INFO, true, "on-target clock against the host's")          \
    X("macs", COUNT, "MACs", METRIC_INFO, true, "multiply-accumulates of one inference")           \
    X("flash", BYTES, "flash", METRIC_EXACT, true, "bytes of flash in all, model included")        \
    X("flash.code", BYTES, "code", METRIC_EXACT, true, "agent and engine code")                    \
    X("flash.kernels", BYTES, "kernels", METRIC_EXACT, true, "kernel code")                        \
    X("flash.constants", BYTES, "constants", METRIC_EXACT, true,                                   \
      "read-only data and .data's image")                                                          \
    X("flash.model", BYTES, "model", METRIC_EXACT, true, "the model image")                        \
    X("flash.harness", BYTES, "harness", METRIC_EXACT, true,                                       \
      "of these, the same agent with null engine")                                                 \
    X("ram", BYTES, "RAM", METRIC_EXACT, true, "bytes of RAM in all")                              \
    X("ram.data", BYTES, "data", METRIC_EXACT, true, "initialised variables")                      \
    X("ram.bss", BYTES, "bss", METRIC_EXACT, true, "zeroed variables, arena apart")                \
    X("ram.arena", BYTES, "arena", METRIC_EXACT, true, "tensor arena as planned")                  \
    X("ram.arena_touched", BYTES, "touched", METRIC_EXACT, true,                                   \
      "of the arena, bytes really written")                                                        \
    X("ram.stack", BYTES, "stack", METRIC_EXACT, true, "deepest stack in an inference")            \
    X("ram.heap", BYTES, "heap", METRIC_EXACT, true, "heap high-water mark")                       \
    X("ram.harness", BYTES, "harness", METRIC_EXACT, true,                                         \
      "of these, the same agent with null engine")                                                 \
    X("energy", ENERGY, "energy", METRIC_ENERGY, true, "per inference, gross")                     \
    X("energy.net", ENERGY, "net", METRIC_ENERGY, true, "per inference, idle baseline subtracted") \
    X("energy.idle", ENERGY, "idle", METRIC_INFO, true, "idle share of one inference")             \
    X("energy.marker", ENERGY, "marked", METRIC_INFO, true, "the plain integral edge to edge")     \
    X("energy.marginal", ENERGY, "marginal", METRIC_INFO, true,                                    \
      "of one more inference: slope of net energy over N/3, 2N/3, N")                              \
    X("energy.uncertainty", ENERGY, "uncertainty", METRIC_INFO, true,                              \
      "of net energy, about 95 %, all parts")                                                      \
    X("energy.repeatability", ENERGY, "repeatability", METRIC_INFO, true,                          \
      "95 % of the median, from the windows' scatter")                                             \
    X("energy.filter_bias", RATIO, "filter", METRIC_INFO, true,                                    \
      "net energy by the vendor's spike filter against the raw one")                               \
    X("energy.gate_error", RATIO, "gate", METRIC_INFO, true,                                       \
      "marked time against N times the latency")                                                   \
    X("charge.net", CHARGE, "net charge", METRIC_ENERGY, true, "per inference, idle subtracted")   \
    X("current.idle", CURRENT, "idle current", METRIC_INFO, true, "before and after the windows")  \
    X("charge", CHARGE, "charge", METRIC_ENERGY, true, "per inference, gross")                     \
    X("current", CURRENT, "current", METRIC_ENERGY, true, "mean in the windows")                   \
    X("current.peak", CURRENT, "peak", METRIC_INFO, true, "highest in the windows")                \
    X("voltage", VOLTAGE, "voltage", METRIC_INFO, true,                                            \
      "supply, measured or declared (fact voltage.source)")                                        \
    X("battery_life", LIFE, "battery", METRIC_ENERGY, false,                                       \
      "projected life of the battery that the suite describes")                                    \
    X("accuracy", RATIO, "top-1", METRIC_SCORE, false, "share of the data set classified right")   \
    X("auc", RATIO, "AUC", METRIC_SCORE, false, "area under the ROC curve")                        \
    X("mse", RATIO, "MSE", METRIC_SCORE, true, "mean squared error over the data set")

struct metric_info {
    const char *name;
    enum metric_kind kind;
    const char *heading; /* short, for tables */
    enum metric_class class_;
    bool lower_is_better;
    const char *text;
};

extern const struct metric_info metric_infos[];
extern const size_t metric_info_count;

/* Does a meter have a part in it: energy, charge, current, voltage, battery, meter.*? */
bool metric_is_metered(const char *name);

/* NULL when the name is not in the vocabulary. */
const struct metric_info *metric_info_find(const char *name);

/* Place of a name in METRIC_LIST, for ordering; metric_info_count when it is not there. */
size_t metric_info_rank(const char *name);

#endif
