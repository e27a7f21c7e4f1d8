#include "harness/meter/meter.h"

extern const struct meter_ops meter_ppk2;
extern const struct meter_ops meter_synthetic;
extern const struct meter_ops meter_null;

const struct meter_ops *const meter_drivers[] = {
    &meter_ppk2,
    &meter_synthetic,
    &meter_null,
    NULL,
};
