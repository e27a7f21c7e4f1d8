#include "harness/elf/image.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/elf/footprint.h"

enum {
    FILE_MAX = 64 * 1024 * 1024,
    SEGMENTS_MAX = 64,
    SYMBOLS_MAX = 200000,
    RELOCATIONS_MAX = 1000000,
    MOVE_UNIT = 0x10000,
};

struct elf_contents {
    void *bytes;
    size_t size;
};

static void release(Elf **e)
{
    if (*e != NULL)
        (void)elf_end(*e);
}

/* libelf only reads here, but says so only in its documentation. */
static Elf *open_contents(const struct elf_contents *c)
{
    (void)elf_version(EV_CURRENT);
    return elf_memory(c->bytes, c->size);
}

/* ---- segments ---- */

static int take_segment(struct elf_image *image, const GElf_Phdr *p, struct err *err)
{
    const struct elf_contents *c = image->contents;

    if (p->p_type != PT_LOAD || p->p_filesz == 0)
        return 0;
    if (image->segment_count == SEGMENTS_MAX)
        return err_set(err, ERR_CONFIG, "more than %d segments", SEGMENTS_MAX);
    /* Together they are no larger than the file either: each gets a copy of its bytes. */
    if (p->p_offset > c->size || p->p_filesz > c->size - p->p_offset ||
        p->p_filesz > c->size - image->size || p->p_paddr + p->p_filesz > UINT32_MAX ||
        p->p_vaddr + p->p_filesz > UINT32_MAX)
        return err_set(err, ERR_CONFIG, "a segment lies outside of the file");
    image->segments[image->segment_count++] = (struct elf_segment){
        .load = (uint32_t)p->p_paddr,
        .address = (uint32_t)p->p_vaddr,
        .size = (uint32_t)p->p_filesz,
        .bytes = (uint8_t *)c->bytes + p->p_offset,
    };
    image->size += (uint32_t)p->p_filesz;
    return 0;
}

static int read_segments(struct elf_image *image, Elf *elf, struct arena *arena, struct err *err)
{
    size_t count = 0;

    if (elf_getphdrnum(elf, &count) < 0)
        return err_set(err, ERR_CONFIG, "its segments: %s", elf_errmsg(-1));
    image->segments = arena_alloc(arena, SEGMENTS_MAX * sizeof(image->segments[0]));
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;

        if (gelf_getphdr(elf, (int)i, &p) == NULL)
            return err_set(err, ERR_CONFIG, "segment %zu: %s", i, elf_errmsg(-1));
        if (take_segment(image, &p, err) < 0)
            return (int)err->code;
    }
    if (image->segment_count == 0)
        return err_set(err, ERR_CONFIG, "nothing in it to load");
    /* Segments are written one by one, so their bytes must be their own: a copy for each. */
    for (size_t i = 0; i < image->segment_count; i++)
        image->segments[i].bytes =
            arena_dup(arena, image->segments[i].bytes, image->segments[i].size);
    return 0;
}

static int parse(struct elf_image *image, struct arena *arena, struct err *err)
{
    AUTO(release) Elf *elf = open_contents(image->contents);
    GElf_Ehdr h;

    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS32 ||
        gelf_getehdr(elf, &h) == NULL)
        return err_set(err, ERR_CONFIG, "not a 32-bit ELF file");
    if (h.e_type != ET_EXEC)
        return err_set(err, ERR_CONFIG, "not an executable ELF file");
    image->arm = h.e_machine == EM_ARM;
    image->entry = (uint32_t)h.e_entry;
    return read_segments(image, elf, arena, err);
}

static void take_build_id(struct elf_image *image, const char *name, struct arena *arena)
{
    struct footprint f;
    struct err none = ERR_INIT;
    const struct elf_contents *c = image->contents;

    if (footprint_parse(c->bytes, c->size, NULL, name, arena, &f, &none) == 0)
        image->build_id = f.build_id;
}

int elf_image_parse(const void *elf, size_t size, const char *name, struct arena *arena,
                    struct elf_image *ret, struct err *err)
{
    struct elf_image image = {.path = arena_strdup(arena, name)};

