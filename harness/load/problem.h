/*
 * What is wrong with a file: every mistake with its place, collected until too many.
 *
 * People mend a file faster when they see all of its mistakes, so reading goes on after one. The
 * first PROBLEM_LIMIT are kept, in the order of their places, and become one struct err at the end.
 */
#ifndef HARNESS_LOAD_PROBLEM_H
#define HARNESS_LOAD_PROBLEM_H

#include "harness/base/arena.h"
#include "harness/base/err.h"
#include "harness/spec/where.h"

enum {
    PROBLEM_LIMIT = 20
};

struct problem {
    struct where where;
    const char *text;
};

struct problems {
    struct arena *arena; /* holds the texts */
    struct problem items[PROBLEM_LIMIT];
    size_t count; /* found; may be more than PROBLEM_LIMIT */
};

void problem_add(struct problems *p, struct where where, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* 0 when there are none, else ERR_CONFIG with one line each. */
int problems_report(struct problems *p, struct err *err) MUST_CHECK;

#endif
