#include "harness/openocd/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "harness/base/arena.h"

enum {
    CONFIG_MAX = 16,
    CONNECT_MS = 15000,
    RESET_MS = 10000,
    FIRST_KHZ = 1000,
};

/* ---- configuration ---- */

struct config {
    struct openocd_config lines[CONFIG_MAX];
    size_t count;
    struct arena arena;
};

static void config_release(struct config *c)
{
    arena_release(&c->arena);
}

static void add(struct config *c, bool script, const char *text)
{
    if (c->count < CONFIG_MAX)
        c->lines[c->count++] = (struct openocd_config){script, text};
}

static int add_word(struct config *c, const char *command, const char *word, struct err *err)
{
    AUTO_BUF quoted = BUF_INIT;

    if (openocd_quote(&quoted, word, err) < 0)
        return (int)err->code;
    add(c, false, arena_printf(&c->arena, "%s %s", command, buf_text(&quoted)));
    return 0;
}

/* Drivers spell "this USB device only" each in their own way. */
static const char *usb_id_command(const char *interface)
{
    static const struct {
        const char *script, *command;
    } known[] = {
        {"stlink-dap", "st-link vid_pid"},
        {"stlink", "hla_vid_pid"},
        {"cmsis-dap", "cmsis_dap_vid_pid"},
        {"ftdi", "ftdi vid_pid"},
        {"jlink", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (strstr(interface, known[i].script) != NULL)
            return known[i].command;
    }
    return NULL;
}

static int add_usb_id(struct config *c, const struct board_openocd *b, struct err *err)
{
    const char *command = usb_id_command(b->interface);
    char *colon = NULL;
    const unsigned long vendor = strtoul(b->usb_id, &colon, 16);
    const unsigned long product = *colon == ':' ? strtoul(colon + 1, NULL, 16) : 0;

    if (command == NULL)
        return err_set(err, ERR_CONFIG, "%s cannot be picked by usb_id: use serial", b->interface);
    if (vendor == 0 || product == 0)
        return err_set(err, ERR_CONFIG, "usb_id '%s': expected VID:PID", b->usb_id);
    add(c, false, arena_printf(&c->arena, "%s 0x%04lx 0x%04lx", command, vendor, product));
    return 0;
}

/* An emulated or remote adapter. Only these drivers of OpenOCD 0.12 reach a socket. */
static int add_address(struct config *c, const char *interface, const char *address,
                       struct err *err)
{
    const char *colon = strrchr(address, ':');
    const unsigned long port = colon != NULL ? strtoul(colon + 1, NULL, 10) : 0;

    if (port == 0 || port > 65535)
        return err_set(err, ERR_CONFIG, "address '%s': expected host:port", address);
    if (strstr(interface, "stlink-dap") != NULL) {
        if (strncmp(address, "127.0.0.1:", 10) != 0 && strncmp(address, "localhost:", 10) != 0)
            return err_set(err, ERR_CONFIG,
                           "address '%s': OpenOCD reaches an ST-Link server on 127.0.0.1 only",
                           address);
        add(c, false, arena_printf(&c->arena, "st-link backend tcp %lu", port));
        return 0;
    }
    if (strstr(interface, "remote_bitbang") != NULL) {
        const char *host = arena_strndup(&c->arena, address, (size_t)(colon - address));

        add(c, false, arena_printf(&c->arena, "remote_bitbang port %lu", port));
        return add_word(c, "remote_bitbang host", host, err);
    }
    return err_set(err, ERR_CONFIG, "%s takes no address: interface/stlink-dap.cfg does",
                   interface);
}

static const char *default_transport(const struct board_openocd *b)
{
    const char *wanted = b->transport != NULL ? b->transport : "swd";

    if (strcmp(wanted, "swd") != 0)
        return wanted;
    if (strstr(b->interface, "stlink-dap") != NULL)
        return "dapdirect_swd";
    return strstr(b->interface, "stlink.cfg") != NULL ? "hla_swd" : "swd";
}

/* A Cortex-M that no script of OpenOCD knows: enough to load RAM and run (method inject). */
static void add_generic_target(struct config *c, const struct board *b)
{
    const uint64_t work = b->ram.size / 2 < 0x4000 ? b->ram.size / 2 : 0x4000;

    add(c, false, "source [find target/swj-dp.tcl]");
    add(c, false, "swj_newdap chip cpu -irlen 4");
    add(c, false, "dap create chip.dap -chain-position chip.cpu");
    add(c, false, "target create chip.cpu cortex_m -dap chip.dap");
    add(c, false,
        arena_printf(&c->arena,
                     "chip.cpu configure -work-area-phys 0x%llx -work-area-size 0x%llx "
                     "-work-area-backup 0",
                     (unsigned long long)b->ram.base, (unsigned long long)work));
    add(c, false, "if {![using_hla]} {cortex_m reset_config sysresetreq}");
}

static int configure(struct config *c, const struct probe_options *options, struct err *err)
{
    const struct board *b = options->board;
    const struct board_openocd *o = &b->openocd;
    const char *address = options->address != NULL ? options->address : o->address;

    if (o->interface == NULL) {
        (void)err_set(err, ERR_CONFIG, "no debug adapter: 'interface' is missing in 'openocd'");
        return err_hint(err, "say it in the lab file, e.g. openocd: {interface: "
                             "interface/stlink-dap.cfg}");
    }
    add(c, true, o->interface);
    if (address != NULL && add_address(c, o->interface, address, err) < 0)
        return (int)err->code;
    if (o->usb_id != NULL && add_usb_id(c, o, err) < 0)
        return (int)err->code;
    if (o->serial != NULL && add_word(c, "adapter serial", o->serial, err) < 0)
        return (int)err->code;
    add(c, false, arena_printf(&c->arena, "transport select %s", default_transport(o)));
    if (o->dpidr != 0)
        add(c, false, arena_printf(&c->arena, "set CPUTAPID 0x%llx", (unsigned long long)o->dpidr));
    if (o->target != NULL)
        add(c, true, o->target);
    else
        add_generic_target(c, b);
    /* Slow until the chip has answered: scripts may ask for more than a cable can do. */
    if (o->speed_hz != 0)
        add(c, false, arena_printf(&c->arena, "adapter speed %u", FIRST_KHZ));
    if (o->connect_under_reset || options->under_reset)
        add(c, false, "reset_config srst_only srst_nogate connect_assert_srst");
    return 0;
}

int probe_config_text(const struct probe_options *options, struct buf *out, struct err *err)
{
    AUTO(config_release) struct config c = {.arena = ARENA_INIT};

    if (configure(&c, options, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < c.count; i++)
        buf_printf(out, "%s %s\n", c.lines[i].script ? "-f" : "-c", c.lines[i].text);
    return 0;
}

/* ---- what OpenOCD's words mean ---- */

struct meaning {
    const char *needle;
    enum err_code code;
    const char *hint;
};

/* From OpenOCD 0.12's sources and logs; the first that stands in the log counts. */
static const struct meaning meanings[] = {
    {"LIBUSB_ERROR_ACCESS", ERR_LAB,
     "no permission for the adapter: install OpenOCD's udev rules (60-openocd.rules)"},
    {"unable to open CMSIS-DAP device", ERR_LAB,
     "is the adapter plugged in? `tinyrig probe` lists what is"},
    {"No device matches the serial string", ERR_LAB,
     "another adapter is plugged in: `tinyrig probe` shows the serial numbers there are"},
    {"No J-Link device found", ERR_LAB, "is the adapter plugged in? `tinyrig probe` lists them"},
    {"stlink-server", ERR_OK, NULL},
    {"error during open", ERR_LAB, "is the adapter plugged in? `tinyrig probe` lists what is"},
    {"open failed", ERR_LAB, "is the adapter plugged in? `tinyrig probe` lists what is"},
    {"Can't find a suitable driver", ERR_LAB,
     "the script's adapter is not in this OpenOCD: see `openocd -c 'adapter list'`"},
    {"target voltage may be too low", ERR_LAB, "the target has no supply: check its power"},
    {"Target voltage: 0.0", ERR_LAB, "the target has no supply: check its power"},
    {"UNEXPECTED", ERR_LAB,
     "another chip than the board file says: check 'target' and 'dpidr' under openocd"},
    {"Error connecting DP", ERR_LAB,
     "the chip does not answer: power, SWDIO, SWCLK, GND; or openocd: {connect_under_reset: true}"},
    {"unable to connect to the target", ERR_LAB,
     "the chip does not answer: power, SWDIO, SWCLK, GND; or openocd: {connect_under_reset: true}"},
    {"DP initialisation failed", ERR_LAB,
     "the chip does not answer: power, SWDIO, SWCLK, GND; or openocd: {connect_under_reset: true}"},
    {"Fail reading CTRL/STAT register", ERR_LAB,
     "the chip stopped answering: power, wires, or a lower 'speed' under openocd"},
    {"Invalid ACK", ERR_LAB, "noise on the wires: shorter ones, or a lower 'speed' under openocd"},
    {"Sticky Error", ERR_OK, NULL},
    {"APPROTECT", ERR_FLASH, "the chip is locked: unlocking erases it (nrf5 mass_erase)"},
    {"is protected", ERR_FLASH,
     "the flash is write-protected: unlock it once (flash protect 0 0 last off)"},
    {"write protected", ERR_FLASH,
     "the flash is write-protected: unlock it once (flash protect 0 0 last off)"},
    {"secured", ERR_FLASH, "the chip is locked: unlocking erases it"},
    {"Device Security Bit Set", ERR_FLASH, "the chip is locked: unlocking erases it"},
    {"Could not find MEM-AP", ERR_LAB,
     "the debug port answers, the core does not: the chip is locked (unlocking erases it)"},
    {"read_memory: read at 0xe000ed00", ERR_LAB,
     "the debug port answers, the core does not: the chip is locked (unlocking erases it)"},
    {"Couldn't find part corresponding to DID", ERR_FLASH,
     "another chip than the board file says: check 'target' under openocd"},
    {"Cannot identify target as", ERR_FLASH,
     "another chip than the board file says: check 'target' under openocd"},
    {"auto_probe failed", ERR_FLASH,
     "another chip than the board file says: check 'target' under openocd"},
    {"no flash bank found", ERR_FLASH, "the image lies outside of the flash of this chip"},
    {"checksum mismatch", ERR_FLASH,
     "the flash does not hold what was written: worn out, or the supply dips"},
    {"contents differ", ERR_FLASH,
     "the flash does not hold what was written: worn out, or the supply dips"},
    {"Timed out waiting for", ERR_LAB,
     "the chip stopped answering: power, or a lower 'speed' under openocd"},
    {"Target not examined yet", ERR_LAB,
     "the core does not answer: the chip is locked (unlocking erases it), or it wants openocd: "
     "{connect_under_reset: true}"},
    {"Address already in use", ERR_BUSY, "another OpenOCD runs on this host"},
    {"LIBUSB_ERROR_BUSY", ERR_BUSY, "another program has the adapter: a gdb server, an IDE"},
};

int probe_explain(const char *log, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
        const struct meaning *m = &meanings[i];

        if (m->hint == NULL ||
            (strstr(log, m->needle) == NULL && strstr(err->text, m->needle) == NULL))
            continue;
        if (err->code == ERR_LAB || err->code == ERR_IO)
            err->code = m->code;
        return err_hint(err, "%s", m->hint);
    }
    return (int)err->code;
}

/* Text after `before` up to the end of its line. */
static bool after(const char *log, const char *before, char *text, size_t size)
{
    const char *p = strstr(log, before);

    if (p == NULL)
        return false;
    p += strlen(before);
    (void)snprintf(text, size, "%.*s", (int)strcspn(p, "\r\n"), p);
    return true;
}

void probe_parse_facts(const char *log, struct probe_facts *ret)
{
    char text[160];
    const char *processor;

    memset(ret, 0, sizeof(*ret));
    ret->connected = strstr(log, "Info : clock speed ") != NULL;
    if (after(log, "DPIDR 0x", text, sizeof(text)))
        ret->dpidr = (uint32_t)strtoul(text, NULL, 16);
    if (after(log, "Target voltage: ", text, sizeof(text)))
        ret->volts = strtod(text, NULL);
    if (after(log, "Info : STLINK ", text, sizeof(text)))
        (void)snprintf(ret->adapter, sizeof(ret->adapter), "STLINK %.80s", text);
    else if (after(log, "Info : CMSIS-DAP: ", text, sizeof(text)))
        (void)snprintf(ret->adapter, sizeof(ret->adapter), "CMSIS-DAP %.80s", text);
    else if (after(log, "Info : J-Link ", text, sizeof(text)))
        (void)snprintf(ret->adapter, sizeof(ret->adapter), "J-Link %.80s", text);
    processor = strstr(log, " processor detected");
    if (processor != NULL) {
        const char *p = processor;

        while (p > log && p[-1] != '\n' && p[-1] != ']')
            p--;
        while (*p == ' ')
            p++;
        (void)snprintf(ret->core, sizeof(ret->core), "%.*s", (int)(processor - p), p);
    }
}

/* "0x2ba01477" after some words; 0 when the command failed. */
static uint32_t ask_number(struct openocd *o, const char *command)
{
    AUTO_BUF text = BUF_INIT;
    struct err ignored = ERR_INIT;
    const char *at;

    if (openocd_command(o, CONNECT_MS, &text, &ignored, "%s", command) < 0)
        return 0;
    at = strstr(buf_text(&text), "0x");
    return at != NULL ? (uint32_t)strtoul(at, NULL, 16) : 0;
}

/* One that ran before us has told its log to somebody else: ask the chip. */
static void ask_facts(struct openocd *o, struct probe_facts *ret)
{
    static const struct {
        uint32_t part;
        const char *name;
    } cores[] = {{0xc20, "Cortex-M0"},  {0xc60, "Cortex-M0+"}, {0xc23, "Cortex-M3"},
                 {0xc24, "Cortex-M4"},  {0xc27, "Cortex-M7"},  {0xd20, "Cortex-M23"},
                 {0xd21, "Cortex-M33"}, {0xd22, "Cortex-M55"}, {0xd23, "Cortex-M85"}};
    uint32_t cpuid;

    memset(ret, 0, sizeof(*ret));
    ret->connected = true;
    (void)snprintf(ret->adapter, sizeof(ret->adapter), "an OpenOCD that was running already");
    ret->dpidr = ask_number(o, "[lindex [dap names] 0] dpreg 0");
    cpuid = ask_number(o, "read_memory 0xe000ed00 32 1");
    for (size_t i = 0; i < ARRAY_SIZE(cores); i++) {
        if ((cpuid >> 4 & 0xfff) == cores[i].part)
            (void)snprintf(ret->core, sizeof(ret->core), "%s r%up%u", cores[i].name,
                           cpuid >> 20 & 15, cpuid & 15);
    }
}

void probe_facts(struct openocd *o, struct probe_facts *ret)
{
    AUTO_BUF log = BUF_INIT;

    openocd_log(o, &log);
    if (log.len == 0)
        ask_facts(o, ret);
    else
        probe_parse_facts(buf_text(&log), ret);
}

/* ---- life ---- */

/* Its Tcl port runs whatever it is told, for anybody: only this host's own is trusted. */
static bool is_loopback(const char *where)
{
    static const char *const hosts[] = {"127.0.0.1:", "localhost:", "::1:"};

    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
        if (strncmp(where, hosts[i], strlen(hosts[i])) == 0)
            return true;
    }
    return false;
}

