/* The lab inventory: its key tables, and how kinds of boards become boards that can be used. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/load/load.h"
#include "harness/load/read.h"

/* A board as written in the lab file: a kind, and what differs from it. */
struct lab_board {
    struct board board; /* type is the kind's name */
    const char *const *tags;
    const struct node *node;
};

struct lab_file {
    struct lab lab;
    const char *const *board_path;
    bool virtual_boards;
    struct lab_board *boards;
    size_t board_count;
    struct board **attached;
    size_t attached_count;
    size_t attached_capacity;
    struct board **known;
    size_t known_count;
    size_t known_capacity;
};

static const char *const meter_modes[] = {"ampere", "source", NULL};
static const char *const meter_drivers[] = {"ppk2",       "lpm01a",    "csv",  "replay",
                                            "iio",        "hwmon",     "scpi", "sigrok",
                                            "joulescope", "synthetic", "null", NULL};

#define M lab_meter
static const struct key meter_keys[] = {
    {"driver",
     "which instrument it is",
     "ppk2",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_CHOICE, meter_drivers},
     NULL,
     KEY_AT(M, driver)},
    {"where",
     "device, by-id path, host:port, or the file to replay",
     "/dev/serial/by-id/usb-Nordic_Semiconductor_PPK2_C0FFEE-if01",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, where)},
    {"serial",
     "USB serial number",
     "C0FFEE123456",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SERIAL},
     NULL,
     KEY_AT(M, serial)},
    {"mode",
     "ampere: in series with the supply; source: it supplies the board",
     "source",
     "ampere",
     KEY_ONE,
     0,
     {VALUE_CHOICE, meter_modes},
     NULL,
     KEY_AT(M, mode)},
    {"voltage",
     "to supply; without it, the board's nominal voltage",
     "3.0V",
     NULL,
     KEY_ONE,
     0,
     {VALUE_VOLTS},
     NULL,
     KEY_AT(M, voltage_uv)},
    {"channels",
     "boards behind a multiplexer",
     "4",
     NULL,
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 1, .max = 64},
     NULL,
     KEY_AT(M, channels)},
    {"mux",
     "program and arguments that connect {channel}; no shell",
     "[mux-select, \"{channel}\"]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, mux)},
    {NULL},
};
#undef M

static void meter_finish(struct load *l, const struct node *n, void *object)
{
    const struct lab_meter *m = object;

    if ((m->mux != NULL) != (m->channels != 0))
        LOAD_PROBLEM(l, n, "'channels' and 'mux' belong together");
}

static const struct key_map meter_map = {
    .name = "meters",
    .help = "power instruments; boards that share one take turns",
    .keys = meter_keys,
    .size = sizeof(struct lab_meter),
    .where_offset = (long)offsetof(struct lab_meter, where_declared),
    .name_offset = (long)offsetof(struct lab_meter, name),
    .finish = meter_finish,
};

static const char *const power_kinds[] = {"uhubctl", "meter", "gpio", "command", NULL};

