/* Shared by the files of harness/measure: one attempt at one case while it runs. */
#ifndef HARNESS_MEASURE_INTERNAL_H
#define HARNESS_MEASURE_INTERNAL_H

#include "harness/measure/emit.h"
#include "harness/measure/measure.h"
#include "harness/measure/timebase.h"
#include "harness/nn/nn.h"

struct windows {
    struct event_window *items;
    size_t count, capacity;
};

/* What the board's clock was found to be off, once per round of windows. */
struct clock_checks {
    double *ppm;
    size_t count, capacity;
    double low, high; /* what all of them allow for */
};

struct attempt {
    const struct measure_options *options;
    const struct plan_case *c;
    struct session *session;
    bool *fresh; /* shared by the attempts on the board: no reset is due */
    struct emitter out;
    const char *stage; /* what is being done, for failures */

    struct buf image;    /* compiled model; empty for engines without one */
    struct buf open_log; /* what was said when no session could be opened */
    struct nn_report report;
    bool has_report;
    uint32_t load_options;
    unsigned engine; /* number in the agent */
    uint32_t engine_caps;
    struct wire_loaded loaded;
    struct timebase timebase;
    uint32_t repeat;
    double warm_ticks;          /* of one warm inference; > 0 once measured */
    uint64_t warm_host_ns;      /* ... the most that the host saw, link included */
    uint32_t window_inferences; /* of the shortest window of the last round */
    uint32_t window_index;      /* of the next window in this repeat */
    struct windows windows;     /* of all repeats, for the fit */
    struct clock_checks clock;  /* the same */
    uint32_t passes;            /* checks of the outputs so far */
    uint64_t started_ns;
    unsigned tries; /* attempts of this worker that came before */
    bool ended;
};

/* False for the null engine and for workloads: no model is placed, no golden outputs exist. */
bool attempt_computes(const struct attempt *a);

/* compile.c: the image and its report; 1 when the engine reads the model file itself. */
/* A file that the suite names: when it cannot be read, that is the suite's fault and not the lab's. */
int suite_file_read(const char *path, size_t limit, struct buf *ret, struct err *err) MUST_CHECK;

struct compile_request {
    const struct board *board;
    const char *engine;
    const char *path;
    uint32_t variants; /* mask of the kernels to choose from; 0: reference only */
};
int compile_for_engine(const struct compile_request *request, struct buf *ret_image,
                       struct nn_report *ret_report, struct err *err) MUST_CHECK;
int attempt_compile(struct attempt *a, struct err *err) MUST_CHECK;

/* check.c: golden vectors; emits outputs, returns ERR_OUTPUT when one is wrong. */
int attempt_check(struct attempt *a, struct err *err) MUST_CHECK;
/* The first vector again, after the windows: the board still computes the right thing. */
int attempt_check_again(struct attempt *a, struct err *err) MUST_CHECK;

/* dataset.c: labelled samples, once per attempt; outputs and the score as events. */
int attempt_dataset(struct attempt *a, struct err *err) MUST_CHECK;

/* windows.c: warm-up, sizing, windows; then the line through those of all repeats. */
int attempt_windows(struct attempt *a, struct err *err) MUST_CHECK;
int attempt_latency(struct attempt *a, struct err *err) MUST_CHECK;
/* One figure of all clock checks, however the attempt ends. */
int attempt_clock(struct attempt *a, struct err *err) MUST_CHECK;

/* profile.c: an extra pass with the cost of each operator, never inside a window. */
int attempt_profile(struct attempt *a, struct err *err) MUST_CHECK;

/* energy.c: current and energy, when the suite asks for them. */
int attempt_energy(struct attempt *a, struct err *err) MUST_CHECK;

/* memory.c: flash and RAM. */
int attempt_memory(struct attempt *a, struct err *err) MUST_CHECK;
/* facts.c: provenance. */
int attempt_facts(struct attempt *a, struct err *err) MUST_CHECK;

/* How long the host may wait for so many inferences. */
unsigned attempt_allowance_ms(const struct attempt *a, uint64_t inferences);

#endif
