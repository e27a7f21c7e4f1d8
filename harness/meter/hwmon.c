/*
 * INA2xx through the kernel's hwmon: whole milliamperes at a few hundred readings a second. Good for
 * loads of tens of mA and for supply voltages, useless for sleep currents; results carry a warning.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/meter/meter.h"

enum {
    READ_MAX = 64,
    BLOCK = 512,
    PATH_SIZE = 512
};

struct hwmon {
    struct meter base;
    char folder[PATH_SIZE];
    int current, voltage, energy; /* descriptors; -1: the chip has none */
    unsigned interval_ms;
    uint64_t index, started_ns, next_ns;
    double energy_start_uj, charge_c, energy_j;
    float volts;
    float current_a[BLOCK];
    float voltage_v[BLOCK];
};

/* An integer file of sysfs, read anew each time. */
static int read_number(int fd, const char *what, double *ret, struct err *err)
{
    char text[READ_MAX];
    char *end;
    const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    if (n < 0)
        return err_sys(err, errno, "%s", what);
    text[n] = '\0';
    *ret = strtod(text, &end);
    if (end == text)
        return err_set(err, ERR_METER, "%s: '%.20s' is no number", what, text);
    return 0;
}

static int open_file(const struct hwmon *h, const char *name)
{
    char path[PATH_SIZE + 32];

    (void)snprintf(path, sizeof(path), "%s/%s", h->folder, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* `where` is a folder, or the chip's name: the only one of that name is taken. */
static int find_chip(struct hwmon *h, const struct meter_config *c, struct err *err)
{
    const char *root = c->sysfs != NULL ? c->sysfs : "/sys/class/hwmon";
    char pattern[PATH_SIZE];
    glob_t found;
    unsigned matches = 0;

    if (c->where == NULL)
        return err_set(err, ERR_CONFIG, "'where' must name the chip (ina226) or its folder");
    if (c->where[0] == '/') {
        (void)snprintf(h->folder, sizeof(h->folder), "%s", c->where);
        return 0;
    }
    (void)snprintf(pattern, sizeof(pattern), "%s/hwmon*/name", root);
    if (glob(pattern, 0, NULL, &found) != 0)
        return err_set(err, ERR_METER, "%s: there are no sensors", root);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        AUTO_BUF name = BUF_INIT;
        struct err ignored = ERR_INIT;

        if (file_read(found.gl_pathv[i], READ_MAX, &name, &ignored) < 0 ||
            strncmp(buf_text(&name), c->where, strlen(c->where)) != 0)
            continue;
        matches++;
        (void)snprintf(h->folder, sizeof(h->folder), "%.*s",
                       (int)(strlen(found.gl_pathv[i]) - strlen("/name")), found.gl_pathv[i]);
    }
    globfree(&found);
    if (matches != 1)
        return err_set(err, ERR_METER, "%u sensors are called '%s'", matches, c->where);
    return 0;
}

static int hwmon_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct hwmon *h = (struct hwmon *)m;
    struct meter_info *i = &m->info;
    AUTO(fd_close) int interval = -1;
    double ms = 0;

    h->current = h->voltage = h->energy = -1;
    if (find_chip(h, config, err) < 0)
        return (int)err->code;
    h->current = open_file(h, "curr1_input");
    if (h->current < 0)
        return err_sys(err, errno, "%s/curr1_input", h->folder);
    h->voltage = open_file(h, "in1_input");
    h->energy = open_file(h, "energy1_input");
    interval = open_file(h, "update_interval");
    if (interval >= 0 && read_number(interval, "update_interval", &ms, err) < 0)
        return (int)err->code;
    h->interval_ms = ms >= 1 && ms <= 10000 ? (unsigned)ms : 2;
    (void)snprintf(i->model, sizeof(i->model), "hwmon %.40s",
                   config->where[0] == '/' ? "sensor" : config->where);
    (void)snprintf(i->warning, sizeof(i->warning),
                   "hwmon tells whole milliamperes: nothing below about 20 mA is a measurement");
    i->samples = true;
    i->integrates = true;
    i->rate_hz = 1000.0 / h->interval_ms;
    i->basis = h->voltage >= 0 ? METER_VOLTAGE_MEASURED : METER_VOLTAGE_USER;
    i->ranges[0] = (struct meter_range){.gain = 0.01, .offset_a = 1e-3};
    i->voltage_error = h->voltage >= 0 ? 0.01 : 0.02;
    i->clock_error = 0.01;
    return 0;
}

