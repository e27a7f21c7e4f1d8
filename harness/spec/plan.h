/* The plan: suite x lab, expanded into ordered cases. Made by harness/plan, run by harness/lab. */
#ifndef HARNESS_SPEC_PLAN_H
#define HARNESS_SPEC_PLAN_H

#include "harness/spec/board.h"
#include "harness/spec/lab.h"
#include "harness/spec/suite.h"

struct case_parameter {
    const char *name;
    const char *value;
};

struct plan_case {
    const char *key; /* "kws/virt-m4/tiny/kernels=best": unique in the suite, stable, for people */
    const struct suite_model *model; /* NULL for a workload without a model */
    const struct board *board;
    const char *engine;
    const struct case_parameter *parameters;
    size_t parameter_count;
    const struct suite_measure *measure;       /* the suite's, the model's and the command line's */
    const struct suite_energy *energy;         /* NULL: no energy windows */
    const struct suite_budget *const *budgets; /* for this case, in the unit that it measures in */
    size_t budget_count;
    const struct suite_budget *const *unjudged; /* meant for it, but in a unit that it has not */
    size_t unjudged_count;
    const char *skip; /* reason, or NULL when it is to run */
};

struct plan {
    const struct suite *suite;
    const struct lab *lab;
    const struct plan_case *cases; /* in execution order per board */
    size_t case_count;
    size_t run_count;                  /* cases without a skip */
    const struct board *const *boards; /* boards with at least one case to run */
    size_t board_count;
};

#endif
