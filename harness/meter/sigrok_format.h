/* One line of sigrok-cli's `analog` output: "P1: 12.34 mA DC". Pure; used by sigrok.c. */
#ifndef HARNESS_METER_SIGROK_FORMAT_H
#define HARNESS_METER_SIGROK_FORMAT_H

#include <stdbool.h>

struct sigrok_value {
    char channel[32];
    double value; /* in whole units */
    char unit;    /* 'A', 'V', or 0: another one */
};

/* False: no such line. A reading over range ("inf") is NAN. */
bool sigrok_line(const char *line, struct sigrok_value *ret);

/* `where` of the lab file: DRIVER[:OPTIONS][@RATE]#CURRENT[/OHMS][,VOLTAGE] */
struct sigrok_where {
    char driver[200];
    char rate[16]; /* as sigrok-cli takes it; "": readings come when they come */
    double rate_hz;
    char current[32];
    double shunt_ohm; /* 0: the channel is a current */
    char voltage[32]; /* "": none */
};

/* NULL, or what is wrong with it. */
const char *sigrok_where(const char *text, struct sigrok_where *ret);

#endif
