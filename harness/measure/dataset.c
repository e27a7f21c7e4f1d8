/* The model's accuracy on the board: every labelled sample runs once, its output is an event. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/npy.h"
#include "harness/measure/internal.h"
#include "harness/measure/tensors.h"
#include "harness/stats/score.h"

enum {
    SAMPLE_MAX = 256 * 1024 * 1024
};

/* Numbers of one tensor. */
struct values {
    double *v;
    size_t n;
};

struct dataset_run {
    struct attempt *a;
    const struct suite_dataset *d;
    struct buf array; /* of all samples, when the data set is one array */
    struct score_sample *scores;
    size_t right;
    double squares;
};

static void values_release(struct values *values)
{
    free(values->v);
}

static struct values values_make(size_t n)
{
    struct values values = {.v = calloc(n + 1, sizeof(double)), .n = n};

    if (values.v == NULL)
        abort();
    return values;
}

/* ---- numbers and bytes ---- */

static size_t type_size(enum dataset_type type)
{
    return type == DATASET_INT16 ? 2 : type == DATASET_FLOAT32 ? 4 : 1;
}

static double number_at(const char *at, enum dataset_type type)
{
    int16_t wide;
    float real;

    switch (type) {
    case DATASET_INT16:
        memcpy(&wide, at, sizeof(wide));
        return wide;
    case DATASET_FLOAT32:
        memcpy(&real, at, sizeof(real));
        return (double)real;
    case DATASET_UINT8:
        return (uint8_t)*at;
    default:
        return (int8_t)*at;
    }
}

/* The data set's word for a tensor's type; DATASET_TENSOR when it has none. */
static enum dataset_type type_of(enum nn_type type)
{
    switch (type) {
    case NN_INT8:
        return DATASET_INT8;
    case NN_UINT8:
        return DATASET_UINT8;
    case NN_INT16:
        return DATASET_INT16;
    case NN_FLOAT32:
        return DATASET_FLOAT32;
    default:
        return DATASET_TENSOR;
    }
}

static struct values unpack(const struct buf *bytes, enum dataset_type type)
{
    struct values values = values_make(bytes->len / type_size(type));

    for (size_t i = 0; i < values.n; i++)
        values.v[i] = number_at(bytes->data + i * type_size(type), type);
    return values;
}

static double saturate(double v, double low, double high)
{
    v = round(v);
    return v < low ? low : v > high ? high : v;
}

static void pack_number(struct buf *out, double v, enum dataset_type type)
{
    const float real = (float)v;
    const int16_t wide = (int16_t)saturate(isnan(v) ? 0 : v, INT16_MIN, INT16_MAX);

    if (type == DATASET_FLOAT32)
        buf_append(out, &real, sizeof(real));
    else if (type == DATASET_INT16)
        buf_append(out, &wide, sizeof(wide));
    else if (type == DATASET_UINT8)
        buf_putc(out, (char)(uint8_t)saturate(isnan(v) ? 0 : v, 0, UINT8_MAX));
    else
        buf_putc(out, (char)(int8_t)saturate(isnan(v) ? 0 : v, INT8_MIN, INT8_MAX));
}

/* ---- from a sample to the model's input ---- */

static bool is_raw(const struct suite_dataset *d)
{
    return d->type == DATASET_TENSOR && d->offset == 0 && d->scale == 1 && !d->quantize &&
           !d->channel_first;
}

static bool is_array(const struct buf *file)
{
    return file->len > 6 && memcmp(file->data, "\x93NUMPY", 6) == 0;
}

/* The numbers of one sample: a part of the array of all, an array of its own, or raw. */
static int read_sample(struct dataset_run *r, const struct suite_sample *s, const struct buf *file,
                       enum dataset_type tensor, struct values *ret, struct err *err)
{
    struct npy array;

    if (!is_array(file)) {
        *ret = unpack(file, r->d->type == DATASET_TENSOR ? tensor : r->d->type);
        return 0;
    }
    if (npy_parse(file->data, file->len, &array, err) < 0)
        return err_in(err, "%s", s->path);
    const size_t n = r->d->parts != 0 ? array.count / r->d->parts : array.count;
    if (r->d->parts != 0 && (s->part + 1) * n > array.count)
        return err_set(err, ERR_CONFIG, "%s: has no sample %u any more", s->path, s->part);
    *ret = values_make(n);
    for (size_t i = 0; i < n; i++)
        ret->v[i] = npy_value(&array, s->part * n + i);
    return 0;
}

