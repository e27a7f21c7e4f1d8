#include "harness/meter/scpi_format.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 1e6 /* volts and amperes are less */

int64_t scpi_line_length(const char *data, size_t n)
{
    const char *end = n > 0 ? memchr(data, '\n', n) : NULL;

    return end != NULL ? end - data + 1 : 0;
}

bool scpi_number(const char *text, double *ret)
{
    char *end;

    *ret = strtod(text, &end);
    return end != text && isfinite(*ret) && fabs(*ret) <= NUMBER_MAX;
}

int64_t scpi_block_begin(const char *data, size_t n, uint64_t *ret_size)
{
    char digits[10] = "";
    size_t length;

    if (n < 2)
        return 0;
    if (data[0] != '#' || data[1] < '1' || data[1] > '9')
        return -1;
    length = (size_t)(data[1] - '0');
    if (n < 2 + length)
        return 0;
    memcpy(digits, data + 2, length);
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)digits[i]))
            return -1;
    }
    *ret_size = strtoull(digits, NULL, 10);
    return (int64_t)(2 + length);
}

int64_t scpi_block_length(const char *data, size_t n)
{
    uint64_t size = 0;
    const int64_t begin = scpi_block_begin(data, n, &size);

    if (begin <= 0)
        return begin;
    if (size > SCPI_BLOCK_MAX)
        return -1;
    return n >= (uint64_t)begin + size + 1 ? begin + (int64_t)size : 0;
}

float scpi_float(const char *data, size_t k)
{
    const uint8_t *p = (const uint8_t *)data + k * sizeof(float);
    const uint32_t bits =
        (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
    float value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}
