#include "harness/nn/flat.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file format is little-endian");

void flat_fail(struct flat *file, size_t pos, const char *what)
{
    if (!file->bad) {
        file->bad = what;
        file->bad_at = pos;
    }
}

/* True when n bytes may be read at pos. */
static bool holds(struct flat *f, size_t pos, size_t n, const char *what)
{
    if (!f->bad && pos <= f->size && n <= f->size - pos)
        return true;
    flat_fail(f, pos, what);
    return false;
}

static uint16_t get_u16(const struct flat *f, size_t pos)
{
    uint16_t v;

    memcpy(&v, f->data + pos, sizeof v);
    return v;
}

static uint32_t get_u32(const struct flat *f, size_t pos)
{
    uint32_t v;

    memcpy(&v, f->data + pos, sizeof v);
    return v;
}

static struct flat_table table_at(struct flat *f, size_t pos)
{
    struct flat_table none = {.file = f}, t = {.file = f, .pos = pos};

    if (!holds(f, pos, 4, "a table lies outside the file"))
        return none;
    int64_t vtable = (int64_t)pos - (int32_t)get_u32(f, pos);
    if (vtable < 0 || !holds(f, (size_t)vtable, 4, "a vtable lies outside the file")) {
        flat_fail(f, pos, "a vtable lies outside the file");
        return none;
    }
    t.vtable = (size_t)vtable;
    t.vtable_size = get_u16(f, t.vtable);
    t.size = get_u16(f, t.vtable + 2);
    if (t.vtable_size < 4 || t.vtable_size % 2 || t.size < 4) {
        flat_fail(f, t.vtable, "a vtable has an impossible size");
        return none;
    }
    if (!holds(f, t.vtable, t.vtable_size, "a vtable runs past the end of the file") ||
        !holds(f, pos, t.size, "a table runs past the end of the file"))
        return none;
    return t;
}

/* Where field `id` of n bytes lies; 0 when it was left out (or the file is bad). */
static size_t field_at(struct flat_table t, unsigned id, size_t n)
{
    size_t slot = 4 + 2 * (size_t)id;

    if (!t.pos || t.file->bad || slot + 2 > t.vtable_size)
        return 0;
    uint16_t offset = get_u16(t.file, t.vtable + slot);
    if (!offset)
        return 0;
    if (offset < 4 || offset + n > t.size) {
        flat_fail(t.file, t.vtable + slot, "a field lies outside its table");
        return 0;
    }
    return t.pos + offset;
}

/* Follow the forward distance stored at pos; 0 when the file is bad. */
static size_t follow(struct flat *f, size_t pos)
{
    if (!holds(f, pos, 4, "an offset lies outside the file"))
        return 0;
    uint32_t distance = get_u32(f, pos);
    if (distance < 4 || distance > f->size - pos) {
        flat_fail(f, pos, "an offset points outside the file");
        return 0;
    }
    return pos + distance;
}

struct flat_table flat_root(struct flat *f)
{
    size_t pos = follow(f, 0);

    return pos ? table_at(f, pos) : (struct flat_table){.file = f};
}

struct flat_table flat_sub(struct flat_table t, unsigned id)
{
    size_t at = field_at(t, id, 4);
    size_t pos = at ? follow(t.file, at) : 0;

    return pos ? table_at(t.file, pos) : (struct flat_table){.file = t.file};
}

bool flat_has(struct flat_table t, unsigned id)
{
    return field_at(t, id, 1) != 0;
}

uint8_t flat_u8(struct flat_table t, unsigned id, uint8_t missing)
{
    size_t at = field_at(t, id, 1);

    return at ? t.file->data[at] : missing;
}

int32_t flat_i32(struct flat_table t, unsigned id, int32_t missing)
{
    size_t at = field_at(t, id, 4);

    return at ? (int32_t)get_u32(t.file, at) : missing;
}

uint64_t flat_u64(struct flat_table t, unsigned id, uint64_t missing)
{
    size_t at = field_at(t, id, 8);
    uint64_t v = missing;

    if (at)
        memcpy(&v, t.file->data + at, sizeof v);
    return v;
}

float flat_f32(struct flat_table t, unsigned id, float missing)
{
    size_t at = field_at(t, id, 4);
    float v = missing;

    if (at)
        memcpy(&v, t.file->data + at, sizeof v);
    return v;
}

struct flat_vector flat_vector(struct flat_table t, unsigned id, size_t element, size_t limit)
{
    struct flat_vector v = {.file = t.file, .element = element};
    size_t at = field_at(t, id, 4);
    size_t pos = at ? follow(t.file, at) : 0;

    if (!pos || !holds(t.file, pos, 4, "a vector lies outside the file"))
        return v;
    size_t count = get_u32(t.file, pos);
    if (count > limit)
        flat_fail(t.file, pos, "a vector has more elements than this program accepts");
    else if (count > (t.file->size - pos - 4) / element)
        flat_fail(t.file, pos, "a vector runs past the end of the file");
    if (t.file->bad)
        return v;
    v.pos = pos + 4;
    v.count = count;
    return v;
}

struct flat_vector flat_string(struct flat_table t, unsigned id, size_t limit)
{
    return flat_vector(t, id, 1, limit);
}

int32_t flat_vector_i32(struct flat_vector v, size_t i)
{
    return i < v.count && v.element == 4 ? (int32_t)get_u32(v.file, v.pos + i * 4) : 0;
}

int64_t flat_vector_i64(struct flat_vector v, size_t i)
{
    int64_t n = 0;

    if (i < v.count && v.element == 8)
        memcpy(&n, v.file->data + v.pos + i * 8, sizeof n);
    return n;
}

float flat_vector_f32(struct flat_vector v, size_t i)
{
    float x = 0;

    if (i < v.count && v.element == 4)
        memcpy(&x, v.file->data + v.pos + i * 4, sizeof x);
    return x;
}

struct flat_table flat_vector_table(struct flat_vector v, size_t i)
{
    size_t pos = i < v.count && v.element == 4 ? follow(v.file, v.pos + i * 4) : 0;

    return pos ? table_at(v.file, pos) : (struct flat_table){.file = v.file};
}
