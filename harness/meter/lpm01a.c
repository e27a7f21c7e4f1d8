/*
 * ST X-NUCLEO-LPM01A: text commands that it acknowledges, 1000 energies a second in text (each the
 * integral over its millisecond), edges of the marker on D7 as event lines. Falling edges end and
 * begin windows: an event toggles the marker line that is reported.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/meter/lpm01a_format.h"
#include "harness/meter/meter.h"
#include "harness/meter/reader.h"
#include "harness/transport/transport.h"

enum {
    BAUD = 3686400,
    ANSWER_MS = 1500,
    ANSWER_MAX = 4096,
    BLOCK = 4096,
    LINE_BYTES = 128,
    RATE_HZ = 1000,
    LOSS_TOLERANCE = 2, /* samples between time stamps: the stamp itself is not sharp */
};

struct lpm01a {
    struct meter base;
    struct transport *transport;
    struct reader *reader;
    double volts;
    char line[LINE_BYTES];
    size_t line_size;
    uint64_t index;
    uint64_t since_stamp; /* samples */
    uint32_t last_ms;
    bool stamped;
    bool high;
    unsigned next_event;
    double joules;
    float current_a[BLOCK];
    uint8_t logic[BLOCK];
    size_t count;
};

/* ---- commands ---- */

static int send_line(struct lpm01a *p, const char *command, struct err *err)
{
    char line[LINE_BYTES];
    const int n = snprintf(line, sizeof(line), "%s\n", command);

    return transport_send(p->transport, line, (size_t)n, err);
}

/* Until the acknowledgement of `command` came whole; *answer keeps all that was said. */
static int await(struct lpm01a *p, const char *command, struct buf *answer, struct err *err)
{
    const struct deadline end = deadline_in_ms(ANSWER_MS);
    char wanted[LINE_BYTES];
    char piece[256];
    size_t n = 0;

    (void)snprintf(wanted, sizeof(wanted), "ack %s", command);
    for (;;) {
        const char *at = strstr(buf_text(answer), wanted);
        const char *bad = strstr(buf_text(answer), "rror");

        if (at != NULL && strchr(at, '\n') != NULL)
            return 0;
        if (bad != NULL && strchr(bad, '\n') != NULL)
            return err_set(err, ERR_METER, "it refuses '%s'", command);
        if (deadline_passed(end) || answer->full)
            return err_set(err, ERR_METER, "no acknowledgement of '%s': is this an LPM01A?",
                           command);
        if (transport_recv(p->transport, piece, sizeof(piece), 50, &n, err) < 0)
            return (int)err->code;
        buf_append(answer, piece, n);
    }
}

static int command(struct lpm01a *p, const char *text, struct buf *answer, struct err *err)
{
    AUTO_BUF own = {.limit = ANSWER_MAX};

    if (send_line(p, text, err) < 0)
        return (int)err->code;
    return await(p, text, answer != NULL ? answer : &own, err);
}

static int drain(struct lpm01a *p, struct err *err)
{
    const struct deadline end = deadline_in_ms(2000);
    char waste[1024];
    size_t n = 0;

    do {
        if (deadline_passed(end))
            return err_set(err, ERR_METER, "it goes on sending although it was told to stop");
        if (transport_recv(p->transport, waste, sizeof(waste), 100, &n, err) < 0)
            return (int)err->code;
    } while (n > 0);
    return 0;
}

