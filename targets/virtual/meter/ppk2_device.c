/*
 * The far end of a PPK2's cable: command bytes, metadata text, sample words. The constants are those
 * of no real unit, but have their sizes. Its own line `Emulated: 1` in the metadata marks it.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "targets/virtual/meter/device.h"

enum {
    RANGES = 5,
    ADC_MAX = 0x3fff
};

static const double r_ohm[RANGES] = {1004.57, 102.18, 10.383, 0.9723, 0.0567};
static const double gs[RANGES] = {0, 154.06, 23.39, 3.371, 0.1094};
static const double gi[RANGES] = {1, 0.9572, 0.9503, 0.9362, 0.9440};
static const double o[RANGES] = {151.8, 103.4, 87.9, 66.8, 118.3};
static const double s[RANGES] = {-2.8e-8, 3.1e-7, 2.2e-6, 4.4e-5, 1.9e-3};
static const double zero_a[RANGES] = {1.2e-7, -4.0e-7, -3.1e-6, -1.4e-4, -7.0e-3};
static const double upper_a[RANGES] = {50e-6, 500e-6, 5e-3, 50e-3, 1.0};

struct ppk2_device {
    struct device base;
    unsigned mv;
    int mode;
    double user_gain[RANGES];
    uint8_t pending[8]; /* a command that has not come whole */
    size_t pending_size;
    unsigned counter;
    int range;
    uint64_t storm; /* samples of alternating ranges still to come */
    uint64_t saturate;
    uint64_t drop; /* bytes to leave out */
    unsigned flip; /* of the next counter */
};

/* Lengths with the opcode; 1 for all the others, legacy ones without arguments included. */
static size_t command_length(uint8_t opcode)
{
    switch (opcode) {
    case 0x0c:
    case 0x11:
    case 0x10:
    case 0x04:
    case 0x12:
    case 0x15:
    case 0x16:
        return 2;
    case 0x0d:
    case 0x01:
        return 3;
    case 0x25:
        return 6;
    default:
        return 1;
    }
}

/* ---- metadata ---- */

struct meta_line {
    char text[64];
};

static size_t add_line(struct meta_line *lines, size_t n, const char *key, int range, int digits,
                       double value)
{
    if (range >= 0)
        (void)snprintf(lines[n].text, sizeof(lines[n].text), "%s%d: %.*f", key, range, digits,
                       value);
    else
        (void)snprintf(lines[n].text, sizeof(lines[n].text), "%s: %.*f", key, digits, value);
    return n + 1;
}

static size_t meta_lines(struct ppk2_device *p, struct meta_line *lines, int digits)
{
    const double *const tables[] = {r_ohm, gs, gi, o, s, zero_a, p->user_gain};
    static const char *const keys[] = {"R", "GS", "GI", "O", "S", "I", "UG"};
    size_t n = add_line(lines, 0, "Calibrated", -1, 0, 0);

    for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
        for (int r = 0; r < RANGES; r++)
            n = add_line(lines, n, keys[t], r, digits, tables[t][r]);
    }
    n = add_line(lines, n, "VDD", -1, 0, p->mv);
    n = add_line(lines, n, "HW", -1, 0, 9173);
    n = add_line(lines, n, "mode", -1, 0, p->mode);
    n = add_line(lines, n, "IA", -1, 0, 56);
    return add_line(lines, n, "Emulated", -1, 0, 1);
}

static void shuffle(struct ppk2_device *p, struct meta_line *lines, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = device_random(&p->base) % i;
        const struct meta_line t = lines[i - 1];

        lines[i - 1] = lines[j];
        lines[j] = t;
    }
}

static void say_metadata(struct ppk2_device *p)
{
    const char *v = p->base.variant;
    struct meta_line lines[64];
    const size_t n = meta_lines(p, lines, strcmp(v, "long") == 0 ? 20 : 12);
    AUTO_BUF text = BUF_INIT;

    if (strcmp(v, "mute") == 0)
        return;
    if (strcmp(v, "shuffled") == 0)
        shuffle(p, lines, n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(v, "nan") == 0 && strncmp(lines[i].text, "GI3", 3) == 0)
            (void)snprintf(lines[i].text, sizeof(lines[i].text), "GI3: -nan");
        buf_printf(&text, "%s%s", lines[i].text, strcmp(v, "crlf") == 0 ? "\r\n" : "\n");
    }
    if (strcmp(v, "stranger") == 0) {
        buf_clear(&text);
        buf_puts(&text, "PowerShield > unknown command\r\nEND\r\n");
    }
    if (strcmp(v, "truncated") == 0)
        text.len /= 2;
    else
        buf_puts(&text, strcmp(v, "crlf") == 0 ? "END\r\n" : "END\n");
    buf_append(&p->base.out, buf_text(&text), text.len);
}

/* ---- commands ---- */

static void set_voltage(struct ppk2_device *p, unsigned mv)
{
    p->mv = mv < 800 ? 800 : mv > 5000 ? 5000 : mv;
}

static void carry_out(struct ppk2_device *p, const uint8_t *c)
{
    float gain;

    switch (c[0]) {
    case 0x06:
        p->base.streaming = true;
        p->base.streams++;
        p->base.sent = 0;
        p->counter = 0;
        break;
    case 0x07: /* what is on its way arrives; what this process has not sent yet never was */
        p->base.streaming = false;
        buf_clear(&p->base.out);
        break;
    case 0x0c:
        device_power(&p->base, c[1] != 0);
        break;
    case 0x0d:
        set_voltage(p, (unsigned)c[1] << 8 | c[2]);
        break;
    case 0x11:
        p->mode = c[1] == 2 && strcmp(p->base.variant, "stuck") != 0 ? 2 : 1;
        break;
    case 0x19:
        if (!p->base.streaming)
            say_metadata(p);
        break;
    case 0x20:
        p->base.streaming = false;
        break;
    case 0x25:
        memcpy(&gain, c + 2, sizeof(gain));
        if (c[1] < RANGES && isfinite(gain))
            p->user_gain[c[1]] = gain;
        break;
    default: /* legacy: swallowed */
        break;
    }
}

