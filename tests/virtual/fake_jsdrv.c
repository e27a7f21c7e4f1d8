/*
 * A stand-in for libjsdrv.so with one emulated JS220, for the tests of the joulescope driver: the
 * same functions, the same structs, packets on a thread of its own. FAKE_JSDRV says what goes wrong.
 *
 * The current is 40 mA for the last fifth of each hundred samples (line 0 is high then), else 2 mA.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/meter/jsdrv_abi.h"

#define EXPORTED __attribute__((visibility("default")))
#define HIGH_A   40e-3f
#define LOW_A    2e-3f
#define VOLTS    3.3f

enum {
    SUBSCRIPTIONS = 4,
    STEP = 20, /* of ids: 2 MHz to 100 kHz */
    PACKET = 1000,
    OFFSET = 50, /* samples that the voltage is ahead of the current */
};

struct jsdrv_context_s {
    pthread_t thread;
    pthread_mutex_t lock;
    bool running, on;
    const char *trouble;
    struct {
        char topic[80];
        jsdrv_subscribe_fn fn;
        void *user;
    } subscriptions[SUBSCRIPTIONS];
    uint64_t sent; /* packets */
};

EXPORTED int32_t jsdrv_initialize(struct jsdrv_context_s **context, const struct jsdrv_arg_s *args,
                                  uint32_t timeout_ms);
EXPORTED void jsdrv_finalize(struct jsdrv_context_s *c, uint32_t timeout_ms);
EXPORTED int32_t jsdrv_publish(struct jsdrv_context_s *c, const char *topic,
                               const struct jsdrv_union_s *value, uint32_t timeout_ms);
EXPORTED int32_t jsdrv_query(struct jsdrv_context_s *c, const char *topic,
                             struct jsdrv_union_s *value, uint32_t timeout_ms);
EXPORTED int32_t jsdrv_subscribe(struct jsdrv_context_s *c, const char *topic, uint8_t flags,
                                 jsdrv_subscribe_fn fn, void *user, uint32_t timeout_ms);
EXPORTED int32_t jsdrv_unsubscribe(struct jsdrv_context_s *c, const char *topic,
                                   jsdrv_subscribe_fn fn, void *user, uint32_t timeout_ms);
EXPORTED int32_t jsdrv_open(struct jsdrv_context_s *c, const char *device, int32_t mode,
                            uint32_t timeout_ms);

static bool trouble(const struct jsdrv_context_s *c, const char *word)
{
    return strcmp(c->trouble, word) == 0;
}

/* Another model, which is no trouble. */
static bool js110(const struct jsdrv_context_s *c)
{
    return trouble(c, "js110");
}

static void tell(struct jsdrv_context_s *c, const char *topic, const void *data, uint32_t size)
{
    const struct jsdrv_union_s value = {.type = JSDRV_UNION_BIN, .size = size, .value.bin = data};

    for (int i = 0; i < SUBSCRIPTIONS; i++) {
        if (strcmp(c->subscriptions[i].topic, topic) == 0)
            c->subscriptions[i].fn(c->subscriptions[i].user, topic, &value);
    }
}

/* Sample `k` on, as floats or as bits. */
static uint32_t fill(struct jsdrv_stream_signal_s *s, char signal, uint64_t k)
{
    memset(s->data, 0, PACKET * sizeof(float));
    for (uint32_t i = 0; i < PACKET; i++) {
        const bool high = (k + i) % 100 >= 80;
        const float value = signal == 'v' ? VOLTS : high ? HIGH_A : LOW_A;

        if (signal == 'g')
            s->data[i / 8] |= (uint8_t)(high << (i % 8));
        else
            memcpy(s->data + i * sizeof(float), &value, sizeof(value));
    }
    s->element_type = signal == 'g' ? JSDRV_DATA_TYPE_UINT : JSDRV_DATA_TYPE_FLOAT;
    s->element_size_bits = signal == 'g' ? 1 : 32;
    return JSDRV_STREAM_HEADER_SIZE + (signal == 'g' ? PACKET / 8 : PACKET * sizeof(float));
}

static void send_packet(struct jsdrv_context_s *c, char signal, const char *topic)
{
    static struct jsdrv_stream_signal_s s;
    uint64_t k = 1000 + c->sent * PACKET + (signal == 'v' ? OFFSET : 0);
    uint32_t size;

    if (trouble(c, "gap") && c->sent >= 5)
        k += 300;
    if (trouble(c, "back") && c->sent == 5)
        k -= 10;
    s.sample_id = k * STEP;
    s.element_count = PACKET;
    s.sample_rate = 2000000;
    s.decimate_factor = STEP;
    size = fill(&s, signal, k);
    if (trouble(c, "kind") && c->sent == 5)
        s.element_size_bits = 16;
    tell(c, topic, &s, trouble(c, "short") && c->sent == 5 ? 100 : size);
}

static void send_statistics(struct jsdrv_context_s *c)
{
    const double seconds = (double)c->sent * PACKET / 100000;
    const double mean_a = 0.2 * (double)HIGH_A + 0.8 * (double)LOW_A;
    const struct jsdrv_statistics_s s = {.version = 1,
                                         .v_avg = (double)VOLTS,
                                         .charge_f64 = 7 + mean_a * seconds,
                                         .energy_f64 = 9 + mean_a * (double)VOLTS * seconds};

    tell(c, "u/js220/000123/s/stats/value", &s, sizeof(s));
}

