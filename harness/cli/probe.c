/*
 * `tinyrig probe`: which debug adapters and serial ports this host has, what answers on them, and
 * why something is of no use: no permission, in use, other firmware, silence.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/client/client.h"

enum {
    HELLO_MS = 1500,
    LISTEN_MS = 300,
    SHOWN = 48, /* bytes of what is no frame */
    ATTRIBUTE_MAX = 256,
    PORTS_MAX = 64,
};

struct probe_arguments {
    struct common_options common;
    const char *usb; /* for tests: a folder like /sys/bus/usb/devices */
};

static const struct option options[] = {
    {"usb", 0, OPTION_STRING, "DIR", "where the kernel lists USB devices",
     offsetof(struct probe_arguments, usb)},
    OPTION_LAB,
    {.name = NULL},
};

/* ---- adapters ---- */

/* Vendor and product of adapters that OpenOCD drives; product NULL: all of the vendor. */
static const struct {
    const char *vendor, *product, *name, *interface;
} adapters[] = {
    {"0483", "3744", "ST-Link/V1", "interface/stlink.cfg"},
    {"0483", "3748", "ST-Link/V2", "interface/stlink.cfg"},
    {"0483", "374b", "ST-Link/V2-1", "interface/stlink.cfg"},
    {"0483", "3752", "ST-Link/V2-1", "interface/stlink.cfg"},
    {"0483", "374d", "ST-Link V3", "interface/stlink.cfg"},
    {"0483", "374e", "ST-Link V3", "interface/stlink.cfg"},
    {"0483", "374f", "ST-Link V3", "interface/stlink.cfg"},
    {"0483", "3753", "ST-Link V3", "interface/stlink.cfg"},
    {"0483", "3754", "ST-Link V3", "interface/stlink.cfg"},
    {"1366", NULL, "J-Link", "interface/jlink.cfg"},
    {"0d28", "0204", "DAPLink", "interface/cmsis-dap.cfg"},
    {"2e8a", "000c", "Picoprobe", "interface/cmsis-dap.cfg"},
    {"03eb", "2141", "EDBG", "interface/cmsis-dap.cfg"},
    {"03eb", "2111", "EDBG", "interface/cmsis-dap.cfg"},
    {"303a", "1001", "ESP USB-JTAG", "interface/esp_usb_bridge.cfg"},
    {"0403", "6010", "FTDI FT2232", "interface/ftdi/..."},
    {"0403", "6014", "FTDI FT232H", "interface/ftdi/..."},
};

static bool attribute(const char *device, const char *name, char value[ATTRIBUTE_MAX])
{
    char path[1024];
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF shown = BUF_INIT;
    struct err ignored = ERR_INIT;
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", device, name);
    if (file_read(path, 65536, &text, &ignored) < 0)
        return false;
    n = strcspn(buf_text(&text), "\n");
    text_escape(&shown, buf_text(&text), n); /* it comes from the device */
    (void)snprintf(value, ATTRIBUTE_MAX, "%s", buf_text(&shown));
    return true;
}

/* Which board of the lab says it is its adapter. */
static const char *owner(const struct lab *lab, const char *serial)
{
    for (size_t i = 0; i < lab->board_count; i++) {
        const char *wanted = lab->boards[i]->openocd.serial;

        if (wanted != NULL && strcmp(wanted, serial) == 0)
            return lab->boards[i]->name;
    }
    return NULL;
}

static void put_verdict(const struct lab *lab, const char *device, const char *serial,
                        struct buf *out)
{
    char bus[ATTRIBUTE_MAX];
    char number[ATTRIBUTE_MAX];
    char node[1024];
    const char *board = owner(lab, serial);

    if (attribute(device, "busnum", bus) && attribute(device, "devnum", number)) {
        (void)snprintf(node, sizeof(node), "/dev/bus/usb/%03ld/%03ld", strtol(bus, NULL, 10),
                       strtol(number, NULL, 10));
        if (access(node, R_OK | W_OK) < 0) {
            buf_printf(out, "rejected: no permission for %s; install OpenOCD's udev rules\n", node);
            return;
        }
    }
    if (board != NULL)
        buf_printf(out, "of board '%s'\n", board);
    else
        buf_puts(out, "no board of the lab names it: openocd: {serial: ...} in the lab file\n");
}

