/* The command line of a program of the virtual lab, built option by option. */
#ifndef HARNESS_VIRTUAL_ARGUMENTS_H
#define HARNESS_VIRTUAL_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"

enum {
    ARGUMENTS_MAX = 64 /* more are left out */
};

struct argument_list {
    const char *argv[ARGUMENTS_MAX + 1]; /* ends with NULL */
    size_t count;
    struct arena arena; /* of the numbers */
};

#define ARGUMENT_LIST_INIT                                                                         \
    {                                                                                              \
        .count = 0, .arena = ARENA_INIT                                                            \
    }

void argument_add(struct argument_list *a, const char *word);
void argument_add_pair(struct argument_list *a, const char *name, const char *value); /* or NULL */
void argument_add_hex(struct argument_list *a, const char *name, uint64_t value);
void argument_add_real(struct argument_list *a, const char *name,
                       double value); /* all its digits */
void argument_list_release(struct argument_list *a);

#endif
