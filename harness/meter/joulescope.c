/*
 * Joulescope JS220 and JS110 through their maker's C driver (libjsdrv, Apache-2.0), which is looked
 * for when such a meter is opened and not before: nothing else needs it. Current and voltage come
 * with the lines of the general purpose inputs, all by the instrument's own sample numbers.
 *
 * `where` is the device ("u/js220/002557") or nothing when there is only one; `serial` picks by its
 * end. The driver calls back on a thread of its own; tracks hold what came until it is read.
 */
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/base/log.h"
#include "harness/meter/joulescope_tracks.h"
#include "harness/meter/jsdrv_abi.h"
#include "harness/meter/meter.h"

enum {
    RATE_HZ = 100000,
    TIMEOUT_MS = 2000,
    BLOCK = 16384,
};

static const char *const topics[JS_TRACKS] = {"s/i", "s/v", "s/gpi/0"};

struct joulescope {
    struct meter base;
    void *library;
    struct jsdrv_api api;
    struct jsdrv_context_s *context;
    char device[JSDRV_TOPIC_MAX];
    bool opened, subscribed;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t came;
    struct js_tracks tracks;
    const char *broken; /* what is wrong with the stream, NULL: nothing */
    struct jsdrv_statistics_s first, last;
    bool has_statistics;
    uint64_t index;
    float current_a[BLOCK];
    float voltage_v[BLOCK];
    uint8_t logic[BLOCK];
};

/* ---- the library ---- */

static void *load_library(void)
{
    static const char *const names[] = {"libjsdrv.so", "libjsdrv.so.1", "libjoulescope_driver.so"};
    void *library = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(names) && library == NULL; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return library;
}

static int find_functions(struct joulescope *p, struct err *err)
{
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"jsdrv_initialize", &p->api.initialize}, {"jsdrv_finalize", &p->api.finalize},
        {"jsdrv_publish", &p->api.publish},       {"jsdrv_query", &p->api.query},
        {"jsdrv_subscribe", &p->api.subscribe},   {"jsdrv_unsubscribe", &p->api.unsubscribe},
    };

    p->library = load_library();
    if (p->library == NULL) {
        (void)err_set(err, ERR_UNSUPPORTED, "the Joulescope driver, libjsdrv.so, is not installed");
        return err_hint(err, "build it from github.com/jetperch/joulescope_driver as a shared "
                             "library, and name its folder in LD_LIBRARY_PATH");
    }
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        void *found = dlsym(p->library, wanted[i].name);

        if (found == NULL)
            return err_set(err, ERR_METER, "libjsdrv.so has no %s", wanted[i].name);
        memcpy(wanted[i].slot, &found, sizeof(found)); /* ISO C has no cast for this */
    }
    return 0;
}

/* ---- topics ---- */

static int publish(struct joulescope *p, const char *topic, const struct jsdrv_union_s *value,
                   struct err *err)
{
    char name[JSDRV_TOPIC_MAX * 2];
    int32_t r;

    (void)snprintf(name, sizeof(name), "%s/%s", p->device, topic);
    r = p->api.publish(p->context, name, value, TIMEOUT_MS);
    return r == 0 ? 0 : err_set(err, ERR_METER, "%s is refused (%d)", name, (int)r);
}

static int publish_number(struct joulescope *p, const char *topic, uint32_t number, struct err *err)
{
    const struct jsdrv_union_s value = {.type = JSDRV_UNION_U32, .value.u32 = number};

    return publish(p, topic, &value, err);
}

/* Modes are signed: 0 is the state after power-on. */
static int publish_mode(struct joulescope *p, const char *topic, int32_t mode, struct err *err)
{
    const struct jsdrv_union_s value = {.type = JSDRV_UNION_I32, .value.i32 = mode};

    return publish(p, topic, &value, err);
}

static int publish_text(struct joulescope *p, const char *topic, const char *text, struct err *err)
{
    const struct jsdrv_union_s value = {
        .type = JSDRV_UNION_STR, .flags = JSDRV_UNION_FLAG_CONST, .value.str = text};

    return publish(p, topic, &value, err);
}

/* ---- what the driver calls, on its own thread ---- */

