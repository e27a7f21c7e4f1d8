#include "harness/elf/footprint.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/elf/map.h"

enum {
    ELF_MAX = 64 * 1024 * 1024,
    SECTIONS_MAX = 4096,
    NOTE_MAX = 4096,
    NAME_MAX_KEPT = 255,
    SYMBOLS_MAX = 200000,
    AVR_OTHER_MEMORIES = 0x810000,
};

uint64_t footprint_flash(const struct footprint_bytes *b)
{
    return b->code + b->constants + b->data;
}

uint64_t footprint_ram(const struct footprint_bytes *b)
{
    return b->data + b->bss;
}

static void elf_release(Elf **e)
{
    if (*e != NULL)
        (void)elf_end(*e);
}

static const char *machine_name(unsigned machine, struct arena *arena)
{
    switch (machine) {
    case EM_ARM:
        return "arm";
    case EM_RISCV:
        return "riscv";
    case EM_AVR:
        return "avr";
    default:
        return arena_printf(arena, "machine %u", machine);
    }
}

/* The field a section adds to, or NULL. */
static uint64_t *field_for(struct footprint_bytes *b, const GElf_Shdr *s, const char *name,
                           unsigned machine)
{
    if ((s->sh_flags & SHF_ALLOC) == 0 || (machine == EM_AVR && s->sh_addr >= AVR_OTHER_MEMORIES))
        return NULL;
    if (strncmp(name, ".stack", 6) == 0 || strncmp(name, ".heap", 5) == 0)
        return &b->reserved;
    if (s->sh_type == SHT_NOBITS)
        return &b->bss;
    if ((s->sh_flags & SHF_EXECINSTR) != 0)
        return &b->code;
    return (s->sh_flags & SHF_WRITE) != 0 ? &b->data : &b->constants;
}

/* One note: keep the two that matter. `desc` has desc_size bytes. */
static void take_note(struct footprint *f, const GElf_Nhdr *n, const char *name, const char *desc,
                      struct arena *arena)
{
    if (n->n_namesz == 4 && memcmp(name, "GNU", 4) == 0 && n->n_type == NT_GNU_BUILD_ID &&
        n->n_descsz <= 64) {
        char *hex = arena_alloc(arena, 2 * (size_t)n->n_descsz + 1);

        hex_encode(desc, n->n_descsz, hex);
        f->build_id = hex;
    }
    if (n->n_namesz == 8 && memcmp(name, "TINYRIG", 8) == 0 && n->n_descsz <= NOTE_MAX)
        f->note = arena_strndup(arena, desc, n->n_descsz);
}

static void read_notes(struct footprint *f, Elf_Scn *section, struct arena *arena)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t at = 0;
    size_t next;
    size_t name;
    size_t desc;
    GElf_Nhdr n;

    while (data != NULL && at < data->d_size &&
           (next = gelf_getnote(data, at, &n, &name, &desc)) > at) {
        const char *bytes = data->d_buf;

        take_note(f, &n, bytes + name, bytes + desc, arena);
        at = next;
    }
}

/* ---- the build id of our AVR images: a note that is data, found by its symbol ---- */

static bool find_symbol(Elf *elf, Elf_Scn *section, const GElf_Shdr *s, const char *wanted,
                        uint64_t *ret)
{
    Elf_Data *table = elf_getdata(section, NULL);
    const uint64_t count = s->sh_entsize == 0 ? 0 : s->sh_size / s->sh_entsize;

    for (int i = 0; table != NULL && count <= SYMBOLS_MAX && i < (int)count; i++) {
        GElf_Sym symbol;
        const char *name;

        if (gelf_getsym(table, i, &symbol) == NULL)
            return false;
        name = elf_strptr(elf, s->sh_link, symbol.st_name);
        if (name != NULL && strcmp(name, wanted) == 0) {
            *ret = symbol.st_value;
            return true;
        }
    }
    return false;
}

/* avr-ld cannot make build-id sections (agents/ports/avr/stamp.py). */
static void read_build_note(struct footprint *f, Elf *elf, struct arena *arena)
{
    static const char note[16] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};
    Elf_Scn *section = NULL;
    uint64_t address = 0;
    bool found = false;
    GElf_Shdr s;

    while (!found && (section = elf_nextscn(elf, section)) != NULL)
        found = gelf_getshdr(section, &s) != NULL && s.sh_type == SHT_SYMTAB &&
                find_symbol(elf, section, &s, "port_build_note", &address);
    section = NULL;
    while (found && (section = elf_nextscn(elf, section)) != NULL) {
        Elf_Data *data;

        if (gelf_getshdr(section, &s) == NULL || s.sh_type != SHT_PROGBITS || address < s.sh_addr ||
            address - s.sh_addr >= s.sh_size)
            continue;
        data = elf_getdata(section, NULL);
        if (data != NULL && data->d_size >= address - s.sh_addr + 36 &&
            memcmp((char *)data->d_buf + (address - s.sh_addr), note, sizeof(note)) == 0) {
            char *hex = arena_alloc(arena, 41);

            hex_encode((char *)data->d_buf + (address - s.sh_addr) + 16, 20, hex);
            f->build_id = hex;
        }
        return;
    }
}

struct sections {
    struct footprint_section *items;
    size_t count, capacity;
};

static int read_sections(struct footprint *f, Elf *elf, unsigned machine, struct sections *list,
                         struct arena *arena, struct err *err)
{
    size_t names = 0;
    Elf_Scn *section = NULL;

    if (elf_getshdrstrndx(elf, &names) < 0)
        return err_set(err, ERR_CONFIG, "section names: %s", elf_errmsg(-1));
    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr s;
        const char *name;

