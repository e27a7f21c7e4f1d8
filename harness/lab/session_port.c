/* A session's port: what leads to the agent, and the record of what went over it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/random.h"
#include "harness/lab/internal.h"
#include "harness/lab/session_replay.h"
#include "harness/transport/filter.h"

enum {
    RECORD_MAX = 64 * 1024 * 1024,
    PORT_MS = 5000, /* USB devices enumerate within; udev then sets their rights */
    PORT_STEP_MS = 50
};

static int open_record(struct session *s, struct err *err)
{
    char path[SESSION_PATH];
    const struct transport_config config = {.where = path};

    s->greetings = 0;
    if (session_replay_next(s, path, &s->nonce, err) < 0)
        return (int)err->code;
    if (transport_open("replay", &config, &s->transport, err) == 0)
        return 0;
    err->code = ERR_LAB; /* a broken record is as bad as a broken cable; the suite is well */
    return ERR_LAB;
}

static size_t record_max(const struct session *s)
{
    return s->options.record_max != 0 ? s->options.record_max : RECORD_MAX;
}

/* One file per opening of the port. The name holds the nonce that a replay must begin with. */
static void begin_record(struct session *s)
{
    s->nonce = (uint16_t)(1 + random_u64() % 0x7fff);
    s->greetings = 0;
    s->recorded = 0;
    s->record.limit = record_max(s);
    s->record_stopped = false;
    (void)snprintf(s->record_path, sizeof(s->record_path), "%.800s/%.180s-%llu-nonce%u.session",
                   s->options.record_dir, s->board->name, (unsigned long long)clock_realtime_ns(),
                   s->nonce); /* a longer one names no folder, and that is told */
}

static int open_transport(struct session *s, struct err *err)
{
    const struct board_transport *t = &s->board->transport;
    const char *kind = t->kind != NULL ? t->kind : "serial";
    char rings[48];
    const struct transport_config config = {
        .where = session_over_swd(s)             ? rings
                 : s->vboard != NULL             ? vboard_port(s->vboard)
                 : s->labgrid.address[0] != '\0' ? s->labgrid.address
                                                 : t->where,
        .context = s->openocd,
        .usb_serial = t->usb_serial,
        .usb_id = t->usb_id,
        .dtr = t->dtr,
        .baud = t->baud,
    };

    if (session_replays(s))
        return open_record(s, err);
    if (s->rings != 0)
        (void)snprintf(rings, sizeof(rings), "0x%x", s->rings);
    else
        (void)snprintf(rings, sizeof(rings), "0x%llx+0x%llx",
                       (unsigned long long)s->board->ram.base,
                       (unsigned long long)s->board->ram.size);
    if (transport_open(kind, &config, &s->transport, err) < 0)
        return (int)err->code;
    if (s->options.record_dir == NULL)
        return 0;
    begin_record(s);
    /* The filter takes the transport over, also when it fails. */
    return filter_open(MOVE(s->transport), &(struct filter_options){.record = &s->record},
                       &s->transport, err);
}

/*
 * The port as soon as it is there: that of a USB device comes back a while after its board's reset
 * or its hub's power. A virtual board's supervisor makes the port first.
 */
int session_open_port(struct session *s, unsigned wait_ms, struct err *err)
{
    const bool may_come = s->vboard == NULL && !session_over_swd(s) && !session_replays(s);
    const struct deadline end = deadline_in_ms(wait_ms < PORT_MS ? wait_ms : PORT_MS);

    while (open_transport(s, err) < 0) {
        if (!may_come || !err_is_lab_fault(err->code) || deadline_passed(end))
            return (int)err->code;
        err_clear(err);
        clock_sleep_ms(PORT_STEP_MS);
    }
    return 0;
}

/* Opened anew each time, so that a folder that is gone, or a full disk, shows at once. */
static int append_record(struct session *s)
{
    const int flags = s->recorded == 0 ? O_CREAT | O_EXCL : 0;
    AUTO(fd_close) int fd = open(s->record_path, O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0640);

    if (fd < 0 || (s->recorded == 0 && fchmod(fd, 0640) < 0))
        return -errno;
    return fd_write_all(fd, s->record.data, s->record.len);
}

/* What is lost of one opening ends its record: what comes after a hole is of no use. */
static void keep_record(struct session *s)
{
    const bool whole = s->record_lost[0] == '\0';
    int r = 0;

    if (s->record.len > 0 && !s->record_stopped) {
        r = append_record(s);
        s->recorded += s->record.len;
    }
    if (r < 0 && whole)
        (void)snprintf(s->record_lost, sizeof(s->record_lost), "its record is lost: %s: %s",
                       s->record_path, strerror(-r));
    else if (s->record.full && whole)
        (void)snprintf(s->record_lost, sizeof(s->record_lost),
                       "its record is cut: it has no more than %zu bytes", record_max(s));
    s->record_stopped = s->record_stopped || r < 0 || s->record.full;
    buf_clear(&s->record);
    s->record.limit = s->recorded < record_max(s) ? record_max(s) - s->recorded : 1;
}

const char *session_keep_record(struct session *s)
{
    if (s->record_told && !s->record_stopped)
        s->record_lost[0] = '\0'; /* of an opening before this one, and told */
    keep_record(s);
    s->record_told = s->record_lost[0] != '\0';
    return s->record_told ? s->record_lost : NULL;
}

void session_hang_up(struct session *s)
{
    client_close(s->client);
    s->client = NULL;
    transport_close(s->transport);
    s->transport = NULL;
    keep_record(s);
}
