/* Operators with state: SVDF, LSTM, and variables behind handles. */
#include <math.h>
#include <string.h>

#include "harness/base/hash.h"
#include "harness/nn/lower.h"
#include "harness/nn/quant.h"

/* Input i as a constant INT8 matrix with one scale. NULL: failed. */
static const struct nn_tensor *matrix(struct nn_lower *l, size_t i, size_t rows, size_t columns)
{
    const struct nn_tensor *t = lower_const(l, i, NN_INT8);

    if (!t)
        return NULL;
    if (t->elements != rows * columns || t->quant.count != 1 || t->quant.zero_point[0] != 0) {
        LOWER_FAIL_TENSOR(l, lower_index(l, t), "%zu x %zu symmetric weights are expected", rows,
                          columns);
        return NULL;
    }
    return t;
}

/* Input i as a constant INT32 vector, or NULL when it is left out (ret_bad tells a bad one). */
static const struct nn_tensor *bias_of(struct nn_lower *l, size_t i, size_t count, bool *ret_bad)
{
    const struct nn_tensor *t = lower_optional(l, i);

    *ret_bad = t && (!t->data || t->type != NN_INT32 || t->elements != count);
    if (*ret_bad)
        LOWER_FAIL_TENSOR(l, lower_index(l, t), "the bias must be a constant of %zu INT32", count);
    return t;
}

/* A state tensor: variable, of one of the types, with a scale. NULL: failed. */
static const struct nn_tensor *state_of(struct nn_lower *l, size_t i, uint32_t types, size_t count)
{
    const struct nn_tensor *t = lower_in(l, i, types);

    if (!t)
        return NULL;
    if (!t->variable || t->elements != count) {
        LOWER_FAIL_TENSOR(l, lower_index(l, t), "a variable of %zu elements is expected", count);
        return NULL;
    }
    return t;
}

static int factor(struct nn_lower *l, const char *what, double real, int32_t *multiplier,
                  int32_t *shift)
{
    struct quant_multiplier m;

    if (!(real > 0) || !quant_multiplier(real, &m))
        return LOWER_FAIL(l, "%s: a factor of %g is not supported", what, real);
    *multiplier = m.multiplier;
    *shift = m.shift;
    return 0;
}

/* ---- SVDF ---- */

struct svdf {
    const struct nn_tensor *in, *feature, *time, *bias, *state, *out;
    struct kernel_svdf params;
};

static int check_svdf_rank(struct nn_lower *l, uint32_t units)
{
    const int32_t rank = l->op->options.rank;

    if (rank < 1 || rank > 1024)
        return LOWER_FAIL(l, "rank %d is not supported", rank);
    if ((uint64_t)units * (uint32_t)rank > INT32_MAX)
        return LOWER_FAIL(l, "%u units of rank %d are too many", units, rank);
    return 0;
}

static int read_svdf(struct nn_lower *l, struct svdf *s)
{
    struct kernel_svdf *p = &s->params;
    bool bad = false;

    s->in = lower_in(l, 0, TYPE_BIT(NN_INT8));
    s->out = s->in ? lower_out(l, 0, TYPE_BIT(NN_INT8)) : NULL;
    if (!s->out || lower_rank(l, s->in, 2) < 0 || lower_rank(l, s->out, 2) < 0)
        return lower_failed(l);
    p->rank = (uint32_t)l->op->options.rank;
    p->batches = (uint32_t)s->in->dims[0];
    p->in_n = (uint32_t)s->in->dims[1];
    uint32_t units = (uint32_t)s->out->dims[1];
    if (check_svdf_rank(l, units) < 0)
        return lower_failed(l);
    p->filters = units * p->rank;
    s->feature = matrix(l, 1, p->filters, p->in_n);
    s->time = s->feature ? lower_optional(l, 2) : NULL;
    if (!s->time)
        return s->feature ? LOWER_FAIL(l, "input 2 is missing") : lower_failed(l);
    p->memory = (uint32_t)(s->time->elements / p->filters);
    s->state = state_of(l, 4, TYPE_BIT(NN_INT8) | TYPE_BIT(NN_INT16),
                        (size_t)p->batches * p->filters * p->memory);
    s->bias = s->state ? bias_of(l, 3, units, &bad) : NULL;
    if (!s->state || bad)
        return lower_failed(l);
    if (!s->time->data || s->time->type != s->state->type || p->memory == 0 ||
        s->time->elements != (size_t)p->filters * p->memory || s->time->quant.count != 1 ||
        (size_t)s->out->dims[0] != p->batches)
        return LOWER_FAIL_TENSOR(l, lower_index(l, s->time),
                                 "%u x %u weights of the state's type are expected", p->filters,
                                 p->memory);
    return 0;
}

