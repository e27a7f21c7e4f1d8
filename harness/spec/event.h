/*
 * What a measurement says while it happens. harness/measure and harness/lab emit events; sinks
 * (progress on the terminal, harness/store) consume them. Neither side knows the other.
 *
 * An event is a view: its pointers are valid only during the call. Emitting says how far the sink
 * got: 0 means done (for the store: committed, no crash can lose it any more), EVENT_QUEUED that it
 * is taken and will be done together with a later event of its case. The ends of cases and runs are
 * never queued. Facts, outputs, windows, metrics and profiles belong between the CASE_BEGIN and the
 * CASE_END of their attempt. Emitting an event again changes nothing.
 */
#ifndef HARNESS_SPEC_EVENT_H
#define HARNESS_SPEC_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/spec/names.h"
#include "harness/spec/plan.h"

enum event_kind {
    EVENT_RUN_BEGIN,  /* one `tinyrig run`: a plan starts */
    EVENT_CASE_BEGIN, /* one attempt at one case starts */
    EVENT_FACT,       /* provenance of the current attempt: key = value */
    EVENT_OUTPUT,     /* one output tensor, compared */
    EVENT_WINDOW,     /* one measured window */
    EVENT_ENERGY,     /* what the meter saw of one window */
    EVENT_METRIC,     /* one derived or static figure */
    EVENT_PROFILE,    /* one operator's share */
    EVENT_RECOVERY,   /* a rung of the recovery ladder was used */
    EVENT_CASE_END,
    EVENT_RUN_END,
};

struct event_run {
    const struct plan *plan;
    const char *command_line;
    const char *host;
    uint64_t started_ns; /* realtime */
    /* The command line's, over the suite's: for those who resume. */
    uint32_t repeat; /* 0: as the suite says */
    bool interleave;
    const char *suite_file; /* absolute; NULL: not known */
    bool replayed;          /* records play the boards */
};

/*
 * Provenance is a set of facts, each a dimension that reports may compare by:
 * board.name, board.uid, firmware.sha256, firmware.build_id, compiler.version, model.sha256,
 * model.image_sha256, engine.version, clock.hz, timebase.kind, voltage.uv, meter.serial, ...
 */
struct event_fact {
    const char *key;
    const char *value;
};

struct event_output {
    uint32_t vector; /* index in the model's vectors; behind those, the samples of its data set */
    uint32_t tensor; /* 0: all output tensors of the model, one after the other */
    /* 0: the first check of the attempt. Of later ones (repeats, after windows) only what is wrong. */
    uint32_t pass;
    bool compared;
    bool equal;
    uint32_t first_difference; /* index of a byte, when not equal */
    uint32_t differences;      /* how many bytes differ */
    const void *data;
    size_t size;
};

/* Why a window does not count; 0 = valid. A bit each, so that reasons add up. */
#define INVALID_LIST(X)                                                                            \
    X(INVALID_CLOCK, "clock", "on-target clock disagrees with the host by more than 1 %")          \
    X(INVALID_SHORT, "short", "window shorter than asked")                                         \
    X(INVALID_OVERRUN, "overrun", "the counter wrapped")                                           \
    X(INVALID_LINK, "link", "the link was not silent")                                             \
    X(INVALID_OUTPUT, "output", "output changed during the window")                                \
    X(INVALID_RESIDUAL, "residual", "windows do not lie on a line")                                \
    X(INVALID_METER, "meter", "meter lost samples or disagreed")                                   \
    X(INVALID_GATE, "gate", "marker edges disagree with the counted time")
enum invalid_bit {
#define X(name, word, text) name##_BIT,
    INVALID_LIST(X)
#undef X
};
#define INVALID(name) (1u << name##_BIT)

/* What the first of the bits means, for people. */
const char *invalid_reason(uint32_t invalid);

struct event_window {
    uint32_t repeat; /* which run (reset) of this case */
    uint32_t index;  /* within the repeat, whatever kind of window it is */
    bool cold;       /* the very first inference after load: its own metric */
    uint32_t inferences;
    uint64_t ticks;    /* raw counter difference, overhead not removed */
    uint64_t overhead; /* ticks that an empty window costs */
    double value;      /* total in `unit`, overhead removed */
    enum unit unit;
    uint32_t invalid; /* INVALID_* bits */
    /* What it took for the host, of windows asked for at once each its share; never a latency. */
    uint64_t host_ns;
    /* Ticks of single inferences, packed (harness/spec/samples.h), or NULL. */
    const void *samples;
    size_t samples_size;
};

/* Totals of one energy window, beside its EVENT_WINDOW; NAN: not known. */
struct event_energy {
    uint32_t index; /* as of the EVENT_WINDOW, whose repeat is the attempt's last */
    uint32_t inferences;
    bool full;        /* the figures come from it; else a shorter one, for the slope */
    uint32_t invalid; /* INVALID_* bits */
    double duration_s;
    double gross_nj, net_nj, idle_nj, marker_nj;
    double gross_nc, net_nc;
    double mean_na, idle_na, peak_na, drift_na;
    double mean_uv;
    double systematic_nj, random_nj; /* uncertainty of net_nj, at about 95 % */
    uint64_t samples, lost;
};

struct event_metric {
    const char *name; /* "latency", "flash.code", "ram.arena": see harness/spec/metric.h */
    enum metric_class class_;
    enum unit unit;
    bool lower_is_better;
    double value;
    double low, high;   /* an interval when low < high */
    uint32_t n;         /* windows behind it; 1 for static figures */
    const char *budget; /* text of a budget on it, or NULL */
    bool over_budget;
};

struct event_profile {
    uint32_t index;
    const char *op;     /* "CONV_2D" */
    const char *kernel; /* which variant ran */
    double value;
    enum unit unit;
    uint64_t macs;
};

struct event_recovery {
    const char *rung;
    const char *reason;
    bool worked;
};

struct event_case_end {
    enum case_status status;
    enum err_code code;
    const char *failure_class; /* err_class_name(), or NULL */
    const char *stage;         /* "flash", "hello", "upload", "check", "measure", ... */
    const char *text;          /* what happened, for people */
    const char *hint;          /* the next thing to try, or NULL */
    const char *log;           /* console and tool output worth keeping with a failure, or NULL */
    uint64_t host_ns;
    bool retried; /* the lab's fault, mended: another attempt at the case follows */
};

struct event {
    enum event_kind kind;
    uint64_t at_ns;                /* realtime */
    const char *run_id;            /* UUID text */
    const struct plan_case *case_; /* NULL for RUN events */
    uint32_t attempt;              /* 0-based */
    union {
        struct event_run run;
        struct event_fact fact;
        struct event_output output;
        struct event_window window;
        struct event_energy energy;
        struct event_metric metric;
        struct event_profile profile;
        struct event_recovery recovery;
        struct event_case_end end;
    };
};

/* Outcome of emit: taken, not yet done. */
#define EVENT_QUEUED 1

struct event_sink {
    /* 0, EVENT_QUEUED, or negative with err filled. One thread at a time. */
    int (*emit)(struct event_sink *self, const struct event *event, struct err *err);
};

#endif
