/*
 * The power instrument of a session: found, leased, connected through its multiplexer, opened and
 * set to the voltage that was asked for. A virtual board brings its emulated one.
 */
#ifndef HARNESS_LAB_INSTRUMENT_H
#define HARNESS_LAB_INSTRUMENT_H

#include "harness/base/err.h"
#include "harness/lab/resources.h"
#include "harness/meter/meter.h"
#include "harness/spec/board.h"
#include "harness/spec/lab.h"
#include "harness/spec/suite.h"

struct instrument;

struct instrument_options {
    const struct board *board;
    const struct lab *lab; /* NULL: none */
    const struct suite_energy *energy;
    const struct resources
        *held;           /* leased with the board; a meter that is not there is leased here */
    const char *vmeter;  /* path of tinyrig-vmeter */
    const char *run_dir; /* for the emulated meter's link */
    const char *lock_dir;
    const char *purpose;
    unsigned wait_ms;
};

/* Where a virtual board's edge stream is served, into path; false when it has no marker. */
bool instrument_edges(const struct board *board, const char *run_dir, char *path, size_t size);

int instrument_open(const struct instrument_options *options, struct instrument **ret,
                    struct err *err) MUST_CHECK;
/* Other settings on an open one: the voltage that `energy` asks for, else the lab's or the board's. */
int instrument_set(struct instrument *i, const struct board *board,
                   const struct suite_energy *energy, struct err *err) MUST_CHECK;
void instrument_close(struct instrument *i); /* NULL is fine */
DEFINE_AUTO(struct instrument, instrument_close)

struct meter *instrument_meter(struct instrument *i);
const char *instrument_name(const struct instrument *i);
uint32_t instrument_voltage_uv(const struct instrument *i);
bool instrument_source(const struct instrument *i); /* it supplies the board */

#endif
