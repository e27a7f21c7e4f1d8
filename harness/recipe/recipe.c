#include "harness/recipe/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/recipe/calibrate.h"
#include "harness/recipe/data.h"
#include "harness/recipe/emit.h"
#include "harness/recipe/train.h"

static struct graph *xgraph(void)
{
    struct graph *g = calloc(1, sizeof(*g));
    if (!g)
        abort();
    return g;
}

static uint64_t count_weights(const struct graph *g)
{
    uint64_t n = 0;
    for (int i = 1; i < g->count; i++)
        n += (uint64_t)(g->layers[i].weight_count + g->layers[i].channels);
    return n;
}

int recipe_build(const struct recipe *r, struct recipe_result *ret, struct err *err)
{
    AUTO(recipe_result_release) struct recipe_result result = {.tflite = BUF_INIT};
    struct graph *g = result.graph = xgraph();
    if (graph_build(r, g, err))
        return err->code;
    if (r->trained && graph_train(g, &result.train_loss, err))
        return err->code;
    if (graph_calibrate(g, !r->trained, err))
        return err->code;
    emit_model(g, &result.tflite);
    result.macs = g->macs;
    result.weights = count_weights(g);
    *ret = result;
    result.graph = NULL;
    result.tflite = (struct buf)BUF_INIT;
    return 0;
}

void recipe_result_release(struct recipe_result *r)
{
    buf_release(&r->tflite);
    if (r->graph)
        graph_release(r->graph);
    free(r->graph);
}

static int input_size(const struct recipe *r)
{
    int n = 1;
    for (int i = 0; i < r->input.shape.rank; i++)
        n *= r->input.shape.dim[i];
    return n;
}

/* Little-endian, in the input's type. */
static void put_value(struct buf *b, double x, enum value_type type, struct quantisation q)
{
    float f = (float)x;
    if (type == TYPE_FLOAT32) {
        buf_append(b, &f, sizeof(f));
        return;
    }
    int64_t v = quantise(x, type, q);
    buf_append(b, (uint8_t[]){v & 0xff, v >> 8 & 0xff}, type == TYPE_INT16 ? 2 : 1);
}

static int write_sample(const struct recipe *r, struct rng *rng, const char *path, int *ret_label,
                        struct err *err)
{
    AUTO_BUF bytes = BUF_INIT;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    int n = input_size(r);
    struct sample s = {.x = arena_alloc(&arena, (size_t)n * sizeof(*s.x))};
    struct quantisation q = quantisation_of(r->input.type, r->input.low, r->input.high);
    r->input.data->draw(rng, &r->input, &s);
    *ret_label = s.label;
    for (int i = 0; i < n; i++)
        put_value(&bytes, s.x[i], r->input.type, q);
    return file_write_atomic(path, bytes.data, bytes.len, err);
}

/* Every value of the type alike: reaches the clamps that smooth data never does. */
static int write_random(const struct recipe *r, struct rng *rng, const char *path, struct err *err)
{
    AUTO_BUF bytes = BUF_INIT;
    static const int sizes[] = {[TYPE_INT8] = 1, [TYPE_INT16] = 2, [TYPE_FLOAT32] = 4};
    for (int i = 0; i < input_size(r); i++) {
        float f = (float)rng_uniform(rng, r->input.low, r->input.high);
        uint64_t v = rng_next(rng) >> 32;
        const void *data = r->input.type == TYPE_FLOAT32 ? (const void *)&f : (const void *)&v;
        buf_append(&bytes, data, (size_t)sizes[r->input.type]);
    }
    return file_write_atomic(path, bytes.data, bytes.len, err);
}

int recipe_write_vectors(const struct recipe *r, const char *folder, struct err *err)
{
    struct rng rng = rng_of(r->seed, STREAM_VECTORS);
    for (int i = 0; i < r->vectors.data + r->vectors.random; i++) {
        char path[4096];
        int label = 0;
        snprintf(path, sizeof(path), "%s/in%02d.bin", folder, i);
        int status = i < r->vectors.data ? write_sample(r, &rng, path, &label, err)
                                         : write_random(r, &rng, path, err);
        if (status)
            return status;
    }
    return 0;
}

static int write_layer(const struct layer *l, const double *value, const char *folder, int sample,
                       struct err *err)
{
    AUTO_BUF bytes = BUF_INIT;
    char path[4096];
    snprintf(path, sizeof(path), "%s/real%02d-%s.bin", folder, sample, l->name);
    for (int i = 0; i < l->size; i++)
        put_value(&bytes, value[i], TYPE_FLOAT32, l->quant);
    return file_write_atomic(path, bytes.data, bytes.len, err);
}

/* The values of all layers for one sample, from a fresh state. */
static void run_sample(const struct recipe *r, struct graph *g, double **values, struct rng *rng)
{
    struct sample s = {.x = values[0]};
    for (int i = 1; i < g->count; i++)
        layer_reset_state(&g->layers[i]);
    r->input.data->draw(rng, &r->input, &s);
    graph_forward(g, values);
}

int recipe_write_real(const struct recipe *r, const struct recipe_result *model, const char *folder,
                      struct err *err)
{
    struct rng rng = rng_of(r->seed, STREAM_VECTORS);
    struct graph *g = model->graph;
    double **values = graph_alloc_values(g);
    for (int i = 0; i < r->vectors.data; i++) {
        run_sample(r, g, values, &rng);
        for (int k = 0; k < g->count; k++)
            if (write_layer(&g->layers[k], values[k], folder, i, err))
                return err->code;
    }
    return 0;
}

int recipe_write_dataset(const struct recipe *r, const char *folder, struct err *err)
{
    AUTO_BUF labels = BUF_INIT;
    char path[4096];
    struct rng rng = rng_of(r->seed, STREAM_TEST);
    if (r->dataset_samples == 0 || r->input.data->classes == 0)
        return err_set(err, ERR_USAGE,
                       "recipe '%s' has no labelled data set ('dataset' and data '%s')", r->name,
                       r->input.data->name);
    for (int i = 0; i < r->dataset_samples; i++) {
        int label = 0;
        snprintf(path, sizeof(path), "%s/%s_%04d.bin", folder, r->name, i);
        if (write_sample(r, &rng, path, &label, err))
            return err->code;
        buf_printf(&labels, "%s_%04d.bin,%d,%d\n", r->name, i, r->input.data->classes, label);
    }
    snprintf(path, sizeof(path), "%s/y_labels.csv", folder);
    return file_write_atomic(path, labels.data, labels.len, err);
}
