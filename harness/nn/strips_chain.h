/* One chain of operators that can run in strips, and how. Used by strips.c only. */
#ifndef HARNESS_NN_STRIPS_CHAIN_H
#define HARNESS_NN_STRIPS_CHAIN_H

#include "harness/nn/lower.h"

#define CHAIN_MAX 12 /* operators */

/* An operator seen from its rows. */
struct chain_rows {
    uint32_t in_h, out_h;
    uint32_t stride, extent, pad; /* of the window, in input rows */
    uint32_t in_bytes, out_bytes; /* of a row */
};

struct chain {
    uint32_t first, count; /* steps of l */
    uint32_t parts;        /* strips of the last output */
    struct chain_rows rows[CHAIN_MAX];
    uint32_t in, out; /* buffers, both whole */
    uint32_t middle[CHAIN_MAX];
    bool reads_in[CHAIN_MAX]; /* an ADD of the chain's input */
    /* By chain_schedule(): */
    uint32_t capacity[CHAIN_MAX]; /* rows that the buffer after operator i holds at most */
    uint32_t steps;
    bool may_share; /* out may lie over in, starting at most `slack` after it */
    int32_t slack;
};

/* How many steps from `first` on form a chain; 0 when not even that one can be split. */
uint32_t chain_find(struct nn_lower *l, uint32_t first, struct chain *ret);
/* The chain of n steps from `first` on, which chain_find() has found. */
void chain_take(struct nn_lower *l, uint32_t first, uint32_t n, uint32_t parts, struct chain *ret);
bool chain_owns(const struct chain *c, uint32_t buffer);

/* One strip of one operator. */
struct chain_strip {
    uint32_t op;         /* of the chain */
    uint32_t from, to;   /* output rows */
    uint32_t low, high;  /* input rows */
    uint32_t base;       /* the row at the front of the input's buffer */
    uint32_t at;         /* of the output, in rows from the front of its buffer */
    uint32_t move, keep; /* before: rows from `move` on go to the front of the output's buffer */
};

/* Called for every strip in order. */
struct chain_visit {
    void (*strip)(struct chain_visit *v, const struct chain_strip *s);
};

/*
 * Works the strips out, by the lifetimes that layout_items() has found; false when some strip
 * would have no rows to read.
 */
bool chain_schedule(const struct nn_lower *l, struct chain *c, struct chain_visit *visit);
/* Replaces the chain's steps by those of its strips, in a new array of steps. */
bool chain_split(struct nn_lower *l, struct chain *c);

#endif
