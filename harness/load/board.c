/* Board files: their key tables and the checks between keys. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/load/load.h"
#include "harness/load/read.h"

#define M memory_region
static const struct key region_keys[] = {
    {"size",
     "bytes of it",
     "128KiB",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_BYTES},
     NULL,
     KEY_AT(M, size)},
    {"base",
     "its first address",
     "0x20000000",
     NULL,
     KEY_ONE,
     0,
     {VALUE_ADDRESS},
     NULL,
     KEY_AT(M, base)},
    {NULL},
};
#undef M

static void region_finish(struct load *l, const struct node *n, void *object)
{
    const struct memory_region *r = object;

    if (r->size == 0 || r->base + r->size < r->base)
        LOAD_PROBLEM(l, n, "no such memory: base 0x%llx, size %llu", (unsigned long long)r->base,
                     (unsigned long long)r->size);
}

static const struct key_map region_map = {
    .name = "memory",
    .help = "one region of memory",
    .keys = region_keys,
    .size = sizeof(struct memory_region),
    .shorthand = "size",
    .where_offset = KEY_NOWHERE,
    .finish = region_finish,
};

static const char *const writers[] = {"link", "flash", NULL};

/* A slot as written: the choice becomes a bool. */
struct slot_file {
    struct board_slot slot;
    const char *written_by;
};

#define M slot_file
static const struct key slot_keys[] = {
    {"size",
     "bytes of it",
     "256KiB",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_BYTES},
     NULL,
     KEY_AT(M, slot.region.size)},
    {"base",
     "its first address",
     "0x08080000",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_ADDRESS},
     NULL,
     KEY_AT(M, slot.region.base)},
    {"written_by",
     "link: the agent writes what it receives; flash: the flash back-end writes it",
     "link",
     "link",
     KEY_ONE,
     0,
     {VALUE_CHOICE, writers},
     NULL,
     KEY_AT(M, written_by)},
    {NULL},
};
#undef M

static void slot_finish(struct load *l, const struct node *n, void *object)
{
    struct slot_file *s = object;

    s->slot.by_flash = strcmp(s->written_by, "flash") == 0;
    region_finish(l, n, &s->slot.region);
}

static const struct key_map slot_map = {
    .name = "slot",
    .help = "where model images go; without it, the agent says",
    .keys = slot_keys,
    .size = sizeof(struct slot_file),
    .where_offset = KEY_NOWHERE,
    .finish = slot_finish,
};

/* The first words of enum unit, in its order. */
static const char *const timebases[] = {"cycles", "instructions", "ns", NULL};
static_assert(UNIT_CYCLES == 0 && UNIT_INSTRUCTIONS == 1 && UNIT_NS == 2, "timebases[]");

#define M board
static const struct key timebase_keys[] = {
    {"unit",
     "what one tick stands for: cycles, instructions or ns",
     "cycles",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_WORD, timebases},
     NULL,
     KEY_AT(M, timebase_unit)},
    {"clock",
     "ticks per second that the agent must announce; without it, it is believed",
     "168MHz",
     NULL,
     KEY_ONE,
     0,
     {VALUE_HERTZ},
     NULL,
     KEY_AT(M, timebase_hz)},
    {NULL},
};
#undef M

/* Stored in the board itself: its offset there is 0. */
static const struct key_map timebase_map = {
    .name = "timebase",
    .help = "the on-target counter that windows are measured with",
    .keys = timebase_keys,
    .size = sizeof(struct board),
    .shorthand = "unit",
    .where_offset = KEY_NOWHERE,
};

static const char *const transports[] = {"serial", "pty", "tcp", "loop", "swd", NULL};
static const char *const dtr_words[] = {"assert", "deassert", "leave", NULL};

