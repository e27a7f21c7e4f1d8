/*
 * A suite as its YAML file describes it: what to measure, on which boards, and what must hold.
 * Filled by harness/load; expanded into cases by harness/plan.
 */
#ifndef HARNESS_SPEC_SUITE_H
#define HARNESS_SPEC_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/spec/names.h"

/* Where something was written, for errors and for skip reasons. */
struct where {
    const char *file;
    unsigned line;
    unsigned column;
};

/* One input of a model with the output that must come back, both raw little-endian tensors. */
struct suite_vector {
    const char *input;    /* path */
    const char *expected; /* path; NULL: output is stored, not compared */
};

struct suite_model {
    const char *name;
    const char *path; /* .tflite, resolved against the suite's folder */
    const struct suite_vector *vectors;
    size_t vector_count;
    struct where where;
};

/* One axis of the matrix beside model, board and engine: `parameters: {kernels: [ref, best]}`. */
struct suite_axis {
    const char *name;
    const char *const *values;
    size_t value_count;
};

/* `latency <= 33ms`; value in the unit the metric is stored in. */
enum budget_op {
    BUDGET_LE,
    BUDGET_LT,
    BUDGET_GE,
    BUDGET_GT,
    BUDGET_EQ
};
struct suite_budget {
    const char *metric; /* "ram", "flash", "latency", ... */
    enum budget_op op;
    double value;
    const char *text; /* as written */
    struct where where;
};

/* A partial case: every field given must match (patterns with * and ?). */
struct suite_filter {
    const char *model;
    const char *board;
    const char *engine;
    const struct suite_axis *parameters; /* one value each */
    size_t parameter_count;
    const char *reason; /* required on excludes */
    struct where where;
};

struct suite_measure {
    uint32_t warmup;     /* inferences before the first window */
    uint32_t windows;    /* per slope level */
    uint32_t slope;      /* levels: N, 2N, ... slope*N */
    uint64_t window_ns;  /* target length of the shortest window, on the board's own clock */
    uint32_t inferences; /* fixed N instead of window_ns; 0: sized */
    uint32_t repeat;     /* runs: each begins with a reset (or power cycle) */
    bool interleave;     /* order runs A B A B instead of A A B B */
    bool profile;        /* extra pass: counts per operator */
};

struct suite {
    const char *name;
    const char *path;
    const char *description;
    char digest[65]; /* SHA-256 of the file's bytes */
    const struct suite_model *models;
    size_t model_count;
    const char *const *boards; /* board names or patterns or "tag:x" */
    size_t board_count;
    const char *const *engines;
    size_t engine_count;
    const struct suite_axis *axes;
    size_t axis_count;
    struct suite_measure measure;
    const struct suite_budget *budgets;
    size_t budget_count;
    const struct suite_filter *includes; /* empty: everything */
    size_t include_count;
    const struct suite_filter *excludes;
    size_t exclude_count;
};

#endif