static void on_stream(void *context, const char *topic, const struct jsdrv_union_s *value)
{
    struct joulescope *p = context;
    const char *wrong = NULL;

    (void)pthread_mutex_lock(&p->lock);
    for (int i = 0; i < JS_TRACKS && p->broken == NULL; i++) {
        if (strstr(topic, topics[i]) != NULL && value->type == JSDRV_UNION_BIN)
            wrong = js_tracks_take(&p->tracks, i, value->value.bin, value->size);
        if (wrong != NULL)
            p->broken = wrong;
    }
    (void)pthread_cond_signal(&p->came);
    (void)pthread_mutex_unlock(&p->lock);
}

static void on_statistics(void *context, const char *topic, const struct jsdrv_union_s *value)
{
    struct joulescope *p = context;

    if (value->type != JSDRV_UNION_BIN || value->value.bin == NULL ||
        value->size < sizeof(p->last) || value->value.bin[0] != 1)
        return;
    (void)pthread_mutex_lock(&p->lock);
    memcpy(&p->last, value->value.bin, sizeof(p->last));
    if (!p->has_statistics)
        p->first = p->last;
    p->has_statistics = true;
    (void)pthread_mutex_unlock(&p->lock);
}

/* ---- life ---- */

static bool fits(const char *device, const struct meter_config *c)
{
    const char *serial = strrchr(device, '/');

    if (c->where != NULL && strcmp(c->where, device) != 0)
        return false;
    return c->serial == NULL || (serial != NULL && strcmp(serial + 1, c->serial) == 0);
}

static int choose_device(struct joulescope *p, const struct meter_config *config, struct err *err)
{
    char list[1024] = "";
    struct jsdrv_union_s value = {
        .type = JSDRV_UNION_STR, .size = sizeof(list), .value.room = list};
    char *rest = list;
    char *device;
    unsigned fitting = 0;

    if (p->api.query(p->context, "@/list", &value, TIMEOUT_MS) != 0)
        return err_set(err, ERR_METER, "the Joulescope driver does not list its devices");
    list[sizeof(list) - 1] = '\0';
    while ((device = strsep(&rest, ",")) != NULL) {
        if (device[0] == '\0' || !fits(device, config))
            continue;
        fitting++;
        (void)snprintf(p->device, sizeof(p->device), "%.60s", device);
    }
    return fitting == 1 ? 0
                        : err_set(err, ERR_METER, "%u Joulescopes fit '%s'", fitting,
                                  config->serial != NULL  ? config->serial
                                  : config->where != NULL ? config->where
                                                          : "any");
}

static void describe(struct joulescope *p)
{
    struct meter_info *i = &p->base.info;
    const char *model = strchr(p->device, '/');
    const char *serial = strrchr(p->device, '/');

    (void)snprintf(i->model, sizeof(i->model), "Joulescope %.*s",
                   model != NULL ? (int)strcspn(model + 1, "/") : 0,
                   model != NULL ? model + 1 : "");
    (void)snprintf(i->serial, sizeof(i->serial), "%s", serial != NULL ? serial + 1 : "");
    i->samples = true;
    i->integrates = true;
    i->markers = 1;
    i->rate_hz = RATE_HZ;
    i->basis = METER_VOLTAGE_MEASURED;
    i->voltage_error = 0.003;
    i->clock_error = 50e-6;
    i->ranges[0] = (struct meter_range){.gain = 0.003, .offset_a = 1e-6};
    (void)snprintf(i->warning, sizeof(i->warning),
                   "its errors are assumed, 0.3 %% and 1 uA: above 180 mA the zero is worse");
}

static int js_open(struct meter *m, const struct meter_config *config, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;

    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->came, NULL);
    if (find_functions(p, err) < 0)
        return (int)err->code;
    if (p->api.initialize(&p->context, NULL, 0) != 0)
        return err_set(err, ERR_METER, "the Joulescope driver does not start");
    if (choose_device(p, config, err) < 0)
        return (int)err->code;
    if (publish_mode(p, JSDRV_MSG_OPEN, 0, err) < 0)
        return err_in(err, "%s cannot be opened", p->device);
    p->opened = true;
    describe(p);
    return 0;
}

static int js_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;

    const bool js110 = strstr(p->device, "/js110/") != NULL; /* it has another word for the same */

    if (publish_text(p, js110 ? "s/i/range/select" : "s/i/range/mode", "auto", err) < 0 ||
        publish_number(p, "h/fs", RATE_HZ, err) < 0)
        return (int)err->code;
    buf_clear(&m->calibration);
    buf_printf(&m->calibration, "device: %s\nrate_hz: %d\n", p->device, RATE_HZ);
    return 0;
}

