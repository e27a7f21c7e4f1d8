/* Which cases of two selections belong together. Internal to harness/judge. */
#ifndef HARNESS_JUDGE_PAIR_H
#define HARNESS_JUDGE_PAIR_H

#include <stdbool.h>

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"

/* All cases of one pairing key; newest first, as datasets are. */
struct pair {
    const struct data_case **a;
    size_t a_count;
    const struct data_case **b;
    size_t b_count;
};

/* Pairs in b's order, then what only a has. ret_across: bits ACROSS(part), see compare.h. */
size_t pair_cases(const struct dataset *a, const struct dataset *b, struct arena *arena,
                  const struct pair **ret_pairs, unsigned *ret_across);

/*
 * One side of a pair: the newest case that has numbers, and the others that may be pooled with it
 * (same things measured, same method; other builds may be among them).
 */
struct pair_side {
    const struct data_case **cases; /* pooled, oldest first */
    size_t count;
    size_t left_out;                /* with numbers, but not poolable */
    const struct data_case *newest; /* without any usable one the newest of all; NULL: none */
    bool usable;
};

/* Ended, and with right outputs: its numbers count. */
bool pair_usable(const struct data_case *c);

struct pair_side pair_side_of(const struct data_case *const *cases, size_t count,
                              struct arena *arena);

#endif
