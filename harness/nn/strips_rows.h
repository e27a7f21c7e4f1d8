/* One operator seen from the rows of its tensors, and a strip of it. Used by strips*.c only. */
#ifndef HARNESS_NN_STRIPS_ROWS_H
#define HARNESS_NN_STRIPS_ROWS_H

#include "harness/nn/lower.h"

#define ROWS_IN_MAX 2 /* operands that come in rows */

struct strip_rows {
    uint32_t in_h, out_h;
    uint32_t stride, extent, pad; /* of the window, in input rows */
    bool all;                     /* any output row may read any input row */
    bool in_place;                /* element by element: the output may lie on an operand */
    unsigned inputs;
    uint8_t in[ROWS_IN_MAX], out; /* spans; what the others hold is read whole */
    uint32_t in_bytes[ROWS_IN_MAX], out_bytes;
};

/* Output rows [from, to) from input rows [low, high). */
struct strip_part {
    uint32_t from, to, low, high;
};

/*
 * False when the step cannot be split. `rows`: of the image that an operator on plain elements
 * works on; 0 when nothing says so.
 */
bool rows_of_step(const struct nn_lower *l, const struct nn_step *s, uint32_t rows,
                  struct strip_rows *ret);
/* First input row that output row `out` reads; that before which row `out` - 1 has ended. */
uint32_t rows_low(const struct strip_rows *r, uint32_t out);
uint32_t rows_high(const struct strip_rows *r, uint32_t out);
/* Makes `part`, a copy of the whole step, the step of those rows alone; in and out stay whole. */
void rows_cut(struct nn_lower *l, struct nn_step *part, const struct strip_rows *r,
              const struct strip_part *p);

#endif