    if (size > FILE_MAX)
        return err_set(err, ERR_CONFIG, "%s: larger than %d bytes", name, FILE_MAX);
    image.contents = arena_alloc(arena, sizeof(*image.contents));
    *image.contents = (struct elf_contents){.bytes = arena_dup(arena, elf, size), .size = size};
    if (parse(&image, arena, err) < 0)
        return err_in(err, "%s", name);
    image.build_id = "";
    take_build_id(&image, name, arena);
    *ret = image;
    return 0;
}

int elf_image_read(const char *path, struct arena *arena, struct elf_image *ret, struct err *err)
{
    AUTO_BUF elf = BUF_INIT;

    if (file_read(path, FILE_MAX, &elf, err) < 0)
        return (int)err->code;
    return elf_image_parse(buf_text(&elf), elf.len, path, arena, ret, err);
}

/* ---- symbols ---- */

static Elf_Data *table_of(Elf_Scn *section, uint32_t type, GElf_Shdr *header)
{
    if (gelf_getshdr(section, header) == NULL || header->sh_type != type || header->sh_entsize == 0)
        return NULL;
    return elf_getdata(section, NULL);
}

bool elf_image_symbol(const struct elf_image *image, const char *name, uint32_t *ret_value,
                      uint32_t *ret_size)
{
    AUTO(release) Elf *elf = open_contents(image->contents);
    Elf_Scn *section = NULL;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr h;
        Elf_Data *table = table_of(section, SHT_SYMTAB, &h);
        const uint64_t count = table != NULL ? h.sh_size / h.sh_entsize : 0;

        for (int i = 0; i < (int)(count > SYMBOLS_MAX ? SYMBOLS_MAX : count); i++) {
            GElf_Sym symbol;
            const char *found;

            if (gelf_getsym(table, i, &symbol) == NULL)
                break;
            found = elf_strptr(elf, h.sh_link, symbol.st_name);
            if (found != NULL && strcmp(found, name) == 0) {
                *ret_value = (uint32_t)symbol.st_value;
                if (ret_size != NULL)
                    *ret_size = (uint32_t)symbol.st_size;
                return true;
            }
        }
    }
    return false;
}

/* ---- moving ---- */

static uint8_t *bytes_at(const struct elf_image *image, uint32_t address, size_t n)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];

        if (address >= s->address && address - s->address <= s->size &&
            n <= s->size - (address - s->address))
            return s->bytes + (address - s->address);
    }
    return NULL;
}

const void *elf_image_bytes(const struct elf_image *image, uint32_t address, size_t n)
{
    return bytes_at(image, address, n);
}

bool elf_image_patch(struct elf_image *image, uint32_t address, const void *bytes, size_t n)
{
    uint8_t *to = bytes_at(image, address, n);

    if (to != NULL)
        memcpy(to, bytes, n);
    return to != NULL;
}

static void move_word(uint8_t *at, uint32_t delta)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    word += delta;
    memcpy(at, &word, sizeof(word));
}

/* The 16 bits of a Thumb MOVT (encoding T1: i, imm3, imm8 and imm4 in two halfwords). */
static void move_upper_half(uint8_t *at, uint32_t delta)
{
    uint16_t a;
    uint16_t b;
    uint32_t value;

    memcpy(&a, at, 2);
    memcpy(&b, at + 2, 2);
    value = (uint32_t)(a & 0xf) << 12 | (uint32_t)(a >> 10 & 1) << 11 |
            (uint32_t)(b >> 12 & 7) << 8 | (b & 0xffu);
    value += delta >> 16;
    a = (uint16_t)((a & 0xfbf0) | (value >> 12 & 0xf) | (value >> 11 & 1) << 10);
    b = (uint16_t)((b & 0x8f00) | (value >> 8 & 7) << 12 | (value & 0xff));
    memcpy(at, &a, 2);
    memcpy(at + 2, &b, 2);
}

/* One relocation of a section that is loaded. Those relative to the PC move along by themselves. */
static int move_one(struct elf_image *image, const GElf_Rel *r, bool absolute, uint32_t delta,
                    struct err *err)
{
    const unsigned type = (unsigned)GELF_R_TYPE(r->r_info);
    uint8_t *at;

