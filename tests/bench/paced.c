/*
 * An engine for the posix agent whose inference takes a fixed time and no CPU: it sleeps. With it a
 * host measures what a lab costs beside its boards, since no virtual chip competes for its cores.
 * Its one output is its one input, a byte.
 */
#include <time.h>

#include "agents/engines/engine.h"

enum {
    PACE_NS = 10000000
};

static uint64_t paced_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static enum engine_status paced_load(struct engine_model *m)
{
    m->detail = 1;
    if (m->arena_size < 1)
        return ENGINE_NO_SPACE;
    m->arena[0] = 0;
    m->arena_used = 1;
    m->inputs = 1;
    m->outputs = 1;
    return ENGINE_OK;
}

static struct engine_tensor paced_tensor(struct engine_model *m, int output, unsigned index)
{
    struct engine_tensor tensor = {m->arena, index == 0, ENGINE_INT8};

    (void)output;
    return tensor;
}

/* Inferences that follow each other keep the pace: one that woke late makes the next one shorter. */
static enum engine_status paced_invoke(struct engine_model *m)
{
    static uint64_t due;
    const uint64_t began = paced_now();
    struct timespec until;

    (void)m;
    if (due + PACE_NS / 2 < began || due > began)
        due = began;
    due += PACE_NS;
    until.tv_sec = (time_t)(due / 1000000000u);
    until.tv_nsec = (long)(due % 1000000000u);
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return ENGINE_OK;
}

static enum engine_status paced_reset(struct engine_model *m)
{
    (void)m;
    return ENGINE_OK;
}

const struct engine engine_foreign = {
    .name = "paced",
    .version = 1,
    .load = paced_load,
    .tensor = paced_tensor,
    .invoke = paced_invoke,
    .reset = paced_reset,
};