static int set_svdf(struct nn_lower *l, struct svdf *s)
{
    struct kernel_svdf *p = &s->params;
    double in = (double)s->in->quant.scale[0], state = (double)s->state->quant.scale[0];

    p->in_offset = -s->in->quant.zero_point[0];
    p->out_zero = s->out->quant.zero_point[0];
    p->state_zero = s->state->quant.zero_point[0];
    p->state_type = lower_kernel_type(s->state->type);
    if (factor(l, "state", in * (double)s->feature->quant.scale[0] / state, &p->state_multiplier,
               &p->state_shift) < 0 ||
        factor(l, "output",
               state * (double)s->time->quant.scale[0] / (double)s->out->quant.scale[0],
               &p->out_multiplier, &p->out_shift) < 0)
        return lower_failed(l);
    return 0;
}

/* Input i as a constant FLOAT32 matrix. NULL: failed. */
static const struct nn_tensor *float_matrix(struct nn_lower *l, size_t i, size_t rows,
                                            size_t columns)
{
    const struct nn_tensor *t = lower_float_const(l, i);

    if (t && t->elements != rows * columns) {
        LOWER_FAIL_TENSOR(l, lower_index(l, t), "%zu x %zu weights are expected", rows, columns);
        return NULL;
    }
    return t;
}

/* Here the activation is applied. */
static int read_float_svdf(struct nn_lower *l, struct svdf *s, struct kernel_svdf_f32 *p)
{
    s->in = lower_in(l, 0, TYPE_BIT(NN_FLOAT32));
    s->out = s->in ? lower_out(l, 0, TYPE_BIT(NN_FLOAT32)) : NULL;
    if (!s->out || lower_rank(l, s->in, 2) < 0 || lower_rank(l, s->out, 2) < 0 ||
        lower_float_range(l, &p->act_min, &p->act_max) < 0)
        return lower_failed(l);
    if (check_svdf_rank(l, (uint32_t)s->out->dims[1]) < 0)
        return lower_failed(l);
    if (s->out->dims[0] != s->in->dims[0])
        return LOWER_FAIL(l, "batch of %d in, %d out", s->in->dims[0], s->out->dims[0]);
    p->rank = (uint32_t)l->op->options.rank;
    p->batches = (uint32_t)s->in->dims[0];
    p->in_n = (uint32_t)s->in->dims[1];
    p->filters = (uint32_t)s->out->dims[1] * p->rank;
    s->feature = float_matrix(l, 1, p->filters, p->in_n);
    s->time = s->feature ? lower_float_const(l, 2) : NULL;
    if (!s->time)
        return lower_failed(l);
    p->memory = (uint32_t)(s->time->elements / p->filters);
    if (p->memory == 0 || s->time->elements != (size_t)p->filters * p->memory)
        return LOWER_FAIL_TENSOR(l, lower_index(l, s->time), "%zu weights for %u filters",
                                 s->time->elements, p->filters);
    s->state = state_of(l, 4, TYPE_BIT(NN_FLOAT32), (size_t)p->batches * p->filters * p->memory);
    return s->state ? 0 : lower_failed(l);
}

