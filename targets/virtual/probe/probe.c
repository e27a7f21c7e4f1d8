#include "targets/virtual/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/text.h"

#define CLIENT_IN_MAX  (1u << 20)
#define CLIENT_OUT_MAX (4u << 20)
#define ANNOUNCE_MS    4
#define KEEP_MS        20 /* QEMU may abort at any time; what firmware wrote is kept so often */

static const char *const names[] = {
#define X(kind, name, text) name,
    PROBE_LIST(X)
#undef X
        NULL,
};

/* Call `use` for each word of the list. */
static int each_adapter(const char *list, struct probe *p,
                        int (*use)(struct probe *p, enum probe_kind kind, struct err *err),
                        struct err *err)
{
    for (const char *at = list; *at != '\0';) {
        const int n = (int)strcspn(at, ",");
        char word[24];
        int kind = 0;

        (void)snprintf(word, sizeof(word), "%.*s", n, at);
        while (names[kind] != NULL && strcmp(names[kind], word) != 0)
            kind++;
        if (names[kind] == NULL) {
            (void)err_set(err, ERR_USAGE, "--probe: unknown adapter '%s'", word);
            return err_hint(err, "%s is one", names[0]);
        }
        if (p != NULL && use(p, (enum probe_kind)kind, err) < 0)
            return (int)err->code;
        at += n + (at[n] == ',');
    }
    return 0;
}

int probe_check(const struct probe_options *o, struct err *err)
{
    if (o->machine == NULL || chip_find(o->chip, o->machine, err) == NULL)
        return err->code != ERR_OK ? (int)err->code
                                   : err_set(err, ERR_USAGE, "--probe needs --machine");
    if (o->adapters[0] == '\0')
        return err_set(err, ERR_USAGE, "--probe names no adapter");
    return each_adapter(o->adapters, NULL, NULL, err);
}

/* ---- opening ---- */

