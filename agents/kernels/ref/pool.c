/* AVERAGE_POOL_2D and MAX_POOL_2D, int8: reference_integer_ops::AveragePool, MaxPool. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* The part of a window that lies inside the input. */
struct window {
    int32_t y0, y1, x0, x1; /* y1 and x1 are the first outside */
};

static struct window window_at(const struct kernel_pool *p, uint32_t out_y, uint32_t out_x)
{
    int32_t y = (int32_t)(out_y * p->stride_h) - p->pad_top;
    int32_t x = (int32_t)(out_x * p->stride_w) - p->pad_left;

    return (struct window){
        .y0 = arith_clamp(y, 0, p->in_h),
        .y1 = arith_clamp(y + p->filter_h, 0, p->in_h),
        .x0 = arith_clamp(x, 0, p->in_w),
        .x1 = arith_clamp(x + p->filter_w, 0, p->in_w),
    };
}

/* Rounded to nearest, ties away from zero. */
static int32_t average(const struct kernel_pool *p, const struct window *w, const int8_t *in)
{
    int32_t sum = 0;
    int32_t count = (w->y1 - w->y0) * (w->x1 - w->x0);

    for (int32_t y = w->y0; y < w->y1; y++) {
        for (int32_t x = w->x0; x < w->x1; x++)
            sum += in[((uint32_t)y * p->in_w + (uint32_t)x) * p->c];
    }
    if (count == 0)
        return 0;
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static int32_t maximum(const struct kernel_pool *p, const struct window *w, const int8_t *in)
{
    int32_t max = INT8_MIN;

    for (int32_t y = w->y0; y < w->y1; y++) {
        for (int32_t x = w->x0; x < w->x1; x++) {
            const int8_t *v = &in[((uint32_t)y * p->in_w + (uint32_t)x) * p->c];
            max = *v > max ? *v : max;
        }
    }
    return max;
}

typedef int32_t window_fn(const struct kernel_pool *p, const struct window *w, const int8_t *in);

static void pool(const struct kernel_pool *p, void *const *at, window_fn *reduce)
{
    const int8_t *in = at[0];
    int8_t *out = at[1];

    for (uint32_t batch = 0; batch < p->batches; batch++) {
        for (uint32_t pixel = 0; pixel < (uint32_t)p->out_h * p->out_w; pixel++) {
            struct window w = window_at(p, pixel / p->out_w, pixel % p->out_w);
            for (uint32_t c = 0; c < p->c; c++)
                *out++ = (int8_t)arith_clamp(reduce(p, &w, in + c), p->act_min, p->act_max);
        }
        in += (uint32_t)p->in_h * p->in_w * p->c;
    }
}

void ref_average_pool_s8(const void *params, void *const *at)
{
    pool(params, at, average);
}

void ref_max_pool_s8(const void *params, void *const *at)
{
    pool(params, at, maximum);
}

bool ref_pool_s8_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_pool *p = params;

    return check_product(p->out_h, p->stride_h) < 0x40000000 &&
           check_product(p->out_w, p->stride_w) < 0x40000000 &&
           check_holds(&spans[0], p->batches, (uint32_t)p->in_h * p->in_w, p->c, 1) &&
           check_holds(&spans[1], p->batches, (uint32_t)p->out_h * p->out_w, p->c, 1);
}