static int lower_float_svdf(struct nn_lower *l)
{
    struct svdf s = {0};
    struct kernel_svdf_f32 p = {.batches = 0};
    struct nn_span bias;

    if (lower_needs_fpu(l) < 0 || read_float_svdf(l, &s, &p) < 0 ||
        lower_float_bias(l, 3, p.filters / p.rank, &bias) < 0)
        return lower_failed(l);
    l->macs[l->op_index] = (uint64_t)p.batches * p.filters * (p.in_n + p.memory);
    struct nn_span state = lower_variable(l, s.state);
    struct nn_step *step = lower_step(l, KERNEL_SVDF_F32, KERNEL_REF, &p);
    if (lower_add_in(l, step, s.in) < 0 || lower_add_out(l, step, s.out) < 0 ||
        lower_add_in(l, step, s.feature) < 0 || lower_add_in(l, step, s.time) < 0)
        return lower_failed(l);
    lower_span(step, bias);
    lower_span(step, state);
    return 0;
}

/* The activation is not applied: the integer kernels of TensorFlow Lite only clamp to int8. */
int lower_svdf(struct nn_lower *l)
{
    struct svdf s = {0};

    if (lower_arity(l, 5, 5, 1) < 0)
        return lower_failed(l);
    if (lower_is_float(l))
        return lower_float_svdf(l);
    if (read_svdf(l, &s) < 0 || set_svdf(l, &s) < 0)
        return lower_failed(l);
    uint32_t units = s.params.filters / s.params.rank;
    int32_t *bias = arena_alloc(l->arena, units * sizeof *bias);
    for (uint32_t i = 0; s.bias && i < units; i++)
        bias[i] = (int32_t)lower_const_int(s.bias, i);
    l->macs[l->op_index] =
        (uint64_t)s.params.batches * s.params.filters * (s.params.in_n + s.params.memory);
    struct nn_span state = lower_variable(l, s.state);
    struct nn_step *step = lower_step(l, KERNEL_SVDF, KERNEL_REF, &s.params);
    if (lower_add_in(l, step, s.in) < 0 || lower_add_out(l, step, s.out) < 0 ||
        lower_add_in(l, step, s.feature) < 0 || lower_add_in(l, step, s.time) < 0)
        return lower_failed(l);
    lower_span(step, lower_constant(l, "bias", bias, units * sizeof *bias));
    lower_span(step, state);
    return 0;
}

/* ---- LSTM ---- */

/* Inputs of the operator: four each, in the order input, forget, cell, output. */
enum {
    LSTM_IN_WEIGHTS = 1,
    LSTM_HIDDEN_WEIGHTS = 5,
    LSTM_PEEPHOLES = 9,
    LSTM_BIASES = 12,
    LSTM_PROJECTION = 16,
    LSTM_HIDDEN = 18,
    LSTM_CELL = 19,
    LSTM_NORMS = 20,
    GATES = 4
};

struct lstm {
    const struct nn_tensor *in, *out, *hidden, *cell;
    const struct nn_tensor *in_weights[GATES], *hidden_weights[GATES], *biases[GATES];
    struct kernel_lstm params;
};

/* Peepholes, projection and layer norms: all must be left out. */
static int refuse_extras(struct nn_lower *l)
{
    static const struct {
        size_t from, to;
        const char *what;
    } extras[] = {{LSTM_PEEPHOLES, LSTM_PEEPHOLES + 3, "peepholes"},
                  {LSTM_PROJECTION, LSTM_PROJECTION + 2, "a projection"},
                  {LSTM_NORMS, LSTM_NORMS + 4, "layer normalisation"}};

    for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
        for (size_t k = extras[i].from; k < extras[i].to; k++) {
            if (lower_optional(l, k))
                return LOWER_FAIL(l, "%s is not supported", extras[i].what);
        }
    }
    if (l->op->options.activation != NN_ACT_TANH)
        return LOWER_FAIL(l, "activation %s is not supported (TANH is)",
                          nn_activation_name(l->op->options.activation));
    if (l->op->options.diagonal_recurrent)
        return LOWER_FAIL(l, "diagonal recurrent weights are not supported");
    return 0;
}

