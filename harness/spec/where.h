/* Where something was written, for errors and for reasons that people follow back to a file. */
#ifndef HARNESS_SPEC_WHERE_H
#define HARNESS_SPEC_WHERE_H

struct where {
    const char *file;
    unsigned line; /* 1-based; 0: not from a file */
    unsigned column;
};

#endif
