/* Layers that keep something from one inference to the next. Calibration runs its samples in order. */
#include <math.h>
#include <string.h>

#include "harness/recipe/kinds.h"

static void note_peak(struct layer *l, double v)
{
    v = fabs(v);
    l->state_peak = v > l->state_peak ? v : l->state_peak;
}

/* The graph owns its layers; forward passes only see them const because most have no state. */
static struct layer *stateful(const struct graph *g, const struct layer *l)
{
    return &g->layers[l - g->layers];
}

static double dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/*
 * ---- svdf: a rank decomposition of a dense layer over the last `memory` inputs ----
 * weights: [units * rank][inputs] of the features, then [units * rank][memory] of time.
 */

static int svdf_filters(const struct layer *l)
{
    return l->options->units * l->options->rank;
}

static int svdf_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct layer *in = layer_source(g, l, 0);
    if (in->shape.rank != 2)
        return layer_error(g, l, err, "needs a vector, its source has %d dimensions",
                           in->shape.rank);
    l->shape = (struct shape){{1, l->options->units}, 2};
    l->channels = l->options->units;
    l->weight_count = (int64_t)svdf_filters(l) * (in->size + l->options->memory);
    l->state_count = (int64_t)svdf_filters(l) * l->options->memory;
    l->macs = l->weight_count;
    return 0;
}

static void svdf_forward(const struct graph *g, const struct layer *l, const double *const *in,
                         double *out)
{
    int inputs = layer_source(g, l, 0)->size;
    int memory = l->options->memory;
    int rank = l->options->rank;
    const double *time = l->weights + (size_t)svdf_filters(l) * inputs;
    memcpy(out, l->bias, (size_t)l->size * sizeof(double));
    for (int f = 0; f < svdf_filters(l); f++) {
        double *row = l->state + (size_t)f * memory;
        memmove(row, row + 1, (size_t)(memory - 1) * sizeof(double));
        row[memory - 1] = dot(l->weights + (size_t)f * inputs, in[0], inputs);
        note_peak(stateful(g, l), row[memory - 1]);
        out[f / rank] += dot(row, time + (size_t)f * memory, memory);
    }
}

static void svdf_emit(struct emitter *e, const struct layer *l)
{
    int inputs = layer_source(e->graph, l, 0)->size;
    int filters = svdf_filters(l);
    int memory = l->options->memory;
    struct tfl_op *op = emit_op(e, l, TFL_SVDF, 3);
    float state_scale = (float)(l->state_peak > 0 ? l->state_peak / 127 : 1);
    emit_matrix(e, op, l, "feature", &(struct shape){{filters, inputs}, 2}, l->weights);
    float time_scale = emit_matrix(e, op, l, "time", &(struct shape){{filters, memory}, 2},
                                   l->weights + (size_t)filters * inputs);
    emit_bias(e, op, l, "bias", l->bias, l->channels,
              (float)((double)state_scale * (double)time_scale));
    int32_t state = emit_tensor(e, l, "state", TFL_INT8, &(struct shape){{1, filters * memory}, 2});
    emit_scale(e, state, state_scale, 0);
    e->model.tensors[state].is_variable = true;
    tfl_op_input(op, state);
    option_i32(op, 0, l->options->rank);
    option_u8(op, 1, tfl_activation(l->options->activation));
    emit_output(e, op, l);
}

#define M layer_options
static const struct key svdf_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_UNITS,
    ROW_ACTIVATION,
    ONE("rank", VALUE_INTEGER, rank, "2", "of the decomposition", DEFAULT("1"), RANGE(1, 64)),
    ONE("memory", VALUE_INTEGER, memory, "8", "inferences it looks back", REQUIRED, RANGE(1, 4096)),
    {NULL},
};
#undef M

const struct layer_kind kind_svdf = {
    .name = "svdf",
    .map = KIND_MAP("svdf", "dense over the last inputs, in a rank decomposition", svdf_keys),
    .sources = 1,
    .recurrent = true,
    .shape = svdf_shape,
    .forward = svdf_forward,
    .emit = svdf_emit,
};

/*
 * ---- lstm: Hochreiter and Schmidhuber 1997 with forget gates, no peepholes ----
 * weights: for input, forget, cell, output gate [units][inputs], then the same [units][units].
 * state: hidden [units], cell [units].
 */

enum {
    GATES = 4
};

static int lstm_shape(struct graph *g, struct layer *l, struct err *err)
{
    const struct shape *in = &layer_source(g, l, 0)->shape;
    int units = l->options->units;
    if (in->rank != 3)
        return layer_error(g, l, err, "needs [1, steps, features], its source has %d dimensions",
                           in->rank);
    l->shape = (struct shape){{1, in->dim[1], units}, 3};
    l->channels = GATES * units;
    l->weight_count = (int64_t)GATES * units * (in->dim[2] + units);
    l->state_count = 2 * (int64_t)units;
    l->macs = l->weight_count * in->dim[1];
    return 0;
}

