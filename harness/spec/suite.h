/*
 * A suite as its YAML file describes it: what to measure, on which boards, and what must hold.
 * Filled by harness/load; expanded into cases by harness/plan.
 */
#ifndef HARNESS_SPEC_SUITE_H
#define HARNESS_SPEC_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/spec/metric.h"
#include "harness/spec/names.h"
#include "harness/spec/where.h"

/* One input of a model with the output that must come back, both raw little-endian tensors. */
struct suite_vector {
    const char *input;    /* path */
    const char *expected; /* path; NULL: output is stored, not compared */
};

/* One labelled input. */
struct suite_sample {
    const char *path;
    uint32_t part; /* which sample of the array, when the data set is one */
    double label;  /* a class, 0 or 1, or the value that is right */
};

enum dataset_metric {
    DATASET_TOP1,
    DATASET_AUC,
    DATASET_MSE,
};

/* What the numbers of a raw sample are. */
enum dataset_type {
    DATASET_TENSOR, /* the model's input as it is */
    DATASET_INT8,
    DATASET_UINT8,
    DATASET_INT16,
    DATASET_FLOAT32,
};

/* Labelled samples, and how a sample becomes the model's input: (value + offset) * scale ... */
struct suite_dataset {
    const char *path;   /* folder, or .npy array of all samples */
    const char *labels; /* y_labels.csv, or .npy array */
    enum dataset_metric metric;
    enum dataset_type type;
    double offset, scale;
    bool quantize;      /* ... then by the scale and zero point of the model's input */
    bool channel_first; /* samples are NCHW, the model wants NHWC */
    uint32_t limit;     /* only the first so many; 0: all */
    uint32_t parts;     /* samples in the array; 0: one file each */
    struct suite_sample *samples;
    size_t sample_count, sample_capacity;
};

/* How cases are measured. A model may override the suite's. */
struct suite_measure {
    uint32_t warmup;      /* inferences before the first window */
    uint32_t windows;     /* per slope level */
    uint32_t slope;       /* levels: N, 2N, ... slope*N */
    uint64_t window_ns;   /* target length of the shortest window, on the board's own clock */
    uint32_t inferences;  /* fixed N instead of window_ns; 0: sized */
    uint32_t repeat;      /* runs: each begins with a reset (or power cycle) */
    bool interleave;      /* order runs A B A B instead of A A B B */
    bool profile;         /* extra pass: counts per operator */
    uint32_t max_vectors; /* check only the first so many; 0: all */
    uint64_t timeout_ns;  /* for one run of one case; 0: from the window sizes */
};

/* The battery whose life is projected. */
struct suite_battery {
    double capacity_mah;
    double usable;         /* fraction of it */
    double self_discharge; /* fraction lost a year */
    double sleep_na;
    double inferences_per_hour;
    double efficiency; /* of the regulator */
};

enum energy_profile {
    ENERGY_GUARDED, /* idle to idle, baseline subtracted */
    ENERGY_EEMBC,   /* five windows of ten seconds, median, gross */
};

struct suite_energy {
    enum energy_profile profile;
    const char *meter;   /* name in the lab; NULL: the board's own */
    uint32_t voltage_uv; /* 0: the board's nominal voltage */
    uint32_t windows;
    uint64_t window_ns; /* shortest */
    uint64_t idle_ns;   /* guard before and after each window */
    bool keep_trace;
    bool has_battery;
    struct suite_battery battery;
};

/* One axis of the matrix beside model, board and engine: `parameters: {kernels: [ref, best]}`. */
struct suite_axis {
    const char *name;
    const char *const *values;
    size_t value_count;
    struct where where;
};

/* A partial case: every field given must match (patterns with * and ?). */
struct suite_filter {
    const char *model;
    const char *board; /* name, type, pattern or "tag:x" */
    const char *engine;
    const struct suite_axis *parameters; /* any of the values */
    size_t parameter_count;
    const char *reason; /* required on excludes */
    struct where where;
};

/* `latency <= 33ms`; value in `unit`. */
enum budget_op {
    BUDGET_LE,
    BUDGET_LT,
    BUDGET_GE,
    BUDGET_GT,
    BUDGET_EQ
};
struct suite_budget {
    const char *metric; /* "ram", "flash", "latency", ...: a name in METRIC_LIST */
    enum budget_op op;
    double value;
    enum unit unit;           /* a time budget may be in ns, cycles or instructions */
    const char *text;         /* as written */
    struct suite_filter when; /* the cases it holds for; empty: all */
    struct where where;
};

struct suite_model {
    const char *name;
    const char *path; /* .tflite, resolved against the suite's folder */
    const struct suite_vector *vectors;
    size_t vector_count;
    double tolerance; /* of float32 outputs: this times the larger of 1 and what is expected */
    const struct suite_dataset *dataset; /* NULL: none */
    struct suite_measure measure;        /* the suite's, with this model's own keys on top */
    const struct suite_budget *budgets;  /* this model's own, beside the suite's */
    size_t budget_count;
    struct where where;
};

/* A board name, a pattern, or "tag:x", and where it stands. */
struct suite_pattern {
    const char *text;
    struct where where;
};

struct suite {
    const char *name;
    const char *path;
    const char *description;
    char digest[65]; /* SHA-256 of the file's bytes */
    const struct suite_model *models;
    size_t model_count;
    const struct suite_pattern *boards; /* empty: every board of the lab */
    size_t board_count;
    const struct suite_pattern *engines;
    size_t engine_count;
    const struct suite_axis *axes;
    size_t axis_count;
    struct suite_measure measure;
    const struct suite_energy *energy; /* NULL: none is measured */
    const struct suite_budget *budgets;
    size_t budget_count;
    const struct suite_filter *includes; /* empty: everything */
    size_t include_count;
    const struct suite_filter *excludes;
    size_t exclude_count;
};

/* value as the budget's metric was measured, in `unit`. False when the units cannot be compared. */
bool suite_budget_holds(const struct suite_budget *budget, double value, enum unit unit,
                        bool *ret_holds);

#endif
