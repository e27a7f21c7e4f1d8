#include "harness/spec/event_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "harness/base/hash.h"
#include "harness/base/text.h"

/* kind, member of the union, field, type */
#define FIELDS(X)                                                                                  \
    X(FACT, fact, key, TEXT)                                                                       \
    X(FACT, fact, value, TEXT)                                                                     \
    X(OUTPUT, output, vector, U32)                                                                 \
    X(OUTPUT, output, tensor, U32)                                                                 \
    X(OUTPUT, output, pass, U32)                                                                   \
    X(OUTPUT, output, compared, BOOL)                                                              \
    X(OUTPUT, output, equal, BOOL)                                                                 \
    X(OUTPUT, output, first_difference, U32)                                                       \
    X(OUTPUT, output, differences, U32)                                                            \
    X(OUTPUT, output, data, BYTES)                                                                 \
    X(WINDOW, window, repeat, U32)                                                                 \
    X(WINDOW, window, index, U32)                                                                  \
    X(WINDOW, window, cold, BOOL)                                                                  \
    X(WINDOW, window, inferences, U32)                                                             \
    X(WINDOW, window, ticks, U64)                                                                  \
    X(WINDOW, window, overhead, U64)                                                               \
    X(WINDOW, window, value, REAL)                                                                 \
    X(WINDOW, window, unit, UNIT)                                                                  \
    X(WINDOW, window, invalid, U32)                                                                \
    X(WINDOW, window, host_ns, U64)                                                                \
    X(WINDOW, window, samples, BYTES)                                                              \
    X(ENERGY, energy, index, U32)                                                                  \
    X(ENERGY, energy, inferences, U32)                                                             \
    X(ENERGY, energy, full, BOOL)                                                                  \
    X(ENERGY, energy, invalid, U32)                                                                \
    X(ENERGY, energy, duration_s, REAL)                                                            \
    X(ENERGY, energy, gross_nj, REAL)                                                              \
    X(ENERGY, energy, net_nj, REAL)                                                                \
    X(ENERGY, energy, idle_nj, REAL)                                                               \
    X(ENERGY, energy, marker_nj, REAL)                                                             \
    X(ENERGY, energy, gross_nc, REAL)                                                              \
    X(ENERGY, energy, net_nc, REAL)                                                                \
    X(ENERGY, energy, mean_na, REAL)                                                               \
    X(ENERGY, energy, idle_na, REAL)                                                               \
    X(ENERGY, energy, peak_na, REAL)                                                               \
    X(ENERGY, energy, drift_na, REAL)                                                              \
    X(ENERGY, energy, mean_uv, REAL)                                                               \
    X(ENERGY, energy, systematic_nj, REAL)                                                         \
    X(ENERGY, energy, random_nj, REAL)                                                             \
    X(ENERGY, energy, samples, U64)                                                                \
    X(ENERGY, energy, lost, U64)                                                                   \
    X(METRIC, metric, name, TEXT)                                                                  \
    X(METRIC, metric, class_, CLASS)                                                               \
    X(METRIC, metric, unit, UNIT)                                                                  \
    X(METRIC, metric, lower_is_better, BOOL)                                                       \
    X(METRIC, metric, value, REAL)                                                                 \
    X(METRIC, metric, low, REAL)                                                                   \
    X(METRIC, metric, high, REAL)                                                                  \
    X(METRIC, metric, n, U32)                                                                      \
    X(METRIC, metric, budget, TEXT)                                                                \
    X(METRIC, metric, over_budget, BOOL)                                                           \
    X(PROFILE, profile, index, U32)                                                                \
    X(PROFILE, profile, op, TEXT)                                                                  \
    X(PROFILE, profile, kernel, TEXT)                                                              \
    X(PROFILE, profile, value, REAL)                                                               \
    X(PROFILE, profile, unit, UNIT)                                                                \
    X(PROFILE, profile, macs, U64)                                                                 \
    X(RECOVERY, recovery, rung, TEXT)                                                              \
    X(RECOVERY, recovery, reason, TEXT)                                                            \
    X(RECOVERY, recovery, worked, BOOL)                                                            \
    X(CASE_END, end, status, STATUS)                                                               \
    X(CASE_END, end, code, CODE)                                                                   \
    X(CASE_END, end, failure_class, TEXT)                                                          \
    X(CASE_END, end, stage, TEXT)                                                                  \
    X(CASE_END, end, text, TEXT)                                                                   \
    X(CASE_END, end, hint, TEXT)                                                                   \
    X(CASE_END, end, log, LOG)                                                                     \
    X(CASE_END, end, host_ns, U64)                                                                 \
    X(CASE_END, end, retried, BOOL)

