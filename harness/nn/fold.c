/* Constants worked out here instead of on the chip: what an operator makes of constants alone. */
#include <stdlib.h>
#include <string.h>

#include "harness/nn/lower.h"

/* A hostile file must not keep the compiler busy, nor blow up the image. */
#define MAX_FOLDED_BYTES (1u << 20)
#define MAX_FOLDED_MACS  (1u << 20)
#define MAX_FOLDED_WORK  (64u << 20) /* of the whole model */

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

/*
 * Multiplications, or what else a kernel loops over that MACs do not count: pools have none, and
 * those of TRANSPOSE_CONV are of its input, while its kernel looks for them at every output.
 */
static uint64_t work_of(const struct nn_step *s)
{
    const struct kernel_pool *pool = s->params;
    const struct kernel_conv *conv = s->params; /* real ones begin with it, too */

    switch (s->kind) {
    case KERNEL_AVERAGE_POOL_S8:
    case KERNEL_MAX_POOL_S8:
    case KERNEL_POOL_F32:
        return (uint64_t)pool->batches * pool->out_h * pool->out_w * pool->c * pool->filter_h *
               pool->filter_w;
    case KERNEL_TRANSPOSE_CONV_S8:
    case KERNEL_TRANSPOSE_CONV_F32:
        return (uint64_t)conv->batches * conv->out_h * conv->out_w * conv->out_c * conv->filter_h *
               conv->filter_w;
    default:
        return 0;
    }
}

/* The steps since first_step read nothing but constants and each other, and keep no state. */
static bool can_fold(struct nn_lower *l, size_t first_step)
{
    size_t bytes = 0;
    uint64_t work = l->macs[l->op_index];

    if (work > MAX_FOLDED_MACS)
        return false;
    for (size_t i = 0; i < l->op->output_count; i++) {
        if (is_graph_output(l, l->op->outputs[i]))
            return false;
    }
    for (size_t i = first_step; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        if (work_of(s) > MAX_FOLDED_MACS)
            return false;
        work += work_of(s);
        for (unsigned n = 0; n < s->span_count; n++) {
            const struct nn_buffer *b = &l->buffers[s->spans[n].buffer];
            bytes += b->size;
            if (b->variable || (!b->data && !is_made_by(l, s->spans[n].buffer, first_step)))
                return false;
        }
    }
    work += bytes;
    if (bytes > MAX_FOLDED_BYTES || work > MAX_FOLDED_WORK - l->folded)
        return false;
    l->folded += work;
    return true;
}

/* Where the steps run. */
struct bench {
    struct arena arena;
    uint8_t **memory; /* [buffer] */
};

/* The bytes of a buffer where a kernel may read or write them: aligned, and its own. */
static void *memory_of(const struct nn_lower *l, struct bench *bench, uint32_t buffer)
{
    const struct nn_buffer *b = &l->buffers[buffer];

    if (!bench->memory[buffer]) {
        bench->memory[buffer] = arena_alloc(&bench->arena, b->size + 16);
        if (b->data)
            memcpy(bench->memory[buffer], b->data, b->size);
    }
    return bench->memory[buffer];
}

static bool run_step(const struct nn_lower *l, const struct nn_step *s, struct bench *bench)
{
    const struct kernel *k = kernel_find(KERNEL_REF, s->kind);
    struct kernel_span spans[KERNEL_MAX_SPANS];
    void *at[KERNEL_MAX_SPANS];

    for (unsigned n = 0; n < s->span_count; n++) {
        at[n] = (uint8_t *)memory_of(l, bench, s->spans[n].buffer) + s->spans[n].offset;
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
    struct bench bench = {ARENA_INIT, calloc(l->buffer_count + 1, sizeof *bench.memory)};
    bool good = true;

    if (!bench.memory)
        abort();
    for (size_t i = first_step; good && i < l->step_count; i++)
        good = run_step(l, &l->steps[i], &bench);
    for (uint32_t k = 0; good && k < l->buffer_count; k++) {
        struct nn_buffer *b = &l->buffers[k];
        if (!bench.memory[k] || b->data)
            continue;
        b->data = arena_dup(l->arena, bench.memory[k], b->size);
        l->constant_bytes += b->size;
    }
    free(bench.memory);
    arena_release(&bench.arena);
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
