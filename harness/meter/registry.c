#include "harness/meter/meter.h"

extern const struct meter_ops meter_ppk2;
extern const struct meter_ops meter_lpm01a;
extern const struct meter_ops meter_replay;
extern const struct meter_ops meter_csv;
extern const struct meter_ops meter_hwmon;
extern const struct meter_ops meter_scpi;
extern const struct meter_ops meter_synthetic;
extern const struct meter_ops meter_null;

const struct meter_ops *const meter_drivers[] = {
    &meter_ppk2, &meter_lpm01a,    &meter_replay, &meter_csv, &meter_hwmon,
    &meter_scpi, &meter_synthetic, &meter_null,   NULL,
};
