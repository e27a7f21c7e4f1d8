/* What the variants of LSTM_S8 share: the walk through time, and all but the products. */
#ifndef AGENTS_KERNELS_LSTM_H
#define AGENTS_KERNELS_LSTM_H

#include "agents/kernels/kernels.h"

enum {
    LSTM_INPUT,
    LSTM_FORGET,
    LSTM_CELL,
    LSTM_OUTPUT,
    LSTM_GATES
};

/* The first of gate g's three spans: weights of the input, of the hidden state, biases. */
#define LSTM_GATE_SPAN(g) (6 + 3 * (g))

/* Computes gate g of one step into the scratch of gates (span 5). */
typedef void lstm_gate_fn(const struct kernel_lstm *p, void *const *at, unsigned g,
                          const int8_t *in, const int8_t *hidden);

/* From the gates of a step to the next states of one batch. */
typedef void lstm_update_fn(const struct kernel_lstm *p, void *const *at, int8_t *hidden,
                            int16_t *cell);

/* All steps. */
void lstm_run(const struct kernel_lstm *p, void *const *at, lstm_gate_fn *gate,
              lstm_update_fn *next);
/*
 * Fast forms, exact where the host has seen to it (pack_lstm_fits): forget and input are powers of
 * two, no shift goes to the left, tanh's input is short. A gate's n values go through its curve;
 * they are 16 bits each and count in 1/4096.
 */
void lstm_curve(unsigned g, const uint16_t *table, int16_t *gate, uint32_t n);
lstm_update_fn lstm_update;
/* Spans 0 to 5. */
bool lstm_shapes_fit(const struct kernel_lstm *p, const struct kernel_span *spans);

#endif
