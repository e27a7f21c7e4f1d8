#include "harness/spec/fact.h"

#include <stdbool.h>
#include <string.h>

#include "harness/base/base.h"

const struct fact_info fact_infos[] = {
#define X(key, title, level, classes, part, tolerance)                                             \
    {key, title, DIFFERENCE_##level, classes, FACT_OF_##part, tolerance},
    FACT_LIST(X)
#undef X
};
const size_t fact_info_count = ARRAY_SIZE(fact_infos);

static bool covers(const char *pattern, const char *key)
{
    const size_t n = strlen(pattern);

    if (n > 2 && strcmp(pattern + n - 2, ".*") == 0)
        return strncmp(pattern, key, n - 1) == 0;
    return strcmp(pattern, key) == 0;
}

const struct fact_info *fact_info_find(const char *key)
{
    static const struct fact_info unknown = {"", "", DIFFERENCE_INFORM, 0, FACT_OF_CASE, 0};

    for (size_t i = 0; i < fact_info_count; i++) {
        if (covers(fact_infos[i].key, key))
            return &fact_infos[i];
    }
    return &unknown;
}
