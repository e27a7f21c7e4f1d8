#include "targets/virtual/probe/stlink.h"

#include <stdio.h>
#include <string.h>

#include "targets/virtual/probe/bytes.h"

#define VENDOR   0x0483
#define PRODUCT  0x374f
#define HANDLE   0x77u
#define FIRMWARE 10 /* V3J10: batches and long byte accesses */

/* First byte of a message of the TCP server. */
enum {
    TCP_REFRESH,
    TCP_COUNT,
    TCP_INFO,
    TCP_OPEN,
    TCP_CLOSE,
    TCP_USB,
    TCP_VERSION,
    TCP_CLIENTS
};

#define TCP_USB_HEADER 32u

/* First byte of a USB command, and the second of a debug command. */
enum {
    GET_VERSION = 0xf1,
    DEBUG = 0xf2,
    DFU = 0xf3,
    GET_MODE = 0xf5,
    GET_VOLTAGE = 0xf7,
    GET_VERSION_EX = 0xfb,
    DEBUG_READ_32 = 0x07,
    DEBUG_WRITE_32 = 0x08,
    DEBUG_READ_8 = 0x0c,
    DEBUG_WRITE_8 = 0x0d,
    DEBUG_EXIT = 0x21,
    DEBUG_ENTER = 0x30,
    DEBUG_READ_ID = 0x31,
    DEBUG_WRITE_WORD = 0x35,
    DEBUG_READ_WORD = 0x36,
    DEBUG_STATUS = 0x3b,
    DEBUG_DRIVE_RESET = 0x3c,
    DEBUG_STATUS_2 = 0x3e,
    DEBUG_TRACE_START = 0x40,
    DEBUG_TRACE_STOP = 0x41,
    DEBUG_TRACE_COUNT = 0x42,
    DEBUG_SPEED = 0x43,
    DEBUG_JTAG_SPEED = 0x44,
    DEBUG_READ_DAP = 0x45,
    DEBUG_WRITE_DAP = 0x46,
    DEBUG_READ_16 = 0x47,
    DEBUG_WRITE_16 = 0x48,
    DEBUG_OPEN_AP = 0x4b,
    DEBUG_CLOSE_AP = 0x4c,
    DEBUG_WRITE_32_FIXED = 0x50,
    DEBUG_BATCH = 0x51,
    DEBUG_BATCH_RESULT = 0x52,
    DEBUG_READ_32_FIXED = 0x54,
    DEBUG_SET_SPEED = 0x61,
    DEBUG_GET_SPEED = 0x62
};

/* Status of a debug command. */
enum {
    STATUS_OK = 0x80,
    STATUS_UNKNOWN = 0x81,
    STATUS_NO_ID = 0x09,
    STATUS_AP_FIRST = 0x10, /* WAIT, FAULT, error, parity error */
    STATUS_DP_FIRST = 0x14  /* same */
};

#define PORT_DP 0xffffu

struct usb {
    const uint8_t *command; /* 16 bytes */
    const uint8_t *data;    /* what came with it */
    uint8_t *reply;
    uint32_t size; /* of either */
};

void stlink_init(struct stlink *s, struct dap *dap, const char *serial)
{
    *s = (struct stlink){.dap = dap, .mode = 1, .last_status = STATUS_OK};
    (void)snprintf(s->serial, sizeof(s->serial), "%s", serial);
}

static uint8_t status_of(enum dap_result r, bool is_dp)
{
    static const uint8_t offsets[] = {
        [DAP_WAIT] = 0, [DAP_FAULT] = 1, [DAP_NO_ACK] = 2, [DAP_PARITY] = 3};

    if (r == DAP_OK)
        return STATUS_OK;
    return (uint8_t)((is_dp ? STATUS_DP_FIRST : STATUS_AP_FIRST) + offsets[r]);
}

/* ---- debug commands ---- */

static int width_of(uint8_t command)
{
    if (command == DEBUG_READ_8 || command == DEBUG_WRITE_8)
        return 1;
    return command == DEBUG_READ_16 || command == DEBUG_WRITE_16 ? 2 : 4;
}

