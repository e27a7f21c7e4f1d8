#include "agents/wire/names.h"

#include "agents/wire/wire.h"

#define IS_TAIL_TAIL    true
#define IS_TAIL_NO_TAIL false
#define IS_HOST_HOST    true
#define IS_HOST_TARGET  false

static const struct wire_info infos[] = {
#define X(NAME, name, type, direction, tail)                                                       \
    {#NAME, (type), sizeof(struct wire_##name), IS_TAIL_##tail, IS_HOST_##direction},
    WIRE_MESSAGES(X)
#undef X
};

const struct wire_info *wire_info_find(uint8_t type)
{
    for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
        if (infos[i].type == type)
            return &infos[i];
    }
    return NULL;
}

const struct wire_info *wire_info_list(size_t *ret_count)
{
    *ret_count = sizeof(infos) / sizeof(infos[0]);
    return infos;
}

bool wire_info_fits(const struct wire_info *info, size_t n)
{
    return info->tail ? n >= info->size : n == info->size;
}

const char *wire_error_text(unsigned code)
{
    switch (code) {
#define X(NAME, value, text)                                                                       \
    case (value):                                                                                  \
        return text;
        WIRE_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

const char *wire_timebase_name(unsigned kind)
{
    switch (kind) {
#define X(NAME, value, text)                                                                       \
    case (value):                                                                                  \
        return text;
        WIRE_TIMEBASES(X)
#undef X
    default:
        return "unknown";
    }
}

const char *wire_reset_name(unsigned cause)
{
    switch (cause) {
#define X(NAME, value, text)                                                                       \
    case (value):                                                                                  \
        return text;
        WIRE_RESETS(X)
#undef X
    default:
        return "unknown";
    }
}
