#include "harness/meter/recording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/meter/recording_csv.h"

enum {
    FILE_MAX_BYTES = 1 << 30,
    EEMBC_TAG = 0xf1,
    PPK2_SAMPLE = 6,
};

void recording_release(struct recording *r)
{
    free(r->time_s);
    free(r->current_a);
    free(r->voltage_v);
    free(r->energy_j);
    free(r->logic);
    *r = (struct recording){.format = NULL};
}

static float float_at(const uint8_t *p)
{
    const uint32_t bits =
        (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    float f;

    memcpy(&f, &bits, sizeof(f));
    return f;
}

static float *floats(size_t n)
{
    float *f = malloc((n + 1) * sizeof(*f));

    if (f == NULL)
        abort();
    return f;
}

/* ---- EEMBC ---- */

static int parse_eembc(const char *name, const uint8_t *data, size_t n, struct recording *r,
                       struct err *err)
{
    const double rate = n >= 5 ? (double)float_at(data + 1) : 0;

    if (!(rate >= 1 && rate <= 1e7) || (n - 5) % 4 != 0)
        return err_set(err, ERR_CONFIG, "%s: not an EEMBC energy trace (rate %g, %zu bytes)", name,
                       rate, n);
    r->format = "eembc";
    r->even = true;
    r->rate_hz = rate;
    r->count = (n - 5) / 4;
    r->energy_j = floats(r->count);
    for (size_t i = 0; i < r->count; i++) {
        r->energy_j[i] = float_at(data + 5 + 4 * i) * 1e-6f;
        if (!isfinite(r->energy_j[i]))
            return err_set(err, ERR_CONFIG, "%s: sample %zu is no number", name, i);
    }
    return 0;
}

/* ---- nRF Connect ---- */

/* The number behind "key": in a small JSON text. */
static double json_number(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    char *end;
    double value;

    at = at != NULL ? strchr(at, ':') : NULL;
    if (at == NULL)
        return NAN;
    value = strtod(at + 1, &end);
    return end == at + 1 ? NAN : value;
}

/* Two bits a line: 1 low, 2 high, 3 both within the sample. */
static uint8_t lines_of(unsigned bits)
{
    unsigned lines = 0;

    for (unsigned i = 0; i < 8; i++)
        lines |= ((bits >> (2 * i + 1)) & 1) << i;
    return (uint8_t)lines;
}

static int parse_ppk2(const char *name, const void *data, size_t n, struct recording *r,
                      struct err *err)
{
    AUTO_BUF raw = BUF_INIT;
    AUTO_BUF meta = BUF_INIT;
    double rate;

    if (recording_unzip(name, data, n, "metadata.json", 1 << 20, &meta, err) < 0 ||
        recording_unzip(name, data, n, "session.raw", FILE_MAX_BYTES, &raw, err) < 0)
        return (int)err->code;
    rate = json_number(buf_text(&meta), "\"samplesPerSecond\"");
    if (!(rate >= 1 && rate <= 1e7) || raw.len % PPK2_SAMPLE != 0)
        return err_set(err, ERR_CONFIG, "%s: not a session of the Power Profiler (rate %g)", name,
                       rate);
    r->format = "ppk2";
    r->even = true;
    r->rate_hz = rate;
    r->count = raw.len / PPK2_SAMPLE;
    r->current_a = floats(r->count);
    r->logic = malloc(r->count + 1);
    if (r->logic == NULL)
        abort();
    for (size_t i = 0; i < r->count; i++) {
        const uint8_t *p = (const uint8_t *)raw.data + PPK2_SAMPLE * i;

        r->current_a[i] = float_at(p) * 1e-6f; /* NAN: the program's own gaps */
        r->logic[i] = lines_of((unsigned)p[4] | (unsigned)p[5] << 8);
    }
    (void)strcpy(r->warning, "the recording program sets currents below 0.2 uA to zero");
    return 0;
}

/* ---- any ---- */

int recording_parse(const char *name, const void *data, size_t n, struct recording *ret,
                    struct err *err)
{
    AUTO(recording_release) struct recording r = {.format = NULL};
    const uint8_t *bytes = data;
    int result;

    if (n >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        result = parse_ppk2(name, data, n, &r, err);
    else if (n >= 5 && bytes[0] == EEMBC_TAG)
        result = parse_eembc(name, bytes, n, &r, err);
    else
        result = recording_parse_csv(name, data, n, &r, err);
    if (result < 0)
        return result;
    if (r.count == 0)
        return err_set(err, ERR_CONFIG, "%s: there are no samples in it", name);
    *ret = r;
    r = (struct recording){.format = NULL};
    return 0;
}

int recording_load(const char *path, struct recording *ret, struct err *err)
{
    AUTO_BUF data = BUF_INIT;

    if (file_read(path, FILE_MAX_BYTES, &data, err) < 0)
        return (int)err->code;
    return recording_parse(path, buf_text(&data), data.len, ret, err);
}

/* ---- integrals ---- */

enum quantity {
    CHARGE,
    ENERGY
};

/* Current or power at a sample; per second. */
static double value_at(const struct recording *r, enum quantity q, double supply_v, size_t i)
{
    const double volts = r->voltage_v != NULL ? (double)r->voltage_v[i] : supply_v;

    if (r->energy_j != NULL)
        return (double)r->energy_j[i] * r->rate_hz / (q == CHARGE ? volts : 1);
    return (double)r->current_a[i] * (q == CHARGE ? 1 : volts);
}

static double integrate_even(const struct recording *r, enum quantity q, double supply_v,
                             double from_s, double to_s)
{
    const double first = fmax(0, from_s * r->rate_hz);
    const double last = fmin((double)r->count, to_s * r->rate_hz);
    double sum = 0;

    for (size_t i = (size_t)first; (double)i < last; i++) {
        const double share = fmin((double)i + 1, last) - fmax((double)i, first);
        const double value = value_at(r, q, supply_v, i);

        if (isfinite(value))
            sum += value * share;
    }
    return sum / r->rate_hz;
}

static double integrate_uneven(const struct recording *r, enum quantity q, double supply_v,
                               double from_s, double to_s)
{
    double sum = 0;

    for (size_t i = 0; i + 1 < r->count; i++) {
        const double t0 = r->time_s[i];
        const double t1 = r->time_s[i + 1];
        const double a = fmax(t0, from_s);
        const double b = fmin(t1, to_s);
        const double y0 = value_at(r, q, supply_v, i);
        const double slope = (value_at(r, q, supply_v, i + 1) - y0) / (t1 - t0);

        if (b > a)
            sum += (y0 + slope * ((a + b) / 2 - t0)) * (b - a);
    }
    return sum;
}

double recording_charge_c(const struct recording *r, double from_s, double to_s)
{
    if (r->current_a == NULL)
        return NAN;
    return r->even ? integrate_even(r, CHARGE, 0, from_s, to_s)
                   : integrate_uneven(r, CHARGE, 0, from_s, to_s);
}

double recording_energy_j(const struct recording *r, double supply_v, double from_s, double to_s)
{
    return r->even ? integrate_even(r, ENERGY, supply_v, from_s, to_s)
                   : integrate_uneven(r, ENERGY, supply_v, from_s, to_s);
}
