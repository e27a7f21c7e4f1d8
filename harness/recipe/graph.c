#include "harness/recipe/graph.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/recipe/kinds.h"

int layer_error(const struct graph *g, const struct layer *l, struct err *err, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(err, ERR_CONFIG, "%s:%u:%u: layer '%s': %s", l->where.file, l->where.line,
                   l->where.column, l->name, text);
}

static int count_elements(const struct graph *g, struct layer *l, struct err *err)
{
    int64_t n = 1;
    for (int i = 0; i < l->shape.rank; i++) {
        n *= l->shape.dim[i];
        if (l->shape.dim[i] < 1 || n > ELEMENTS_MAX)
            return layer_error(g, l, err, "output has a size of less than 1 or too many elements");
    }
    l->size = (int)n;
    return 0;
}

int layer_weight_channel(const struct layer *l, int i)
{
    return l->channels_last ? i % l->channels : i / (int)(l->weight_count / l->channels);
}

/* He et al. 2015: variance 2 / inputs of each output. */
static void draw_weights(struct graph *g, struct layer *l, struct rng *r)
{
    if (l->weight_count == 0)
        return;
    l->weights = arena_alloc(&g->arena, (size_t)l->weight_count * sizeof(double));
    l->bias = arena_alloc(&g->arena, (size_t)l->channels * sizeof(double));
    double deviation = sqrt(2.0 * l->channels / (double)l->weight_count);
    for (int i = 0; i < l->weight_count; i++)
        l->weights[i] = deviation * rng_normal(r);
}

static int build_layer(struct graph *g, const struct recipe_layer *from, struct layer *l,
                       struct rng *r, struct err *err)
{
    *l = (struct layer){
        .kind = from->kind,
        .name = from->name,
        .options = &from->options,
        .where = from->where,
        .from_count = from->from_count,
    };
    memcpy(l->from, from->from, sizeof(l->from));
    l->type = layer_source(g, l, 0)->type;
    if (l->kind->shape(g, l, err) || count_elements(g, l, err))
        return err->code;
    g->weight_count += l->weight_count;
    g->state_count += l->state_count;
    if (g->weight_count > ELEMENTS_MAX || g->state_count > ELEMENTS_MAX)
        return layer_error(g, l, err, "here the model has more than %d weights or values of state",
                           ELEMENTS_MAX);
    g->macs += (uint64_t)l->macs;
    draw_weights(g, l, r);
    l->state = arena_alloc(&g->arena, (size_t)l->state_count * sizeof(double));
    return 0;
}

int graph_build(const struct recipe *r, struct graph *ret, struct err *err)
{
    AUTO(graph_release)
    struct graph g = {.recipe = r, .count = (int)r->layer_count + 1};
    struct rng rng = rng_of(r->seed, STREAM_WEIGHTS);
    g.layers = arena_alloc(&g.arena, (size_t)g.count * sizeof(*g.layers));
    g.layers[0] = (struct layer){
        .name = "input",
        .shape = r->input.shape,
        .type = r->input.type,
        .low = r->input.low,
        .high = r->input.high,
        .where = r->input.where,
    };
    if (count_elements(&g, &g.layers[0], err))
        return err->code;
    for (int i = 1; i < g.count; i++)
        if (build_layer(&g, &r->layers[i - 1], &g.layers[i], &rng, err))
            return err->code;
    *ret = g;
    g.arena = (struct arena)ARENA_INIT;
    return 0;
}

void graph_release(struct graph *g)
{
    arena_release(&g->arena);
}

double **graph_alloc_values(struct graph *g)
{
    double **values = arena_alloc(&g->arena, (size_t)g->count * sizeof(*values));
    for (int i = 0; i < g->count; i++)
        values[i] = arena_alloc(&g->arena, (size_t)g->layers[i].size * sizeof(double));
    return values;
}

void layer_reset_state(struct layer *l)
{
    for (int i = 0; i < l->state_count; i++)
        l->state[i] = 0;
}

void graph_forward_linear(const struct graph *g, int index, double *const *values)
{
    const struct layer *l = &g->layers[index];
    const double *in[LAYER_SOURCES_MAX];
    for (int i = 0; i < l->from_count; i++)
        in[i] = values[l->from[i]];
    l->kind->forward(g, l, in, values[index]);
}

void graph_activate(const struct layer *l, double *value)
{
    enum activation a = l->options->activation;
    for (int i = 0; a != ACT_NONE && i < l->size; i++) {
        if (value[i] < 0)
            value[i] = 0;
        if (a == ACT_RELU6 && value[i] > 6)
            value[i] = 6;
    }
}

void graph_forward(const struct graph *g, double *const *values)
{
    for (int i = 1; i < g->count; i++) {
        graph_forward_linear(g, i, values);
        graph_activate(&g->layers[i], values[i]);
    }
}
