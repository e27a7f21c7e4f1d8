/*
 * The planner: suite x lab -> ordered cases, each to run or to skip with a reason.
 *
 * Called by harness/cli for check, plan, run and resume. Pure: no files, no boards; what has to be
 * known about models (how big, can the agent run them) comes from the caller's callback. The same
 * inputs give the same plan, byte for byte, so that a run can be resumed and split over hosts.
 */
#ifndef HARNESS_PLAN_PLAN_H
#define HARNESS_PLAN_PLAN_H

#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/spec/plan.h"

enum {
    PLAN_CASE_LIMIT = 100000
};

/* What a model needs on a board, in bytes. 0: nothing, or not known. */
struct plan_need {
    uint64_t image;       /* the model image, in the slot */
    uint64_t arena;       /* tensors */
    uint64_t agent_flash; /* firmware: code, constants, initial data */
    uint64_t agent_ram;   /* firmware: data, bss without arena, stack */
    const char *skip;     /* any other reason that it cannot run there; NULL: it can */
};

/* 0: *ret filled; 1: not known, take it that it fits; negative: the model is bad, no plan. */
typedef int plan_need_fn(void *context, const struct suite_model *model, const struct board *board,
                         const char *engine, struct plan_need *ret, struct err *err);

struct plan_options {
    const char *const *boards;  /* --board: names, patterns, tag:x; NULL: as the suite says */
    const char *const *filters; /* --filter, see below; NULL: all */
    const char *const *common_engines; /* of boards that list none; NULL: those have all */
    const char *const *engines;        /* that any agent has, for did-you-mean; NULL: not checked */
    uint32_t repeat;                   /* --repeat; 0: as the suite says */
    bool interleave;                   /* --interleave: even if the suite does not say so */
    plan_need_fn *need;                /* NULL: everything fits */
    void *need_context;
};

/*
 * A filter is a list of terms with commas between, all of which must match: `model:kws`,
 * `board:virt-*`, `engine:tiny`, `tag:cortex-m`, `kernels:ref` (a parameter of the suite), or a
 * bare word, which must be in the case's key. A case is kept when it matches any of the filters.
 *
 * Cases that `include`, --filter or --board leave out are not in the plan. What the suite excludes,
 * what does not fit and what is not attached is there, with the reason. ERR_CONFIG when the suite names a
 * board that is nowhere known, ERR_USAGE when the options match nothing.
 */
int plan_make(const struct suite *suite, const struct lab *lab, const struct plan_options *options,
              struct arena *arena, const struct plan **ret, struct err *err) MUST_CHECK;

/* run_count and boards anew, after cases were left out or were given a skip. */
void plan_recount(struct plan *plan, struct arena *arena);

/* The plan for people; `verbose` adds what each case measures and must keep to. */
void plan_print(const struct plan *plan, bool verbose, struct buf *out);
void plan_print_json(const struct plan *plan, struct buf *out);

/* One run of one case. */
struct plan_step {
    const struct plan_case *case_;
    uint32_t repeat; /* 0-based */
};

/*
 * The order in which the runs of `cases` are made: A A B B, or A B A B where measure.interleave is
 * set (those cases first, in rounds; then the others). Skipped cases have no steps.
 */
size_t plan_steps(const struct plan_case *const *cases, size_t count, struct arena *arena,
                  const struct plan_step **ret);

/* By name or kind, with a pattern, or by tag:x. */
bool plan_board_matches(const struct board *board, const char *pattern);

#endif
