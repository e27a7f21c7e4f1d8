#include "harness/meter/meter.h"

extern const struct meter_ops meter_ppk2;
extern const struct meter_ops meter_lpm01a;
extern const struct meter_ops meter_joulescope;
extern const struct meter_ops meter_replay;
extern const struct meter_ops meter_csv;
extern const struct meter_ops meter_iio;
extern const struct meter_ops meter_hwmon;
extern const struct meter_ops meter_scpi;
extern const struct meter_ops meter_sigrok;
extern const struct meter_ops meter_synthetic;
extern const struct meter_ops meter_null;

const struct meter_ops *const meter_drivers[] = {
    &meter_ppk2,  &meter_lpm01a, &meter_joulescope, &meter_replay,    &meter_csv,
#ifdef HAVE_IIO
    &meter_iio,
#endif
    &meter_hwmon, &meter_scpi,   &meter_sigrok,     &meter_synthetic, &meter_null, NULL,
};

const struct meter_absent meter_absent[] = {
#ifndef HAVE_IIO
    {"iio", "libiio"},
#endif
    {NULL, NULL},
};
