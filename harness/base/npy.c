#include "harness/base/npy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_MAX = 4096
};

/* What follows 'key': in the header's dictionary, or NULL. */
static const char *find_key(const char *header, const char *key)
{
    const char *at = strstr(header, key);

    at = at == NULL ? NULL : strchr(at + strlen(key), ':');
    return at == NULL ? NULL : at + 1 + strspn(at + 1, " ");
}

/* "'<f4'", "'|u1'" */
static int read_type(const char *at, struct npy *a, struct err *err)
{
    if (at == NULL || *at != '\'' || strlen(at) < 5)
        return err_set(err, ERR_CONFIG, "the array's header has no plain 'descr'");
    a->kind = at[2];
    a->element = (unsigned)(at[3] - '0');
    if ((at[1] != '<' && at[1] != '|') || at[4] != '\'' || strchr("iufb", a->kind) == NULL ||
        (a->element != 1 && a->element != 2 && a->element != 4 && a->element != 8) ||
        (a->kind == 'f' && a->element < 4))
        return err_set(err, ERR_CONFIG,
                       "array type '%.3s' is not supported (little-endian i, u, f4, f8, b1 are)",
                       at + 1);
    return 0;
}

/* "(3, 4)", "(5,)", "()" */
static int read_shape(const char *at, size_t room, struct npy *a, struct err *err)
{
    if (at == NULL || *at != '(')
        return err_set(err, ERR_CONFIG, "the array's header has no 'shape'");
    a->count = 1;
    for (at++; *at != ')' && *at != '\0'; at += strspn(at, ", ")) {
        char *end = NULL;
        const unsigned long long n = strtoull(at, &end, 10);

        if (end == at || a->rank == NPY_MAX_RANK)
            return err_set(err, ERR_CONFIG, "the array's shape makes no sense");
        if (n != 0 && a->count > room / n)
            return err_set(err, ERR_CONFIG, "the array is cut off: its shape needs more data");
        a->dims[a->rank++] = (size_t)n;
        a->count *= (size_t)n;
        at = end;
    }
    if (a->count * a->element > room)
        return err_set(err, ERR_CONFIG, "the array is cut off: its shape needs more data");
    return 0;
}

int npy_parse(const void *file, size_t size, struct npy *ret, struct err *err)
{
    const unsigned char *bytes = file;
    char header[HEADER_MAX + 1];
    struct npy a = {.data = NULL};
    size_t start, n;

    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return err_set(err, ERR_CONFIG, "not a .npy array (as numpy.save() writes it)");
    start = bytes[6] == 1 ? 10 : 12;
    n = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] != 1)
        n |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (bytes[6] < 1 || bytes[6] > 3 || n > HEADER_MAX || n > size - start)
        return err_set(err, ERR_CONFIG, "the array's header makes no sense");
    memcpy(header, bytes + start, n);
    header[n] = '\0';
    a.data = bytes + start + n;
    const char *order = find_key(header, "'fortran_order'");
    if (order == NULL || strncmp(order, "False", 5) != 0)
        return err_set(err, ERR_CONFIG, "the array is not in C order");
    if (read_type(find_key(header, "'descr'"), &a, err) < 0 ||
        read_shape(find_key(header, "'shape'"), size - start - n, &a, err) < 0)
        return (int)err->code;
    *ret = a;
    return 0;
}

double npy_value(const struct npy *a, size_t i)
{
    const unsigned char *at = a->data + i * a->element;
    uint64_t u = 0;
    double d;
    float f;

    memcpy(&u, at, a->element); /* little-endian, as the hosts are */
    if (a->kind == 'f' && a->element == 4) {
        memcpy(&f, at, sizeof(f));
        return (double)f;
    }
    if (a->kind == 'f') {
        memcpy(&d, at, sizeof(d));
        return d;
    }
    if (a->kind == 'i') {
        const unsigned unused = 64 - 8 * a->element;

        return (double)((int64_t)(u << unused) >> unused);
    }
    return (double)u;
}
