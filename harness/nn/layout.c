#include "harness/nn/layout.h"

#include <string.h>

#include "agents/engines/engine.h"
#include "agents/engines/image.h"
#include "agents/wire/wire.h"
#include "harness/base/hash.h"

/* An arena larger than this is not for a microcontroller; it also keeps every sum in 32 bits. */
#define MAX_ARENA (256u << 20)
#define MAX_IMAGE (256u << 20)

/* ---- lifetimes ---- */

static void touch(struct nn_buffer *b, uint32_t step)
{
    if (!b->used) {
        b->used = true;
        b->first = b->last = step;
        return;
    }
    b->first = step < b->first ? step : b->first;
    b->last = step > b->last ? step : b->last;
}

static void find_lifetimes(struct nn_lower *l)
{
    uint32_t end = (uint32_t)l->step_count;

    for (size_t i = 0; i < l->buffer_count; i++)
        l->buffers[i].used = false;
    for (uint32_t i = 0; i < l->step_count; i++) {
        for (unsigned k = 0; k < l->steps[i].span_count; k++)
            touch(&l->buffers[l->steps[i].spans[k].buffer], i);
    }
    for (size_t i = 0; i < l->graph->input_count; i++) {
        struct nn_buffer *b = &l->buffers[l->span_of[l->graph->inputs[i]].buffer];
        touch(b, 0);
        if (!l->target->reuse_inputs)
            touch(b, end);
    }
    for (size_t i = 0; i < l->graph->output_count; i++)
        touch(&l->buffers[l->span_of[l->graph->outputs[i]].buffer], end);
    for (size_t i = 0; i < l->buffer_count; i++) {
        struct nn_buffer *b = &l->buffers[i];
        if (b->used && (b->whole || b->variable)) {
            b->first = 0;
            b->last = end;
        }
    }
}

/* ---- sharing ---- */

/*
 * The least slack over all spans of the step that name `in`, between the starts of the two buffers;
 * false when one of them may not be shared.
 */
static bool shared_slack(const struct nn_step *s, unsigned out, uint32_t in, int32_t *slack)
{
    int32_t out_offset = (int32_t)s->spans[out].offset;

    for (unsigned k = 0; k < s->span_count; k++) {
        bool allowed = false;
        if (s->spans[k].buffer != in)
            continue;
        for (unsigned i = 0; i < s->sharing_count; i++) {
            const struct nn_sharing *r = &s->sharings[i];
            if (r->out != out || r->in != k)
                continue;
            int32_t here = r->slack + (int32_t)s->spans[k].offset - out_offset;
            allowed = true;
            *slack = here < *slack ? here : *slack;
        }
        if (!allowed)
            return false;
    }
    return true;
}

static void find_overlaps(const struct nn_lower *l, const uint32_t *item_of, struct nn_plan *plan)
{
    for (uint32_t i = 0; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        for (unsigned k = 0; k < s->sharing_count; k++) {
            uint32_t out = s->spans[s->sharings[k].out].buffer;
            uint32_t in = s->spans[s->sharings[k].in].buffer;
            const struct nn_buffer *o = &l->buffers[out], *b = &l->buffers[in];
            int32_t slack = INT32_MAX / 2;
            if (out == in || b->data || b->last != i || o->first != i || b->variable ||
                o->variable || !shared_slack(s, s->sharings[k].out, in, &slack))
                continue;
            plan->overlaps[plan->overlap_count++] =
                (struct plan_overlap){item_of[out], item_of[in], slack};
        }
    }
}

/* Chains that run in strips: strips_chain.c has looked at all that happens to the two. */
static void find_chain_overlaps(const struct nn_lower *l, const uint32_t *item_of,
                                struct nn_plan *plan)
{
    for (size_t i = 0; i < l->overlap_count; i++) {
        const struct nn_overlap *o = &l->overlaps[i];
        if (l->buffers[o->out].used && l->buffers[o->in].used)
            plan->overlaps[plan->overlap_count++] =
                (struct plan_overlap){item_of[o->out], item_of[o->in], o->slack};
    }
}

static uint32_t place_apart(struct nn_plan *plan)
{
    uint32_t end = 0;

    for (size_t i = 0; i < plan->count; i++) {
        struct plan_buffer *b = &plan->buffers[i];
        b->offset = (end + b->align - 1) & ~(b->align - 1);
        end = b->offset + b->size;
    }
    return end;
}

