#include "tests/support/event_fill.h"

#include <string.h>

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

static void fill_pointer(char *at, enum event_field_type type, uint64_t random, struct arena *arena)
{
    const char *text = arena_printf(arena, "%016llx \xc3\xa9\t'\"%%", (unsigned long long)random);
    const size_t size = 12 + random % 9;
    char *bytes;

    if (type != FIELD_BYTES) {
        memcpy(at, &text, sizeof(text));
        return;
    }
    bytes = arena_alloc(arena, size); /* zeros at the end */
    memcpy(bytes, text, 8);
    memcpy(at, &bytes, sizeof(bytes));
    memcpy(at + sizeof(bytes), &size, sizeof(size));
}

static uint32_t word(enum event_field_type type, uint64_t random)
{
    switch (type) {
    case FIELD_UNIT:
        return (uint32_t)(random % (UNIT_UV + 1));
    case FIELD_CLASS:
        return (uint32_t)(random % (METRIC_INFO + 1));
    case FIELD_STATUS:
        return (uint32_t)(random % (CASE_CANCELLED + 1));
    case FIELD_CODE:
        return (uint32_t) - (int32_t)(1 + random % 16);
    default:
        return (uint32_t)random | 1;
    }
}

static void fill_field(char *at, enum event_field_type type, uint64_t random, struct arena *arena)
{
    const uint64_t wide = random << 11 | 1; /* above 2^63, too */
    const double real = (double)random / 7.0;
    const bool flag = random % 2 != 0;
    const uint32_t narrow = word(type, random);

    switch (type) {
    case FIELD_TEXT:
    case FIELD_LOG:
    case FIELD_BYTES:
        fill_pointer(at, type, random, arena);
        break;
    case FIELD_BOOL:
        memcpy(at, &flag, sizeof(flag));
        break;
    case FIELD_U64:
        memcpy(at, &wide, sizeof(wide));
        break;
    case FIELD_REAL:
        memcpy(at, &real, sizeof(real));
        break;
    default:
        memcpy(at, &narrow, sizeof(narrow));
        break;
    }
}

void event_fill(struct event *e, unsigned seed, struct arena *arena)
{
    uint64_t state = seed * 2654435761u + 12345;

    for (size_t i = 0; i < event_field_count; i++) {
        const struct event_field *f = &event_fields[i];

        if (f->kind == e->kind)
            fill_field((char *)e + f->offset, f->type, next(&state), arena);
    }
    if (e->kind == EVENT_METRIC &&
        e->metric.low >= e->metric.high) { /* no interval is another thing */
        const double low = e->metric.high;

        e->metric.high = e->metric.low;
        e->metric.low = low;
    }
}

const char *event_text(const struct event *e, struct arena *arena)
{
    AUTO_BUF b = BUF_INIT;

    event_put_json(e, &b);
    return arena_strdup(arena, buf_text(&b));
}
