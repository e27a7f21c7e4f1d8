#include "harness/meter/meter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/log.h"
#include "harness/base/text.h"

const char *meter_voltage_basis_name(enum meter_voltage_basis basis)
{
    switch (basis) {
    case METER_VOLTAGE_UNKNOWN:
        return "unknown";
    case METER_VOLTAGE_SETPOINT:
        return "setpoint";
    case METER_VOLTAGE_USER:
        return "user";
    case METER_VOLTAGE_MEASURED:
        return "measured";
    }
    return "?";
}

const struct meter_ops *meter_driver_find(const char *name)
{
    for (size_t i = 0; meter_drivers[i] != NULL; i++) {
        if (strcmp(meter_drivers[i]->name, name) == 0)
            return meter_drivers[i];
    }
    return NULL;
}

static int no_driver(const char *name, struct err *err)
{
    const char *names[32] = {NULL};
    const char *near;

    for (const struct meter_absent *a = meter_absent; a->name != NULL; a++) {
        if (strcmp(a->name, name) == 0)
            return err_set(err, ERR_UNSUPPORTED,
                           "this tinyrig was built without %s, which meter driver '%s' needs",
                           a->library, name);
    }
    for (size_t i = 0; meter_drivers[i] != NULL && i + 1 < ARRAY_SIZE(names); i++)
        names[i] = meter_drivers[i]->name;
    near = text_nearest(name, names);
    (void)err_set(err, ERR_CONFIG, "there is no meter driver '%s'", name);
    return near != NULL ? err_hint(err, "did you mean '%s'?", near) : (int)err->code;
}

int meter_open(const char *driver, const struct meter_config *config, struct meter **ret,
               struct err *err)
{
    const struct meter_ops *ops = meter_driver_find(driver);
    AUTO(meter_close_auto) struct meter *m = NULL;

    if (ops == NULL)
        return no_driver(driver, err);
    m = calloc(1, ops->size);
    if (m == NULL)
        abort();
    m->ops = ops;
    m->calibration.limit = 64 * 1024;
    m->info.clock_error = 100e-6;
    if (ops->open(m, config, err) < 0)
        return err_in(err, "meter %s %s", driver, config->where != NULL ? config->where : "");
    log_line(LOG_METER, "%s: %s, serial '%s', firmware '%s'%s", driver, m->info.model,
             m->info.serial, m->info.firmware, m->info.emulated ? ", emulated" : "");
    *ret = MOVE(m);
    return 0;
}

static int check_voltage(const struct meter *m, const struct meter_setup *s, struct err *err)
{
    const struct meter_info *i = &m->info;

    if (s->source && !i->can_source)
        return err_set(err, ERR_CONFIG, "a %s cannot supply a board (mode: source)", i->model);
    if (i->max_uv != 0 && s->voltage_uv != 0 &&
        (s->voltage_uv < i->min_uv || s->voltage_uv > i->max_uv))
        return err_set(err, ERR_CONFIG, "%.3f V is outside the %.3f to %.3f V of a %s",
                       s->voltage_uv / 1e6, i->min_uv / 1e6, i->max_uv / 1e6, i->model);
    return 0;
}

static bool is_set_to(const struct meter *m, const struct meter_setup *s)
{
    return m->configured && m->setup.source == s->source && m->setup.voltage_uv == s->voltage_uv &&
           !(fabs(m->setup.rate_hz - s->rate_hz) > 0);
}

int meter_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    if (is_set_to(m, setup))
        return 0;
    m->configured = false;
    if (check_voltage(m, setup, err) < 0 || m->ops->configure(m, setup, err) < 0)
        return err_in(err, "meter %s", m->ops->name);
    if (setup->rate_hz != 0 && fabs(m->info.rate_hz / setup->rate_hz - 1) > 0.01)
        return err_set(err, ERR_CONFIG, "a %s takes %g samples a second, not %g", m->info.model,
                       m->info.rate_hz, setup->rate_hz);
    m->setup = *setup;
    m->configured = true;
    return 0;
}

int meter_start(struct meter *m, struct err *err)
{
    m->counts = (struct meter_counts){0};
    if (m->ops->start(m, err) < 0)
        return err_in(err, "meter %s", m->ops->name);
    m->started = true;
    return 0;
}

int meter_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    int r;

    *ret = (struct meter_block){0};
    r = m->ops->read(m, timeout_ms, ret, err);
    if (r < 0)
        return err_in(err, "meter %s", m->ops->name);
    m->counts.samples += ret->count;
    return r;
}

int meter_stop(struct meter *m, struct err *err)
{
    if (!m->started)
        return 0;
    m->started = false;
    return m->ops->stop(m, err) < 0 ? err_in(err, "meter %s", m->ops->name) : 0;
}

int meter_power(struct meter *m, bool on, struct err *err)
{
    if (m->ops->power == NULL)
        return err_set(err, ERR_UNSUPPORTED, "a %s has no power switch", m->info.model);
    return m->ops->power(m, on, err) < 0 ? err_in(err, "meter %s", m->ops->name) : 0;
}

int meter_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    *ret = (struct meter_state){.temperature_c = NAN};
    return m->ops->state(m, ret, err) < 0 ? err_in(err, "meter %s", m->ops->name) : 0;
}

void meter_close(struct meter *m)
{
    struct err ignored = ERR_INIT;

    if (m == NULL)
        return;
    (void)!meter_stop(m, &ignored);
    m->ops->close(m);
    buf_release(&m->calibration);
    free(m);
}