/* A J-Link has no ports to choose from, so there is one per host. */
static int listen_on(struct probe *p, enum probe_kind kind, struct err *err)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(kind == PROBE_JLINK ? JLINK_PORT : 0),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    socklen_t size = sizeof(a);
    struct probe_port *port = &p->ports[kind];

    if (port->listener >= 0)
        return err_set(err, ERR_USAGE, "--probe: %s twice", names[kind]);
    port->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (port->listener >= 0)
        (void)setsockopt(port->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (port->listener < 0 || bind(port->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
        listen(port->listener, 4) < 0 ||
        getsockname(port->listener, (struct sockaddr *)&a, &size) < 0)
        return err_sys(err, errno, "probe: no port on 127.0.0.1 for %s", names[kind]);
    port->port = ntohs(a.sin_port);
    if (kind == PROBE_JLINK)
        p->announcements = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return 0;
}

static int fill_store(struct probe *p, const struct probe_options *o, struct err *err)
{
    const struct chip *c = p->chip;
    const int r = store_open(&p->store, c->memory_base, c->memory_size,
                             c->erased_ones ? 0xff : 0x00, o->flash, err);

    if (r != 0 || o->firmware == NULL)
        return r < 0 ? r : 0;
    return store_put_elf(&p->store, o->firmware, err);
}

int probe_open(struct probe *p, const struct probe_options *o, struct err *err)
{
    AUTO_BUF text = BUF_INIT;

    p->chip = chip_find(o->chip, o->machine, err);
    if (p->chip == NULL)
        return (int)err->code;
    p->client = -1;
    p->in.limit = CLIENT_IN_MAX;
    p->out.limit = CLIENT_OUT_MAX;
    for (int i = 0; i < PROBE_KINDS; i++)
        p->ports[i] = (struct probe_port){.listener = -1, .slot = -1};
    p->present = true;
    target_init(&p->target, p->chip);
    dap_init(&p->dap, &p->target);
    stlink_init(&p->stlink, &p->dap, o->name);
    bitbang_init(&p->bitbang, &p->dap);
    jlink_init(&p->jlink, &p->dap);
    p->announcements = -1;
    p->serial = probe_serial(o->name);
    if (each_adapter(o->adapters, p, listen_on, err) < 0 || fill_store(p, o, err) < 0)
        return (int)err->code;
    if (snprintf(p->config, sizeof(p->config), "%s/%s.openocd.cfg", o->dir, o->name) >=
        (int)sizeof(p->config))
        return err_set(err, ERR_USAGE, "--dir %s: path too long", o->dir);
    probe_config(p, o->name, &text);
    return file_write_atomic(p->config, text.data, text.len, err);
}

static void hang_up(struct probe *p)
{
    fd_close(&p->client);
    buf_clear(&p->in);
    buf_clear(&p->out);
}

void probe_close(struct probe *p)
{
    if (!p->present)
        return;
    hang_up(p);
    buf_release(&p->in);
    buf_release(&p->out);
    for (int i = 0; i < PROBE_KINDS; i++)
        fd_close(&p->ports[i].listener);
    fd_close(&p->announcements);
    if (p->config[0] != '\0')
        (void)unlink(p->config);
    vm_close(&p->target.vm);
    store_close(&p->store);
    p->present = false;
}

/* ---- power ---- */

int probe_power_on(struct probe *p, int fds[static VM_STREAMS], pid_t pid, bool locked_up,
                   struct err *err)
{
    if (vm_open(&p->target.vm, fds, pid, err) < 0) {
        vm_close(&p->target.vm);
        return (int)err->code;
    }
    if (!locked_up)
        dap_reset(&p->dap);
    if (!target_power_on(&p->target, p->store.bytes, locked_up)) {
        vm_close(&p->target.vm);
        return err_set(err, ERR_LAB, "probe: QEMU does not take the flash's content");
    }
    return 0;
}

/* The flash as it is now, also when the core is in the middle of writing it. */
static void take_flash(struct probe *p)
{
    if (p->target.vm.broken || !p->target.store_dirty)
        return;
    target_flush(&p->target);
    if (store_take(&p->store, &p->target.vm))
        p->target.store_dirty = p->target.vm.running;
}

static int save_flash(struct probe *p, struct err *err)
{
    take_flash(p);
    return store_save(&p->store, err);
}

void probe_power_off(struct probe *p)
{
    struct err err = ERR_INIT;

    if (!p->present)
        return;
    if (save_flash(p, &err) < 0)
        log_line(LOG_VIRTUAL, "probe: %s", err.text);
    vm_close(&p->target.vm);
}

void probe_lost(struct probe *p)
{
    struct err err = ERR_INIT;

    vm_close(&p->target.vm);
    if (store_save(&p->store, &err) < 0)
        log_line(LOG_VIRTUAL, "probe: %s", err.text);
}

/* Does the machine have a flash that firmware can write, and does it run? */
static bool may_write_flash(const struct probe *p)
{
    const struct vm *vm = &p->target.vm;
    const struct vm_region *r;

    if (!p->present || vm->broken || !vm->running || p->chip->memory_size == 0)
        return false;
    r = vm_region(vm, p->chip->memory_base);
    return r != NULL && r->kind == VM_ROM_DEVICE;
}

static void keep_flash(struct probe *p)
{
    if (!may_write_flash(p) || clock_monotonic_ns() < p->keep_ns)
        return;
    take_flash(p);
    p->keep_ns = clock_monotonic_ns() + KEEP_MS * 1000000u;
}

bool probe_reset(struct probe *p)
{
    const unsigned before = p->target.resets_done;

    p->target.held = false;
    target_system_reset(&p->target);
    p->resets_told = p->target.resets_done;
    return p->target.resets_done != before;
}

/* ---- the client ---- */

static void answer(struct probe *p)
{
    while (p->out.len > 0 && p->client >= 0) {
        const ssize_t n = send(p->client, p->out.data, p->out.len, MSG_NOSIGNAL);

        if (n > 0)
            buf_consume(&p->out, (size_t)n);
        else if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        else
            hang_up(p);
    }
}

/* One debugger at a time, as on a real probe. */
static void take_client(struct probe *p, enum probe_kind kind)
{
    const int on = 1;
    const int fd = accept4(p->ports[kind].listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (p->client >= 0) {
        p->refused++;
        log_line(LOG_VIRTUAL, "probe: refused a second client");
        (void)close(fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    p->client = fd;
    p->client_kind = kind;
    p->clients++;
    if (kind == PROBE_JLINK)
        jlink_greet(&p->jlink, &p->out);
    else if (kind == PROBE_JTAG)
        bitbang_init(&p->bitbang, &p->dap);
    log_line(LOG_VIRTUAL, "probe: a client came");
    answer(p);
}

static long serve_bytes(struct probe *p)
{
    const uint8_t *in = (const uint8_t *)p->in.data;

    switch (p->client_kind) {
    case PROBE_STLINK:
        return stlink_serve(&p->stlink, in, p->in.len, &p->out);
    case PROBE_JTAG:
        return bitbang_serve(&p->bitbang, in, p->in.len, &p->out);
    case PROBE_JLINK:
        return jlink_serve(&p->jlink, in, p->in.len, &p->out);
    default:
        return -1;
    }
}

static void serve_client(struct probe *p)
{
    const int on = 1;
    char chunk[65536];
    const ssize_t n = recv(p->client, chunk, sizeof(chunk), 0);
    long taken;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        log_line(LOG_VIRTUAL, "probe: the client left");
        hang_up(p);
        return;
    }
    /* libjaylink collects its small messages until the last is acknowledged: 40 ms for each. */
    if (p->client_kind == PROBE_JLINK)
        (void)setsockopt(p->client, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
    buf_append(&p->in, chunk, (size_t)n);
    taken = serve_bytes(p);
    if (taken < 0 || p->in.full || p->out.full) {
        log_line(LOG_VIRTUAL, "probe: the client does not speak %s", names[p->client_kind]);
        hang_up(p);
        return;
    }
    buf_consume(&p->in, (size_t)taken);
    answer(p);
}

/*
 * A scan of libjaylink asks on the port that it listens on itself, so nobody else on this host can
 * hear it: say it unasked, often enough for its window of 20 ms.
 */
static void announce(struct probe *p)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons(JLINK_PORT),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t datagram[128];

    if (p->announcements < 0 || p->client >= 0)
        return;
    jlink_announce(p->serial, datagram);
    (void)sendto(p->announcements, datagram, sizeof(datagram), 0, (const struct sockaddr *)&a,
                 sizeof(a));
}

int probe_timeout_ms(const struct probe *p)
{
    if (p->present && p->announcements >= 0 && p->client < 0)
        return ANNOUNCE_MS;
    return may_write_flash(p) ? KEEP_MS : -1;
}

void probe_prepare(struct probe *p, struct poll_set *set)
{
    if (!p->present)
        return;
    for (int i = 0; i < PROBE_KINDS; i++)
        p->ports[i].slot = poll_set_add(set, p->ports[i].listener, POLLIN);
    /* A client that does not read its answers is not listened to. */
    p->slot_client = poll_set_add(set, p->client, p->out.len > 0 ? POLLOUT : POLLIN);
    p->slot_debug = poll_set_add(set, p->target.vm.debug.fd, POLLIN);
}

int probe_serve(struct probe *p, const struct poll_set *set, struct err *err)
{
    const bool had_client = p->client >= 0;
    const bool was_halted = p->target.halted;
    const unsigned resets = p->target.resets_done;

    if (!p->present)
        return 0;
    announce(p);
    keep_flash(p);
    if (!p->target.vm.broken && poll_set_events(set, p->slot_debug) != 0)
        target_attend(&p->target);
    if ((poll_set_events(set, p->slot_client) & POLLOUT) != 0)
        answer(p);
    else if (poll_set_events(set, p->slot_client) != 0)
        serve_client(p);
    for (int i = 0; i < PROBE_KINDS; i++) {
        if (poll_set_events(set, p->ports[i].slot) != 0)
            take_client(p, (enum probe_kind)i);
    }
    if (p->target.halted && !was_halted)
        take_flash(p);
    if ((had_client && p->client < 0) || p->target.resets_done != resets)
        return save_flash(p, err);
    return 0;
}

void probe_describe(const struct probe *p, struct buf *out)
{
    const char *separator = "";

    for (int i = 0; i < PROBE_KINDS; i++) {
        if (p->ports[i].listener < 0)
            continue;
        buf_printf(out, "%s%s:%u", separator, names[i], p->ports[i].port);
        separator = ",";
    }
}
