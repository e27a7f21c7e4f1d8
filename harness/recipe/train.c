#include "harness/recipe/train.h"

#include <math.h>
#include <string.h>

#include "harness/recipe/data.h"
#include "harness/recipe/kinds.h"

enum {
    VALUES_MAX = 128 << 20 /* doubles: 1 GiB */
};

/* One layer's parameters seen as two arrays, each with gradient and Adam's two moments. */
struct moments {
    double *grad, *first, *second;
};

struct trainer {
    struct graph *g;
    double **values, **grads; /* of one sample, by layer */
    struct moments *weights, *biases;
    double **x; /* training samples */
    double **target;
    int *label;
    int *order;
    double decay1, decay2; /* beta1^t, beta2^t */
};

#define BETA1 0.9
#define BETA2 0.999

static struct moments moments_alloc(struct graph *g, int n)
{
    size_t size = (size_t)n * sizeof(double);
    return (struct moments){arena_alloc(&g->arena, size), arena_alloc(&g->arena, size),
                            arena_alloc(&g->arena, size)};
}

static const struct layer *last_layer(const struct graph *g)
{
    return &g->layers[g->count - 1];
}

static int check(const struct graph *g, struct err *err)
{
    const struct recipe *r = g->recipe;
    const struct data_source *data = r->input.data;
    const struct layer *last = last_layer(g);
    bool classes = r->train.loss == LOSS_CROSS_ENTROPY;
    int64_t values = (int64_t)r->train.samples * (g->layers[0].size + last->size);
    if (values > VALUES_MAX)
        return layer_error(g, last, err, "fewer training samples, please: these have %lld values",
                           (long long)values);
    if (classes && (last->kind != &kind_softmax || last->size != data->classes))
        return layer_error(g, last, err,
                           "cross entropy on '%s' needs a softmax over %d values last", data->name,
                           data->classes);
    int targets = data->targets == TARGETS_INPUT ? g->layers[0].size : data->targets;
    if (!classes && last->size != targets)
        return layer_error(g, last, err, "data '%s' has %d target values, the output has %d",
                           data->name, targets, last->size);
    for (int i = 1; i < g->count - classes; i++)
        if (!g->layers[i].kind->backward)
            return layer_error(g, &g->layers[i], err, "a %s layer cannot be trained",
                               g->layers[i].kind->name);
    return 0;
}

static void make_samples(struct trainer *t)
{
    struct graph *g = t->g;
    const struct recipe *r = g->recipe;
    size_t n = (size_t)r->train.samples;
    struct rng rng = rng_of(r->seed, STREAM_TRAIN);
    t->x = arena_alloc(&g->arena, n * sizeof(*t->x));
    t->target = arena_alloc(&g->arena, n * sizeof(*t->target));
    t->label = arena_alloc(&g->arena, n * sizeof(*t->label));
    t->order = arena_alloc(&g->arena, n * sizeof(*t->order));
    for (size_t i = 0; i < n; i++) {
        t->x[i] = arena_alloc(&g->arena, (size_t)g->layers[0].size * sizeof(double));
        t->target[i] = arena_alloc(&g->arena, (size_t)last_layer(g)->size * sizeof(double));
        struct sample s = {.x = t->x[i], .target = t->target[i], .normal = true};
        r->input.data->draw(&rng, &r->input, &s);
        t->label[i] = s.label;
        t->order[i] = (int)i;
    }
}

static struct trainer trainer_new(struct graph *g)
{
    struct trainer t = {.g = g, .decay1 = 1, .decay2 = 1};
    t.values = graph_alloc_values(g);
    t.grads = graph_alloc_values(g);
    t.weights = arena_alloc(&g->arena, (size_t)g->count * sizeof(*t.weights));
    t.biases = arena_alloc(&g->arena, (size_t)g->count * sizeof(*t.biases));
    for (int i = 1; i < g->count; i++) {
        t.weights[i] = moments_alloc(g, (int)g->layers[i].weight_count);
        t.biases[i] = moments_alloc(g, g->layers[i].channels);
    }
    make_samples(&t);
    return t;
}

