#include "harness/tflite/model.h"

#include <assert.h>
#include <string.h>

#include "harness/tflite/fb.h"

#define U8(n, v)                                                                                   \
    {                                                                                              \
        .id = (n), .kind = FB_U8, .i = (v)                                                         \
    }
#define I32(n, v)                                                                                  \
    {                                                                                              \
        .id = (n), .kind = FB_I32, .i = (v)                                                        \
    }
#define REF(n)                                                                                     \
    {                                                                                              \
        .id = (n), .kind = FB_REF                                                                  \
    }

struct tfl_tensor *tfl_add_tensor(struct tfl_model *m)
{
    struct tfl_tensor *t = ARENA_PUSH(&m->arena, m->tensors, m->tensor_count, m->tensor_capacity);
    *t = (struct tfl_tensor){.name = ""};
    return t;
}

struct tfl_op *tfl_add_op(struct tfl_model *m, enum tfl_builtin code, int32_t version)
{
    struct tfl_op *op = ARENA_PUSH(&m->arena, m->ops, m->op_count, m->op_capacity);
    *op = (struct tfl_op){.code = code, .version = version};
    return op;
}

void tfl_op_input(struct tfl_op *op, int32_t tensor)
{
    assert(op->input_count < TFL_INPUTS_MAX);
    op->inputs[op->input_count++] = tensor;
}

void tfl_op_output(struct tfl_op *op, int32_t tensor)
{
    assert(op->output_count < TFL_OUTPUTS_MAX);
    op->outputs[op->output_count++] = tensor;
}

struct tfl_option *tfl_op_option(struct tfl_op *op, uint8_t id, enum tfl_option_kind kind)
{
    assert(op->option_count < TFL_OPTIONS_MAX);
    struct tfl_option *o = &op->options[op->option_count++];
    *o = (struct tfl_option){.id = id, .kind = kind};
    return o;
}

static int options_table(enum tfl_builtin code)
{
    static const uint8_t tables[] = {
#define X(name, number, options) [number] = (options),
        TFL_OPERATOR_LIST(X)
#undef X
    };
    return tables[code];
}

static void write_ints(struct buf *b, fb_slot_t slot, const int32_t *v, size_t n)
{
    fb_vector(b, slot, v, n, 4, 4);
}

/* Operators with the same code and version share one entry: the index of the first such operator. */
static size_t first_use(const struct tfl_model *m, size_t op)
{
    size_t i = 0;
    while (m->ops[i].code != m->ops[op].code || m->ops[i].version != m->ops[op].version)
        i++;
    return i;
}

static size_t code_index(const struct tfl_model *m, size_t op)
{
    size_t n = 0;
    for (size_t i = 0; i < first_use(m, op); i++)
        n += first_use(m, i) == i;
    return n;
}

static void write_codes(struct buf *b, fb_slot_t slot, const struct tfl_model *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->op_count; i++)
        count += first_use(m, i) == i;
    fb_slot_t entry = fb_ref_vector(b, slot, count);
    for (size_t i = 0; i < m->op_count; i++) {
        const struct tfl_op *op = &m->ops[i];
        if (first_use(m, i) != i)
            continue;
        int old = op->code < 127 ? (int)op->code : 127; /* the byte field of old readers */
        struct fb_field f[] = {U8(0, old), I32(2, op->version), I32(3, (int32_t)op->code)};
        fb_table(b, entry, f, ARRAY_SIZE(f));
        entry += 4;
    }
}

static void write_quantisation(struct buf *b, fb_slot_t slot, const struct tfl_tensor *t)
{
    struct fb_field f[] = {REF(2), REF(3), I32(6, t->axis)};
    size_t table = fb_table(b, slot, f, ARRAY_SIZE(f));
    fb_vector(b, fb_slot(b, table, 2), t->scales, t->scale_count, 4, 4);
    fb_vector(b, fb_slot(b, table, 3), t->zero_points, t->scale_count, 8, 8);
}

/* Buffer 0 is the empty one; constants have their own, in tensor order. */
static int32_t buffer_of(const struct tfl_model *m, size_t tensor)
{
    int32_t n = 0;
    for (size_t i = 0; i <= tensor; i++)
        n += m->tensors[i].data != NULL;
    return m->tensors[tensor].data ? n : 0;
}

static void write_tensor(struct buf *b, fb_slot_t slot, const struct tfl_model *m, size_t index)
{
    const struct tfl_tensor *t = &m->tensors[index];
    struct fb_field f[8] = {REF(0), U8(1, (int)t->type), I32(2, buffer_of(m, index)), REF(3)};
    size_t n = 4;
    if (t->scale_count > 0)
        f[n++] = (struct fb_field)REF(4);
    if (t->is_variable)
        f[n++] = (struct fb_field)U8(5, 1);
    f[n++] = (struct fb_field)U8(8, 1);
    size_t table = fb_table(b, slot, f, n);
    write_ints(b, fb_slot(b, table, 0), t->shape, t->rank);
    fb_string(b, fb_slot(b, table, 3), t->name);
    if (t->scale_count > 0)
        write_quantisation(b, fb_slot(b, table, 4), t);
}

