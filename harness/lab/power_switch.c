#include "harness/lab/power_switch.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/command.h"

enum {
    COMMAND_MS = 30000,
    OFF_MS_MAX = 120000
};

bool power_switch_can(const struct lab_power *p)
{
    return strcmp(p->kind, "meter") != 0;
}

static int run_uhubctl(const struct lab_power *p, bool on, struct err *err)
{
    char port[16];
    const char *const argv[] = {"uhubctl", "-l", p->location,       "-p",
                                port,      "-a", on ? "on" : "off", NULL};
    const struct command c = {.argv = argv, .timeout_ms = COMMAND_MS};
    int status = 0;

    (void)snprintf(port, sizeof(port), "%u", p->port);
    return command_run(&c, NULL, &status, err);
}

static int run_gpioset(const struct lab_power *p, bool on, struct err *err)
{
    char line[24];
    const char *const argv[] = {"gpioset", "--mode=exit", p->location, line, NULL};
    const struct command c = {.argv = argv, .timeout_ms = COMMAND_MS};

    (void)snprintf(line, sizeof(line), "%u=%d", p->port, on);
    return command_check(&c, NULL, err);
}

int power_switch_set(const struct lab_power *p, bool on, struct err *err)
{
    const struct command c = {.argv = on ? p->on : p->off, .timeout_ms = COMMAND_MS};
    int r;

    if (strcmp(p->kind, "uhubctl") == 0)
        r = run_uhubctl(p, on, err);
    else if (strcmp(p->kind, "gpio") == 0)
        r = run_gpioset(p, on, err);
    else if (strcmp(p->kind, "command") == 0)
        r = command_check(&c, NULL, err);
    else
        r = err_set(err, ERR_UNSUPPORTED, "kind %s is not switched from here", p->kind);
    return r < 0 ? err_in(err, "power switch '%s' %s", p->name, on ? "on" : "off") : 0;
}

int power_switch_cycle(const struct lab_power *p, struct err *err)
{
    const uint64_t off_ms = p->off_time_ns / 1000000u;

    if (power_switch_set(p, false, err) < 0)
        return (int)err->code;
    clock_sleep_ms((unsigned)(off_ms < OFF_MS_MAX ? off_ms : OFF_MS_MAX));
    return power_switch_set(p, true, err);
}
