/*
 * Where each buffer lies in the arena. Buffers that live at the same time get different places,
 * except where an operator may write over its own input: then the output may share memory with
 * the input as long as it starts low enough never to catch up with what is still to be read.
 */
#ifndef HARNESS_NN_PLANNER_H
#define HARNESS_NN_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan_buffer {
    uint32_t size;        /* bytes, at least 1 */
    uint32_t align;       /* a power of two */
    uint32_t first, last; /* steps during which it holds something, both included */
    uint32_t offset;      /* the answer */
};

/* `out` may share memory with `in` when out.offset <= in.offset + slack. */
struct plan_overlap {
    uint32_t out, in; /* indices of buffers */
    int32_t slack;
};

/*
 * Sets every offset; returns the arena's size. Exact for up to PLAN_EXACT buffers, good beyond
 * (several orders, then a seeded search); the same input always gives the same plan.
 */
uint32_t plan_arena(struct plan_buffer *buffers, size_t count, const struct plan_overlap *overlaps,
                    size_t overlap_count);
#define PLAN_EXACT 7
/* Callers refuse more buffers, and more than 1 GiB in all. */
#define PLAN_MAX_BUFFERS 2048

/* Bytes that each of the steps [0, steps) needs at least, with the best sharing. No buffer lives
 * longer than them. */
void plan_step_bounds(const struct plan_buffer *buffers, size_t count,
                      const struct plan_overlap *overlaps, size_t overlap_count, size_t steps,
                      uint32_t *ret);

/* No plan can be smaller: the largest step's buffers with the best sharing. */
uint32_t plan_lower_bound(const struct plan_buffer *buffers, size_t count,
                          const struct plan_overlap *overlaps, size_t overlap_count);

/* True when a and b may lie where they do. */
bool plan_allows(const struct plan_buffer *buffers, uint32_t a, uint32_t b,
                 const struct plan_overlap *overlaps, size_t overlap_count);

#endif
