/* results.txt, line by line. */
#include "harness/mlperf/results.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"

enum {
    LINE_MAX_BYTES = 400
};

/* The first number after `key` in a line; NAN when the key or the number is not there. */
static double number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    char *end;
    double value;

    if (at == NULL)
        return NAN;
    at += strlen(key);
    at += strcspn(at, "0123456789-");
    value = strtod(at, &end);
    return end != at && isfinite(value) && value >= 0 ? value : NAN;
}

static void take(double *field, double value)
{
    if (isfinite(value))
        *field = value;
}

/* "Runtime      :  18.192 sec." and "Runtime: 10.86 sec.", not "Runtime requirements ..." */
static double number_of(const char *line, const char *name)
{
    const char *at = strstr(line, name);

    if (at == NULL)
        return NAN;
    at += strlen(name);
    at += strspn(at, " ");
    return *at == ':' ? number_after(at, ":") : NAN;
}

static void take_window(struct mlperf_results *r, const char *line)
{
    struct mlperf_window *w = &r->windows[r->window_count > 0 ? r->window_count - 1 : 0];
    const double inferences = number_of(line, "# Inferences");
    const double seconds = number_of(line, "Runtime");

    if (strstr(line, "esults for window") != NULL) {
        if (r->window_count < MLPERF_WINDOWS)
            r->windows[r->window_count++] = (struct mlperf_window){.seconds = 0};
        return;
    }
    if (r->window_count == 0)
        return;
    if (isfinite(inferences) && inferences <= 4e9)
        w->inferences = (uint32_t)inferences;
    take(&w->seconds, seconds);
}

/* Windows as the device reported them itself, for logs without a summary. */
struct laps {
    struct mlperf_window windows[MLPERF_WINDOWS];
    size_t count;
    double inferences; /* of the window that has begun; NAN: none */
    double begin_us;   /* NAN: its first stamp has not come */
};

static void take_lap(struct laps *l, const char *line)
{
    const double n = number_after(line, "m-infer-start-");
    const double us = number_after(line, "m-lap-us-");

    if (isfinite(n)) {
        l->inferences = n;
        l->begin_us = NAN;
    } else if (isfinite(us) && isfinite(l->inferences) && !isfinite(l->begin_us)) {
        l->begin_us = us;
    } else if (isfinite(us) && isfinite(l->begin_us)) {
        if (l->count < MLPERF_WINDOWS && us > l->begin_us && l->inferences <= 4e9)
            l->windows[l->count++] = (struct mlperf_window){.seconds = (us - l->begin_us) / 1e6,
                                                            .inferences = (uint32_t)l->inferences};
        l->inferences = NAN;
        l->begin_us = NAN;
    }
}

static void take_stream(struct mlperf_results *r, const char *line)
{
    if (strstr(line, "True positives") != NULL) {
        take(&r->hits, number_after(line, "Accuracy:"));
        take(&r->misses, number_after(line, "rue positives"));
        take(&r->false_alarms, number_after(line, "alse negatives"));
    }
    take(&r->duty_cycle, number_after(line, "Average duty cycle:"));
    if (strstr(line, "mW") != NULL)
        take(&r->power_mw, number_of(line, "Power"));
}

static void take_line(struct mlperf_results *r, const char *line)
{
    const double top = number_after(line, "Top-1:");
    const double percent = number_after(line, "Top 1% =");

    take(&r->throughput, number_after(line, "Median throughput is"));
    take(&r->throughput, number_after(line, "Estimated throughput:"));
    take(&r->energy_uj, number_after(line, "Median energy cost is"));
    take(&r->accuracy, (isfinite(top) ? top : percent) / 100);
    take(&r->auc, number_after(line, "AUC:"));
    take(&r->auc, number_after(line, "AUC ="));
    take_window(r, line);
    take_stream(r, line);
}

static int by_speed(const void *a, const void *b)
{
    const struct mlperf_window *x = a, *y = b;
    const double p = x->inferences / x->seconds, q = y->inferences / y->seconds;

    return p < q ? -1 : p > q;
}

static void take_laps(struct mlperf_results *r, const struct laps *l)
{
    struct mlperf_window sorted[MLPERF_WINDOWS];
    const struct mlperf_window *middle;

    if (r->window_count > 0 || l->count == 0 || isfinite(r->throughput))
        return;
    memcpy(r->windows, l->windows, sizeof(r->windows));
    r->window_count = l->count;
    memcpy(sorted, l->windows, sizeof(sorted));
    qsort(sorted, l->count, sizeof(*sorted), by_speed);
    middle = &sorted[l->count / 2];
    r->throughput = middle->inferences / middle->seconds;
}

void mlperf_parse(const char *text, size_t n, struct mlperf_results *ret)
{
    struct laps laps = {.inferences = NAN, .begin_us = NAN};
    char line[LINE_MAX_BYTES];

    mlperf_results_init(ret);
    for (size_t i = 0; i < n;) {
        size_t length = 0;

        for (; i < n && text[i] != '\n'; i++) {
            if (length + 1 < sizeof(line))
                line[length++] = text[i] != '\0' ? text[i] : ' ';
        }
        i++;
        line[length] = '\0';
        take_line(ret, line);
        take_lap(&laps, line);
    }
    take_laps(ret, &laps);
}

void mlperf_results_init(struct mlperf_results *r)
{
    *r = (struct mlperf_results){.throughput = NAN,
                                 .energy_uj = NAN,
                                 .accuracy = NAN,
                                 .auc = NAN,
                                 .hits = NAN,
                                 .misses = NAN,
                                 .false_alarms = NAN,
                                 .duty_cycle = NAN,
                                 .power_mw = NAN};
}
