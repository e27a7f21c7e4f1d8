#include "harness/lab/power_switch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/command.h"

enum {
    COMMAND_MS = 30000,
    OFF_MS_MAX = 120000,
    REFUSES_MS = 500, /* gpioset that cannot have the line has ended by then */
    RELEASE_MS = 5000
};

bool power_switch_can(const struct lab_power *p)
{
    return strcmp(p->kind, "meter") != 0;
}

/* It is known to do its work and to fail or crash then: the board that answers, or not, is the judge. */
static int run_uhubctl(const struct lab_power *p, bool on, struct err *err)
{
    char port[16];
    const char *const argv[] = {"uhubctl", "-l", p->location,       "-p",
                                port,      "-a", on ? "on" : "off", NULL};
    const struct command c = {.argv = argv, .timeout_ms = COMMAND_MS, .may_crash = true};
    int status = 0;

    (void)snprintf(port, sizeof(port), "%u", p->port);
    return command_run(&c, NULL, &status, err);
}

void power_line_release(struct power_line *line)
{
    if (line->held)
        proc_stop(&line->gpioset, RELEASE_MS);
    line->held = false;
}

/* Why it ended though nobody told it to. */
static int refused(struct power_line *line, int status, struct err *err)
{
    char how[64];
    char said[200];
    const ssize_t n = read(line->gpioset.stdio[2], said, sizeof(said) - 1);
    size_t length = n > 0 ? (size_t)n : 0;

    power_line_release(line);
    proc_describe_status(status, how, sizeof(how));
    while (length > 0 && said[length - 1] == '\n')
        length--;
    return err_set(err, ERR_LAB, "'gpioset' %s%s%.*s", how, length > 0 ? ": " : "", (int)length,
                   said);
}

static int hold_line(const struct lab_power *p, bool on, struct power_line *line, struct err *err)
{
    char value[24];
    const char *const argv[] = {"gpioset", "--mode=signal", p->location, value, NULL};
    int status = 0;

    power_line_release(line);
    (void)snprintf(value, sizeof(value), "%u=%d", p->port, on);
    line->gpioset = (struct proc)PROC_INIT;
    if (proc_start(&line->gpioset,
                   &(struct proc_options){.argv = argv, .stdio = {PROC_NULL, PROC_NULL, PROC_PIPE}},
                   err) < 0)
        return (int)err->code;
    line->held = true;
    return proc_wait(&line->gpioset, REFUSES_MS, &status) ? refused(line, status, err) : 0;
}

int power_switch_set(const struct lab_power *p, bool on, struct power_line *line, struct err *err)
{
    const struct command c = {.argv = on ? p->on : p->off, .timeout_ms = COMMAND_MS};
    int r;

    if (strcmp(p->kind, "uhubctl") == 0)
        r = run_uhubctl(p, on, err);
    else if (strcmp(p->kind, "gpio") == 0)
        r = hold_line(p, on, line, err);
    else if (strcmp(p->kind, "command") == 0)
        r = command_check(&c, NULL, err);
    else
        r = err_set(err, ERR_UNSUPPORTED, "kind %s is not switched from here", p->kind);
    return r < 0 ? err_in(err, "power switch '%s' %s", p->name, on ? "on" : "off") : 0;
}

int power_switch_cycle(const struct lab_power *p, struct power_line *line, struct err *err)
{
    const uint64_t off_ms = p->off_time_ns / 1000000u;
    struct err ignored = ERR_INIT;

    if (power_switch_set(p, false, line, err) < 0) {
        /* It may be off all the same, and must not stay so. */
        (void)!power_switch_set(p, true, line, &ignored);
        return (int)err->code;
    }
    clock_sleep_ms((unsigned)(off_ms < OFF_MS_MAX ? off_ms : OFF_MS_MAX));
    return power_switch_set(p, true, line, err);
}
