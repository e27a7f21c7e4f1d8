/*
 * The innermost loops: inputs times blocks of weights (tuned.h). Sums start at zero and are stored.
 *
 *   tuned_dot_wide   1 row  x TUNED_WIDE channels
 *   tuned_dot_block  1 row  x 4 channels
 *   tuned_dot_one    1 row  x 1 channel, of a block's four
 *   tuned_dot_pair   2 rows x TUNED_PAIR channels; sums [2][TUNED_PAIR]
 *
 * `block` is the distance of two blocks of weights: 4 * k.
 */
#ifndef AGENTS_KERNELS_TUNED_DOT_H
#define AGENTS_KERNELS_TUNED_DOT_H

#include <stdint.h>

#if defined __ARM_ARCH_6M__ || defined TUNED_AS_ARMV6M
/*
 * ARMv6-M has few registers and a multiplication of 32 bits, so one multiplies two pixels: they
 * come as pairs, x + 128 of the first below and of the second above, 16 bits each, and so does
 * their product with a weight. Adding up the products, and apart from that their upper halves,
 * gives both sums: sums [2][4] holds whole products first, then upper halves.
 */
#define TUNED_PACKED_PAIRS 1
#define TUNED_PAIR         4u
#define TUNED_WIDE         8u
void tuned_dot_packed(uint32_t *sums, const uint8_t *weights, const uint32_t *pairs, uint32_t k);
#else
#define TUNED_PACKED_PAIRS 0
#if defined __riscv
#define TUNED_PAIR 8u
#define TUNED_WIDE 16u
#else
#define TUNED_PAIR 4u
#define TUNED_WIDE 8u
#endif
void tuned_dot_pair(int32_t *sums, const uint8_t *weights, const int8_t *x, const int8_t *x2,
                    uint32_t k, uint32_t block);
#endif

void tuned_dot_wide(int32_t *sums, const uint8_t *weights, const int8_t *x, uint32_t k,
                    uint32_t block);
void tuned_dot_block(int32_t *sums, const uint8_t *weights, const int8_t *x, uint32_t k);
uint32_t tuned_dot_one(const uint8_t *weights, const int8_t *x, uint32_t k);

/*
 * SVDF: the values of each filter move one place down, the newest comes last; the sum of all times
 * their weights is stored. Four filters make a block: state and weights [blocks][memory][4], blocks
 * > 0, so that values move as words; state and newest are aligned for them.
 */
void tuned_recall_blocks(int8_t *state, const int8_t *weights, uint32_t memory,
                         const int8_t *newest, uint32_t *sums, uint32_t blocks);

#endif
