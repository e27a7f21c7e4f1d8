/* <string.h> for freestanding code: what agents/ports/common/string.c implements. */
#ifndef AGENTS_PORTS_LIBC_STRING_H
#define AGENTS_PORTS_LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