#define M lab_power
static const struct key power_keys[] = {
    {"kind",
     "uhubctl (port of a USB hub), meter (its own switch), gpio or command",
     "uhubctl",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_CHOICE, power_kinds},
     NULL,
     KEY_AT(M, kind)},
    {"location",
     "uhubctl: location of the hub; gpio: chip",
     "1-1.4",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SERIAL},
     NULL,
     KEY_AT(M, location)},
    {"port",
     "uhubctl: port of the hub; gpio: line",
     "2",
     NULL,
     KEY_ONE,
     0,
     {VALUE_COUNT, .max = 1023},
     NULL,
     KEY_AT(M, port)},
    {"meter",
     "kind meter: which",
     "ppk2-a",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, meter)},
    {"on",
     "kind command: program and arguments; no shell",
     "[pduclient, --on, \"7\"]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, on)},
    {"off",
     "kind command: program and arguments; no shell",
     "[pduclient, --off, \"7\"]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, off)},
    {"off_time",
     "how long it stays off in a power cycle",
     "2s",
     "2s",
     KEY_ONE,
     0,
     {VALUE_DURATION},
     NULL,
     KEY_AT(M, off_time_ns)},
    {NULL},
};
#undef M

static void power_finish(struct load *l, const struct node *n, void *object)
{
    const struct lab_power *p = object;
    const bool by_command = strcmp(p->kind, "command") == 0;
    const bool by_meter = strcmp(p->kind, "meter") == 0;

    if (by_command && (p->on == NULL || p->off == NULL))
        LOAD_PROBLEM(l, n, "'on' and 'off' are missing in 'power': kind command needs both");
    if (by_meter && p->meter == NULL)
        LOAD_PROBLEM(l, n, "'meter' is missing in 'power': kind meter needs one");
    if (!by_command && !by_meter && p->location == NULL)
        LOAD_PROBLEM(l, n, "'location' is missing in 'power': kind %s needs one", p->kind);
}

static const struct key_map power_map = {
    .name = "power",
    .help = "switches for the supply of boards",
    .keys = power_keys,
    .size = sizeof(struct lab_power),
    .where_offset = (long)offsetof(struct lab_power, where),
    .name_offset = (long)offsetof(struct lab_power, name),
    .finish = power_finish,
};

#define M lab_board
static const struct key lab_board_keys[] = {
    {"board",
     "kind of board: a board file's name without .yaml",
     "nucleo-f446re",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, board.type)},
    {"transport",
     "how it is reached, on top of the board file",
     "{usb_serial: 066FFF505055657867}",
     NULL,
     KEY_MAP,
     0,
     {0},
     &transport_map,
     KEY_AT(M, board.transport)},
    {"openocd",
     "its debug adapter, on top of the board file",
     "{serial: 066FFF505055657867}",
     NULL,
     KEY_MAP,
     0,
     {0},
     &openocd_map,
     KEY_AT(M, board.openocd)},
    {"uid",
     "chip UID that the agent must report; a board swapped by mistake is then noticed",
     "0023001A3338470A30343234",
     NULL,
     KEY_ONE,
     0,
     {VALUE_SERIAL},
     NULL,
     KEY_AT(M, board.uid)},
    {"meter",
     "its power instrument",
     "ppk2-a",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, board.meter)},
    {"meter_channel",
     "behind the meter's multiplexer",
     "1",
     NULL,
     KEY_ONE,
     0,
     {VALUE_COUNT, .max = 63},
     NULL,
     KEY_AT(M, board.meter_channel)},
    {"power",
     "the switch of its supply",
     "hub-2",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, board.power)},
    {"voltage",
     "its supply, when not the nominal one",
     "1.8V",
     NULL,
     KEY_ONE,
     0,
     {VALUE_VOLTS},
     NULL,
     KEY_AT(M, board.voltage_uv)},
    {"tags",
     "further words that suites can choose it by",
     "[bench-2]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, tags)},
    {"maintenance",
     "why it is not to be used now",
     "waiting for a new cable",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, board.maintenance)},
    {NULL},
};
#undef M

static void lab_board_finish(struct load *l, const struct node *n, void *object)
{
    ((struct lab_board *)object)->node = n;
}

static const struct key_map lab_board_map = {
    .name = "boards",
    .help = "the boards of this lab, by the names that results will carry",
    .keys = lab_board_keys,
    .size = sizeof(struct lab_board),
    .where_offset = (long)offsetof(struct lab_board, board.where),
    .name_offset = (long)offsetof(struct lab_board, board.name),
    .finish = lab_board_finish,
};

