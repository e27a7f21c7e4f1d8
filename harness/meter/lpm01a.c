/*
 * ST X-NUCLEO-LPM01A: text commands that it acknowledges, 1000 energies a second in text (each the
 * integral over its millisecond), falling edges of the marker on D7 as event lines. A sample at
 * which an event came has its marker bit set: a moment, not a level.
 *
 * Above 5 kHz it streams currents in binary, which has no events: no marker lines then.
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
    TEXT_HZ_MAX = 5000, /* without an end; more only in binary */
    RECORD_MAX = 640,   /* bytes of a binary record, text and all */
    LOSS_TOLERANCE = 2, /* samples a stamp may be ahead of: it is not sharp, and does not add up */
};

struct lpm01a {
    struct meter base;
    struct transport *transport;
    struct reader *reader;
    double volts;
    unsigned rate_hz;
    bool binary;
    struct buf early;         /* of the stream: what came with the acknowledgement of `start` */
    uint8_t tail[RECORD_MAX]; /* of a binary stream: bytes of an item that is not whole */
    size_t tail_size;
    char line[LINE_BYTES];
    size_t line_size;
    uint64_t index;
    uint64_t since_stamp; /* samples since the first stamp, lost ones included */
    uint64_t pending;     /* lost ones that are still to be delivered */
    uint32_t first_ms;
    bool stamped;
    bool event; /* came since the last sample */
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
    i->rate_hz = p->rate_hz = RATE_HZ;
    i->basis = METER_VOLTAGE_SETPOINT;
    i->voltage_error = 0.01;
    i->ranges[0] = (struct meter_range){.gain = 0.02, .offset_a = 100e-9};
    return 0;
}

/* Rates that it knows, as it spells them. */
static const struct rate {
    unsigned hz;
    const char *text;
} rates[] = {{1000, "1k"},   {2000, "2k"},   {5000, "5k"},    {10000, "10k"},
             {20000, "20k"}, {50000, "50k"}, {100000, "100k"}};

static const struct rate *find_rate(double hz)
{
    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        if (fabs(hz - rates[i].hz) < 0.5)
            return &rates[i];
    }
    return NULL;
}

/* Energies in text with events, or currents in binary without. */
static int set_stream(struct lpm01a *p, const struct rate *rate, struct err *err)
{
    static const char *const text[] = {"eventsrc d7 fal", "output energy", "format ascii_dec"};
    static const char *const binary[] = {"output current", "format bin_hexa"};
    char line[LINE_BYTES];

    p->rate_hz = rate->hz;
    p->binary = rate->hz > TEXT_HZ_MAX;
    p->base.info.rate_hz = rate->hz;
    p->base.info.markers = p->binary ? 0 : 1;
    p->base.info.falls_only = !p->binary;
    for (size_t i = 0; i < (p->binary ? ARRAY_SIZE(binary) : ARRAY_SIZE(text)); i++) {
        if (command(p, p->binary ? binary[i] : text[i], NULL, err) < 0)
            return (int)err->code;
    }
    (void)snprintf(line, sizeof(line), "freq %s", rate->text);
    return command(p, line, NULL, err);
}

static int set_supply(struct lpm01a *p, uint32_t voltage_uv, char got[static 32], struct err *err)
{
    AUTO_BUF answer = {.limit = ANSWER_MAX};
    char volts[32];

    (void)snprintf(volts, sizeof(volts), "volt %um", voltage_uv / 1000);
    if (command(p, volts, NULL, err) < 0 || command(p, "volt get", &answer, err) < 0 ||
        command(p, "pwr on nostatus", NULL, err) < 0)
        return (int)err->code;
    take_word(&answer, "volt get", got, 32);
    if (strtoul(got, NULL, 10) != voltage_uv / 1000)
        return err_set(err, ERR_METER, "set to %u mV, it says '%s'", voltage_uv / 1000, got);
    p->volts = voltage_uv * 1e-6;
    return 0;
}

static int lpm_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    /* All that somebody before us may have set otherwise; later ones find the board in a run. */
    static const char *const fixed[] = {"pwr off",        "acqtime inf", "acqmode dyn",
                                        "funcmode optim", "trigdelay 0", "trigsrc sw"};
    struct lpm01a *p = (struct lpm01a *)m;
    const struct rate *rate = find_rate(setup->rate_hz != 0 ? setup->rate_hz : RATE_HZ);
    char got[32] = "";

    if (!setup->source)
        return err_set(err, ERR_CONFIG, "an LPM01A supplies the board: it needs mode: source");
    if (rate == NULL)
        return err_set(err, ERR_CONFIG, "an LPM01A takes 1, 2, 5, 10, 20, 50 or 100 kHz, not %g",
                       setup->rate_hz);
    for (size_t i = 0; p->volts <= 0 && i < ARRAY_SIZE(fixed); i++) {
        if (command(p, fixed[i], NULL, err) < 0)
            return (int)err->code;
    }
    if (set_stream(p, rate, err) < 0 || set_supply(p, setup->voltage_uv, got, err) < 0)
        return (int)err->code;
    buf_clear(&m->calibration);
    buf_printf(&m->calibration, "firmware: %s\nvoltage: %s\noutput: %s\nfreq: %s\n",
               m->info.firmware, got, p->binary ? "current" : "energy", rate->text);
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

    ret->seconds = (double)p->index / p->rate_hz;
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