/* Puts the loss's gradient where the way back starts; returns the loss. */
static double loss_of(struct trainer *t, int sample, int *ret_start)
{
    const struct graph *g = t->g;
    int last = g->count - 1;
    const struct layer *l = &g->layers[last];
    const double *y = t->values[last];
    double loss = 0;
    if (g->recipe->train.loss == LOSS_CROSS_ENTROPY) {
        int logits = l->from[0]; /* gradient of softmax and cross entropy together: p - wanted */
        for (int i = 0; i < l->size; i++)
            t->grads[logits][i] = y[i] - (i == t->label[sample]);
        *ret_start = last - 1;
        return 1 - y[t->label[sample]];
    }
    for (int i = 0; i < l->size; i++) {
        double d = y[i] - t->target[sample][i];
        t->grads[last][i] = 2 * d / l->size;
        loss += d * d / l->size;
    }
    *ret_start = last;
    return loss;
}

static void activation_back(const struct layer *l, const double *value, double *grad)
{
    enum activation a = l->options->activation;
    for (int i = 0; a != ACT_NONE && i < l->size; i++)
        if (value[i] <= 0 || (a == ACT_RELU6 && value[i] >= 6))
            grad[i] = 0;
}

static void layer_back(struct trainer *t, int index)
{
    const struct layer *l = &t->g->layers[index];
    const double *in[LAYER_SOURCES_MAX];
    double *in_grad[LAYER_SOURCES_MAX];
    for (int s = 0; s < l->from_count; s++) {
        in[s] = t->values[l->from[s]];
        in_grad[s] = l->from[s] ? t->grads[l->from[s]] : NULL;
    }
    struct backward b = {in, t->grads[index], in_grad, t->weights[index].grad,
                         t->biases[index].grad};
    activation_back(l, t->values[index], t->grads[index]);
    l->kind->backward(t->g, l, &b);
}

static double train_sample(struct trainer *t, int sample)
{
    const struct graph *g = t->g;
    int start = 0;
    memcpy(t->values[0], t->x[sample], (size_t)g->layers[0].size * sizeof(double));
    graph_forward(g, t->values);
    for (int i = 0; i < g->count; i++)
        memset(t->grads[i], 0, (size_t)g->layers[i].size * sizeof(double));
    double loss = loss_of(t, sample, &start);
    for (int i = start; i >= 1; i--)
        layer_back(t, i);
    return loss;
}

static void adam(const struct trainer *t, double *p, const struct moments *m, int n, double rate)
{
    for (int i = 0; i < n; i++) {
        m->first[i] = BETA1 * m->first[i] + (1 - BETA1) * m->grad[i];
        m->second[i] = BETA2 * m->second[i] + (1 - BETA2) * m->grad[i] * m->grad[i];
        double mean = m->first[i] / (1 - t->decay1);
        double deviation = sqrt(m->second[i] / (1 - t->decay2));
        p[i] -= rate * mean / (deviation + 1e-8);
        m->grad[i] = 0;
    }
}

static void step(struct trainer *t, int batch, double rate)
{
    struct graph *g = t->g;
    t->decay1 *= BETA1;
    t->decay2 *= BETA2;
    for (int i = 1; i < g->count; i++) {
        struct layer *l = &g->layers[i];
        for (int k = 0; k < l->weight_count; k++)
            t->weights[i].grad[k] /= batch;
        for (int k = 0; k < l->channels; k++)
            t->biases[i].grad[k] /= batch;
        adam(t, l->weights, &t->weights[i], (int)l->weight_count, rate);
        adam(t, l->bias, &t->biases[i], l->channels, rate);
    }
}

/* Fisher and Yates */
static void shuffle(int *order, int n, struct rng *r)
{
    for (int i = n - 1; i > 0; i--) {
        int j = rng_below(r, i + 1);
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}

static double train_epoch(struct trainer *t, double rate)
{
    const struct recipe_train *r = &t->g->recipe->train;
    double loss = 0;
    for (int i = 0; i < r->samples; i++) {
        loss += train_sample(t, t->order[i]);
        if ((i + 1) % r->batch == 0 || i + 1 == r->samples)
            step(t, i % r->batch + 1, rate);
    }
    return loss / r->samples;
}

int graph_train(struct graph *g, double *ret_loss, struct err *err)
{
    const struct recipe_train *r = &g->recipe->train;
    if (check(g, err))
        return err->code;
    struct trainer t = trainer_new(g);
    struct rng rng = rng_of(g->recipe->seed, STREAM_ORDER);
    for (int epoch = 0; epoch < r->epochs; epoch++) {
        shuffle(t.order, r->samples, &rng);
        *ret_loss = train_epoch(&t, r->rate * (1 - 0.9 * epoch / r->epochs));
    }
    return 0;
}
