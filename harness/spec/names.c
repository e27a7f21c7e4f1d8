#include "harness/spec/names.h"

#include <stddef.h>
#include <string.h>

#include "harness/base/base.h"
#include "harness/spec/event.h"
#include "harness/spec/verdict.h"

#define NAME_ROW(name, word) word,
#define DEFINE_NAMES(list, tag)                                                                    \
    static const char *const tag##_words[] = {list(NAME_ROW)};                                     \
    const char *tag##_name(enum tag value)                                                         \
    {                                                                                              \
        return (size_t)value < ARRAY_SIZE(tag##_words) ? tag##_words[value] : "?";                 \
    }                                                                                              \
    int tag##_find(const char *name)                                                               \
    {                                                                                              \
        for (size_t i = 0; i < ARRAY_SIZE(tag##_words); i++) {                                     \
            if (strcmp(tag##_words[i], name) == 0)                                                 \
                return (int)i;                                                                     \
        }                                                                                          \
        return -1;                                                                                 \
    }

DEFINE_NAMES(REALM_LIST, realm)
DEFINE_NAMES(UNIT_LIST, unit)
DEFINE_NAMES(METRIC_CLASS_LIST, metric_class)
DEFINE_NAMES(CASE_STATUS_LIST, case_status)
DEFINE_NAMES(VERDICT_LIST, verdict)
DEFINE_NAMES(DIFFERENCE_LEVEL_LIST, difference_level)

const char *invalid_reason(uint32_t invalid)
{
    static const char *const texts[] = {
#define X(name, word, text) text,
        INVALID_LIST(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if ((invalid & (1u << i)) != 0)
            return texts[i];
    }
    return "no reason given";
}