static void ppk2_command(struct device *d, const uint8_t *bytes, size_t n)
{
    struct ppk2_device *p = (struct ppk2_device *)d;

    for (size_t i = 0; i < n; i++) {
        p->pending[p->pending_size++] = bytes[i];
        if (p->pending_size < command_length(p->pending[0]))
            continue;
        carry_out(p, p->pending);
        p->pending_size = 0;
    }
}

/* ---- samples ---- */

/* The code that the calibration turns into this current: the formula solved for x. */
static double code_of(const struct ppk2_device *p, int r, double amperes)
{
    const double c = s[r] * (p->mv / 1000.0) + zero_a[r] - amperes / p->user_gain[r];
    const double x =
        gs[r] == 0 ? -c / gi[r] : 2 * -c / (gi[r] + sqrt(gi[r] * gi[r] - 4 * gs[r] * c));

    return (x / ((1.8 / 163840) / r_ohm[r]) + o[r]) / 4;
}

static void choose_range(struct ppk2_device *p, double amperes)
{
    while (p->range < RANGES - 1 && amperes > upper_a[p->range])
        p->range++;
    while (p->range > 0 && amperes < 0.9 * upper_a[p->range - 1])
        p->range--;
}

static void put_word(struct ppk2_device *p, unsigned adc, unsigned range, bool high)
{
    const uint32_t word =
        adc | range << 14 | ((p->counter ^ p->flip) & 63) << 18 | (uint32_t)high << 24;
    const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                              (uint8_t)(word >> 24)};
    int dropped = 0;

    buf_append(&p->base.out, bytes, 4);
    for (; p->drop > 0 && p->base.out.len > 0 && dropped < 4; p->drop--, dropped++)
        p->base.out.len--;
    p->flip = 0;
    p->counter++;
    p->base.sent++;
}

/* Returns false when the sample is lost. */
static bool apply_fault(struct ppk2_device *p, const struct device_fault *f, bool high)
{
    struct device *d = &p->base;

    if (strcmp(f->kind, "lose") == 0) { /* the counter goes on without us: f->n samples, this too */
        p->counter += (unsigned)(f->n & 63);
        d->sent += f->n;
        return false;
    }
    if (strcmp(f->kind, "drop") == 0)
        p->drop = f->n;
    else if (strcmp(f->kind, "garbage") == 0)
        for (uint64_t i = 0; i < f->n; i++)
            buf_putc(&d->out, (char)device_random(d));
    else if (strcmp(f->kind, "range") == 0)
        put_word(p, 100, 5 + (unsigned)(f->n % 3), high);
    else if (strcmp(f->kind, "corrupt") == 0)
        p->flip = 0x15;
    else if (strcmp(f->kind, "saturate") == 0)
        p->saturate = f->n;
    else if (strcmp(f->kind, "storm") == 0)
        p->storm = f->n;
    else if (strcmp(f->kind, "hangup") == 0)
        d->hang_up = true;
    else if (strcmp(f->kind, "stall") == 0)
        d->stall_ms = (unsigned)f->n;
    return true;
}

static uint64_t to_skip(const struct device_fault *f)
{
    return f != NULL && strcmp(f->kind, "lose") == 0 ? f->n : 0;
}

static void ppk2_sample(struct device *d, const struct waveform_sample *sample)
{
    struct ppk2_device *p = (struct ppk2_device *)d;
    const struct device_fault *f = device_due(d);
    const bool high = sample->high;
    const double amperes = d->powered ? sample->amperes : 0;
    double code;

    if (d->skip > 0) { /* inside a loss: time passes, nothing is said */
        d->skip--;
        return;
    }
    if (f != NULL && !apply_fault(p, f, high)) {
        d->skip = to_skip(f) - 1;
        return;
    }
    choose_range(p, amperes);
    if (p->storm > 0)
        p->range = (int)(p->storm-- % 2) + (p->range > 2 ? 2 : p->range);
    code = floor(code_of(p, p->range, amperes) + d->noise * device_gauss(d) + 0.5);
    if (p->saturate > 0) {
        p->saturate--;
        code = ADC_MAX;
    }
    put_word(p,
             (unsigned)(code < 0         ? 0
                        : code > ADC_MAX ? ADC_MAX
                                         : code),
             (unsigned)p->range, high);
}

static void ppk2_host_gone(struct device *d)
{
    d->powered = false;
    if (!d->stale)
        d->streaming = false;
    ((struct ppk2_device *)d)->pending_size = 0;
}

static void ppk2_init(struct device *d)
{
    struct ppk2_device *p = (struct ppk2_device *)d;

    p->mv = 3000;
    p->mode = 2;
    for (int r = 0; r < RANGES; r++)
        p->user_gain[r] = 1;
}

static const char *const faults[] = {"lose",     "drop",  "garbage", "range", "corrupt",
                                     "saturate", "storm", "hangup",  "stall", NULL};
static const char *const variants[] = {"usual",    "long", "crlf",  "shuffled", "nan", "truncated",
                                       "stranger", "mute", "stuck", "latch",    NULL};

const struct device_ops device_ppk2 = {
    .name = "ppk2",
    .help = "Nordic PPK2",
    .size = sizeof(struct ppk2_device),
    .faults = faults,
    .variants = variants,
    .init = ppk2_init,
    .command = ppk2_command,
    .sample = ppk2_sample,
    .host_gone = ppk2_host_gone,
};