static int join_running(const char *where, struct openocd **ret, struct err *err)
{
    if (!is_loopback(where))
        return err_set(err, ERR_CONFIG, "connect '%s': expected an OpenOCD on 127.0.0.1", where);
    if (openocd_open(&(struct openocd_options){.connect = where}, ret, err) == 0)
        return 0;
    if (err->code == ERR_IO)
        err->code = ERR_LAB;
    return err_hint(err,
                    "start it (openocd -c 'bindto 127.0.0.1' -c 'tcl_port %s' ...), or leave "
                    "'connect' out and one is started for each run",
                    strrchr(where, ':') + 1);
}

int probe_start(const struct probe_options *options, struct openocd **ret, struct err *err)
{
    AUTO(config_release) struct config c = {.arena = ARENA_INIT};
    const struct openocd_options o = {
        .program = options->program, .config = c.lines, .config_count = 0};
    struct openocd_options with = o;

    if (options->board->openocd.connect != NULL)
        return join_running(options->board->openocd.connect, ret, err);
    if (configure(&c, options, err) < 0)
        return (int)err->code;
    with.config_count = c.count;
    if (openocd_open(&with, ret, err) < 0)
        return probe_explain("", err);
    return 0;
}

/* "Cortex-M0+ r0p1" and "cortex-m0plus"? True when either is none that we can compare. */
static bool is_core(const char *found, const char *wanted)
{
    char name[32];
    const int n = (int)strcspn(found, " +");

    if (strncmp(found, "Cortex-M", 8) != 0 || wanted == NULL || strncmp(wanted, "cortex-m", 8) != 0)
        return true;
    (void)snprintf(name, sizeof(name), "%.*s%s", n, found, found[n] == '+' ? "plus" : "");
    return strcasecmp(name, wanted) == 0;
}