/* Gate k of unit u before its activation. */
static double lstm_gate(const struct layer *l, const double *x, int inputs, const double *hidden,
                        int k, int u)
{
    int units = l->options->units;
    const double *recurrent = l->weights + (size_t)GATES * units * inputs;
    return l->bias[k * units + u] + dot(l->weights + ((size_t)k * units + u) * inputs, x, inputs) +
           dot(recurrent + ((size_t)k * units + u) * units, hidden, units);
}

static void lstm_step(struct layer *l, const double *x, int inputs, double *out)
{
    int units = l->options->units;
    double *hidden = l->state;
    double *cell = l->state + units;
    for (int u = 0; u < units; u++) {
        double input = repro_logistic(lstm_gate(l, x, inputs, hidden, 0, u));
        double forget = repro_logistic(lstm_gate(l, x, inputs, hidden, 1, u));
        double update = repro_tanh(lstm_gate(l, x, inputs, hidden, 2, u));
        double output = repro_logistic(lstm_gate(l, x, inputs, hidden, 3, u));
        cell[u] = forget * cell[u] + input * update;
        note_peak(l, cell[u]);
        out[u] = output * repro_tanh(cell[u]);
    }
    memcpy(hidden, out, (size_t)units * sizeof(double));
}

static void lstm_forward(const struct graph *g, const struct layer *l, const double *const *in,
                         double *out)
{
    int inputs = layer_source(g, l, 0)->shape.dim[2];
    for (int t = 0; t < l->shape.dim[1]; t++)
        lstm_step(stateful(g, l), in[0] + (size_t)t * inputs, inputs,
                  out + (size_t)t * l->options->units);
}

/* The smallest power of two scale whose int16 range holds the cell state; TFLite demands one. */
static float lstm_cell_scale(const struct layer *l)
{
    double scale = 0x1p-15;
    while (scale * 32767 < l->state_peak)
        scale *= 2;
    return (float)scale;
}

static void lstm_state_inputs(struct emitter *e, struct tfl_op *op, const struct layer *l)
{
    struct shape shape = {{1, l->options->units}, 2};
    int32_t hidden = emit_tensor(e, l, "hidden", TFL_INT8, &shape);
    int32_t cell = emit_tensor(e, l, "cell", TFL_INT16, &shape);
    emit_scale(e, hidden, l->quant.scale, l->quant.zero_point);
    emit_scale(e, cell, lstm_cell_scale(l), 0);
    e->model.tensors[hidden].is_variable = e->model.tensors[cell].is_variable = true;
    tfl_op_input(op, hidden);
    tfl_op_input(op, cell);
}

static void skip_inputs(struct tfl_op *op, int count)
{
    for (int i = 0; i < count; i++)
        tfl_op_input(op, -1);
}

/* The operator's 24 inputs: x, 8 weights, 3 peepholes, 4 biases, 2 projections, 2 states, 4 norms. */
static void lstm_emit(struct emitter *e, const struct layer *l)
{
    static const char *const names[] = {
        "input_to_input",     "input_to_forget",     "input_to_cell",     "input_to_output",
        "recurrent_to_input", "recurrent_to_forget", "recurrent_to_cell", "recurrent_to_output",
        "input_bias",         "forget_bias",         "cell_bias",         "output_bias"};
    const struct layer *in = layer_source(e->graph, l, 0);
    int units = l->options->units;
    int inputs = in->shape.dim[2];
    float scales[GATES];
    struct tfl_op *op = emit_op(e, l, TFL_UNIDIRECTIONAL_SEQUENCE_LSTM, 1);
    const double *w = l->weights;
    for (int k = 0; k < 2 * GATES; k++) {
        struct shape shape = {{units, k < GATES ? inputs : units}, 2};
        float scale = emit_matrix(e, op, l, names[k], &shape, w);
        w += (size_t)shape.dim[0] * shape.dim[1];
        if (k < GATES)
            scales[k] = (float)((double)scale * (double)in->quant.scale);
    }
    skip_inputs(op, 3);
    for (int k = 0; k < GATES; k++)
        emit_bias(e, op, l, names[2 * GATES + k], l->bias + (size_t)k * units, units, scales[k]);
    skip_inputs(op, 2);
    lstm_state_inputs(e, op, l);
    skip_inputs(op, 4);
    option_u8(op, 0, TFL_ACT_TANH);
    option_f32(op, 1, 10); /* cell clip, as converters write it */
    option_f32(op, 2, 0);
    option_u8(op, 3, 0); /* batch first */
    emit_output(e, op, l);
}