#define M lab_file
static const struct key lab_keys[] = {
    {"name",
     "what the lab is called; without it, the file's name",
     "bench",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, lab.name)},
    {"board_path",
     "folders with further board files",
     "[boards]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_PATH},
     NULL,
     KEY_AT(M, board_path)},
    {"virtual_boards",
     "every virtual board can be used too",
     "false",
     "true",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, virtual_boards)},
    {"commands",
     "the only programs that board files may run: names, or absolute paths",
     "[avrdude, /opt/st/st-flash]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, lab.commands)},
    {"meters",
     "power instruments; boards that share one take turns",
     NULL,
     NULL,
     KEY_NAMED,
     0,
     {0},
     &meter_map,
     KEY_ARRAY_AT(M, lab.meters, lab.meter_count)},
    {"power",
     "switches for the supply of boards",
     NULL,
     NULL,
     KEY_NAMED,
     0,
     {0},
     &power_map,
     KEY_ARRAY_AT(M, lab.powers, lab.power_count)},
    {"boards",
     "the boards of this lab, by the names that results will carry",
     NULL,
     NULL,
     KEY_NAMED,
     0,
     {0},
     &lab_board_map,
     KEY_ARRAY_AT(M, boards, board_count)},
    {NULL},
};
#undef M

const struct key_map lab_map = {
    .name = "lab",
    .help = "which boards and instruments this host has",
    .keys = lab_keys,
    .size = sizeof(struct lab_file),
    .where_offset = KEY_NOWHERE,
};

static int by_name(const void *left, const void *right)
{
    return strcmp((*(struct board *const *)left)->name, (*(struct board *const *)right)->name);
}

static struct board *board_of(struct board *const *boards, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(boards[i]->name, name) == 0)
            return boards[i];
    }
    return NULL;
}

static bool is_yaml(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

static int yaml_filter(const struct dirent *entry)
{
    return is_yaml(entry);
}

/* One board file; a name that is known already is left out. */
static int learn_board(struct load *lab, struct lab_file *f, const char *path, struct err *err)
{
    struct load l = *lab;
    AUTO_BUF data = BUF_INIT;
    struct board *b;
    int r;

    l.file = path;
    if (board_of(f->known, f->known_count, read_stem(path, ".yaml", l.arena)) != NULL)
        return 0;
    r = file_read(path, NODE_FILE_LIMIT, &data, err);
    if (r < 0)
        return r;
    b = board_read(&l, buf_text(&data), data.len);
    if (b != NULL)
        *ARENA_PUSH(l.arena, f->known, f->known_count, f->known_capacity) = b;
    return 0;
}

static int learn_folder(struct load *l, struct lab_file *f, const char *folder, struct err *err)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, yaml_filter, alphasort);
    int r = 0;

    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = learn_board(l, f, arena_printf(l->arena, "%s/%s", folder, entries[i]->d_name), err);
        free(entries[i]);
    }
    free(entries);
    return r;
}

static bool has_meter(const struct lab *lab, const char *name, uint32_t *ret_channels)
{
    for (size_t i = 0; i < lab->meter_count; i++) {
        if (strcmp(lab->meters[i].name, name) == 0) {
            *ret_channels = lab->meters[i].channels;
            return true;
        }
    }
    return false;
}

