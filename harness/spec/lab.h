/*
 * The lab inventory: which boards can be used from this host, and with which instruments.
 * Filled by harness/load from config/lab.yaml; with no such file, all virtual boards.
 */
#ifndef HARNESS_SPEC_LAB_H
#define HARNESS_SPEC_LAB_H

#include <stddef.h>
#include <stdint.h>

#include "harness/spec/board.h"

/* One power instrument. */
struct lab_meter {
    const char *name;
    const char *driver;     /* a name in harness/meter/registry.c */
    const char *where;      /* device, by-id path, host:port, file to replay */
    const char *serial;     /* USB serial number */
    const char *mode;       /* "ampere" (default): in series; "source": supplies the board */
    uint32_t voltage_uv;    /* to supply or regulate; 0: the board's nominal voltage */
    uint32_t rate_hz;       /* samples a second; 0: its usual rate */
    uint32_t channels;      /* of the mux behind it; 0: none, boards take turns by hand */
    const char *const *mux; /* argv that selects {channel}; NULL-terminated; NULL: no mux */
    struct where where_declared;
};

/* One way to switch a board's supply. */
struct lab_power {
    const char *name;
    const char *kind;      /* uhubctl, meter, gpio, command */
    const char *location;  /* uhubctl: hub location; gpio: chip */
    uint32_t port;         /* uhubctl: port; gpio: line */
    const char *meter;     /* kind meter: which */
    const char *const *on; /* kind command: argv, NULL-terminated */
    const char *const *off;
    uint64_t off_time_ns; /* how long off before on again; default 2 s */
    struct where where;
};

struct lab {
    const char *name;                  /* "virtual" without a lab file */
    const char *path;                  /* NULL without a lab file */
    const struct board *const *boards; /* that can be used, by name; see `maintenance` */
    size_t board_count;
    const struct board *const *known; /* every kind on the search path, attached or not */
    size_t known_count;
    const struct lab_meter *meters;
    size_t meter_count;
    const struct lab_power *powers;
    size_t power_count;
    /*
     * The only programs that board files may name (absolute paths, or names looked up in PATH);
     * load has checked the boards against it. The lab file's own argv are allowed by being there.
     */
    const char *const *commands; /* NULL-terminated */
    const char *const *labgrid;  /* argv of labgrid's client; NULL: no such addresses */
    const char *const *notify;   /* argv that is told of another verdict; NULL: nobody */
};

/* By name; NULL when there is none, or no name or lab to look in. */
const struct lab_meter *lab_find_meter(const struct lab *lab, const char *name);
const struct lab_power *lab_find_power(const struct lab *lab, const char *name);

#endif