/* Of a bus error the adapter says so when it is asked for the status. */
static void read_memory(struct stlink *s, const struct usb *u)
{
    const int width = width_of(u->command[1]);
    const uint32_t address = get_32(u->command + 2);
    uint32_t n = get_16(u->command + 6);
    enum dap_result r;

    n = n < u->size ? n : u->size;
    r = dap_read_memory(s->dap, address, width, u->command[1] != DEBUG_READ_32_FIXED, u->reply,
                        n - n % (uint32_t)width);
    s->last_status = status_of(r, false);
    s->fault_address = r == DAP_OK ? 0 : address;
}

static void write_memory(struct stlink *s, const struct usb *u)
{
    const int width = width_of(u->command[1]);
    const uint32_t address = get_32(u->command + 2);
    uint32_t n = get_16(u->command + 6);
    enum dap_result r;

    n = n < u->size ? n : u->size;
    r = dap_write_memory(s->dap, address, width, u->command[1] != DEBUG_WRITE_32_FIXED, u->data,
                         n - n % (uint32_t)width);
    s->last_status = status_of(r, false);
    s->fault_address = r == DAP_OK ? 0 : address;
}

static void read_dap(struct stlink *s, const struct usb *u)
{
    const unsigned port = get_16(u->command + 2);
    const unsigned reg = get_16(u->command + 4);
    uint32_t v = 0;
    const enum dap_result r =
        port == PORT_DP ? dap_read_dp(s->dap, reg, &v) : dap_read_ap(s->dap, port, reg, &v);

    u->reply[0] = status_of(r, port == PORT_DP);
    put_32(u->reply + 4, v);
}

static void write_dap(struct stlink *s, const struct usb *u)
{
    const unsigned port = get_16(u->command + 2);
    const unsigned reg = get_16(u->command + 4);
    const uint32_t v = get_32(u->command + 6);
    const enum dap_result r =
        port == PORT_DP ? dap_write_dp(s->dap, reg, v) : dap_write_ap(s->dap, port, reg, v);

    u->reply[0] = status_of(r, port == PORT_DP);
}

static void access_word(struct stlink *s, const struct usb *u)
{
    const uint32_t address = get_32(u->command + 2);
    uint8_t word[4];
    enum dap_result r;

    if (u->command[1] == DEBUG_WRITE_WORD) {
        memcpy(word, u->command + 6, sizeof(word));
        r = dap_write_memory(s->dap, address, 4, true, word, sizeof(word));
    } else {
        r = dap_read_memory(s->dap, address, 4, true, word, sizeof(word));
        if (r == DAP_OK)
            memcpy(u->reply + 4, word, sizeof(word));
    }
    u->reply[0] = status_of(r, false);
}

enum {
    ITEM_ADDRESS = 1, /* for the writes that follow */
    ITEM_WRITE = 2,
    ITEM_READ = 3,
    ITEM_NONE = 5
};

/*
 * A batch of single accesses: the items' kinds, padded to words, then a word for each. The result
 * is a word for each item, then a status for each.
 */
static void run_batch(struct stlink *s, const struct usb *u)
{
    const uint32_t items = get_32(u->command + 2);
    const uint32_t kinds = items <= STLINK_ITEMS_MAX ? (items + 3) & ~3u : 0;
    uint8_t address[4] = {0};

    s->items_size = 0;
    if (items > STLINK_ITEMS_MAX || kinds + 4 * items > u->size) {
        u->reply[0] = STATUS_UNKNOWN;
        return;
    }
    memset(s->items, 0, sizeof(s->items));
    s->items_size = 8 * items;
    for (uint32_t i = 0; i < items; i++) {
        const uint8_t *value = u->data + kinds + (size_t)4 * i;
        uint8_t *result = s->items + (size_t)4 * i;
        enum dap_result r = DAP_OK;
        bool known = true;

        if (u->data[i] == ITEM_ADDRESS)
            memcpy(address, value, sizeof(address));
        else if (u->data[i] == ITEM_WRITE)
            r = dap_write_memory(s->dap, get_32(address), 4, true, value, 4);
        else if (u->data[i] == ITEM_READ)
            r = dap_read_memory(s->dap, get_32(value), 4, true, result, 4);
        else
            known = u->data[i] == ITEM_NONE;
        put_32(result + (size_t)4 * items, known ? status_of(r, false) : STATUS_UNKNOWN);
    }
}

