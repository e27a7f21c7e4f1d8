/* Operators that move values about without changing them. */
#include <string.h>

#include "harness/nn/lower.h"

void lower_strides(const struct nn_tensor *t, int64_t strides[NN_MAX_RANK])
{
    int64_t stride = 1;

    for (unsigned i = t->rank; i-- > 0;) {
        strides[i] = stride;
        stride *= t->dims[i];
    }
}

int lower_copy(struct nn_lower *l, const struct nn_block *b, uint32_t element, struct nn_span in,
               struct nn_span out)
{
    struct kernel_copy p = {.run = element,
                            .in_start = (uint32_t)(b->in_start * element),
                            .out_start = (uint32_t)(b->out_start * element)};

    for (unsigned i = 0; i < b->rank; i++) {
        if (b->dims[i] == 0)
            return 0;
        if (b->dims[i] == 1)
            continue;
        p.dims[p.rank] = b->dims[i];
        p.in_strides[p.rank] = (int32_t)(b->in_strides[i] * element);
        p.out_strides[p.rank++] = (int32_t)(b->out_strides[i] * element);
    }
    while (p.rank && p.in_strides[p.rank - 1] == (int32_t)p.run &&
           p.out_strides[p.rank - 1] == (int32_t)p.run) {
        p.run *= p.dims[--p.rank];
        p.dims[p.rank] = 0;
        p.in_strides[p.rank] = p.out_strides[p.rank] = 0;
    }
    struct nn_step *s = lower_step(l, KERNEL_COPY, KERNEL_REF, &p);
    lower_span(s, in);
    lower_span(s, out);
    return 0;
}

/* Input i and output k of the operator, of one type that can be moved. NULL: failed. */
static const struct nn_tensor *movable(struct nn_lower *l, const struct nn_tensor *t)
{
    if (!t)
        LOWER_FAIL(l, "an input is missing");
    else if (nn_type_bits((int)t->type) < 8 || nn_type_bits((int)t->type) > 64)
        LOWER_FAIL_TENSOR(l, lower_index(l, t), "type %s is not supported here",
                          nn_type_name((int)t->type));
    else if (t->elements == 0)
        LOWER_FAIL_TENSOR(l, lower_index(l, t), "has no elements");
    else
        return t;
    return NULL;
}

static const struct nn_tensor *moved_output(struct nn_lower *l, size_t i,
                                            const struct nn_tensor *in)
{
    const struct nn_tensor *out = movable(l, &l->graph->tensors[l->op->outputs[i]]);

    if (!out || out->type == in->type)
        return out;
    LOWER_FAIL_TENSOR(l, lower_index(l, out), "type %s, %s is expected",
                      nn_type_name((int)out->type), nn_type_name((int)in->type));
    return NULL;
}

/* RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes. */
int lower_reshape(struct nn_lower *l)
{
    if (lower_arity(l, 1, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = movable(l, lower_optional(l, 0));
    const struct nn_tensor *out = in ? moved_output(l, 0, in) : NULL;
    if (!out)
        return lower_failed(l);
    if (out->elements != in->elements)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s does not hold as many elements as %s",
                                 nn_shape_text(l->arena, out), nn_shape_text(l->arena, in));
    return lower_alias(l, out, in, 0);
}

/* ---- pieces of a tensor ---- */

/* The block goes from `in` to the whole of `out`; without a copy when it is one contiguous piece. */
static int cut_out(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                   struct nn_block *b)
{
    uint32_t element = lower_element_size(in);
    int64_t expected = 1;
    bool contiguous = true;
    struct nn_span from, to;

    for (unsigned i = b->rank; i-- > 0;) {
        contiguous &= b->dims[i] == 1 || b->in_strides[i] == expected;
        expected *= b->dims[i];
    }
    if (contiguous && b->in_start * element % 4 == 0)
        return lower_alias(l, out, in, (uint32_t)(b->in_start * element));
    if (lower_read(l, in, &from) < 0 || lower_write(l, out, &to) < 0)
        return lower_failed(l);
    return lower_copy(l, b, element, from, to);
}

/* `count` steps along one axis, from `start` on. */
static int cut_axis(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out,
                    unsigned axis, int64_t start)
{
    struct nn_block b = {.rank = in->rank};

    lower_strides(in, b.in_strides);
    int64_t stride = 1;
    for (unsigned i = in->rank; i-- > 0;) {
        b.dims[i] = (uint32_t)in->dims[i];
        if (i == axis)
            b.dims[i] = (uint32_t)(out->elements / ((size_t)lower_extent(in, 0, axis) *
                                                    lower_extent(in, axis + 1, in->rank)));
        b.out_strides[i] = stride;
        stride *= b.dims[i];
    }
    b.in_start = start * b.in_strides[axis];
    if ((size_t)stride != out->elements || start + b.dims[axis] > in->dims[axis])
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s is not a piece of %s",
                                 nn_shape_text(l->arena, out), nn_shape_text(l->arena, in));
    return cut_out(l, in, out, &b);
}