/* Input, output, and what their shapes say. */
static int read_sequence(struct nn_lower *l, enum nn_type type, struct lstm *m)
{
    struct kernel_lstm *p = &m->params;
    bool time_major = l->op->options.time_major;

    m->in = lower_in(l, 0, TYPE_BIT(type));
    m->out = m->in ? lower_out(l, 0, TYPE_BIT(type)) : NULL;
    if (!m->out || lower_rank(l, m->in, 3) < 0 || lower_rank(l, m->out, 3) < 0)
        return lower_failed(l);
    p->steps = (uint32_t)m->in->dims[time_major ? 0 : 1];
    p->batches = (uint32_t)m->in->dims[time_major ? 1 : 0];
    p->step_stride = time_major ? p->batches : 1;
    p->batch_stride = time_major ? 1 : p->steps;
    p->in_n = (uint32_t)m->in->dims[2];
    p->units = (uint32_t)m->out->dims[2];
    if (m->out->dims[0] != m->in->dims[0] || m->out->dims[1] != m->in->dims[1])
        return LOWER_FAIL(l, "steps and batches of input and output differ");
    l->macs[l->op_index] =
        (uint64_t)p->steps * p->batches * GATES * p->units * ((uint64_t)p->in_n + p->units);
    return 0;
}

static int read_lstm(struct nn_lower *l, struct lstm *m)
{
    struct kernel_lstm *p = &m->params;
    bool bad = false;

    if (read_sequence(l, NN_INT8, m) < 0)
        return lower_failed(l);
    m->hidden = state_of(l, LSTM_HIDDEN, TYPE_BIT(NN_INT8), (size_t)p->batches * p->units);
    m->cell = m->hidden ? state_of(l, LSTM_CELL, TYPE_BIT(NN_INT16), (size_t)p->batches * p->units)
                        : NULL;
    if (!m->cell)
        return lower_failed(l);
    for (size_t g = 0; g < GATES; g++) {
        m->in_weights[g] = matrix(l, LSTM_IN_WEIGHTS + g, p->units, p->in_n);
        m->hidden_weights[g] =
            m->in_weights[g] ? matrix(l, LSTM_HIDDEN_WEIGHTS + g, p->units, p->units) : NULL;
        m->biases[g] = m->hidden_weights[g] ? bias_of(l, LSTM_BIASES + g, p->units, &bad) : NULL;
        if (!m->hidden_weights[g] || bad)
            return lower_failed(l);
    }
    return 0;
}

/* Gates are Q3.12 before their curve and Q0.15 after it. */
static int set_lstm(struct nn_lower *l, struct lstm *m)
{
    const double gate = ldexp(1, -12), unit = ldexp(1, -15);
    struct kernel_lstm *p = &m->params;
    double cell = (double)m->cell->quant.scale[0], hidden = (double)m->hidden->quant.scale[0];
    double power = log2(cell);

    for (size_t g = 0; g < GATES; g++) {
        float in = m->in->quant.scale[0] * m->in_weights[g]->quant.scale[0];
        float back = m->hidden->quant.scale[0] * m->hidden_weights[g]->quant.scale[0];
        if (factor(l, "gate", (double)in / gate, &p->in_multiplier[g], &p->in_shift[g]) < 0 ||
            factor(l, "gate", (double)back / gate, &p->hidden_multiplier[g], &p->hidden_shift[g]) <
                0)
            return lower_failed(l);
    }
    if (factor(l, "cell", unit * cell / cell, &p->forget_multiplier, &p->forget_shift) < 0 ||
        factor(l, "cell", unit * unit / cell, &p->input_multiplier, &p->input_shift) < 0 ||
        factor(l, "output", unit * unit / hidden, &p->out_multiplier, &p->out_shift) < 0)
        return lower_failed(l);
    if (fabs(power - round(power)) > 1e-3 || power < -40 || power > 3)
        return LOWER_FAIL_TENSOR(l, lower_index(l, m->cell), "scale %g is not a power of two",
                                 cell);
    int shift = 12 + (int)lround(power);
    p->tanh_multiplier = shift > 0 ? 3 << shift : 3;
    p->tanh_shift = shift > 0 ? 0 : -shift;
    p->hidden_zero = m->hidden->quant.zero_point[0];
    double clip = (double)l->op->options.cell_clip / cell;
    p->cell_clip = l->op->options.cell_clip > 0 ? (int32_t)fmin(clip, 32767.0) : 0;
    return 0;
}

