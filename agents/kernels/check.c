#include "agents/kernels/check.h"

bool check_holds(const struct kernel_span *span, uint32_t a, uint32_t b, uint32_t c,
                 uint32_t element)
{
    uint32_t n = check_product(check_product(a, b), check_product(c, element));

    /* No kernel has to expect loops over nothing: they could take hours, or run once all the same. */
    return n != 0 && n <= span->size && n != UINT32_MAX && check_aligned(span, element & -element);
}

bool check_apart(const struct kernel_span *a, const struct kernel_span *b)
{
    return (uint64_t)a->where + a->size <= b->where || (uint64_t)b->where + b->size <= a->where;
}