static void enter(struct stlink *s, const struct usb *u)
{
    uint32_t id;

    s->mode = 2;
    s->last_status = STATUS_OK;
    dap_reset(s->dap);
    if (dap_read_dp(s->dap, 0, &id) != DAP_OK)
        u->reply[0] = STATUS_NO_ID;
}

static void read_id(struct stlink *s, const struct usb *u)
{
    uint32_t id;
    const enum dap_result r = dap_read_dp(s->dap, 0, &id);

    u->reply[0] = status_of(r, true);
    put_32(u->reply + 4, id);
}

static void report_status(struct stlink *s, const struct usb *u)
{
    u->reply[0] = s->last_status;
    put_32(u->reply + 4, s->fault_address);
    s->last_status = STATUS_OK;
}

static void report_speeds(const struct usb *u)
{
    static const uint32_t khz[] = {24000, 8000, 1000};

    u->reply[8] = (uint8_t)ARRAY_SIZE(khz);
    for (size_t i = 0; i < ARRAY_SIZE(khz); i++)
        put_32(u->reply + 12 + 4 * i, khz[i]);
}

static bool is_read(uint8_t command)
{
    return command == DEBUG_READ_32 || command == DEBUG_READ_8 || command == DEBUG_READ_16 ||
           command == DEBUG_READ_32_FIXED;
}

static bool is_write(uint8_t command)
{
    return command == DEBUG_WRITE_32 || command == DEBUG_WRITE_8 || command == DEBUG_WRITE_16 ||
           command == DEBUG_WRITE_32_FIXED;
}

static void control(struct stlink *s, const struct usb *u)
{
    switch (u->command[1]) {
    case DEBUG_ENTER:
        enter(s, u);
        break;
    case DEBUG_EXIT:
        s->mode = 1;
        break;
    case DEBUG_READ_ID:
        read_id(s, u);
        break;
    case DEBUG_DRIVE_RESET: /* 0: low */
        if (dap_answers(s->dap))
            target_reset_line(s->dap->target, u->command[2] == 0);
        break;
    case DEBUG_STATUS:
    case DEBUG_STATUS_2:
        report_status(s, u);
        break;
    case DEBUG_TRACE_COUNT: /* no trace */
        u->reply[0] = 0;
        break;
    case DEBUG_GET_SPEED:
        report_speeds(u);
        break;
    case DEBUG_SPEED:
    case DEBUG_JTAG_SPEED:
    case DEBUG_SET_SPEED:
    case DEBUG_OPEN_AP:
    case DEBUG_CLOSE_AP:
    case DEBUG_TRACE_START:
    case DEBUG_TRACE_STOP:
        break;
    default:
        u->reply[0] = STATUS_UNKNOWN;
        break;
    }
}

static void debug(struct stlink *s, const struct usb *u)
{
    const uint8_t command = u->command[1];

    if (is_read(command)) {
        read_memory(s, u);
        return; /* data only, no status in it */
    }
    if (command == DEBUG_BATCH_RESULT) {
        memcpy(u->reply, s->items, u->size < s->items_size ? u->size : s->items_size);
        return;
    }
    u->reply[0] = STATUS_OK;
    if (is_write(command))
        write_memory(s, u);
    else if (command == DEBUG_READ_DAP)
        read_dap(s, u);
    else if (command == DEBUG_WRITE_DAP)
        write_dap(s, u);
    else if (command == DEBUG_WRITE_WORD || command == DEBUG_READ_WORD)
        access_word(s, u);
    else if (command == DEBUG_BATCH)
        run_batch(s, u);
    else
        control(s, u);
}