/* Biases of input and hidden state, with what their zero points add up to. */
static struct nn_span gate_bias(struct nn_lower *l, const struct lstm *m, size_t g)
{
    uint32_t units = m->params.units, in_n = m->params.in_n;
    int32_t *bias = arena_alloc(l->arena, 2 * units * sizeof *bias);
    const int8_t *w = (const int8_t *)m->in_weights[g]->data;
    const int8_t *r = (const int8_t *)m->hidden_weights[g]->data;

    for (uint32_t u = 0; u < units; u++) {
        int64_t in = m->biases[g] ? lower_const_int(m->biases[g], u) : 0, hidden = 0;
        for (uint32_t i = 0; i < in_n; i++)
            in -= (int64_t)m->in->quant.zero_point[0] * w[u * in_n + i];
        for (uint32_t i = 0; i < units; i++)
            hidden -= (int64_t)m->hidden->quant.zero_point[0] * r[u * units + i];
        bias[u] = (int32_t)in; /* wraps, as the kernel's own sums do */
        bias[units + u] = (int32_t)hidden;
    }
    return lower_constant(l, "gate bias", bias, 2 * units * sizeof *bias);
}

static int lower_float_lstm(struct nn_lower *l)
{
    struct lstm m = {0};
    const struct kernel_lstm *q = &m.params;
    const float clip = l->op->options.cell_clip;

    if (lower_needs_fpu(l) < 0 || read_sequence(l, NN_FLOAT32, &m) < 0)
        return lower_failed(l);
    m.hidden = state_of(l, LSTM_HIDDEN, TYPE_BIT(NN_FLOAT32), (size_t)q->batches * q->units);
    m.cell = m.hidden ? state_of(l, LSTM_CELL, TYPE_BIT(NN_FLOAT32), (size_t)q->batches * q->units)
                      : NULL;
    if (!m.cell)
        return lower_failed(l);
    const struct kernel_lstm_f32 p = {q->steps,           q->batches,     q->in_n,
                                      q->units,           q->step_stride, q->batch_stride,
                                      clip > 0 ? clip : 0};
    struct nn_span hidden = lower_variable(l, m.hidden), cell = lower_variable(l, m.cell);
    struct nn_span gates = lower_scratch(l, "gates", GATES * p.units * sizeof(float), 4), bias;
    struct nn_step *s = lower_step(l, KERNEL_LSTM_F32, KERNEL_REF, &p);
    if (lower_add_in(l, s, m.in) < 0 || lower_add_out(l, s, m.out) < 0)
        return lower_failed(l);
    lower_span(s, hidden);
    lower_span(s, cell);
    lower_span(s, gates);
    for (size_t g = 0; g < GATES; g++) {
        const struct nn_tensor *in = float_matrix(l, LSTM_IN_WEIGHTS + g, p.units, p.in_n);
        const struct nn_tensor *back =
            in ? float_matrix(l, LSTM_HIDDEN_WEIGHTS + g, p.units, p.units) : NULL;
        if (!back || lower_add_in(l, s, in) < 0 || lower_add_in(l, s, back) < 0 ||
            lower_float_bias(l, LSTM_BIASES + g, p.units, &bias) < 0)
            return lower_failed(l);
        lower_span(s, bias);
    }
    return 0;
}

