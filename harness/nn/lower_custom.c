#include "agents/kernels/custom.h"

#include <string.h>

#include "harness/base/buf.h"
#include "harness/nn/custom.h"

int lower_custom(struct nn_lower *l)
{
    AUTO_BUF names = BUF_INIT;

    for (const struct nn_custom *c = nn_customs; c->name != NULL; c++) {
        if (strcmp(c->name, l->op->custom) == 0)
            return c->lower(l);
        buf_printf(&names, "%s%s", names.len ? ", " : "", c->name);
    }
    return LOWER_FAIL(l, "no custom operator of this name is registered (%s)",
                      names.len ? buf_text(&names) : "there are none");
}

int lower_custom_step(struct nn_lower *l, const char *name, struct kernel_custom *p,
                      const struct nn_tensor *out)
{
    p->id = kernel_custom_id(name);
    if (lower_optional(l, 0) == NULL)
        return LOWER_FAIL(l, "input 0 is missing");
    if (l->op->input_count > KERNEL_CUSTOM_OUT)
        return LOWER_FAIL(l, "has %zu inputs, a custom operator takes up to %d", l->op->input_count,
                          KERNEL_CUSTOM_OUT);
    struct nn_step *s = lower_step(l, KERNEL_CUSTOM, KERNEL_REF, p);
    for (size_t i = 0; i < KERNEL_CUSTOM_OUT; i++) {
        const struct nn_tensor *in = lower_optional(l, i);
        if (in == NULL) /* the first one once more, empty */
            lower_span(s, (struct nn_span){s->spans[0].buffer, s->spans[0].offset, 0});
        else if (lower_add_in(l, s, in) < 0)
            return lower_failed(l);
    }
    return lower_add_out(l, s, out);
}