static void usb_command(struct stlink *s, const struct usb *u)
{
    switch (u->command[0]) {
    case GET_VERSION: /* version 3, the rest is in the long answer */
        u->reply[0] = 0x30;
        put_16(u->reply + 2, VENDOR);
        put_16(u->reply + 4, PRODUCT);
        break;
    case GET_VERSION_EX:
        u->reply[0] = 3;
        u->reply[2] = FIRMWARE;
        put_16(u->reply + 8, VENDOR);
        put_16(u->reply + 10, PRODUCT);
        break;
    case GET_MODE:
        u->reply[0] = s->mode;
        break;
    case GET_VOLTAGE: /* of the reference and half the supply, on one scale: 3.3 V */
        put_32(u->reply, 1200);
        put_32(u->reply + 4, dap_answers(s->dap) ? 1650 : 0);
        break;
    case DEBUG:
        debug(s, u);
        break;
    default: /* DFU and anything else: no answer worth reading */
        break;
    }
}

/* ---- the TCP server around it ---- */

static size_t message_size(const uint8_t *in, size_t n)
{
    static const uint8_t sizes[] = {2, 1, 8, 8, 8, TCP_USB_HEADER, 4, 8};

    if (in[0] >= ARRAY_SIZE(sizes))
        return 0;
    if (in[0] != TCP_USB || n < TCP_USB_HEADER || in[24] != 0)
        return sizes[in[0]];
    if (get_32(in + 28) > STLINK_PAYLOAD_MAX)
        return 0;
    return TCP_USB_HEADER + get_32(in + 28);
}

/* Small commands may look at 20 bytes of their reply, whatever the client wants to see of it. */
static bool serve_usb(struct stlink *s, const uint8_t *in, struct buf *out)
{
    uint8_t reply[4 + STLINK_PAYLOAD_MAX + 32] = {1};
    const bool writes = in[24] == 0;
    const uint32_t size = get_32(in + 28);
    const struct usb u = {
        .command = in + 8, .data = in + TCP_USB_HEADER, .reply = reply + 4, .size = size};

    if (size > STLINK_PAYLOAD_MAX)
        return false;
    if (!writes && u.command[0] == DEBUG && (is_write(u.command[1]) || u.command[1] == DEBUG_BATCH))
        return false; /* its data is not there */
    usb_command(s, &u);
    buf_append(out, reply, writes ? 4 : 4 + size);
    return true;
}

static void serve_info(const struct stlink *s, struct buf *out)
{
    uint8_t reply[45] = {1};

    put_32(reply + 4, 0x1234);
    memcpy(reply + 8, s->serial, strlen(s->serial));
    put_16(reply + 40, VENDOR);
    put_16(reply + 42, PRODUCT);
    buf_append(out, reply, sizeof(reply));
}

static bool serve_message(struct stlink *s, const uint8_t *in, struct buf *out)
{
    uint8_t reply[16] = {1};

    switch (in[0]) {
    case TCP_INFO:
        serve_info(s, out);
        return true;
    case TCP_OPEN:
        put_32(reply + 4, HANDLE);
        buf_append(out, reply, 8);
        return true;
    case TCP_USB:
        return serve_usb(s, in, out);
    case TCP_VERSION: /* API 3 */
        put_32(reply, 3);
        put_32(reply + 4, 2);
        put_32(reply + 8, 1);
        put_32(reply + 12, 1);
        buf_append(out, reply, 16);
        return true;
    case TCP_CLIENTS:
        return true;
    default: /* done, or the number of devices: 1 both */
        buf_append(out, reply, 4);
        return true;
    }
}

long stlink_serve(struct stlink *s, const uint8_t *in, size_t n, struct buf *out)
{
    size_t taken = 0;

    while (taken < n) {
        const size_t size = message_size(in + taken, n - taken);

        if (size == 0)
            return -1;
        if (size > n - taken)
            break;
        if (!serve_message(s, in + taken, out))
            return -1;
        taken += size;
    }
    return (long)taken;
}
