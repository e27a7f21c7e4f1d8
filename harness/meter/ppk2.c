/*
 * Nordic Power Profiler Kit II. Commands have no acknowledgement but the metadata's, so everything
 * that matters is read back from there. It goes on streaming after a host died, so opening first
 * stops it and waits until it is quiet.
 */
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/meter/clock_loss.h"
#include "harness/meter/meter.h"
#include "harness/meter/ppk2_format.h"
#include "harness/meter/reader.h"
#include "harness/transport/transport.h"

enum {
    QUIET_MS = 60,
    DRAIN_MS = 3000,
    META_MS = 1000,
    META_TRIES = 3,
    COUNTER_UNIT = 64,
    TAIL_MAX = 64, /* bytes the decoder may leave */
};

struct ppk2 {
    struct meter base;
    struct transport *transport;
    struct reader *reader;
    struct ppk2_meta meta;
    struct ppk2_decoder decoder;
    struct clock_loss clock;
    int mode; /* that was set; 0: none yet */
    bool virtual_time;
    uint8_t tail[TAIL_MAX + 4096]; /* what the decoder left, then the next piece's beginning */
    size_t tail_size;
    float current_a[METER_BLOCK_MAX];
    float filtered_a[METER_BLOCK_MAX];
    uint8_t logic[METER_BLOCK_MAX];
    uint8_t range[METER_BLOCK_MAX];
};

/* Typical accuracy by range as Nordic gives it; average of many units, so not a hard limit. */
static const struct meter_range accuracy[PPK2_RANGES] = {
    {0.10, 0.2e-6}, {0.10, 0.5e-6}, {0.10, 5e-6}, {0.10, 50e-6}, {0.15, 1e-3},
};

/* ---- commands ---- */

static int command(struct ppk2 *p, const uint8_t *bytes, size_t n, struct err *err)
{
    return transport_send(p->transport, bytes, n, err);
}

#define COMMAND(p, err, ...)                                                                       \
    command((p), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), (err))

/* Throw away what comes until nothing has come for a while. */
static int drain(struct ppk2 *p, struct err *err)
{
    const struct deadline end = deadline_in_ms(DRAIN_MS);
    uint8_t waste[4096];
    size_t n = 0;

    do {
        if (deadline_passed(end))
            return err_set(err, ERR_METER, "it goes on sending although it was told to stop");
        if (transport_recv(p->transport, waste, sizeof(waste), QUIET_MS, &n, err) < 0)
            return (int)err->code;
    } while (n > 0);
    return 0;
}

static int read_meta(struct ppk2 *p, struct buf *text, struct err *err)
{
    const struct deadline end = deadline_in_ms(META_MS);
    char piece[512];
    size_t n = 0;

    while (!ppk2_meta_complete(buf_text(text), text->len)) {
        if (transport_recv(p->transport, piece, sizeof(piece), 50, &n, err) < 0)
            return (int)err->code;
        buf_append(text, piece, n);
        if (text->full)
            return err_set(err, ERR_METER, "its metadata has no end");
        if (deadline_passed(end) && text->len == 0)
            return err_set(err, ERR_METER, "it does not answer: this is no PPK2, or not its port");
        if (deadline_passed(end))
            return err_set(err, ERR_METER, "its metadata breaks off after %zu bytes", text->len);
    }
    return 0;
}

static int query(struct ppk2 *p, struct ppk2_meta *ret, struct err *err)
{
    int r = -1;

    for (int i = 0; i < META_TRIES && r < 0; i++) {
        AUTO_BUF text = {.limit = PPK2_META_MAX};

        err_clear(err);
        r = drain(p, err);
        if (r == 0)
            r = COMMAND(p, err, 0x19);
        if (r == 0)
            r = read_meta(p, &text, err);
        if (r == 0)
            r = ppk2_meta_parse(buf_text(&text), text.len, ret, err);
        if (r < 0 && err->code != ERR_METER)
            break; /* hung up: no use in asking again */
    }
    return r;
}

/* ---- opening ---- */

