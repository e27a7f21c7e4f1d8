/*
 * A recorded trace in place of a meter, for instruments that we do not drive: what it holds is
 * delivered as fast as it is read. Uneven recordings cannot be sampled, but integrated.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/meter/meter.h"
#include "harness/meter/recording.h"

enum {
    BLOCK = 10000
};

struct replay {
    struct meter base;
    struct recording recording;
    double volts;
    size_t at;
    float current_a[BLOCK];
};

static int replay_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct replay *p = (struct replay *)m;
    struct meter_info *i = &m->info;

    if (config->where == NULL)
        return err_set(err, ERR_CONFIG, "'where' must name the recording");
    if (recording_load(config->where, &p->recording, err) < 0)
        return (int)err->code;
    (void)snprintf(i->model, sizeof(i->model), "recording (%s)", p->recording.format);
    (void)snprintf(i->warning, sizeof(i->warning), "%s", p->recording.warning);
    i->samples = p->recording.even;
    i->integrates = true;
    i->markers = p->recording.logic != NULL ? 0xff : 0;
    i->rate_hz = p->recording.rate_hz;
    i->basis = p->recording.voltage_v != NULL ? METER_VOLTAGE_MEASURED : METER_VOLTAGE_USER;
    i->voltage_error = p->recording.voltage_v != NULL ? 0 : 0.02;
    /* A PPK2's, the largest of its ranges; other instruments do not say what they are. */
    if (strcmp(p->recording.format, "ppk2") == 0)
        i->ranges[0] = (struct meter_range){.gain = 0.15, .offset_a = 0.2e-6};
    else
        (void)snprintf(
            i->warning, sizeof(i->warning),
            "what was recorded with is not known: its errors are not in the uncertainty");
    return 0;
}

static int replay_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    ((struct replay *)m)->volts = setup->voltage_uv / 1e6;
    return 0;
}

static int replay_start(struct meter *m, struct err *err)
{
    struct replay *p = (struct replay *)m;

    if (!p->recording.even)
        return err_set(err, ERR_METER, "the recording's steps differ: it can only be integrated");
    p->at = 0;
    return 0;
}

/* Energies become the current that they stand for. */
static const float *current(struct replay *p, size_t n)
{
    const struct recording *r = &p->recording;

    if (r->current_a != NULL)
        return r->current_a + p->at;
    for (size_t i = 0; i < n; i++) {
        const size_t k = p->at + i;
        const double volts = r->voltage_v != NULL ? (double)r->voltage_v[k] : p->volts;

        p->current_a[i] = volts > 0 ? (float)((double)r->energy_j[k] * r->rate_hz / volts) : NAN;
    }
    return p->current_a;
}

static int replay_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret,
                       struct err *err)
{
    struct replay *p = (struct replay *)m;
    const struct recording *r = &p->recording;
    const size_t left = r->count - p->at;
    const size_t n = left < BLOCK ? left : BLOCK;

    *ret = (struct meter_block){.first = p->at,
                                .count = n,
                                .current_a = current(p, n),
                                .voltage_v = r->voltage_v != NULL ? r->voltage_v + p->at : NULL,
                                .logic = r->logic != NULL ? r->logic + p->at : NULL};
    for (size_t i = 0; i < n; i++)
        m->counts.lost += isnan(ret->current_a[i]);
    p->at += n;
    return p->at == r->count;
}

static int replay_stop(struct meter *m, struct err *err)
{
    return 0;
}

/* An integrator over all of it. */
static int replay_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    const struct replay *p = (struct replay *)m;
    const struct recording *r = &p->recording;

    ret->powered = true;
    ret->voltage_uv = (uint32_t)(p->volts * 1e6);
    ret->seconds = r->even ? (double)r->count / r->rate_hz : r->time_s[r->count - 1];
    ret->charge_c = recording_charge_c(r, 0, ret->seconds);
    ret->energy_j = recording_energy_j(r, p->volts, 0, ret->seconds);
    return 0;
}

static void replay_close(struct meter *m)
{
    recording_release(&((struct replay *)m)->recording);
}

#define REPLAY_OPS                                                                                 \
    .size = sizeof(struct replay), .open = replay_open, .configure = replay_configure,             \
    .start = replay_start, .read = replay_read, .stop = replay_stop, .state = replay_state,        \
    .close = replay_close

const struct meter_ops meter_replay = {
    .name = "replay",
    .help = "a recording: .ppk2, EEMBC energy trace or CSV",
    REPLAY_OPS,
};

const struct meter_ops meter_csv = {
    .name = "csv",
    .help = "a recording as CSV: time, current, maybe voltage and lines",
    REPLAY_OPS,
};
