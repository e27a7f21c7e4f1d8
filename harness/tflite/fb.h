/*
 * A FlatBuffers writer: just what writing a .tflite needs.
 *
 * Format: flatbuffers.dev "Internals". Everything is written front to back, parents before the
 * things they point to, because offsets are unsigned and counted from where they are stored. A
 * table is written with empty references; each reference is then filled by writing its target.
 * Padding is always zero, so equal content gives equal bytes.
 */
#ifndef HARNESS_TFLITE_FB_H
#define HARNESS_TFLITE_FB_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/buf.h"

enum fb_kind {
    FB_U8,  /* also bool and byte enums */
    FB_I32, /* also uint */
    FB_F32,
    FB_REF, /* to a string, vector or table; filled later through fb_slot() */
};

struct fb_field {
    uint8_t id; /* position in the schema's table, unions count twice */
    enum fb_kind kind;
    int32_t i;
    float f;
};

/* A place in the buffer that holds a reference. */
typedef size_t fb_slot_t;

/* Write the root reference and the file identifier; returns the root's slot. */
fb_slot_t fb_begin(struct buf *b, const char identifier[static 4]);

/* Write a table where slot points; returns its position, for fb_slot(). Ids may come in any order. */
size_t fb_table(struct buf *b, fb_slot_t slot, const struct fb_field *fields, size_t count);

/* The slot of reference field `id` of the table at `table`, which must have been declared. */
fb_slot_t fb_slot(const struct buf *b, size_t table, unsigned id);

void fb_string(struct buf *b, fb_slot_t slot, const char *s);

/* count elements of `element` bytes, little-endian; the first one aligned to `align`. */
void fb_vector(struct buf *b, fb_slot_t slot, const void *data, size_t count, size_t element,
               size_t align);

/* A vector of references: returns the slot of its first element, the others follow 4 bytes apart. */
fb_slot_t fb_ref_vector(struct buf *b, fb_slot_t slot, size_t count);

#endif
