/*
 * Recorded traces of other programs and meters as samples:
 *
 *   CSV    with a header that names quantity and unit, such as "time_s,current_mA,voltage_V,D0" or
 *          "Timestamp(ms),Current(uA),D0-D7" (nRF Connect's export); lines with '#' are comments
 *   .ppk2  nRF Connect Power Profiler's session: a zip of session.raw and metadata.json
 *   EEMBC  trace1-energy.bin: 0xf1, the sample rate, then microjoules per sample (little-endian f32)
 *
 * What cannot be a recording is refused with its line: time that stands still or goes back, numbers
 * that are none. Nothing is resampled. Files are untrusted and bounded.
 */
#ifndef HARNESS_METER_RECORDING_H
#define HARNESS_METER_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

#define RECORDING_MAX 100000000u /* samples */

struct recording {
    const char *format; /* "csv", "ppk2", "eembc" */
    size_t count;
    bool even;        /* equal steps of 1 / rate_hz; else time_s says when */
    double rate_hz;   /* uneven: the mean */
    double *time_s;   /* NULL when even */
    float *current_a; /* NULL: energies only */
    float *voltage_v; /* NULL: not recorded */
    float *energy_j;  /* per sample; NULL: not recorded */
    uint8_t *logic;   /* NULL: no marker lines */
    char warning[200];
};

int recording_load(const char *path, struct recording *ret, struct err *err) MUST_CHECK;
/* `name` is for messages. */
int recording_parse(const char *name, const void *data, size_t n, struct recording *ret,
                    struct err *err) MUST_CHECK;
void recording_release(struct recording *r);

/*
 * Charge and energy of [from_s, to_s): samples that stand for their period by their share of it,
 * uneven points by the trapezoidal rule. supply_v where no voltage was recorded.
 */
double recording_charge_c(const struct recording *r, double from_s, double to_s);
double recording_energy_j(const struct recording *r, double supply_v, double from_s, double to_s);

/* Members of a zip archive (stored or deflated), for .ppk2. ERR_CONFIG when it is not there. */
int recording_unzip(const char *name, const void *data, size_t n, const char *member, size_t limit,
                    struct buf *ret, struct err *err) MUST_CHECK;

#endif
