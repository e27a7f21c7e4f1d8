/* CSV recordings; see recording.h. */
#ifndef HARNESS_METER_RECORDING_CSV_H
#define HARNESS_METER_RECORDING_CSV_H

#include "harness/meter/recording.h"

int recording_parse_csv(const char *name, const char *text, size_t n, struct recording *r,
                        struct err *err) MUST_CHECK;

#endif
