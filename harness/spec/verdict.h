/* What a comparison says about one metric of one case, and how much a difference in provenance
 * matters to it. The last five verdicts are never folded into "fine". */
#ifndef HARNESS_SPEC_VERDICT_H
#define HARNESS_SPEC_VERDICT_H

#include <stdint.h>

#include "harness/spec/names.h"

#define VERDICT_LIST(X)                                                                            \
    X(VERDICT_IMPROVED, "improved")         /* effect above the floor, and evidence for it */      \
    X(VERDICT_REGRESSED, "regressed")       /* the same, in the bad direction */                   \
    X(VERDICT_UNCHANGED, "unchanged")       /* a change above the floor can be ruled out */        \
    X(VERDICT_WITHIN_NOISE, "within-noise") /* what is seen could as well be noise */              \
    X(VERDICT_INCONCLUSIVE, "inconclusive") /* too few windows to tell */                          \
    X(VERDICT_NO_BASELINE, "no-baseline")   /* nothing to compare with */                          \
    X(VERDICT_INCOMPARABLE, "incomparable") /* the two differ in something that forbids it */      \
    X(VERDICT_INVALID, "invalid")           /* not measured, or the measurement was refused */     \
    X(VERDICT_FAILED, "failed")             /* the model or the agent is wrong */

/* How much a difference between two cases' facts matters. */
#define DIFFERENCE_LEVEL_LIST(X)                                                                   \
    X(DIFFERENCE_IGNORE, "ignore")             /* changes from run to run: ports, temperature */   \
    X(DIFFERENCE_INFORM, "inform")             /* shown: it may well be the cause of a change */   \
    X(DIFFERENCE_METRIC_BLOCK, "metric-block") /* metrics of some classes cannot be compared */    \
    X(DIFFERENCE_BLOCK, "block")               /* nothing of the case can be compared */

SPEC_ENUM(VERDICT_LIST, verdict);
SPEC_ENUM(DIFFERENCE_LEVEL_LIST, difference_level);

/* Silence for a known trouble: measured and stored, shown as muted, not counted by the gate. */
struct mute {
    const char *key;     /* pattern over case keys; NULL: all */
    const char *metric;  /* pattern over metrics; NULL: all */
    uint64_t set_ns;     /* realtime */
    uint64_t expires_ns; /* realtime; 0: never */
    const char *reason;
};

#endif