/* The word behind "ack NAME ". */
static void take_word(const struct buf *answer, const char *name, char *ret, size_t size)
{
    char wanted[32];
    const char *at;

    (void)snprintf(wanted, sizeof(wanted), "ack %s ", name);
    at = strstr(buf_text(answer), wanted);
    if (at == NULL)
        return;
    at += strlen(wanted);
    (void)snprintf(ret, size, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* ---- life ---- */

static int identify(struct lpm01a *p, struct err *err)
{
    struct meter_info *i = &p->base.info;
    AUTO_BUF version = {.limit = ANSWER_MAX};
    AUTO_BUF serial = {.limit = ANSWER_MAX};

    if (send_line(p, "stop", err) < 0 || drain(p, err) < 0 || command(p, "htc", NULL, err) < 0 ||
        command(p, "version", &version, err) < 0 || command(p, "powershield", &serial, err) < 0)
        return (int)err->code;
    take_word(&version, "version", i->firmware, sizeof(i->firmware));
    take_word(&serial, "powershield", i->serial, sizeof(i->serial));
    i->emulated = strstr(i->firmware, "emulated") != NULL;
    return 0;
}

static int lpm_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct lpm01a *p = (struct lpm01a *)m;
    struct meter_info *i = &m->info;
    const struct transport_config where = {.where = config->where,
                                           .usb_serial =
                                               config->where == NULL ? config->serial : NULL,
                                           .usb_id = config->where == NULL ? "0483:5740" : NULL,
                                           .baud = BAUD};

    if (transport_open("serial", &where, &p->transport, err) < 0 || identify(p, err) < 0)
        return (int)err->code;
    (void)snprintf(i->model, sizeof(i->model), "LPM01A%s", i->emulated ? " (emulated)" : "");
    i->samples = true;
    i->integrates = true;
    i->can_source = true;
    i->can_power = true;
    i->markers = 1;
    i->min_uv = 1800000;
    i->max_uv = 3300000;
    i->rate_hz = RATE_HZ;
    i->basis = METER_VOLTAGE_SETPOINT;
    i->voltage_error = 0.01;
    i->ranges[0] = (struct meter_range){.gain = 0.02, .offset_a = 100e-9};
    return 0;
}

static int lpm_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    static const char *const fixed[] = {"pwr off",          "acqtime inf",     "trigdelay 0",
                                        "trigsrc sw",       "eventsrc d7 fal", "output energy",
                                        "format ascii_dec", "freq 1k"};
    struct lpm01a *p = (struct lpm01a *)m;
    AUTO_BUF answer = {.limit = ANSWER_MAX};
    char volts[32];
    char got[32] = "";

    if (!setup->source)
        return err_set(err, ERR_CONFIG, "an LPM01A supplies the board: it needs mode: source");
    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
        if (command(p, fixed[i], NULL, err) < 0)
            return (int)err->code;
    }
    (void)snprintf(volts, sizeof(volts), "volt %um", setup->voltage_uv / 1000);
    if (command(p, volts, NULL, err) < 0 || command(p, "volt get", &answer, err) < 0 ||
        command(p, "pwr on nostatus", NULL, err) < 0)
        return (int)err->code;
    take_word(&answer, "volt get", got, sizeof(got));
    if (strtoul(got, NULL, 10) != setup->voltage_uv / 1000)
        return err_set(err, ERR_METER, "set to %u mV, it says '%s'", setup->voltage_uv / 1000, got);
    p->volts = setup->voltage_uv * 1e-6;
    buf_clear(&m->calibration);
    buf_printf(&m->calibration, "firmware: %s\nvoltage: %s\noutput: energy\nfreq: 1k\n",
               m->info.firmware, got);
    return 0;
}

static int lpm_power(struct meter *m, bool on, struct err *err)
{
    return command((struct lpm01a *)m, on ? "pwr on nostatus" : "pwr off", NULL, err);
}

static int lpm_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct lpm01a *p = (struct lpm01a *)m;
    AUTO_BUF answer = {.limit = ANSWER_MAX};
    char got[32] = "";

    ret->seconds = (double)p->index / RATE_HZ;
    ret->energy_j = p->joules;
    ret->charge_c = p->volts > 0 ? p->joules / p->volts : 0;
    ret->powered = true;
    ret->voltage_uv = (uint32_t)(p->volts * 1e6);
    if (m->started)
        return 0;
    if (command(p, "temp degc", &answer, err) < 0)
        return (int)err->code;
    take_word(&answer, "temp degc", got, sizeof(got));
    if (got[0] != '\0')
        ret->temperature_c = strtod(got, NULL);
    return 0;
}

/* ---- streaming ---- */

static int lpm_start(struct meter *m, struct err *err)
{
    struct lpm01a *p = (struct lpm01a *)m;

    p->line_size = 0;
    p->index = 0;
    p->since_stamp = 0;
    p->stamped = false;
    p->high = false;
    p->next_event = 0;
    p->joules = 0;
    if (command(p, "start", NULL, err) < 0)
        return (int)err->code;
    return reader_start(p->transport, &p->reader, err);
}