/* Somebody may have put another chip on the table. */
static int check_chip(struct openocd *o, const struct board *b, struct err *err)
{
    struct probe_facts facts;

    probe_facts(o, &facts);
    if (b->openocd.dpidr != 0 && facts.dpidr != 0 && facts.dpidr != b->openocd.dpidr) {
        (void)err_set(err, ERR_LAB, "the chip says DPIDR 0x%08x, the board file 0x%08llx",
                      facts.dpidr, (unsigned long long)b->openocd.dpidr);
        return err_hint(err, "another chip than the board file says, or 'dpidr' is wrong");
    }
    if (!is_core(facts.core, b->cpu)) {
        (void)err_set(err, ERR_LAB, "the chip has a %s, the board file says %s", facts.core,
                      b->cpu);
        return err_hint(err, "another chip than the board file says, or 'cpu' is wrong");
    }
    return 0;
}

int probe_check_core(struct openocd *o, const struct board *board, struct err *err)
{
    struct probe_facts facts;

    probe_facts(o, &facts);
    if (facts.core[0] != '\0' || board->cpu == NULL || strncmp(board->cpu, "cortex-m", 8) != 0)
        return 0;
    (void)err_set(err, ERR_LAB, "the chip answers, its core does not");
    return err_hint(err, "the chip is locked (unlocking erases it), or it wants "
                         "openocd: {connect_under_reset: true}");
}

