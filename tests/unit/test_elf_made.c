/* Firmware files made by hand, good and bad; real ones are in test_elf.c and tests/firmware. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "harness/base/base.h"
#include "harness/elf/footprint.h"
#include "harness/elf/image.h"

/* ---- a small linker ---- */

struct section {
    const char *name;
    const void *data; /* NULL: zeros, or nothing for NOBITS */
    uint32_t type;
    uint32_t flags;
    uint32_t address;
    uint32_t size;
    uint32_t link;
    uint32_t entry;
};

struct made {
    uint8_t bytes[8192];
    size_t n;
};

static uint32_t put(struct made *m, const void *data, size_t n)
{
    const size_t at = (m->n + 3) & ~(size_t)3;

    assert_true(at + n <= sizeof(m->bytes));
    memset(m->bytes + m->n, 0, at + n - m->n);
    if (data != NULL)
        memcpy(m->bytes + at, data, n);
    m->n = at + n;
    return (uint32_t)at;
}

/* Sections in order, their names, one PT_LOAD for each that has bytes to load. */
static void make(struct made *m, uint16_t machine, const struct section *list, size_t count)
{
    Elf32_Shdr headers[16] = {0};
    Elf32_Phdr loads[8] = {0};
    Elf32_Ehdr header = {.e_type = ET_EXEC,
                         .e_machine = machine,
                         .e_version = EV_CURRENT,
                         .e_entry = 0x41,
                         .e_ehsize = sizeof(header),
                         .e_phentsize = sizeof(Elf32_Phdr),
                         .e_shentsize = sizeof(Elf32_Shdr)};
    char names[256] = "";
    size_t names_size = 1;

    memset(m, 0, sizeof(*m));
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    (void)put(m, NULL, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        Elf32_Shdr *s = &headers[i + 1];

        *s = (Elf32_Shdr){.sh_name = (uint32_t)names_size,
                          .sh_type = list[i].type,
                          .sh_flags = list[i].flags,
                          .sh_addr = list[i].address,
                          .sh_size = list[i].size,
                          .sh_link = list[i].link,
                          .sh_entsize = list[i].entry};
        names_size += (size_t)sprintf(names + names_size, "%s", list[i].name) + 1;
        s->sh_offset = put(m, list[i].data, list[i].type == SHT_NOBITS ? 0 : list[i].size);
        if ((list[i].flags & SHF_ALLOC) != 0 && list[i].size != 0)
            loads[header.e_phnum++] =
                (Elf32_Phdr){.p_type = PT_LOAD,
                             .p_offset = s->sh_offset,
                             .p_vaddr = s->sh_addr,
                             .p_paddr = s->sh_addr,
                             .p_filesz = list[i].type == SHT_NOBITS ? 0 : s->sh_size,
                             .p_memsz = s->sh_size,
                             .p_flags = (list[i].flags & SHF_WRITE) != 0 ? PF_R | PF_W : PF_R};
    }
    headers[count + 1] =
        (Elf32_Shdr){.sh_name = 0, .sh_type = SHT_STRTAB, .sh_size = (uint32_t)names_size};
    headers[count + 1].sh_offset = put(m, names, names_size);
    header.e_shnum = (uint16_t)(count + 2);
    header.e_shstrndx = (uint16_t)(count + 1);
    header.e_phoff = put(m, loads, header.e_phnum * sizeof(loads[0]));
    header.e_shoff = put(m, headers, header.e_shnum * sizeof(headers[0]));
    memcpy(m->bytes, &header, sizeof(header));
}

static const uint8_t build_note[] = {4, 0, 0,   0,   4,   0, 0,    0,    3,    0,
                                     0, 0, 'G', 'N', 'U', 0, 0xde, 0xad, 0xbe, 0xef};
static const char our_note[] = "\x08\0\0\0\x26\0\0\0\x01\0\0\0TINYRIG\0board=toy\narch=cm9\n"
                               "compiler=gcc 1 -O2\n\0\0";

static const char strings[] = "\0main\0$t\0port_build_note\0counter";
static const Elf32_Sym symbols[] = {
    {0},
    {.st_name = 1, .st_value = 0x41, .st_size = 8, .st_info = STT_FUNC, .st_shndx = 1},
    {.st_name = 6, .st_value = 0x40, .st_info = STT_NOTYPE, .st_shndx = 1},
    {.st_name = 25, .st_value = 0x20000000, .st_size = 4, .st_info = STT_OBJECT, .st_shndx = 4},
};

