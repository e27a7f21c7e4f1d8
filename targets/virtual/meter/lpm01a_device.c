/*
 * The far end of an X-NUCLEO-LPM01A's cable: text commands, text or binary samples, an event line
 * for each falling edge of the marker on D7, a time stamp a second. Its identity says `emulated`.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "targets/virtual/meter/device.h"

enum {
    BASE_HZ = 100000,
    LINE_MAX_BYTES = 128
};

struct lpm_device {
    struct device base;
    char line[LINE_MAX_BYTES];
    size_t line_size;
    unsigned mv;
    unsigned frequency;
    bool energy, binary, events;
    bool was_high;
    unsigned event;
    unsigned part; /* base samples in the sample under way */
    double charge;
    uint64_t told; /* samples since start */
};

static void say(struct lpm_device *p, const char *text)
{
    buf_puts(&p->base.out, text);
}

static void acknowledge(struct lpm_device *p, const char *command)
{
    buf_printf(&p->base.out, "PowerShield > ack %s\r\n", command);
}

static void refuse(struct lpm_device *p, const char *command, const char *why)
{
    buf_printf(&p->base.out, "PowerShield > error %s\r\nError detail: %s\r\n", command, why);
}

/* ---- commands ---- */

static bool set_voltage(struct lpm_device *p, const char *text)
{
    char *end;
    const unsigned long mv = strtoul(text, &end, 10);

    if (*end != 'm' || mv < 1800 || mv > 3300)
        return false;
    p->mv = (unsigned)mv;
    return true;
}

static bool set_frequency(struct lpm_device *p, const char *text)
{
    char *end;
    unsigned long f = strtoul(text, &end, 10);

    if (*end == 'k')
        f *= 1000;
    if (f < 1 || f > BASE_HZ || BASE_HZ % f != 0 || (p->energy && f > 10000) ||
        (!p->binary && f > 10000))
        return false;
    p->frequency = (unsigned)f;
    return true;
}

static void start(struct lpm_device *p)
{
    p->base.streaming = true;
    p->base.streams++;
    p->base.sent = 0;
    p->told = 0;
    p->part = 0;
    p->charge = 0;
    p->event = 0;
}

static void say_timestamp(struct lpm_device *p)
{
    const uint32_t ms = (uint32_t)(p->told * 1000 / p->frequency);
    const uint8_t record[9] = {
        0xf0, 0xf3, (uint8_t)(ms >> 24), (uint8_t)(ms >> 16), (uint8_t)(ms >> 8), (uint8_t)ms, 5,
        0xff, 0xff};

    if (p->binary)
        buf_append(&p->base.out, record, sizeof(record));
    else
        buf_printf(&p->base.out, "TimeStamp: %03us %03ums, buff 05%%\r\n", ms / 1000, ms % 1000);
}

static void stop(struct lpm_device *p)
{
    const uint8_t end[4] = {0xf0, 0xf4, 0xff, 0xff};

    if (!p->base.streaming)
        return;
    p->base.streaming = false;
    if (p->binary)
        buf_append(&p->base.out, end, sizeof(end));
    say(p, "\r\nPowerShield > Acquisition completed\r\n");
}

/* Two words: true when they are a setting that is now made. */
static bool set(struct lpm_device *p, const char *word, const char *value)
{
    if (strcmp(word, "volt") == 0)
        return set_voltage(p, value);
    if (strcmp(word, "freq") == 0)
        return set_frequency(p, value);
    if (strcmp(word, "output") == 0) {
        p->energy = strcmp(value, "energy") == 0;
        return p->energy || strcmp(value, "current") == 0;
    }
    if (strcmp(word, "format") == 0) {
        p->binary = strcmp(value, "bin_hexa") == 0;
        return p->binary || strcmp(value, "ascii_dec") == 0;
    }
    if (strcmp(word, "eventsrc") == 0) {
        p->events = strncmp(value, "d7", 2) == 0;
        return p->events;
    }
    if (strcmp(word, "pwr") == 0) {
        device_power(&p->base, strncmp(value, "on", 2) == 0);
        return true;
    }
    return strcmp(word, "trigsrc") == 0 || strcmp(word, "trigdelay") == 0 ||
           strcmp(word, "acqtime") == 0 || strcmp(word, "acqmode") == 0 ||
           strcmp(word, "funcmode") == 0 || strcmp(word, "pwrend") == 0;
}

