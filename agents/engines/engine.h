/*
 * An engine runs models (or workloads) on the target. Ours and foreign runtimes sit behind this
 * one interface, so that the same suite measures them all.
 *
 * An engine uses only the arena it is given: no heap, no statics that depend on the model. All
 * functions run on the agent's stack, and invoke() is what windows time, so it must not print,
 * wait or touch the link.
 */
#ifndef AGENTS_ENGINES_ENGINE_H
#define AGENTS_ENGINES_ENGINE_H

#include <stddef.h>
#include <stdint.h>

enum engine_status {
    ENGINE_OK = 0,
    ENGINE_BAD_IMAGE = 1,   /* not an image of this engine, wrong version or CRC */
    ENGINE_NO_SPACE = 2,    /* arena too small; detail says how much is needed */
    ENGINE_UNSUPPORTED = 3, /* detail: the operator's index */
    ENGINE_FAILED = 4,
};

enum engine_tensor_type {
    ENGINE_INT8 = 0,
    ENGINE_UINT8 = 1,
    ENGINE_INT16 = 2,
    ENGINE_INT32 = 3,
    ENGINE_FLOAT32 = 4,
    ENGINE_BYTES = 5, /* a workload's own layout */
};

struct engine_tensor {
    void *data;
    uint32_t size; /* bytes */
    uint8_t type;
};

/* One loaded model. The engine's own state lives at the start of the arena. */
struct engine_model {
    const uint8_t *image;
    uint32_t image_size;
    uint8_t *arena;
    uint32_t arena_size;
    uint32_t arena_used; /* set by load: planned high end, state included */
    uint32_t options;    /* engine-specific, from LOAD; ours: kernel variant mask */
    uint32_t detail;     /* set beside a status that is not OK */
    uint16_t ops;        /* operators to profile; 0 when it cannot */
    uint8_t inputs;
    uint8_t outputs;
};

/* Called around every operator during a profile pass, never during a window. */
typedef void engine_profile_fn(void *context, uint16_t op, uint16_t kind, uint32_t variant);

struct engine {
    const char *name;
    uint32_t version;
    uint32_t caps;
    enum engine_status (*load)(struct engine_model *m);
    /* tensor `index`; output != 0 for outputs. Size 0 when there is no such tensor. */
    struct engine_tensor (*tensor)(struct engine_model *m, int output, unsigned index);
    enum engine_status (*invoke)(struct engine_model *m);
    enum engine_status (*reset)(struct engine_model *m); /* variables back to their initial state */
    /* invoke() with a call after each operator; NULL when the engine cannot. */
    enum engine_status (*profile)(struct engine_model *m, engine_profile_fn *after, void *context);
};

/* The engines linked into this agent, in wire order; ends with NULL (agents/engines/registry.c). */
extern const struct engine *const engines[];

#endif
