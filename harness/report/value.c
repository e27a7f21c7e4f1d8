#include "harness/report/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/spec/metric.h"

const char *value_grouped(struct arena *arena, double value)
{
    char digits[64], grouped[96];
    size_t n, at = 0, whole;

    if (!isfinite(value))
        return "-";
    if (fabs(value) >= 1e15)
        return arena_printf(arena, "%.6g", value);
    (void)snprintf(digits, sizeof(digits),
                   value == floor(value) || fabs(value) >= 1000 ? "%.0f" : "%.1f", value);
    n = strlen(digits);
    whole = strcspn(digits, ".");
    for (size_t i = 0; i < n; i++) {
        grouped[at++] = digits[i];
        if (i + 1 < whole && (whole - i - 1) % 3 == 0 && digits[i] != '-')
            grouped[at++] = ',';
    }
    return arena_strndup(arena, grouped, at);
}

/* value in 10^-9 of `unit` (nJ, nA, ns ...) with the prefix that leaves 1 to 999, 4 digits. */
static const char *scaled_nano(struct arena *arena, double value, const char *unit)
{
    static const char *const prefix[] = {"n", "u", "m", "", "k", "M"};
    size_t i = 0;

    while (fabs(value) >= 999.95 && i + 1 < ARRAY_SIZE(prefix)) {
        value /= 1000;
        i++;
    }
    if (i == 0 && value == floor(value))
        return arena_printf(arena, "%.0f %s%s", value, prefix[i], unit);
    return arena_printf(arena, "%.*f %s%s",
                        fabs(value) < 10    ? 3
                        : fabs(value) < 100 ? 2
                                            : 1,
                        value, prefix[i], unit);
}

static const char *bytes_text(struct arena *arena, double value)
{
    char text[32];

    if (value < 0 || value >= 1e15)
        return value_grouped(arena, value);
    text_format_bytes((uint64_t)value, text);
    return arena_strdup(arena, text);
}

static const char *percent(struct arena *arena, double ratio)
{
    const double p = 100 * ratio;

    return arena_printf(arena, "%.*f %%", fabs(p) >= 10 ? 1 : fabs(p) >= 1 ? 2 : 3, p);
}

const char *value_text(struct arena *arena, double value, enum unit unit)
{
    if (!isfinite(value))
        return "-";
    switch (unit) {
    case UNIT_NS: /* a battery's life in years, not in megaseconds */
        return value >= 1e12 && value < 1.8e19 ? value_duration(arena, (uint64_t)value)
                                               : scaled_nano(arena, value, "s");
    case UNIT_NJ:
        return scaled_nano(arena, value, "J");
    case UNIT_NC:
        return scaled_nano(arena, value, "C");
    case UNIT_NA:
        return scaled_nano(arena, value, "A");
    case UNIT_UV:
        return scaled_nano(arena, value * 1000, "V");
    case UNIT_BYTES:
        return bytes_text(arena, value);
    case UNIT_RATIO:
        return percent(arena, value);
    case UNIT_PPM:
        return arena_printf(arena, "%+.1f ppm", value);
    case UNIT_CYCLES:
    case UNIT_INSTRUCTIONS:
        return arena_printf(arena, "%s %s", value_grouped(arena, value), unit_name(unit));
    default:
        return value_grouped(arena, value);
    }
}

const char *value_short(struct arena *arena, double value, enum unit unit)
{
    static const char *const small[] = {"n", "u", "m", "", "k", "M"};
    static const char *const large[] = {"", " k", " M", " G"};
    const char *symbol = unit == UNIT_NS   ? "s"
                         : unit == UNIT_NJ ? "J"
                         : unit == UNIT_NA ? "A"
                                           : NULL;
    size_t i = 0;

    if (unit == UNIT_BYTES)
        return value >= 1024 ? arena_printf(arena, "%g KiB", value / 1024)
                             : arena_printf(arena, "%g B", value);
    for (; value >= 999.5 && i + 1 < (symbol != NULL ? ARRAY_SIZE(small) : ARRAY_SIZE(large)); i++)
        value /= 1000;
    if (symbol != NULL)
        return arena_printf(arena, "%.3g %s%s", value, small[i], symbol);
    return arena_printf(arena, "%.3g%s", value, large[i]);
}

const char *value_bare(struct arena *arena, double value, enum unit unit)
{
    return unit == UNIT_CYCLES || unit == UNIT_INSTRUCTIONS || unit == UNIT_BYTES
               ? value_grouped(arena, value)
               : value_text(arena, value, unit);
}

const char *value_of_metric(struct arena *arena, const struct event_metric *m)
{
    if (m == NULL)
        return "";
    if (m->unit == UNIT_RATIO && (strcmp(m->name, "auc") == 0 || strcmp(m->name, "mse") == 0))
        return isfinite(m->value) ? arena_printf(arena, "%.4g", m->value) : "-";
    return value_text(arena, m->value, m->unit);
}

const char *value_spread(struct arena *arena, const struct data_case *c)
{
    const struct event_metric *spread = data_case_metric(c, "latency.spread");

    if (spread == NULL || !isfinite(spread->value))
        return "";
    return spread->value == 0 ? "exact" : value_text(arena, spread->value, UNIT_RATIO);
}

double value_time_ns(const struct data_case *c, const struct event_metric *m)
{
    const char *clock = data_case_fact(c, "clock.hz");
    double hz = 0;

    if (m == NULL || c->realm != REALM_SILICON)
        return NAN;
    if (m->unit == UNIT_NS)
        return m->value;
    if (m->unit != UNIT_CYCLES)
        return NAN;
    if (clock == NULL)
        clock = data_case_fact(c, "board_type.clock_hz");
    if (clock == NULL || !text_to_double(clock, &hz) || hz <= 0)
        return NAN;
    return m->value * 1e9 / hz;
}

const char *value_stamp(struct arena *arena, uint64_t realtime_ns)
{
    char text[21];

    clock_format_utc(realtime_ns, text);
    return arena_printf(arena, "%.10s %.5s UTC", text, text + 11);
}

const char *value_duration(struct arena *arena, uint64_t ns)
{
    char text[32];

    text_format_duration(ns, text);
    return arena_strdup(arena, text);
}
