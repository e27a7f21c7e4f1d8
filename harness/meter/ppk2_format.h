/*
 * What a Nordic PPK2 says: metadata text and sample words, as numbers. Pure; fed by ppk2.c, by
 * recordings, tests and the fuzzer.
 *
 * Metadata is "Key: value" lines in any order up to "END". A constant that is missing or no number
 * makes its range not convertible; none is ever invented. A sample is a little-endian word, 100 000
 * a second: bits 0-13 ADC, 14-16 range (0 to 4), 18-23 counter, 24-31 logic port. Amperes, evaluated
 * in double and in this order:
 *
 *     x = (4 adc - O) ((1.8 / 163840) / R)
 *     i = UG (x (GS x + GI) + (S (VDD_mV / 1000) + I))
 *
 * (formula and filter as in ppk2-api-python and, independently, ppk2-python and ppk2-rs).
 */
#ifndef HARNESS_METER_PPK2_FORMAT_H
#define HARNESS_METER_PPK2_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

#define PPK2_RANGES    5
#define PPK2_RATE_HZ   100000.0
#define PPK2_META_MAX  16384
#define PPK2_SATURATED 0x3fffu

/* Constants of each range, in the order of enum ppk2_constant. */
#define PPK2_CONSTANT_LIST(X)                                                                      \
    X(PPK2_R, "R")                                                                                 \
    X(PPK2_GS, "GS")                                                                               \
    X(PPK2_GI, "GI")                                                                               \
    X(PPK2_O, "O")                                                                                 \
    X(PPK2_S, "S")                                                                                 \
    X(PPK2_I, "I")                                                                                 \
    X(PPK2_UG, "UG")
enum ppk2_constant {
#define X(name, word) name,
    PPK2_CONSTANT_LIST(X)
#undef X
    PPK2_CONSTANTS
};

struct ppk2_meta {
    double constant[PPK2_CONSTANTS][PPK2_RANGES];
    uint8_t missing[PPK2_RANGES]; /* a bit for each constant; 0: the range can be converted */
    bool no_user_gains;           /* older firmware has none at all: they are 1 by definition */
    double vdd_mv;
    int mode; /* 1 ampere, 2 source; 0: not told */
    int hw, ia;
    bool emulated; /* our emulated one says so */
    unsigned keys; /* known ones that were there */
};

/* Is the reply complete? (Its last line is END.) */
bool ppk2_meta_complete(const char *text, size_t n);

/* ERR_METER when it is no metadata at all. */
int ppk2_meta_parse(const char *text, size_t n, struct ppk2_meta *ret, struct err *err) MUST_CHECK;

/* All constants as "key: value" lines. */
void ppk2_meta_print(const struct ppk2_meta *m, struct buf *out);

/* NAN in a range that cannot be converted. */
double ppk2_amperes(const struct ppk2_meta *m, unsigned range, unsigned adc);

/* ---- the stream ---- */

struct ppk2_block {
    float *current_a;
    float *filtered_a;
    uint8_t *logic;
    uint8_t *range;
    size_t count, room;
};

struct ppk2_decoder {
    double *table; /* [range << 14 | adc], eight ranges */
    bool filter;   /* fill filtered_a too */
    /* the filter's memory */
    double average, average4;
    int previous; /* range; -1: no sample yet */
    int after;
    int consecutive;
    /* the stream */
    bool started;
    uint8_t expected; /* counter of the next word */
    uint8_t last_logic;
    uint64_t index; /* samples so far, lost ones included */
    uint64_t lost, gaps, corrupted, resyncs, saturated, overloaded, unconverted, switches;
    uint64_t pending_gap; /* lost samples not yet written out */
};

/* The metadata's voltage takes part in the conversion: set it first. */
void ppk2_decoder_init(struct ppk2_decoder *d, const struct ppk2_meta *meta, bool filter);
void ppk2_decoder_restart(struct ppk2_decoder *d); /* a new stream, same constants */
void ppk2_decoder_release(struct ppk2_decoder *d);

/*
 * Decode what fits into the block. Returns the bytes consumed; up to 63 are left for the next call
 * when they do not suffice to tell a loss from a damaged byte; with `last`, none.
 */
size_t ppk2_decode(struct ppk2_decoder *d, const uint8_t *data, size_t n, bool last,
                   struct ppk2_block *out);

/* Samples that the clock says are missing here. */
void ppk2_decoder_lose(struct ppk2_decoder *d, uint64_t samples);

#endif