static bool has_power(const struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->power_count; i++) {
        if (strcmp(lab->powers[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_instruments(struct load *l, const struct lab *lab, const struct board *b)
{
    uint32_t channels = 0;

    if (b->meter != NULL && !has_meter(lab, b->meter, &channels))
        problem_add(l->problems, b->where, "there is no meter '%s' in this lab", b->meter);
    else if (b->meter_channel != 0 && b->meter_channel >= channels)
        problem_add(l->problems, b->where, "'meter_channel' is %u, but meter '%s' has %u",
                    b->meter_channel, b->meter != NULL ? b->meter : "", channels);
    if (b->power != NULL && !has_power(lab, b->power))
        problem_add(l->problems, b->where, "there is no power switch '%s' in this lab", b->power);
}

static void check_commands(struct load *l, const struct lab *lab, const struct board *b)
{
    if (b->flashing.command == NULL)
        return;
    for (size_t i = 0; lab->commands != NULL && lab->commands[i] != NULL; i++) {
        if (strcmp(lab->commands[i], b->flashing.command[0]) == 0)
            return;
    }
    problem_add(l->problems, b->where,
                "board '%s' is flashed by '%.64s', which 'commands' of this lab does not allow",
                b->name, b->flashing.command[0]);
}

/* A board of copper must be told from all others. */
static void check_identity(struct load *l, const struct board *b)
{
    const struct board_transport *t = &b->transport;

    if (b->realm != REALM_SILICON)
        return;
    if (strcmp(t->kind, "serial") == 0 && t->where == NULL && t->usb_serial == NULL &&
        t->usb_id == NULL)
        problem_add(l->problems, b->where,
                    "board '%s' does not say which port: give its transport a usb_serial", b->name);
    if (strcmp(t->kind, "tcp") == 0 && t->where == NULL)
        problem_add(l->problems, b->where,
                    "board '%s' does not say where: give its transport a where: HOST:PORT",
                    b->name);
}

static bool same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void check_twins(struct load *l, const struct board *a, const struct board *b)
{
    const char *what = same_text(a->transport.where, b->transport.where)             ? "where"
                       : same_text(a->transport.usb_serial, b->transport.usb_serial) ? "usb_serial"
                       : same_text(a->openocd.serial, b->openocd.serial) ? "openocd serial"
                                                                         : NULL;

    if (what != NULL)
        problem_add(l->problems, b->where, "boards '%s' and '%s' have the same %s", a->name,
                    b->name, what);
}

static const char *const *join_tags(struct load *l, const char *const *a, const char *const *b)
{
    const char **tags;
    size_t n = 0;
    size_t count = 0;

    for (size_t i = 0; a[i] != NULL; i++)
        n++;
    for (size_t i = 0; b != NULL && b[i] != NULL; i++)
        n++;
    tags = arena_alloc(l->arena, (n + 1) * sizeof(*tags));
    for (size_t i = 0; a[i] != NULL; i++)
        tags[count++] = a[i];
    for (size_t i = 0; b != NULL && b[i] != NULL; i++)
        tags[count++] = b[i];
    return tags;
}

static void say_no_kind(struct load *l, const struct lab_file *f, const struct lab_board *entry)
{
    const char **names = arena_alloc(l->arena, (f->known_count + 1) * sizeof(*names));
    char hint[96];

    for (size_t i = 0; i < f->known_count; i++)
        names[i] = f->known[i]->name;
    key_suggest(entry->board.type, names, hint);
    problem_add(l->problems, entry->board.where, "there is no board file '%s.yaml'%s",
                entry->board.type, hint);
}

/* The kind, with what the lab file says on top. */
static void attach(struct load *l, struct lab_file *f, const struct lab_board *entry)
{
    const struct board *kind = board_of(f->known, f->known_count, entry->board.type);
    struct lab_board copy = {.board.name = NULL};
    struct board *b;

    if (kind == NULL) {
        say_no_kind(l, f, entry);
        return;
    }
    copy.board = *kind;
    key_read(l, entry->node, &lab_board_map, &copy, READ_OVERRIDE);
    b = arena_dup(l->arena, &copy.board, sizeof(*b));
    b->name = entry->board.name;
    b->tags = join_tags(l, kind->tags, copy.tags);
    check_instruments(l, &f->lab, b);
    check_commands(l, &f->lab, b);
    check_identity(l, b);
    for (size_t i = 0; i < f->attached_count; i++)
        check_twins(l, f->attached[i], b);
    *ARENA_PUSH(l->arena, f->attached, f->attached_count, f->attached_capacity) = b;
}

static void attach_virtual(struct load *l, struct lab_file *f)
{
    for (size_t i = 0; i < f->known_count; i++) {
        struct board *b = f->known[i];

        if (b->realm == REALM_VIRTUAL && board_of(f->attached, f->attached_count, b->name) == NULL)
            *ARENA_PUSH(l->arena, f->attached, f->attached_count, f->attached_capacity) = b;
    }
}

static void check_powers(struct load *l, const struct lab *lab)
{
    uint32_t channels;

    for (size_t i = 0; i < lab->power_count; i++) {
        const struct lab_power *p = &lab->powers[i];

        if (p->meter != NULL && !has_meter(lab, p->meter, &channels))
            problem_add(l->problems, p->where, "there is no meter '%s' in this lab", p->meter);
    }
}

static int lab_finish(struct load *l, struct lab_file *f, const char *const *board_dirs,
                      struct err *err)
{
    static const char *const none[] = {NULL};
    int r = 0;

    for (size_t i = 0; f->board_path != NULL && f->board_path[i] != NULL && r == 0; i++)
        r = learn_folder(l, f, f->board_path[i], err);
    for (size_t i = 0; board_dirs != NULL && board_dirs[i] != NULL && r == 0; i++)
        r = learn_folder(l, f, board_dirs[i], err);
    if (r < 0)
        return r;
    qsort(f->known, f->known_count, sizeof(struct board *), by_name);
    if (f->lab.commands == NULL)
        f->lab.commands = none;
    check_powers(l, &f->lab);
    for (size_t i = 0; i < f->board_count && l->problems->count == 0; i++)
        attach(l, f, &f->boards[i]);
    if (f->virtual_boards)
        attach_virtual(l, f);
    qsort(f->attached, f->attached_count, sizeof(struct board *), by_name);
    f->lab.boards = (const struct board *const *)f->attached;
    f->lab.board_count = f->attached_count;
    f->lab.known = (const struct board *const *)f->known;
    f->lab.known_count = f->known_count;
    return problems_report(l->problems, err);
}

static int lab_from(const char *data, size_t n, struct load *l, const char *const *board_dirs,
                    const struct lab **ret, struct err *err)
{
    struct lab_file *f = arena_alloc(l->arena, sizeof(*f));
    int r;

    f->lab.path = l->file;
    read_text(l, data, n, &lab_map, f);
    if (f->lab.name == NULL)
        f->lab.name = read_stem(l->file, ".yaml", l->arena);
    r = lab_finish(l, f, board_dirs, err);
    if (r == 0)
        *ret = &f->lab;
    return r;
}

int lab_parse(const char *data, size_t n, const char *path, struct arena *arena,
              const struct lab **ret, struct err *err)
{
    struct problems problems = {.arena = arena};
    struct load l = {
        .arena = arena, .problems = &problems, .file = arena_strdup(arena, path), .no_files = true};

    return lab_from(data, n, &l, NULL, ret, err);
}

/* No lab file: whatever needs no wires. */
static int lab_virtual(struct load *l, const char *const *board_dirs, const struct lab **ret,
                       struct err *err)
{
    struct lab_file *f = arena_alloc(l->arena, sizeof(*f));
    int r;

    f->lab.name = "virtual";
    f->virtual_boards = true;
    r = lab_finish(l, f, board_dirs, err);
    if (r == 0)
        *ret = &f->lab;
    return r;
}

int lab_load(const char *path, const char *const *board_dirs, struct arena *arena,
             const struct lab **ret, struct err *err)
{
    struct problems problems = {.arena = arena};
    struct load l = {.arena = arena, .problems = &problems, .file = ""};
    AUTO_BUF data = BUF_INIT;
    int r;

    if (path == NULL)
        return lab_virtual(&l, board_dirs, ret, err);
    l.file = arena_strdup(arena, path);
    r = file_read(path, NODE_FILE_LIMIT, &data, err);
    if (r < 0)
        return r;
    return lab_from(buf_text(&data), data.len, &l, board_dirs, ret, err);
}

const char *lab_find(const char *given, struct arena *arena)
{
    const char *named = given != NULL ? given : getenv("TINYRIG_LAB");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    const char *places[3] = {NULL, "/etc/tinyrig/lab.yaml", "config/lab.yaml"};

    if (named != NULL && *named != '\0')
        return named;
    if (config != NULL && *config == '/')
        places[0] = arena_printf(arena, "%s/tinyrig/lab.yaml", config);
    else if (home != NULL && *home == '/')
        places[0] = arena_printf(arena, "%s/.config/tinyrig/lab.yaml", home);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (places[i] != NULL && access(places[i], R_OK) == 0)
            return places[i];
    }
    return NULL;
}