int lower_lstm(struct nn_lower *l)
{
    struct lstm m = {0};

    if (lower_arity(l, 20, 24, 1) < 0 || refuse_extras(l) < 0)
        return lower_failed(l);
    if (lower_is_float(l))
        return lower_float_lstm(l);
    if (read_lstm(l, &m) < 0 || set_lstm(l, &m) < 0)
        return lower_failed(l);
    struct kernel_lstm *p = &m.params;
    struct nn_span hidden = lower_variable(l, m.hidden), cell = lower_variable(l, m.cell);
    struct nn_span table = lower_sigmoid_table(l);
    struct nn_span gates = lower_scratch(l, "gates", GATES * p->units * 2, 4);
    struct nn_step *s = lower_step(l, KERNEL_LSTM_S8, KERNEL_REF, p);
    if (lower_add_in(l, s, m.in) < 0 || lower_add_out(l, s, m.out) < 0)
        return lower_failed(l);
    lower_span(s, hidden);
    lower_span(s, cell);
    lower_span(s, table);
    lower_span(s, gates);
    for (size_t g = 0; g < GATES; g++) {
        if (lower_add_in(l, s, m.in_weights[g]) < 0 || lower_add_in(l, s, m.hidden_weights[g]) < 0)
            return lower_failed(l);
        lower_span(s, gate_bias(l, &m, g));
    }
    return 0;
}

/* ---- variables behind handles ---- */

/* The resource of a handle tensor that VAR_HANDLE has made. */
static struct nn_resource *resource_of(struct nn_lower *l, size_t i)
{
    const struct nn_tensor *t = lower_optional(l, i);

    if (t && l->handle_of[lower_index(l, t)])
        return &l->resources[l->handle_of[lower_index(l, t)] - 1];
    LOWER_FAIL(l, "input %zu is not a handle from VAR_HANDLE", i);
    return NULL;
}

static struct nn_resource *find_resource(struct nn_lower *l, const char *name)
{
    const uint64_t hash = hash_mix(name, strlen(name));

    for (size_t i = 0; i < l->resource_count; i++) {
        if (l->resources[i].hash == hash && strcmp(l->resources[i].name, name) == 0)
            return &l->resources[i];
    }
    struct nn_resource *r =
        ARENA_PUSH(l->arena, l->resources, l->resource_count, l->resource_capacity);
    *r = (struct nn_resource){.name = name, .hash = hash};
    return r;
}