static bool put_adapter(const struct lab *lab, const char *device, struct buf *out)
{
    char vendor[ATTRIBUTE_MAX];
    char product[ATTRIBUTE_MAX];
    char serial[ATTRIBUTE_MAX];

    if (!attribute(device, "idVendor", vendor) || !attribute(device, "idProduct", product))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(adapters); i++) {
        if (strcmp(adapters[i].vendor, vendor) != 0 ||
            (adapters[i].product != NULL && strcmp(adapters[i].product, product) != 0))
            continue;
        if (!attribute(device, "serial", serial))
            (void)snprintf(serial, sizeof(serial), "%s", "(none)");
        buf_printf(out, "  %s:%s  %-14s serial %s, %s: ", vendor, product, adapters[i].name, serial,
                   adapters[i].interface);
        put_verdict(lab, device, serial, out);
        return true;
    }
    return false;
}

static void put_adapters(const struct lab *lab, const char *folder, struct buf *out)
{
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    unsigned count = 0;

    buf_puts(out, "debug adapters\n");
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char device[1024];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(device, sizeof(device), "%s/%s", folder, entry->d_name);
        count += put_adapter(lab, device, out);
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (count == 0)
        buf_printf(out, "  none (%s)\n", dir != NULL ? folder : "this host lists no USB devices");
}

/* ---- serial ports ---- */

static void put_seen(struct transport *t, struct buf *out)
{
    uint8_t bytes[SHOWN];
    AUTO_BUF shown = BUF_INIT;
    struct err ignored = ERR_INIT;
    size_t n = 0;

    if (transport_recv(t, bytes, sizeof(bytes), LISTEN_MS, &n, &ignored) < 0 || n == 0)
        return;
    text_escape(&shown, (const char *)bytes, n);
    buf_printf(out, "      seen: %s\n", buf_text(&shown));
}

static void put_hello(const struct wire_hello *hello, struct buf *out)
{
    char id[17];
    char uid[25];

    hex_encode(hello->build_id, 8, id);
    hex_encode(hello->chip_uid, 12, uid);
    buf_printf(out, "an agent: build %s, chip %s, clock %u Hz, slot %u, arena %u bytes\n", id, uid,
               hello->clock_hz, hello->slot_size, hello->arena_size);
}

static void put_port(const char *where, struct buf *out)
{
    const struct transport_config config = {.where = where};
    AUTO(transport_close_auto) struct transport *t = NULL;
    AUTO(client_close_auto) struct client *c = NULL;
    struct err err = ERR_INIT;

    buf_printf(out, "  %s: ", where);
    if (transport_open("serial", &config, &t, &err) == 0 &&
        client_open(&(struct client_options){.transport = t, .hello_ms = HELLO_MS}, &c, &err) ==
            0) {
        put_hello(client_hello(c), out);
        return;
    }
    buf_printf(out, "rejected: %s\n", err.text);
    if (err.hint[0] != '\0')
        buf_printf(out, "      %s\n", err.hint);
    if (t != NULL)
        put_seen(t, out);
}

static void put_named_ports(struct buf *out)
{
    static const char folder[] = "/dev/serial/by-id";
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    unsigned count = 0;

    while (dir != NULL && count < PORTS_MAX && (entry = readdir(dir)) != NULL) {
        char path[1024];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        put_port(path, out);
        count++;
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (count == 0)
        buf_printf(out, "  none in %s\n", folder);
}

static int probe_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct probe_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO_BUF out = BUF_INIT;

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0)
        return (int)err->code;
    put_adapters(c.lab, a->usb != NULL ? a->usb : "/sys/bus/usb/devices", &out);
    buf_puts(&out, "serial ports\n");
    for (int i = 0; i < argc; i++)
        put_port(argv[i], &out);
    if (argc == 0)
        put_named_ports(&out);
    (void)fputs(buf_text(&out), stdout);
    return 0;
}

const struct verb verb_probe = {
    .name = "probe",
    .arguments = "[PORT...]",
    .summary = "list debug adapters and serial ports and what answers on them",
    .details =
        "Every port in /dev/serial/by-id, or only those that are named, is opened and asked\n"
        "for an agent. What is of no use is shown with the reason and the bytes it sent.",
    .options = options,
    .arguments_min = 0,
    .arguments_max = PORTS_MAX,
    .run = probe_run,
};
