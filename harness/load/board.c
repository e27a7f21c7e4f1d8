/* Board files: the checks between keys, and what a board means that does not say everything. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/load/board_file.h"
#include "harness/load/load.h"

enum {
    SLOT_ALIGNMENT = 16
};

void region_finish(struct load *l, const struct node *n, void *object)
{
    const struct memory_region *r = object;

    if (r->size == 0 || r->base + r->size < r->base)
        LOAD_PROBLEM(l, n, "no such memory: base 0x%llx, size %llu", (unsigned long long)r->base,
                     (unsigned long long)r->size);
}

void slot_finish(struct load *l, const struct node *n, void *object)
{
    struct slot_file *s = object;

    s->slot.by_flash = strcmp(s->written_by, "flash") == 0;
    region_finish(l, n, &s->slot.region);
}

static_assert(UNIT_CYCLES == 0 && UNIT_INSTRUCTIONS == 1 && UNIT_NS == 2, "timebases[]");

/* A number that the kernel gives in the order of plugging in names no board. */
void transport_finish(struct load *l, const struct node *n, void *object)
{
    const struct board_transport *t = object;

    if (t->where != NULL &&
        (strncmp(t->where, "/dev/ttyACM", 11) == 0 || strncmp(t->where, "/dev/ttyUSB", 11) == 0))
        LOAD_PROBLEM(l, n,
                     "'where' expected a name that stays, got '%.64s': use usb_serial or a "
                     "path in /dev/serial/by-id",
                     t->where);
    if (t->max_baud != 0 && t->max_baud < t->baud)
        LOAD_PROBLEM(l, n, "'max_baud' is less than 'baud'");
}

/* A board file may be a stranger's: a run overwrites this file, so it must be one that is meant. */
static bool is_flash_file(const char *path)
{
    const size_t n = strlen(path);

    return n > 6 && strcmp(path + n - 6, ".flash") == 0;
}

/* QEMU can be asked to run programs and write files: only harmless options pass. The native agent
 * takes the chip id that it is to report. */
void virtual_finish(struct load *l, const struct node *n, void *object)
{
    static const char *const of_qemu[] = {"-cpu", "-global", "-m", NULL};
    static const char *const of_posix[] = {"--uid", NULL};
    const struct board_virtual *v = object;
    const char *const *allowed = strcmp(v->kind, "posix") == 0 ? of_posix : of_qemu;
    bool value = false;

    for (size_t i = 0; v->cpu_options != NULL && v->cpu_options[i] != NULL; i++) {
        const char *option = v->cpu_options[i];
        bool good = value && strspn(option, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789.,=_+-") == strlen(option);

        for (size_t a = 0; !value && allowed[a] != NULL; a++)
            good |= strcmp(option, allowed[a]) == 0;
        if (!good)
            LOAD_PROBLEM(l, n, "'options' expected %s, each with a value, got '%.64s'",
                         allowed == of_posix ? "--uid" : "-cpu, -global or -m", option);
        value = !value;
    }
    if (v->machine == NULL && strcmp(v->kind, "posix") != 0)
        LOAD_PROBLEM(l, n, "'machine' is missing in 'virtual': kind %s needs one", v->kind);
    if (v->flash_file != NULL && !is_flash_file(v->flash_file))
        LOAD_PROBLEM(l, n, "'flash_file' expected a file called *.flash, got '%s'", v->flash_file);
}

static_assert(offsetof(struct board_file, board) == 0, "timebase");

static const char *family_of(const char *cpu)
{
    static const struct {
        const char *prefix;
        const char *family;
    } families[] = {
        {"cortex-m", "cortex-m"},
        {"rv", "riscv"},
        {"avr", "avr"},
        {"xtensa", "xtensa"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        if (strncmp(cpu, families[i].prefix, strlen(families[i].prefix)) == 0)
            return families[i].family;
    }
    return NULL;
}

static void push_tag(const char **tags, size_t *count, const char *tag)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(tags[i], tag) == 0)
            return;
    }
    tags[(*count)++] = tag;
}

static const char *const *all_tags(struct load *l, const struct board *b, const char *const *own)
{
    const char *family = family_of(b->cpu);
    const char **tags;
    size_t count = 0;

    while (own != NULL && own[count] != NULL)
        count++;
    tags = arena_alloc(l->arena, (count + 4) * sizeof(*tags));
    count = 0;
    for (size_t i = 0; own != NULL && own[i] != NULL; i++)
        push_tag(tags, &count, own[i]);
    push_tag(tags, &count, realm_name(b->realm));
    push_tag(tags, &count, b->cpu);
    if (family != NULL)
        push_tag(tags, &count, family);
    return tags;
}

/*
 * What a board means that does not say how it is reached or flashed. Virtual boards too go through
 * the serial driver, so that what real boards depend on runs in every test.
 */