#define M board_transport
static const struct key transport_keys[] = {
    {"kind",
     "serial, pty, tcp (ser2net raw), loop (the agent in this process) or swd",
     "serial",
     NULL,
     KEY_ONE,
     0,
     {VALUE_CHOICE, transports},
     NULL,
     KEY_AT(M, kind)},
    {"where",
     "device or by-id path, or host:port; say it in the lab file, not in the board file",
     "/dev/serial/by-id/usb-STMicroelectronics_STM32_STLink_066FFF-if02",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, where)},
    {"usb_serial",
     "the port of the USB device with this serial number",
     "066FFF505055657867",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SERIAL},
     NULL,
     KEY_AT(M, usb_serial)},
    {"usb_id",
     "the port of the USB device with this VID:PID",
     "0483:374b",
     NULL,
     KEY_ONE,
     0,
     {VALUE_USB_ID},
     NULL,
     KEY_AT(M, usb_id)},
    {"baud",
     "line rate to begin with",
     "115200",
     "115200",
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 300, .max = 12000000},
     NULL,
     KEY_AT(M, baud)},
    {"max_baud",
     "line rate to try after the greeting; falls back when it fails",
     "921600",
     NULL,
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 300, .max = 12000000},
     NULL,
     KEY_AT(M, max_baud)},
    {"dtr",
     "what to do with the DTR line: assert, deassert or leave",
     "assert",
     "assert",
     KEY_ONE,
     0,
     {VALUE_CHOICE, dtr_words},
     NULL,
     KEY_AT(M, dtr)},
    {NULL},
};
#undef M

/* A number that the kernel gives in the order of plugging in names no board. */
static void transport_finish(struct load *l, const struct node *n, void *object)
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

const struct key_map transport_map = {
    .name = "transport",
    .help = "how bytes reach the agent",
    .keys = transport_keys,
    .size = sizeof(struct board_transport),
    .where_offset = KEY_NOWHERE,
    .finish = transport_finish,
};

static const char *const flash_methods[] = {"none", "qemu", "openocd", "inject", "command", NULL};

#define M board_flash
static const struct key flashing_keys[] = {
    {"method",
     "none (already there), qemu (the virtual lab), openocd, inject (RAM over SWD) or command",
     "openocd",
     NULL,
     KEY_ONE,
     0,
     {VALUE_CHOICE, flash_methods},
     NULL,
     KEY_AT(M, method)},
    {"firmware",
     "ELF file; without it, the one built for 'agent'",
     "../../build/fw/m4.elf",
     NULL,
     KEY_ONE,
     0,
     {VALUE_PATH},
     NULL,
     KEY_AT(M, firmware)},
    {"command",
     "for method command: program and arguments, no shell; {firmware} and {port} are replaced; "
     "the lab file must list the program under 'commands'",
     "[avrdude, -p, m2560, -c, wiring, -P, \"{port}\", -U, \"flash:w:{firmware}\"]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, command)},
    {"verify",
     "read the flash back",
     "true",
     "true",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, verify)},
    {"timeout",
     "for one flashing; without it, from the size of the image",
     "60s",
     NULL,
     KEY_ONE,
     0,
     {VALUE_DURATION},
     NULL,
     KEY_AT(M, timeout_ns)},
    {NULL},
};
#undef M

static const struct key_map flashing_map = {
    .name = "flashing",
    .help = "how firmware gets into the part",
    .keys = flashing_keys,
    .size = sizeof(struct board_flash),
    .where_offset = KEY_NOWHERE,
};

static const char *const probe_transports[] = {"swd", "jtag", "dapdirect_swd", "hla_swd", NULL};

#define M board_openocd
static const struct key openocd_keys[] = {
    {"interface",
     "adapter script of OpenOCD's own library",
     "interface/stlink.cfg",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SCRIPT},
     NULL,
     KEY_AT(M, interface)},
    {"target",
     "chip script of OpenOCD's own library",
     "target/stm32f4x.cfg",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SCRIPT},
     NULL,
     KEY_AT(M, target)},
    {"transport",
     "of the adapter: swd, jtag, dapdirect_swd or hla_swd",
     "swd",
     "swd",
     KEY_ONE,
     0,
     {VALUE_CHOICE, probe_transports},
     NULL,
     KEY_AT(M, transport)},
    {"serial",
     "serial number of the adapter; say it in the lab file",
     "066FFF505055657867",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SERIAL},
     NULL,
     KEY_AT(M, serial)},
    {"usb_id",
     "VID:PID of the adapter, so that no other device is opened",
     "0483:374b",
     NULL,
     KEY_ONE,
     0,
     {VALUE_USB_ID},
     NULL,
     KEY_AT(M, usb_id)},
    {"address",
     "host:port of an emulated or remote adapter",
     "127.0.0.1:7184",
     NULL,
     KEY_ONE,
     0,
     {VALUE_ENDPOINT},
     NULL,
     KEY_AT(M, address)},
    {"speed",
     "adapter clock after connecting",
     "4MHz",
     NULL,
     KEY_ONE,
     0,
     {VALUE_HERTZ},
     NULL,
     KEY_AT(M, speed_hz)},
    {"connect_under_reset",
     "hold reset while connecting",
     "true",
     "false",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, connect_under_reset)},
    {NULL},
};
#undef M

