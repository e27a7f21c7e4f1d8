/*
 * Meters without an instrument. `null` measures nothing, for trying out everything around a meter;
 * `synthetic` makes a known waveform up, exactly, as fast as it is read: windows of 10 ms every
 * 30 ms at 8 mA on 12 uA of sleep, marker on line 0. Its true figures are in synthetic.h.
 */
#include "harness/meter/synthetic.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/meter/meter.h"

enum {
    BLOCK = 10000
};

struct synthetic {
    struct meter base;
    uint64_t index;
    double volts;
    float current_a[BLOCK];
    uint8_t logic[BLOCK];
};

static int synthetic_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct meter_info *i = &m->info;

    (void)snprintf(i->model, sizeof(i->model), "synthetic waveform");
    i->emulated = true;
    i->samples = true;
    i->integrates = true;
    i->can_source = true;
    i->markers = 1;
    i->rate_hz = SYNTHETIC_RATE_HZ;
    i->basis = METER_VOLTAGE_SETPOINT;
    buf_printf(&m->calibration, "active_a: %.17g\nsleep_a: %.17g\n", SYNTHETIC_ACTIVE_A,
               SYNTHETIC_SLEEP_A);
    return 0;
}

static int synthetic_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    ((struct synthetic *)m)->volts = setup->voltage_uv / 1e6;
    return 0;
}

static int synthetic_start(struct meter *m, struct err *err)
{
    ((struct synthetic *)m)->index = 0;
    return 0;
}

static int synthetic_stop(struct meter *m, struct err *err)
{
    return 0;
}

static int synthetic_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret,
                          struct err *err)
{
    struct synthetic *s = (struct synthetic *)m;

    *ret = (struct meter_block){
        .first = s->index, .count = BLOCK, .current_a = s->current_a, .logic = s->logic};
    for (size_t k = 0; k < BLOCK; k++, s->index++) {
        const bool active = s->index % SYNTHETIC_PERIOD >= SYNTHETIC_PERIOD - SYNTHETIC_WIDTH;

        s->current_a[k] = active ? SYNTHETIC_ACTIVE_A : SYNTHETIC_SLEEP_A;
        s->logic[k] = active;
    }
    return 0;
}

static int synthetic_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    const struct synthetic *s = (struct synthetic *)m;
    const uint64_t rest = s->index % SYNTHETIC_PERIOD;
    const uint64_t start = SYNTHETIC_PERIOD - SYNTHETIC_WIDTH;
    const uint64_t active =
        s->index / SYNTHETIC_PERIOD * SYNTHETIC_WIDTH + (rest > start ? rest - start : 0);

    ret->voltage_uv = (uint32_t)(s->volts * 1e6);
    ret->powered = true;
    ret->seconds = (double)s->index / SYNTHETIC_RATE_HZ;
    ret->charge_c =
        ((double)active * SYNTHETIC_ACTIVE_A + (double)(s->index - active) * SYNTHETIC_SLEEP_A) /
        SYNTHETIC_RATE_HZ;
    ret->energy_j = ret->charge_c * s->volts;
    return 0;
}

static void synthetic_close(struct meter *m)
{
}

const struct meter_ops meter_synthetic = {
    .name = "synthetic",
    .help = "a known waveform, for tests of everything behind a meter",
    .size = sizeof(struct synthetic),
    .open = synthetic_open,
    .configure = synthetic_configure,
    .start = synthetic_start,
    .read = synthetic_read,
    .stop = synthetic_stop,
    .state = synthetic_state,
    .close = synthetic_close,
};

/* ---- null ---- */

static int null_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    (void)snprintf(m->info.model, sizeof(m->info.model), "no meter");
    m->info.emulated = true;
    return 0;
}

static int null_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    return 0;
}

static int null_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    clock_sleep_ms(timeout_ms);
    return 0;
}

static int null_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    ret->powered = true;
    return 0;
}

const struct meter_ops meter_null = {
    .name = "null",
    .help = "measures nothing",
    .size = sizeof(struct meter),
    .open = null_open,
    .configure = null_configure,
    .start = synthetic_stop,
    .read = null_read,
    .stop = synthetic_stop,
    .state = null_state,
    .close = synthetic_close,
};