bool layout_items(struct nn_lower *l, struct nn_plan *plan)
{
    uint32_t *item_of = arena_alloc(l->arena, l->buffer_count * sizeof *item_of + 1);
    uint64_t sum = 0;

    find_lifetimes(l);
    memset(plan, 0, sizeof *plan);
    plan->buffers = arena_alloc(l->arena, l->buffer_count * sizeof *plan->buffers + 1);
    plan->buffer = arena_alloc(l->arena, l->buffer_count * sizeof *plan->buffer + 1);
    plan->overlaps = arena_alloc(
        l->arena,
        (l->step_count * NN_MAX_SHARINGS + l->overlap_count) * sizeof *plan->overlaps + 1);
    for (uint32_t i = 0; i < l->buffer_count; i++) {
        const struct nn_buffer *b = &l->buffers[i];
        if (b->data || !b->used)
            continue;
        sum += b->size;
        item_of[i] = (uint32_t)plan->count;
        plan->buffer[plan->count] = i;
        plan->buffers[plan->count++] = (struct plan_buffer){
            .size = b->size, .align = b->align, .first = b->first, .last = b->last};
    }
    plan->sum = sum;
    if (sum > MAX_ARENA || plan->count > PLAN_MAX_BUFFERS)
        return false;
    find_overlaps(l, item_of, plan);
    find_chain_overlaps(l, item_of, plan);
    return true;
}

int layout_plan(struct nn_lower *l, struct nn_plan *plan)
{
    if (!layout_items(l, plan))
        return err_set(l->err, ERR_UNSUPPORTED,
                       "%zu tensors of %llu bytes in all are too many for a microcontroller: at "
                       "most %d tensors of %u MiB are planned",
                       plan->count, (unsigned long long)plan->sum, PLAN_MAX_BUFFERS,
                       MAX_ARENA >> 20);
    plan->size = l->target->apart
                     ? place_apart(plan)
                     : plan_arena(plan->buffers, plan->count, plan->overlaps, plan->overlap_count);
    plan->bound = plan_lower_bound(plan->buffers, plan->count, plan->overlaps, plan->overlap_count);
    plan->size = (plan->size + 3) & ~3u;
    for (size_t i = 0; i < plan->count; i++)
        l->buffers[plan->buffer[i]].offset = plan->buffers[i].offset;
    return 0;
}

/* ---- bytes ---- */

static void pad_to(struct buf *b, size_t align)
{
    while (b->len % align)
        buf_putc(b, 0);
}

static int tensor_type(enum nn_type type)
{
    switch (type) {
    case NN_INT8:
        return ENGINE_INT8;
    case NN_UINT8:
    case NN_BOOL:
        return ENGINE_UINT8;
    case NN_INT16:
        return ENGINE_INT16;
    case NN_INT32:
        return ENGINE_INT32;
    case NN_FLOAT32:
        return ENGINE_FLOAT32;
    default:
        return -1;
    }
}

static int write_tensor(struct nn_lower *l, const char *what, size_t i, int32_t index,
                        struct buf *b)
{
    const struct nn_tensor *t = &l->graph->tensors[index];
    int type = tensor_type(t->type);

    if (type < 0)
        return err_set(l->err, ERR_UNSUPPORTED,
                       "%s %zu of the model (tensor %d '%s'): type %s "
                       "is not supported",
                       what, i, index, t->name, nn_type_name((int)t->type));
    const struct nn_span *span = &l->span_of[index];
    struct image_tensor tensor = {.offset = l->buffers[span->buffer].offset + span->offset,
                                  .size = (uint32_t)t->size,
                                  .type = (uint8_t)type};
    buf_append(b, &tensor, sizeof tensor);
    return 0;
}

static int write_tensors(struct nn_lower *l, struct buf *b)
{
    for (size_t i = 0; i < l->graph->input_count; i++) {
        if (write_tensor(l, "input", i, l->graph->inputs[i], b) < 0)
            return l->err->code;
    }
    for (size_t i = 0; i < l->graph->output_count; i++) {
        if (write_tensor(l, "output", i, l->graph->outputs[i], b) < 0)
            return l->err->code;
    }
    return 0;
}

static uint16_t write_variables(const struct nn_lower *l, struct buf *b)
{
    uint16_t n = 0;

    for (size_t i = 0; i < l->buffer_count; i++) {
        const struct nn_buffer *v = &l->buffers[i];
        if (!v->used || !v->variable)
            continue;
        struct image_variable variable = {v->offset, v->size, IMAGE_FILL | v->init_fill};
        if (v->init)
            variable.init = v->init_at;
        buf_append(b, &variable, sizeof variable);
        n++;
    }
    return n;
}

static void write_steps(const struct nn_lower *l, struct buf *b)
{
    for (size_t i = 0; i < l->step_count; i++) {
        const struct nn_step *s = &l->steps[i];
        uint32_t size = sizeof(struct image_step) +
                        s->span_count * (uint32_t)sizeof(struct kernel_span) + s->params_size;
        struct image_step step = {.kind = s->kind,
                                  .variant = s->variant,
                                  .spans = (uint8_t)s->span_count,
                                  .flags = s->plain ? IMAGE_STEP_PLAIN : 0,
                                  .words = (uint16_t)((size + 3) / 4),
                                  .op = s->op};
        buf_append(b, &step, sizeof step);
        for (unsigned k = 0; k < s->span_count; k++) {
            const struct nn_buffer *buffer = &l->buffers[s->spans[k].buffer];
            struct kernel_span span = {buffer->offset + s->spans[k].offset, s->spans[k].size};
            span.where |= buffer->data ? KERNEL_SPAN_CONST : 0;
            buf_append(b, &span, sizeof span);
        }
        buf_append(b, s->params, s->params_size);
        pad_to(b, 4);
    }
}

