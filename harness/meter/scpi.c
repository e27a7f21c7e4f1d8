/*
 * Bench supplies and multimeters that speak SCPI (scpi_link.h has the ways to them): one MEAS:CURR?
 * after the other, a few hundred to a thousand a second, each stamped on arrival. For supply
 * voltages and slow averages. A Keysight N6705/N67xx logs instead, see scpi_log.h.
 */
#include "harness/meter/scpi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"

/* ---- identity ---- */

/* "maker,model,serial,firmware" */
static void take_identity(struct meter_info *i, const char *answer)
{
    char maker[32] = "";
    char model[32] = "";

    (void)sscanf(answer, "%31[^,],%31[^,],%63[^,],%127[^\n]", maker, model, i->serial, i->firmware);
    (void)snprintf(i->model, sizeof(i->model), "%.24s %.31s", maker, model);
}

static bool is_logger(const char *model)
{
    const char *at = strstr(model, " N67");

    return at != NULL && strspn(at + 4, "0123456789") == 2;
}

static int scpi_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct scpi *s = (struct scpi *)m;
    struct meter_info *i = &m->info;
    char answer[SCPI_ANSWER_MAX];

    if (scpi_connect(&s->link, config->where, err) < 0 ||
        scpi_ask(&s->link, "*IDN?", answer, err) < 0)
        return (int)err->code;
    if (strchr(answer, ',') == NULL)
        return err_set(err, ERR_METER, "'%.60s' is no answer to *IDN?", answer);
    take_identity(i, answer);
    i->samples = true;
    i->integrates = true;
    i->can_source = true;
    i->can_power = true;
    i->basis = METER_VOLTAGE_MEASURED;
    s->log = is_logger(i->model);
    if (s->log)
        return scpi_log_open(s, err);
    i->rate_hz = SCPI_RATE_HZ;
    i->clock_error = 0.02; /* readings are stamped by the host */
    i->voltage_error = 0.005;
    i->ranges[0] = (struct meter_range){.gain = 0.01, .offset_a = 1e-3};
    (void)snprintf(i->warning, sizeof(i->warning),
                   "single readings over SCPI: averages only, no windows");
    return scpi_send(&s->link, "*CLS", err);
}

/* ---- settings ---- */

static int set_voltage(struct scpi *s, double volts, struct err *err)
{
    char line[64];
    double got = 0;

    (void)snprintf(line, sizeof(line), "VOLT %.4f%s", volts, s->log ? ",(@1)" : "");
    if (scpi_send(&s->link, line, err) < 0 || scpi_check(&s->link, line, err) < 0 ||
        scpi_ask_number(&s->link, s->log ? "VOLT? (@1)" : "VOLT?", &got, err) < 0)
        return (int)err->code;
    if (fabs(got - volts) > 0.01)
        return err_set(err, ERR_METER, "set to %.4f V, it says %.4f V", volts, got);
    return 0;
}

static int scpi_power(struct meter *m, bool on, struct err *err)
{
    struct scpi *s = (struct scpi *)m;
    char line[32];

    (void)snprintf(line, sizeof(line), "OUTP %s%s", on ? "ON" : "OFF", s->log ? ",(@1)" : "");
    if (scpi_send(&s->link, line, err) < 0)
        return (int)err->code;
    return scpi_check(&s->link, line, err);
}

static int ask_volts(struct scpi *s, struct err *err)
{
    return scpi_ask_number(&s->link, s->log ? "MEAS:VOLT? (@1)" : "MEAS:VOLT?", &s->volts, err);
}

static int scpi_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct scpi *s = (struct scpi *)m;

    if (setup->source &&
        (set_voltage(s, setup->voltage_uv * 1e-6, err) < 0 || scpi_power(m, true, err) < 0))
        return (int)err->code;
    if (s->log && scpi_log_configure(s, err) < 0)
        return (int)err->code;
    return ask_volts(s, err);
}

/* ---- readings ---- */

static int scpi_start(struct meter *m, struct err *err)
{
    struct scpi *s = (struct scpi *)m;

    s->index = 0;
    s->fetches = 0;
    s->charge_c = s->energy_j = 0;
    s->started_ns = clock_monotonic_ns();
    return s->log ? scpi_log_start(s, err) : 0;
}

/* One reading stands for the time since the one before it; the voltage is asked for now and then. */
static int scpi_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    struct scpi *s = (struct scpi *)m;
    double amperes = 0;
    uint64_t due;
    size_t n = 0;

    if (s->log)
        return scpi_log_read(s, timeout_ms, ret, err);
    if (s->fetches++ % SCPI_VOLTS_EACH == 0 && ask_volts(s, err) < 0)
        return (int)err->code;
    if (scpi_ask_number(&s->link, "MEAS:CURR?", &amperes, err) < 0)
        return (int)err->code;
    due = (clock_monotonic_ns() - s->started_ns) / (1000000000u / SCPI_RATE_HZ);
    for (; s->index + n < due && n < SCPI_RATE_HZ; n++) {
        s->current_a[n] = (float)amperes;
        s->voltage_v[n] = (float)s->volts;
    }
    *ret = (struct meter_block){
        .first = s->index, .count = n, .current_a = s->current_a, .voltage_v = s->voltage_v};
    s->index += n;
    s->charge_c += amperes * (double)n / SCPI_RATE_HZ;
    s->energy_j += amperes * s->volts * (double)n / SCPI_RATE_HZ;
    return 0;
}

static int scpi_stop(struct meter *m, struct err *err)
{
    struct scpi *s = (struct scpi *)m;

    return s->log ? scpi_log_stop(s, err) : 0;
}

static int scpi_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct scpi *s = (struct scpi *)m;

    if (!m->started && ask_volts(s, err) < 0)
        return (int)err->code;
    ret->voltage_uv = s->volts > 0 && s->volts < 4000 ? (uint32_t)(s->volts * 1e6) : 0;
    ret->powered = s->volts > 0.1;
    ret->seconds = (double)s->index / m->info.rate_hz;
    ret->charge_c = s->charge_c;
    ret->energy_j = s->energy_j;
    return 0;
}

static void scpi_close(struct meter *m)
{
    struct scpi *s = (struct scpi *)m;

    scpi_disconnect(&s->link);
    buf_release(&s->block[0]);
    buf_release(&s->block[1]);
}

const struct meter_ops meter_scpi = {
    .name = "scpi",
    .help = "bench supplies over TCP, USBTMC or VXI-11: averages; an N6705 logs",
    .size = sizeof(struct scpi),
    .open = scpi_open,
    .configure = scpi_configure,
    .start = scpi_start,
    .read = scpi_read,
    .stop = scpi_stop,
    .power = scpi_power,
    .state = scpi_state,
    .close = scpi_close,
};
