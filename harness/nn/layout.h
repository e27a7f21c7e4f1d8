/*
 * From steps to an image: lifetimes, arena plan, bytes. Private to harness/nn.
 */
#ifndef HARNESS_NN_LAYOUT_H
#define HARNESS_NN_LAYOUT_H

#include "harness/nn/lower.h"
#include "harness/nn/planner.h"

/* The arena's buffers as the planner saw them; buffer[i] is the index in l->buffers. */
struct nn_plan {
    struct plan_buffer *buffers;
    uint32_t *buffer;
    size_t count;
    struct plan_overlap *overlaps;
    size_t overlap_count;
    uint64_t sum; /* bytes of all buffers */
    uint32_t size;
    uint32_t bound;
};

/*
 * Lifetimes, and what may share memory with what; offsets are left open. False when it is all too
 * much for a planner, which layout_plan() turns into an error.
 */
bool layout_items(struct nn_lower *l, struct nn_plan *plan);
/* Works out lifetimes and places every arena buffer of l. */
int layout_plan(struct nn_lower *l, struct nn_plan *plan);
/* Appends the image to b. Constants get their offsets here. */
int layout_write(struct nn_lower *l, const struct nn_plan *plan, const uint8_t model_hash[8],
                 struct buf *b);

#endif
