#include "harness/measure/capture.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    READ_MS = 50,
    STALL_MS = 15000, /* without a sample: an emulator on a busy host may pause for seconds */
    GROW = 1 << 18,
};

struct capture {
    struct meter *meter;
    uint8_t mask;
    size_t most;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    bool stop;
    bool over; /* no more samples will come */
    bool failed;
    struct err error;
    float *current_a, *filtered_a, *voltage_v;
    uint8_t *logic, *range;
    size_t count, capacity;
    bool high;
    unsigned falls;
    size_t last_fall;
};

static void grow_one(void **array, bool wanted, size_t capacity, size_t element)
{
    if (!wanted)
        return;
    *array = realloc(*array, capacity * element);
    if (*array == NULL)
        abort();
}

static void grow(struct capture *c, const struct meter_block *b)
{
    if (c->count + b->count <= c->capacity)
        return;
    c->capacity = (c->count + b->count) * 3 / 2 + GROW;
    grow_one((void **)&c->current_a, true, c->capacity, sizeof(float));
    grow_one((void **)&c->filtered_a, b->filtered_a != NULL, c->capacity, sizeof(float));
    grow_one((void **)&c->voltage_v, b->voltage_v != NULL, c->capacity, sizeof(float));
    grow_one((void **)&c->logic, b->logic != NULL, c->capacity, 1);
    grow_one((void **)&c->range, b->range != NULL, c->capacity, 1);
}

static void find_falls(struct capture *c, size_t from)
{
    for (size_t k = from; c->logic != NULL && k < c->count; k++) {
        const bool high = (c->logic[k] & c->mask) != 0;

        if (c->high && !high) {
            c->falls++;
            c->last_fall = k;
        }
        c->high = high;
    }
}

static void take_block(struct capture *c, const struct meter_block *b)
{
    const size_t at = c->count;

    grow(c, b);
    memcpy(c->current_a + at, b->current_a, b->count * sizeof(float));
    if (c->filtered_a != NULL && b->filtered_a != NULL)
        memcpy(c->filtered_a + at, b->filtered_a, b->count * sizeof(float));
    if (c->voltage_v != NULL && b->voltage_v != NULL)
        memcpy(c->voltage_v + at, b->voltage_v, b->count * sizeof(float));
    if (c->logic != NULL && b->logic != NULL)
        memcpy(c->logic + at, b->logic, b->count);
    if (c->range != NULL && b->range != NULL)
        memcpy(c->range + at, b->range, b->count);
    c->count += b->count;
    find_falls(c, at);
}

/* One block; false when it was the last. */
static bool step(struct capture *c)
{
    struct meter_block block;
    struct err err = ERR_INIT;
    const int r = meter_read(c->meter, READ_MS, &block, &err);
    bool go_on;

    (void)pthread_mutex_lock(&c->lock);
    if (r >= 0 && block.count > 0)
        take_block(c, &block);
    if (r >= 0 && c->count > c->most)
        (void)err_set(&err, ERR_METER, "more than %zu samples in one window", c->most);
    if (err.code != ERR_OK) {
        c->failed = true;
        c->error = err;
    }
    c->over = c->failed || r > 0;
    go_on = !c->over && !c->stop;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    return go_on;
}

static void *run(void *context)
{
    while (step(context))
        ;
    return NULL;
}

static void init_lock(struct capture *c)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&c->lock, NULL);
}

int capture_start(struct meter *meter, uint8_t mask, size_t most, struct capture **ret,
                  struct err *err)
{
    AUTO(capture_free_auto) struct capture *c = calloc(1, sizeof(*c));
    sigset_t all;
    sigset_t before;
    int failure;

    if (c == NULL)
        abort();
    init_lock(c);
    c->meter = meter;
    c->mask = mask;
    c->most = most;
    if (meter_start(meter, err) < 0)
        return (int)err->code;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&c->thread, NULL, run, c);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        return err_sys(err, failure, "capture thread");
    c->running = true;
    *ret = MOVE(c);
    return 0;
}

size_t capture_count(struct capture *c)
{
    size_t n;

    (void)pthread_mutex_lock(&c->lock);
    n = c->count;
    (void)pthread_mutex_unlock(&c->lock);
    return n;
}

/* With the lock held: wait for the next change. False when nothing came for too long. */
static bool wait_change(struct capture *c)
{
    const size_t before = c->count;
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STALL_MS / 1000;
    while (c->count == before && !c->over) {
        if (pthread_cond_timedwait(&c->changed, &c->lock, &until) != 0)
            return false;
    }
    return true;
}

/* With the lock held. */
static int why_not(struct capture *c, bool stalled, struct err *err)
{
    if (c->failed) {
        *err = c->error;
        return (int)err->code;
    }
    if (stalled)
        return err_set(err, ERR_METER, "the meter sends no samples");
    return err_set(err, ERR_METER, "the meter's samples ended before the window did");
}

int capture_wait(struct capture *c, size_t samples, struct err *err)
{
    bool stalled = false;
    int r = 0;

    (void)pthread_mutex_lock(&c->lock);
    while (c->count < samples && !c->over && !stalled)
        stalled = !wait_change(c);
    if (c->failed || c->count < samples)
        r = why_not(c, stalled, err);
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}

int capture_wait_falls(struct capture *c, unsigned falls, size_t after, size_t patience,
                       struct err *err)
{
    bool stalled = false;
    size_t start;
    int r = 0;

    (void)pthread_mutex_lock(&c->lock);
    start = c->count;
    while ((c->falls < falls || c->count < c->last_fall + after) && !c->over && !stalled) {
        if (c->falls < falls && c->count > start + patience)
            break;
        stalled = !wait_change(c);
    }
    if (c->failed || stalled)
        r = why_not(c, stalled, err);
    else if (c->falls < falls)
        r = err_set(err, ERR_METER, "the meter's marker line did not move with the window");
    else if (c->count < c->last_fall + after)
        r = why_not(c, false, err);
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}

static void join(struct capture *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->stop = true;
    (void)pthread_mutex_unlock(&c->lock);
    if (c->running)
        (void)pthread_join(c->thread, NULL);
    c->running = false;
}

int capture_stop(struct capture *c, struct err *err)
{
    join(c);
    return meter_stop(c->meter, err);
}

struct capture_samples capture_samples(const struct capture *c)
{
    return (struct capture_samples){.current_a = c->current_a,
                                    .filtered_a = c->filtered_a,
                                    .voltage_v = c->voltage_v,
                                    .logic = c->logic,
                                    .range = c->range,
                                    .count = c->count};
}

void capture_free(struct capture *c)
{
    struct err ignored = ERR_INIT;

    if (c == NULL)
        return;
    (void)!capture_stop(c, &ignored);
    (void)pthread_mutex_destroy(&c->lock);
    (void)pthread_cond_destroy(&c->changed);
    free(c->current_a);
    free(c->filtered_a);
    free(c->voltage_v);
    free(c->logic);
    free(c->range);
    free(c);
}