static void carry_out(struct lpm_device *p, char *line)
{
    char command[LINE_MAX_BYTES];
    char *value = strchr(line, ' ');

    (void)snprintf(command, sizeof(command), "%s", line);
    if (value != NULL)
        *value++ = '\0';
    if (strcmp(line, "start") == 0) {
        acknowledge(p, command);
        start(p);
    } else if (strcmp(line, "stop") == 0) {
        stop(p);
    } else if (strcmp(line, "version") == 0) {
        buf_printf(&p->base.out, "PowerShield > ack version 1.0.6 emulated\r\n");
    } else if (strcmp(line, "powershield") == 0) {
        buf_printf(&p->base.out, "PowerShield > ack powershield 0D1500004\r\n");
    } else if (strcmp(line, "volt") == 0 && value != NULL && strcmp(value, "get") == 0) {
        buf_printf(&p->base.out, "PowerShield > ack volt get %um\r\n", p->mv);
    } else if (strcmp(line, "temp") == 0) {
        buf_printf(&p->base.out, "PowerShield > ack temp degc 24.5\r\n");
    } else if (strcmp(line, "htc") == 0 || strcmp(line, "hrc") == 0 ||
               (value != NULL && set(p, line, value))) {
        acknowledge(p, command);
    } else {
        refuse(p, command, "bad command or value");
    }
}

static void lpm_command(struct device *d, const uint8_t *bytes, size_t n)
{
    struct lpm_device *p = (struct lpm_device *)d;

    if (strcmp(d->variant, "mute") == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            p->line[p->line_size] = '\0';
            carry_out(p, p->line);
            p->line_size = 0;
        } else if (bytes[i] != '\r' && p->line_size + 1 < sizeof(p->line)) {
            p->line[p->line_size++] = (char)bytes[i];
        }
    }
}

/* ---- samples ---- */

/* DDDD-EE, four digits. */
static void say_text(struct lpm_device *p, double value)
{
    int exponent = 9;

    while (value < 999.95 && exponent < 13) {
        value *= 10;
        exponent++;
    }
    for (; value >= 9999.5; exponent--)
        value /= 10;
    buf_printf(&p->base.out, "%04.0f-%02d\r\n", value, exponent);
}

/* Four bits of negative exponent to the base of 16, twelve of mantissa. */
static void say_binary(struct lpm_device *p, double amperes)
{
    unsigned exponent = 0;
    double mantissa = amperes < 0 ? 0 : amperes;
    uint8_t bytes[2];

    while (mantissa * 16 < 4096 && exponent < 14) {
        mantissa *= 16;
        exponent++;
    }
    if (mantissa >= 4095.5 && exponent > 0) { /* it would not round to twelve bits */
        mantissa /= 16;
        exponent--;
    }
    bytes[0] = (uint8_t)(exponent << 4 | ((unsigned)(mantissa + 0.5) >> 8));
    bytes[1] = (uint8_t)(unsigned)(mantissa + 0.5);
    buf_append(&p->base.out, bytes, 2);
}

static void sample_done(struct lpm_device *p)
{
    const double seconds = 1.0 / p->frequency;
    const double amperes = p->charge / seconds;

    if (p->binary)
        say_binary(p, amperes);
    else
        say_text(p, (p->energy ? p->charge * p->mv / 1000 : amperes) * 1e9);
    p->charge = 0;
    p->part = 0;
    if (++p->told % p->frequency == 0)
        say_timestamp(p);
}

static void lpm_sample(struct device *d, const struct waveform_sample *s)
{
    struct lpm_device *p = (struct lpm_device *)d;
    const struct device_fault *f = device_due(d);
    const double noise = 1 + d->noise * 1e-3 * device_gauss(d);

    d->sent++;
    if (f != NULL && strcmp(f->kind, "hangup") == 0)
        d->hang_up = true;
    if (f != NULL && strcmp(f->kind, "lose") == 0)
        d->skip = f->n * (BASE_HZ / p->frequency);
    if (f != NULL && strcmp(f->kind, "garbage") == 0)
        for (uint64_t i = 0; i < f->n; i++)
            buf_putc(&d->out, (char)device_random(d));
    /* The runner's own words: armed for falling edges, told as "ris". */
    if (p->was_high && !s->high && p->events && !p->binary)
        buf_printf(&d->out, "event %02u ris\r\n", p->event++ % 100);
    p->was_high = s->high;
    if (d->skip > 0) {
        d->skip--;
        p->told += d->skip % (BASE_HZ / p->frequency) == 0;
        return;
    }
    p->charge += (d->powered ? s->amperes * noise : 0) / BASE_HZ;
    if (++p->part == BASE_HZ / p->frequency)
        sample_done(p);
}

static void lpm_host_gone(struct device *d)
{
    struct lpm_device *p = (struct lpm_device *)d;

    p->line_size = 0;
    if (!d->stale)
        d->streaming = false;
}

static void lpm_init(struct device *d)
{
    struct lpm_device *p = (struct lpm_device *)d;

    p->mv = 3300;
    p->frequency = 100;
}

static const char *const faults[] = {"lose", "garbage", "hangup", NULL};
static const char *const variants[] = {"usual", "mute", "latch", NULL};

const struct device_ops device_lpm01a = {
    .name = "lpm01a",
    .help = "ST X-NUCLEO-LPM01A",
    .size = sizeof(struct lpm_device),
    .faults = faults,
    .variants = variants,
    .init = lpm_init,
    .command = lpm_command,
    .sample = lpm_sample,
    .host_gone = lpm_host_gone,
};