static int hwmon_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct hwmon *h = (struct hwmon *)m;
    AUTO(fd_close) int shunt = open_file(h, "shunt_resistor");
    double ohm_u = 0;

    h->volts = (float)(setup->voltage_uv * 1e-6);
    buf_clear(&m->calibration);
    if (shunt >= 0 && read_number(shunt, "shunt_resistor", &ohm_u, err) < 0)
        return (int)err->code;
    buf_printf(&m->calibration, "shunt_uohm: %g\nupdate_interval_ms: %u\n", ohm_u, h->interval_ms);
    return 0;
}

static int hwmon_start(struct meter *m, struct err *err)
{
    struct hwmon *h = (struct hwmon *)m;

    h->index = 0;
    h->charge_c = 0;
    h->energy_j = 0;
    h->started_ns = clock_monotonic_ns();
    h->next_ns = h->started_ns;
    if (h->energy >= 0)
        return read_number(h->energy, "energy1_input", &h->energy_start_uj, err);
    return 0;
}

/* Readings that were due before now and that nobody took, as lost; then what the chip says now. */
static void put_readings(struct hwmon *h, double ma, struct meter_block *ret)
{
    const uint64_t interval_ns = h->interval_ms * (uint64_t)1000000;
    const uint64_t now = clock_monotonic_ns();
    const uint64_t missed = now > h->next_ns ? (now - h->next_ns) / interval_ns : 0;
    const size_t lost = missed < BLOCK ? (size_t)missed : BLOCK - 1;

    for (size_t k = 0; k <= lost; k++) {
        h->current_a[k] = k < lost ? NAN : (float)(ma * 1e-3);
        h->voltage_v[k] = h->volts;
    }
    h->base.counts.lost += lost;
    h->base.counts.gaps += lost > 0;
    h->next_ns += (lost + 1) * interval_ns;
    h->charge_c += ma * 1e-3 * h->interval_ms * 1e-3;
    h->energy_j += ma * 1e-3 * (double)h->volts * h->interval_ms * 1e-3;
    *ret = (struct meter_block){.first = h->index,
                                .count = lost + 1,
                                .current_a = h->current_a,
                                .voltage_v = h->voltage >= 0 ? h->voltage_v : NULL};
    h->index += lost + 1;
}

/* One reading per update. */
static int hwmon_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret,
                      struct err *err)
{
    struct hwmon *h = (struct hwmon *)m;
    const uint64_t now = clock_monotonic_ns();
    double ma = 0;
    double mv = 0;

    if (h->next_ns > now + timeout_ms * (uint64_t)1000000) {
        clock_sleep_ms(timeout_ms);
        return 0;
    }
    if (h->next_ns > now)
        clock_sleep_ms((unsigned)((h->next_ns - now) / 1000000 + 1));
    if (read_number(h->current, "curr1_input", &ma, err) < 0)
        return (int)err->code;
    if (h->voltage >= 0) {
        if (read_number(h->voltage, "in1_input", &mv, err) < 0)
            return (int)err->code;
        h->volts = (float)(mv * 1e-3);
    }
    put_readings(h, ma, ret);
    return 0;
}

static int hwmon_stop(struct meter *m, struct err *err)
{
    return 0;
}

static int hwmon_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct hwmon *h = (struct hwmon *)m;
    double uj = 0;

    ret->powered = true;
    ret->voltage_uv = (uint32_t)((double)h->volts * 1e6);
    ret->seconds = (double)(clock_monotonic_ns() - h->started_ns) * 1e-9;
    ret->charge_c = h->charge_c;
    ret->energy_j = h->energy_j;
    if (h->energy >= 0 && h->started_ns != 0) { /* the chip's own accumulator is the better one */
        if (read_number(h->energy, "energy1_input", &uj, err) < 0)
            return (int)err->code;
        ret->energy_j = (uj - h->energy_start_uj) * 1e-6;
    }
    return 0;
}

static void hwmon_close(struct meter *m)
{
    struct hwmon *h = (struct hwmon *)m;

    fd_close(&h->current);
    fd_close(&h->voltage);
    fd_close(&h->energy);
}

const struct meter_ops meter_hwmon = {
    .name = "hwmon",
    .help = "INA2xx by the kernel's hwmon: milliamperes, slow",
    .size = sizeof(struct hwmon),
    .open = hwmon_open,
    .configure = hwmon_configure,
    .start = hwmon_start,
    .read = hwmon_read,
    .stop = hwmon_stop,
    .state = hwmon_state,
    .close = hwmon_close,
};
