/*
 * The model image: what the host writes into the slot and the `tiny` engine runs in place.
 *
 *   struct image_header
 *   struct image_tensor   [inputs + outputs]   at header_size
 *   struct image_variable [variables]
 *   steps, one after the other, in the order they run:
 *       struct image_step, struct kernel_span [spans], the kernel's parameter struct
 *   constants, 16-aligned
 *
 * Little-endian, natural alignment, every offset from the start of the image or of the arena. The
 * host has done everything that can be done before the run: memory is planned, multipliers are
 * worked out, weights lie in the order the chosen kernel reads them. The chip checks the CRC and,
 * once per load, that every step stays inside arena and image; then it only loops.
 *
 * This header is shared by the engine and by harness/nn, which writes images.
 */
#ifndef AGENTS_ENGINES_IMAGE_H
#define AGENTS_ENGINES_IMAGE_H

#include <stdint.h>

#include "agents/kernels/kernels.h"

#define IMAGE_MAGIC       0x494d5254u /* "TRMI" */
#define IMAGE_VERSION     2
#define IMAGE_ALIGN       16u /* of constants in the image, and of the arena's base */
#define IMAGE_MAX_TENSORS 16  /* inputs and outputs together */

struct image_header {
    uint32_t magic;
    uint16_t version;
    uint16_t header_size;
    uint32_t size;  /* of the whole image */
    uint32_t crc32; /* wire_crc32() of the bytes from arena_size to the end */
    uint32_t arena_size;
    uint16_t steps;
    uint8_t inputs, outputs;
    uint16_t variables;
    uint16_t reserved;
    uint32_t steps_at;
    uint32_t steps_end;
    uint8_t model_hash[8]; /* first bytes of the SHA-256 of the file it was made from */
};

struct image_tensor {
    uint32_t offset; /* in the arena */
    uint32_t size;
    uint8_t type; /* enum engine_tensor_type */
    uint8_t reserved[3];
};

/* A piece of arena that keeps its value between inferences. */
struct image_variable {
    uint32_t offset;
    uint32_t size;
    uint32_t init; /* offset of its first value in the image, or IMAGE_FILL | byte */
};
#define IMAGE_FILL 0x80000000u

struct image_step {
    uint8_t kind;    /* enum kernel_kind */
    uint8_t variant; /* enum kernel_variant */
    uint8_t spans;
    uint8_t flags;  /* IMAGE_STEP_* */
    uint16_t words; /* of this record: struct, spans and parameters, in 4-byte words */
    uint16_t op;    /* the operator of the model it comes from */
};

/* The constants and parameters are those of the reference kernel too. */
#define IMAGE_STEP_PLAIN 1u

#endif
