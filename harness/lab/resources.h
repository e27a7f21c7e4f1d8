/* What a board cannot be used without: itself, its probe, its meter, its power switch. */
#ifndef HARNESS_LAB_RESOURCES_H
#define HARNESS_LAB_RESOURCES_H

#include <stdbool.h>

#include "harness/spec/board.h"

enum {
    RESOURCES_MAX = 4,
    RESOURCE_NAME = 160
};

struct resources {
    char names[RESOURCES_MAX]
              [RESOURCE_NAME]; /* of locks: "virt-m4", "probe:066FFF", "meter:ppk2" */
    const char *list[RESOURCES_MAX];
    size_t count;
};

/* A board's own lock has its bare name; the others say what they are, so that none collide. */
void resources_of(const struct board *b, struct resources *ret);

/* They share an instrument, so they take turns. */
bool resources_clash(const struct board *a, const struct board *b);

#endif
