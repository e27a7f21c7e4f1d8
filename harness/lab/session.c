#include "harness/lab/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "harness/base/hash.h"
#include "harness/base/log.h"
#include "harness/base/text.h"
#include "harness/flash/flash.h"
#include "harness/lab/lease.h"
#include "harness/openocd/probe.h"
#include "harness/virtual/vboard.h"

enum {
    HELLO_MS = 8000,
    PATH_SIZE = 1024,
    PROBE_LOG_MAX = 16384,
    VIRTUAL_ANSWER_MS = 4000, /* an emulator shares the host's CPUs: late is not lost */
};

struct session {
    const struct board *board;
    struct session_options options;
    struct lease *lease;
    struct vboard *vboard;   /* NULL for a real board */
    struct openocd *openocd; /* NULL when nothing needs a probe */
    const struct flash_ops *flash;
    uint32_t rings; /* swd: where the agent's link block lies; 0: somewhere in RAM */
    struct transport *transport;
    struct client *client;
    char firmware[PATH_SIZE]; /* "" when unknown */
};

static bool is_virtual(const struct board *b)
{
    return b->virt.kind != NULL;
}

/* ---- parts, in the order they come up ---- */

static int take_lease(struct session *s, struct err *err)
{
    const struct board *b = s->board;
    const char *names[4] = {b->name};
    size_t n = 1;

    if (b->meter != NULL)
        names[n++] = b->meter;
    if (b->openocd.serial != NULL)
        names[n++] = b->openocd.serial;
    return lease_take(s->options.lock_dir, names, n, s->options.purpose, s->options.wait_ms,
                      &s->lease, err);
}

static int find_firmware(struct session *s, struct err *err)
{
    const struct board *b = s->board;
    int n;

    if (b->flashing.firmware != NULL)
        n = snprintf(s->firmware, sizeof(s->firmware), "%s", b->flashing.firmware);
    else if (is_virtual(b) && strcmp(b->virt.kind, "posix") == 0)
        n = snprintf(s->firmware, sizeof(s->firmware), "%s", s->options.agent_posix);
    else if (b->agent != NULL)
        n = snprintf(s->firmware, sizeof(s->firmware), "%s/%s.elf", s->options.firmware_dir,
                     b->agent);
    else
        return 0; /* flashed by other means; its build id still comes with HELLO */
    if (n >= (int)sizeof(s->firmware))
        return err_set(err, ERR_CONFIG, "firmware path too long");
    if (access(s->firmware, R_OK) < 0) {
        (void)err_set(err, ERR_LAB, "firmware %s is not there", s->firmware);
        return err_hint(err, "its cross compiler may be missing: see the summary of 'meson setup'");
    }
    return 0;
}

/* A board that is flashed over its probe comes up with whatever its flash holds. */
static int start_virtual(struct session *s, struct err *err)
{
    if (!is_virtual(s->board))
        return 0;
    return vboard_open(
        &(struct vboard_options){.board = s->board,
                                 .program = s->options.vboard,
                                 .firmware = s->flash->needs_probe ? NULL : s->firmware,
                                 .run_dir = s->options.run_dir},
        &s->vboard, err);
}

static bool over_swd(const struct session *s)
{
    const char *kind = s->board->transport.kind;

    return kind != NULL && strcmp(kind, "swd") == 0;
}

