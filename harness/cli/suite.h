/* What `check`, `plan`, `run` and `resume` share: a suite, its lab, and the plan they make. */
#ifndef HARNESS_CLI_SUITE_H
#define HARNESS_CLI_SUITE_H

#include "harness/cli/context.h"
#include "harness/plan/plan.h"
#include "harness/spec/dataset.h"
#include "harness/spec/plan.h"

struct suite_options {
    struct common_options common; /* must be first */
    struct option_strings boards;
    struct option_strings filters;
    uint64_t repeat;
    bool interleave;
};

#define OPTIONS_SUITE                                                                              \
    {"board",                                                                                      \
     'b',                                                                                          \
     OPTION_STRINGS,                                                                               \
     "NAME",                                                                                       \
     "only this board (name, pattern or tag:x; may be "                                            \
     "repeated)",                                                                                  \
     offsetof(struct suite_options, boards)},                                                      \
        {"filter",                                                                                 \
         0,                                                                                        \
         OPTION_STRINGS,                                                                           \
         "PATTERN",                                                                                \
         "only cases whose key matches (may be repeated)",                                         \
         offsetof(struct suite_options, filters)},                                                 \
        {"repeat",                                                                                 \
         'r',                                                                                      \
         OPTION_NUMBER,                                                                            \
         "N",                                                                                      \
         "runs of each case, each on a freshly reset board",                                       \
         offsetof(struct suite_options, repeat),                                                   \
         UINT32_MAX},                                                                              \
        {"interleave",                                                                             \
         0,                                                                                        \
         OPTION_FLAG,                                                                              \
         NULL,                                                                                     \
         "order repeats A B A B instead of A A B B",                                               \
         offsetof(struct suite_options, interleave)},                                              \
        OPTION_LAB

/* Load suite and lab and make the plan; everything lives in the context's arena. */
int suite_plan(struct context *c, const struct suite_options *options, const char *path,
               const struct plan **ret, struct err *err) MUST_CHECK;

/*
 * The suite of a run that was begun, from wherever one stands: as it was typed where that is the same file,
 * else where it lay then; of a run that another host began, or an older program, as typed. NULL: not known.
 */
const char *suite_of_run(const struct data_run *run);

/* RAM that the agent itself takes: static variables and stack. 0: no firmware to look at. */
uint64_t suite_agent_ram(const struct board *b, const struct paths *paths);

/* Why a model of these sizes does not fit there, in a plan's words; NULL: it does. */
const char *suite_misfit(const struct board *b, uint64_t image, uint64_t arena_bytes,
                         const struct paths *paths, struct arena *arena);
/*
 * Before a board is touched: ERR_UNSUPPORTED with the reason why a plan would skip the model file
 * there. Of engines that compile nothing, nothing is known.
 */
int suite_check_model(struct context *c, const char *path, const struct board *b,
                      const char *engine, struct err *err) MUST_CHECK;

/*
 * The kernels that agents of such a core hold, as a mask for nn_target: by the board's cpu and tags,
 * because an agent itself says so only when it runs.
 */
uint32_t suite_variants(const struct board *b);

#endif
