/*
 * INA219/226 and other current sensors through libiio: on this machine (local:), on another one that
 * runs iiod (ip:HOST) or behind USB (usb:). The current is the shunt's voltage over the shunt's
 * resistance, never the driver's own "current" of whole milliamperes.
 *
 * `where` is URI or URI#DEVICE. Buffered samples come with the sensor's time stamps: the rate is
 * measured from them, and a step in them is a loss. There are no marker lines.
 */
#include <errno.h>
#include <iio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/log.h"
#include "harness/meter/meter.h"

enum {
    TIMEOUT_MS = 2000,
    BLOCK = 4096,
    PROBE_SAMPLES = 64, /* that the rate is measured from */
    RATE_MAX_HZ = 100000,
};

struct channel {
    struct iio_channel *channel; /* NULL: it has none */
    double scale;                /* a code, in mV or mA */
    double offset;               /* codes */
    bool sign16;                 /* the driver says unsigned, the chip means signed */
};

struct iio_meter {
    struct meter base;
    struct iio_context *context;
    struct iio_device *device;
    struct iio_buffer *buffer;
    struct channel shunt, bus, current;
    struct iio_channel *stamp;
    double shunt_ohm;
    double volts;
    uint64_t index;
    int64_t last_ns;
    size_t have, at;  /* samples in the buffer, and the next of them to be delivered */
    bool stamped;     /* its stamp was looked at */
    uint64_t pending; /* lost samples that are still to be delivered before it */
    double charge_c, energy_j;
    float current_a[BLOCK];
    float voltage_v[BLOCK];
};

/* ---- finding it ---- */

static int say(struct err *err, int negative_errno, const char *what)
{
    return err_set(err, ERR_METER, "%s: %s", what, strerror(-negative_errno));
}

static bool is_sensor(const struct iio_device *d)
{
    const char *name = iio_device_get_name(d);

    return name != NULL && strncmp(name, "ina", 3) == 0;
}

/* The device that was named, or the only sensor. */
static int find_device(struct iio_meter *p, const char *wanted, struct err *err)
{
    const unsigned n = iio_context_get_devices_count(p->context);
    unsigned sensors = 0;

    if (wanted != NULL) {
        p->device = iio_context_find_device(p->context, wanted);
        return p->device != NULL
                   ? 0
                   : err_set(err, ERR_METER, "there is no device '%s' (of %u)", wanted, n);
    }
    for (unsigned i = 0; i < n; i++) {
        struct iio_device *d = iio_context_get_device(p->context, i);

        if (!is_sensor(d))
            continue;
        sensors++;
        p->device = d;
    }
    if (sensors == 1)
        return 0;
    (void)err_set(err, ERR_METER, "%u of its %u devices are current sensors", sensors, n);
    return err_hint(err, "name one: where: URI#DEVICE");
}

static int connect_to(struct iio_meter *p, const char *where, struct err *err)
{
    char uri[256];
    const char *device = where != NULL ? strchr(where, '#') : NULL;
    const size_t length =
        device != NULL ? (size_t)(device - where) : strlen(where != NULL ? where : "");

    if (where == NULL || length == 0 || length >= sizeof(uri))
        return err_set(err, ERR_CONFIG, "'where' must be a URI such as ip:HOST or local:#ina226");
    (void)snprintf(uri, sizeof(uri), "%.*s", (int)length, where);
    p->context = iio_create_context_from_uri(uri);
    if (p->context == NULL)
        return err_set(err, ERR_METER, "no IIO context at '%s': %s", uri, strerror(errno));
    (void)iio_context_set_timeout(p->context, TIMEOUT_MS);
    return find_device(p, device != NULL ? device + 1 : NULL, err);
}

/* ---- what it measures ---- */

/* Attributes are text from a machine that may be anything. */
static int read_positive(const struct iio_meter *p, const struct iio_channel *c, const char *name,
                         double *ret, struct err *err)
{
    const int r = c != NULL ? iio_channel_attr_read_double(c, name, ret)
                            : iio_device_attr_read_double(p->device, name, ret);

    if (r < 0)
        return say(err, r, name);
    if (!(*ret > 0) || !isfinite(*ret))
        return err_set(err, ERR_METER, "%s: %g makes no sense", name, *ret);
    return 0;
}

