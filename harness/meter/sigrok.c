/*
 * Whatever sigrok knows (bench supplies, multimeters, scopes over a shunt): sigrok-cli runs as a
 * process of its own, because libsigrok is GPL, and its `analog` text is read from a pipe.
 *
 * `where` is DRIVER[:OPTIONS][@RATE]#CURRENT[/OHMS][,VOLTAGE], as in "scpi-pps:conn=...#I1,V1" or
 * "rigol-ds@10k#CH1/10". With a rate, samples follow each other at it; without one a reading stands
 * for the time since the one before it. There are no marker lines.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/meter/meter.h"
#include "harness/meter/sigrok_format.h"

enum {
    BLOCK = 16384,
    LINE_BYTES = 256,
    READING_HZ = 100, /* without a rate: readings are repeated at this */
    PROBE_MS = 8000,
    STALE_MS = 3000,     /* a reading is not repeated for longer */
    QUEUE_MAX = 1 << 20, /* values of one channel that the other has not reached */
};

struct queue {
    float *values;
    size_t count, capacity;
};

struct sigrok {
    struct meter base;
    struct sigrok_where where;
    struct proc proc;
    char line[LINE_BYTES];
    size_t line_size;
    struct queue current, voltage;
    float last_a, last_v;
    uint64_t index, started_ns, heard_ns;
    double volts, charge_c, energy_j;
    float current_a[BLOCK];
    float voltage_v[BLOCK];
};

/* ---- the process ---- */

static int launch(struct sigrok *p, struct err *err)
{
    char channels[80];
    char rate[40];
    const char *argv[16] = {"sigrok-cli", "-d", p->where.driver, "-C",
                            channels,     "-O", "analog",        "--continuous"};

    (void)snprintf(channels, sizeof(channels), "%s%s%s", p->where.current,
                   p->where.voltage[0] != '\0' ? "," : "", p->where.voltage);
    (void)snprintf(rate, sizeof(rate), "samplerate=%s", p->where.rate);
    if (p->where.rate[0] != '\0') {
        argv[8] = "--config";
        argv[9] = rate;
    }
    /* It ends when its standard input does: a pipe that nothing is written to. */
    return proc_start(
        &p->proc, &(struct proc_options){.argv = argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_NULL}},
        err);
}

static int ended(struct sigrok *p, struct err *err)
{
    char how[64];
    int status = 0;

    if (proc_wait(&p->proc, 500, &status)) {
        proc_describe_status(status, how, sizeof(how));
        return err_set(err, ERR_METER, "sigrok-cli %s: is '%s' connected?", how, p->where.driver);
    }
    return err_set(err, ERR_METER, "sigrok-cli says nothing more");
}

/* ---- lines ---- */

static int push(struct queue *q, float value, struct err *err)
{
    if (q->count == QUEUE_MAX)
        return err_set(err, ERR_METER, "one of its channels has stopped");
    if (q->count == q->capacity) {
        q->capacity = q->capacity * 2 + 1024;
        q->values = realloc(q->values, q->capacity * sizeof(float));
        if (q->values == NULL)
            abort();
    }
    q->values[q->count++] = value;
    return 0;
}

static int take_line(struct sigrok *p, struct err *err)
{
    const double ohm = p->where.shunt_ohm;
    struct sigrok_value v;

    p->line[p->line_size] = '\0';
    p->line_size = 0;
    if (!sigrok_line(p->line, &v)) {
        p->base.counts.corrupted += p->line[0] != '\0';
        return 0;
    }
    if (strcmp(v.channel, p->where.current) == 0) {
        if (v.unit != (ohm > 0 ? 'V' : 'A'))
            return err_set(err, ERR_METER, "channel %s is no %s: '%.60s'", v.channel,
                           ohm > 0 ? "voltage" : "current (name its shunt: CHANNEL/OHMS)", p->line);
        return push(&p->current, (float)(ohm > 0 ? v.value / ohm : v.value), err);
    }
    if (p->where.voltage[0] != '\0' && strcmp(v.channel, p->where.voltage) == 0)
        return push(&p->voltage, (float)v.value, err);
    return 0;
}

