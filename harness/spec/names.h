/* The enums that files, the store and the reports share, each with its one spelling. */
#ifndef HARNESS_SPEC_NAMES_H
#define HARNESS_SPEC_NAMES_H

/* What kind of world a number comes from. Numbers of two realms are never compared. */
#define REALM_LIST(X)                                                                              \
    X(REALM_SILICON, "silicon")                                                                    \
    X(REALM_VIRTUAL, "virtual")

/* What one tick of a series counts. */
#define UNIT_LIST(X)                                                                               \
    X(UNIT_CYCLES, "cycles")             /* a real or cycle-exact counter */                       \
    X(UNIT_INSTRUCTIONS, "instructions") /* emulated: QEMU icount */                               \
    X(UNIT_NS, "ns")                                                                               \
    X(UNIT_BYTES, "bytes")                                                                         \
    X(UNIT_COUNT, "count")                                                                         \
    X(UNIT_RATIO, "ratio")                                                                         \
    X(UNIT_PPM, "ppm")                                                                             \
    X(UNIT_NJ, "nJ")                                                                               \
    X(UNIT_NC, "nC")                                                                               \
    X(UNIT_NA, "nA")                                                                               \
    X(UNIT_UV, "uV")

/* How a metric is judged (see harness/stats): exact needs no statistics. */
#define METRIC_CLASS_LIST(X)                                                                       \
    X(METRIC_EXACT, "exact")                                                                       \
    X(METRIC_CYCLE, "cycle")                                                                       \
    X(METRIC_TIME, "time")                                                                         \
    X(METRIC_ENERGY, "energy")                                                                     \
    X(METRIC_SCORE, "score")                                                                       \
    X(METRIC_INFO, "info") /* shown, never judged */

/* How a case ended. The ones after `failed` are not verdicts on the model. */
#define CASE_STATUS_LIST(X)                                                                        \
    X(CASE_PASSED, "passed")    /* outputs right, measured, within budgets */                      \
    X(CASE_OVER, "over-budget") /* outputs right, measured, a budget broken */                     \
    X(CASE_FAILED, "failed")    /* the model or the agent is wrong */                              \
    X(CASE_ERROR, "error")      /* the lab is at fault */                                          \
    X(CASE_SKIPPED, "skipped")  /* planned away, with a reason */                                  \
    X(CASE_CANCELLED, "cancelled")

#define SPEC_ENUM(list, tag)                                                                       \
    enum tag {                                                                                     \
        list(SPEC_ENUM_ROW)                                                                        \
    };                                                                                             \
    const char *tag##_name(enum tag value); /* "?" when out of range */                            \
    int tag##_find(const char *name)        /* -1 when there is no such name */
#define SPEC_ENUM_ROW(name, word) name,

SPEC_ENUM(REALM_LIST, realm);
SPEC_ENUM(UNIT_LIST, unit);
SPEC_ENUM(METRIC_CLASS_LIST, metric_class);
SPEC_ENUM(CASE_STATUS_LIST, case_status);

#endif