static int subscribe(struct joulescope *p, bool on, struct err *err)
{
    char topic[JSDRV_TOPIC_MAX * 2];
    int32_t r = 0;

    for (size_t i = 0; i <= JS_TRACKS; i++) {
        const jsdrv_subscribe_fn fn = i < JS_TRACKS ? on_stream : on_statistics;

        if (i < JS_TRACKS)
            (void)snprintf(topic, sizeof(topic), "%s/%s/!data", p->device, topics[i]);
        else
            (void)snprintf(topic, sizeof(topic), "%s/s/stats/value", p->device);
        r |= on ? p->api.subscribe(p->context, topic, JSDRV_SFLAG_PUB, fn, p, TIMEOUT_MS)
                : p->api.unsubscribe(p->context, topic, fn, p, TIMEOUT_MS);
    }
    p->subscribed = on;
    return r == 0 ? 0 : err_set(err, ERR_METER, "%s takes no subscription", p->device);
}

static int switch_streams(struct joulescope *p, uint32_t on, struct err *err)
{
    char topic[32];

    for (size_t i = 0; i < JS_TRACKS; i++) {
        (void)snprintf(topic, sizeof(topic), "%s/ctrl", topics[i]);
        if (publish_number(p, topic, on, err) < 0)
            return (int)err->code;
    }
    return publish_number(p, "s/stats/ctrl", on, err);
}

static int js_start(struct meter *m, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;

    js_tracks_clear(&p->tracks);
    p->index = 0;
    p->broken = NULL;
    p->has_statistics = false;
    if (subscribe(p, true, err) < 0)
        return (int)err->code;
    return switch_streams(p, 1, err);
}

static int js_stop(struct meter *m, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;
    struct err ignored = ERR_INIT;
    const int r = switch_streams(p, 0, err);

    return subscribe(p, false, r < 0 ? &ignored : err) < 0 || r < 0 ? (int)err->code : 0;
}

/* ---- reading, with the lock held ---- */

static void wait_for_more(struct joulescope *p, unsigned timeout_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&p->came, &p->lock, &until);
}

static int js_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;
    const char *broken;
    size_t n;

    (void)pthread_mutex_lock(&p->lock);
    n = js_tracks_ready(&p->tracks);
    if (n == 0 && p->broken == NULL) {
        wait_for_more(p, timeout_ms);
        n = js_tracks_ready(&p->tracks);
    }
    n = n < BLOCK ? n : BLOCK;
    js_tracks_give(&p->tracks, n, p->current_a, p->voltage_v, p->logic);
    broken = p->broken;
    m->counts.lost = p->tracks.lost;
    m->counts.gaps = p->tracks.gaps;
    (void)pthread_mutex_unlock(&p->lock);
    if (broken != NULL)
        return err_set(err, ERR_METER, "%s", broken);
    *ret = (struct meter_block){.first = p->index,
                                .count = n,
                                .current_a = p->current_a,
                                .voltage_v = p->voltage_v,
                                .logic = p->logic};
    p->index += n;
    return 0;
}

/* An integrator too: the difference of two of the instrument's own accumulators. */
static int js_state(struct meter *m, struct meter_state *ret, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;

    ret->powered = true;
    (void)pthread_mutex_lock(&p->lock);
    ret->seconds = (double)p->index / RATE_HZ;
    if (p->has_statistics) {
        ret->voltage_uv =
            p->last.v_avg > 0 && p->last.v_avg < 4000 ? (uint32_t)(p->last.v_avg * 1e6) : 0;
        ret->charge_c = p->last.charge_f64 - p->first.charge_f64;
        ret->energy_j = p->last.energy_f64 - p->first.energy_f64;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return 0;
}

static void js_close(struct meter *m)
{
    struct joulescope *p = (struct joulescope *)m;
    struct err ignored = ERR_INIT;

    if (p->subscribed)
        (void)!subscribe(p, false, &ignored);
    if (p->opened)
        (void)!publish_mode(p, JSDRV_MSG_CLOSE, 0, &ignored);
    if (p->context != NULL)
        p->api.finalize(p->context, 0);
    if (p->library != NULL)
        (void)dlclose(p->library);
    js_tracks_release(&p->tracks);
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->came);
}

const struct meter_ops meter_joulescope = {
    .name = "joulescope",
    .help = "Joulescope JS220 and JS110 by their own driver library, when it is installed",
    .size = sizeof(struct joulescope),
    .open = js_open,
    .configure = js_configure,
    .start = js_start,
    .read = js_read,
    .stop = js_stop,
    .state = js_state,
    .close = js_close,
};
