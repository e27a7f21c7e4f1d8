#include "harness/nn/report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/nn/strips.h"

static const char *const kind_names[] = {
#define X(name, params) #name,
    KERNEL_KINDS(X)
#undef X
};

static const char *const variant_names[] = {
#define X(name, word) word,
    KERNEL_VARIANTS(X)
#undef X
};

const char *nn_shape_text(struct arena *arena, const struct nn_tensor *t)
{
    char text[160];
    size_t n = 0;

    for (const char *s = nn_type_name((int)t->type); *s && n < 16; s++)
        text[n++] = (char)tolower((unsigned char)*s);
    text[n++] = ' ';
    for (unsigned i = 0; i < t->rank; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%d", i ? "x" : "", t->dims[i]);
    if (t->rank == 0)
        n += (size_t)snprintf(text + n, sizeof text - n, "scalar");
    return arena_strndup(arena, text, n);
}

static bool has_window(int32_t code)
{
    return code == NN_OP_CONV_2D || code == NN_OP_DEPTHWISE_CONV_2D ||
           code == NN_OP_TRANSPOSE_CONV || code == NN_OP_AVERAGE_POOL_2D ||
           code == NN_OP_MAX_POOL_2D;
}

static bool is_pool(int32_t code)
{
    return code == NN_OP_AVERAGE_POOL_2D || code == NN_OP_MAX_POOL_2D;
}

/* "3x3 stride 2x2 same RELU" */
static const char *op_detail(struct arena *arena, const struct nn_graph *g, const struct nn_op *op)
{
    const struct nn_window *w = &op->options.window;
    const char *activation =
        op->options.activation ? nn_activation_name(op->options.activation) : "";

    if (!has_window(op->code))
        return arena_strdup(arena, activation);
    int32_t h = w->filter_h, width = w->filter_w;
    if (!is_pool(op->code)) {
        const struct nn_tensor *filter = &g->tensors[op->inputs[1]];
        h = filter->dims[1];
        width = filter->dims[2];
    }
    return arena_printf(arena, "%dx%d stride %dx%d %s%s%s", h, width, w->stride_h, w->stride_w,
                        w->padding == NN_SAME ? "same" : "valid", *activation ? " " : "",
                        activation);
}

static const char *op_output(struct arena *arena, const struct nn_graph *g, const struct nn_op *op)
{
    return op->output_count ? nn_shape_text(arena, &g->tensors[op->outputs[0]]) : "";
}

static uint32_t weight_bytes(const struct nn_graph *g, const struct nn_op *op)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < op->input_count; i++) {
        if (op->inputs[i] != NN_NONE && g->tensors[op->inputs[i]].data)
            sum += (uint32_t)g->tensors[op->inputs[i]].size;
    }
    return sum;
}

static void fill_ops(const struct nn_lower *l, struct nn_report *r)
{
    struct nn_report_op *ops = arena_alloc(&r->arena, l->graph->op_count * sizeof *ops + 1);

    for (size_t i = 0; i < l->graph->op_count; i++) {
        const struct nn_op *op = &l->graph->ops[i];
        r->recomputed_macs += strips_recomputed_macs(l, i);
        ops[i] =
            (struct nn_report_op){.name = nn_opcode_name(op->code),
                                  .version = op->version,
                                  .macs = l->macs[i],
                                  .weight_bytes = weight_bytes(l->graph, op),
                                  .custom = op->custom ? arena_strdup(&r->arena, op->custom) : NULL,
                                  .output = op_output(&r->arena, l->graph, op),
                                  .detail = op_detail(&r->arena, l->graph, op)};
        r->macs += ops[i].macs;
        r->weight_bytes += ops[i].weight_bytes;
    }
    for (uint32_t i = 0; i < l->step_count; i++) {
        struct nn_report_op *op = &ops[l->steps[i].op];
        if (op->steps++ == 0)
            op->first_step = i;
    }
    r->ops = ops;
    r->op_count = l->graph->op_count;
}

/* The first span that the kernel writes. */
static const struct nn_span *written_span(const struct nn_step *s)
{
    const struct kernel *k = kernel_find(KERNEL_REF, s->kind);

    for (unsigned i = 0; k && i < s->span_count; i++) {
        if (k->writes >> i & 1)
            return &s->spans[i];
    }
    return &s->spans[0];
}