        if (gelf_getshdr(section, &s) == NULL || (name = elf_strptr(elf, names, s.sh_name)) == NULL)
            return err_set(err, ERR_CONFIG, "a section: %s", elf_errmsg(-1));
        if (list->count == SECTIONS_MAX)
            return err_set(err, ERR_CONFIG, "more than %d sections", SECTIONS_MAX);
        *ARENA_PUSH(arena, list->items, list->count, list->capacity) = (struct footprint_section){
            .name = arena_strndup(arena, name, strnlen(name, NAME_MAX_KEPT)),
            .address = s.sh_addr,
            .size = s.sh_size,
            .counted = field_for(&f->total, &s, name, machine),
        };
        if (list->items[list->count - 1].counted != NULL)
            *list->items[list->count - 1].counted += s.sh_size;
        if (s.sh_type == SHT_NOTE)
            read_notes(f, section, arena);
    }
    return 0;
}

static int by_flash(const void *a, const void *b)
{
    const uint64_t x = footprint_flash(&((const struct footprint_object *)a)->bytes);
    const uint64_t y = footprint_flash(&((const struct footprint_object *)b)->bytes);

    return x < y ? 1 : x > y ? -1 : 0;
}

static int read_map(struct footprint *f, const char *map, const struct sections *list,
                    struct arena *arena, struct err *err)
{
    const struct map_image image = {.f = f, .sections = list->items, .section_count = list->count};
    struct footprint_object *objects = NULL;
    size_t count = 0;

    if (map == NULL)
        return 0;
    if (map_read(map, &image, arena, &objects, &count, err) < 0)
        return (int)err->code;
    if (count > 0)
        qsort(objects, count, sizeof(objects[0]), by_flash);
    f->objects = objects;
    f->object_count = count;
    return 0;
}

/* libelf takes a file that ends before its tables for one that has none. */
static bool whole(Elf *elf, const GElf_Ehdr *h, size_t size)
{
    size_t sections = 0;

    return h->e_shoff <= size && (uint64_t)h->e_shnum * h->e_shentsize <= size - h->e_shoff &&
           elf_getshdrnum(elf, &sections) == 0 && sections >= h->e_shnum;
}

static int parse(const void *bytes, size_t size, const char *map, struct arena *arena,
                 struct footprint *f, struct err *err)
{
    AUTO(elf_release) Elf *elf = NULL;
    struct sections list = {.items = NULL};
    GElf_Ehdr header;

    (void)elf_version(EV_CURRENT);
    /* libelf only reads here, but says so only in its documentation. */
    elf = elf_memory((char *)arena_dup(arena, bytes, size), size);
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS32 ||
        gelf_getehdr(elf, &header) == NULL)
        return err_set(err, ERR_CONFIG, "not a 32-bit ELF file");
    if (header.e_type != ET_EXEC)
        return err_set(err, ERR_CONFIG, "not an executable ELF file");
    if (!whole(elf, &header, size))
        return err_set(err, ERR_CONFIG, "ends too early");
    f->machine = machine_name(header.e_machine, arena);
    if (read_sections(f, elf, header.e_machine, &list, arena, err) < 0)
        return (int)err->code;
    if (f->build_id[0] == '\0')
        read_build_note(f, elf, arena);
    return read_map(f, map, &list, arena, err);
}

int footprint_parse(const void *elf, size_t size, const char *map, const char *name,
                    struct arena *arena, struct footprint *ret, struct err *err)
{
    struct footprint f = {.build_id = "", .note = ""};

    if (size > ELF_MAX)
        return err_set(err, ERR_CONFIG, "%s: larger than %d bytes", name, ELF_MAX);
    if (parse(elf, size, map, arena, &f, err) < 0)
        return err_in(err, "%s", name);
    *ret = f;
    return 0;
}

int footprint_read(const char *path, struct arena *arena, struct footprint *ret, struct err *err)
{
    AUTO_BUF elf = BUF_INIT;
    AUTO_BUF map = BUF_INIT;
    const size_t n = strlen(path);
    const char *map_path;
    struct err no_map = ERR_INIT;
    bool has_map = false;

    if (file_read(path, ELF_MAX, &elf, err) < 0)
        return (int)err->code;
    if (n > 4 && strcmp(path + n - 4, ".elf") == 0) {
        map_path = arena_printf(arena, "%.*s.map", (int)(n - 4), path);
        has_map = file_read(map_path, ELF_MAX, &map, &no_map) == 0;
    }
    return footprint_parse(buf_text(&elf), elf.len, has_map ? buf_text(&map) : NULL, path, arena,
                           ret, err);
}

const char *footprint_note_value(const struct footprint *f, const char *key, struct arena *arena)
{
    const size_t n = strlen(key);

    for (const char *line = f->note; *line != '\0'; line += line[0] == '\n') {
        const size_t length = strcspn(line, "\n");

        if (length > n && strncmp(line, key, n) == 0 && line[n] == '=')
            return arena_strndup(arena, line + n + 1, length - n - 1);
        line += length;
    }
    return NULL;
}

struct footprint_bytes footprint_of(const struct footprint *f, const char *prefix)
{
    struct footprint_bytes sum = {0};

    for (size_t i = 0; i < f->object_count; i++) {
        const struct footprint_bytes *b = &f->objects[i].bytes;

        if (strncmp(f->objects[i].archive, prefix, strlen(prefix)) != 0)
            continue;
        sum.code += b->code;
        sum.constants += b->constants;
        sum.data += b->data;
        sum.bss += b->bss;
        sum.reserved += b->reserved;
    }
    return sum;
}
