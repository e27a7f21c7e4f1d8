#include "harness/nn/pack.h"

#include <string.h>

static const struct {
    uint8_t variant, kind;
    pack_fn *pack;
} packings[] = {
#define X(variant, kind, fn) {KERNEL_##variant, KERNEL_##kind, fn},
    NN_PACKINGS(X)
#undef X
};

/* ---- what a variant costs ---- */

enum core {
    CORE_M0,
    CORE_M3,
    CORE_M4, /* M7 and M33 too: the same instructions */
    CORE_M55,
    CORE_RV32,
    CORE_AVR
};

static const struct cost {
    uint8_t core, variant, kind;
    uint32_t call, outputs, macs; /* instructions per call, per 100 of the others */
} costs[] = {
#define COST(core, variant, kind, call, outputs, macs)                                             \
    {CORE_##core, KERNEL_##variant, KERNEL_##kind, (call), (outputs), (macs)},
#include "harness/nn/costs.def"
#undef COST
};

/* Variants tell what a core can do, and so which figures stand for it: of several, their sum. */
static uint32_t cores_of(uint32_t variants)
{
    if (variants >> KERNEL_MVE & 1)
        return 1u << CORE_M55;
    if (variants >> KERNEL_ARMV7EM & 1)
        return 1u << CORE_M4;
    if (variants >> KERNEL_AVR & 1)
        return 1u << CORE_AVR;
    return 1u << CORE_M0 | 1u << CORE_M3 | 1u << CORE_RV32;
}

struct work {
    uint64_t outputs, macs; /* or, of what multiplies nothing, elements that are read */
};

static uint64_t product(const uint32_t *dims, unsigned rank)
{
    uint64_t n = 1;

    for (unsigned i = 0; i < rank; i++)
        n *= dims[i];
    return n;
}

static struct work work_of(const struct nn_step *s)
{
    struct work w = {0, 0};

    switch (s->kind) {
    case KERNEL_CONV_S8:
    case KERNEL_CONV_S16:
    case KERNEL_DEPTHWISE_S8:
    case KERNEL_DEPTHWISE_S16: {
        const struct kernel_conv *p = s->params;
        w.outputs = (uint64_t)p->batches * p->out_h * p->out_w * p->out_c;
        w.macs = w.outputs * p->filter_h * p->filter_w;
        if (s->kind == KERNEL_CONV_S8 || s->kind == KERNEL_CONV_S16)
            w.macs *= p->filter_c;
        break;
    }
    case KERNEL_AVERAGE_POOL_S8:
    case KERNEL_MAX_POOL_S8: {
        const struct kernel_pool *p = s->params;
        w.outputs = (uint64_t)p->batches * p->out_h * p->out_w * p->c;
        w.macs = w.outputs * p->filter_h * p->filter_w;
        break;
    }
    case KERNEL_MEAN: {
        const struct kernel_reduce *p = s->params;
        w.outputs = product(p->outer_dims, p->outer_rank);
        w.macs = w.outputs * product(p->inner_dims, p->inner_rank);
        break;
    }
    case KERNEL_FULLY_CONNECTED_S8:
    case KERNEL_FULLY_CONNECTED_S16: {
        const struct kernel_fully_connected *p = s->params;
        w.outputs = (uint64_t)p->batches * p->out_n;
        w.macs = w.outputs * p->in_n;
        break;
    }
    case KERNEL_ADD_S8:
    case KERNEL_MUL_S8: {
        const struct kernel_binary *p = s->params;
        w.outputs = product(p->dims, p->rank);
        break;
    }
    case KERNEL_SVDF: {
        const struct kernel_svdf *p = s->params;
        w.outputs = (uint64_t)p->batches * (p->filters / p->rank);
        w.macs = (uint64_t)p->batches * p->filters * ((uint64_t)p->in_n + p->memory);
        break;
    }
    case KERNEL_LSTM_S8: {
        const struct kernel_lstm *p = s->params;
        w.outputs = (uint64_t)p->steps * p->batches * p->units;
        w.macs = w.outputs * 4 * ((uint64_t)p->in_n + p->units);
        break;
    }
    default:
        break;
    }
    return w;
}

uint64_t pack_cost(uint32_t variants, const struct nn_step *s, unsigned variant)
{
    uint32_t cores = cores_of(variants);
    struct work w = work_of(s);
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(costs); i++) {
        const struct cost *c = &costs[i];
        if (c->variant == variant && c->kind == s->kind && (cores >> c->core & 1))
            sum += c->call + (w.outputs * c->outputs + w.macs * c->macs) / 100;
    }
    return sum ? sum : PACK_UNMEASURED;
}

