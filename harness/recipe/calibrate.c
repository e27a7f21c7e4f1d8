#include "harness/recipe/calibrate.h"

#include <math.h>

#include "harness/recipe/data.h"
#include "harness/recipe/kinds.h"

enum {
    VALUES_MAX = 256 << 20 /* doubles: 2 GiB */
};

struct statistics {
    double sum, squares;
    double count;
};

/* values[sample][layer][element] */
struct calibration {
    struct graph *g;
    double ***values;
    int samples;
};

static void add_value(struct statistics *s, double v)
{
    s->sum += v;
    s->squares += v * v;
    s->count += 1;
}

/*
 * Give channel c of the layer's output the mean `shift` and the deviation `spread`, by changing its
 * weights and bias. A channel that never changes is left alone.
 */
static void rescale_channel(struct layer *l, int c, const struct statistics *s, double spread,
                            double shift)
{
    double mean = s->sum / s->count;
    double variance = s->squares / s->count - mean * mean;
    if (variance < 1e-12)
        return;
    double factor = spread / sqrt(variance);
    for (int i = 0; i < l->weight_count; i++)
        if (layer_weight_channel(l, i) == c)
            l->weights[i] *= factor;
    l->bias[c] = (l->bias[c] - mean) * factor + shift;
}

static void normalise_layer(const struct calibration *cal, int index, struct rng *r)
{
    struct layer *l = &cal->g->layers[index];
    double gain = l->options->gain;
    for (int c = 0; c < l->channels; c++) {
        struct statistics s = {0};
        for (int n = 0; n < cal->samples; n++)
            for (int i = c; i < l->size; i += l->channels)
                add_value(&s, cal->values[n][index][i]);
        double shift = gain * rng_uniform(r, -0.4, 0.6); /* drawn in an order that C defines */
        double deviation = gain * rng_uniform(r, 0.6, 1.4);
        rescale_channel(l, c, &s, deviation, shift);
    }
}

static void run_layer(const struct calibration *cal, int index)
{
    layer_reset_state(&cal->g->layers[index]);
    for (int n = 0; n < cal->samples; n++)
        graph_forward_linear(cal->g, index, cal->values[n]);
}

static void measure_layer(const struct calibration *cal, int index)
{
    struct layer *l = &cal->g->layers[index];
    l->low = l->high = 0;
    for (int n = 0; n < cal->samples; n++) {
        double *v = cal->values[n][index];
        graph_activate(l, v);
        for (int i = 0; i < l->size; i++) {
            l->low = v[i] < l->low ? v[i] : l->low;
            l->high = v[i] > l->high ? v[i] : l->high;
        }
    }
}

struct quantisation quantisation_of(enum value_type type, double low, double high)
{
    struct quantisation q = {0};
    low = low > 0 ? 0 : low;
    high = high < 0 ? 0 : high;
    if (high - low < 1e-6) /* a tensor that is always zero still needs a scale */
        high = low + 1e-6;
    if (type == TYPE_INT16) {
        q.scale = (float)((-low > high ? -low : high) / 32767);
    } else if (type == TYPE_INT8) {
        q.scale = (float)((high - low) / 255);
        q.zero_point = (int32_t)round_clamped(-128 - low / (double)q.scale, -128, 127);
    }
    return q;
}

int64_t quantise(double x, enum value_type type, struct quantisation q)
{
    int64_t limit = type == TYPE_INT16 ? 32767 : 127;
    double scaled = x / (double)q.scale;
    return round_clamped(scaled + q.zero_point, -limit - 1, limit);
}

/* A set of tensors that must have one range is named by its first member. */
static int set_of(const int *set, int i)
{
    while (set[i] != i)
        i = set[i];
    return i;
}

static bool is_fixed(const struct layer *l)
{
    return !l->kind || l->kind->range >= RANGE_UNIT;
}

/*
 * A layer that does not rescale has its source's quantisation; one that joins several sources makes
 * them share theirs. A fixed range cannot be widened for that: the recipe must rescale it first.
 */
static int join_sets(const struct graph *g, int *set, struct err *err)
{
    for (int i = 0; i < g->count; i++)
        set[i] = i;
    for (int i = 1; i < g->count; i++) {
        const struct layer *l = &g->layers[i];
        for (int s = 0; l->kind->range == RANGE_SHARED && s < l->from_count; s++) {
            int a = set_of(set, i);
            int b = set_of(set, l->from[s]);
            if (s > 0 && a != b && (is_fixed(&g->layers[a]) || is_fixed(&g->layers[b]))) {
                layer_error(g, l, err, "its sources have fixed ranges that differ");
                return err_hint(err, "put a 'quantize' layer before it");
            }
            set[a > b ? a : b] = a > b ? b : a;
        }
    }
    return 0;
}

/* The input's declared range and TFLite's fixed ones rule the set that they begin. */
static void widen(struct layer *set, const struct layer *member)
{
    if (is_fixed(set))
        return;
    set->low = member->low < set->low ? member->low : set->low;
    set->high = member->high > set->high ? member->high : set->high;
}

static void quantise_layer(struct layer *l, const struct layer *set)
{
    enum range_rule rule = set->kind ? set->kind->range : RANGE_OWN;
    if (rule == RANGE_UNIT && l->type == TYPE_INT8)
        l->quant = (struct quantisation){0x1p-8F, -128};
    else if (rule == RANGE_SIGNED && l->type == TYPE_INT8)
        l->quant = (struct quantisation){0x1p-7F, 0};
    else if (rule >= RANGE_UNIT && l->type == TYPE_INT16)
        l->quant = (struct quantisation){0x1p-15F, 0};
    else
        l->quant = quantisation_of(l->type, set->low, set->high);
}

static int set_quantisation(struct graph *g, struct err *err)
{
    int *set = arena_alloc(&g->arena, (size_t)g->count * sizeof(*set));
    if (join_sets(g, set, err))
        return err->code;
    for (int i = 0; i < g->count; i++)
        widen(&g->layers[set_of(set, i)], &g->layers[i]);
    for (int i = 0; i < g->count; i++)
        quantise_layer(&g->layers[i], &g->layers[set_of(set, i)]);
    return 0;
}

int graph_calibrate(struct graph *g, bool normalise, struct err *err)
{
    const struct recipe *r = g->recipe;
    struct calibration cal = {g, NULL, r->calibration_samples};
    int64_t values = 0;
    for (int i = 0; i < g->count; i++)
        values += (int64_t)g->layers[i].size * r->calibration_samples;
    if (values > VALUES_MAX)
        return layer_error(g, &g->layers[0], err,
                           "fewer 'calibration' samples, please: these have "
                           "%lld values in all layers, the limit is %d",
                           (long long)values, VALUES_MAX);
    struct rng data = rng_of(r->seed, STREAM_CALIBRATION);
    struct rng spread = rng_of(r->seed, STREAM_SPREAD);
    cal.values = arena_alloc(&g->arena, (size_t)cal.samples * sizeof(*cal.values));
    for (int n = 0; n < cal.samples; n++) {
        cal.values[n] = graph_alloc_values(g);
        struct sample s = {.x = cal.values[n][0], .normal = true};
        r->input.data->draw(&data, &r->input, &s);
    }
    for (int i = 1; i < g->count; i++) {
        run_layer(&cal, i);
        if (normalise && g->layers[i].weight_count > 0 && !g->layers[i].kind->recurrent) {
            normalise_layer(&cal, i, &spread);
            run_layer(&cal, i);
        }
        measure_layer(&cal, i);
    }
    return set_quantisation(g, err);
}