/* Text 100, rodata 36 with the build id, data 12, bss 40, stack 256; debug costs nothing. */
static void make_arm(struct made *m)
{
    const struct section list[] = {
        {".text", NULL, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x40, 100, 0, 0},
        {".rodata", NULL, SHT_PROGBITS, SHF_ALLOC, 0xa4, 16, 0, 0},
        {".note.gnu.build-id", build_note, SHT_NOTE, SHF_ALLOC, 0xb4, sizeof(build_note), 0, 0},
        {".data", NULL, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x20000000, 12, 0, 0},
        {".bss", NULL, SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x2000000c, 40, 0, 0},
        {".stack", NULL, SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x20000100, 256, 0, 0},
        {".debug_info", NULL, SHT_PROGBITS, 0, 0, 64, 0, 0},
        {".note.tinyrig", our_note, SHT_NOTE, 0, 0, sizeof(our_note) - 1, 0, 0},
        {".strtab", strings, SHT_STRTAB, 0, 0, sizeof(strings), 0, 0},
        {".symtab", symbols, SHT_SYMTAB, 0, 0, sizeof(symbols), 9, sizeof(symbols[0])},
    };

    make(m, EM_ARM, list, ARRAY_SIZE(list));
}

static struct arena arena;

static int release(void **state)
{
    arena_release(&arena);
    return 0;
}

static struct footprint parsed(const struct made *m, const char *map)
{
    struct footprint f = {.machine = NULL};
    struct err err = ERR_INIT;

    if (footprint_parse(m->bytes, m->n, map, "made", &arena, &f, &err) < 0)
        fail_msg("%s", err.text);
    return f;
}

static void refused(const struct made *m, const char *map, const char *because)
{
    struct footprint f;
    struct err err = ERR_INIT;

    assert_int_equal(footprint_parse(m->bytes, m->n, map, "made", &arena, &f, &err), ERR_CONFIG);
    if (strstr(err.text, because) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, because);
}

/* ---- what is in it ---- */

static void sorts_sections_by_what_they_cost(void **state)
{
    struct made m;
    struct footprint f;

    make_arm(&m);
    f = parsed(&m, NULL);
    assert_int_equal(f.total.code, 100);
    assert_int_equal(f.total.constants, 36);
    assert_int_equal(f.total.data, 12);
    assert_int_equal(f.total.bss, 40);
    assert_int_equal(f.total.reserved, 256);
    assert_int_equal(footprint_flash(&f.total), 148);
    assert_int_equal(footprint_ram(&f.total), 52);
}

static void knows_who_it_is_and_how_it_was_built(void **state)
{
    struct made m;
    struct footprint f;

    make_arm(&m);
    f = parsed(&m, NULL);
    assert_string_equal(f.machine, "arm");
    assert_string_equal(f.build_id, "deadbeef");
    assert_string_equal(footprint_note_value(&f, "board", &arena), "toy");
    assert_string_equal(footprint_note_value(&f, "compiler", &arena), "gcc 1 -O2");
    assert_null(footprint_note_value(&f, "boar", &arena));
    assert_null(footprint_note_value(&f, "flags", &arena));
}

static void an_avr_build_id_lies_in_its_data_and_eeprom_costs_nothing(void **state)
{
    uint8_t data[60] = {0, 0, 0, 0, 4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0, 0xab};
    Elf32_Sym table[] = {
        {0},
        {.st_name = 9, .st_value = 0x800104, .st_size = 36, .st_info = STT_OBJECT, .st_shndx = 2}};
    const struct section list[] = {
        {".text", NULL, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 50, 0, 0},
        {".data", data, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x800100, sizeof(data), 0, 0},
        {".eeprom", NULL, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x810000, 10, 0, 0},
        {".strtab", strings, SHT_STRTAB, 0, 0, sizeof(strings), 0, 0},
        {".symtab", table, SHT_SYMTAB, 0, 0, sizeof(table), 4, sizeof(table[0])},
    };
    struct made m;
    struct footprint f;

    make(&m, EM_AVR, list, ARRAY_SIZE(list));
    f = parsed(&m, NULL);
    assert_string_equal(f.machine, "avr");
    assert_int_equal(footprint_flash(&f.total), 110);
    assert_int_equal(footprint_ram(&f.total), 60);
    assert_string_equal(f.build_id, "ab00000000000000000000000000000000000000");

    /* Cut off, or no note at all: then it has none. */
    table[1].st_value = 0x80011c;
    make(&m, EM_AVR, list, ARRAY_SIZE(list));
    f = parsed(&m, NULL);
    assert_string_equal(f.build_id, "");
}

/* ---- what is no firmware ---- */

static void refuses_what_is_no_linked_program(void **state)
{
    struct made m;

    make_arm(&m);
    ((Elf32_Ehdr *)(void *)m.bytes)->e_type = ET_REL;
    refused(&m, NULL, "not an executable ELF file");
    memcpy(m.bytes, "#!/bin/sh\n", 10);
    refused(&m, NULL, "not a 32-bit ELF file");
    m.n = 0;
    refused(&m, NULL, "not a 32-bit ELF file");
}

static void refuses_every_truncation(void **state)
{
    struct made m;
    size_t whole;

    make_arm(&m);
    whole = m.n;
    for (m.n = 0; m.n < whole; m.n++)
        refused(&m, NULL, "made: "); /* the section table is last: no prefix is a whole file */
}