/* So are formats, and libiio writes length times repeat bytes to where a code is wanted. */
static int check_format(const struct iio_channel *c, struct err *err)
{
    const struct iio_data_format *f = iio_channel_get_data_format(c);
    const bool whole = f->length == 8 || f->length == 16 || f->length == 32 || f->length == 64;

    if (whole && f->repeat <= 1 && f->bits > 0 && f->bits <= f->length &&
        f->shift <= f->length - f->bits)
        return 0;
    return err_set(err, ERR_METER, "channel %.40s: codes of %u bits in %u x %u make no sense",
                   iio_channel_get_id(c), f->bits, f->repeat, f->length);
}

static int find_channel(struct iio_meter *p, const char *name, struct channel *ret, struct err *err)
{
    ret->channel = iio_device_find_channel(p->device, name, false);
    ret->offset = 0;
    if (ret->channel == NULL)
        return 0;
    ret->sign16 = is_sensor(p->device);
    (void)iio_channel_attr_read_double(ret->channel, "offset", &ret->offset);
    if (!isfinite(ret->offset))
        ret->offset = 0;
    if (check_format(ret->channel, err) < 0)
        return (int)err->code;
    return read_positive(p, ret->channel, "scale", &ret->scale, err);
}

static int find_channels(struct iio_meter *p, struct err *err)
{
    const bool sensor = is_sensor(p->device);

    if (sensor && (find_channel(p, "voltage0", &p->shunt, err) < 0 ||
                   find_channel(p, "voltage1", &p->bus, err) < 0 ||
                   read_positive(p, NULL, "in_shunt_resistor", &p->shunt_ohm, err) < 0))
        return (int)err->code;
    if (!sensor && (find_channel(p, "current0", &p->current, err) < 0 ||
                    find_channel(p, "voltage0", &p->bus, err) < 0))
        return (int)err->code;
    if (p->shunt.channel == NULL && p->current.channel == NULL)
        return err_set(err, ERR_METER, "%s measures no current",
                       iio_device_get_name(p->device) != NULL ? iio_device_get_name(p->device)
                                                              : iio_device_get_id(p->device));
    p->stamp = iio_device_find_channel(p->device, "timestamp", false);
    if (p->stamp == NULL)
        return err_set(err, ERR_METER, "its samples carry no time stamps");
    return check_format(p->stamp, err);
}

static int sensor_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct iio_meter *p = (struct iio_meter *)m;
    struct meter_info *i = &m->info;
    const char *name;
    double offset_v;

    if (connect_to(p, config->where, err) < 0 || find_channels(p, err) < 0)
        return (int)err->code;
    name = iio_device_get_name(p->device);
    (void)snprintf(i->model, sizeof(i->model), "iio %.40s",
                   name != NULL ? name : iio_device_get_id(p->device));
    (void)snprintf(i->firmware, sizeof(i->firmware), "%.100s",
                   iio_context_get_description(p->context));
    i->samples = true;
    i->integrates = true;
    i->rate_hz = 1; /* until it was measured */
    i->basis = p->bus.channel != NULL ? METER_VOLTAGE_MEASURED : METER_VOLTAGE_USER;
    i->voltage_error = p->bus.channel != NULL ? 0.01 : 0.02;
    i->clock_error = 2e-3; /* stamps are made by software */
    /* An INA226 has 10 uV of offset, an INA219 100 uV; shunts come with 1 %. */
    offset_v = name != NULL && strcmp(name, "ina219") == 0 ? 100e-6 : 10e-6;
    i->ranges[0] = (struct meter_range){
        .gain = 0.01, .offset_a = p->shunt.channel != NULL ? offset_v / p->shunt_ohm : 1e-3};
    return 0;
}

/* ---- samples ---- */

static int open_buffer(struct iio_meter *p, size_t samples, struct err *err)
{
    struct iio_channel *wanted[] = {p->shunt.channel, p->bus.channel, p->current.channel, p->stamp};

    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (wanted[i] != NULL)
            iio_channel_enable(wanted[i]);
    }
    p->buffer = iio_device_create_buffer(p->device, samples, false);
    return p->buffer != NULL ? 0 : say(err, -errno, "no buffer of samples");
}