int probe_connect(struct openocd *o, const struct board *board, struct err *err)
{
    if (openocd_command(o, CONNECT_MS, NULL, err, "init") < 0 || check_chip(o, board, err) < 0)
        return (int)err->code;
    /* Watching the core is for people; here it would add accesses nobody asked for. */
    if (openocd_command(o, CONNECT_MS, NULL, err, "poll off") < 0)
        return (int)err->code;
    if (board->openocd.speed_hz != 0 &&
        openocd_command(o, CONNECT_MS, NULL, err, "adapter speed %u",
                        board->openocd.speed_hz / 1000) < 0)
        return (int)err->code;
    return 0;
}

int probe_open(const struct probe_options *options, struct openocd **ret, struct err *err)
{
    AUTO(openocd_close_auto) struct openocd *o = NULL;

    if (probe_start(options, &o, err) < 0 || probe_connect(o, options->board, err) < 0 ||
        probe_check_core(o, options->board, err) < 0)
        return (int)err->code;
    *ret = MOVE(o);
    return 0;
}

int probe_reset_halt(struct openocd *o, struct err *err)
{
    return openocd_command(o, RESET_MS, NULL, err, "reset halt");
}

int probe_reset_run(struct openocd *o, struct err *err)
{
    return openocd_command(o, RESET_MS, NULL, err, "reset run");
}
