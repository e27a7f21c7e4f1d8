#include "targets/virtual/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/text.h"

/* name, argument (NULL: none), what it is; the parser and --help both come from here */
/* clang-format off */
#define OPTION_LIST(X) \
    X(KIND,         "kind",         "KIND",      "qemu, simavr or posix") \
    X(NAME,         "name",         "NAME",      "name of the board; its serial port is DIR/NAME") \
    X(DIR,          "dir",          "DIR",       "existing directory for the serial port's link") \
    X(FIRMWARE,     "firmware",     "ELF",       "what the board runs") \
    X(MACHINE,      "machine",      "M",         "QEMU machine or simavr mcu") \
    X(EMULATOR,     "emulator",     "PROGRAM",   "run this instead of the usual emulator") \
    X(CLOCK,        "clock",        "HZ",        "simavr: core clock (16000000)") \
    X(ICOUNT,       "icount",       "SHIFT",     "QEMU: one instruction takes 2^SHIFT virtual ns; 'off' for host time") \
    X(IDLE_SKIPS,   "idle-skips",   NULL,        "QEMU: virtual time jumps over idle waits") \
    X(MARKER_SET,   "marker-set",   "ADDR",      "a store here is a rising marker edge") \
    X(MARKER_CLEAR, "marker-clear", "ADDR",      "a store here is a falling marker edge") \
    X(MARKER_PIN,   "marker-pin",   "PIN",       "simavr: marker pin (PB5)") \
    X(PLUGIN,       "plugin",       "SO",        "QEMU marker plugin; 'none' for none") \
    X(PROBE,        "probe",        "ADAPTERS",  "QEMU: emulated debug probe for OpenOCD: stlink,jtag,jlink") \
    X(CHIP,         "chip",         "CHIP",      "what the probe finds: nrf51, same54 (by the machine)") \
    X(FLASH,        "flash",        "FILE",      "with a probe: keeps the flash; created when missing") \
    X(LOAD,         "load",         "FILE@ADDR", "put FILE at ADDR of the flash; may be repeated") \
    X(EDGES_SOCKET, "edges-socket", "PATH",      "serve marker edges on this unix socket") \
    X(SEED,         "seed",         "N",         "of the random faults (1)") \
    X(OFF,          "off",          NULL,        "start with the power off") \
    X(HELP,         "help",         NULL,        "print this") \
    X(VERSION,      "version",      NULL,        "print the version")
/* clang-format on */

enum option_kind {
#define X(kind, name, arg, text) OPTION_##kind,
    OPTION_LIST(X)
#undef X
};

static const struct shape {
    const char *name;
    const char *arg;
    const char *text;
} shapes[] = {
#define X(kind, name, arg, text) {name, arg, text},
    OPTION_LIST(X)
#undef X
};

static const char *const names[] = {
#define X(kind, name, arg, text) name,
    OPTION_LIST(X)
#undef X
        NULL,
};

int options_parse_load(char *text, struct image_file *ret, struct err *err)
{
    char *at = strrchr(text, '@');
    uint64_t address;

    if (at == NULL || at == text || !text_to_u64(at + 1, &address))
        return err_set(err, ERR_USAGE, "'%s' is not FILE@ADDR", text);
    *at = '\0';
    *ret = (struct image_file){.path = text, .address = address};
    return 0;
}

static int parse_number(const char *name, const char *text, uint64_t max, uint64_t *ret,
                        struct err *err)
{
    uint64_t v;

    if (!text_to_u64(text, &v) || v > max)
        return err_set(err, ERR_USAGE, "--%s: '%s' is not a number up to %llu", name, text,
                       (unsigned long long)max);
    *ret = v;
    return 0;
}

static int parse_icount(struct options *o, const char *value, struct err *err)
{
    uint64_t shift = 0;
    const int r = strcmp(value, "off") == 0 ? 1 : parse_number("icount", value, 10, &shift, err);

    if (r < 0)
        return r;
    o->icount_shift = r == 1 ? -1 : (int)shift;
    return 0;
}

static int parse_machine_option(struct options *o, enum option_kind kind, char *value,
                                struct err *err)
{
    switch (kind) {
    case OPTION_ICOUNT:
        return parse_icount(o, value, err);
    case OPTION_CLOCK:
        return parse_number("clock", value, 1000000000, &o->clock_hz, err);
    case OPTION_MARKER_SET:
        o->marker = true;
        return parse_number("marker-set", value, UINT64_MAX, &o->marker_set, err);
    case OPTION_MARKER_CLEAR:
        o->marker = true;
        return parse_number("marker-clear", value, UINT64_MAX, &o->marker_clear, err);
    case OPTION_SEED:
        return parse_number("seed", value, UINT64_MAX, &o->seed, err);
    case OPTION_LOAD:
        if (o->load_count == OPTIONS_LOADS_MAX)
            return err_set(err, ERR_USAGE, "more than %d --load", OPTIONS_LOADS_MAX);
        return options_parse_load(value, &o->loads[o->load_count++], err);
    default:
        return err_set(err, ERR_BUG, "option %d has no parser", (int)kind);
    }
}