static void close_buffer(struct iio_meter *p)
{
    if (p->buffer != NULL)
        iio_buffer_destroy(p->buffer);
    p->buffer = NULL;
}

/* One code of one sample. */
static double code_of(const struct iio_meter *p, const struct channel *c, size_t k)
{
    const struct iio_data_format *f = iio_channel_get_data_format(c->channel);
    const char *at = (const char *)iio_buffer_first(p->buffer, c->channel) +
                     (ptrdiff_t)k * iio_buffer_step(p->buffer);
    int64_t value = 0;

    iio_channel_convert(c->channel, &value, at);
    if ((f->is_signed || c->sign16) && f->bits < 64 && (value >> (f->bits - 1) & 1) != 0)
        value |= (int64_t)(UINT64_MAX << f->bits);
    return ((double)value + c->offset) * c->scale;
}

static double amperes_of(const struct iio_meter *p, size_t k)
{
    return p->shunt.channel != NULL ? code_of(p, &p->shunt, k) * 1e-3 / p->shunt_ohm
                                    : code_of(p, &p->current, k) * 1e-3;
}

static int64_t stamp_of(const struct iio_meter *p, size_t k)
{
    int64_t ns = 0;

    iio_channel_convert(p->stamp, &ns,
                        (const char *)iio_buffer_first(p->buffer, p->stamp) +
                            (ptrdiff_t)k * iio_buffer_step(p->buffer));
    return ns;
}

/* Stamps may be any numbers. */
static int64_t elapsed_ns(int64_t from, int64_t to)
{
    return (int64_t)((uint64_t)to - (uint64_t)from);
}

/* Fill the buffer; *ret is how many samples are whole. */
static int refill(struct iio_meter *p, size_t *ret, struct err *err)
{
    const ssize_t bytes = iio_buffer_refill(p->buffer);
    ptrdiff_t step;

    if (bytes < 0)
        return say(err, (int)bytes, "the sensor sends no samples");
    step = iio_buffer_step(p->buffer);
    if (step < (ptrdiff_t)sizeof(int64_t))
        return err_set(err, ERR_METER, "samples of %td bytes make no sense", step);
    *ret = (size_t)((const char *)iio_buffer_end(p->buffer) -
                    (const char *)iio_buffer_start(p->buffer)) /
           (size_t)step;
    return 0;
}

/* The chip's clock is not what its file says: by the stamps of some samples. */
static int measure_rate(struct iio_meter *p, struct err *err)
{
    size_t n = 0;
    int64_t span = 0;
    double rate;

    if (open_buffer(p, PROBE_SAMPLES, err) < 0 || refill(p, &n, err) < 0)
        return (int)err->code;
    if (n >= 2)
        span = elapsed_ns(stamp_of(p, 0), stamp_of(p, n - 1));
    close_buffer(p);
    rate = span > 0 ? (double)(n - 1) * 1e9 / (double)span : 0;
    if (!(rate >= 1) || rate > RATE_MAX_HZ)
        return err_set(err, ERR_METER, "its time stamps do not go on (%zu samples in %lld ns)", n,
                       (long long)span);
    p->base.info.rate_hz = rate;
    return 0;
}

static int sensor_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct iio_meter *p = (struct iio_meter *)m;

    p->volts = setup->voltage_uv * 1e-6;
    /* Wait for conversions, rather than read one several times; not every driver has it. */
    (void)iio_device_attr_write(p->device, "in_allow_async_readout", "0");
    if (measure_rate(p, err) < 0)
        return (int)err->code;
    buf_clear(&m->calibration);
    buf_printf(&m->calibration, "shunt_ohm: %.9g\nshunt_scale: %.9g\nbus_scale: %.9g\nrate: %.9g\n",
               p->shunt_ohm, p->shunt.scale, p->bus.scale, m->info.rate_hz);
    return 0;
}