static int open_port(struct ppk2 *p, const char *where, const char *serial, struct err *err)
{
    const struct transport_config config = {.where = where,
                                            .usb_serial = where == NULL ? serial : NULL,
                                            .usb_id = where == NULL ? "1915:c00a" : NULL};

    transport_close(p->transport);
    p->transport = NULL;
    return transport_open("serial", &config, &p->transport, err);
}

static int try_port(struct ppk2 *p, const char *where, const char *serial, struct err *err)
{
    if (open_port(p, where, serial, err) < 0 || COMMAND(p, err, 0x07) < 0)
        return (int)err->code;
    return query(p, &p->meta, err);
}

/* Links of two ports of one device differ behind "-if" only. */
static bool same_device(const char *a, const char *b)
{
    const char *end = strstr(a, "-if");

    return end != NULL && strncmp(a, b, (size_t)(end - a) + 3) == 0;
}

/* Newer firmware has a second port, a shell; the right one is the one that knows its metadata. */
static int search_port(struct ppk2 *p, const struct meter_config *c, struct err *err)
{
    char pattern[512];
    glob_t found;
    int r = -1;

    (void)snprintf(pattern, sizeof(pattern), "%s/usb-Nordic_Semiconductor_PPK2_%s*-if*",
                   c->by_id != NULL ? c->by_id : "/dev/serial/by-id",
                   c->serial != NULL ? c->serial : "");
    if (glob(pattern, 0, NULL, &found) != 0)
        return try_port(p, NULL, c->serial, err);
    for (size_t i = 1; i < found.gl_pathc; i++) {
        if (same_device(found.gl_pathv[0], found.gl_pathv[i]))
            continue;
        globfree(&found);
        return err_set(err, ERR_CONFIG, "there is more than one PPK2: its 'serial' is needed");
    }
    for (size_t i = 0; i < found.gl_pathc && r < 0; i++) {
        err_clear(err);
        r = try_port(p, found.gl_pathv[i], NULL, err);
        if (r == 0)
            (void)snprintf(p->base.info.serial, sizeof(p->base.info.serial), "%s",
                           c->serial != NULL ? c->serial : found.gl_pathv[i]);
    }
    globfree(&found);
    return r;
}

static void describe(struct ppk2 *p, const struct meter_config *c)
{
    struct meter_info *i = &p->base.info;

    (void)snprintf(i->model, sizeof(i->model), "PPK2%s", p->meta.emulated ? " (emulated)" : "");
    if (c->serial != NULL)
        (void)snprintf(i->serial, sizeof(i->serial), "%s", c->serial);
    (void)snprintf(i->firmware, sizeof(i->firmware), "HW %d, IA %d", p->meta.hw, p->meta.ia);
    i->emulated = p->meta.emulated;
    i->samples = true;
    i->filtered = true;
    i->can_source = true;
    i->can_power = true;
    i->markers = 0xff;
    i->min_uv = 800000;
    i->max_uv = 5000000;
    i->rate_hz = PPK2_RATE_HZ;
    i->clock_error = 50e-6;
    memcpy(i->ranges, accuracy, sizeof(accuracy));
    for (unsigned r = 0; r < PPK2_RANGES; r++) {
        if (p->meta.missing[r] != 0)
            (void)snprintf(i->warning, sizeof(i->warning),
                           "range %u has no calibration: samples in it do not count", r);
    }
}

static int ppk2_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct ppk2 *p = (struct ppk2 *)m;
    const int r =
        config->where != NULL ? try_port(p, config->where, NULL, err) : search_port(p, config, err);

    if (r < 0)
        return r;
    p->virtual_time = config->virtual_time;
    describe(p, config);
    return 0;
}

static void ppk2_close(struct meter *m)
{
    struct ppk2 *p = (struct ppk2 *)m;

    reader_stop(p->reader);
    ppk2_decoder_release(&p->decoder);
    transport_close(p->transport);
}

/* ---- settings ---- */

static int set_voltage(struct ppk2 *p, unsigned mv, struct err *err)
{
    return COMMAND(p, err, 0x0d, (uint8_t)(mv >> 8), (uint8_t)mv);
}

