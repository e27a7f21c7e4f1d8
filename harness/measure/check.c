/* Golden vectors: no number without a correct output. */
#include <string.h>

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

static int run_vector(struct attempt *a, uint32_t index, struct wire_record_info *record,
                      struct event_output *o, struct buf *got, struct err *err)
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

    if (write_inputs(a, v, err) < 0 ||
        client_run(session_client(a->session), &run, record, err) < 0)
        return (int)err->code;
    if (tensors_read(session_client(a->session), a->loaded.outputs, got, err) < 0)
        return (int)err->code;
    *o = (struct event_output){.vector = index, .data = got->data, .size = got->len};
    if (v->expected == NULL)
        return 0;
    if (suite_file_read(v->expected, VECTOR_MAX, &expected, err) < 0)
        return (int)err->code;
    check_compare(a->has_report ? &a->report : NULL, a->c->model->tolerance, got, &expected, o);
    return 0;
}

static int emit_cold(struct attempt *a, const struct wire_record_info *record, struct err *err)
{
    const uint32_t overhead = client_hello(session_client(a->session))->tick_overhead;
    struct event e = {.kind = EVENT_WINDOW};

    e.window = (struct event_window){
        .repeat = a->repeat,
        .index = a->window_index++,
        .cold = true,
        .inferences = 1,
        .ticks = record->ticks,
        .overhead = overhead,
        .value = timebase_value(&a->timebase, record->ticks, overhead),
        .unit = a->timebase.unit,
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

int attempt_check(struct attempt *a, struct err *err)
{
    struct event_output first_wrong = {.equal = true};
    struct wire_record_info cold = {0};
    size_t wrong = 0;

    for (uint32_t i = 0; i < vector_count(a); i++) {
        AUTO_BUF got = BUF_INIT;
        struct event e = {.kind = EVENT_OUTPUT};
        struct wire_record_info record = {0};
        int r = run_vector(a, i, &record, &e.output, &got, err);

        if (r == 0 && a->repeat == 0)
            r = emit(&a->out, &e, err);
        if (r < 0)
            return err_in(err, "vector %u", i);
        if (i == 0)
            cold = record;
        if (!e.output.compared || e.output.equal)
            continue;
        if (wrong++ == 0)
            first_wrong = e.output;
    }
    if (wrong > 0)
        return wrong_output(a, &first_wrong, wrong, err);
    return vector_count(a) > 0 ? emit_cold(a, &cold, err) : 0;
}

int attempt_check_again(struct attempt *a, struct err *err)
{
    AUTO_BUF got = BUF_INIT;
    struct event_output o = {0};
    struct wire_record_info record;

    if (vector_count(a) == 0)
        return 0;
    if (run_vector(a, 0, &record, &o, &got, err) < 0)
        return (int)err->code;
    return o.compared && !o.equal ? wrong_output(a, &o, 1, err) : 0;
}
