/* Constants worked out here instead of on the chip: what an operator makes of constants alone. */
#include <stdlib.h>
#include <string.h>

#include "harness/nn/lower.h"

/* A hostile file must not keep the compiler busy, nor blow up the image. */
#define MAX_FOLDED_BYTES (1u << 20)
#define MAX_FOLDED_MACS  (1u << 20)

static bool is_made_by(const struct nn_lower *l, uint32_t buffer, size_t first_step)
{
    for (size_t i = first_step; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
        for (unsigned n = 0; n < s->span_count; n++) {
            if ((k->writes >> n & 1) && s->spans[n].buffer == buffer)
                return true;
        }
    }
    return false;
}

static bool is_graph_output(const struct nn_lower *l, int32_t tensor)
{
    for (size_t i = 0; i < l->graph->output_count; i++) {
        if (l->graph->outputs[i] == tensor)
            return true;
    }
    return false;
}

/* The steps since first_step read nothing but constants and each other, and keep no state. */
static bool can_fold(const struct nn_lower *l, size_t first_step)
{
    size_t bytes = 0;

    for (size_t i = 0; i < l->op->output_count; i++) {
        if (is_graph_output(l, l->op->outputs[i]))
            return false;
    }
    for (size_t i = first_step; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        for (unsigned n = 0; n < s->span_count; n++) {
            const struct nn_buffer *b = &l->buffers[s->spans[n].buffer];
            bytes += b->size;
            if (b->variable || (!b->data && !is_made_by(l, s->spans[n].buffer, first_step)))
                return false;
        }
    }
    return bytes <= MAX_FOLDED_BYTES && l->macs[l->op_index] <= MAX_FOLDED_MACS;
}

/* The bytes of a buffer where a kernel may read or write them: aligned, and its own. */
static void *memory_of(struct nn_lower *l, uint8_t **memory, uint32_t buffer)
{
    const struct nn_buffer *b = &l->buffers[buffer];

    if (!memory[buffer]) {
        memory[buffer] = arena_alloc(l->arena, b->size + 16);
        if (b->data)
            memcpy(memory[buffer], b->data, b->size);
    }
    return memory[buffer];
}

static bool run_step(struct nn_lower *l, const struct nn_step *s, uint8_t **memory)
{
    const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
    struct kernel_span spans[KERNEL_MAX_SPANS];
    void *at[KERNEL_MAX_SPANS];

    for (unsigned n = 0; n < s->span_count; n++) {
        at[n] = (uint8_t *)memory_of(l, memory, s->spans[n].buffer) + s->spans[n].offset;
        spans[n] = (struct kernel_span){s->spans[n].offset, s->spans[n].size};
    }
    if (s->span_count != k->spans || !k->check(s->params, spans))
        return false;
    k->run(s->params, at);
    return true;
}

/* Runs the steps and makes their results constants; false when one of them cannot run here. */
static bool run_steps(struct nn_lower *l, size_t first_step)
{
    uint8_t **memory = calloc(l->buffer_count + 1, sizeof *memory);
    bool good = true;

    if (!memory)
        abort();
    for (size_t i = first_step; good && i < l->step_count; i++)
        good = run_step(l, &l->steps[i], memory);
    for (uint32_t b = 0; good && b < l->buffer_count; b++) {
        if (memory[b] && !l->buffers[b].data)
            l->buffers[b].data = memory[b];
    }
    free(memory);
    return good;
}

void fold_op(struct nn_lower *l, size_t first_step)
{
    if (l->step_count > first_step && can_fold(l, first_step) && run_steps(l, first_step))
        l->step_count = first_step;
    /* Reshaped and computed constants are constants to the operators that follow. */
    for (size_t i = 0; i < l->op->output_count; i++) {
        struct nn_tensor *t = &l->tensors[l->op->outputs[i]];
        const struct nn_span *span = &l->span_of[l->op->outputs[i]];
        if (span->size && l->buffers[span->buffer].data && span->size == t->size)
            t->data = (const uint8_t *)l->buffers[span->buffer].data + span->offset;
    }
}