/* NCHW to NHWC. */
static void turn(struct values *values, const struct nn_report_tensor *t)
{
    const size_t h = (size_t)t->dims[1], w = (size_t)t->dims[2], c = (size_t)t->dims[3];
    struct values out = values_make(values->n);

    for (size_t i = 0; i < values->n; i++) {
        const size_t pixel = i / c % (h * w), image = i / c / (h * w);

        out.v[i] = values->v[(image * c + i % c) * h * w + pixel];
    }
    free(values->v);
    *values = out;
}

static int prepare_values(const struct suite_dataset *d, const struct nn_report_tensor *t,
                          struct values *values, struct err *err)
{
    for (size_t i = 0; i < values->n; i++) {
        values->v[i] = (values->v[i] + d->offset) * d->scale;
        if (d->quantize)
            values->v[i] = values->v[i] / (double)t->scale + t->zero_point;
    }
    if (!d->channel_first)
        return 0;
    if (t->rank != 4 || values->n * type_size(type_of(t->type)) != t->size)
        return err_set(err, ERR_CONFIG, "channel_first needs an input of four dimensions");
    turn(values, t);
    return 0;
}

static int prepare(struct dataset_run *r, const struct suite_sample *s, const struct buf *file,
                   struct buf *ret, struct err *err)
{
    const struct nn_report_tensor *t = r->a->has_report ? &r->a->report.inputs[0] : NULL;
    AUTO(values_release) struct values values = {.v = NULL};

    if (is_raw(r->d) && !is_array(file)) {
        buf_append(ret, file->data, file->len);
        return 0;
    }
    if (t == NULL || type_of(t->type) == DATASET_TENSOR)
        return err_set(err, ERR_UNSUPPORTED,
                       "engine '%s' says too little of its input to prepare samples",
                       r->a->c->engine);
    if (r->d->quantize && !(t->scale > 0))
        return err_set(err, ERR_CONFIG, "the model's input has no scale to quantize with");
    if (read_sample(r, s, file, type_of(t->type), &values, err) < 0 ||
        prepare_values(r->d, t, &values, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < values.n; i++)
        pack_number(ret, values.v[i], type_of(t->type));
    return 0;
}

/* ---- from an output to a score ---- */

/* The first tensor of `bytes` as real numbers, or as it is where no scale is known. */
static struct values real_values(const struct buf *bytes, const struct nn_report_tensor *t)
{
    const bool known = t != NULL && type_of(t->type) != DATASET_TENSOR;
    struct buf first = *bytes;

