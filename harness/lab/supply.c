/*
 * A board whose supply is a meter's own switch (power: {kind: meter}): the meter is opened and on
 * before anything is asked of the board, and stays so for the whole session, because a PPK2 that is
 * let go drops its output. Windows of energy are then measured with the same open meter.
 */
#include <string.h>

#include "harness/base/clock.h"
#include "harness/lab/internal.h"

enum {
    OFF_MS_MAX = 120000
};

static bool by_meter(const struct session *s)
{
    return s->power != NULL && strcmp(s->power->kind, "meter") == 0;
}

static int open_supply(struct session *s, struct err *err)
{
    const struct suite_energy as_in_the_lab = {.meter = s->power->meter};
    struct instrument_options o = session_instrument_options(s, &as_in_the_lab);

    if (instrument_open(&o, &s->supply, err) < 0)
        return err_in(err, "power switch '%s'", s->power->name);
    return meter_power(instrument_meter(s->supply), true, err);
}

int session_supply(struct session *s, struct err *err)
{
    if (session_replays(s))
        return 0; /* and no rung of the ladder may switch what is there now */
    s->power = lab_find_power(s->options.lab, s->board->power);
    if (!by_meter(s))
        return 0;
    s->means.power_cycle = session_supply_cycle;
    return open_supply(s, err);
}

bool session_supply_measures(const struct session *s, const struct suite_energy *energy)
{
    const char *name = energy->meter != NULL ? energy->meter : s->board->meter;

    return by_meter(s) && name != NULL && strcmp(name, s->power->meter) == 0;
}

int session_supply_instrument(struct session *s, const struct suite_energy *energy,
                              struct instrument **ret, struct err *err)
{
    if (s->supply == NULL && open_supply(s, err) < 0)
        return (int)err->code;
    if (instrument_set(s->supply, s->board, energy, err) < 0)
        return (int)err->code;
    *ret = s->supply;
    return 0;
}

/* A virtual board has no wires: its own supply goes off and on meanwhile. */
int session_supply_cycle(void *context, struct err *err)
{
    struct session *s = context;
    const uint64_t off_ms = s->power->off_time_ns / 1000000u;

    if (s->supply == NULL && open_supply(s, err) < 0)
        return (int)err->code;
    if (meter_power(instrument_meter(s->supply), false, err) < 0)
        return err_in(err, "power switch '%s' off", s->power->name);
    clock_sleep_ms((unsigned)(off_ms < OFF_MS_MAX ? off_ms : OFF_MS_MAX));
    if (s->vboard != NULL && vboard_power_cycle(s->vboard, err) < 0)
        return (int)err->code;
    if (meter_power(instrument_meter(s->supply), true, err) < 0)
        return err_in(err, "power switch '%s' on", s->power->name);
    return 0;
}

void session_supply_drop(struct session *s)
{
    instrument_close(s->supply);
    s->supply = NULL;
}
