/*
 * How the lab did: failures by class, and per board how its cases ended and what it took. What all
 * formats show of it comes from here.
 */
#ifndef HARNESS_REPORT_TROUBLE_H
#define HARNESS_REPORT_TROUBLE_H

#include "harness/base/arena.h"
#include "harness/spec/dataset.h"

struct trouble_board {
    const char *board;
    size_t cases; /* not counting those planned away */
    size_t measured;
    size_t wrong; /* outputs, or the agent */
    size_t lab_errors;
    size_t retries;
    size_t recoveries;
    size_t attempts; /* that were made: on a board in quarantine, or another's, none is */
    size_t spoilt;   /* of them, by the lab; an attempt that was followed by another counts */
};

/* Attempts that the lab spoilt, of all that were made; as v_flakes and the state of boards have it. */
double trouble_flake_rate(const struct trouble_board *b);

/* In the order of the dataset. */
size_t trouble_boards(const struct dataset *data, struct arena *arena,
                      const struct trouble_board **ret);

struct trouble_class {
    const char *name; /* "timeout" */
    size_t cases;
    const char *boards; /* "virt-m4, pico": may quote stored text */
};

/* Failure classes of cases that did not pass, most frequent first. */
size_t trouble_classes(const struct dataset *data, struct arena *arena,
                       const struct trouble_class **ret);

/* Is there anything to say: a failure, a retry, a recovery? */
bool trouble_any(const struct dataset *data);

#endif
