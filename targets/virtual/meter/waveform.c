#include "targets/virtual/meter/waveform.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"

enum {
    OFF_NS = 20000000,        /* what a power cycle takes on the meter's clock */
    STILL_MAX_NS = 200000000, /* slept through between two records */
};

void waveform_init(struct waveform *w, const struct waveform_levels *levels)
{
    *w = (struct waveform){.levels = *levels, .powered = true, .level_a = levels->sleep_a};
}

bool waveform_has_room(const struct waveform *w)
{
    return w->end - w->first < WAVEFORM_PARTS - 2;
}

static void add_part(struct waveform *w, uint64_t until_ns, double target_a)
{
    struct waveform_part *last = &w->parts[(w->end - 1) % WAVEFORM_PARTS];

    if (until_ns <= w->known_ns)
        return;
    w->known_ns = until_ns;
    if (w->end > w->first && last->high == w->high && last->target_a == target_a) {
        last->until_ns = until_ns;
        return;
    }
    w->parts[w->end++ % WAVEFORM_PARTS] =
        (struct waveform_part){.until_ns = until_ns, .target_a = target_a, .high = w->high};
}

#define SPINS 0.98 /* so busy: it did not sleep, its count and its time are of different moments */

/*
 * What the board did since the last record. Records are far apart on a busy host, and a stretch of work
 * may share one with a stretch of sleep. Before a window the firmware works, then sleeps, with its link
 * off, until the marker rises; otherwise it slept until something woke it.
 */
static void add_past(struct waveform *w, uint64_t ns, uint64_t count, bool rises)
{
    const struct waveform_levels *l = &w->levels;
    const uint64_t until_ns = w->base_ns + ns;
    const double passed_ns = (double)(ns - w->board_ns);
    const double busy_ns = (double)(count - w->board_count) * l->count_ns;

    if (busy_ns >= passed_ns * SPINS) {
        add_part(w, until_ns, l->idle_a);
    } else if (rises) {
        add_part(w, until_ns - (uint64_t)(passed_ns - busy_ns), l->idle_a);
        add_part(w, until_ns, l->sleep_a);
    } else if (busy_ns * 2 < passed_ns) {
        add_part(w, until_ns, l->sleep_a);
    } else {
        add_part(w, until_ns - (uint64_t)busy_ns, l->sleep_a);
        add_part(w, until_ns, l->idle_a);
    }
}

static void add_record(struct waveform *w, uint64_t ns, uint64_t count, bool has_count, bool rises)
{
    const struct waveform_levels *l = &w->levels;

    if (!w->powered || w->high)
        add_part(w, w->base_ns + ns, w->powered ? l->run_a : 0);
    else if (!has_count || !w->has_count || l->count_ns == 0 || ns <= w->board_ns)
        add_part(w, w->base_ns + ns, l->idle_a);
    else
        add_past(w, ns, count, rises);
}

/* The board's clock stands still: it sleeps, for as long as the host's has gone on. */
static void sleep_on(struct waveform *w, uint64_t host_ns)
{
    const uint64_t passed = host_ns - w->host_ns;

    if (w->powered && !w->high && w->host_ns != 0)
        add_part(w, w->known_ns + (passed < STILL_MAX_NS ? passed : STILL_MAX_NS),
                 w->levels.sleep_a);
}

static void pass_time(struct waveform *w, const char *time, const char *count_text, bool rises,
                      uint64_t host_ns)
{
    uint64_t ns = 0;
    uint64_t count = 0;
    const bool has_count = text_to_u64(count_text, &count);

    if (!text_to_u64(time, &ns))
        return;
    if (ns < w->board_ns) { /* its clock began anew */
        w->base_ns = w->known_ns;
        w->board_ns = 0;
        w->board_count = 0;
    }
    if (ns == w->board_ns && has_count && w->has_count && count == w->board_count)
        sleep_on(w, host_ns);
    if (w->base_ns + ns < w->known_ns)
        w->base_ns = w->known_ns - ns; /* slept through already */
    add_record(w, ns, count, has_count, rises);
    w->host_ns = host_ns;
    w->board_ns = ns;
    w->board_count = count;
    w->has_count = has_count;
}

static void switch_power(struct waveform *w, bool on)
{
    w->high = false;
    if (!on)
        w->powered = false;
    add_part(w, w->known_ns + OFF_NS, 0);
    w->powered = on;
    w->base_ns = w->known_ns;
    w->board_ns = 0;
    w->board_count = 0;
}

bool waveform_record(struct waveform *w, const char *line, uint64_t host_ns)
{
    char time[24];
    char count[24];
    char level;

    if (sscanf(line, "edge %c %20s %20s", &level, time, count) == 3) {
        pass_time(w, time, count, level == '1' && !w->high, host_ns);
        w->high = level == '1';
        w->edges++;
    } else if (sscanf(line, "time %20s %20s", time, count) == 2) {
        pass_time(w, time, count, false, host_ns);
    } else if (strcmp(line, "power on") == 0) {
        switch_power(w, true);
    } else if (strcmp(line, "power off") == 0) {
        switch_power(w, false);
    } else if (strcmp(line, "reset") == 0) {
        w->high = false;
    }
    return strncmp(line, "lost ", 5) != 0;
}

/* Charge of dt at a constant target, through the capacitor. */
static double draw(struct waveform *w, double target_a, double dt)
{
    const double tau = w->levels.rc_s;
    const double step = w->level_a - target_a;
    double left;

    if (tau <= 0 || fabs(step) < 1e-12) {
        w->level_a = target_a;
        return target_a * dt;
    }
    left = exp(-dt / tau);
    w->level_a = target_a + step * left;
    return target_a * dt + step * tau * (1 - left);
}

bool waveform_next(struct waveform *w, uint64_t period_ns, struct waveform_sample *ret)
{
    const uint64_t end = w->now_ns + period_ns;
    double charge = 0;

    if (w->known_ns < end)
        return false;
    while (w->now_ns < end) {
        const struct waveform_part *p = &w->parts[w->first % WAVEFORM_PARTS];
        const uint64_t until = p->until_ns < end ? p->until_ns : end;

        if (until > w->now_ns)
            charge += draw(w, p->target_a, (double)(until - w->now_ns) * 1e-9);
        ret->high = p->high;
        w->now_ns = until;
        if (p->until_ns <= until && w->first + 1 < w->end)
            w->first++;
        else if (p->until_ns <= until)
            break; /* the last part stays, to be made longer */
    }
    ret->amperes = charge / ((double)period_ns * 1e-9);
    return true;
}

void waveform_skip_to_now(struct waveform *w)
{
    while (w->first + 1 < w->end)
        w->first++;
    if (w->end > w->first)
        w->level_a = w->parts[w->first % WAVEFORM_PARTS].target_a;
    w->now_ns = w->known_ns;
}
