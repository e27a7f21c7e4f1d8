#include "harness/spec/dataset.h"

#include <string.h>

#include "harness/spec/metric.h"

const struct event_metric *data_case_metric(const struct data_case *c, const char *name)
{
    for (size_t i = 0; i < c->metric_count; i++) {
        if (strcmp(c->metrics[i].name, name) == 0)
            return &c->metrics[i];
    }
    return NULL;
}

const char *data_case_fact(const struct data_case *c, const char *key)
{
    for (size_t i = 0; i < c->fact_count; i++) {
        if (strcmp(c->facts[i].key, key) == 0)
            return c->facts[i].value;
    }
    return NULL;
}

bool data_case_emulated(const struct data_case *c, const char *metric)
{
    const char *fact = c != NULL ? data_case_fact(c, "meter.emulated") : NULL;

    return fact != NULL && strcmp(fact, "yes") == 0 && metric_is_metered(metric);
}

const struct data_run *dataset_run(const struct dataset *d, const char *run_id)
{
    for (size_t i = 0; i < d->run_count; i++) {
        if (strcmp(d->runs[i].run_id, run_id) == 0)
            return &d->runs[i];
    }
    return NULL;
}