int lower_var_handle(struct nn_lower *l)
{
    if (lower_arity(l, 0, 0, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *out = &l->graph->tensors[l->op->outputs[0]];
    const char *name = l->op->options.shared_name;
    if (out->type != NN_RESOURCE)
        return LOWER_FAIL_TENSOR(l, lower_index(l, out), "a handle is expected");
    struct nn_resource *r = find_resource(l, name ? name : "");
    l->handle_of[lower_index(l, out)] = (uint32_t)(r - l->resources) + 1;
    return 0;
}

/* The variable's memory, as large as `t`. */
static int resource_span(struct nn_lower *l, struct nn_resource *r, const struct nn_tensor *t,
                         struct nn_span *ret)
{
    if (t->size == 0 || nn_type_bits((int)t->type) < 8)
        return LOWER_FAIL_TENSOR(l, lower_index(l, t), "cannot be kept in a variable");
    if (!r->has_buffer) {
        *ret = lower_scratch(l, r->name, (uint32_t)t->size, 4);
        struct nn_buffer *b = &l->buffers[ret->buffer];
        b->variable = true;
        if (t->type == NN_INT8 || t->type == NN_UINT8)
            b->init_fill = t->quant.count ? (uint8_t)t->quant.zero_point[0] : 0;
        if (r->init && r->init->size != t->size)
            return LOWER_FAIL_TENSOR(l, lower_index(l, t),
                                     "has %zu bytes, the first value of variable '%s' has %zu",
                                     t->size, r->name, r->init->size);
        if (r->init)
            b->init = r->init->data;
        r->buffer = ret->buffer;
        r->has_buffer = true;
    }
    *ret = (struct nn_span){.buffer = r->buffer, .size = l->buffers[r->buffer].size};
    if (ret->size != t->size)
        return LOWER_FAIL_TENSOR(l, lower_index(l, t), "has %zu bytes, the variable '%s' has %u",
                                 t->size, r->name, ret->size);
    return 0;
}

static int copy_whole(struct nn_lower *l, struct nn_span from, struct nn_span to)
{
    struct nn_block b = {.rank = 1, .dims = {from.size}, .in_strides = {1}, .out_strides = {1}};

    return lower_copy(l, &b, 1, from, to);
}

int lower_read_variable(struct nn_lower *l)
{
    struct nn_span from, to;

    if (lower_arity(l, 1, 1, 1) < 0)
        return lower_failed(l);
    const struct nn_tensor *out = &l->graph->tensors[l->op->outputs[0]];
    struct nn_resource *r = resource_of(l, 0);
    if (!r || resource_span(l, r, out, &from) < 0 || lower_write(l, out, &to) < 0)
        return lower_failed(l);
    return copy_whole(l, from, to);
}

int lower_assign_variable(struct nn_lower *l)
{
    struct nn_span from, to;

    if (lower_arity(l, 2, 2, 0) < 0)
        return lower_failed(l);
    const struct nn_tensor *in = lower_optional(l, 1);
    struct nn_resource *r = in ? resource_of(l, 0) : NULL;
    if (!in)
        return LOWER_FAIL(l, "input 1 is missing");
    if (!r || lower_read(l, in, &from) < 0 || resource_span(l, r, in, &to) < 0)
        return lower_failed(l);
    return copy_whole(l, from, to);
}

/* The name that VAR_HANDLE gives to a handle tensor of another graph; NULL when none does. */
static const char *handle_name(const struct nn_graph *g, int32_t tensor)
{
    for (size_t i = 0; i < g->op_count; i++) {
        const struct nn_op *op = &g->ops[i];
        if (op->code == NN_OP_VAR_HANDLE && op->output_count == 1 && op->outputs[0] == tensor)
            return op->options.shared_name;
    }
    return NULL;
}

/* The graph that runs once may only give variables constant values. */
int lower_call_once(struct nn_lower *l)
{
    int32_t index = l->op->options.init_graph;

    if (index <= 0 || (size_t)index >= l->model->graph_count)
        return LOWER_FAIL(l, "there is no subgraph %d to call", index);
    if (l->called >> index & 1)
        return 0;
    l->called |= 1u << index;
    const struct nn_graph *g = &l->model->graphs[index];
    for (size_t i = 0; i < g->op_count; i++) {
        const struct nn_op *op = &g->ops[i];
        if (op->code == NN_OP_VAR_HANDLE)
            continue;
        bool good = op->code == NN_OP_ASSIGN_VARIABLE && op->input_count == 2 &&
                    op->inputs[0] >= 0 && op->inputs[1] >= 0 && g->tensors[op->inputs[1]].data;
        const char *name = good ? handle_name(g, op->inputs[0]) : NULL;
        if (!name)
            return LOWER_FAIL(l, "subgraph %d does more than give variables constant values",
                              index);
        struct nn_resource *r = find_resource(l, name);
        if (r->has_buffer)
            return LOWER_FAIL(l, "variable '%s' is used before it has its first value", name);
        r->init = &g->tensors[op->inputs[1]];
    }
    return 0;
}
