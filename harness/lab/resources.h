/*
 * What a board cannot be used without: itself, its probe, its meter, its power switch. Instruments go by
 * their names in the lab file and by what they are (serial number, address, port of a hub), so that two
 * names or two lab files for one thing do not meet on it.
 */
#ifndef HARNESS_LAB_RESOURCES_H
#define HARNESS_LAB_RESOURCES_H

#include <stdbool.h>

#include "harness/spec/board.h"
#include "harness/spec/lab.h"
#include "harness/spec/plan.h"

enum {
    RESOURCES_MAX = 12,
    RESOURCE_NAME = 160
};

struct resources {
    char names[RESOURCES_MAX]
              [RESOURCE_NAME]; /* of locks: "virt-m4", "probe:066FFF", "meter:ppk2" */
    const char *list[RESOURCES_MAX];
    size_t count;
};

/*
 * A board's own lock has its bare name; the others say what they are, so that none collide. `meter` is
 * one that a suite names for it beside its own, NULL when it names none; lab: NULL when there is none.
 */
void resources_of(const struct board *b, const struct lab *lab, const char *meter,
                  struct resources *ret);

bool resources_hold(const struct resources *r, const struct lab_meter *m);

/* A meter alone: one that a suite names for a board that has another, or none. */
void resources_of_meter(const struct lab_meter *m, struct resources *ret);

/* What a board's cases of a plan need: its own and the meter that the suite names for it. */
void resources_of_plan(const struct plan *plan, const struct board *b, struct resources *ret);

/* They share an instrument, so they take turns. */
bool resources_clash(const struct resources *a, const struct resources *b);

#endif