const struct key_map openocd_map = {
    .name = "openocd",
    .help = "the debug adapter, for flashing, injecting and the swd transport",
    .keys = openocd_keys,
    .size = sizeof(struct board_openocd),
    .where_offset = KEY_NOWHERE,
};

static const char *const virtual_kinds[] = {"qemu", "simavr", "posix", NULL};

#define M board_virtual
static const struct key virtual_keys[] = {
    {"kind",
     "qemu, simavr or posix (the agent as a program on this host)",
     "qemu",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_CHOICE, virtual_kinds},
     NULL,
     KEY_AT(M, kind)},
    {"machine",
     "QEMU's machine or simavr's part",
     "netduinoplus2",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, machine)},
    {"options",
     "further QEMU options out of -cpu, -global, -m",
     "[-m, 16M]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, cpu_options)},
    {"icount_shift",
     "one instruction takes 2^shift virtual ns; -1: do not count",
     "7",
     "-1",
     KEY_ONE,
     0,
     {VALUE_INTEGER, .min = -1, .max = 12},
     NULL,
     KEY_AT(M, icount_shift)},
    {"marker_set",
     "address whose store raises the marker",
     "0x40020018",
     NULL,
     KEY_ONE,
     0,
     {VALUE_ADDRESS},
     NULL,
     KEY_AT(M, marker_set)},
    {"marker_clear",
     "address whose store lowers the marker",
     "0x4002001c",
     NULL,
     KEY_ONE,
     0,
     {VALUE_ADDRESS},
     NULL,
     KEY_AT(M, marker_clear)},
    {"probe",
     "serve an emulated SWD probe too",
     "true",
     "false",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, probe)},
    {NULL},
};
#undef M

