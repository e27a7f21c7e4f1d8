/*
 * Operators that run in strips together, and how: a chain, with branches that may leave and join.
 * Used by strips*.c only.
 */
#ifndef HARNESS_NN_STRIPS_CHAIN_H
#define HARNESS_NN_STRIPS_CHAIN_H

#include "harness/nn/strips_rows.h"

#define CHAIN_MAX       12 /* operators */
#define CHAIN_WINDOWS   (3 * CHAIN_MAX)
#define CHAIN_PARTS_MAX 16

/* What a step more costs: bytes of the image, of which one byte of arena is worth so many. */
#define CHAIN_STEP_BYTES  112
#define CHAIN_FLASH_WORTH 8

/* What the operators read and write: a tensor as a whole, or a strip of it that moves down. */
struct chain_window {
    uint32_t buffer;
    uint32_t rows, row_bytes;
    bool made;  /* by an operator of the chain */
    bool whole; /* made elsewhere, or wanted elsewhere */
    bool dies;  /* nothing reads it after the chain */
    bool fresh; /* nothing wrote it before the chain */
    bool read;  /* by the chain */
    uint8_t first_writer, last_writer;
    uint32_t capacity; /* chain_schedule(): rows of it that are needed at a time */
};

struct chain_op {
    struct strip_rows rows;
    uint8_t in[ROWS_IN_MAX], out; /* windows */
    uint8_t windows;              /* of the chain that ends here */
};

struct chain {
    uint32_t first, count; /* steps of l */
    uint32_t parts;        /* strips of the last output */
    struct chain_op ops[CHAIN_MAX];
    struct chain_window windows[CHAIN_WINDOWS];
    uint32_t window_count;
    /* By chain_schedule(): */
    uint32_t steps;
    /* [out][in]: out, whole, may start at most this much after in, whole, which dies. */
    int32_t slack[CHAIN_WINDOWS][CHAIN_WINDOWS];
};

/* How many steps from `first` on can run in strips together; 0 when not even one can. */
uint32_t chain_find(const struct nn_lower *l, uint32_t first, struct chain *ret);
/* Of the chain that chain_find() has found, the first n steps. Lifetimes must be known. */
void chain_take(const struct nn_lower *l, const struct chain *found, uint32_t n, uint32_t parts,
                struct chain *ret);
bool chain_owns(const struct chain *c, uint32_t buffer);
/* `out` may lie over `in` at all: c->slack says how. */
bool chain_may_share(const struct chain *c, uint32_t out, uint32_t in);

/* One strip of one operator. */
struct chain_strip {
    uint32_t op; /* of the chain */
    struct strip_part part;
    uint32_t base[ROWS_IN_MAX]; /* the row at the front of the operand's buffer */
    uint32_t at;                /* of the output, in rows from the front of its buffer */
    uint32_t move, keep;        /* before: rows from `move` on go to the front of the output's */
};

/* Called for every strip in order. */
struct chain_visit {
    void (*strip)(struct chain_visit *v, const struct chain_strip *s);
};

/* Works the strips out; false when some strip would have no rows to read. */
bool chain_schedule(struct chain *c, struct chain_visit *visit);
/* Replaces the chain's steps by those of its strips, in a new array of steps. */
bool chain_split(struct nn_lower *l, struct chain *c);

#endif
