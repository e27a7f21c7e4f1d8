#include "harness/tflite/fb.h"

#include <assert.h>
#include <string.h>

static void put_u16(struct buf *b, unsigned v)
{
    buf_append(b, (uint8_t[]){v & 0xff, v >> 8 & 0xff}, 2);
}

static void put_u32(struct buf *b, uint32_t v)
{
    put_u16(b, v & 0xffff);
    put_u16(b, v >> 16);
}

static void poke_u32(struct buf *b, size_t at, uint32_t v)
{
    uint8_t bytes[4] = {v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24};
    memcpy(b->data + at, bytes, 4);
}

static unsigned peek_u16(const struct buf *b, size_t at)
{
    return (uint8_t)b->data[at] | (unsigned)(uint8_t)b->data[at + 1] << 8;
}

static uint32_t peek_u32(const struct buf *b, size_t at)
{
    return peek_u16(b, at) | (uint32_t)peek_u16(b, at + 2) << 16;
}

/* Zero bytes until (length + lead) is a multiple of align. */
static void pad(struct buf *b, size_t lead, size_t align)
{
    while ((b->len + lead) % align != 0)
        buf_putc(b, 0);
}

static void point_here(struct buf *b, fb_slot_t slot)
{
    poke_u32(b, slot, (uint32_t)(b->len - slot));
}

fb_slot_t fb_begin(struct buf *b, const char identifier[static 4])
{
    put_u32(b, 0);
    buf_append(b, identifier, 4);
    return 0;
}

static size_t field_size(const struct fb_field *f)
{
    return f->kind == FB_U8 ? 1 : 4;
}

static void put_field(struct buf *b, const struct fb_field *f)
{
    uint32_t bits = (uint32_t)f->i;
    if (f->kind == FB_U8) {
        buf_putc(b, (char)f->i);
        return;
    }
    if (f->kind == FB_F32)
        memcpy(&bits, &f->f, 4);
    put_u32(b, f->kind == FB_REF ? 0 : bits);
}

enum {
    FIELDS_MAX = 32
};

/* Where each field stands in its table; four-byte ones first, so that none needs padding. */
struct table_layout {
    unsigned offset[FIELDS_MAX]; /* by field id; 0: left out */
    unsigned slots;              /* highest id + 1 */
    unsigned size;
};

static void place_fields(struct table_layout *t, const struct fb_field *fields, size_t count,
                         size_t size)
{
    for (size_t i = 0; i < count; i++) {
        unsigned id = fields[i].id;
        if (field_size(&fields[i]) != size)
            continue;
        assert(id < FIELDS_MAX && t->offset[id] == 0);
        t->offset[id] = t->size;
        t->size += (unsigned)size;
        t->slots = id + 1 > t->slots ? id + 1 : t->slots;
    }
}

static void put_fields(struct buf *b, const struct fb_field *fields, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (field_size(&fields[i]) == size)
            put_field(b, &fields[i]);
}

/* The vtable stands right before its table, which begins 4-aligned. */
size_t fb_table(struct buf *b, fb_slot_t slot, const struct fb_field *fields, size_t count)
{
    struct table_layout t = {.size = 4};
    place_fields(&t, fields, count, 4);
    place_fields(&t, fields, count, 1);
    unsigned vtable = 4 + 2 * t.slots;
    pad(b, vtable, 4);
    put_u16(b, vtable);
    put_u16(b, t.size);
    for (unsigned i = 0; i < t.slots; i++)
        put_u16(b, t.offset[i]);
    size_t table = b->len;
    point_here(b, slot);
    put_u32(b, vtable);
    put_fields(b, fields, count, 4);
    put_fields(b, fields, count, 1);
    return table;
}

fb_slot_t fb_slot(const struct buf *b, size_t table, unsigned id)
{
    size_t vtable = table - peek_u32(b, table);
    assert(4 + 2 * id < peek_u16(b, vtable));
    unsigned offset = peek_u16(b, vtable + 4 + 2 * (size_t)id);
    assert(offset != 0);
    return table + offset;
}

void fb_string(struct buf *b, fb_slot_t slot, const char *s)
{
    size_t n = strlen(s);
    pad(b, 0, 4);
    point_here(b, slot);
    put_u32(b, (uint32_t)n);
    buf_append(b, s, n + 1);
}

void fb_vector(struct buf *b, fb_slot_t slot, const void *data, size_t count, size_t element,
               size_t align)
{
    pad(b, 4, align < 4 ? 4 : align);
    point_here(b, slot);
    put_u32(b, (uint32_t)count);
    buf_append(b, data, count * element);
}

fb_slot_t fb_ref_vector(struct buf *b, fb_slot_t slot, size_t count)
{
    pad(b, 0, 4);
    point_here(b, slot);
    put_u32(b, (uint32_t)count);
    fb_slot_t first = b->len;
    for (size_t i = 0; i < count; i++)
        put_u32(b, 0);
    return first;
}
