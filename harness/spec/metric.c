#include "harness/spec/metric.h"

#include <string.h>

#include "harness/base/base.h"

const struct metric_info metric_infos[] = {
#define X(name, kind, heading, class_, lower, text)                                                \
    {name, METRIC_KIND_##kind, heading, class_, lower, text},
    METRIC_LIST(X)
#undef X
};
const size_t metric_info_count = ARRAY_SIZE(metric_infos);

size_t metric_info_rank(const char *name)
{
    size_t i = 0;

    while (i < metric_info_count && strcmp(metric_infos[i].name, name) != 0)
        i++;
    return i;
}

const struct metric_info *metric_info_find(const char *name)
{
    const size_t rank = metric_info_rank(name);

    return rank < metric_info_count ? &metric_infos[rank] : NULL;
}

bool metric_is_metered(const char *name)
{
    const struct metric_info *info = metric_info_find(name);

    if (info == NULL)
        return strncmp(name, "meter.", 6) == 0;
    return info->kind == METRIC_KIND_ENERGY || info->kind == METRIC_KIND_CHARGE ||
           info->kind == METRIC_KIND_CURRENT || info->kind == METRIC_KIND_VOLTAGE ||
           info->kind == METRIC_KIND_LIFE || strncmp(name, "energy.", 7) == 0;
}