/* Bytes before the first constant. */
static size_t head_size(const struct nn_lower *l)
{
    size_t n = sizeof(struct image_header) +
               (l->graph->input_count + l->graph->output_count) * sizeof(struct image_tensor);

    for (size_t i = 0; i < l->buffer_count; i++) {
        if (l->buffers[i].used && l->buffers[i].variable)
            n += sizeof(struct image_variable);
    }
    for (size_t i = 0; i < l->step_count; i++)
        n += sizeof(struct image_step) + l->steps[i].span_count * sizeof(struct kernel_span) +
             ((l->steps[i].params_size + 3u) & ~3u);
    return n;
}

static size_t align_up(size_t v, size_t align)
{
    return (v + align - 1) & ~(align - 1);
}

/* Strips of one operator bring the same constants again, a few hundred buffers further on. */
#define REPEATED_WITHIN 1024

static const struct nn_buffer *same_constant(const struct nn_lower *l, size_t index)
{
    const struct nn_buffer *b = &l->buffers[index];

    for (size_t i = index; b->data && i-- > 0 && index - i < REPEATED_WITHIN;) {
        const struct nn_buffer *c = &l->buffers[i];
        if (c->used && c->data && !c->repeated && c->hash == b->hash && c->size == b->size &&
            c->align >= b->align && memcmp(c->data, b->data, b->size) == 0)
            return c;
    }
    return NULL;
}

/* Every constant that a step reads, and the first values of variables, once. */
static size_t place_constants(struct nn_lower *l, size_t at)
{
    for (size_t i = 0; i < l->buffer_count; i++) {
        struct nn_buffer *b = &l->buffers[i];
        if (!b->used || (!b->data && !b->init))
            continue;
        b->hash = b->data ? hash_mix(b->data, b->size) : 0;
        const struct nn_buffer *first = same_constant(l, i);
        b->repeated = first != NULL;
        if (first) {
            b->offset = first->offset;
            continue;
        }
        at = align_up(at, b->align);
        *(b->data ? &b->offset : &b->init_at) = (uint32_t)at;
        at += b->size;
    }
    return at;
}

static void write_constants(const struct nn_lower *l, struct buf *b)
{
    for (size_t i = 0; i < l->buffer_count; i++) {
        const struct nn_buffer *c = &l->buffers[i];
        if (!c->used || c->repeated || (!c->data && !c->init))
            continue;
        pad_to(b, c->align);
        buf_append(b, c->data ? c->data : c->init, c->size);
    }
}

static void finish_header(struct buf *b, struct image_header *h)
{
    size_t checked = offsetof(struct image_header, arena_size);

    h->size = (uint32_t)b->len;
    memcpy(b->data, h, sizeof *h);
    h->crc32 = wire_crc32(0, b->data + checked, b->len - checked);
    memcpy(b->data, h, sizeof *h);
}

int layout_write(struct nn_lower *l, const struct nn_plan *plan, const uint8_t model_hash[8],
                 struct buf *b)
{
    struct image_header h = {.magic = IMAGE_MAGIC,
                             .version = IMAGE_VERSION,
                             .header_size = sizeof h,
                             .arena_size = plan->size,
                             .steps = (uint16_t)l->step_count,
                             .inputs = (uint8_t)l->graph->input_count,
                             .outputs = (uint8_t)l->graph->output_count};
    size_t end = place_constants(l, align_up(head_size(l), IMAGE_ALIGN));

    if (end > MAX_IMAGE || l->step_count > UINT16_MAX)
        return err_set(l->err, ERR_UNSUPPORTED, "the image would have %zu bytes and %zu steps", end,
                       l->step_count);
    if (l->graph->input_count + l->graph->output_count > IMAGE_MAX_TENSORS)
        return err_set(l->err, ERR_UNSUPPORTED, "%zu inputs and %zu outputs, at most %d in all",
                       l->graph->input_count, l->graph->output_count, IMAGE_MAX_TENSORS);
    memcpy(h.model_hash, model_hash, sizeof h.model_hash);
    buf_append(b, &h, sizeof h);
    if (write_tensors(l, b) < 0)
        return l->err->code;
    h.variables = write_variables(l, b);
    h.steps_at = (uint32_t)b->len;
    write_steps(l, b);
    h.steps_end = (uint32_t)b->len;
    pad_to(b, IMAGE_ALIGN);
    write_constants(l, b);
    pad_to(b, 4);
    finish_header(b, &h);
    return 0;
}
