/* Answers of SCPI instruments as bytes, pure: lines, numbers, definite blocks of IEEE 488.2. */
#ifndef HARNESS_METER_SCPI_FORMAT_H
#define HARNESS_METER_SCPI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCPI_BLOCK_MAX (1u << 20)

/* Bytes of the line at the front, its end included; 0: it has no end yet. */
int64_t scpi_line_length(const char *data, size_t n);

/* False for what is no number, and for the 9.9E37 that stands for none. */
bool scpi_number(const char *text, double *ret);

/* Where the data of "#<digits><length><data>" begins, 0 while unknown, -1 when it is no block. */
int64_t scpi_block_begin(const char *data, size_t n, uint64_t *ret_size);

/* Up to the end of its data, once that and a line end are there; 0 before, -1: no block. */
int64_t scpi_block_length(const char *data, size_t n);

/* The k-th big-endian float. */
float scpi_float(const char *data, size_t k);

#endif
