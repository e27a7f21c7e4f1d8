/*
 * What a firmware image costs in flash and RAM, read from its ELF file and its linker map.
 *
 * Flash = code + constants + the initial values of .data: the sum of what a programmer writes. RAM
 * = .data + .bss; a section named .stack or .heap is a reservation and told apart, because the
 * high-water mark measured on the board says what it really takes. Constants include .rodata and
 * notes in flash; GNU size's "text" is code + constants. On AVR, EEPROM and fuses (addresses from
 * 0x810000 on) are left out.
 *
 * Called by harness/measure and `tinyrig footprint`. Files are untrusted: libelf checks offsets,
 * sizes and counts are bounded here.
 */
#ifndef HARNESS_ELF_FOOTPRINT_H
#define HARNESS_ELF_FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/base/arena.h"
#include "harness/base/err.h"

/* Bytes by what they are. */
struct footprint_bytes {
    uint64_t code;
    uint64_t constants;
    uint64_t data; /* in flash and in RAM */
    uint64_t bss;
    uint64_t reserved; /* stack and heap sections */
};

/* One object file of the image: "libkernels-cm4f.a(conv.c.o)" is archive and object. */
struct footprint_object {
    const char *archive; /* without its folder; "" for an object that is in none */
    const char *object;  /* "lto.o" for what was optimised at link time, whatever it came from */
    struct footprint_bytes bytes;
};

struct footprint_section {
    const char *name;
    uint64_t address, size;
    uint64_t *counted; /* the field of `total` that it adds to; NULL: none */
};

struct footprint {
    const char *machine; /* "arm", "riscv", "avr", or a number */
    struct footprint_bytes total;
    const char *build_id; /* hex; "" when there is none */
    const char *note;     /* text of the TINYRIG note: key=value lines; "" when there is none */
    const struct footprint_object *objects; /* from the map; largest flash first */
    size_t object_count;
};

uint64_t footprint_flash(const struct footprint_bytes *b);
uint64_t footprint_ram(const struct footprint_bytes *b);

/*
 * Read an ELF32 file; a map of the same name with .map instead of .elf, when there is one, gives
 * the objects. ERR_CONFIG when it is no ELF32 executable or its map does not fit to it.
 */
int footprint_read(const char *path, struct arena *arena, struct footprint *ret,
                   struct err *err) MUST_CHECK;

/* The same from memory, for tests and fuzzing; map may be NULL. */
int footprint_parse(const void *elf, size_t size, const char *map, const char *name,
                    struct arena *arena, struct footprint *ret, struct err *err) MUST_CHECK;

/* The value of a key of the note, or NULL. */
const char *footprint_note_value(const struct footprint *f, const char *key, struct arena *arena);

/*
 * Sum over the objects whose archive begins with prefix. Archives of our build (agents/ports):
 * "libcore-", "libport-" (both within "lto.o" on Cortex-M0), "libnull-", "libengines-", "libkernels-".
 */
struct footprint_bytes footprint_of(const struct footprint *f, const char *prefix);

#endif
