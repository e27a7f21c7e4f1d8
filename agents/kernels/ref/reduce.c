/* MEAN, REDUCE_MAX and ARG_MAX. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* Walks up to KERNEL_MAX_RANK dimensions; `at` is the current element. */
struct walker {
    const uint32_t *dims, *strides;
    uint32_t rank, at;
    uint32_t index[KERNEL_MAX_RANK];
};

/* Next element; false after the last one, when it stands at the first again. */
static bool step(struct walker *w)
{
    for (uint32_t d = w->rank; d-- > 0;) {
        w->at += w->strides[d];
        if (++w->index[d] < w->dims[d])
            return true;
        w->at -= w->dims[d] * w->strides[d];
        w->index[d] = 0;
    }
    return false;
}

static int32_t element(const void *data, uint32_t type, uint32_t i)
{
    return type == KERNEL_S8 ? ((const int8_t *)data)[i] : ((const int16_t *)data)[i];
}

static void store(void *data, uint32_t type, uint32_t i, int32_t v)
{
    if (type == KERNEL_S8)
        ((int8_t *)data)[i] = (int8_t)arith_clamp(v, INT8_MIN, INT8_MAX);
    else
        ((int16_t *)data)[i] = (int16_t)arith_saturate16(v);
}

/* reference_ops::QuantizedMeanOrSum */
void ref_mean(const void *params, void *const *at)
{
    const struct kernel_reduce *p = params;
    struct walker outer = {p->outer_dims, p->outer_strides, p->outer_rank, 0, {0}};
    struct walker inner = {p->inner_dims, p->inner_strides, p->inner_rank, 0, {0}};
    uint32_t i = 0;

    do {
        int32_t sum = 0;
        do {
            sum = arith_add(sum, element(at[0], p->type, outer.at + inner.at));
        } while (step(&inner));
        sum = arith_subtract(sum, p->in_zero_sum);
        sum = arith_add(arith_requantize(sum, p->multiplier, p->shift), p->out_zero);
        store(at[1], p->type, i++, sum);
    } while (step(&outer));
}

void ref_reduce_max(const void *params, void *const *at)
{
    const struct kernel_reduce *p = params;
    struct walker outer = {p->outer_dims, p->outer_strides, p->outer_rank, 0, {0}};
    struct walker inner = {p->inner_dims, p->inner_strides, p->inner_rank, 0, {0}};
    uint32_t i = 0;

    do {
        int32_t max = INT16_MIN;
        do {
            int32_t v = element(at[0], p->type, outer.at + inner.at);
            max = v > max ? v : max;
        } while (step(&inner));
        store(at[1], p->type, i++, max);
    } while (step(&outer));
}

/* Elements of the walk; `reach` gains the distance of its last one. 0 when it cannot be walked. */
static uint32_t walk_size(const uint32_t *dims, const uint32_t *strides, uint32_t rank,
                          uint64_t *reach)
{
    uint32_t n = 1;

    if (rank > KERNEL_MAX_RANK)
        return 0;
    for (uint32_t d = 0; d < rank; d++) {
        if (dims[d] == 0)
            return 0;
        *reach += check_product(dims[d] - 1, strides[d]);
        n = check_product(n, dims[d]);
    }
    return n;
}

static bool reduce_fits(const struct kernel_reduce *p, const struct kernel_span *spans,
                        uint32_t size)
{
    uint64_t reach = 0;
    uint32_t outer = walk_size(p->outer_dims, p->outer_strides, p->outer_rank, &reach);
    uint32_t inner = walk_size(p->inner_dims, p->inner_strides, p->inner_rank, &reach);

    return reach < spans[0].size / size && check_holds(&spans[0], outer, inner, 1, size) &&
           check_holds(&spans[1], outer, 1, 1, size);
}

bool ref_reduce_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_reduce *p = params;

    return (p->type == KERNEL_S8 || p->type == KERNEL_S16) &&
           reduce_fits(p, spans, check_type_size(p->type));
}

#if KERNELS_FLOAT
void ref_reduce_f32(const void *params, void *const *at)
{
    const struct kernel_reduce_f32 *f = params;
    const struct kernel_reduce *p = &f->shape;
    struct walker outer = {p->outer_dims, p->outer_strides, p->outer_rank, 0, {0}};
    struct walker inner = {p->inner_dims, p->inner_strides, p->inner_rank, 0, {0}};
    const float *in = at[0];
    float *out = at[1];

    do {
        float sum = 0, max = in[outer.at];
        do {
            float v = in[outer.at + inner.at];
            sum += v;
            max = v > max ? v : max;
        } while (step(&inner));
        *out++ = f->max ? max : sum * f->factor;
    } while (step(&outer));
}

bool ref_reduce_f32_check(const void *params, const struct kernel_span *spans)
{
    return reduce_fits(&((const struct kernel_reduce_f32 *)params)->shape, spans, sizeof(float));
}
#endif

/* Is element i larger than element k? */
static bool larger(const void *data, uint32_t type, uint32_t i, uint32_t k)
{
    if (type == KERNEL_F32)
        return ((const float *)data)[i] > ((const float *)data)[k];
    if (type == KERNEL_S32)
        return ((const int32_t *)data)[i] > ((const int32_t *)data)[k];
    return element(data, type, i) > element(data, type, k);
}

void ref_arg_max(const void *params, void *const *at)
{
    const struct kernel_arg_max *p = params;
    int32_t *out = at[1];

    for (uint32_t b = 0; b < p->before; b++) {
        for (uint32_t a = 0; a < p->after; a++) {
            uint32_t first = b * p->n * p->after + a, best = 0;
            for (uint32_t i = 1; i < p->n; i++) {
                if (larger(at[0], p->type, first + i * p->after, first + best * p->after))
                    best = i;
            }
            *out++ = (int32_t)best;
        }
    }
}

bool ref_arg_max_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_arg_max *p = params;

    return p->type <= KERNEL_F32 && p->type != KERNEL_U8 &&
           check_holds(&spans[0], p->before, p->n, p->after, check_type_size(p->type)) &&
           check_holds(&spans[1], p->before, p->after, 1, sizeof(int32_t));
}