/* All outputs, one behind the other along the axis. */
static int cut_pieces(struct nn_lower *l, const struct nn_tensor *in, int64_t axis)
{
    int64_t start = 0;
    unsigned a;

    if (!in || lower_axis(l, axis, in->rank, &a) < 0)
        return lower_failed(l);
    size_t rest = (size_t)lower_extent(in, 0, a) * lower_extent(in, a + 1, in->rank);
    for (size_t i = 0; i < l->op->output_count; i++) {
        const struct nn_tensor *out = moved_output(l, i, in);
        if (!out || cut_axis(l, in, out, a, start) < 0)
            return lower_failed(l);
        start += (int64_t)(out->elements / rest);
    }
    if (start != in->dims[a])
        return LOWER_FAIL(l, "%lld of %d steps along dimension %u are used", (long long)start,
                          in->dims[a], a);
    return 0;
}

int lower_split(struct nn_lower *l)
{
    const struct nn_tensor *axis = lower_const(l, 0, NN_INT32);

    if (!axis)
        return lower_failed(l);
    return cut_pieces(l, movable(l, lower_optional(l, 1)), lower_const_int(axis, 0));
}

int lower_split_v(struct nn_lower *l)
{
    const struct nn_tensor *axis = lower_const(l, 2, NN_INT32);

    if (!axis)
        return lower_failed(l);
    return cut_pieces(l, movable(l, lower_optional(l, 0)), lower_const_int(axis, 0));
}

int lower_unpack(struct nn_lower *l)
{
    return cut_pieces(l, movable(l, lower_optional(l, 0)), l->op->options.axis);
}

static int64_t limit(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Element i of a constant of places; what lies beyond every tensor does so without overflowing. */
static int64_t place_at(const struct nn_tensor *t, size_t i)
{
    return limit(lower_const_int(t, i), -((int64_t)1 << 40), (int64_t)1 << 40);
}

/* Begin and stride along each dimension of `in`; `out` has as many elements as `dims` says. */
static int cut_slice(struct nn_lower *l, const struct nn_tensor *in, const int64_t *begin,
                     const int64_t *step, const int64_t *count)
{
    struct nn_block b = {.rank = in->rank};
    int64_t strides[NN_MAX_RANK], stride = 1;
    const struct nn_tensor *out = moved_output(l, 0, in);

    if (!out)
        return lower_failed(l);
    lower_strides(in, strides);
    for (unsigned i = in->rank; i-- > 0;) {
        int64_t last = begin[i] + (count[i] - 1) * step[i];
        if (count[i] < 1 || begin[i] < 0 || begin[i] >= in->dims[i] || last < 0 ||
            last >= in->dims[i])
            return LOWER_FAIL(l, "dimension %u: %lld steps of %lld from %lld leave 0..%d", i,
                              (long long)count[i], (long long)step[i], (long long)begin[i],
                              in->dims[i] - 1);
        b.dims[i] = (uint32_t)count[i];
        b.in_start += begin[i] * strides[i];
        b.in_strides[i] = step[i] * strides[i];
        b.out_strides[i] = stride;
        stride *= count[i];
    }
    if ((size_t)stride != out->elements)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out),
                                 "%s does not hold the %lld elements cut out",
                                 nn_shape_text(l->arena, out), (long long)stride);
    return cut_out(l, in, out, &b);
}