/* Samples may have come with the acknowledgement: they are the first ones. */
static int begin_stream(struct lpm01a *p, struct err *err)
{
    AUTO_BUF answer = {.limit = ANSWER_MAX};
    const char *ack;
    size_t used;

    buf_clear(&p->early);
    if (command(p, "start", &answer, err) < 0)
        return (int)err->code;
    ack = strstr(buf_text(&answer), "ack start");
    used = ack != NULL ? (size_t)(ack - answer.data) + strcspn(ack, "\n") + 1 : answer.len;
    if (used < answer.len)
        buf_append(&p->early, answer.data + used, answer.len - used);
    return 0;
}

static int lpm_start(struct meter *m, struct err *err)
{
    struct lpm01a *p = (struct lpm01a *)m;

    p->line_size = 0;
    p->tail_size = 0;
    p->index = 0;
    p->since_stamp = 0;
    p->pending = 0;
    p->stamped = false;
    p->event = false;
    p->next_event = 0;
    p->joules = 0;
    if (begin_stream(p, err) < 0)
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
    p->logic[p->count++] = p->event;
    p->event = false;
    p->index++;
}

/*
 * Samples that should have come since the first time stamp but did not: stamps and samples are of
 * one clock, so even one sample lost a second shows after a few.
 */
static void check_stamp(struct lpm01a *p, uint32_t ms)
{
    const uint64_t due = (uint64_t)(ms - p->first_ms) * p->rate_hz / 1000;
    const uint64_t tolerance = LOSS_TOLERANCE * (uint64_t)p->rate_hz / RATE_HZ;

    if (!p->stamped || ms < p->first_ms || due > p->since_stamp + METER_GAP_MAX) {
        p->stamped = true;
        p->first_ms = ms;
        p->since_stamp = 0;
    } else if (due > p->since_stamp + tolerance) {
        const uint64_t missing = due - p->since_stamp;

        p->base.counts.lost += missing;
        p->base.counts.lost_by_clock += missing;
        p->base.counts.gaps++;
        p->pending += missing;
        p->since_stamp = due;
    }
}

/* An energy of one period in text, a current in binary. */
static void take_sample(struct lpm01a *p, double value)
{
    const double joules = p->binary ? value * p->volts / p->rate_hz : value;

    p->joules += joules;
    p->since_stamp++;
    put(p, (float)(p->binary ? value : joules * p->rate_hz / p->volts));
}

static int take_item(struct lpm01a *p, const struct lpm_item *item, struct err *err)
{
    switch (item->kind) {
    case LPM_SAMPLE:
        take_sample(p, item->value);
        return 0;
    case LPM_TIMESTAMP:
        check_stamp(p, item->ms);
        return 0;
    case LPM_EVENT:
        p->base.counts.corrupted += item->event != p->next_event % 100;
        p->next_event = item->event + 1;
        p->event = true;
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

static bool has_room(const struct lpm01a *p)
{
    return p->count < BLOCK / 2 && p->pending == 0;
}

static int read_text(struct lpm01a *p, const uint8_t *data, size_t n, size_t *used, struct err *err)
{
    int r = 0;

    while (*used < n && has_room(p) && r == 0) {
        const char c = (char)data[(*used)++];

        if (c == '\n')
            r = take_line(p, err);
        else if (c != '\r' && p->line_size + 1 < sizeof(p->line))
            p->line[p->line_size++] = c;
    }
    return r;
}

/* Items may be split anywhere: bytes go through the tail until it holds a whole one. */
static int read_binary(struct lpm01a *p, const uint8_t *data, size_t n, size_t *used,
                       struct err *err)
{
    int r = 0;

    while (*used < n && has_room(p) && r == 0) {
        struct lpm_item item;
        size_t took;

        p->tail[p->tail_size++] = data[(*used)++];
        took = lpm_binary(p->tail, p->tail_size, &item);
        if (took == 0 && p->tail_size < sizeof(p->tail))
            continue;
        took = took == 0 ? p->tail_size : took; /* no record is so long */
        p->tail_size -= took;
        memmove(p->tail, p->tail + took, p->tail_size);
        r = take_item(p, &item, err);
    }
    return r;
}

static int take_bytes(struct lpm01a *p, const uint8_t *data, size_t n, size_t *used,
                      struct err *err)
{
    return p->binary ? read_binary(p, data, n, used, err) : read_text(p, data, n, used, err);
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
    for (; p->pending > 0 && p->count < BLOCK / 2; p->pending--)
        put(p, NAN);
    if (has_room(p) && p->early.len > 0) {
        r = take_bytes(p, (const uint8_t *)p->early.data, p->early.len, &used, err);
        buf_consume(&p->early, used);
    } else if (has_room(p)) {
        if (reader_peek(p->reader, p->count > 0 ? 0 : timeout_ms, &data, &n, &at_ns, err) < 0)
            return err_in(err, "the meter is gone");
        r = take_bytes(p, data, n, &used, err);
        reader_consume(p->reader, used);
    }
    *ret = (struct meter_block){.first = first,
                                .count = p->count,
                                .current_a = p->current_a,
                                .logic = p->binary ? NULL : p->logic};
    return r;
}

static void lpm_close(struct meter *m)
{
    struct lpm01a *p = (struct lpm01a *)m;

    reader_stop(p->reader);
    transport_close(p->transport);
    buf_release(&p->early);
}

const struct meter_ops meter_lpm01a = {
    .name = "lpm01a",
    .help = "ST X-NUCLEO-LPM01A: 1000 energies a second and edges on D7; or 100 kHz in binary",
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
