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

static void take_window(struct mlperf_results *r, const char *line)
{
    struct mlperf_window *w = &r->windows[r->window_count > 0 ? r->window_count - 1 : 0];
    const double inferences = number_after(line, "# Inferences");
    const double seconds = number_after(line, "Runtime ");

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

static void take_line(struct mlperf_results *r, const char *line)
{
    const double top = number_after(line, "Top-1:");
    const double percent = number_after(line, "Top 1% =");

    take(&r->throughput, number_after(line, "Median throughput is"));
    take(&r->energy_uj, number_after(line, "Median energy cost is"));
    take(&r->accuracy, (isfinite(top) ? top : percent) / 100);
    take(&r->auc, number_after(line, "AUC:"));
    take(&r->auc, number_after(line, "AUC ="));
    take_window(r, line);
}

void mlperf_parse(const char *text, size_t n, struct mlperf_results *ret)
{
    char line[LINE_MAX_BYTES];

    *ret =
        (struct mlperf_results){.throughput = NAN, .energy_uj = NAN, .accuracy = NAN, .auc = NAN};
    for (size_t i = 0; i < n;) {
        size_t length = 0;

        for (; i < n && text[i] != '\n'; i++) {
            if (length + 1 < sizeof(line))
                line[length++] = text[i] != '\0' ? text[i] : ' ';
        }
        i++;
        line[length] = '\0';
        take_line(ret, line);
    }
}
