/*
 * The fault laboratory's way in: faults for virtual boards, one start of a board after the other.
 *
 * TINYRIG_FAULT_DIR holds "<board>.faults" files; each line is what is armed at one start of that
 * board's supervisor ("reset after 200; garble from-board prob 0.001", words as `tinyrig-vboard`
 * takes them behind `fault`; an empty line: nothing). The first line is taken out of the file as it
 * is armed, so that a recovered board starts with the next one. Only virtual boards have this.
 * "@STEP FAULT" waits for the harness to come to a step: connect, reset, erase, write, verify, load,
 * inject, start, link, upload (flash.h says which of them a method has); "@write#2" for the second
 * time. When the session ends, what the board counted is appended to "<board>.status" beside it.
 * TINYRIG_FAULT_SEED seeds random faults; TINYRIG_FAULT_ANSWER_MS shortens the wait for an answer.
 */
#ifndef HARNESS_LAB_FAULT_PLAN_H
#define HARNESS_LAB_FAULT_PLAN_H

#include "harness/base/err.h"
#include "harness/lab/session.h"
#include "harness/virtual/vboard.h"

/* What the environment says, into options; nothing when it says nothing. */
void fault_plan_options(struct session_options *options);

/* What waits for a step. */
struct fault_plan {
    char waiting[1024]; /* "STEP FAULT;..." */
};

/* folder may be NULL: nothing happens. ERR_CONFIG names a line that the board does not take. */
int fault_plan_arm(struct fault_plan *plan, const char *folder, struct vboard *v, const char *board,
                   struct err *err) MUST_CHECK;

/* The harness comes to a step. */
void fault_plan_step(struct fault_plan *plan, struct vboard *v, const char *step);

/* The session is about to end. folder or v may be NULL. */
void fault_plan_report(const char *folder, struct vboard *v, const char *board);

#endif
