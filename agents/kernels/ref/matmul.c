/* BATCH_MATMUL: reference_ops::BatchMatMul, int8 and float32. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

static void multiply(const struct kernel_batch_matmul *p, const int8_t *a, const int8_t *b,
                     int8_t *out)
{
    uint32_t a_row = p->a_transposed ? 1 : p->depth, a_step = p->a_transposed ? p->rows : 1;
    uint32_t b_col = p->b_transposed ? p->depth : 1, b_step = p->b_transposed ? 1 : p->columns;

    for (uint32_t i = 0; i < p->rows; i++) {
        for (uint32_t j = 0; j < p->columns; j++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < p->depth; k++)
                sum =
                    arith_add(sum, (int32_t)((uint32_t)(a[i * a_row + k * a_step] + p->a_offset) *
                                             (uint32_t)(b[j * b_col + k * b_step] + p->b_offset)));
            sum = arith_add(arith_requantize(sum, p->multiplier, p->shift), p->out_offset);
            *out++ = (int8_t)arith_clamp(sum, p->act_min, p->act_max);
        }
    }
}

static uint32_t batch_count(const struct kernel_batch_matmul *p)
{
    return p->batch_dims[0] * p->batch_dims[1] * p->batch_dims[2] * p->batch_dims[3];
}

/* The first elements of the matrices of output `batch`. */
static void find_matrices(const struct kernel_batch_matmul *p, uint32_t batch, uint32_t *a,
                          uint32_t *b)
{
    uint32_t left = 0, right = 0;

    for (int d = 3; d >= 0; d--) {
        left += batch % p->batch_dims[d] * p->a_strides[d];
        right += batch % p->batch_dims[d] * p->b_strides[d];
        batch /= p->batch_dims[d];
    }
    *a = left * p->rows * p->depth;
    *b = right * p->depth * p->columns;
}

void ref_batch_matmul_s8(const void *params, void *const *at)
{
    const struct kernel_batch_matmul *p = params;
    const int8_t *a = at[0], *b = at[1];
    int8_t *out = at[2];

    for (uint32_t batch = 0, left, right; batch < batch_count(p); batch++) {
        find_matrices(p, batch, &left, &right);
        multiply(p, a + left, b + right, out);
        out += p->rows * p->columns;
    }
}

/* One more than the last matrix that the strides reach. */
static uint32_t matrices(const uint32_t *dims, const uint32_t *strides)
{
    uint64_t last = 0;

    for (unsigned d = 0; d < 4; d++)
        last += check_product(dims[d] - 1, strides[d]);
    return last >= UINT32_MAX ? UINT32_MAX : (uint32_t)last + 1;
}

static bool matmul_fits(const struct kernel_batch_matmul *p, const struct kernel_span *spans,
                        uint32_t element)
{
    uint32_t batches = 1;

    for (unsigned d = 0; d < 4; d++) {
        if (p->batch_dims[d] == 0)
            return false;
        batches = check_product(batches, p->batch_dims[d]);
    }
    return check_holds(&spans[0], matrices(p->batch_dims, p->a_strides), p->rows, p->depth,
                       element) &&
           check_holds(&spans[1], matrices(p->batch_dims, p->b_strides), p->depth, p->columns,
                       element) &&
           check_holds(&spans[2], batches, p->rows, p->columns, element);
}

bool ref_batch_matmul_check(const void *params, const struct kernel_span *spans)
{
    return matmul_fits(params, spans, 1);
}

#if KERNELS_FLOAT

static void multiply_f32(const struct kernel_batch_matmul *p, const float *a, const float *b,
                         float *out)
{
    uint32_t a_row = p->a_transposed ? 1 : p->depth, a_step = p->a_transposed ? p->rows : 1;
    uint32_t b_col = p->b_transposed ? p->depth : 1, b_step = p->b_transposed ? 1 : p->columns;

    for (uint32_t i = 0; i < p->rows; i++) {
        for (uint32_t j = 0; j < p->columns; j++) {
            float sum = 0;
            for (uint32_t k = 0; k < p->depth; k++)
                sum += a[i * a_row + k * a_step] * b[j * b_col + k * b_step];
            *out++ = sum;
        }
    }
}

void ref_batch_matmul_f32(const void *params, void *const *at)
{
    const struct kernel_batch_matmul *p = params;
    const float *a = at[0], *b = at[1];
    float *out = at[2];

    for (uint32_t batch = 0, left, right; batch < batch_count(p); batch++) {
        find_matrices(p, batch, &left, &right);
        multiply_f32(p, a + left, b + right, out);
        out += p->rows * p->columns;
    }
}

bool ref_batch_matmul_f32_check(const void *params, const struct kernel_span *spans)
{
    return matmul_fits(params, spans, sizeof(float));
}

#endif
