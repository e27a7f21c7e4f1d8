/* A fact that differs between two sides, in as few words as tell it. */
#ifndef HARNESS_REPORT_DIFFERENCE_H
#define HARNESS_REPORT_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/arena.h"
#include "harness/judge/comparable.h"

struct difference_sides {
    const char *a;
    const char *b;
};

/*
 * Both values: "unknown" for one that is not, digests as 12 digits, of two command lines only the
 * options that the other has not. The whole values are in the JSON.
 */
struct difference_sides difference_sides(struct arena *arena, const struct difference *x);

/* The same values on the same level, whatever the fact. */
bool difference_same(const struct difference *x, const struct difference *y);

/* Does one before it in the list say the same, with another key? */
bool difference_is_said(const struct differences *d, size_t index);

#endif
