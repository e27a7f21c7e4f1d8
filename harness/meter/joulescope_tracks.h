/*
 * Packets of a Joulescope's signals put beside each other by the instrument's own sample numbers:
 * what was lost takes its place, what begins earlier than the others is dropped. Pure.
 */
#ifndef HARNESS_METER_JOULESCOPE_TRACKS_H
#define HARNESS_METER_JOULESCOPE_TRACKS_H

#include <stddef.h>
#include <stdint.h>

enum js_signal {
    JS_CURRENT,
    JS_VOLTAGE,
    JS_MARKER,
    JS_TRACKS,
};

/* Samples of one signal that were not read yet. */
struct js_track {
    float *samples;
    size_t count, capacity;
    uint64_t head_id; /* of samples[0] */
    uint64_t step;    /* of ids from sample to sample; 0: nothing came yet */
};

/* All zero to begin with. */
struct js_tracks {
    struct js_track track[JS_TRACKS];
    uint64_t lost, gaps; /* of current */
};

/* A struct jsdrv_stream_signal_s of `size` bytes, header included. NULL, or what is wrong with it. */
const char *js_tracks_take(struct js_tracks *p, int which, const void *packet, size_t size);

/* How many samples of current have a voltage and a line beside them. */
size_t js_tracks_ready(struct js_tracks *p);

/* At most as many as are ready. */
void js_tracks_give(struct js_tracks *p, size_t n, float *current_a, float *voltage_v,
                    uint8_t *logic);

void js_tracks_clear(struct js_tracks *p);
void js_tracks_release(struct js_tracks *p);

#endif
