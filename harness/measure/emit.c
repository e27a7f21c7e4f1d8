#include "harness/measure/emit.h"

#include <stdarg.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"

int emit(struct emitter *m, struct event *e, struct err *err)
{
    int r;

    e->at_ns = clock_realtime_ns();
    e->case_ = m->case_;
    e->attempt = m->attempt;
    r = m->sink->emit(m->sink, e, err);
    return r < 0 ? r : 0;
}

int emit_fact(struct emitter *m, struct err *err, const char *key, const char *fmt, ...)
{
    AUTO_BUF value = BUF_INIT;
    struct event e = {.kind = EVENT_FACT};
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&value, fmt, ap);
    va_end(ap);
    e.fact = (struct event_fact){.key = key, .value = buf_text(&value)};
    return emit(m, &e, err);
}

/* The first broken budget on this metric, else the first that holds, else NULL. */
static const struct suite_budget *budget_for(const struct plan_case *c, const struct figure *figure,
                                             bool *ret_over)
{
    const struct suite_budget *found = NULL;

    *ret_over = false;
    for (size_t i = 0; i < c->budget_count; i++) {
        bool holds = true;

        if (strcmp(c->budgets[i]->metric, figure->name) != 0 ||
            !suite_budget_holds(c->budgets[i], figure->value, figure->unit, &holds))
            continue;
        if (!holds) {
            *ret_over = true;
            return c->budgets[i];
        }
        found = found != NULL ? found : c->budgets[i];
    }
    return found;
}

int emit_metric(struct emitter *m, const struct figure *figure, struct err *err)
{
    const struct metric_info *info = metric_info_find(figure->name);
    struct event e = {.kind = EVENT_METRIC};
    bool over = false;
    const struct suite_budget *budget = budget_for(m->case_, figure, &over);

    e.metric = (struct event_metric){
        .name = figure->name,
        .class_ = info != NULL ? info->class_ : METRIC_INFO,
        .unit = figure->unit,
        .lower_is_better = info == NULL || info->lower_is_better,
        .value = figure->value,
        .low = figure->low,
        .high = figure->high,
        .n = figure->n != 0 ? figure->n : 1,
        .budget = budget != NULL ? budget->text : NULL,
        .over_budget = over,
    };
    m->over_budget += over;
    return emit(m, &e, err);
}