/* Only a new mode needs the output off: the board on a source may be in the middle of a run. */
static int send_setup(struct ppk2 *p, bool source, unsigned mv, struct err *err)
{
    const int mode = source ? 2 : 1;

    if (p->mode != mode &&
        ((source && COMMAND(p, err, 0x0c, 0) < 0) || COMMAND(p, err, 0x11, (uint8_t)mode) < 0))
        return (int)err->code;
    if (set_voltage(p, mv, err) < 0)
        return (int)err->code;
    return COMMAND(p, err, 0x0c, 1);
}

/* No command is acknowledged: what was told to it is asked back. */
static int check_setup(const struct ppk2 *p, bool source, unsigned mv, struct err *err)
{
    const int mode = source ? 2 : 1;

    if (!(fabs(p->meta.vdd_mv - mv) < 1))
        return err_set(err, ERR_METER, "set to %u mV, it says %g mV", mv, p->meta.vdd_mv);
    if (p->meta.mode != 0 && p->meta.mode != mode)
        return err_set(err, ERR_METER, "told to be %s, it says mode %d",
                       source ? "a source" : "an ampere meter", p->meta.mode);
    return 0;
}

static int ppk2_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct ppk2 *p = (struct ppk2 *)m;
    const unsigned mv = setup->voltage_uv / 1000;

    if (mv == 0)
        return err_set(err, ERR_CONFIG, "a PPK2 does not measure the voltage: it must be given");
    if (setup->rate_hz != 0 && setup->rate_hz != PPK2_RATE_HZ)
        return err_set(err, ERR_CONFIG, "a PPK2 takes 100 000 samples a second, not %g",
                       setup->rate_hz);
    if (send_setup(p, setup->source, mv, err) < 0 || query(p, &p->meta, err) < 0 ||
        check_setup(p, setup->source, mv, err) < 0)
        return (int)err->code;
    p->mode = setup->source ? 2 : 1;
    m->info.basis = setup->source ? METER_VOLTAGE_SETPOINT : METER_VOLTAGE_USER;
    m->info.voltage_error = 0.02;
    ppk2_decoder_release(&p->decoder);
    ppk2_decoder_init(&p->decoder, &p->meta, true);
    buf_clear(&m->calibration);
    ppk2_meta_print(&p->meta, &m->calibration);
    return 0;
}

static int ppk2_power(struct meter *m, bool on, struct err *err)
{
    return COMMAND((struct ppk2 *)m, err, 0x0c, on);
}

static int ppk2_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct ppk2 *p = (struct ppk2 *)m;

    if (m->started)
        return err_set(err, ERR_METER, "its state cannot be asked for while it streams");
    if (query(p, &p->meta, err) < 0)
        return (int)err->code;
    ret->voltage_uv = (uint32_t)(p->meta.vdd_mv > 0 ? p->meta.vdd_mv * 1000 : 0);
    ret->powered = true; /* it does not tell; the switch is closed by configure */
    return 0;
}

/* ---- streaming ---- */

static int ppk2_start(struct meter *m, struct err *err)
{
    struct ppk2 *p = (struct ppk2 *)m;

    if (p->decoder.table == NULL)
        return err_set(err, ERR_BUG, "started before it was configured");
    ppk2_decoder_restart(&p->decoder);
    clock_loss_init(&p->clock, 1e9 / PPK2_RATE_HZ, COUNTER_UNIT);
    p->tail_size = 0;
    if (drain(p, err) < 0 || reader_start(p->transport, &p->reader, err) < 0)
        return (int)err->code;
    return COMMAND(p, err, 0x06);
}

static int ppk2_stop(struct meter *m, struct err *err)
{
    struct ppk2 *p = (struct ppk2 *)m;
    const int r = COMMAND(p, err, 0x07);

    reader_stop(p->reader);
    p->reader = NULL;
    return r < 0 ? r : drain(p, err);
}