static void survives_random_corruption(void **state)
{
    struct made good;
    uint32_t random = 1;

    make_arm(&good);
    for (int round = 0; round < 20000; round++) {
        struct made m = good;
        struct arena a = ARENA_INIT;
        struct err err = ERR_INIT;
        struct footprint f;

        for (int i = 0; i < 4; i++) {
            random = random * 1664525 + 1013904223;
            m.bytes[(random >> 8) % m.n] ^= (uint8_t)(1u << (random >> 28 & 7));
        }
        if (footprint_parse(m.bytes, m.n, NULL, "bent", &a, &f, &err) == 0)
            assert_true(strlen(f.build_id) <= 128);
        arena_release(&a);
    }
}

/* ---- the map ---- */

/* clang-format off */
static const char good_map[] =
    "Archive member included\n\n"
    "Discarded input sections\n\n"
    " .text          0x00000000       0x99 build/libcore-toy.a(never.c.o)\n\n"
    "Linker script and memory map\n\n"
    "LOAD build/libcore-toy.a\n"
    ".text           0x00000040       0x64\n"
    " *(.text .text.*)\n"
    " .text.main     0x00000040       0x20 build/libcore-toy.a(main.c.o)\n"
    "                0x00000040                main\n"
    " .text.a_rather_long_name\n"
    "                0x00000060       0x10 build/libcore-toy.a(main.c.o)\n"
    " *fill*         0x00000070        0x4 \n"
    " .text.conv     0x00000074       0x10 build/libkernels-mve-cm9.a(conv.c.o)\n"
    " .text          0x00000084        0x8 /usr/lib/gcc/libgcc.a(_udivsi3.o)\n"
    " .text          0x0000008c        0x8 crt0.o\n"
    " .text          0x00000094        0x8 /tmp/ccXy12.ltrans0.ltrans.o\n"
    ".note.gnu.build-id\n"
    "                0x000000b4       0x14\n"
    ".data           0x20000000        0xc load address 0x000000c8\n"
    " .data.x        0x20000000        0x8 build/libcore-toy.a(main.c.o)\n"
    ".bss            0x2000000c       0x28\n"
    " COMMON         0x2000000c       0x20 build/libnull-cm9.a(null.c.o)\n"
    ".stack          0x20000100      0x100\n"
    " *fill*         0x20000100      0x100 \n"
    ".debug_info     0x00000000       0x40\n"
    " .debug_info    0x00000000       0x40 build/libcore-toy.a(main.c.o)\n";
/* clang-format on */

static void attributes_every_byte_to_an_object(void **state)
{
    struct made m;
    struct footprint f;
    struct footprint_bytes all;

    make_arm(&m);
    f = parsed(&m, good_map);
    assert_int_equal(footprint_of(&f, "libcore-").code, 0x30);
    assert_int_equal(footprint_of(&f, "libcore-").data, 8);
    assert_int_equal(footprint_of(&f, "libkernels-mve-").code, 0x10);
    assert_int_equal(footprint_of(&f, "libgcc").code, 8);
    assert_int_equal(footprint_of(&f, "libnull-").bss, 0x20);
    all = footprint_of(&f, "");
    assert_int_equal(all.code, 0x64 - 8);                 /* the map leaves out 8 bytes */
    assert_string_equal(f.objects[0].object, "main.c.o"); /* the largest */
    for (size_t i = 0; i < f.object_count; i++)
        assert_null(strstr(f.objects[i].object, "ccXy12"));
}

static void refuses_a_map_of_other_firmware(void **state)
{
    struct made m;

    make_arm(&m);
    refused(&m, "no map at all\n", "not a linker map");
    refused(&m, "\nLinker script and memory map\n.text  0x40  0x64\n .text  0xa0  0x20 a.o\n",
            "does not fit");
    refused(&m, "\nLinker script and memory map\n.text  0x40  0x64\n .text  0x20  0x20 a.o\n",
            "does not fit");
}

/* Each segment's bytes are copied: a small file must not ask for many times its size. */
static void refuses_segments_that_hold_the_same_bytes(void **state)
{
    struct made m;
    Elf32_Ehdr header;
    Elf32_Phdr load;
    struct elf_image image;
    struct err err = ERR_INIT;

    make_arm(&m);
    assert_int_equal(elf_image_parse(m.bytes, m.n, "made", &arena, &image, &err), 0);
    memcpy(&header, m.bytes, sizeof(header));
    for (size_t i = 0; i < header.e_phnum; i++) {
        uint8_t *at = m.bytes + header.e_phoff + i * sizeof(load);

        memcpy(&load, at, sizeof(load));
        load.p_offset = 0;
        load.p_filesz = (uint32_t)m.n;
        memcpy(at, &load, sizeof(load));
    }
    assert_int_equal(elf_image_parse(m.bytes, m.n, "made", &arena, &image, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "outside of the file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_sections_by_what_they_cost),
        cmocka_unit_test(knows_who_it_is_and_how_it_was_built),
        cmocka_unit_test(an_avr_build_id_lies_in_its_data_and_eeprom_costs_nothing),
        cmocka_unit_test(refuses_what_is_no_linked_program),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(survives_random_corruption),
        cmocka_unit_test(attributes_every_byte_to_an_object),
        cmocka_unit_test(refuses_a_map_of_other_firmware),
        cmocka_unit_test(refuses_segments_that_hold_the_same_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, release);
}
