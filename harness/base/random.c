#include "harness/base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *data, size_t n)
{
    unsigned char *p = data;

    while (n > 0) {
        const ssize_t got =
            getrandom(p, n > 256 ? 256 : n, 0); /* 256 and less is never cut short */

        if (got <= 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

uint64_t random_u64(void)
{
    uint64_t v;

    random_bytes(&v, sizeof(v));
    return v;
}

void random_uuid(char text[static 37])
{
    uint8_t b[16];

    random_bytes(b, sizeof(b));
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    (void)snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                   b[13], b[14], b[15]);
}
