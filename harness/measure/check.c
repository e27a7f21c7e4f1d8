/* Golden vectors: no number without a correct output. */
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/measure/compare.h"
#include "harness/measure/internal.h"
#include "harness/measure/tensors.h"

enum {
    VECTOR_MAX = 16 * 1024 * 1024
};

static int write_inputs(struct attempt *a, const struct suite_vector *v, struct err *err)
{
    AUTO_BUF data = BUF_INIT;

    if (suite_file_read(v->input, VECTOR_MAX, &data, err) < 0)
        return (int)err->code;
    return tensors_write(session_client(a->session), a->loaded.inputs, &data, v->input, err);
}

/* What a vector cost. */
struct cost {
    struct wire_record_info record;
    uint64_t host_ns;
};

static int run_vector(struct attempt *a, uint32_t index, struct cost *cost, struct event_output *o,
                      struct buf *got, struct err *err)
{
    const struct suite_vector *v = &a->c->model->vectors[index];
    AUTO_BUF expected = BUF_INIT;
    const struct client_run run = {
        .inferences = 1,
        .windows = 1,
        /* State as after load: a vector must not depend on the one before. */
        .flags = WIRE_RUN_RESET | WIRE_RUN_COLD,
        .window_ms = attempt_allowance_ms(a, 1),
    };
    uint64_t started;

    if (write_inputs(a, v, err) < 0)
        return (int)err->code;
    started = clock_monotonic_ns();
    if (client_run(session_client(a->session), &run, &cost->record, err) < 0)
        return (int)err->code;
    cost->host_ns = clock_monotonic_ns() - started;
    if (tensors_read(session_client(a->session), a->loaded.outputs, got, err) < 0)
        return (int)err->code;
    *o = (struct event_output){
        .vector = index, .pass = a->passes, .data = got->data, .size = got->len};
    if (v->expected == NULL)
        return 0;
    if (suite_file_read(v->expected, VECTOR_MAX, &expected, err) < 0)
        return (int)err->code;
    check_compare(a->has_report ? &a->report : NULL, a->c->model->tolerance, got, &expected, o);
    return 0;
}

/* Of the first pass all; of later ones what is wrong: what is right is what was expected. */
static int emit_output(struct attempt *a, const struct event_output *o, struct err *err)
{
    struct event e = {.kind = EVENT_OUTPUT, .output = *o};

    return o->pass == 0 || (o->compared && !o->equal) ? emit(&a->out, &e, err) : 0;
}

static int emit_cold(struct attempt *a, const struct cost *cost, struct err *err)
{
    const uint32_t overhead = client_hello(session_client(a->session))->tick_overhead;
    struct event e = {.kind = EVENT_WINDOW};

    e.window = (struct event_window){
        .repeat = a->repeat,
        .index = a->window_index++,
        .cold = true,
        .inferences = 1,
        .ticks = cost->record.ticks,
        .overhead = overhead,
        .value = timebase_value(&a->timebase, cost->record.ticks, overhead),
        .unit = a->timebase.unit,
        .host_ns = cost->host_ns,
    };
    if (emit(&a->out, &e, err) < 0)
        return (int)err->code;
    if (a->repeat > 0)
        return 0;
    return emit_metric(
        &a->out,
        &(struct figure){.name = "latency.cold", .value = e.window.value, .unit = a->timebase.unit},
        err);
}

static uint32_t vector_count(const struct attempt *a)
{
    const uint32_t limit = a->c->measure->max_vectors;
    const size_t n = attempt_computes(a) ? a->c->model->vector_count : 0;

    return (uint32_t)(limit != 0 && limit < n ? limit : n);
}

static bool puts_out_floats(const struct attempt *a)
{
    return a->has_report && a->report.output_count > 0 && a->report.outputs[0].type == NN_FLOAT32;
}

static int wrong_output(struct attempt *a, const struct event_output *o, size_t wrong,
                        struct err *err)
{
    const struct suite_vector *v = &a->c->model->vectors[o->vector];

    (void)err_set(err, ERR_OUTPUT,
                  "%zu of %u outputs are wrong; first %s: %u of %zu bytes differ, from byte %u on",
                  wrong, vector_count(a), v->expected, o->differences, o->size,
                  o->first_difference);
    if (puts_out_floats(a) && a->c->model->tolerance <= 0)
        return err_hint(err, "float32 outputs are compared bit for bit unless the model declares a "
                             "'tolerance'");
    return err_hint(err, "the outputs are stored with the case; no timing is reported for it");
}

static int check_all(struct attempt *a, struct cost *ret_cold, struct err *err)
{
    struct event_output first_wrong = {.equal = true};
    size_t wrong = 0;

    for (uint32_t i = 0; i < vector_count(a); i++) {
        AUTO_BUF got = BUF_INIT;
        struct event_output o = {0};
        struct cost cost = {.host_ns = 0};
        int r = run_vector(a, i, &cost, &o, &got, err);

        if (r == 0)
            r = emit_output(a, &o, err);
        if (r < 0)
            return err_in(err, "vector %u", i);
        if (i == 0)
            *ret_cold = cost;
        if (!o.compared || o.equal)
            continue;
        if (wrong++ == 0)
            first_wrong = o;
    }
    return wrong > 0 ? wrong_output(a, &first_wrong, wrong, err) : 0;
}

int attempt_check(struct attempt *a, struct err *err)
{
    struct cost cold = {.host_ns = 0};
    const int r = check_all(a, &cold, err);

    a->passes++;
    if (r < 0 || vector_count(a) == 0)
        return r;
    return emit_cold(a, &cold, err);
}

int attempt_check_again(struct attempt *a, struct err *err)
{
    AUTO_BUF got = BUF_INIT;
    struct event_output o = {0};
    struct cost cost = {.host_ns = 0};
    int r;

    if (vector_count(a) == 0)
        return 0;
    r = run_vector(a, 0, &cost, &o, &got, err);
    if (r == 0)
        r = emit_output(a, &o, err);
    a->passes++;
    if (r < 0)
        return r;
    return o.compared && !o.equal ? wrong_output(a, &o, 1, err) : 0;
}