/* QEMU can be asked to run programs and write files: only harmless options pass. */
static void virtual_finish(struct load *l, const struct node *n, void *object)
{
    static const char *const allowed[] = {"-cpu", "-global", "-m", NULL};
    const struct board_virtual *v = object;
    bool value = false;

    for (size_t i = 0; v->cpu_options != NULL && v->cpu_options[i] != NULL; i++) {
        const char *option = v->cpu_options[i];
        bool good = value && strspn(option, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789.,=_+-") == strlen(option);

        for (size_t a = 0; !value && allowed[a] != NULL; a++)
            good |= strcmp(option, allowed[a]) == 0;
        if (!good)
            LOAD_PROBLEM(l, n,
                         "'options' expected -cpu, -global or -m, each with a value, got "
                         "'%.64s'",
                         option);
        value = !value;
    }
    if (v->machine == NULL && strcmp(v->kind, "posix") != 0)
        LOAD_PROBLEM(l, n, "'machine' is missing in 'virtual': kind %s needs one", v->kind);
}

static const struct key_map virtual_map = {
    .name = "virtual",
    .help = "what emulates the board; without it, the board is real",
    .keys = virtual_keys,
    .size = sizeof(struct board_virtual),
    .where_offset = KEY_NOWHERE,
    .finish = virtual_finish,
};

/* A board as written. */
struct board_file {
    struct board board; /* first: the timebase map is read into it */
    struct slot_file slot;
    bool has_timebase;
    const char *const *tags;
};
static_assert(offsetof(struct board_file, board) == 0, "timebase");

#define M board_file
static const struct key board_keys[] = {
    {"name",
     "the kind of board; the same as the file's name",
     "nucleo-f446re",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, board.type)},
    {"description",
     "for people",
     "ST NUCLEO-F446RE",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, board.description)},
    {"cpu",
     "core; also a tag",
     "cortex-m4",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, board.cpu)},
    {"part",
     "the chip that it is or stands for",
     "STM32F446RE",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, board.part)},
    {"agent",
     "firmware that it runs: the name of its ELF without .elf; without it, the board's",
     "m4",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, board.agent)},
    {"clock",
     "core clock",
     "180MHz",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_HERTZ},
     NULL,
     KEY_AT(M, board.clock_hz)},
    {"voltage",
     "nominal supply",
     "3.3V",
     NULL,
     KEY_ONE,
     0,
     {VALUE_VOLTS},
     NULL,
     KEY_AT(M, board.voltage_uv)},
    {"flash",
     "of the part; models that do not fit are skipped",
     "{base: 0x08000000, size: 512KiB}",
     NULL,
     KEY_MAP,
     0,
     {0},
     &region_map,
     KEY_AT(M, board.flash)},
    {"ram",
     "of the part; models that do not fit are skipped",
     "{base: 0x20000000, size: 128KiB}",
     NULL,
     KEY_MAP,
     KEY_REQUIRED,
     {0},
     &region_map,
     KEY_AT(M, board.ram)},
    {"slot",
     "where model images go; without it, the agent says",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &slot_map,
     KEY_AT(M, slot)},
    {"timebase",
     "the on-target counter, or its unit alone; without it instructions in QEMU, cycles elsewhere",
     "cycles",
     NULL,
     KEY_MAP,
     0,
     {0},
     &timebase_map,
     .offset = (long)offsetof(struct M, board),
     .count_offset = KEY_NOWHERE,
     .given_offset = (long)offsetof(struct M, has_timebase)},
    {"tags",
     "words that suites can choose it by; core, core family and realm are added",
     "[fpu, dsp]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, tags)},
    {"transport",
     "how bytes reach the agent",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &transport_map,
     KEY_AT(M, board.transport)},
    {"flashing",
     "how firmware gets into the part",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &flashing_map,
     KEY_AT(M, board.flashing)},
    {"openocd",
     "the debug adapter, for flashing, injecting and the swd transport",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &openocd_map,
     KEY_AT(M, board.openocd)},
    {"virtual",
     "what emulates the board; without it, the board is real",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &virtual_map,
     KEY_AT(M, board.virt)},
    {NULL},
};
#undef M

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

/* What a board means that does not say how it is reached or flashed. */
static void fill_methods(struct board *b)
{
    const bool virtual = b->virt.kind != NULL;

    if (b->transport.kind == NULL)
        b->transport.kind = virtual ? "pty" : "serial";
    if (b->flashing.method == NULL)
        b->flashing.method = virtual ? "qemu" : b->openocd.target != NULL ? "openocd" : "none";
}

static void check_methods(struct load *l, const struct node *n, const struct board *b)
{
    const bool by_command = strcmp(b->flashing.method, "command") == 0;
    const bool by_probe = strcmp(b->flashing.method, "openocd") == 0 ||
                          strcmp(b->flashing.method, "inject") == 0 ||
                          strcmp(b->transport.kind, "swd") == 0;

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

static void board_finish(struct load *l, const struct node *n, void *object)
{
    struct board_file *f = object;
    struct board *b = &f->board;
    const char *stem = read_stem(l->file, ".yaml", l->arena);
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
    check_methods(l, n, b);
}

const struct key_map board_map = {
    .name = "board",
    .help = "one kind of board, real or virtual",
    .keys = board_keys,
    .size = sizeof(struct board_file),
    .where_offset = KEY_NOWHERE,
    .finish = board_finish,
};

struct board *board_read(struct load *l, const char *data, size_t n)
{
    struct board_file *f = arena_alloc(l->arena, sizeof(*f));
    const size_t before = l->problems->count;

    f->board.path = l->file;
    read_text(l, data, n, &board_map, f);
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
