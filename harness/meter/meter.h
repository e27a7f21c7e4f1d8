/*
 * A power instrument: a sampler of current (and maybe voltage and marker lines), an integrator of
 * charge and energy, or both.
 *
 * A driver fills one const struct meter_ops and is named in registry.c; nothing else in the harness
 * knows it. harness/lab opens meters, harness/measure reads them:
 *
 *     open -> configure -> start -> read ... read -> stop -> (start ...) -> close
 *
 * Time is the index of a sample and never shifts: what an instrument lost is delivered as NAN
 * samples in its place and counted. Bytes of instruments are untrusted: bounded, never asserted.
 * Errors are ERR_METER (it is not what it should be, it broke), ERR_CONFIG (no such driver or
 * setting) and what the transport says.
 */
#ifndef HARNESS_METER_METER_H
#define HARNESS_METER_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"

#define METER_RANGES    8
#define METER_BLOCK_MAX 65536   /* samples in one block */
#define METER_GAP_MAX   1000000 /* lost samples in one piece; more is a broken stream */

/* As written in the lab file. NULL and 0 mean "not given". */
struct meter_config {
    const char *where;  /* device, host:port, file, program */
    const char *serial; /* USB serial number */
    bool virtual_time;  /* samples follow a virtual board's clock, not the host's */
    const char *by_id;  /* folder of serial links; NULL: /dev/serial/by-id */
    const char *sysfs;  /* hwmon: NULL: /sys/class/hwmon */
};

struct meter_setup {
    bool source;         /* supply the board; false: in series with its supply (ampere meter) */
    uint32_t voltage_uv; /* to supply, or what another supply gives */
    double rate_hz;      /* wanted; 0: the instrument's best */
};

/* Limits of error of one range, relative and absolute. */
struct meter_range {
    double gain;
    double offset_a;
};

enum meter_voltage_basis {
    METER_VOLTAGE_UNKNOWN,  /* charge only */
    METER_VOLTAGE_SETPOINT, /* the instrument supplies it */
    METER_VOLTAGE_USER,     /* somebody said so */
    METER_VOLTAGE_MEASURED, /* with every sample */
};
const char *meter_voltage_basis_name(enum meter_voltage_basis basis);

/* What it is and can do: filled by open, completed by configure. */
struct meter_info {
    char model[64];
    char serial[64];
    char firmware[128];
    bool emulated;   /* its numbers are made up */
    bool samples;    /* read() gives current over time */
    bool integrates; /* state() gives charge and energy since start */
    bool filtered;   /* blocks carry a second, filtered current */
    bool can_source, can_power;
    uint8_t markers; /* mask of the marker lines in `logic`; 0: it has none */
    bool falls_only; /* a bit in `logic` is the moment of a falling edge, not a level */
    uint32_t min_uv, max_uv;
    double rate_hz;
    enum meter_voltage_basis basis;
    double voltage_error; /* relative limits */
    double clock_error;
    struct meter_range ranges[METER_RANGES];
    char warning[256]; /* to be shown with results; "" */
};

/* Samples first .. first + count - 1. Good until the next call. */
struct meter_block {
    uint64_t first;
    size_t count; /* 0: nothing came in time */
    const float *current_a;
    const float *filtered_a; /* NULL without filter */
    const float *voltage_v;  /* NULL: not measured */
    const uint8_t *logic;    /* NULL: no marker lines */
    const uint8_t *range;    /* NULL: one range */
};

/* What went wrong since start. */
struct meter_counts {
    uint64_t samples;       /* delivered, lost ones included */
    uint64_t lost;          /* all */
    uint64_t lost_by_clock; /* of them, seen by the clock only: their place is known to 0.25 s */
    uint64_t gaps;
    uint64_t corrupted;   /* samples or records that make no sense */
    uint64_t resyncs;     /* byte alignment was lost and found again */
    uint64_t saturated;   /* at the end of a range's scale, mostly until the next one is on: NAN */
    uint64_t overloaded;  /* of them, in the highest range: more than the meter can measure */
    uint64_t unconverted; /* in a range without calibration */
    uint64_t switches;    /* of range */
};

struct meter_state {
    uint32_t voltage_uv; /* as read back; 0: it cannot tell */
    bool powered;
    double temperature_c; /* NAN: it cannot tell */
    /* integrators: since start */
    double seconds, charge_c, energy_j;
};

struct meter;

struct meter_ops {
    const char *name; /* the word used in a lab file's `driver:` */
    const char *help;
    size_t size; /* of the driver's struct, which begins with struct meter */
    /* Identify it and fill info; must leave it quiet, and the board's power as it was. */
    int (*open)(struct meter *m, const struct meter_config *config, struct err *err);
    /* Again, to another voltage: a board that it supplies already stays supplied. */
    int (*configure)(struct meter *m, const struct meter_setup *setup, struct err *err);
    int (*start)(struct meter *m, struct err *err);
    /* Waits up to timeout_ms for a block. 1: the stream is over (recordings, a pulled meter is an
     * error). Must not wait longer, whatever comes. */
    int (*read)(struct meter *m, unsigned timeout_ms, struct meter_block *ret, struct err *err);
    int (*stop)(struct meter *m, struct err *err);
    int (*power)(struct meter *m, bool on, struct err *err); /* NULL: no switch */
    int (*state)(struct meter *m, struct meter_state *ret, struct err *err);
    void (*close)(struct meter *m); /* must cope with a half-opened meter */
};

struct meter {
    const struct meter_ops *ops;
    struct meter_info info;
    struct meter_counts counts;
    struct buf calibration;   /* "key: value" lines: everything a conversion depended on */
    struct meter_setup setup; /* when configured */
    bool configured, started;
};

/* NULL-terminated, in the order `list meters` shows them. */
extern const struct meter_ops *const meter_drivers[];
const struct meter_ops *meter_driver_find(const char *name);

/* Drivers that this build lacks, and the library it was built without; ends with NULL. */
struct meter_absent {
    const char *name, *library;
};
extern const struct meter_absent meter_absent[];

int meter_open(const char *driver, const struct meter_config *config, struct meter **ret,
               struct err *err) MUST_CHECK;
/* To what it is set to already: it is left alone. */
int meter_configure(struct meter *m, const struct meter_setup *setup, struct err *err) MUST_CHECK;
int meter_start(struct meter *m, struct err *err) MUST_CHECK;
int meter_read(struct meter *m, unsigned timeout_ms, struct meter_block *ret,
               struct err *err) MUST_CHECK;
int meter_stop(struct meter *m, struct err *err) MUST_CHECK;
/* ERR_UNSUPPORTED without a switch. */
int meter_power(struct meter *m, bool on, struct err *err) MUST_CHECK;
int meter_state(struct meter *m, struct meter_state *ret, struct err *err) MUST_CHECK;
void meter_close(struct meter *m); /* NULL is fine; stops first */
DEFINE_AUTO(struct meter, meter_close)

#endif
