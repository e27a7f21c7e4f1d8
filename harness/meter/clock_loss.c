#include "harness/meter/clock_loss.h"

#include <math.h>

void clock_loss_init(struct clock_loss *c, double period_ns, unsigned unit)
{
    *c = (struct clock_loss){.period_ns = period_ns, .unit = unit};
}

/* Units between two levels, at least half of one to count. */
static uint64_t units(const struct clock_loss *c, double step_ns)
{
    const double u = floor(step_ns / (c->period_ns * c->unit) + 0.5);

    return u < 1 ? 0 : (uint64_t)u;
}

static uint64_t settle(struct clock_loss *c, double level)
{
    const uint64_t lost = units(c, level - c->level) * c->unit;

    c->level = level - (double)lost * c->period_ns;
    c->pending_count = 0;
    return lost;
}

static uint64_t block_ended(struct clock_loss *c, double least)
{
    if (!c->has_level) {
        c->has_level = true;
        c->level = least;
        return 0;
    }
    if (units(c, least - c->level) == 0) {
        c->level = least; /* follows the drift */
        c->pending_count = 0;
        return 0;
    }
    if (c->pending_count < 2) {
        c->pending[c->pending_count++] = least;
        return 0;
    }
    return settle(c, fmin(least, fmin(c->pending[0], c->pending[1])));
}

uint64_t clock_loss_feed(struct clock_loss *c, uint64_t at_ns, uint64_t samples)
{
    const double d = (double)at_ns - (double)samples * c->period_ns;
    uint64_t lost = 0;

    if (!c->has_block) {
        c->has_block = true;
        c->least = d;
        c->block_end_ns = at_ns + CLOCK_LOSS_BLOCK_NS;
        return 0;
    }
    if (at_ns >= c->block_end_ns) {
        lost = block_ended(c, c->least);
        c->least = d - (double)lost * c->period_ns;
        c->block_end_ns = at_ns + CLOCK_LOSS_BLOCK_NS;
        return lost;
    }
    c->least = fmin(c->least, d);
    return 0;
}
