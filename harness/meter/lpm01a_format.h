/*
 * What an X-NUCLEO-LPM01A streams, as numbers. Pure.
 *
 *   text     "6409-07" is 6409e-7: amperes, or joules per sample with `output energy`;
 *            "TimeStamp: 003s 000ms, buff 05%" every second; "event NN ris" at a marker edge
 *   binary   u16 big-endian [exponent 4][mantissa 12]: mantissa x 16^-exponent amperes; records
 *            F0 Fx ... FF FF: F1 error text, F2 text, F3 time stamp, F4 end, F5 overcurrent,
 *            F6 power down, F7 voltage
 *
 * Between two time stamps there is a known number of samples; fewer are a loss.
 */
#ifndef HARNESS_METER_LPM01A_FORMAT_H
#define HARNESS_METER_LPM01A_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"

enum lpm_kind {
    LPM_NOTHING, /* blank or not understood */
    LPM_SAMPLE,
    LPM_TIMESTAMP,
    LPM_EVENT,
    LPM_END,
    LPM_TROUBLE, /* overcurrent, power down, an error text */
};

struct lpm_item {
    enum lpm_kind kind;
    double value;  /* sample */
    uint32_t ms;   /* time stamp */
    unsigned load; /* of its buffer, percent */
    unsigned event;
    char text[80]; /* trouble */
};

/* One line, NUL-terminated. */
void lpm_text(const char *line, struct lpm_item *ret);

/* The next item of a binary stream. Returns the bytes it took; 0: more are needed. */
size_t lpm_binary(const uint8_t *data, size_t n, struct lpm_item *ret);

#endif
