/* GATHER and the resizing operators: outputs that are found by place. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

static void copy_run(uint8_t *to, const uint8_t *from, uint32_t n)
{
    while (n--)
        *to++ = *from++;
}

void ref_gather(const void *params, void *const *at)
{
    const struct kernel_gather *p = params;
    const uint8_t *in = at[0];
    const int32_t *indices = at[1];
    uint8_t *out = at[2];

    for (uint32_t batch = 0; batch < p->batches; batch++, indices += p->count) {
        for (uint32_t b = 0; b < p->before; b++, in += p->n * p->run) {
            for (uint32_t i = 0; i < p->count; i++, out += p->run)
                copy_run(out, in + (uint32_t)arith_clamp(indices[i], 0, (int32_t)p->n - 1) * p->run,
                         p->run);
        }
    }
}

bool ref_gather_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_gather *p = params;
    uint32_t blocks = check_product(p->batches, p->before);

    return p->n <= INT32_MAX && check_holds(&spans[0], blocks, p->n, p->run, 1) &&
           check_holds(&spans[1], p->batches, p->count, 1, sizeof(int32_t)) &&
           check_holds(&spans[2], blocks, p->count, p->run, 1);
}

void ref_resize_nearest(const void *params, void *const *at)
{
    const struct kernel_resize *p = params;
    const uint8_t *in = at[0];
    uint8_t *out = at[1];
    const uint16_t *rows = at[2], *cols = at[3];

    for (uint32_t b = 0; b < p->batches; b++, in += (uint32_t)p->in_h * p->in_w * p->run) {
        for (uint32_t y = 0; y < p->out_h; y++) {
            uint32_t row = rows[y] < p->in_h ? rows[y] : p->in_h - 1u;
            for (uint32_t x = 0; x < p->out_w; x++, out += p->run) {
                uint32_t col = cols[x] < p->in_w ? cols[x] : p->in_w - 1u;
                copy_run(out, in + (row * p->in_w + col) * p->run, p->run);
            }
        }
    }
}

/* Far more than a fraction of good will, and little enough for all products. */
#define FRACTION_LIMIT ((int32_t)1 << 20)

/* A place of a table, moved into the input if the image lies. */
static struct kernel_place inside(struct kernel_place place, uint32_t size)
{
    if (place.first >= size)
        place.first = (uint16_t)(size - 1);
    if (place.second >= size)
        place.second = (uint16_t)(size - 1);
    place.fraction = arith_clamp(place.fraction, -FRACTION_LIMIT, FRACTION_LIMIT);
    return place;
}

/* What lies `fraction` / 1024 of the way from a to b, times 1024. */
static int64_t between(int32_t a, int32_t b, int32_t fraction)
{
    return (int64_t)a * (1024 - fraction) + (int64_t)b * fraction;
}

/* reference_ops::ResizeBilinearInteger: 10 bits of fraction each way, ties away from zero. */
static int8_t *blend_row(const struct kernel_resize *p, const int8_t *in, struct kernel_place row,
                         const struct kernel_place *cols, int8_t *out)
{
    const int8_t *upper = in + (uint32_t)row.first * p->in_w * p->run;
    const int8_t *lower = in + (uint32_t)row.second * p->in_w * p->run;

    for (uint32_t x = 0; x < p->out_w; x++) {
        struct kernel_place col = inside(cols[x], p->in_w);
        uint32_t left = col.first * p->run, right = col.second * p->run;
        for (uint32_t c = 0; c < p->run; c++) {
            int64_t top = between(upper[left + c], upper[right + c], col.fraction);
            int64_t bottom = between(lower[left + c], lower[right + c], col.fraction);
            int64_t sum = top * (1024 - row.fraction) + bottom * row.fraction;
            sum += sum > 0 ? 1L << 19 : -(1L << 19);
            *out++ = (int8_t)(sum / (1L << 20));
        }
    }
    return out;
}

void ref_resize_bilinear_s8(const void *params, void *const *at)
{
    const struct kernel_resize *p = params;
    const int8_t *in = at[0];
    int8_t *out = at[1];
    const struct kernel_place *rows = at[2], *cols = at[3];

    for (uint32_t b = 0; b < p->batches; b++, in += (uint32_t)p->in_h * p->in_w * p->run) {
        for (uint32_t y = 0; y < p->out_h; y++)
            out = blend_row(p, in, inside(rows[y], p->in_h), cols, out);
    }
}

/* `unit` bytes for each of `run`, `entry` for each place. */
static bool resize_fits(const struct kernel_resize *p, const struct kernel_span *spans,
                        uint32_t unit, uint32_t entry)
{
    return check_holds(&spans[0], p->batches, (uint32_t)p->in_h * p->in_w, p->run, unit) &&
           check_holds(&spans[1], p->batches, (uint32_t)p->out_h * p->out_w, p->run, unit) &&
           check_holds(&spans[2], p->out_h, 1, entry, 1) &&
           check_holds(&spans[3], p->out_w, 1, entry, 1) && check_aligned(&spans[2], 4) &&
           check_aligned(&spans[3], 4);
}

bool ref_resize_nearest_check(const void *params, const struct kernel_span *spans)
{
    return resize_fits(params, spans, 1, sizeof(uint16_t));
}

bool ref_resize_bilinear_check(const void *params, const struct kernel_span *spans)
{
    return resize_fits(params, spans, 1, sizeof(struct kernel_place));
}

/* ---- float32 ---- */

#if KERNELS_FLOAT

static struct kernel_place_f32 inside_f32(struct kernel_place_f32 place, uint32_t size)
{
    if (place.first >= size)
        place.first = (uint16_t)(size - 1);
    if (place.second >= size)
        place.second = (uint16_t)(size - 1);
    return place;
}

static float blend(float a, float b, float fraction)
{
    return a * (1.0f - fraction) + b * fraction;
}

static float *blend_row_f32(const struct kernel_resize *p, const float *in,
                            struct kernel_place_f32 row, const struct kernel_place_f32 *cols,
                            float *out)
{
    const float *upper = in + (uint32_t)row.first * p->in_w * p->run;
    const float *lower = in + (uint32_t)row.second * p->in_w * p->run;

    for (uint32_t x = 0; x < p->out_w; x++) {
        struct kernel_place_f32 col = inside_f32(cols[x], p->in_w);
        uint32_t left = col.first * p->run, right = col.second * p->run;
        for (uint32_t c = 0; c < p->run; c++) {
            float top = blend(upper[left + c], upper[right + c], col.fraction);
            float bottom = blend(lower[left + c], lower[right + c], col.fraction);
            *out++ = blend(top, bottom, row.fraction);
        }
    }
    return out;
}

void ref_resize_bilinear_f32(const void *params, void *const *at)
{
    const struct kernel_resize *p = params;
    const float *in = at[0];
    float *out = at[1];
    const struct kernel_place_f32 *rows = at[2], *cols = at[3];

    for (uint32_t b = 0; b < p->batches; b++, in += (uint32_t)p->in_h * p->in_w * p->run) {
        for (uint32_t y = 0; y < p->out_h; y++)
            out = blend_row_f32(p, in, inside_f32(rows[y], p->in_h), cols, out);
    }
}

bool ref_resize_bilinear_f32_check(const void *params, const struct kernel_span *spans)
{
    return resize_fits(params, spans, sizeof(float), sizeof(struct kernel_place_f32));
}

#endif