static void *run(void *context)
{
    struct jsdrv_context_s *c = context;
    const struct timespec ten_ms = {.tv_nsec = 10000000};

    for (;;) {
        (void)nanosleep(&ten_ms, NULL);
        (void)pthread_mutex_lock(&c->lock);
        if (!c->running)
            break;
        if (c->on && !(trouble(c, "mute") && c->sent >= 5)) {
            send_packet(c, 'i', "u/js220/000123/s/i/!data");
            send_packet(c, 'v', "u/js220/000123/s/v/!data");
            send_packet(c, 'g', "u/js220/000123/s/gpi/0/!data");
            send_statistics(c);
            c->sent++;
        }
        (void)pthread_mutex_unlock(&c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

int32_t jsdrv_initialize(struct jsdrv_context_s **context, const struct jsdrv_arg_s *args,
                         uint32_t timeout_ms)
{
    struct jsdrv_context_s *c = calloc(1, sizeof(*c));

    (void)args;
    (void)timeout_ms;
    if (c == NULL)
        return 1;
    c->trouble = getenv("FAKE_JSDRV") != NULL ? getenv("FAKE_JSDRV") : "";
    c->running = true;
    (void)pthread_mutex_init(&c->lock, NULL);
    *context = c;
    return pthread_create(&c->thread, NULL, run, c);
}

void jsdrv_finalize(struct jsdrv_context_s *c, uint32_t timeout_ms)
{
    (void)timeout_ms;
    (void)pthread_mutex_lock(&c->lock);
    c->running = false;
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_join(c->thread, NULL);
    free(c);
}

int32_t jsdrv_publish(struct jsdrv_context_s *c, const char *topic,
                      const struct jsdrv_union_s *value, uint32_t timeout_ms)
{
    if (strstr(topic, "/@/!open") != NULL)
        return trouble(c, "busy") || timeout_ms == 0 || value->type != JSDRV_UNION_I32 ||
               value->value.i32 != 0 ||
               strcmp(topic, js110(c) ? "u/js110/000456/@/!open" : "u/js220/000123/@/!open") != 0;
    if (strstr(topic, js110(c) ? "s/i/range/select" : "s/i/range/mode") != NULL)
        return value->type == JSDRV_UNION_STR && strcmp(value->value.str, "auto") == 0 ? 0 : 1;
    if (strstr(topic, "s/i/range/") != NULL)
        return 1; /* no such topic */
    if (strstr(topic, "h/fs") != NULL)
        return trouble(c, "rate") ? 1 : value->value.u32 != 100000;
    (void)pthread_mutex_lock(&c->lock);
    if (strstr(topic, "s/stats/ctrl") != NULL) { /* the last of the switches */
        c->on = value->value.u32 != 0;
        c->sent = 0;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return 0;
}

int32_t jsdrv_query(struct jsdrv_context_s *c, const char *topic, struct jsdrv_union_s *value,
                    uint32_t timeout_ms)
{
    (void)timeout_ms;
    if (strcmp(topic, "@/list") != 0)
        return 1;
    (void)snprintf(value->value.room, value->size, "%s",
                   trouble(c, "none")  ? ""
                   : trouble(c, "two") ? "u/js220/000123,u/js110/000456"
                   : js110(c)          ? "u/js110/000456"
                                       : "u/js220/000123");
    return 0;
}

int32_t jsdrv_subscribe(struct jsdrv_context_s *c, const char *topic, uint8_t flags,
                        jsdrv_subscribe_fn fn, void *user, uint32_t timeout_ms)
{
    int32_t r = 1;

    (void)timeout_ms;
    (void)pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SUBSCRIPTIONS && r != 0 && flags == JSDRV_SFLAG_PUB; i++) {
        if (c->subscriptions[i].fn != NULL)
            continue;
        (void)snprintf(c->subscriptions[i].topic, sizeof(c->subscriptions[i].topic), "%s", topic);
        c->subscriptions[i].fn = fn;
        c->subscriptions[i].user = user;
        r = 0;
    }
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}

int32_t jsdrv_unsubscribe(struct jsdrv_context_s *c, const char *topic, jsdrv_subscribe_fn fn,
                          void *user, uint32_t timeout_ms)
{
    (void)timeout_ms;
    (void)user;
    (void)pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SUBSCRIPTIONS; i++) {
        if (c->subscriptions[i].fn == fn && strcmp(c->subscriptions[i].topic, topic) == 0)
            memset(&c->subscriptions[i], 0, sizeof(c->subscriptions[i]));
    }
    (void)pthread_mutex_unlock(&c->lock);
    return 0;
}

/* As in version 2: who calls it as version 1 had it passes whatever lies where the time belongs. */
int32_t jsdrv_open(struct jsdrv_context_s *c, const char *device, int32_t mode, uint32_t timeout_ms)
{
    (void)c;
    (void)device;
    (void)mode;
    (void)timeout_ms;
    abort();
}
