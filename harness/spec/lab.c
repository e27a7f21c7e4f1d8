#include "harness/spec/lab.h"

#include <string.h>

const struct lab_meter *lab_find_meter(const struct lab *lab, const char *name)
{
    for (size_t i = 0; lab != NULL && name != NULL && i < lab->meter_count; i++) {
        if (strcmp(lab->meters[i].name, name) == 0)
            return &lab->meters[i];
    }
    return NULL;
}

const struct lab_power *lab_find_power(const struct lab *lab, const char *name)
{
    for (size_t i = 0; lab != NULL && name != NULL && i < lab->power_count; i++) {
        if (strcmp(lab->powers[i].name, name) == 0)
            return &lab->powers[i];
    }
    return NULL;
}