/* ---- choice ---- */

/* The cheapest packing for a step that is not in `tried`; of equal ones the first. -1: none. */
static int cheapest(const struct nn_lower *l, const struct nn_step *s, uint32_t tried,
                    uint64_t *ret_cost)
{
    int best = -1;

    for (size_t i = 0; i < ARRAY_SIZE(packings); i++) {
        if (packings[i].kind != s->kind || (tried >> i & 1) ||
            !(l->target->variants >> packings[i].variant & 1))
            continue;
        uint64_t cost = pack_cost(l->target->variants, s, packings[i].variant);
        if (best < 0 || cost < *ret_cost) {
            best = (int)i;
            *ret_cost = cost;
        }
    }
    return best;
}

static void pack_step(struct nn_lower *l, struct nn_step *s)
{
    uint64_t plain = pack_cost(l->target->variants, s, KERNEL_REF), cost = 0;
    uint32_t tried = 0;

    for (int i; (i = cheapest(l, s, tried, &cost)) >= 0; tried |= 1u << i) {
        if (cost != PACK_UNMEASURED && cost >= plain)
            return;
        if (!packings[i].pack(l, s))
            continue;
        s->variant = packings[i].variant;
        s->plain = false;
        return;
    }
}

_Static_assert(ARRAY_SIZE(packings) <= 32, "cheapest() has a bit for each");

void pack_steps(struct nn_lower *l)
{
    for (size_t i = 0; i < l->step_count; i++)
        pack_step(l, &l->steps[i]);
}

static const char *const words[] = {
#define X(name, word) [KERNEL_##name] = (word),
    KERNEL_VARIANTS(X)
#undef X
};

uint32_t nn_variants(const char *word)
{
    if (strcmp(word, "best") == 0)
        return NN_ALL_VARIANTS;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i]) == 0)
            return 1u << i | 1u << KERNEL_REF;
    }
    return 0;
}

void nn_variant_words(uint32_t variants, struct buf *out)
{
    const char *separator = variants == NN_ALL_VARIANTS ? ", " : "";

    if (variants == NN_ALL_VARIANTS)
        buf_puts(out, "best");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (variants >> i & 1) {
            buf_printf(out, "%s%s", separator, words[i]);
            separator = ", ";
        }
    }
}

const void *pack_data(const struct nn_lower *l, const struct nn_step *s, unsigned span)
{
    const struct nn_span *at = &s->spans[span];
    const uint8_t *data = l->buffers[at->buffer].data;

    return data ? data + at->offset : NULL;
}

void *pack_alloc(struct nn_lower *l, size_t size)
{
    return memset(arena_alloc(l->arena, size + 1), 0, size + 1);
}

void *pack_params(struct nn_lower *l, struct nn_step *s)
{
    void *copy = arena_dup(l->arena, s->params, s->params_size);

    s->params = copy;
    return copy;
}

static void set_span(struct nn_step *s, unsigned span, struct nn_span value)
{
    s->spans[span] = value;
    if (span >= s->span_count)
        s->span_count = span + 1;
}

void pack_constant(struct nn_lower *l, struct nn_step *s, unsigned span, const char *name,
                   const void *data, size_t size)
{
    set_span(s, span, lower_constant(l, name, data, size));
}

void pack_scratch(struct nn_lower *l, struct nn_step *s, unsigned span, size_t size)
{
    set_span(s, span, lower_scratch(l, "scratch", (uint32_t)size, 4));
}

