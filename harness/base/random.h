/* Random bytes from the kernel, and the version 4 UUIDs (RFC 9562) that name runs. */
#ifndef HARNESS_BASE_RANDOM_H
#define HARNESS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *data, size_t n);
uint64_t random_u64(void);

/* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" into text[37]. */
void random_uuid(char text[static 37]);

#endif
