/*
 * May this change go in? A comparison turned into one answer with its exit status.
 *
 * A regression of something that scatters is worth a second look before it stops people: the caller
 * reruns the cases of gate.confirm (base and candidate interleaved where both images are at hand),
 * compares again and asks again with `rerun`; a regression then stands only when both say so. Exact
 * metrics, failures and budgets need no confirmation.
 */
#ifndef HARNESS_JUDGE_GATE_H
#define HARNESS_JUDGE_GATE_H

#include "harness/judge/compare.h"

/* outcome, word, exit status (STYLE of the command line; README) */
#define GATE_LIST(X)                                                                               \
    X(GATE_PASSED, "passed", 0)                                                                    \
    X(GATE_FAILED, "failed", 1)           /* a regression, a failure or a broken budget */         \
    X(GATE_LAB, "lab-failure", 3)         /* nothing could be judged: the lab is at fault */       \
    X(GATE_PARTIAL, "partial", 4)         /* what was judged is fine, but some cases were not */   \
    X(GATE_NO_BASELINE, "no-baseline", 5) /* nothing to compare with */

enum gate_outcome {
#define X(name, word, status) name,
    GATE_LIST(X)
#undef X
};

const char *gate_outcome_name(enum gate_outcome outcome);
int gate_exit_status(enum gate_outcome outcome);

struct gate_options {
    /*
     * Strict: whatever was not shown to be fine fails: inconclusive, incomparable, invalid; and a
     * single metric without a baseline is no-baseline. Lenient: those are listed and do not fail,
     * as long as something was judged at all.
     */
    bool strict;
    double
        tolerance; /* an exact metric that got worse by this share or less is a remark; 0: none */
    const struct comparison *rerun; /* NULL: regressions count at once */
};

enum gate_weight {
    GATE_FAILS,   /* this alone fails the gate */
    GATE_LACKS,   /* not judged: keeps the gate from a full pass in strict mode */
    GATE_REMARKS, /* worth saying: improved, muted, not confirmed */
};

/* One thing to tell people about; what is merely unchanged is not listed. */
struct gate_finding {
    enum gate_weight weight;
    enum verdict verdict;
    const struct compare_case *case_;
    const struct compare_row *row; /* NULL: the whole case */
    const char *text;              /* for people; may quote stored text: escape it */
};

struct gate {
    enum gate_outcome outcome;
    const struct gate_finding *findings; /* failing ones first, then in the order of cases */
    size_t finding_count;
    const struct compare_case *const *confirm; /* cases to rerun before failing */
    size_t confirm_count;
    size_t judged; /* metrics with a verdict of improved .. inconclusive */
};

void gate_judge(const struct comparison *c, const struct gate_options *options, struct arena *arena,
                struct gate *ret);

#endif
