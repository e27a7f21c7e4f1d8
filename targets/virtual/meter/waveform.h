/*
 * The current that a virtual board draws, from what really happened to it: marker edges, power and
 * how many instructions it executed, all in virtual time (the edge stream, targets/virtual/edges.h).
 *
 *   marker high               run
 *   low, core mostly asleep   sleep: fewer than half of the instructions that the time had room for
 *   low, core mostly busy     idle for as long as that took, sleep before
 *   low, before it rises      idle for as long as that took, sleep after
 *   power off                 0
 *
 * A decoupling capacitor makes each change an exponential with one time constant. A sample is the
 * mean over its period. Time that is not known yet gives no samples: the meter waits for the board.
 *
 * QEMU's clock stands still while a core sleeps with no timer set. The board would draw its sleep
 * current meanwhile, so the meter's clock then goes on at the host's pace, as long as the marker is
 * low; when the board's clock jumps later, that time is taken off again.
 */
#ifndef TARGETS_VIRTUAL_METER_WAVEFORM_H
#define TARGETS_VIRTUAL_METER_WAVEFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/base.h"

struct waveform_levels {
    double sleep_a, idle_a, run_a;
    double rc_s;     /* 0: none */
    double count_ns; /* of one instruction or cycle; 0: not known, never asleep */
};

struct waveform_part {
    uint64_t until_ns;
    double target_a;
    bool high;
};

#define WAVEFORM_PARTS 4096

struct waveform {
    struct waveform_levels levels;
    struct waveform_part parts[WAVEFORM_PARTS]; /* a ring */
    uint64_t first, end;                        /* counters; index by % WAVEFORM_PARTS */
    uint64_t known_ns;                          /* on the meter's clock, which never goes back */
    uint64_t now_ns;                            /* samples were made up to here */
    uint64_t base_ns;                           /* meter's clock at the board's 0 */
    uint64_t host_ns;                           /* of the last record */
    uint64_t board_ns;                          /* last record */
    uint64_t board_count;
    bool has_count;
    bool high, powered;
    uint64_t edges;
    double level_a; /* behind the capacitor */
};

struct waveform_sample {
    double amperes;
    bool high; /* at the end of the period */
};

void waveform_init(struct waveform *w, const struct waveform_levels *levels);

/* Is there room for another record? While not, leave it in the socket. */
bool waveform_has_room(const struct waveform *w);

/* One line of the edge stream. False when it tells of lost edges: nothing is sure any more. */
bool waveform_record(struct waveform *w, const char *line, uint64_t host_ns);

/* The next sample of `period_ns`; false while its time is not known yet. */
bool waveform_next(struct waveform *w, uint64_t period_ns, struct waveform_sample *ret);

/* Forget the past that nobody sampled. */
void waveform_skip_to_now(struct waveform *w);

#endif
