/*
 * Bench supplies and multimeters that speak SCPI, over TCP (port 5025) or a /dev/usbtmcN file: one
 * MEAS:CURR? after the other, a few hundred to a thousand a second, each stamped on arrival. For
 * supply voltages and slow averages; a reading is not tied to the board's marker.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/meter/meter.h"
#include "harness/transport/transport.h"

enum {
    ANSWER_MS = 3000,
    ANSWER_MAX = 1024,
    RATE_HZ = 100
};

struct scpi {
    struct meter base;
    struct transport *transport; /* TCP */
    int file;                    /* USBTMC; -1: none */
    bool source;
    uint64_t index, started_ns;
    double charge_c, energy_j, volts;
    float current_a[RATE_HZ];
};

/* ---- lines ---- */

static int send_text(struct scpi *s, const char *text, struct err *err)
{
    char line[128];
    const int n = snprintf(line, sizeof(line), "%s\n", text);

    if (s->transport != NULL)
        return transport_send(s->transport, line, (size_t)n, err);
    return write(s->file, line, (size_t)n) == n ? 0 : err_sys(err, errno, "usbtmc");
}

/* A USBTMC read is a whole message; the kernel bounds its time. */
static int receive(struct scpi *s, char *piece, size_t size, size_t *ret, struct err *err)
{
    ssize_t n;

    if (s->transport != NULL)
        return transport_recv(s->transport, piece, size, 100, ret, err);
    n = read(s->file, piece, size);
    *ret = n > 0 ? (size_t)n : 0;
    return n < 0 ? err_sys(err, errno, "usbtmc") : 0;
}

static int ask(struct scpi *s, const char *question, char answer[static ANSWER_MAX],
               struct err *err)
{
    const struct deadline end = deadline_in_ms(ANSWER_MS);
    size_t size = 0;

    if (send_text(s, question, err) < 0)
        return (int)err->code;
    while (size == 0 || answer[size - 1] != '\n') {
        size_t n = 0;

        if (deadline_passed(end))
            return err_set(err, ERR_METER, "no answer to '%s'", question);
        if (size + 1 >= ANSWER_MAX)
            return err_set(err, ERR_METER, "the answer to '%s' has no end", question);
        if (receive(s, answer + size, ANSWER_MAX - 1 - size, &n, err) < 0)
            return (int)err->code;
        size += n;
    }
    answer[size] = '\0';
    answer[strcspn(answer, "\r\n")] = '\0';
    return 0;
}

static int ask_number(struct scpi *s, const char *question, double *ret, struct err *err)
{
    char answer[ANSWER_MAX];
    char *end;

    if (ask(s, question, answer, err) < 0)
        return (int)err->code;
    *ret = strtod(answer, &end);
    if (end == answer || !isfinite(*ret) || fabs(*ret) > 1e6) /* 9.9E37 stands for no number */
        return err_set(err, ERR_METER, "'%s' is answered with '%.40s'", question, answer);
    return 0;
}

/* ---- life ---- */

static int connect_to(struct scpi *s, const char *where, struct err *err)
{
    char address[256];
    const struct transport_config config = {.where = address};

    s->file = -1;
    if (where == NULL)
        return err_set(err, ERR_CONFIG, "'where' must be host, host:port or /dev/usbtmcN");
    if (where[0] == '/') {
        s->file = open(where, O_RDWR | O_CLOEXEC);
        return s->file < 0 ? err_sys(err, errno, "%s", where) : 0;
    }
    (void)snprintf(address, sizeof(address), strchr(where, ':') != NULL ? "%s" : "%s:5025", where);
    return transport_open("tcp", &config, &s->transport, err);
}

/* "maker,model,serial,firmware" */
static void take_identity(struct meter_info *i, const char *answer)
{
    char maker[32] = "";
    char model[32] = "";

    (void)sscanf(answer, "%31[^,],%31[^,],%63[^,],%127[^\n]", maker, model, i->serial, i->firmware);
    (void)snprintf(i->model, sizeof(i->model), "%.24s %.31s", maker, model);
}

