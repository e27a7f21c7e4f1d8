/*
 * Custom operators of a model against those that a board's firmware holds, before the board is
 * touched. Called for plans and by infer.
 */
#ifndef HARNESS_MEASURE_CUSTOMS_H
#define HARNESS_MEASURE_CUSTOMS_H

#include "harness/base/arena.h"
#include "harness/nn/nn.h"
#include "harness/spec/board.h"

struct custom_use {
    size_t op; /* number of the operator */
    const char *name;
};

/* Those that run on the chip. Lives in the arena. */
size_t customs_of(const struct nn_report *r, struct arena *arena, struct custom_use **ret);

/* The path of a board's firmware: its own, or its agent's in firmware_dir. NULL: not known. */
const char *customs_firmware(const struct board *b, const char *firmware_dir, struct arena *arena);

/*
 * The first that the firmware lacks, in words; NULL when all are there, or when the file is not
 * there or does not say.
 */
const char *customs_missing(const struct custom_use *uses, size_t count, const char *firmware,
                            struct arena *arena);

#endif
