/*
 * One arena per loaded file: everything that came from the file is freed in one go.
 *
 * Allocation never fails (a small host allocation that fails aborts); sizes that come from
 * outside must be bounded by the caller first. Memory is zeroed.
 */
#ifndef HARNESS_BASE_ARENA_H
#define HARNESS_BASE_ARENA_H

#include <stddef.h>

#include "harness/base/base.h"

struct arena {
    struct arena_block *newest;
};

#define ARENA_INIT                                                                                 \
    {                                                                                              \
        .newest = NULL                                                                             \
    }

void *arena_alloc(struct arena *a, size_t n);
void *arena_dup(struct arena *a, const void *data, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Room for one more element at the end of a growing array; capacity doubles as needed. */
#define ARENA_PUSH(a, array, count, capacity)                                                      \
    ((count) == (capacity) ? ((array) = arena_grow((a), (array), (count), &(capacity),             \
                                                   sizeof(__typeof__(*(array)))),                  \
                              &(array)[(count)++])                                                 \
                           : &(array)[(count)++])
void *arena_grow(struct arena *a, void *old, size_t count, size_t *capacity, size_t element);

void arena_release(struct arena *a);

#endif
