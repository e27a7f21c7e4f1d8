#include "harness/meter/joulescope_tracks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/meter/jsdrv_abi.h"
#include "harness/meter/meter.h"

enum {
    TRACK_SAMPLES = 4 << 20 /* most that wait to be read: 40 s */
};

static bool grow(struct js_track *t, size_t more)
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
static const char *take_place(struct js_tracks *p, struct js_track *t, uint64_t id, uint64_t step,
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
    if (t == &p->track[0]) {
        p->lost += missing;
        p->gaps += missing > 0;
    }
    return NULL;
}

static const char *take_values(struct js_track *t, const struct jsdrv_stream_signal_s *s)
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

const char *js_tracks_take(struct js_tracks *p, int which, const void *packet, size_t size)
{
    const struct jsdrv_stream_signal_s *s = packet;
    struct js_track *t = &p->track[which];
    const bool marker = which == JS_MARKER;
    const char *wrong;

    if (s == NULL || size < JSDRV_STREAM_HEADER_SIZE ||
        s->element_count > JSDRV_STREAM_DATA_SIZE * 8 ||
        ((uint64_t)s->element_count * s->element_size_bits + 7) / 8 >
            size - JSDRV_STREAM_HEADER_SIZE)
        return "a packet of it is shorter than it says";
    wrong = take_place(p, t, s->sample_id, s->decimate_factor,
                       marker && t->count > 0 ? t->samples[t->count - 1]
                       : marker               ? 0
                                              : NAN);
    return wrong != NULL ? wrong : take_values(t, s);
}

static uint64_t end_of(const struct js_track *t)
{
    return t->head_id + t->count * t->step;
}

static void forget(struct js_track *t, uint64_t before_id)
{
    size_t n = before_id > t->head_id ? (size_t)((before_id - t->head_id) / t->step) : 0;

    n = n < t->count ? n : t->count;
    memmove(t->samples, t->samples + n, (t->count - n) * sizeof(float));
    t->count -= n;
    t->head_id += n * t->step;
}

/* How many samples of current have a voltage and a line beside them; the first ones of a stream
 * begin at different numbers, and are dropped. */
size_t js_tracks_ready(struct js_tracks *p)
{
    uint64_t from = 0;
    uint64_t to = UINT64_MAX;

    for (size_t i = 0; i < JS_TRACKS; i++) {
        if (p->track[i].step == 0)
            return 0;
        from = p->track[i].head_id > from ? p->track[i].head_id : from;
        to = end_of(&p->track[i]) < to ? end_of(&p->track[i]) : to;
    }
    forget(&p->track[0], from);
    from = p->track[0].head_id;
    return to > from ? (size_t)((to - from) / p->track[0].step) : 0;
}

static float value_at(const struct js_track *t, uint64_t id)
{
    const size_t k = id > t->head_id ? (size_t)((id - t->head_id) / t->step) : 0;

    return t->samples[k < t->count ? k : t->count - 1];
}

void js_tracks_give(struct js_tracks *p, size_t n, float *current_a, float *voltage_v,
                    uint8_t *logic)
{
    struct js_track *t = p->track;
    uint64_t id = t[0].head_id;

    if (n == 0)
        return;
    for (size_t k = 0; k < n; k++, id += t[0].step) {
        current_a[k] = t[0].samples[k];
        voltage_v[k] = value_at(&t[1], id);
        logic[k] = value_at(&t[2], id) > 0;
    }
    for (size_t i = 0; i < JS_TRACKS; i++)
        forget(&t[i], id);
}

void js_tracks_clear(struct js_tracks *p)
{
    for (size_t i = 0; i < JS_TRACKS; i++)
        p->track[i].count = p->track[i].step = 0;
    p->lost = p->gaps = 0;
}

void js_tracks_release(struct js_tracks *p)
{
    for (size_t i = 0; i < JS_TRACKS; i++)
        free(p->track[i].samples);
}