static int by_offset(const void *a, const void *b)
{
    const struct plan_buffer *x = a, *y = b;

    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/*
 * Bytes of the arena that some buffer holds during a step; shared ones count once. `sorted`: all
 * buffers, by their offset.
 */
static uint32_t covered(const struct plan_buffer *sorted, size_t count, uint32_t step)
{
    uint32_t sum = 0, end = 0;

    for (size_t k = 0; k < count; k++) {
        const struct plan_buffer *b = &sorted[k];
        if (step < b->first || step > b->last || b->offset + b->size <= end)
            continue;
        sum += b->offset + b->size - (b->offset > end ? b->offset : end);
        end = b->offset + b->size;
    }
    return sum;
}

/* A strip has its share by rows; else the first step of an operator has all. */
static uint64_t step_macs(const struct nn_lower *l, const struct nn_report *r, uint32_t i,
                          uint32_t output_bytes)
{
    const struct nn_step *s = &l->steps[i];
    const struct nn_op *op = &l->graph->ops[s->op];

    if (!s->part)
        return r->ops[s->op].first_step == i ? l->macs[s->op] : 0;
    const size_t whole = op->output_count ? l->graph->tensors[op->outputs[0]].size : 0;
    return s->kind == KERNEL_COPY || whole == 0 ? 0 : l->macs[s->op] * output_bytes / whole;
}

static void fill_steps(const struct nn_lower *l, const struct nn_plan *plan, struct nn_report *r)
{
    struct nn_report_step *steps = arena_alloc(&r->arena, l->step_count * sizeof *steps + 1);
    struct plan_buffer *sorted =
        arena_dup(l->arena, plan->buffers, plan->count * sizeof *plan->buffers);

    if (plan->count)
        qsort(sorted, plan->count, sizeof *sorted, by_offset);
    for (uint32_t i = 0; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        steps[i] = (struct nn_report_step){.op = s->op,
                                           .kind = s->kind,
                                           .variant = s->variant,
                                           .part = s->part,
                                           .kind_name = kind_names[s->kind],
                                           .variant_name = variant_names[s->variant]};
        const struct nn_span *out = written_span(s);
        steps[i].output_offset = l->buffers[out->buffer].offset + out->offset;
        steps[i].output_bytes = out->size;
        steps[i].macs = step_macs(l, r, i, out->size);
        steps[i].live_bytes = covered(sorted, plan->count, i);
    }
    r->steps = steps;
    r->step_count = l->step_count;
}

static void fill_buffers(const struct nn_lower *l, const struct nn_plan *plan, struct nn_report *r)
{
    struct nn_report_buffer *buffers = arena_alloc(&r->arena, plan->count * sizeof *buffers + 1);

    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_buffer *b = &plan->buffers[i];
        buffers[i] = (struct nn_report_buffer){
            .name = arena_strdup(&r->arena, l->buffers[plan->buffer[i]].name),
            .offset = b->offset,
            .size = b->size,
            .first = b->first,
            .last = b->last};
    }
    r->buffers = buffers;
    r->buffer_count = plan->count;
}

static const struct nn_report_tensor *fill_tensors(const struct nn_lower *l, const int32_t *indices,
                                                   size_t count, struct nn_report *r)
{
    struct nn_report_tensor *out = arena_alloc(&r->arena, count * sizeof *out + 1);

    for (size_t i = 0; i < count; i++) {
        const struct nn_tensor *t = &l->graph->tensors[indices[i]];
        out[i] =
            (struct nn_report_tensor){.name = arena_strdup(&r->arena, t->name),
                                      .type = t->type,
                                      .rank = t->rank,
                                      .size = (uint32_t)t->size,
                                      .offset = l->buffers[l->span_of[indices[i]].buffer].offset +
                                                l->span_of[indices[i]].offset};
        memcpy(out[i].dims, t->dims, sizeof out[i].dims);
        if (t->quant.count == 1) {
            out[i].scale = t->quant.scale[0];
            out[i].zero_point = t->quant.zero_point[0];
        }
    }
    return out;
}

void report_fill(const struct nn_lower *l, const struct nn_plan *plan, size_t image_bytes,
                 struct nn_report *r)
{
    *r = (struct nn_report){.image_bytes = (uint32_t)image_bytes,
                            .arena_bytes = plan->size,
                            .arena_bound = plan->bound};
    r->description = arena_strdup(&r->arena, l->model->description);
    fill_ops(l, r);
    fill_steps(l, plan, r);
    fill_buffers(l, plan, r);
    r->inputs = fill_tensors(l, l->graph->inputs, l->graph->input_count, r);
    r->input_count = l->graph->input_count;
    r->outputs = fill_tensors(l, l->graph->outputs, l->graph->output_count, r);
    r->output_count = l->graph->output_count;
}

bool nn_step_is_float(const struct nn_report_step *s)
{
    return (s->kind >= KERNEL_CONV_F32 && s->kind <= KERNEL_REDUCE_F32) ||
           (s->kind >= KERNEL_RESIZE_BILINEAR_F32 && s->kind <= KERNEL_LSTM_F32);
}

void nn_report_release(struct nn_report *report)
{
    arena_release(&report->arena);
    *report = (struct nn_report){.macs = 0};
}