/* What its pipe holds now, or within timeout_ms. */
static int listen(struct sigrok *p, unsigned timeout_ms, struct err *err)
{
    struct pollfd f = {.fd = p->proc.stdio[1], .events = POLLIN};
    char piece[16384];
    ssize_t n;

    if (poll(&f, 1, (int)timeout_ms) <= 0)
        return 0;
    n = read(f.fd, piece, sizeof(piece));
    if (n == 0)
        return ended(p, err);
    if (n < 0)
        return errno == EINTR ? 0 : err_sys(err, errno, "sigrok-cli");
    for (ssize_t i = 0; i < n; i++) {
        if (piece[i] != '\n' && p->line_size + 1 < sizeof(p->line))
            p->line[p->line_size++] = piece[i];
        if (piece[i] == '\n' && take_line(p, err) < 0)
            return (int)err->code;
    }
    if (p->base.counts.corrupted > 1000 && p->base.counts.corrupted > p->index)
        return err_set(err, ERR_METER, "what sigrok-cli says are no readings");
    return 0;
}

/* ---- life ---- */

static void forget(struct sigrok *p)
{
    p->line_size = 0;
    p->current.count = p->voltage.count = 0;
    p->base.counts = (struct meter_counts){0};
}

/* A first reading shows that driver, device and channels are right. */
static int probe(struct sigrok *p, struct err *err)
{
    const struct deadline end = deadline_in_ms(PROBE_MS);

    if (launch(p, err) < 0)
        return err_in(err, "sigrok-cli (Debian's package of that name)");
    while (p->current.count == 0) {
        if (deadline_passed(end))
            return err_set(err, ERR_METER, "no reading of channel '%s' in %d ms", p->where.current,
                           PROBE_MS);
        if (listen(p, 100, err) < 0)
            return (int)err->code;
    }
    proc_stop(&p->proc, 1000);
    forget(p);
    return 0;
}

static int sigrok_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct sigrok *p = (struct sigrok *)m;
    struct meter_info *i = &m->info;
    const char *wrong;

    p->proc = (struct proc)PROC_INIT;
    wrong = config->where != NULL ? sigrok_where(config->where, &p->where) : "it is missing";
    if (wrong != NULL)
        return err_set(err, ERR_CONFIG,
                       "'where' must be DRIVER[:OPTIONS][@RATE]#CURRENT[/OHMS][,VOLTAGE]: %s",
                       wrong);
    if (probe(p, err) < 0)
        return (int)err->code;
    (void)snprintf(i->model, sizeof(i->model), "sigrok %.50s", p->where.driver);
    i->emulated = strncmp(p->where.driver, "demo", 4) == 0;
    i->samples = true;
    i->integrates = true;
    i->rate_hz = p->where.rate_hz > 0 ? p->where.rate_hz : READING_HZ;
    i->basis = p->where.voltage[0] != '\0' ? METER_VOLTAGE_MEASURED : METER_VOLTAGE_USER;
    i->voltage_error = p->where.voltage[0] != '\0' ? 0.01 : 0.02;
    i->clock_error = p->where.rate_hz > 0 ? 1e-4 : 0.02;
    i->ranges[0] = (struct meter_range){.gain = 0.02, .offset_a = 1e-3};
    (void)snprintf(i->warning, sizeof(i->warning),
                   "read through sigrok: its errors are not known, 2 %% and 1 mA are assumed");
    return 0;
}

static int sigrok_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct sigrok *p = (struct sigrok *)m;

    p->volts = setup->voltage_uv * 1e-6;
    p->last_v = (float)p->volts;
    buf_clear(&m->calibration);
    buf_printf(&m->calibration, "driver: %s\ncurrent: %s\nvoltage: %s\nshunt_ohm: %g\n",
               p->where.driver, p->where.current, p->where.voltage, p->where.shunt_ohm);
    return 0;
}

static int sigrok_start(struct meter *m, struct err *err)
{
    struct sigrok *p = (struct sigrok *)m;

    forget(p);
    p->index = 0;
    p->charge_c = p->energy_j = 0;
    p->last_a = NAN; /* no reading yet */
    p->started_ns = p->heard_ns = clock_monotonic_ns();
    return launch(p, err);
}

