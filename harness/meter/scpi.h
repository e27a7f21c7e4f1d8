/* What scpi.c (single readings) and scpi_log.c (an N6705's data log) share. */
#ifndef HARNESS_METER_SCPI_H
#define HARNESS_METER_SCPI_H

#include "harness/meter/meter.h"
#include "harness/meter/scpi_link.h"

#define SCPI_RATE_HZ    100
#define SCPI_VOLTS_EACH 20   /* readings of the current between two of the voltage */
#define SCPI_RECORDS    4096 /* of a log, in one fetch */

struct scpi {
    struct meter base;
    struct scpi_link link;
    bool log; /* it logs by itself: an N6705 or N67xx */
    uint64_t fetches;
    uint64_t index, started_ns, fetched_ns;
    double charge_c, energy_j, volts;
    struct buf block[2]; /* of a log: current and voltage, floats not delivered yet */
    float current_a[SCPI_RECORDS];
    float voltage_v[SCPI_RECORDS];
};

/*
 * The external data log of a Keysight N6705/N67xx: means of current and voltage over periods of
 * 204.8 us, kept for 20 s by the instrument and fetched as blocks of floats. Its output 1 is used.
 */
int scpi_log_open(struct scpi *s, struct err *err) MUST_CHECK;
int scpi_log_configure(struct scpi *s, struct err *err) MUST_CHECK;
int scpi_log_start(struct scpi *s, struct err *err) MUST_CHECK;
int scpi_log_read(struct scpi *s, unsigned timeout_ms, struct meter_block *ret,
                  struct err *err) MUST_CHECK;
int scpi_log_stop(struct scpi *s, struct err *err) MUST_CHECK;

#endif
