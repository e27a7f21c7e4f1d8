/* The lab inventory: how kinds of boards become boards that can be used. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/load/lab_file.h"
#include "harness/load/load.h"

void meter_finish(struct load *l, const struct node *n, void *object)
{
    const struct lab_meter *m = object;

    if ((m->mux != NULL) != (m->channels != 0))
        LOAD_PROBLEM(l, n, "'channels' and 'mux' belong together");
}

void power_finish(struct load *l, const struct node *n, void *object)
{
    const struct lab_power *p = object;
    const bool by_command = strcmp(p->kind, "command") == 0;
    const bool by_meter = strcmp(p->kind, "meter") == 0;

    if (by_command && (p->on == NULL || p->off == NULL))
        LOAD_PROBLEM(l, n,
                     "'turn_on' and 'turn_off' are missing in 'power': kind command needs both");
    if (by_meter && p->meter == NULL)
        LOAD_PROBLEM(l, n, "'meter' is missing in 'power': kind meter needs one");
    if (!by_command && !by_meter && p->location == NULL)
        LOAD_PROBLEM(l, n, "'location' is missing in 'power': kind %s needs one", p->kind);
}

void lab_board_finish(struct load *l, const struct node *n, void *object)
{
    ((struct lab_board *)object)->node = n;
}

static int by_name(const void *left, const void *right)
{
    return strcmp((*(struct board *const *)left)->name, (*(struct board *const *)right)->name);
}

static void sort_boards(struct board **boards, size_t count)
{
    if (count > 0)
        qsort(boards, count, sizeof(struct board *), by_name);
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
    if (board_of(f->known, f->known_count, value_stem(path, ".yaml", l.arena)) != NULL)
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

static void check_instruments(struct load *l, const struct lab *lab, const struct board *b)
{
    const struct lab_meter *meter = lab_find_meter(lab, b->meter);
    const uint32_t channels = meter != NULL ? meter->channels : 0;

    if (b->meter != NULL && meter == NULL)
        problem_add(l->problems, b->where, "there is no meter '%s' in this lab", b->meter);
    else if (b->meter_channel != 0 && b->meter_channel >= channels)
        problem_add(l->problems, b->where, "'meter_channel' is %u, but meter '%s' has %u",
                    b->meter_channel, b->meter != NULL ? b->meter : "", channels);
    if (b->power != NULL && lab_find_power(lab, b->power) == NULL)
        problem_add(l->problems, b->where, "there is no power switch '%s' in this lab", b->power);
}

static bool is_allowed(const struct lab *lab, const char *program)
{
    for (size_t i = 0; lab->commands != NULL && lab->commands[i] != NULL; i++) {
        if (strcmp(lab->commands[i], program) == 0)
            return true;
    }
    return false;
}

/* Board files may be a stranger's: what they have run on this host, the lab file must allow. */
static void check_programs(struct load *l, const struct lab *lab, const struct board *b)
{
    const bool native = b->virt.kind != NULL && strcmp(b->virt.kind, "posix") == 0;

    if (b->flashing.command != NULL && !is_allowed(lab, b->flashing.command[0]))
        problem_add(l->problems, b->where,
                    "board '%s' is flashed by '%.64s', which 'commands' of this lab does not allow",
                    b->name, b->flashing.command[0]);
    if (native && b->flashing.firmware != NULL && !is_allowed(lab, b->flashing.firmware))
        problem_add(l->problems, b->where,
                    "the firmware of board '%s' is a program of this host, '%s', which "
                    "'commands' of this lab does not allow",
                    b->name, b->flashing.firmware);
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
    check_programs(l, &f->lab, b);
    check_identity(l, b);
    for (size_t i = 0; i < f->attached_count; i++)
        check_twins(l, f->attached[i], b);
    *ARENA_PUSH(l->arena, f->attached, f->attached_count, f->attached_capacity) = b;
}

static void attach_virtual(struct load *l, struct lab_file *f)
{
    for (size_t i = 0; i < f->known_count; i++) {
        struct board *b = f->known[i];

        if (b->realm != REALM_VIRTUAL || board_of(f->attached, f->attached_count, b->name) != NULL)
            continue;
        check_programs(l, &f->lab, b);
        *ARENA_PUSH(l->arena, f->attached, f->attached_count, f->attached_capacity) = b;
    }
}

static void check_powers(struct load *l, const struct lab *lab)
{
    for (size_t i = 0; i < lab->power_count; i++) {
        const struct lab_power *p = &lab->powers[i];

        if (p->meter != NULL && lab_find_meter(lab, p->meter) == NULL)
            problem_add(l->problems, p->where, "there is no meter '%s' in this lab", p->meter);
    }
}

static int lab_finish(struct load *l, struct lab_file *f, const char *const *board_dirs,
                      struct err *err)
{
    static const char *const none[] = {NULL};
    int r = 0;

    for (size_t i = 0; !l->no_files && f->board_path != NULL && f->board_path[i] != NULL && r == 0;
         i++)
        r = learn_folder(l, f, f->board_path[i], err);
    for (size_t i = 0; board_dirs != NULL && board_dirs[i] != NULL && r == 0; i++)
        r = learn_folder(l, f, board_dirs[i], err);
    if (r < 0)
        return r;
    sort_boards(f->known, f->known_count);
    if (l->problems->count > 0) /* what could not be read cannot be put together */
        return problems_report(l->problems, err);
    if (f->lab.commands == NULL)
        f->lab.commands = none;
    check_powers(l, &f->lab);
    for (size_t i = 0; i < f->board_count; i++)
        attach(l, f, &f->boards[i]);
    if (f->virtual_boards)
        attach_virtual(l, f);
    sort_boards(f->attached, f->attached_count);
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
    key_read_text(l, data, n, &lab_map, f);
    if (f->lab.name == NULL)
        f->lab.name = value_stem(l->file, ".yaml", l->arena);
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