static int open_probe(struct session *s, struct err *err)
{
    char address[32];
    struct probe_options options = {.board = s->board, .program = s->options.openocd};
    unsigned port = 0;

    if (!s->flash->needs_probe && !over_swd(s))
        return 0;
    if (s->vboard != NULL) {
        if (vboard_probe_port(s->vboard, "stlink", &port, err) < 0)
            return (int)err->code;
        (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
        options.address = address;
    }
    return probe_open(&options, &s->openocd, err);
}

static struct flash_job flash_job(const struct session *s)
{
    return (struct flash_job){
        .board = s->board,
        .firmware = s->firmware,
        .port = s->vboard != NULL ? vboard_port(s->vboard) : s->board->transport.where,
        .run_dir = s->options.run_dir,
        .openocd = s->openocd,
        .vboard = s->vboard,
    };
}

/* A block that an earlier firmware left in RAM must not be taken for the one to come. */
static int forget_rings(struct session *s, struct err *err)
{
    static const uint32_t nothing[4] = {0, 0, 0, 0};

    if (!over_swd(s) || s->rings == 0)
        return 0;
    return openocd_write_words(s->openocd, s->rings, nothing, ARRAY_SIZE(nothing), err);
}

static int find_rings(struct session *s, struct err *err)
{
    const struct flash_job job = flash_job(s);
    const int r = over_swd(s) ? flash_symbol(s->flash, &job, "rtt_block", &s->rings, err) : 1;

    return r < 0 ? r : 0;
}

static int program(struct session *s, struct err *err)
{
    const struct flash_job job = flash_job(s);

    if (find_rings(s, err) < 0 || forget_rings(s, err) < 0)
        return (int)err->code;
    return s->flash->program(&job, err) < 0 ? (int)err->code : 0;
}

static int open_transport(struct session *s, struct err *err)
{
    const struct board_transport *t = &s->board->transport;
    const char *kind = t->kind != NULL ? t->kind : "serial";
    char rings[48];
    const struct transport_config config = {
        .where = over_swd(s)         ? rings
                 : s->vboard != NULL ? vboard_port(s->vboard)
                                     : t->where,
        .context = s->openocd,
        .usb_serial = t->usb_serial,
        .usb_id = t->usb_id,
        .dtr = t->dtr,
        .baud = t->baud,
    };

    if (s->rings != 0)
        (void)snprintf(rings, sizeof(rings), "0x%x", s->rings);
    else
        (void)snprintf(rings, sizeof(rings), "0x%llx+0x%llx",
                       (unsigned long long)s->board->ram.base,
                       (unsigned long long)s->board->ram.size);
    return transport_open(kind, &config, &s->transport, err);
}

static int greet(struct session *s, struct err *err)
{
    const struct board_transport *t = &s->board->transport;

    client_close(s->client);
    s->client = NULL;
    return client_open(
        &(struct client_options){.transport = s->transport,
                                 .baud = t->baud,
                                 .max_baud = t->max_baud,
                                 .hello_ms = HELLO_MS,
                                 .answer_ms = s->vboard != NULL ? VIRTUAL_ANSWER_MS : 0},
        &s->client, err);
}

static int reopen(struct session *s, struct err *err)
{
    client_close(s->client);
    s->client = NULL;
    transport_close(s->transport);
    s->transport = NULL;
    if (open_transport(s, err) < 0)
        return (int)err->code;
    return greet(s, err);
}

/* Two boards of a kind look alike on the wire; the lab file may say which one it must be. */
static int check_identity(struct session *s, struct err *err)
{
    char uid[25];

    /* What the lab cannot write may be another build on purpose: HELLO's id is then recorded. */
    if (s->firmware[0] != '\0' && s->flash->program != flash_find("none")->program &&
        flash_check_identity(s->firmware, client_hello(s->client)->build_id, err) < 0)
        return (int)err->code;
    hex_encode(client_hello(s->client)->chip_uid, 12, uid);
    if (s->board->uid != NULL && strcasecmp(s->board->uid, uid) != 0) {
        (void)err_set(err, ERR_LAB, "this is another board: its chip says %s, the lab file %s", uid,
                      s->board->uid);
        return err_hint(err, "cables may be swapped");
    }
    return 0;
}

static int find_method(struct session *s, struct err *err)
{
    const char *method = s->board->flashing.method;

    s->flash = flash_find(method != NULL ? method : is_virtual(s->board) ? "qemu" : "none");
    if (s->flash == NULL)
        return err_set(err, ERR_CONFIG, "unknown flash method '%s'", method);
    return 0;
}

static int bring_up(struct session *s, struct err *err)
{
    static int (*const parts[])(struct session * s, struct err * err) = {
        take_lease, find_method, find_firmware, start_virtual,
        open_probe, program,     reopen,        check_identity,
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (parts[i](s, err) < 0)
            return (int)err->code;
    }
    return 0;
}

int session_open(const struct board *board, const struct session_options *options,
                 struct session **ret, struct err *err)
{
    AUTO(session_close_auto) struct session *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->board = board;
    s->options = *options;
    if (bring_up(s, err) < 0) {
        if (options->failure_log != NULL)
            session_log(s, options->failure_log);
        return err_in(err, "board '%s'", board->name);
    }
    *ret = MOVE(s);
    return 0;
}

void session_close(struct session *s)
{
    if (s == NULL)
        return;
    client_close(s->client);
    transport_close(s->transport);
    openocd_close(s->openocd);
    vboard_close(s->vboard);
    lease_release(s->lease);
    free(s);
}

struct client *session_client(struct session *s)
{
    return s->client;
}

const struct board *session_board(const struct session *s)
{
    return s->board;
}

const char *session_firmware(const struct session *s)
{
    return s->firmware[0] != '\0' ? s->firmware : NULL;
}

/* After the part was started anew: the rings are new ones, a serial port is still the same. */
static int greet_again(struct session *s, struct err *err)
{
    return over_swd(s) ? reopen(s, err) : greet(s, err);
}

int session_restart(struct session *s, struct err *err)
{
    const struct flash_job job = flash_job(s);
    int r;

    if (s->flash->restart == NULL && !over_swd(s)) {
        r = client_reset(s->client, err);
    } else {
        r = forget_rings(s, err);
        if (r == 0)
            r = s->flash->restart != NULL ? s->flash->restart(&job, err)
                                          : probe_reset_run(s->openocd, err);
        if (r == 0)
            r = greet_again(s, err);
    }
    return r < 0 ? err_in(err, "board '%s': reset", s->board->name) : 0;
}

/* ---- models ---- */

static int in_slot_already(struct session *s, const void *image, size_t size, struct err *err)
{
    uint32_t digest = 0;

    if (client_digest(s->client, WIRE_OBJECT_SLOT, 0, size, &digest, err) < 0)
        return (int)err->code;
    return digest == wire_crc32(0, image, size);
}

static int place_by_flash(struct session *s, const void *image, size_t size, struct err *err)
{
    const struct flash_job job = flash_job(s);
    int r = in_slot_already(s, image, size, err);

    if (r != 0)
        return r;
    if (s->flash->write == NULL)
        return err_set(err, ERR_UNSUPPORTED, "method %s cannot write the slot of board '%s'",
                       s->flash->name, s->board->name);
    if (s->board->slot.by_flash && forget_rings(s, err) < 0)
        return (int)err->code;
    r = s->flash->write(&job, image, size, client_hello(s->client)->slot_base, err);
    if (r == 0)
        r = greet_again(s, err);
    if (r < 0)
        return r;
    r = in_slot_already(s, image, size, err);
    if (r == 0)
        return err_set(err, ERR_FLASH, "the model in the slot is not what was written");
    return r < 0 ? r : 0;
}

/* RAM is written faster by the probe than through the agent, which then only takes a digest. */
static bool probe_is_faster(const struct session *s)
{
    const struct memory_region *ram = &s->board->ram;
    const uint64_t slot = client_hello(s->client)->slot_base;

    return s->openocd != NULL && s->flash->needs_probe && slot >= ram->base &&
           slot - ram->base < ram->size;
}

int session_place_model(struct session *s, const void *image, size_t size, struct err *err)
{
    const struct wire_hello *hello = client_hello(s->client);
    int r;

    if (size > hello->slot_size)
        return err_set(err, ERR_UNSUPPORTED, "the model image has %zu bytes, the slot %u", size,
                       hello->slot_size);
    if (s->board->slot.by_flash || (hello->caps & WIRE_CAP_SLOT_WRITE) == 0 || probe_is_faster(s))
        r = place_by_flash(s, image, size, err);
    else
        r = client_upload_model(s->client, image, size, NULL, NULL, err);
    return r < 0 ? err_in(err, "board '%s': model", s->board->name) : r;
}

/* The last of what OpenOCD said. */
static void probe_log(struct session *s, struct buf *out)
{
    AUTO_BUF log = BUF_INIT;
    size_t from;

    if (s->openocd == NULL)
        return;
    openocd_log(s->openocd, &log);
    from = log.len > PROBE_LOG_MAX ? log.len - PROBE_LOG_MAX : 0;
    buf_puts(out, "openocd:\n");
    buf_append(out, buf_text(&log) + from, log.len - from);
}

void session_log(struct session *s, struct buf *out)
{
    if (s->client != NULL) {
        size_t n = 0;
        const char *console = client_console(s->client, &n);

        if (n > 0)
            buf_puts(out, "console: ");
        text_escape(out, console, n);
        if (n > 0)
            buf_putc(out, '\n');
    }
    if (s->vboard != NULL)
        vboard_news(s->vboard, out);
    probe_log(s, out);
}
