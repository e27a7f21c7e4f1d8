/* BATCH_MATMUL: reference_ops::BatchMatMul, int8 and float32. */
#include "agents/kernels/arith.h"
#include "agents/kernels/check.h"
#include "agents/kernels/ref/ref.h"

/* From a row of a, and from a column of b, to the next; and along them. */
struct steps {
    uint32_t a_row, a, b_column, b;
};

static struct steps steps_of(const struct kernel_batch_matmul *p)
{
    return (struct steps){p->a_transposed ? 1 : p->depth, p->a_transposed ? p->rows : 1,
                          p->b_transposed ? p->depth : 1, p->b_transposed ? 1 : p->columns};
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

/* Output number n of two matrices that start at these elements. */
typedef void output_fn(const struct kernel_batch_matmul *p, const struct steps *s, void *const *at,
                       uint32_t a, uint32_t b, uint32_t n);

static void multiply(const struct kernel_batch_matmul *p, void *const *at, output_fn *run)
{
    const struct steps s = steps_of(p);
    uint32_t n = 0;

    for (uint32_t batch = 0, a, b; batch < batch_count(p); batch++) {
        find_matrices(p, batch, &a, &b);
        for (uint32_t i = 0; i < p->rows; i++) {
            for (uint32_t j = 0; j < p->columns; j++)
                run(p, &s, at, a + i * s.a_row, b + j * s.b_column, n++);
        }
    }
}

static void output_s8(const struct kernel_batch_matmul *p, const struct steps *s, void *const *at,
                      uint32_t a, uint32_t b, uint32_t n)
{
    const int8_t *left = (const int8_t *)at[0] + a, *right = (const int8_t *)at[1] + b;
    int32_t sum = 0;

    for (uint32_t k = 0; k < p->depth; k++)
        sum = arith_add(sum, (int32_t)((uint32_t)(left[k * s->a] + p->a_offset) *
                                       (uint32_t)(right[k * s->b] + p->b_offset)));
    sum = arith_add(arith_requantize(sum, p->multiplier, p->shift), p->out_offset);
    ((int8_t *)at[2])[n] = (int8_t)arith_clamp(sum, p->act_min, p->act_max);
}

void ref_batch_matmul_s8(const void *params, void *const *at)
{
    multiply(params, at, output_s8);
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

static void output_f32(const struct kernel_batch_matmul *p, const struct steps *s, void *const *at,
                       uint32_t a, uint32_t b, uint32_t n)
{
    const float *left = (const float *)at[0] + a, *right = (const float *)at[1] + b;
    float sum = 0;

    for (uint32_t k = 0; k < p->depth; k++)
        sum += left[k * s->a] * right[k * s->b];
    ((float *)at[2])[n] = sum;
}

void ref_batch_matmul_f32(const void *params, void *const *at)
{
    multiply(params, at, output_f32);
}

bool ref_batch_matmul_f32_check(const void *params, const struct kernel_span *spans)
{
    return matmul_fits(params, spans, sizeof(float));
}

#endif
