/*
 * A board's supply, switched by what the lab file names: a hub's port (uhubctl), a GPIO line
 * (gpioset) or a command of the lab's own. Used by the recovery ladder; nothing here runs a shell.
 */
#ifndef HARNESS_LAB_POWER_SWITCH_H
#define HARNESS_LAB_POWER_SWITCH_H

#include <stdbool.h>

#include "harness/base/err.h"
#include "harness/base/proc.h"
#include "harness/spec/lab.h"

/*
 * The kernel keeps a GPIO line only as long as somebody has it open, so gpioset (libgpiod 1.x, as in
 * Debian 12) stays, with --mode=signal, until this is released. Then the line is as the chip leaves
 * it: boards are wired so that they have their supply then. Zeroed: nothing is held.
 */
struct power_line {
    struct proc gpioset;
    bool held;
};

void power_line_release(struct power_line *line);

/* False for kinds that are switched elsewhere (a meter's own switch). */
bool power_switch_can(const struct lab_power *p);

/*
 * uhubctl's exit status is not believed: it is known to do its work and then crash. Who called finds
 * out whether the board is back.
 */
int power_switch_set(const struct lab_power *p, bool on, struct power_line *line,
                     struct err *err) MUST_CHECK;

/* Off, the switch's off_time, on. */
int power_switch_cycle(const struct lab_power *p, struct power_line *line,
                       struct err *err) MUST_CHECK;

#endif
