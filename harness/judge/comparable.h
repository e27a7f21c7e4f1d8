/*
 * May two cases be compared? Their facts say; harness/spec/fact.h says what each fact means.
 *
 * A fact known on one side only informs: nobody can tell whether it differs.
 */
#ifndef HARNESS_JUDGE_COMPARABLE_H
#define HARNESS_JUDGE_COMPARABLE_H

#include <stdbool.h>

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"
#include "harness/spec/fact.h"

struct difference {
    const char *key;
    const char *title; /* of the fact; the key when it has none */
    enum difference_level level;
    unsigned classes; /* bits 1 << enum metric_class, of a metric-block */
    const char *a;    /* NULL: not known on this side */
    const char *b;
};

struct differences {
    const struct difference *list; /* worst level first, then by key */
    size_t count;
};

/* Bits 1 << enum fact_part: parts compared on purpose, whose facts inform and never block. */
#define ACROSS(part) (1u << (part))

/* Differences of level inform and above between two sets of facts, in any order. */
struct differences comparable_facts(const struct data_fact *a, size_t a_count,
                                    const struct data_fact *b, size_t b_count, unsigned across,
                                    struct arena *arena);

/* The same for two cases, with their realm and timebase as facts of those names. */
struct differences comparable_cases(const struct data_case *a, const struct data_case *b,
                                    unsigned across, struct arena *arena);

/* The difference that forbids comparing metrics of this class; NULL when there is none. */
const struct difference *comparable_block(const struct differences *d, enum metric_class judged);

const struct difference *comparable_find(const struct differences *d, const char *key);

/* Same binary and environment, whatever the commit: an A/A pair. Needs the agent's hash on both sides. */
bool comparable_same(const struct data_case *a, const struct data_case *b,
                     const struct differences *d);

#endif