static void fill_methods(struct board *b)
{
    const bool virtual = b->virt.kind != NULL;

    if (b->transport.kind == NULL)
        b->transport.kind = "serial";
    if (b->flashing.method == NULL)
        b->flashing.method = virtual ? "qemu" : b->openocd.target != NULL ? "openocd" : "none";
}

static void check_methods(struct load *l, const struct node *n, const struct board *b)
{
    const bool by_command = strcmp(b->flashing.method, "command") == 0;
    /* What is only loaded into RAM needs no chip script: a core is a core. */
    const bool inject = strcmp(b->flashing.method, "inject") == 0;
    const bool by_probe = strcmp(b->flashing.method, "openocd") == 0 ||
                          (!inject && strcmp(b->transport.kind, "swd") == 0);

    if (by_command != (b->flashing.command != NULL))
        LOAD_PROBLEM(l, n, "'flashing' expected a 'command' with method command, and only then");
    if (by_probe && b->openocd.target == NULL)
        LOAD_PROBLEM(l, n,
                     "'target' is missing in 'openocd': flashing by %s and transport %s "
                     "need one",
                     b->flashing.method, b->transport.kind);
    if (b->virt.kind == NULL && strcmp(b->flashing.method, "qemu") == 0)
        LOAD_PROBLEM(l, n, "'flashing' expected another method than qemu: the board is real");
}

/* Emulated instructions are not cycles, and must never pass for them. */
static void check_timebase(struct load *l, const struct node *n, struct board_file *f)
{
    const char *kind = f->board.virt.kind;
    const bool counts_cycles = kind == NULL || strcmp(kind, "simavr") == 0;

    if (!f->has_timebase)
        f->board.timebase_unit = counts_cycles               ? UNIT_CYCLES
                                 : strcmp(kind, "qemu") == 0 ? UNIT_INSTRUCTIONS
                                                             : UNIT_NS;
    else if (!counts_cycles && f->board.timebase_unit == UNIT_CYCLES)
        LOAD_PROBLEM(l, node_find(n, "timebase"),
                     "'timebase' expected instructions or ns: %s "
                     "does not emulate cycles",
                     kind);
}

/* An agent in RAM has no flash for models: they get the last quarter of the RAM. */
static void fill_slot(struct board *b)
{
    const uint64_t size = b->ram.size / 4 / SLOT_ALIGNMENT * SLOT_ALIGNMENT;

    if (strcmp(b->flashing.method, "inject") == 0 && b->slot.region.size == 0)
        b->slot.region = (struct memory_region){b->ram.base + b->ram.size - size, size};
}

void board_finish(struct load *l, const struct node *n, void *object)
{
    struct board_file *f = object;
    struct board *b = &f->board;
    const char *stem = value_stem(l->file, ".yaml", l->arena);
    const struct value_rule name = {.kind = VALUE_NAME};

    if (!value_store(&name, stem, &n->where, l->arena, (void *)&stem)) {
        LOAD_PROBLEM(l, n, "'%.64s' cannot be a board's name; rename the file", stem);
        return;
    }
    if (b->type != NULL && strcmp(b->type, stem) != 0)
        LOAD_PROBLEM(l, node_find(n, "name"), "the file of board '%s' must be called %s.yaml",
                     b->type, b->type);
    b->type = stem;
    b->name = stem;
    b->where = n->where;
    b->slot = f->slot.slot;
    b->realm = b->virt.kind != NULL ? REALM_VIRTUAL : REALM_SILICON;
    b->agent = b->agent != NULL ? b->agent : stem;
    b->tags = all_tags(l, b, f->tags);
    check_timebase(l, n, f);
    fill_methods(b);
    fill_slot(b);
    check_methods(l, n, b);
}

struct board *board_read(struct load *l, const char *data, size_t n)
{
    struct board_file *f = arena_alloc(l->arena, sizeof(*f));
    const size_t before = l->problems->count;

    f->board.path = l->file;
    key_read_text(l, data, n, &board_map, f);
    return l->problems->count == before ? &f->board : NULL;
}

static int board_from(const char *data, size_t n, struct load *l, const struct board **ret,
                      struct err *err)
{
    const struct board *b = board_read(l, data, n);
    int r = problems_report(l->problems, err);

    if (r == 0)
        *ret = b;
    return r;
}

int board_parse(const char *data, size_t n, const char *path, struct arena *arena,
                const struct board **ret, struct err *err)
{
    struct problems problems = {.arena = arena};
    struct load l = {
        .arena = arena, .problems = &problems, .file = arena_strdup(arena, path), .no_files = true};

    return board_from(data, n, &l, ret, err);
}

int board_load(const char *path, struct arena *arena, const struct board **ret, struct err *err)
{
    struct problems problems = {.arena = arena};
    struct load l = {.arena = arena, .problems = &problems, .file = arena_strdup(arena, path)};
    AUTO_BUF data = BUF_INIT;
    int r = file_read(path, NODE_FILE_LIMIT, &data, err);

    if (r < 0)
        return r;
    return board_from(buf_text(&data), data.len, &l, ret, err);
}
