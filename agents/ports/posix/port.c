/* The port functions over descriptors; see posix.h. */
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agents/core/agent.h"
#include "agents/core/config.h"
#include "agents/core/port.h"
#include "agents/ports/posix/posix.h"
#include "agents/wire/wire.h"

enum {
    OUT_SIZE = 4096,
    ARENA_ALIGN = 64
};

/* Why the agent's loop was left. */
enum {
    LEFT_RESET = 1,
    LEFT_LINK = 2
};

struct posix_port {
    const struct posix_agent_options *options;
    jmp_buf leave;
    uint8_t *arena;
    uint8_t *slot;
    uint32_t arena_size;
    uint32_t slot_size;
    uint32_t baud;
    uint8_t reset_cause; /* 1 power, 2 software */
    size_t out_used;
    uint8_t out[OUT_SIZE];
};

static _Thread_local struct posix_port port;

/* ---- link ---- */

/* What a UART makes of bytes at another rate. */
static void garble(uint8_t *data, size_t n)
{
    if (port.options->far_baud == NULL || *port.options->far_baud == port.baud)
        return;
    for (size_t i = 0; i < n; i++)
        data[i] ^= 0x55;
}

static ssize_t write_some(const uint8_t *data, size_t n)
{
    ssize_t done = send(port.options->out_fd, data, n, MSG_NOSIGNAL);

    if (done < 0 && errno == ENOTSOCK)
        done = write(port.options->out_fd, data, n);
    return done;
}

static void flush(void)
{
    size_t at = 0;

    garble(port.out, port.out_used);
    while (at < port.out_used) {
        ssize_t done = write_some(port.out + at, port.out_used - at);

        if (done >= 0) {
            at += (size_t)done;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = port.options->out_fd, .events = POLLOUT};

            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            port.out_used = 0;
            longjmp(port.leave, LEFT_LINK);
        }
    }
    port.out_used = 0;
}

void port_init(void)
{
    port.out_used = 0;
    port.baud = AGENT_BAUD;
}

void port_send(const uint8_t *data, size_t n)
{
    while (n-- != 0) {
        if (port.out_used == OUT_SIZE)
            flush();
        port.out[port.out_used++] = *data++;
    }
}

void port_send_drain(void)
{
    flush();
}

/* Bytes that wait in the kernel are the hardware's FIFO: it never overruns. */
static void receive(int timeout_ms)
{
    struct pollfd p = {.fd = port.options->in_fd, .events = POLLIN};
    uint8_t bytes[AGENT_RX_RING - 1];
    ssize_t n;

    if (poll(&p, 1, timeout_ms) <= 0)
        return;
    n = read(port.options->in_fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) /* closed, or a pty whose master is gone */
        longjmp(port.leave, LEFT_LINK);
    garble(bytes, (size_t)n);
    for (ssize_t i = 0; i < n; i++)
        agent_rx(bytes[i]);
}

void port_wait(bool may_sleep)
{
    if (!agent_rx_pending())
        receive(may_sleep ? -1 : 10);
}

void port_link_silence(bool silent)
{
    (void)silent; /* nothing runs here but the agent's own thread */
}

bool port_set_baud(uint32_t baud)
{
    if (baud < 1200 || baud > 4000000)
        return false;
    port.baud = baud;
    return true;
}

/* ---- time and markers ---- */

struct port_timebase port_timebase(void)
{
    return (struct port_timebase){WIRE_TIMEBASE_HOST, 64, 1000000000};
}

