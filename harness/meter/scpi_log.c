#include "harness/meter/scpi.h"

#include <math.h>
#include <stdio.h>

#include "harness/base/clock.h"
#include "harness/meter/scpi_format.h"

enum {
    FETCH_MS = 20,    /* between two fetches: a hundred records */
    CHECK_EVERY = 50, /* fetches: its own buffer may have run over */
};

#define PERIOD_S 204.8e-6 /* two parameters, 102.4 us each */
#define NO_VALUE 9e37f    /* 9.91E37: the instrument has none */

int scpi_log_open(struct scpi *s, struct err *err)
{
    struct meter_info *i = &s->base.info;

    i->rate_hz = 1 / PERIOD_S;
    i->clock_error = 50e-6;
    i->voltage_error = 1e-3;
    /* An N6781A's 3 A range, as its data sheet has it. */
    i->ranges[0] = (struct meter_range){.gain = 0.0003, .offset_a = 250e-6};
    (void)snprintf(i->warning, sizeof(i->warning),
                   "the errors of an N6781A are assumed: those of other modules are larger");
    return scpi_send(&s->link, "*CLS", err);
}

int scpi_log_configure(struct scpi *s, struct err *err)
{
    static const char *const lines[] = {"SENS:ELOG:FUNC:CURR ON,(@1)",
                                        "SENS:ELOG:FUNC:VOLT ON,(@1)",
                                        "SENS:ELOG:PER 0.0002048,(@1)",
                                        "TRIG:ELOG:SOUR BUS,(@1)", /* until TRIG:ELOG */
                                        "FORM REAL",
                                        "FORM:BORD NORM"};

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        if (scpi_send(&s->link, lines[i], err) < 0 || scpi_check(&s->link, lines[i], err) < 0)
            return (int)err->code;
    }
    buf_clear(&s->base.calibration);
    buf_printf(&s->base.calibration, "firmware: %s\nelog_period_s: %.7f\n", s->base.info.firmware,
               PERIOD_S);
    return 0;
}

int scpi_log_start(struct scpi *s, struct err *err)
{
    buf_clear(&s->block[0]);
    buf_clear(&s->block[1]);
    s->fetched_ns = clock_monotonic_ns();
    if (scpi_send(&s->link, "INIT:ELOG (@1)", err) < 0 ||
        scpi_send(&s->link, "TRIG:ELOG (@1)", err) < 0)
        return (int)err->code;
    return scpi_check(&s->link, "INIT:ELOG", err);
}

int scpi_log_stop(struct scpi *s, struct err *err)
{
    if (scpi_send(&s->link, "ABOR:ELOG (@1)", err) < 0)
        return (int)err->code;
    return scpi_check(&s->link, "ABOR:ELOG", err);
}

static int fetch(struct scpi *s, const char *what, struct buf *block, struct err *err)
{
    char question[64];
    AUTO_BUF data = BUF_INIT;

    (void)snprintf(question, sizeof(question), "FETC:ELOG:%s? %u,(@1)", what, SCPI_RECORDS);
    if (scpi_ask_block(&s->link, question, SCPI_RECORDS * sizeof(float), &data, err) < 0)
        return (int)err->code;
    if (data.len % sizeof(float) != 0)
        return err_set(err, ERR_METER, "a log of %zu bytes is none of floats", data.len);
    if (block->len + data.len > 8 * SCPI_RECORDS * sizeof(float))
        return err_set(err, ERR_METER, "its logs of current and voltage do not go together");
    buf_append(block, data.data, data.len);
    return 0;
}

static void take_record(struct scpi *s, size_t k)
{
    const float amperes = scpi_float(buf_text(&s->block[0]), k);
    const float volts = scpi_float(buf_text(&s->block[1]), k);
    const bool lost = !(fabsf(amperes) < NO_VALUE) || !(fabsf(volts) < NO_VALUE);

    s->current_a[k] = lost ? NAN : amperes;
    s->voltage_v[k] = lost ? (float)s->volts : volts;
    s->base.counts.lost += lost;
    if (lost)
        return;
    s->charge_c += (double)amperes * PERIOD_S;
    s->energy_j += (double)amperes * (double)volts * PERIOD_S;
}

int scpi_log_read(struct scpi *s, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    const uint64_t passed_ms = (clock_monotonic_ns() - s->fetched_ns) / 1000000;
    size_t n;

    if (passed_ms < FETCH_MS)
        clock_sleep_ms((unsigned)(FETCH_MS - passed_ms) < timeout_ms
                           ? (unsigned)(FETCH_MS - passed_ms)
                           : timeout_ms);
    s->fetched_ns = clock_monotonic_ns();
    if (s->fetches++ % CHECK_EVERY == CHECK_EVERY - 1 && scpi_check(&s->link, "the log", err) < 0)
        return (int)err->code;
    if (fetch(s, "CURR", &s->block[0], err) < 0 || fetch(s, "VOLT", &s->block[1], err) < 0)
        return (int)err->code;
    n = (s->block[0].len < s->block[1].len ? s->block[0].len : s->block[1].len) / sizeof(float);
    n = n < SCPI_RECORDS ? n : SCPI_RECORDS;
    if (n == 0)
        return 0;
    for (size_t k = 0; k < n; k++)
        take_record(s, k);
    buf_consume(&s->block[0], n * sizeof(float));
    buf_consume(&s->block[1], n * sizeof(float));
    *ret = (struct meter_block){
        .first = s->index, .count = n, .current_a = s->current_a, .voltage_v = s->voltage_v};
    s->index += n;
    return 0;
}
