#include "harness/lab/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/log.h"
#include "harness/base/text.h"
#include "harness/lab/lease.h"
#include "harness/virtual/vboard.h"

enum {
    HELLO_MS = 8000,
    PATH_SIZE = 1024,
    VIRTUAL_ANSWER_MS = 4000, /* an emulator shares the host's CPUs: late is not lost */
};

struct session {
    const struct board *board;
    struct session_options options;
    struct lease *lease;
    struct vboard *vboard; /* NULL for a real board */
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

static int start_virtual(struct session *s, struct err *err)
{
    if (!is_virtual(s->board))
        return 0;
    return vboard_open(&(struct vboard_options){.board = s->board,
                                                .program = s->options.vboard,
                                                .firmware = s->firmware,
                                                .run_dir = s->options.run_dir},
                       &s->vboard, err);
}

static int open_transport(struct session *s, struct err *err)
{
    const struct board_transport *t = &s->board->transport;
    const char *kind = t->kind != NULL ? t->kind : "serial";
    const struct transport_config config = {
        .where = s->vboard != NULL ? vboard_port(s->vboard) : t->where,
        .usb_serial = t->usb_serial,
        .usb_id = t->usb_id,
        .dtr = t->dtr,
        .baud = t->baud,
    };

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
static int check_identity(const struct session *s, struct err *err)
{
    char uid[25];

    hex_encode(client_hello(s->client)->chip_uid, 12, uid);
    if (s->board->uid != NULL && strcasecmp(s->board->uid, uid) != 0) {
        (void)err_set(err, ERR_LAB, "this is another board: its chip says %s, the lab file %s", uid,
                      s->board->uid);
        return err_hint(err, "cables may be swapped");
    }
    return 0;
}

int session_open(const struct board *board, const struct session_options *options,
                 struct session **ret, struct err *err)
{
    AUTO(session_close_auto) struct session *s = calloc(1, sizeof(*s));
    int r;

    if (s == NULL)
        abort();
    s->board = board;
    s->options = *options;
    r = take_lease(s, err);
    if (r == 0)
        r = find_firmware(s, err);
    if (r == 0)
        r = start_virtual(s, err);
    if (r == 0)
        r = reopen(s, err);
    if (r == 0)
        r = check_identity(s, err);
    if (r < 0)
        return err_in(err, "board '%s'", board->name);
    *ret = MOVE(s);
    return 0;
}

void session_close(struct session *s)
{
    if (s == NULL)
        return;
    client_close(s->client);
    transport_close(s->transport);
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

int session_restart(struct session *s, struct err *err)
{
    int r;

    if (s->vboard == NULL) {
        r = client_reset(s->client, err);
    } else {
        r = vboard_reset(s->vboard, err);
        if (r == 0)
            r = greet(s, err);
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
    char path[PATH_SIZE];
    const uint64_t base = client_hello(s->client)->slot_base;
    int r = in_slot_already(s, image, size, err);

    if (r != 0)
        return r;
    if (s->vboard == NULL)
        return err_set(err, ERR_UNSUPPORTED, "the slot of board '%s' needs a flash method",
                       s->board->name);
    if (snprintf(path, sizeof(path), "%s/%s.model", s->options.run_dir, s->board->name) >=
        (int)sizeof(path))
        return err_set(err, ERR_CONFIG, "path of the model image too long");
    if (file_write_atomic(path, image, size, err) < 0 ||
        vboard_flash(s->vboard, path, base, err) < 0 || greet(s, err) < 0)
        return (int)err->code;
    r = in_slot_already(s, image, size, err);
    if (r == 0)
        return err_set(err, ERR_FLASH, "the model in the slot is not what was written");
    return r < 0 ? r : 0;
}

int session_place_model(struct session *s, const void *image, size_t size, struct err *err)
{
    const struct wire_hello *hello = client_hello(s->client);
    int r;

    if (size > hello->slot_size)
        return err_set(err, ERR_UNSUPPORTED, "the model image has %zu bytes, the slot %u", size,
                       hello->slot_size);
    if (s->board->slot.by_flash || (hello->caps & WIRE_CAP_SLOT_WRITE) == 0)
        r = place_by_flash(s, image, size, err);
    else
        r = client_upload_model(s->client, image, size, NULL, NULL, err);
    return r < 0 ? err_in(err, "board '%s': model", s->board->name) : r;
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
}