uint64_t port_ticks(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void port_marker(bool high)
{
    char line[64];
    int n;

    if (port.options->marker_fd < 0)
        return;
    n = snprintf(line, sizeof(line), "edge %d %llu -\n", high, (unsigned long long)port_ticks());
    if (write(port.options->marker_fd, line, (size_t)n) < 0)
        return; /* nobody listens */
}

void port_cold(void)
{
}

void port_sleep(uint32_t ticks)
{
    struct timespec t = {ticks / 1000000000, ticks % 1000000000};

    (void)nanosleep(&t, NULL);
}

/* ---- memory ---- */

struct port_region port_arena(void)
{
    return (struct port_region){port.arena, port.arena_size};
}

struct port_region port_slot(void)
{
    return (struct port_region){port.slot, port.slot_size};
}

uint32_t port_static_ram(void)
{
    return sizeof(port);
}

struct port_stack port_stack(bool repaint)
{
    (void)repaint;
    return (struct port_stack){0, 0}; /* the host's stack says nothing about a target's */
}

bool port_slot_write(uint32_t offset, const uint8_t *data, uint32_t n)
{
    memcpy(port.slot + offset, data, n);
    return true;
}

bool port_slot_erase(uint32_t size)
{
    memset(port.slot, 0xff, size);
    return true;
}

uint32_t port_slot_erase_ms(uint32_t size)
{
    (void)size;
    return 0;
}

/* ---- identity and life ---- */

static bool has_uid(void)
{
    static const uint8_t none[sizeof(port.options->uid)];

    return memcmp(port.options->uid, none, sizeof(none)) != 0;
}

uint32_t port_caps(void)
{
    return WIRE_CAP_SLOT_WRITE | WIRE_CAP_BAUD | WIRE_CAP_SLEEP |
           (port.options->slot_fd >= 0 ? WIRE_CAP_SLOT_FLASH : 0) |
           (port.options->marker_fd >= 0 ? WIRE_CAP_MARKER : 0) | (has_uid() ? WIRE_CAP_UID : 0);
}

/* The GNU build-id note of the executable, as in a firmware's ELF file. */
static int find_build_id(struct dl_phdr_info *info, size_t size, void *context)
{
    uint8_t *id = context;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): the loader hands out an integer */
        const char *at = (const char *)info->dlpi_addr + segment->p_vaddr;
        const char *end = at + segment->p_memsz;

        while (segment->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) < end) {
            const ElfW(Nhdr) *note = (const void *)at;
            const char *name = at + sizeof(*note);
            const char *body = name + ((note->n_namesz + 3) & ~3u);

            if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz >= 8) {
                memcpy(id, body, 8);
                return 1;
            }
            at = body + ((note->n_descsz + 3) & ~3u);
        }
    }
    return 1; /* the first object is the executable */
}

const uint8_t *port_build_id(void)
{
    static _Thread_local uint8_t id[8];

    dl_iterate_phdr(find_build_id, id);
    return id;
}

void port_chip_uid(uint8_t uid[12])
{
    memcpy(uid, port.options->uid, sizeof(port.options->uid));
}

uint32_t port_clock_hz(void)
{
    return 0; /* whatever the host does today */
}

uint8_t port_reset_cause(void)
{
    return port.reset_cause;
}

void port_reset(void)
{
    flush();
    longjmp(port.leave, LEFT_RESET);
}

/* ---- the loop ---- */

static _Noreturn void serve(void)
{
    port_init();
    agent_start();
    for (;;) {
        agent_poll();
        flush();
        if (!agent_rx_pending())
            receive(agent_may_sleep() ? -1 : 10);
    }
}

static int take_memory(const struct posix_agent_options *options)
{
    memset(&port, 0, sizeof(port));
    port.options = options;
    port.slot_size = options->slot_size != 0 ? options->slot_size : 4u << 20;
    port.arena_size = options->arena_size != 0 ? options->arena_size : 1u << 20;
    if (posix_memalign((void **)&port.arena, ARENA_ALIGN, port.arena_size) != 0)
        return ENOMEM;
    memset(port.arena, 0, port.arena_size);
    if (options->slot_fd < 0) {
        port.slot =
            mmap(NULL, port.slot_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    } else {
        if (ftruncate(options->slot_fd, port.slot_size) != 0)
            return errno;
        port.slot =
            mmap(NULL, port.slot_size, PROT_READ | PROT_WRITE, MAP_SHARED, options->slot_fd, 0);
    }
    if (port.slot == MAP_FAILED) {
        port.slot = NULL;
        return errno;
    }
    return 0;
}

static void give_memory(void)
{
    free(port.arena);
    if (port.slot != NULL)
        munmap(port.slot, port.slot_size);
    port.arena = port.slot = NULL;
}

int posix_agent_run(const struct posix_agent_options *options)
{
    int status = take_memory(options);

    if (status != 0) {
        give_memory();
        return status;
    }
    port.reset_cause = 1;
    switch (setjmp(port.leave)) {
    case LEFT_LINK:
        give_memory();
        return 0;
    case LEFT_RESET:
        port.reset_cause = 2;
        memset(port.arena, 0, port.arena_size);
        if (options->slot_fd < 0)
            memset(port.slot, 0, port.slot_size);
        break;
    default:
        break;
    }
    serve();
}