/* A constant INT32 or INT64 with one value for each dimension of `in`. */
static const struct nn_tensor *per_dimension(struct nn_lower *l, size_t i,
                                             const struct nn_tensor *in)
{
    const struct nn_tensor *t = lower_optional(l, i);

    if (t && t->data && (t->type == NN_INT32 || t->type == NN_INT64) && t->elements == in->rank)
        return t;
    LOWER_FAIL(l, "input %zu must be a constant with an integer for each dimension", i);
    return NULL;
}

int lower_slice(struct nn_lower *l)
{
    int64_t begin[NN_MAX_RANK], count[NN_MAX_RANK], step[NN_MAX_RANK];

    if (lower_arity(l, 3, 3, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = movable(l, lower_optional(l, 0));
    const struct nn_tensor *from = in ? per_dimension(l, 1, in) : NULL;
    const struct nn_tensor *size = from ? per_dimension(l, 2, in) : NULL;
    if (!size)
        return lower_failed(l);
    for (unsigned i = 0; i < in->rank; i++) {
        begin[i] = place_at(from, i);
        count[i] = place_at(size, i);
        count[i] = count[i] == -1 ? in->dims[i] - begin[i] : count[i];
        step[i] = 1;
    }
    return cut_slice(l, in, begin, step, count);
}

/* One dimension of STRIDED_SLICE: TensorFlow's masks, Python's limits. */
struct strided {
    int64_t n, begin, end, step;
    bool begin_masked, end_masked, shrink;
};

/* Sets begin to the first index and returns how many there are. */
static int64_t count_strided(struct strided *s)
{
    bool up = s->step > 0;
    int64_t begin = s->begin < 0 ? s->begin + s->n : s->begin;
    int64_t end = s->end < 0 ? s->end + s->n : s->end;

    begin = up ? limit(begin, 0, s->n) : limit(begin, -1, s->n - 1);
    end = up ? limit(end, 0, s->n) : limit(end, -1, s->n - 1);
    if (s->begin_masked)
        begin = up ? 0 : s->n - 1;
    if (s->end_masked)
        end = up ? s->n : -1;
    s->begin = begin;
    if (s->shrink)
        return 1;
    int64_t span = up ? end - begin : begin - end;
    int64_t step = up ? s->step : -s->step;
    return span > 0 ? (span + step - 1) / step : 0;
}

int lower_strided_slice(struct nn_lower *l)
{
    const struct nn_options *o = &l->op->options;
    int64_t begin[NN_MAX_RANK], count[NN_MAX_RANK], step[NN_MAX_RANK];

    if (lower_arity(l, 4, 4, 1) < 0)
        return lower_failed(l);
    if (o->ellipsis_mask || o->new_axis_mask)
        return LOWER_FAIL(l, "ellipsis and new axes are not supported");
    const struct nn_tensor *in = movable(l, lower_optional(l, 0));
    const struct nn_tensor *from = in ? per_dimension(l, 1, in) : NULL;
    const struct nn_tensor *to = from ? per_dimension(l, 2, in) : NULL;
    const struct nn_tensor *steps = to ? per_dimension(l, 3, in) : NULL;
    if (!steps)
        return lower_failed(l);
    for (unsigned i = 0; i < in->rank; i++) {
        struct strided s = {.n = in->dims[i],
                            .begin = place_at(from, i),
                            .end = place_at(to, i),
                            .step = place_at(steps, i),
                            .begin_masked = o->begin_mask >> i & 1,
                            .end_masked = o->end_mask >> i & 1,
                            .shrink = o->shrink_axis_mask >> i & 1};
        if (s.step == 0 || s.step > INT32_MAX || s.step < -INT32_MAX)
            return LOWER_FAIL(l, "a stride of %lld is not supported", (long long)s.step);
        s.end += o->end_is_offset ? s.begin : 0;
        count[i] = count_strided(&s);
        begin[i] = s.begin;
        step[i] = s.shrink ? 1 : s.step;
    }
    return cut_slice(l, in, begin, step, count);
}

/* ---- pieces put together ---- */

/* Bytes are joined as they are, so they have to stand for the same values. */
static int check_joined(struct nn_lower *l, const struct nn_tensor *in, const struct nn_tensor *out)
{
    if (in->type != NN_INT8 && in->type != NN_UINT8 && in->type != NN_INT16)
        return 0;
    if (in->quant.count == 1 && out->quant.count == 1)
        return lower_same_quant(l, out, in);
    if (in->quant.count == out->quant.count)
        return 0;
    return LOWER_FAIL_TENSOR(l, lower_index(l, in), "has %zu scales, the output has %zu",
                             in->quant.count, out->quant.count);
}

/* Every input behind the last one along the axis; `after` elements make one step. */
static int join(struct nn_lower *l, const struct nn_tensor *out, uint32_t before)
{
    struct nn_span to;
    int64_t start = 0, row = (int64_t)(out->elements / before);

    if (lower_write(l, out, &to) < 0)
        return lower_failed(l);
    for (size_t i = 0; i < l->op->input_count; i++) {
        const struct nn_tensor *in = movable(l, lower_optional(l, i));
        struct nn_span from;
        if (!in || check_joined(l, in, out) < 0 || lower_read(l, in, &from) < 0)
            return lower_failed(l);
        int64_t piece = (int64_t)(in->elements / before);
        if (in->type != out->type || (size_t)piece * before != in->elements || start + piece > row)
            return LOWER_FAIL_TENSOR(l, lower_index(l, in), "%s does not fit into %s",
                                     nn_shape_text(l->arena, in), nn_shape_text(l->arena, out));
        struct nn_block b = {.rank = 2,
                             .dims = {before, (uint32_t)piece},
                             .in_strides = {piece, 1},
                             .out_strides = {row, 1},
                             .out_start = start};
        lower_copy(l, &b, lower_element_size(in), from, to);
        start += piece;
    }
    if (start != row)
        return LOWER_FAIL(l, "the inputs do not fill the output");
    return 0;
}

int lower_concatenation(struct nn_lower *l)
{
    unsigned axis;

    if (lower_arity(l, 1, 64, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *first = movable(l, lower_optional(l, 0));
    const struct nn_tensor *out = first ? moved_output(l, 0, first) : NULL;
    if (!out || lower_axis(l, l->op->options.axis, out->rank, &axis) < 0)
        return lower_failed(l);
    if (l->op->options.activation != NN_ACT_NONE)
        return LOWER_FAIL(l, "a fused activation is not supported");
    return join(l, out, lower_extent(out, 0, axis));
}

int lower_pack(struct nn_lower *l)
{
    unsigned axis;

    if (lower_arity(l, 1, 64, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *first = movable(l, lower_optional(l, 0));
    const struct nn_tensor *out = first ? moved_output(l, 0, first) : NULL;
    if (!out || lower_axis(l, l->op->options.axis, out->rank, &axis) < 0)
        return lower_failed(l);
    return join(l, out, lower_extent(out, 0, axis));
}

/* ---- TRANSPOSE ---- */

int lower_transpose(struct nn_lower *l)
{
    struct nn_block b = {0};
    int64_t strides[NN_MAX_RANK];
    unsigned seen = 0;

    if (lower_arity(l, 2, 2, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = movable(l, lower_optional(l, 0));
    const struct nn_tensor *order = in ? per_dimension(l, 1, in) : NULL;
    const struct nn_tensor *out = order ? moved_output(l, 0, in) : NULL;
    if (!out)
        return lower_failed(l);
    lower_strides(in, strides);
    lower_strides(out, b.out_strides);
    b.rank = in->rank;
    for (unsigned i = 0; i < in->rank; i++) {
        unsigned from;
        if (lower_axis(l, lower_const_int(order, i), in->rank, &from) < 0)
            return lower_failed(l);
        seen |= 1u << from;
        b.dims[i] = (uint32_t)in->dims[from];
        b.in_strides[i] = strides[from];
        if (out->rank != in->rank || out->dims[i] != in->dims[from])
            return LOWER_FAIL_TENSOR(l, lower_index(l, out), "%s is not %s in that order",
                                     nn_shape_text(l->arena, out), nn_shape_text(l->arena, in));
    }
    if (seen != (1u << in->rank) - 1)
        return LOWER_FAIL(l, "the order names a dimension twice");
    return cut_out(l, in, out, &b);
}