static int scpi_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct scpi *s = (struct scpi *)m;
    struct meter_info *i = &m->info;
    char answer[ANSWER_MAX];

    if (connect_to(s, config->where, err) < 0 || ask(s, "*IDN?", answer, err) < 0)
        return (int)err->code;
    if (strchr(answer, ',') == NULL)
        return err_set(err, ERR_METER, "'%.60s' is no answer to *IDN?", answer);
    take_identity(i, answer);
    i->samples = true;
    i->integrates = true;
    i->can_source = true;
    i->can_power = true;
    i->rate_hz = RATE_HZ;
    i->basis = METER_VOLTAGE_MEASURED;
    i->clock_error = 0.02; /* readings are stamped by the host */
    i->ranges[0] = (struct meter_range){.gain = 0.01, .offset_a = 1e-3};
    (void)snprintf(i->warning, sizeof(i->warning),
                   "single readings over SCPI: averages only, no windows");
    return 0;
}

static int scpi_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct scpi *s = (struct scpi *)m;
    char line[64];
    double got = 0;

    s->source = setup->source;
    if (setup->source) {
        (void)snprintf(line, sizeof(line), "VOLT %.4f", setup->voltage_uv * 1e-6);
        if (send_text(s, line, err) < 0 || ask_number(s, "VOLT?", &got, err) < 0 ||
            send_text(s, "OUTP ON", err) < 0)
            return (int)err->code;
        if (fabs(got - setup->voltage_uv * 1e-6) > 0.01)
            return err_set(err, ERR_METER, "set to %.4f V, it says %.4f V",
                           setup->voltage_uv * 1e-6, got);
    }
    return ask_number(s, "MEAS:VOLT?", &s->volts, err);
}

static int scpi_power(struct meter *m, bool on, struct err *err)
{
    return send_text((struct scpi *)m, on ? "OUTP ON" : "OUTP OFF", err);
}

static int scpi_start(struct meter *m, struct err *err)
{
    struct scpi *s = (struct scpi *)m;

    s->index = 0;
    s->charge_c = 0;
    s->started_ns = clock_monotonic_ns();
    return 0;
}

/* One reading stands for the time since the one before it. */
static int scpi_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    struct scpi *s = (struct scpi *)m;
    double amperes = 0;
    uint64_t due;
    size_t n = 0;

    if (ask_number(s, "MEAS:CURR?", &amperes, err) < 0)
        return (int)err->code;
    due = (clock_monotonic_ns() - s->started_ns) / (1000000000u / RATE_HZ);
    for (; s->index + n < due && n < RATE_HZ; n++)
        s->current_a[n] = (float)amperes;
    *ret = (struct meter_block){.first = s->index, .count = n, .current_a = s->current_a};
    s->index += n;
    s->charge_c += amperes * (double)n / RATE_HZ;
    return 0;
}

static int scpi_stop(struct meter *m, struct err *err)
{
    return 0;
}

static int scpi_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct scpi *s = (struct scpi *)m;

    if (ask_number(s, "MEAS:VOLT?", &s->volts, err) < 0)
        return (int)err->code;
    ret->voltage_uv = (uint32_t)(s->volts > 0 ? s->volts * 1e6 : 0);
    ret->powered = s->volts > 0.1;
    ret->seconds = (double)s->index / RATE_HZ;
    ret->charge_c = s->charge_c;
    ret->energy_j = s->charge_c * s->volts;
    return 0;
}

static void scpi_close(struct meter *m)
{
    struct scpi *s = (struct scpi *)m;

    transport_close(s->transport);
    fd_close(&s->file);
}

const struct meter_ops meter_scpi = {
    .name = "scpi",
    .help = "bench supplies and multimeters over TCP or USBTMC: averages",
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
