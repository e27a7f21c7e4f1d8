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
#include "harness/meter/jsdrv_abi.h"
#include "harness/meter/meter.h"

enum {
    RATE_HZ = 100000,
    TIMEOUT_MS = 2000,
    BLOCK = 16384,
    TRACK_SAMPLES = 4 << 20, /* most that wait to be read: 40 s */
    TRACKS = 3,
};

static const char *const topics[TRACKS] = {"s/i", "s/v", "s/gpi/0"};

/* Samples of one signal that were not read yet. */
struct track {
    float *samples;
    size_t count, capacity;
    uint64_t head_id; /* of samples[0] */
    uint64_t step;    /* of ids from sample to sample; 0: nothing came yet */
};

struct joulescope {
    struct meter base;
    void *library;
    struct jsdrv_api api;
    struct jsdrv_context_s *context;
    char device[JSDRV_TOPIC_MAX];
    bool opened, subscribed;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t came;
    struct track tracks[TRACKS];
    uint64_t lost, gaps;
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
        {"jsdrv_initialize", &p->api.initialize},
        {"jsdrv_finalize", &p->api.finalize},
        {"jsdrv_publish", &p->api.publish},
        {"jsdrv_query", &p->api.query},
        {"jsdrv_subscribe", &p->api.subscribe},
        {"jsdrv_unsubscribe", &p->api.unsubscribe},
        {"jsdrv_open", &p->api.open},
        {"jsdrv_close", &p->api.close},
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

static int publish_text(struct joulescope *p, const char *topic, const char *text, struct err *err)
{
    const struct jsdrv_union_s value = {
        .type = JSDRV_UNION_STR, .flags = JSDRV_UNION_FLAG_CONST, .value.str = text};

    return publish(p, topic, &value, err);
}

/* ---- what the driver calls, on its own thread ---- */

static bool grow(struct track *t, size_t more)
{
    if (t->count + more > TRACK_SAMPLES)
        return false;
    if (t->count + more > t->capacity) {
        t->capacity = (t->count + more) * 2;
        t->samples = realloc(t->samples, t->capacity * sizeof(float));
        if (t->samples == NULL)
            abort();
    }
    return true;
}

/* Lost samples take their place; what is below the expected number was there already. */
static const char *take_place(struct joulescope *p, struct track *t, uint64_t id, uint64_t step,
                              float hold)
{
    const uint64_t expected = t->head_id + t->count * t->step;
    uint64_t missing;

    if (step == 0 || (t->step != 0 && t->step != step))
        return "the rate of its samples changed";
    if (t->step == 0) {
        t->step = step;
        t->head_id = id;
        return NULL;
    }
    if (id < expected || (id - expected) % step != 0)
        return "the numbers of its samples go back";
    missing = (id - expected) / step;
    if (missing > METER_GAP_MAX || !grow(t, (size_t)missing))
        return "too many samples were lost in one piece";
    for (uint64_t i = 0; i < missing; i++)
        t->samples[t->count++] = hold;
    if (t == &p->tracks[0]) {
        p->lost += missing;
        p->gaps += missing > 0;
    }
    return NULL;
}

static const char *take_values(struct track *t, const struct jsdrv_stream_signal_s *s)
{
    const size_t n = s->element_count;

    if (!grow(t, n))
        return "it sends faster than it is read";
    if (s->element_type == JSDRV_DATA_TYPE_FLOAT && s->element_size_bits == 32) {
        memcpy(t->samples + t->count, s->data, n * sizeof(float));
    } else if (s->element_type == JSDRV_DATA_TYPE_UINT && s->element_size_bits == 1) {
        for (size_t i = 0; i < n; i++)
            t->samples[t->count + i] = (float)(s->data[i / 8] >> (i % 8) & 1);
    } else {
        return "its samples are of a kind that is not known";
    }
    t->count += n;
    return NULL;
}

static const char *take_stream(struct joulescope *p, struct track *t,
                               const struct jsdrv_union_s *value)
{
    const struct jsdrv_stream_signal_s *s = (const void *)value->value.bin;
    const bool marker = t == &p->tracks[2];
    const char *wrong;

    if (value->type != JSDRV_UNION_BIN || s == NULL || value->size < JSDRV_STREAM_HEADER_SIZE ||
        s->element_count > JSDRV_STREAM_DATA_SIZE * 8 ||
        ((uint64_t)s->element_count * s->element_size_bits + 7) / 8 >
            value->size - JSDRV_STREAM_HEADER_SIZE)
        return "a packet of it is shorter than it says";
    wrong = take_place(p, t, s->sample_id, s->decimate_factor,
                       marker && t->count > 0 ? t->samples[t->count - 1]
                       : marker               ? 0
                                              : NAN);
    return wrong != NULL ? wrong : take_values(t, s);
}

static void on_stream(void *context, const char *topic, const struct jsdrv_union_s *value)
{
    struct joulescope *p = context;
    const char *wrong = NULL;

    (void)pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < TRACKS && p->broken == NULL; i++) {
        if (strstr(topic, topics[i]) != NULL)
            wrong = take_stream(p, &p->tracks[i], value);
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
    if (p->api.open(p->context, p->device, 0) != 0)
        return err_set(err, ERR_METER, "%s cannot be opened", p->device);
    p->opened = true;
    describe(p);
    return 0;
}

static int js_configure(struct meter *m, const struct meter_setup *setup, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;

    if (publish_text(p, "s/i/range/mode", "auto", err) < 0 ||
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

    for (size_t i = 0; i <= TRACKS; i++) {
        const jsdrv_subscribe_fn fn = i < TRACKS ? on_stream : on_statistics;

        if (i < TRACKS)
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

    for (size_t i = 0; i < TRACKS; i++) {
        (void)snprintf(topic, sizeof(topic), "%s/ctrl", topics[i]);
        if (publish_number(p, topic, on, err) < 0)
            return (int)err->code;
    }
    return publish_number(p, "s/stats/ctrl", on, err);
}

static int js_start(struct meter *m, struct err *err)
{
    struct joulescope *p = (struct joulescope *)m;

    for (size_t i = 0; i < TRACKS; i++)
        p->tracks[i].count = p->tracks[i].step = 0;
    p->lost = p->gaps = p->index = 0;
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

static uint64_t end_of(const struct track *t)
{
    return t->head_id + t->count * t->step;
}

static void forget(struct track *t, uint64_t before_id)
{
    size_t n = before_id > t->head_id ? (size_t)((before_id - t->head_id) / t->step) : 0;

    n = n < t->count ? n : t->count;
    memmove(t->samples, t->samples + n, (t->count - n) * sizeof(float));
    t->count -= n;
    t->head_id += n * t->step;
}

/* How many samples of current have a voltage and a line beside them; the first ones of a stream
 * begin at different numbers, and are dropped. */
static size_t ready(struct joulescope *p)
{
    uint64_t from = 0;
    uint64_t to = UINT64_MAX;

    for (size_t i = 0; i < TRACKS; i++) {
        if (p->tracks[i].step == 0)
            return 0;
        from = p->tracks[i].head_id > from ? p->tracks[i].head_id : from;
        to = end_of(&p->tracks[i]) < to ? end_of(&p->tracks[i]) : to;
    }
    forget(&p->tracks[0], from);
    from = p->tracks[0].head_id;
    return to > from ? (size_t)((to - from) / p->tracks[0].step) : 0;
}

static float value_at(const struct track *t, uint64_t id)
{
    const size_t k = id > t->head_id ? (size_t)((id - t->head_id) / t->step) : 0;

    return t->samples[k < t->count ? k : t->count - 1];
}

static size_t take_block(struct joulescope *p, size_t n)
{
    struct track *t = p->tracks;
    uint64_t id = t[0].head_id;

    for (size_t k = 0; k < n; k++, id += t[0].step) {
        p->current_a[k] = t[0].samples[k];
        p->voltage_v[k] = value_at(&t[1], id);
        p->logic[k] = value_at(&t[2], id) > 0;
    }
    for (size_t i = 0; i < TRACKS; i++)
        forget(&t[i], id);
    return n;
}

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
    n = ready(p);
    if (n == 0 && p->broken == NULL) {
        wait_for_more(p, timeout_ms);
        n = ready(p);
    }
    n = take_block(p, n < BLOCK ? n : BLOCK);
    broken = p->broken;
    m->counts.lost = p->lost;
    m->counts.gaps = p->gaps;
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
        (void)p->api.close(p->context, p->device);
    if (p->context != NULL)
        p->api.finalize(p->context, 0);
    if (p->library != NULL)
        (void)dlclose(p->library);
    for (size_t i = 0; i < TRACKS; i++)
        free(p->tracks[i].samples);
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