    if (known && first.len > t->size)
        first.len = t->size;
    struct values values = unpack(&first, known ? type_of(t->type) : DATASET_INT8);
    for (size_t i = 0; known && t->scale > 0 && i < values.n; i++)
        values.v[i] = (values.v[i] - t->zero_point) * (double)t->scale;
    return values;
}

static size_t largest(const struct values *values)
{
    size_t best = 0;

    for (size_t i = 1; i < values->n; i++)
        best = values->v[i] > values->v[best] ? i : best;
    return best;
}

static double mean_square(const struct values *a, const struct values *b)
{
    double sum = 0;

    for (size_t i = 0; i < a->n; i++)
        sum += (a->v[i] - b->v[i]) * (a->v[i] - b->v[i]);
    return sum / (double)a->n;
}

static int judge_sample(struct dataset_run *r, size_t i, const struct buf *in,
                        const struct buf *out, struct err *err)
{
    const struct nn_report *report = r->a->has_report ? &r->a->report : NULL;
    AUTO(values_release) struct values x = real_values(in, report ? &report->inputs[0] : NULL);
    AUTO(values_release) struct values y = real_values(out, report ? &report->outputs[0] : NULL);
    const double label = r->d->samples[i].label;
    const bool rebuilt = x.n == y.n && y.n > 1;

    if (y.n == 0)
        return err_set(err, ERR_CONFIG, "the model has no output to judge");
    if (r->d->metric == DATASET_TOP1 &&
        !(label >= 0 && label < (double)y.n && label == floor(label)))
        return err_set(err, ERR_CONFIG,
                       "label %g: the model has %zu outputs, one of 0 to %zu is expected", label,
                       y.n, y.n - 1);
    r->right += (double)largest(&y) == label;
    r->scores[i].positive = label != 0;
    r->scores[i].score = rebuilt ? mean_square(&x, &y) : y.v[y.n - 1];
    r->squares += rebuilt ? mean_square(&x, &y) : (y.v[0] - label) * (y.v[0] - label);
    if (r->d->metric == DATASET_AUC && !rebuilt && y.n > 2)
        return err_set(err, ERR_CONFIG,
                       "auc is for one or two outputs, or as many as inputs; this has %zu", y.n);
    if (r->d->metric == DATASET_MSE && !rebuilt && y.n != 1)
        return err_set(err, ERR_CONFIG, "mse is for one output, or as many as inputs; this has %zu",
                       y.n);
    return 0;
}

/* ---- the samples ---- */

static int run_sample(struct dataset_run *r, size_t i, struct err *err)
{
    const struct suite_sample *s = &r->d->samples[i];
    struct client *client = session_client(r->a->session);
    struct wire_record_info record;
    const struct client_run run = {.inferences = 1,
                                   .windows = 1,
                                   .flags = WIRE_RUN_RESET,
                                   .window_ms = attempt_allowance_ms(r->a, 1)};
    AUTO_BUF file = BUF_INIT, in = BUF_INIT, out = BUF_INIT;
    struct event e = {.kind = EVENT_OUTPUT};

    if (r->d->parts == 0 && suite_file_read(s->path, SAMPLE_MAX, &file, err) < 0)
        return (int)err->code;
    if (prepare(r, s, r->d->parts == 0 ? &file : &r->array, &in, err) < 0 ||
        tensors_write(client, r->a->loaded.inputs, &in, s->path, err) < 0 ||
        client_run(client, &run, &record, err) < 0 ||
        tensors_read(client, r->a->loaded.outputs, &out, err) < 0 ||
        judge_sample(r, i, &in, &out, err) < 0)
        return (int)err->code;
    e.output = (struct event_output){
        .vector = (uint32_t)(r->a->c->model->vector_count + i), .data = out.data, .size = out.len};
    return emit(&r->a->out, &e, err);
}

static int report_score(struct dataset_run *r, struct err *err)
{
    const size_t n = r->d->sample_count;
    struct figure f = {.unit = UNIT_RATIO, .n = (uint32_t)n};

    switch (r->d->metric) {
    case DATASET_TOP1:
        f.name = "accuracy";
        f.value = (double)r->right / (double)n;
        break;
    case DATASET_AUC:
        f.name = "auc";
        f.value = score_auc(r->scores, n);
        if (isnan(f.value))
            return err_set(err, ERR_CONFIG, "auc needs samples of label 0 and of others");
        break;
    case DATASET_MSE:
        f.name = "mse";
        f.value = r->squares / (double)n;
        break;
    }
    return emit_metric(&r->a->out, &f, err);
}

int attempt_dataset(struct attempt *a, struct err *err)
{
    struct dataset_run r = {.a = a, .d = attempt_computes(a) ? a->c->model->dataset : NULL};
    int status = 0;

    if (r.d == NULL || r.d->sample_count == 0)
        return 0;
    if (r.d->parts != 0 && suite_file_read(r.d->path, SAMPLE_MAX, &r.array, err) < 0)
        return (int)err->code;
    r.scores = calloc(r.d->sample_count, sizeof(r.scores[0]));
    if (r.scores == NULL)
        abort();
    for (size_t i = 0; status == 0 && i < r.d->sample_count; i++) {
        status = run_sample(&r, i, err) < 0 ? (int)err->code : 0;
        if (status < 0)
            (void)err_in(err, "sample %zu", i);
    }
    if (status == 0)
        status = report_score(&r, err);
    free(r.scores);
    buf_release(&r.array);
    return status;
}
