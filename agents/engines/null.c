/*
 * The engine that does nothing: it loads any image, and its one output is its one input (the same
 * 16 bytes of the arena), so that the whole path from upload to compared output can be checked
 * with no model at all, and the harness's own share of flash, RAM and time be measured.
 *
 * LOAD's options say how often invoke() goes round an empty loop: a workload of known slope for
 * tests of the measuring itself. 0, the default, is nothing at all.
 */
#include "agents/engines/engine.h"

enum {
    TENSOR_SIZE = 16
};

static enum engine_status null_load(struct engine_model *m)
{
    m->detail = TENSOR_SIZE;
    if (m->arena_size < TENSOR_SIZE)
        return ENGINE_NO_SPACE;
    for (unsigned i = 0; i < TENSOR_SIZE; i++)
        m->arena[i] = 0;
    m->arena_used = TENSOR_SIZE;
    m->inputs = 1;
    m->outputs = 1;
    return ENGINE_OK;
}

static struct engine_tensor null_tensor(struct engine_model *m, int output, unsigned index)
{
    struct engine_tensor tensor = {m->arena, TENSOR_SIZE, ENGINE_BYTES};

    (void)output;
    if (index != 0)
        tensor.size = 0;
    return tensor;
}

static enum engine_status null_invoke(struct engine_model *m)
{
    for (uint32_t n = m->options; n != 0; n--)
        __asm__ volatile("");
    return ENGINE_OK;
}

const struct engine engine_null = {
    .name = "null",
    .version = 1,
    .load = null_load,
    .tensor = null_tensor,
    .invoke = null_invoke,
};
