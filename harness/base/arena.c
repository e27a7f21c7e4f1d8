#include "harness/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *older;
    size_t used;
    size_t size;
    _Alignas(max_align_t) unsigned char bytes[];
};

enum {
    FIRST_SIZE = 1024, /* many arenas are scratch, and never need more */
    BLOCK_SIZE = 16 * 1024
};

static struct arena_block *block_new(struct arena_block *older, size_t size)
{
    struct arena_block *b = calloc(1, sizeof(*b) + size);

    if (b == NULL)
        abort();
    b->older = older;
    b->size = size;
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    const size_t align = _Alignof(max_align_t);
    struct arena_block *b = a->newest;
    void *p;

    n = (n + align - 1) / align * align;
    if (b == NULL || b->size - b->used < n) {
        const size_t usual = b == NULL ? FIRST_SIZE : BLOCK_SIZE;

        b = block_new(b, n > usual ? n : usual);
        a->newest = b;
    }
    p = b->bytes + b->used;
    b->used += n;
    return p;
}

void *arena_dup(struct arena *a, const void *data, size_t n)
{
    void *p = arena_alloc(a, n);

    if (n > 0)
        memcpy(p, data, n);
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);

    memcpy(p, s, n);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    int n;
    char *p;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    p = arena_alloc(a, (size_t)n + 1);
    va_start(ap, fmt);
    (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}

void *arena_grow(struct arena *a, void *old, size_t count, size_t *capacity, size_t element)
{
    size_t wanted = *capacity == 0 ? 8 : *capacity * 2;
    void *p = arena_alloc(a, wanted * element);

    if (count > 0)
        memcpy(p, old, count * element);
    *capacity = wanted;
    return p;
}

void arena_release(struct arena *a)
{
    while (a->newest != NULL) {
        struct arena_block *older = a->newest->older;

        free(a->newest);
        a->newest = older;
    }
}