static int parse_option(struct options *o, enum option_kind kind, char *value, struct err *err)
{
    const struct {
        enum option_kind kind;
        const char **text;
        bool *flag;
    } plain[] = {
        {OPTION_KIND, &o->kind, NULL},
        {OPTION_NAME, &o->name, NULL},
        {OPTION_DIR, &o->dir, NULL},
        {OPTION_FIRMWARE, &o->firmware, NULL},
        {OPTION_MACHINE, &o->machine, NULL},
        {OPTION_EMULATOR, &o->emulator, NULL},
        {OPTION_MARKER_PIN, &o->marker_pin, NULL},
        {OPTION_PLUGIN, &o->plugin, NULL},
        {OPTION_PROBE, &o->probe, NULL},
        {OPTION_CHIP, &o->chip, NULL},
        {OPTION_FLASH, &o->flash, NULL},
        {OPTION_EDGES_SOCKET, &o->edges_socket, NULL},
        {OPTION_IDLE_SKIPS, NULL, &o->idle_skips},
        {OPTION_OFF, NULL, &o->start_off},
        {OPTION_HELP, NULL, &o->help},
        {OPTION_VERSION, NULL, &o->version},
    };

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        if (plain[i].kind != kind)
            continue;
        if (plain[i].text != NULL)
            *plain[i].text = value;
        else
            *plain[i].flag = true;
        return 0;
    }
    return parse_machine_option(o, kind, value, err);
}

/* Which option is "--name" or "--name=value"? -1 with err when none. */
static int find_option(const char *word, struct err *err)
{
    char name[32];
    const size_t n = strcspn(word, "=");

    if (strncmp(word, "--", 2) != 0 || n < 3 || n - 2 >= sizeof(name)) {
        (void)err_set(err, ERR_USAGE, "'%.60s' is not an option", word);
        return -1;
    }
    memcpy(name, word + 2, n - 2);
    name[n - 2] = '\0';
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    (void)err_set(err, ERR_USAGE, "unknown option '--%s'", name);
    if (text_nearest(name, names) != NULL)
        (void)err_hint(err, "did you mean '--%s'?", text_nearest(name, names));
    return -1;
}

static int check_directory(const struct options *o, struct err *err)
{
    struct stat st;

    if (stat(o->dir, &st) < 0)
        return err_set(err, ERR_USAGE, "--dir %s: %s", o->dir, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_USAGE, "--dir %s: not a directory", o->dir);
    return 0;
}

static int check(const struct options *o, struct err *err)
{
    const struct {
        const char *option;
        const char *value;
    } needed[] = {
        {"--kind", o->kind},
        {"--name", o->name},
        {"--dir", o->dir},
        {"--firmware", o->probe != NULL && o->firmware == NULL ? "none" : o->firmware},
    };

    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if (needed[i].value == NULL || needed[i].value[0] == '\0') {
            (void)err_set(err, ERR_USAGE, "%s is missing", needed[i].option);
            return err_hint(err, "tinyrig-vboard --help lists the options");
        }
    }
    if (strchr(o->name, '/') != NULL || o->name[0] == '.' || strlen(o->name) > 100)
        return err_set(err, ERR_USAGE, "--name %s: not a plain file name", o->name);
    if (o->probe != NULL && strcmp(o->kind, "qemu") != 0)
        return err_set(err, ERR_USAGE, "--probe needs --kind qemu");
    if (o->probe == NULL && (o->chip != NULL || o->flash != NULL))
        return err_set(err, ERR_USAGE, "%s needs --probe", o->chip != NULL ? "--chip" : "--flash");
    return check_directory(o, err);
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
    static const char *const nothing[] = {NULL};
    struct options o = {.icount_shift = 7, .seed = 1, .extra = nothing};

    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        int kind;

        if (strcmp(argv[i], "--") == 0) {
            o.extra = (const char *const *)argv + i + 1;
            break;
        }
        kind = find_option(argv[i], err);
        if (kind < 0)
            return err->code;
        if (shapes[kind].arg == NULL && value != NULL)
            return err_set(err, ERR_USAGE, "--%s takes no value", shapes[kind].name);
        if (shapes[kind].arg != NULL && value == NULL && i + 1 == argc)
            return err_set(err, ERR_USAGE, "--%s needs %s", shapes[kind].name, shapes[kind].arg);
        if (shapes[kind].arg != NULL)
            value = value != NULL ? value + 1 : argv[++i];
        if (parse_option(&o, (enum option_kind)kind, value, err) < 0)
            return err->code;
    }
    if (!o.help && !o.version && check(&o, err) < 0)
        return err->code;
    *ret = o;
    return 0;
}

void options_help(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        AUTO_BUF head = BUF_INIT;

        buf_printf(&head, "--%s %s", shapes[i].name, shapes[i].arg != NULL ? shapes[i].arg : "");
        buf_printf(out, "  %-22s %s\n", buf_text(&head), shapes[i].text);
    }
}
