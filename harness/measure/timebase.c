#include "harness/measure/timebase.h"

#include <math.h>

/* Below two ticks an instruction, rounding cannot tell neighbours apart. */
static const double least_ticks = 2.0;

static int virtual_instructions(const struct board *board, struct timebase *t, struct err *err)
{
    if (board->virt.icount_shift < 0)
        return err_set(err, ERR_CONFIG, "board '%s' counts instructions but has no icount_shift",
                       board->name);
    t->unit = UNIT_INSTRUCTIONS;
    t->ticks_per_unit = (double)t->tick_hz * (double)(1u << board->virt.icount_shift) / 1e9;
    t->exact = true;
    if (t->ticks_per_unit < least_ticks && t->ticks_per_unit != 1.0)
        return err_set(err, ERR_LAB,
                       "a timer at %u Hz is too coarse to count instructions at icount shift %d",
                       t->tick_hz, board->virt.icount_shift);
    return 0;
}

int timebase_make(const struct board *board, uint32_t tick_hz, struct timebase *ret,
                  struct err *err)
{
    struct timebase t = {.tick_hz = tick_hz};

    if (tick_hz == 0)
        return err_set(err, ERR_LAB, "the agent found no counter that counts");
    if (board->timebase_hz != 0 && board->timebase_hz != tick_hz)
        return err_set(err, ERR_LAB, "the agent's counter runs at %u Hz, the board file says %u Hz",
                       tick_hz, board->timebase_hz);
    t.ns_per_tick = 1e9 / (double)tick_hz;
    if (board->timebase_unit == UNIT_INSTRUCTIONS) {
        if (virtual_instructions(board, &t, err) < 0)
            return (int)err->code;
    } else if (board->timebase_unit == UNIT_CYCLES) {
        /* A prescaled timer still gives cycles, only coarser. */
        t.unit = UNIT_CYCLES;
        t.ticks_per_unit = (double)tick_hz / (double)board->clock_hz;
        t.exact = t.ticks_per_unit == 1.0;
    } else {
        t.unit = UNIT_NS;
        t.ticks_per_unit = (double)tick_hz / 1e9;
    }
    *ret = t;
    return 0;
}

double timebase_value(const struct timebase *t, uint64_t ticks, uint64_t overhead)
{
    double all = (double)ticks / t->ticks_per_unit;
    double empty = (double)overhead / t->ticks_per_unit;

    if (t->exact) {
        all = round(all);
        empty = round(empty);
    }
    return all > empty ? all - empty : 0;
}
