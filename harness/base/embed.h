/* A text file compiled into the program by harness/base/embed.py. */
#ifndef HARNESS_BASE_EMBED_H
#define HARNESS_BASE_EMBED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* without its folder */
    const char *text; /* NUL-terminated */
    size_t size;      /* without the NUL */
};

#endif