#define M layer_options
static const struct key lstm_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ROW_UNITS,
    {NULL},
};
#undef M

const struct layer_kind kind_lstm = {
    .name = "lstm",
    .map = KIND_MAP("lstm", "long short-term memory over the rows", lstm_keys),
    .sources = 1,
    .recurrent = true,
    .shape = lstm_shape,
    .forward = lstm_forward,
    .emit = lstm_emit,
};

/*
 * ---- stream: the last `frames` rows of an input that brings one row at a time ----
 * A resource variable, as converters write streaming models: read, drop the oldest row, append the
 * new one, assign.
 */

static int stream_shape(struct graph *g, struct layer *l, struct err *err)
{
    l->shape = layer_source(g, l, 0)->shape;
    if (l->shape.rank < 3 || l->shape.dim[1] != 1)
        return layer_error(g, l, err, "needs one row: [1, 1, ...] of three or more dimensions");
    l->shape.dim[1] = l->options->frames;
    l->state_count = (int64_t)layer_source(g, l, 0)->size * l->options->frames;
    return 0;
}

static void stream_forward(const struct graph *g, const struct layer *l, const double *const *in,
                           double *out)
{
    size_t row = (size_t)layer_source(g, l, 0)->size;
    size_t kept = row * (size_t)(l->options->frames - 1);
    memmove(l->state, l->state + row, kept * sizeof(double));
    memcpy(l->state + kept, in[0], row * sizeof(double));
    memcpy(out, l->state, (kept + row) * sizeof(double));
}

static struct tfl_op *stream_slice(struct emitter *e, const struct layer *l, int32_t window)
{
    int32_t begin[SHAPE_RANK_MAX] = {0, 1};
    int32_t step[SHAPE_RANK_MAX] = {1, 1, 1, 1, 1};
    struct tfl_op *op = tfl_add_op(&e->model, TFL_STRIDED_SLICE, 2);
    tfl_op_input(op, window);
    emit_ints(e, op, "begin", begin, 0, l->shape.rank);
    emit_ints(e, op, "end", l->shape.dim, 0, l->shape.rank);
    emit_ints(e, op, "step", step, 0, l->shape.rank);
    for (uint8_t i = 0; i < 5; i++)
        option_i32(op, i, 0);
    return op;
}

static void stream_emit(struct emitter *e, const struct layer *l)
{
    struct shape kept_shape = l->shape;
    kept_shape.dim[1]--;
    int32_t handle = emit_tensor(e, l, "handle", TFL_RESOURCE, &(struct shape){{0}, 0});
    int32_t window = emit_tensor(e, l, "window", TFL_INT8, &l->shape);
    int32_t kept = emit_tensor(e, l, "kept", TFL_INT8, &kept_shape);
    emit_scale(e, window, l->quant.scale, l->quant.zero_point);
    emit_scale(e, kept, l->quant.scale, l->quant.zero_point);
    struct tfl_op *op = tfl_add_op(&e->model, TFL_VAR_HANDLE, 1);
    tfl_op_option(op, 0, TFL_OPT_STRING)->string = "";
    tfl_op_option(op, 1, TFL_OPT_STRING)->string = l->name;
    tfl_op_output(op, handle);
    op = tfl_add_op(&e->model, TFL_READ_VARIABLE, 1);
    tfl_op_input(op, handle);
    tfl_op_output(op, window);
    tfl_op_output(stream_slice(e, l, window), kept);
    op = tfl_add_op(&e->model, TFL_CONCATENATION, 2);
    tfl_op_input(op, kept);
    tfl_op_input(op, e->tensor_of[l->from[0]]);
    option_i32(op, 0, 1);
    option_u8(op, 1, TFL_ACT_NONE);
    emit_output(e, op, l);
    op = tfl_add_op(&e->model, TFL_ASSIGN_VARIABLE, 1);
    tfl_op_input(op, handle);
    tfl_op_input(op, e->tensor_of[l - e->graph->layers]);
}

#define M layer_options
static const struct key stream_keys[] = {
    ROW_NAME,
    ROW_FROM,
    ONE("frames", VALUE_INTEGER, frames, "30", "rows that it holds", REQUIRED, RANGE(2, 4096)),
    {NULL},
};
#undef M

const struct layer_kind kind_stream = {
    .name = "stream",
    .map = KIND_MAP("stream", "the last rows of an input that brings one at a time", stream_keys),
    .sources = 1,
    .range = RANGE_SHARED,
    .shape = stream_shape,
    .forward = stream_forward,
    .emit = stream_emit,
};