static int sensor_start(struct meter *m, struct err *err)
{
    struct iio_meter *p = (struct iio_meter *)m;
    const size_t fifty_ms = (size_t)(m->info.rate_hz / 20);

    p->index = 0;
    p->last_ns = 0;
    p->pending = 0;
    p->have = p->at = 0;
    p->stamped = false;
    p->charge_c = p->energy_j = 0;
    if (fifty_ms < 1)
        return open_buffer(p, 1, err);
    return open_buffer(p, fifty_ms < BLOCK / 2 ? fifty_ms : BLOCK / 2, err);
}

/* How many samples are missing in front of one with this stamp. */
static int take_gap(struct iio_meter *p, int64_t ns, struct err *err)
{
    const double steps = (double)elapsed_ns(p->last_ns, ns) * 1e-9 * p->base.info.rate_hz;

    if (p->last_ns != 0 && steps <= 0)
        return err_set(err, ERR_METER, "its time stamps go back");
    if (p->last_ns != 0 && steps > METER_GAP_MAX)
        return err_set(err, ERR_METER, "%.0f samples lost in one piece", steps);
    if (p->last_ns != 0 && steps > 1.75) {
        const uint64_t missing = (uint64_t)(steps - 0.5);

        p->pending += missing;
        p->base.counts.lost += missing;
        p->base.counts.gaps++;
    }
    p->last_ns = ns;
    return 0;
}

static void put(struct iio_meter *p, size_t *count, float amperes, float volts)
{
    const double dt = 1 / p->base.info.rate_hz;

    p->current_a[*count] = amperes;
    p->voltage_v[(*count)++] = volts;
    p->index++;
    if (!isnan(amperes)) {
        p->charge_c += (double)amperes * dt;
        p->energy_j += (double)amperes * (double)volts * dt;
    }
}

static int sensor_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret,
                       struct err *err)
{
    struct iio_meter *p = (struct iio_meter *)m;
    const uint64_t first = p->index;
    size_t count = 0;

    if (p->at == p->have) {
        p->at = 0;
        p->have = 0;
        if (refill(p, &p->have, err) < 0)
            return (int)err->code;
    }
    while (p->at < p->have && count < BLOCK) {
        if (!p->stamped && take_gap(p, stamp_of(p, p->at), err) < 0)
            return (int)err->code;
        p->stamped = true;
        if (p->pending > 0) {
            p->pending--;
            put(p, &count, NAN, (float)p->volts);
            continue;
        }
        if (p->bus.channel != NULL)
            p->volts = code_of(p, &p->bus, p->at) * 1e-3;
        put(p, &count, (float)amperes_of(p, p->at), (float)p->volts);
        p->at++;
        p->stamped = false;
    }
    *ret = (struct meter_block){.first = first,
                                .count = count,
                                .current_a = p->current_a,
                                .voltage_v = p->bus.channel != NULL ? p->voltage_v : NULL};
    return 0;
}

static int sensor_stop(struct meter *m, struct err *err)
{
    close_buffer((struct iio_meter *)m);
    return 0;
}

static int sensor_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct iio_meter *p = (struct iio_meter *)m;
    double raw = 0;
    const int r = p->bus.channel != NULL && p->buffer == NULL
                      ? iio_channel_attr_read_double(p->bus.channel, "raw", &raw)
                      : 0;

    if (r < 0)
        return say(err, r, "bus voltage");
    if (p->bus.channel != NULL && p->buffer == NULL)
        p->volts = (raw + p->bus.offset) * p->bus.scale * 1e-3;
    ret->voltage_uv = p->volts > 0 && p->volts < 4000 ? (uint32_t)(p->volts * 1e6) : 0;
    ret->powered = p->volts > 0.1;
    ret->seconds = (double)p->index / m->info.rate_hz;
    ret->charge_c = p->charge_c;
    ret->energy_j = p->energy_j;
    return 0;
}

static void sensor_close(struct meter *m)
{
    struct iio_meter *p = (struct iio_meter *)m;

    close_buffer(p);
    if (p->context != NULL)
        iio_context_destroy(p->context);
}

const struct meter_ops meter_iio = {
    .name = "iio",
    .help = "INA219/226 and friends by libiio, local or over the network",
    .size = sizeof(struct iio_meter),
    .open = sensor_open,
    .configure = sensor_configure,
    .start = sensor_start,
    .read = sensor_read,
    .stop = sensor_stop,
    .state = sensor_state,
    .close = sensor_close,
};
