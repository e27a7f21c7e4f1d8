/*
 * Reading a flatbuffer that nobody vouches for. Every access is checked against the file; the
 * first bad one is remembered and everything after it reads as absent, so that callers check once.
 *
 * Layout (public: "FlatBuffers internals"): a table starts with a signed 32-bit distance back to
 * its vtable; a vtable is u16 size, u16 table size, then one u16 offset into the table per field
 * id, 0 for a field left out. Strings, vectors and sub-tables are u32 distances forward.
 */
#ifndef HARNESS_NN_FLAT_H
#define HARNESS_NN_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flat {
    const uint8_t *data;
    size_t size;
    const char *bad; /* what was wrong; NULL while all is well */
    size_t bad_at;
};

struct flat_table {
    struct flat *file;
    size_t pos; /* 0: no such table */
    size_t vtable;
    uint16_t vtable_size;
    uint16_t size;
};

struct flat_vector {
    struct flat *file;
    size_t pos; /* of the first element */
    size_t count;
    size_t element; /* bytes */
};

struct flat_table flat_root(struct flat *file);
struct flat_table flat_sub(struct flat_table t, unsigned id); /* pos 0 when left out */
bool flat_has(struct flat_table t, unsigned id);

uint8_t flat_u8(struct flat_table t, unsigned id, uint8_t missing);
int32_t flat_i32(struct flat_table t, unsigned id, int32_t missing);
uint64_t flat_u64(struct flat_table t, unsigned id, uint64_t missing);
float flat_f32(struct flat_table t, unsigned id, float missing);

/* A vector of `element`-byte elements; more than `limit` elements is an error. */
struct flat_vector flat_vector(struct flat_table t, unsigned id, size_t element, size_t limit);
struct flat_vector flat_string(struct flat_table t, unsigned id, size_t limit);

int32_t flat_vector_i32(struct flat_vector v, size_t i);
int64_t flat_vector_i64(struct flat_vector v, size_t i);
float flat_vector_f32(struct flat_vector v, size_t i);
struct flat_table flat_vector_table(struct flat_vector v, size_t i);

/* Remember a mistake (the first one counts). */
void flat_fail(struct flat *file, size_t pos, const char *what);

#endif
