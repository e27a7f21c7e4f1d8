/* BATCH_MATMUL, int8: reference_ops::BatchMatMul on quantised operands. */
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

void ref_batch_matmul_s8(const void *params, void *const *at)
{
    const struct kernel_batch_matmul *p = params;
    const int8_t *a = at[0], *b = at[1];
    int8_t *out = at[2];
    const uint32_t *n = p->batch_dims;

    for (uint32_t batch = 0; batch < n[0] * n[1] * n[2] * n[3]; batch++) {
        uint32_t rest = batch, left = 0, right = 0;
        for (int d = 3; d >= 0; d--) {
            left += rest % n[d] * p->a_strides[d];
            right += rest % n[d] * p->b_strides[d];
            rest /= n[d];
        }
        multiply(p, a + left * p->rows * p->depth, b + right * p->depth * p->columns, out);
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

bool ref_batch_matmul_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_batch_matmul *p = params;
    uint32_t batches = 1;

    for (unsigned d = 0; d < 4; d++) {
        if (p->batch_dims[d] == 0)
            return false;
        batches = check_product(batches, p->batch_dims[d]);
    }
    return check_holds(&spans[0], matrices(p->batch_dims, p->a_strides), p->rows, p->depth, 1) &&
           check_holds(&spans[1], matrices(p->batch_dims, p->b_strides), p->depth, p->columns, 1) &&
           check_holds(&spans[2], batches, p->rows, p->columns, 1);
}