static struct fb_field option_field(const struct tfl_option *o)
{
    static const enum fb_kind kinds[] = {
        [TFL_OPT_U8] = FB_U8,    [TFL_OPT_I32] = FB_I32,    [TFL_OPT_F32] = FB_F32,
        [TFL_OPT_INTS] = FB_REF, [TFL_OPT_STRING] = FB_REF,
    };
    return (struct fb_field){.id = o->id, .kind = kinds[o->kind], .i = o->i, .f = o->f};
}

static void write_options(struct buf *b, fb_slot_t slot, const struct tfl_op *op)
{
    struct fb_field f[TFL_OPTIONS_MAX];
    for (size_t i = 0; i < op->option_count; i++)
        f[i] = option_field(&op->options[i]);
    size_t table = fb_table(b, slot, f, op->option_count);
    for (size_t i = 0; i < op->option_count; i++) {
        const struct tfl_option *o = &op->options[i];
        if (o->kind == TFL_OPT_INTS)
            write_ints(b, fb_slot(b, table, o->id), o->ints, (size_t)o->i);
        if (o->kind == TFL_OPT_STRING)
            fb_string(b, fb_slot(b, table, o->id), o->string);
    }
}

static void write_op(struct buf *b, fb_slot_t slot, const struct tfl_model *m, size_t index)
{
    const struct tfl_op *op = &m->ops[index];
    int options = options_table(op->code);
    struct fb_field f[8] = {I32(0, (int32_t)code_index(m, index)), REF(1), REF(2)};
    size_t n = 3;
    if (options) {
        f[n++] = (struct fb_field)U8(3, options);
        f[n++] = (struct fb_field)REF(4);
    }
    if (op->intermediate_count > 0)
        f[n++] = (struct fb_field)REF(8);
    size_t table = fb_table(b, slot, f, n);
    write_ints(b, fb_slot(b, table, 1), op->inputs, op->input_count);
    write_ints(b, fb_slot(b, table, 2), op->outputs, op->output_count);
    if (options)
        write_options(b, fb_slot(b, table, 4), op);
    if (op->intermediate_count > 0)
        write_ints(b, fb_slot(b, table, 8), op->intermediates, op->intermediate_count);
}

static void write_subgraph(struct buf *b, fb_slot_t slot, const struct tfl_model *m)
{
    struct fb_field f[] = {REF(0), REF(1), REF(2), REF(3), REF(4)};
    size_t table = fb_table(b, slot, f, ARRAY_SIZE(f));
    fb_slot_t entry = fb_ref_vector(b, fb_slot(b, table, 0), m->tensor_count);
    for (size_t i = 0; i < m->tensor_count; i++)
        write_tensor(b, entry + 4 * i, m, i);
    write_ints(b, fb_slot(b, table, 1), m->inputs, m->input_count);
    write_ints(b, fb_slot(b, table, 2), m->outputs, m->output_count);
    entry = fb_ref_vector(b, fb_slot(b, table, 3), m->op_count);
    for (size_t i = 0; i < m->op_count; i++)
        write_op(b, entry + 4 * i, m, i);
    fb_string(b, fb_slot(b, table, 4), "main");
}

static void write_buffers(struct buf *b, fb_slot_t slot, const struct tfl_model *m)
{
    size_t count = 1;
    for (size_t i = 0; i < m->tensor_count; i++)
        count += m->tensors[i].data != NULL;
    fb_slot_t entry = fb_ref_vector(b, slot, count);
    fb_table(b, entry, NULL, 0);
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct tfl_tensor *t = &m->tensors[i];
        if (!t->data)
            continue;
        entry += 4;
        size_t table = fb_table(b, entry, (struct fb_field[]){REF(0)}, 1);
        fb_vector(b, fb_slot(b, table, 0), t->data, t->size, 1, 16); /* schema: force_align 16 */
    }
}

void tfl_write(const struct tfl_model *m, struct buf *ret)
{
    fb_slot_t root = fb_begin(ret, "TFL3");
    struct fb_field f[] = {I32(0, 3), REF(1), REF(2), REF(3), REF(4)};
    size_t table = fb_table(ret, root, f, ARRAY_SIZE(f));
    write_codes(ret, fb_slot(ret, table, 1), m);
    fb_slot_t graph = fb_ref_vector(ret, fb_slot(ret, table, 2), 1);
    write_subgraph(ret, graph, m);
    fb_string(ret, fb_slot(ret, table, 3), m->description);
    write_buffers(ret, fb_slot(ret, table, 4), m);
}

void tfl_model_release(struct tfl_model *m)
{
    arena_release(&m->arena);
}