const struct event_field event_fields[] = {
#define X(kind, member, field, type)                                                               \
    {EVENT_##kind, FIELD_##type, #field, offsetof(struct event, member.field)},
    FIELDS(X)
#undef X
};
const size_t event_field_count = ARRAY_SIZE(event_fields);

static const char *const kinds[] = {
    [EVENT_RUN_BEGIN] = "run-begin", [EVENT_CASE_BEGIN] = "case-begin",
    [EVENT_FACT] = "fact",           [EVENT_OUTPUT] = "output",
    [EVENT_WINDOW] = "window",       [EVENT_ENERGY] = "energy",
    [EVENT_METRIC] = "metric",       [EVENT_PROFILE] = "profile",
    [EVENT_RECOVERY] = "recovery",   [EVENT_CASE_END] = "case-end",
    [EVENT_RUN_END] = "run-end",
};

const char *event_kind_name(enum event_kind kind)
{
    return (size_t)kind < ARRAY_SIZE(kinds) ? kinds[kind] : "?";
}

size_t event_field_size(enum event_field_type type)
{
    switch (type) {
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_U64:
        return sizeof(uint64_t);
    case FIELD_REAL:
        return sizeof(double);
    case FIELD_TEXT:
    case FIELD_LOG:
        return sizeof(const char *);
    case FIELD_BYTES:
        return sizeof(const void *) + sizeof(size_t);
    default: /* enums are as wide */
        return sizeof(uint32_t);
    }
}

static void put_bytes(struct buf *out, const void *data, size_t size)
{
    char digest[65];

    buf_printf(out, "{\"size\": %zu, \"sha256\": ", size);
    if (data == NULL) {
        buf_puts(out, "null}");
        return;
    }
    sha256_hex(data, size, digest);
    buf_printf(out, "\"%s\"}", digest);
}

static void put_text(struct buf *out, const char *s, bool as_bytes)
{
    if (s == NULL)
        buf_puts(out, "null");
    else if (as_bytes)
        put_bytes(out, s, strlen(s));
    else
        text_json_string(out, s);
}

static void put_real(struct buf *out, double value)
{
    if (isnan(value))
        buf_puts(out, "NaN");
    else if (isinf(value))
        buf_puts(out, value > 0 ? "Infinity" : "-Infinity");
    else
        buf_printf(out, "%.17g", value);
}

static const char *word_of(enum event_field_type type, uint32_t value)
{
    switch (type) {
    case FIELD_UNIT:
        return unit_name((enum unit)value);
    case FIELD_CLASS:
        return metric_class_name((enum metric_class)value);
    default:
        return case_status_name((enum case_status)value);
    }
}

static void put_pointer(struct buf *out, enum event_field_type type, const char *at)
{
    const char *pointer;
    size_t size;

    memcpy(&pointer, at, sizeof(pointer));
    if (type != FIELD_BYTES) {
        put_text(out, pointer, type == FIELD_LOG);
        return;
    }
    memcpy(&size, at + sizeof(pointer), sizeof(size));
    put_bytes(out, pointer, size);
}

static void put_field(struct buf *out, enum event_field_type type, const char *at)
{
    union {
        uint32_t u32;
        int32_t code;
        uint64_t u64;
        bool flag;
        double real;
    } v = {.u64 = 0};

    if (type == FIELD_TEXT || type == FIELD_LOG || type == FIELD_BYTES) {
        put_pointer(out, type, at);
        return;
    }
    memcpy(&v, at, event_field_size(type));
    switch (type) {
    case FIELD_U32:
        buf_printf(out, "%" PRIu32, v.u32);
        break;
    case FIELD_U64:
        buf_printf(out, "%" PRIu64, v.u64);
        break;
    case FIELD_BOOL:
        buf_puts(out, v.flag ? "true" : "false");
        break;
    case FIELD_REAL:
        put_real(out, v.real);
        break;
    case FIELD_CODE:
        buf_printf(out, "%" PRId32, v.code);
        break;
    default:
        buf_printf(out, "\"%s\"", word_of(type, v.u32));
        break;
    }
}

void event_put_json(const struct event *e, struct buf *out)
{
    buf_printf(out,
               "{\"kind\": \"%s\", \"at_ns\": %" PRIu64 ", \"case\": ", event_kind_name(e->kind),
               e->at_ns);
    put_text(out, e->case_ != NULL ? e->case_->key : NULL, false);
    buf_printf(out, ", \"attempt\": %" PRIu32, e->attempt);
    for (size_t i = 0; i < event_field_count; i++) {
        const struct event_field *f = &event_fields[i];

        if (f->kind != e->kind)
            continue;
        buf_printf(out, ", \"%s\": ", f->name);
        put_field(out, f->type, (const char *)e + f->offset);
    }
    buf_putc(out, '}');
}