static int sigrok_stop(struct meter *m, struct err *err)
{
    proc_stop(&((struct sigrok *)m)->proc, 1000);
    return 0;
}

/* ---- samples ---- */

static void put(struct sigrok *p, size_t *count, float amperes, float volts)
{
    p->current_a[*count] = amperes;
    p->voltage_v[(*count)++] = volts;
    if (isnan(amperes)) {
        p->base.counts.lost++;
        return;
    }
    p->charge_c += (double)amperes / p->base.info.rate_hz;
    p->energy_j += (double)amperes * (double)volts / p->base.info.rate_hz;
}

static void drop(struct queue *q, size_t n)
{
    if (n > 0)
        memmove(q->values, q->values + n, (q->count - n) * sizeof(float));
    q->count -= n;
}

/* The channels' k-th values belong together. */
static size_t take_samples(struct sigrok *p)
{
    const bool both = p->where.voltage[0] != '\0';
    size_t n = both && p->voltage.count < p->current.count ? p->voltage.count : p->current.count;
    size_t count = 0;

    n = n < BLOCK ? n : BLOCK;
    for (size_t k = 0; k < n; k++)
        put(p, &count, p->current.values[k], both ? p->voltage.values[k] : p->last_v);
    drop(&p->current, n);
    drop(&p->voltage, both ? n : 0);
    return count;
}

/* The newest reading, for the time that has passed. */
static size_t take_readings(struct sigrok *p)
{
    const uint64_t due = (clock_monotonic_ns() - p->started_ns) / (1000000000u / READING_HZ);
    size_t count = 0;

    if (p->current.count > 0)
        p->last_a = p->current.values[p->current.count - 1];
    if (p->voltage.count > 0)
        p->last_v = p->voltage.values[p->voltage.count - 1];
    p->current.count = p->voltage.count = 0;
    if (isnan(p->last_a))
        return 0;
    while (p->index + count < due && count < BLOCK)
        put(p, &count, p->last_a, p->last_v);
    return count;
}

static int sigrok_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret,
                       struct err *err)
{
    struct sigrok *p = (struct sigrok *)m;
    size_t n;

    if (listen(p, timeout_ms, err) < 0)
        return (int)err->code;
    if (p->current.count > 0)
        p->heard_ns = clock_monotonic_ns();
    if (clock_monotonic_ns() - p->heard_ns > STALE_MS * (uint64_t)1000000)
        return err_set(err, ERR_METER, "no reading of channel '%s' for %d ms", p->where.current,
                       STALE_MS);
    n = p->where.rate_hz > 0 ? take_samples(p) : take_readings(p);
    *ret = (struct meter_block){.first = p->index,
                                .count = n,
                                .current_a = p->current_a,
                                .voltage_v = p->where.voltage[0] != '\0' ? p->voltage_v : NULL};
    p->index += n;
    return 0;
}

static int sigrok_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    const struct sigrok *p = (const struct sigrok *)m;

    ret->powered = true;
    ret->voltage_uv = p->last_v > 0 && p->last_v < 4000 ? (uint32_t)((double)p->last_v * 1e6) : 0;
    ret->seconds = (double)p->index / m->info.rate_hz;
    ret->charge_c = p->charge_c;
    ret->energy_j = p->energy_j;
    return 0;
}

static void sigrok_close(struct meter *m)
{
    struct sigrok *p = (struct sigrok *)m;

    proc_stop(&p->proc, 1000);
    free(p->current.values);
    free(p->voltage.values);
}

const struct meter_ops meter_sigrok = {
    .name = "sigrok",
    .help = "what sigrok-cli drives: supplies, multimeters, scopes over a shunt",
    .size = sizeof(struct sigrok),
    .open = sigrok_open,
    .configure = sigrok_configure,
    .start = sigrok_start,
    .read = sigrok_read,
    .stop = sigrok_stop,
    .state = sigrok_state,
    .close = sigrok_close,
};