    switch (type) {
    case R_ARM_NONE:
    case R_ARM_V4BX:
    case R_ARM_REL32:
    case R_ARM_PREL31:
    case R_ARM_THM_PC22: /* BL and B.W, conditional or not, and their short forms */
    case R_ARM_THM_JUMP24:
    case R_ARM_THM_JUMP19:
    case R_ARM_THM_PC11:
    case R_ARM_THM_PC9:
    case R_ARM_THM_MOVW_ABS_NC: /* the lower half does not change: MOVE_UNIT */
        return 0;
    case R_ARM_ABS32:
    case R_ARM_TARGET1:
    case R_ARM_THM_MOVT_ABS:
        break;
    default:
        return err_set(err, ERR_CONFIG, "relocation of type %u at 0x%llx: cannot be moved", type,
                       (unsigned long long)r->r_offset);
    }
    at = bytes_at(image, (uint32_t)r->r_offset, 4);
    if (at == NULL)
        return err_set(err, ERR_CONFIG, "a relocation at 0x%llx lies outside of the image",
                       (unsigned long long)r->r_offset);
    if (absolute)
        return 0; /* a number, not a place in the image */
    if (type == R_ARM_THM_MOVT_ABS)
        move_upper_half(at, delta);
    else
        move_word(at, delta);
    return 0;
}

static bool is_absolute(Elf *elf, const GElf_Shdr *relocations, const GElf_Rel *r)
{
    Elf_Scn *section = elf_getscn(elf, relocations->sh_link);
    Elf_Data *symbols = section != NULL ? elf_getdata(section, NULL) : NULL;
    GElf_Sym symbol;

    return symbols == NULL || gelf_getsym(symbols, (int)GELF_R_SYM(r->r_info), &symbol) == NULL ||
           symbol.st_shndx == SHN_ABS || symbol.st_shndx == SHN_UNDEF;
}

/* The section that they are for, when it is one that gets loaded. */
static bool is_loaded(Elf *elf, const GElf_Shdr *relocations)
{
    Elf_Scn *section = elf_getscn(elf, relocations->sh_info);
    GElf_Shdr h;

    return section != NULL && gelf_getshdr(section, &h) != NULL && (h.sh_flags & SHF_ALLOC) != 0;
}

static int move_section(struct elf_image *image, Elf *elf, const GElf_Shdr *h, Elf_Data *table,
                        uint32_t delta, struct err *err)
{
    const uint64_t count = h->sh_size / h->sh_entsize;

    if (count > RELOCATIONS_MAX)
        return err_set(err, ERR_CONFIG, "more than %d relocations", RELOCATIONS_MAX);
    for (int i = 0; i < (int)count; i++) {
        GElf_Rel r;

        if (gelf_getrel(table, i, &r) == NULL)
            return err_set(err, ERR_CONFIG, "relocation %d: %s", i, elf_errmsg(-1));
        if (move_one(image, &r, is_absolute(elf, h, &r), delta, err) < 0)
            return (int)err->code;
    }
    return 0;
}

static int move_sections(struct elf_image *image, Elf *elf, uint32_t delta, struct err *err)
{
    Elf_Scn *section = NULL;
    bool any = false;

    while ((section = elf_nextscn(elf, section)) != NULL) {
        GElf_Shdr h;
        Elf_Data *table = table_of(section, SHT_REL, &h);

        if (table == NULL || !is_loaded(elf, &h))
            continue;
        any = true;
        if (move_section(image, elf, &h, table, delta, err) < 0)
            return (int)err->code;
    }
    if (!any)
        return err_set(err, ERR_CONFIG, "linked without --emit-relocs: it cannot be moved");
    return 0;
}

int elf_image_move(struct elf_image *image, uint32_t delta, struct err *err)
{
    AUTO(release) Elf *elf = open_contents(image->contents);
    int r = 0;

    if (delta == 0)
        return 0;
    if (!image->arm)
        return err_set(err, ERR_CONFIG, "%s: only Arm images can be moved", image->path);
    if (delta % MOVE_UNIT != 0)
        return err_set(err, ERR_CONFIG, "%s: can be moved by multiples of 64 KiB only",
                       image->path);
    r = move_sections(image, elf, delta, err);
    if (r < 0)
        return err_in(err, "%s", image->path);
    for (size_t i = 0; i < image->segment_count; i++) {
        image->segments[i].load += delta;
        image->segments[i].address += delta;
    }
    image->entry += delta;
    return 0;
}
