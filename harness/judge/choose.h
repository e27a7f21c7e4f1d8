/*
 * Which board, which engine? Rankings, Pareto fronts, and what passes a set of limits.
 *
 * All figures are per inference. Times in ns exist on silicon only: measured there, or cycles over
 * the clock (fact clock.hz, else board_type.clock_hz). Counts of the virtual lab stay counts, and a
 * limit in ns cannot be judged on them.
 */
#ifndef HARNESS_JUDGE_CHOOSE_H
#define HARNESS_JUDGE_CHOOSE_H

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"
#include "harness/spec/suite.h"

/* One case's standing; what is not known is NAN. */
struct standing {
    const struct data_case *c;
    double time_ns;
    double cycles;
    double instructions;
    double macs;
    double macs_per_cycle;
    double energy_nj; /* gross */
    double flash;     /* bytes */
    double ram;
    double battery_ns;
    double rate_margin; /* times faster than frames_per_second asks for; 1: just in time */
    bool front;         /* on the Pareto front of its realm */
};

enum standing_order {
    ORDER_BY_SPEED, /* time; cycles or instructions where there is no time */
    ORDER_BY_CYCLES,
    ORDER_BY_MACS_PER_CYCLE,
    ORDER_BY_ENERGY,
    ORDER_BY_FLASH,
    ORDER_BY_RAM,
    ORDER_BY_BATTERY,
};

struct choose_options {
    const char *model;        /* NULL: all */
    double frames_per_second; /* 0: no margin */
    enum standing_order order;
};

/*
 * Passed (or over-budget) cases of the model, best first; silicon before virtual, and among virtual
 * ones cycles before instructions: such groups are never ordered into each other. The front of each
 * group: nobody in it is better in one of speed, energy, flash, RAM and not worse in the others,
 * among cases that know the same of them.
 */
size_t choose_rank(const struct dataset *data, const struct choose_options *options,
                   struct arena *arena, const struct standing **ret);

/*
 * Rows of `count` points with `width` figures each, smaller is better. Marks the points that no
 * other dominates; of equal points all. A point with a NAN is compared only with points that know
 * the same figures.
 */
void choose_front(const double *figures, size_t count, size_t width, bool *ret_front);

enum limit_answer {
    LIMIT_HOLDS,
    LIMIT_BROKEN,
    LIMIT_UNKNOWN, /* not measured, or a time on a virtual board */
};

struct limit_result {
    const struct suite_budget *limit;
    enum limit_answer answer;
    double value;  /* in the limit's unit; NAN when unknown */
    double margin; /* share of the limit that is left; negative: missing */
};

struct pick {
    const struct data_case *c;
    const struct limit_result *limits; /* one for each limit, in their order */
    size_t broken;
    size_t unknown;
    double margin; /* the smallest known one; NAN when none is known */
};

/*
 * Boards that pass first (widest smallest margin first), then those with something unknown, then
 * those that break a limit (fewest first). Limits: as in a suite's budgets.
 */
size_t choose_pick(const struct dataset *data, const char *model, const struct suite_budget *limits,
                   size_t limit_count, struct arena *arena, const struct pick **ret);

#endif