static int lpm_stop(struct meter *m, struct err *err)
{
    struct lpm01a *p = (struct lpm01a *)m;
    const int r = send_line(p, "stop", err);

    reader_stop(p->reader);
    p->reader = NULL;
    return r < 0 ? r : drain(p, err);
}

static void put(struct lpm01a *p, float amperes)
{
    p->current_a[p->count] = amperes;
    p->logic[p->count++] = p->high;
    p->index++;
}

/* Samples that should have come since the last time stamp but did not. */
static void check_stamp(struct lpm01a *p, uint32_t ms)
{
    const uint64_t due = (uint64_t)(ms - p->last_ms) * RATE_HZ / 1000;

    if (p->stamped && ms > p->last_ms && due > p->since_stamp + LOSS_TOLERANCE &&
        due < METER_GAP_MAX) {
        uint64_t missing = due - p->since_stamp;

        p->base.counts.lost += missing;
        p->base.counts.lost_by_clock += missing;
        p->base.counts.gaps++;
        for (; missing > 0 && p->count < BLOCK; missing--)
            put(p, NAN);
    }
    p->stamped = true;
    p->last_ms = ms;
    p->since_stamp = 0;
}

static int take_item(struct lpm01a *p, const struct lpm_item *item, struct err *err)
{
    switch (item->kind) {
    case LPM_SAMPLE:
        p->joules += item->value;
        p->since_stamp++;
        put(p, (float)(item->value * RATE_HZ / p->volts));
        return 0;
    case LPM_TIMESTAMP:
        check_stamp(p, item->ms);
        return 0;
    case LPM_EVENT:
        p->base.counts.corrupted += item->event != p->next_event % 100;
        p->next_event = item->event + 1;
        p->high = !p->high;
        return 0;
    case LPM_TROUBLE:
        return err_set(err, ERR_METER, "it says: %s", item->text);
    case LPM_END:
    case LPM_NOTHING:
        break;
    }
    return 0;
}

static int take_line(struct lpm01a *p, struct err *err)
{
    struct lpm_item item;

    p->line[p->line_size] = '\0';
    p->line_size = 0;
    lpm_text(p->line, &item);
    if (item.kind == LPM_NOTHING && p->line[0] != '\0')
        p->base.counts.corrupted++;
    if (p->base.counts.corrupted > 1000 && p->base.counts.corrupted > p->index)
        return err_set(err, ERR_METER, "what it sends are no samples");
    return take_item(p, &item, err);
}

static int lpm_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    struct lpm01a *p = (struct lpm01a *)m;
    const uint64_t first = p->index;
    const uint8_t *data = NULL;
    uint64_t at_ns = 0;
    size_t n = 0;
    size_t used = 0;
    int r = 0;

    p->count = 0;
    if (reader_peek(p->reader, timeout_ms, &data, &n, &at_ns, err) < 0)
        return err_in(err, "the meter is gone");
    while (used < n && p->count < BLOCK / 2 && r == 0) {
        const char c = (char)data[used++];

        if (c == '\n')
            r = take_line(p, err);
        else if (c != '\r' && p->line_size + 1 < sizeof(p->line))
            p->line[p->line_size++] = c;
    }
    reader_consume(p->reader, used);
    *ret = (struct meter_block){
        .first = first, .count = p->count, .current_a = p->current_a, .logic = p->logic};
    return r;
}

static void lpm_close(struct meter *m)
{
    struct lpm01a *p = (struct lpm01a *)m;

    reader_stop(p->reader);
    transport_close(p->transport);
}

const struct meter_ops meter_lpm01a = {
    .name = "lpm01a",
    .help = "ST X-NUCLEO-LPM01A: 1000 energies a second, edges on D7",
    .size = sizeof(struct lpm01a),
    .open = lpm_open,
    .configure = lpm_configure,
    .start = lpm_start,
    .read = lpm_read,
    .stop = lpm_stop,
    .power = lpm_power,
    .state = lpm_state,
    .close = lpm_close,
};
