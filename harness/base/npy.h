/*
 * NumPy's .npy arrays (numpy.org, "NPY format", versions 1 to 3): number arrays in C order, as
 * doubles one by one. Called by harness/load and harness/measure on files nobody vouches for.
 */
#ifndef HARNESS_BASE_NPY_H
#define HARNESS_BASE_NPY_H

#include <stddef.h>

#include "harness/base/err.h"

enum {
    NPY_MAX_RANK = 8
};

struct npy {
    const unsigned char *data; /* in the file's bytes */
    size_t count;              /* elements */
    size_t dims[NPY_MAX_RANK];
    unsigned rank;
    char kind;        /* 'i', 'u', 'f', 'b' */
    unsigned element; /* bytes */
};

/* ERR_CONFIG when it is no such array or its data are cut off. The array points into `file`. */
int npy_parse(const void *file, size_t size, struct npy *ret, struct err *err) MUST_CHECK;
/* Element i < count. */
double npy_value(const struct npy *a, size_t i);

#endif
