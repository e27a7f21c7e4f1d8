/*
 * Models for the `tiny` engine: check a .tflite file, compile it into a model image, say what it
 * costs. The public face of harness/nn.
 *
 * Everything the chip would otherwise do at start happens here, once: parsing, checking, memory
 * planning, folding of constants, choice of kernels and the order of their weights.
 */
#ifndef HARNESS_NN_NN_H
#define HARNESS_NN_NN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/nn/graph.h"

/* What the image is for. Zero-initialised: reference kernels only, inputs survive an inference. */
struct nn_target {
    uint32_t variants; /* mask of 1 << enum kernel_variant the firmware holds; 0: reference only */
    /* Inputs may be overwritten while the model runs: less memory, but every inference needs its
     * input written again. */
    bool reuse_inputs;
    /* Every buffer gets memory of its own: what a plan is proved against, in tests. */
    bool apart;
    bool unfused; /* every operator has steps of its own: what fusing is compared with */
    bool whole;   /* no operator runs in strips of rows: what strips are compared with */
    bool rows;    /* strips are as wide as the image: what tiles are compared with */
};

struct nn_report_tensor {
    const char *name;
    enum nn_type type;
    unsigned rank;
    int32_t dims[NN_MAX_RANK];
    uint32_t size; /* bytes */
    float scale;   /* 0: not quantised */
    int32_t zero_point;
    uint32_t offset; /* in the arena */
};

struct nn_report_op {
    const char *name; /* "CONV_2D" */
    int32_t version;
    uint64_t macs;
    uint32_t weight_bytes; /* constants of the model file that it reads */
    const char *output;    /* "int8 1x25x5x64" */
    const char *custom;    /* the name of a CUSTOM operator; else NULL */
    const char *detail;    /* "3x3 stride 1x1 same RELU", or "" */
    uint32_t steps;        /* 0: costs nothing at run time */
    uint32_t first_step;
};

/* One kernel call, in the order of the image (and of the engine's profile). */
struct nn_report_step {
    uint16_t op;
    uint8_t kind, variant;    /* enum kernel_kind, enum kernel_variant */
    const char *kind_name;    /* "CONV_S8" */
    const char *variant_name; /* "ref" */
    uint64_t macs;            /* its part of the operator's */
    uint32_t live_bytes;      /* of the arena, in use during this step */
    bool part;                /* a strip of its operator, or what makes room for one */
    uint32_t output_offset;   /* where its result lies in the arena once it has run */
    uint32_t output_bytes;
};

/* One buffer of the arena. */
struct nn_report_buffer {
    const char *name;
    uint32_t offset, size;
    uint32_t first, last; /* steps */
};

struct nn_report {
    struct arena arena; /* owns everything below */
    const char *description;
    uint64_t macs;
    uint64_t recomputed_macs; /* on top of them: where tiles meet */
    uint32_t weight_bytes;    /* constants of the model file */
    uint32_t image_bytes;
    uint32_t arena_bytes;
    uint32_t arena_bound; /* no plan of these steps can be smaller */
    const struct nn_report_op *ops;
    size_t op_count;
    const struct nn_report_step *steps;
    size_t step_count;
    const struct nn_report_buffer *buffers;
    size_t buffer_count;
    const struct nn_report_tensor *inputs;
    size_t input_count;
    const struct nn_report_tensor *outputs;
    size_t output_count;
};

/*
 * Compile. ERR_CONFIG: the file is damaged; ERR_UNSUPPORTED: it is well formed, but holds something
 * this program cannot run, and the message names operator, version and tensor. ret_image receives
 * the image's bytes (appended to nothing: it must be empty); ret_report may be NULL, otherwise
 * release it with nn_report_release().
 */
int nn_compile(const void *tflite, size_t size, const struct nn_target *target,
               struct buf *ret_image, struct nn_report *ret_report, struct err *err) MUST_CHECK;
void nn_report_release(struct nn_report *report);

/*
 * Is every operator supported? Appends one line per operator that is not to `problems` (may be
 * NULL) and returns how many there are; negative when the file cannot be read at all.
 */
int nn_check(const void *tflite, size_t size, const struct nn_target *target, struct buf *problems,
             struct err *err) MUST_CHECK;

/*
 * The variants that a suite's `kernels:` names: "best" is every one, "tuned" and the like that one
 * beside the reference. Returns 0 when there is no such word, else a mask for nn_target.
 */
uint32_t nn_variants(const char *word);
/* "best, ref, tuned, armv7em, mve, avr": what nn_variants() knows, or those of a mask. */
#define NN_ALL_VARIANTS UINT32_MAX
void nn_variant_words(uint32_t variants, struct buf *out);

/* It computes with real numbers. */
bool nn_step_is_float(const struct nn_report_step *s);

/* "int8 1x25x5x64" */
const char *nn_shape_text(struct arena *arena, const struct nn_tensor *t);

#endif