bool pack_own_state(const struct nn_lower *l, const struct nn_step *s, unsigned span)
{
    uint32_t buffer = s->spans[span].buffer;
    unsigned uses = 0;

    for (const struct nn_step *t = l->steps; t < l->steps + l->step_count; t++) {
        for (unsigned i = 0; i < t->span_count; i++)
            uses += t->spans[i].buffer == buffer;
    }
    for (size_t i = 0; i < l->graph->input_count; i++)
        uses += l->span_of[l->graph->inputs[i]].buffer == buffer;
    for (size_t i = 0; i < l->graph->output_count; i++)
        uses += l->span_of[l->graph->outputs[i]].buffer == buffer;
    return uses == 1;
}

int64_t pack_sum_bound(int32_t bias, const int8_t *weights, size_t n, size_t stride)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += weights[i * stride] < 0 ? -weights[i * stride] : weights[i * stride];
    return sum * 128 + (bias < 0 ? -(int64_t)bias : bias);
}

int32_t pack_fold_bias(int32_t bias, int32_t in_offset, const int8_t *weights, size_t n,
                       size_t stride)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)weights[i * stride];
    return (int32_t)((uint32_t)bias + (uint32_t)in_offset * sum);
}

bool pack_contiguous(const struct kernel_binary *p, uint32_t *ret)
{
    uint32_t n = 1;

    for (unsigned d = p->rank; d-- > 0; n *= p->dims[d]) {
        if (p->dims[d] != 1 && (p->a_strides[d] != n || p->b_strides[d] != n))
            return false;
    }
    *ret = n;
    return true;
}

/* ---- LSTM ---- */

/* The products of one gate with the input (or the hidden state): n weights for each unit. */
static bool gate_fits(const struct pack_row *row, const int32_t *bias, size_t units,
                      bool (*fits)(const struct pack_row *row))
{
    struct pack_row r = *row;

    for (size_t u = 0; u < units; u++, r.weights += r.n) {
        r.bias = bias[u];
        if (!fits(&r))
            return false;
    }
    return r.multiplier != 0;
}

/* Both factors of the cell are powers of two, and no shift goes to the left. */
static bool cell_fits(const struct kernel_lstm *p)
{
    const int32_t half = 1 << 30;

    return p->forget_multiplier == half && p->forget_shift < 0 && p->forget_shift >= -31 &&
           p->input_multiplier == half && p->input_shift < 0 && p->input_shift >= -31 &&
           p->out_multiplier > 0 && p->out_shift < 0 && p->out_shift >= -31 &&
           p->tanh_multiplier <= INT16_MAX && p->tanh_shift <= 31;
}

bool pack_lstm_fits(const struct nn_lower *l, const struct nn_step *s,
                    bool (*fits)(const struct pack_row *row))
{
    const struct kernel_lstm *p = s->params;

    if (p->in_n == 0 || p->in_n > 0xffff || p->units > 0xffff || !cell_fits(p))
        return false;
    for (unsigned g = 0; g < 4; g++) {
        const int32_t *bias = pack_data(l, s, 8 + 3 * g);
        const struct pack_row in = {.multiplier = p->in_multiplier[g],
                                    .shift = p->in_shift[g],
                                    .weights = pack_data(l, s, 6 + 3 * g),
                                    .n = p->in_n,
                                    .stride = 1};
        const struct pack_row hidden = {.multiplier = p->hidden_multiplier[g],
                                        .shift = p->hidden_shift[g],
                                        .weights = pack_data(l, s, 7 + 3 * g),
                                        .n = p->units,
                                        .stride = 1};
        if (!in.weights || !hidden.weights || !bias || !gate_fits(&in, bias, p->units, fits) ||
            !gate_fits(&hidden, bias + p->units, p->units, fits))
            return false;
    }
    return true;
}

void pack_lstm_biases(struct nn_lower *l, struct nn_step *s, size_t block)
{
    const struct kernel_lstm *p = s->params;
    size_t padded = (p->units + block - 1) / block * block;

    for (unsigned span = 8; span < s->span_count; span += 3) {
        const int32_t *plain = pack_data(l, s, span);
        int32_t *bias = pack_alloc(l, 2 * padded * sizeof *bias);
        memcpy(bias, plain, p->units * sizeof *bias);
        memcpy(bias + padded, plain + p->units, p->units * sizeof *bias);
        pack_constant(l, s, span, "gate bias", bias, 2 * padded * sizeof *bias);
    }
}
