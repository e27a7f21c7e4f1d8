/* What two back-ends share: openocd.c has it, inject.c uses it too. */
#ifndef HARNESS_FLASH_INTERNAL_H
#define HARNESS_FLASH_INTERNAL_H

#include "harness/flash/flash.h"

/* A model image through the probe: into flash where the slot is flash, else into RAM. */
int flash_openocd_write(const struct flash_job *job, const void *data, size_t size,
                        uint32_t address, struct err *err) MUST_CHECK;

#endif