static void copy_counts(struct ppk2 *p)
{
    struct meter_counts *c = &p->base.counts;
    const struct ppk2_decoder *d = &p->decoder;

    c->lost = d->lost;
    c->gaps = d->gaps;
    c->corrupted = d->corrupted;
    c->resyncs = d->resyncs;
    c->saturated = d->saturated;
    c->overloaded = d->overloaded;
    c->unconverted = d->unconverted;
    c->switches = d->switches;
}

/* The bytes left over from before, completed by the new piece; then the piece itself. */
static size_t decode_piece(struct ppk2 *p, const uint8_t *data, size_t n, struct ppk2_block *out)
{
    const size_t had = p->tail_size;
    size_t more = n < sizeof(p->tail) - had ? n : sizeof(p->tail) - had;
    size_t used;

    if (had == 0) {
        used = ppk2_decode(&p->decoder, data, n, false, out);
        if (n - used > TAIL_MAX || out->count == out->room)
            return used;
        memcpy(p->tail, data + used, n - used);
        p->tail_size = n - used;
        return n;
    }
    memcpy(p->tail + had, data, more);
    used = ppk2_decode(&p->decoder, p->tail, had + more, false, out);
    if (used < had && more == n) { /* still too little to go on */
        p->tail_size = had + more - used;
        memmove(p->tail, p->tail + used, p->tail_size);
        return n;
    }
    if (used < had) { /* no room in the block: take none of the new bytes yet */
        memmove(p->tail, p->tail + used, had - used);
        p->tail_size = had - used;
        return 0;
    }
    p->tail_size = 0;
    return used - had;
}

static int check_stream(struct ppk2 *p, struct err *err)
{
    const struct ppk2_decoder *d = &p->decoder;

    if (d->pending_gap > METER_GAP_MAX)
        return err_set(err, ERR_METER, "%llu samples lost in one piece",
                       (unsigned long long)d->pending_gap);
    if (d->index > 1000 && d->unconverted > d->index / 2)
        return err_set(err, ERR_METER, "it measures in a range whose calibration is missing");
    if (d->corrupted > 1000 && d->corrupted > d->index / 2)
        return err_set(err, ERR_METER, "what it sends are no samples");
    return 0;
}

static int ppk2_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    struct ppk2 *p = (struct ppk2 *)m;
    struct ppk2_block out = {.current_a = p->current_a,
                             .filtered_a = p->filtered_a,
                             .logic = p->logic,
                             .range = p->range,
                             .room = METER_BLOCK_MAX};
    const uint64_t first = p->decoder.index;
    const uint8_t *data = NULL;
    uint64_t at_ns = 0;
    size_t n = 0;
    size_t used;

    if (reader_peek(p->reader, timeout_ms, &data, &n, &at_ns, err) < 0)
        return err_in(err, "the meter is gone");
    used = n > 0 ? decode_piece(p, data, n, &out) : 0;
    reader_consume(p->reader, used);
    if (used == n && n > 0 && at_ns != 0 && !p->virtual_time) {
        const uint64_t lost =
            clock_loss_feed(&p->clock, at_ns, p->decoder.index + p->decoder.pending_gap);

        if (lost > 0)
            log_line(LOG_METER, "ppk2: the clock says that %llu samples are missing",
                     (unsigned long long)lost);
        ppk2_decoder_lose(&p->decoder, lost);
        m->counts.lost_by_clock += lost;
    }
    copy_counts(p);
    if (check_stream(p, err) < 0)
        return (int)err->code;
    *ret = (struct meter_block){.first = first,
                                .count = out.count,
                                .current_a = p->current_a,
                                .filtered_a = p->filtered_a,
                                .logic = p->logic,
                                .range = p->range};
    return 0;
}

const struct meter_ops meter_ppk2 = {
    .name = "ppk2",
    .help = "Nordic Power Profiler Kit II: 100 kS/s, 200 nA to 1 A, marker lines",
    .size = sizeof(struct ppk2),
    .open = ppk2_open,
    .configure = ppk2_configure,
    .start = ppk2_start,
    .read = ppk2_read,
    .stop = ppk2_stop,
    .power = ppk2_power,
    .state = ppk2_state,
    .close = ppk2_close,
};
