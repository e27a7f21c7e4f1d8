/* The cost of each operator, from passes of their own. */
#include <stdlib.h>

#include "harness/measure/internal.h"

static int emit_row(struct attempt *a, uint32_t index, const struct wire_profile_op *row,
                    struct err *err)
{
    struct event e = {.kind = EVENT_PROFILE};
    const bool known = a->has_report && row->op < a->report.step_count;
    const struct nn_report_step *step = known ? &a->report.steps[row->op] : NULL;

    e.profile = (struct event_profile){
        .index = index,
        .op = known && step->op < a->report.op_count ? a->report.ops[step->op].name : "operator",
        .kernel = known ? step->variant_name : NULL,
        .value = timebase_value(&a->timebase, row->ticks, 0),
        .unit = a->timebase.unit,
        .macs = known ? step->macs : 0,
    };
    return emit(&a->out, &e, err);
}

int attempt_profile(struct attempt *a, struct err *err)
{
    struct wire_profile_op *rows;
    int r;

    if (!a->c->measure->profile || a->loaded.ops == 0)
        return 0;
    rows = calloc(a->loaded.ops, sizeof(*rows));
    if (rows == NULL)
        abort();
    r = client_profile(session_client(a->session), a->loaded.ops, attempt_allowance_ms(a, 2), rows,
                       err);
    for (uint32_t i = 0; r == 0 && i < a->loaded.ops; i++)
        r = emit_row(a, i, &rows[i], err);
    free(rows);
    return r;
}
