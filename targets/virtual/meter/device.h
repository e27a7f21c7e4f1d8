/* What a kind of emulated meter is to tinyrig-vmeter: commands in, samples in, bytes out. */
#ifndef TARGETS_VIRTUAL_METER_DEVICE_H
#define TARGETS_VIRTUAL_METER_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/base.h"
#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "targets/virtual/meter/waveform.h"

enum {
    DEVICE_FAULTS_MAX = 32
};

/* Something that goes wrong once, when `at` samples were sent. */
struct device_fault {
    char kind[16];
    uint64_t n;
    uint64_t at;
    bool done;
};

struct device;

struct device_ops {
    const char *name;
    const char *help;
    size_t size;
    const char *const *faults;   /* kinds it knows, NULL-terminated */
    const char *const *variants; /* of what it says about itself; the first is the usual one */
    void (*init)(struct device *d);
    void (*command)(struct device *d, const uint8_t *bytes, size_t n);
    void (*sample)(struct device *d, const struct waveform_sample *s);
    void (*host_gone)(struct device *d);
};

struct device {
    const struct device_ops *ops;
    uint64_t seed;
    double noise; /* rms of the converter, in codes */
    const char *variant;
    bool stale; /* goes on streaming when the host is gone */
    uint64_t period_ns;
    /* state */
    bool streaming;
    unsigned streams; /* begun so far */
    bool powered;
    bool switched_on;  /* by the host */
    bool cut;          /* and off again: for good, with a variant "latch" */
    bool hang_up;      /* pull the cable now */
    unsigned stall_ms; /* say nothing for so long */
    uint64_t sent;     /* samples since start, those of losses included */
    uint64_t skip;     /* samples of a loss still to come */
    struct buf out;
    struct device_fault faults[DEVICE_FAULTS_MAX];
    int fault_count;
};

extern const struct device_ops *const device_kinds[]; /* NULL-terminated */

/* ERR_USAGE on an unknown kind or variant. */
int device_new(const char *kind, const char *variant, struct device **ret,
               struct err *err) MUST_CHECK;
void device_free(struct device *d);

/* "lose 64", "lose 64 at 100000": ERR_USAGE says what is wrong. */
int device_fault(struct device *d, const char *text, struct err *err) MUST_CHECK;
/* A fault that is due now, marked as done; NULL when none is. */
const struct device_fault *device_due(struct device *d);

/* The board's supply. The board of a variant "latch" does not come back from a cut by itself. */
void device_power(struct device *d, bool on);

/* Normal deviates from a small generator, seeded. */
double device_gauss(struct device *d);
uint64_t device_random(struct device *d);

#endif
