/* The one kind of kernel that finds its function by the operator's name. */
#include "agents/kernels/custom.h"
#include "agents/kernels/ref/ref.h"

#ifdef KERNELS_CUSTOM

static const struct kernel_custom_op *find(const struct kernel_custom *p)
{
    const struct kernel_custom_op *op = kernel_customs;

    while (op->name && kernel_custom_id(op->name) != p->id)
        op++;
    return op->name ? op : 0;
}

void ref_custom(const void *params, void *const *at)
{
    find(params)->run(params, at); /* the check has found it */
}

bool ref_custom_check(const void *params, const struct kernel_span *spans)
{
    const struct kernel_custom_op *op = find(params);

    return op && op->check(params, spans);
}

#endif
