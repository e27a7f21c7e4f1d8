/*
 * bench swd: what a model upload over a debug probe gets of OpenOCD's raw load_image, in the same
 * run: the flash back-end's way (a private file, quoted, counted) against the bare command. And
 * what bytes in the rings of the link take to the host: by the transport's own accesses, and by
 * OpenOCD's RTT server at its shortest interval.
 *
 *   usage: bench_swd VBOARD BOARD.yaml
 * Prints rates and ratios. Exits 1 when the first is below its bar, or when the transport does not
 * take the faster of its two ways.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/flash/flash.h"
#include "harness/load/load.h"
#include "harness/openocd/probe.h"
#include "harness/transport/transport.h"
#include "harness/virtual/vboard.h"

#define BAR 0.9

enum {
    ROUNDS = 61,
    SIZE = 384 * 1024, /* as large as models get; a small one is over before the noise evens out */
    RING = 4096,
    PIECE = 1000, /* bytes of one look into the ring */
    PATIENCE_MS = 2000
};

struct bench {
    struct arena arena;
    const struct board *board;
    struct vboard *vboard;
    struct openocd *openocd;
    char dir[64];
    uint8_t bytes[SIZE];
};

static int start(struct bench *b, const char *vboard, const char *yaml, struct err *err)
{
    struct probe_options o = {.board = NULL};
    char address[32];
    unsigned port = 0;

    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/tinyrig-bench-XXXXXX");
    if (mkdtemp(b->dir) == NULL)
        return err_set(err, ERR_IO, "no folder in /tmp");
    if (board_load(yaml, &b->arena, &b->board, err) < 0 ||
        vboard_open(
            &(struct vboard_options){.board = b->board, .program = vboard, .run_dir = b->dir},
            &b->vboard, err) < 0 ||
        vboard_probe_port(b->vboard, "stlink", &port, err) < 0)
        return (int)err->code;
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    o.board = b->board;
    o.address = address;
    if (probe_open(&o, &b->openocd, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < SIZE; i++)
        b->bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    return probe_reset_halt(b->openocd, err);
}

static void stop(struct bench *b)
{
    char command[128];

    openocd_close(b->openocd);
    vboard_close(b->vboard);
    (void)snprintf(command, sizeof(command), "%s/raw", b->dir);
    (void)unlink(command);
    if (b->board != NULL) {
        (void)snprintf(command, sizeof(command), "%s/%s.flash", b->dir, b->board->name);
        (void)unlink(command);
    }
    (void)rmdir(b->dir);
    arena_release(&b->arena);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), by_value);
    return values[ROUNDS / 2];
}

/* The two in turn, so that whatever else this machine does hits both alike. */
static int measure(struct bench *b, double raw[ROUNDS], double ours[ROUNDS], struct err *err)
{
    const struct flash_job job = {.board = b->board, .run_dir = b->dir, .openocd = b->openocd};
    const uint32_t address = b->board != NULL ? (uint32_t)b->board->ram.base : 0;
    char path[80];

    (void)snprintf(path, sizeof(path), "%s/raw", b->dir);
    if (file_write_atomic(path, b->bytes, SIZE, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < ROUNDS; i++) {
        uint64_t start_ns = clock_monotonic_ns();

        if (openocd_command(b->openocd, 10000, NULL, err, "load_image %s 0x%x bin", path, address) <
            0)
            return (int)err->code;
        raw[i] = SIZE / 1024.0 * 1e9 / (double)(clock_monotonic_ns() - start_ns);
        start_ns = clock_monotonic_ns();
        if (flash_find("inject")->write(&job, b->bytes, SIZE, address, err) < 0)
            return (int)err->code;
        ours[i] = SIZE / 1024.0 * 1e9 / (double)(clock_monotonic_ns() - start_ns);
    }
    return 0;
}

/* ---- the rings: a block in RAM, and a target that we play ---- */

static uint32_t ring_block(const struct bench *b)
{
    return b->board != NULL ? (uint32_t)b->board->ram.base + 0x40000 : 0;
}

static int make_rings(struct bench *b, struct err *err)
{
    const uint32_t at = ring_block(b);
    uint32_t words[18] = {0};

    memcpy(words, "SEGGER RTT", 10);
    words[4] = words[5] = 1;
    words[7] = at + 0x100;
    words[8] = RING;
    words[13] = at + 0x100 + RING;
    words[14] = 64;
    return openocd_write_words(b->openocd, at, words, ARRAY_SIZE(words), err);
}

/* The target has written a piece: one word says so. */
static int say(struct bench *b, uint32_t *written, struct err *err)
{
    *written = (*written + PIECE) % RING;
    return openocd_write_words(b->openocd, ring_block(b) + 36, written, 1, err);
}

static int by_transport(struct transport *t, struct err *err)
{
    char bytes[PIECE];
    size_t n = 0;

    for (size_t got = 0; got < PIECE; got += n) {
        if (transport_recv(t, bytes, sizeof(bytes), PATIENCE_MS, &n, err) < 0)
            return (int)err->code;
        if (n == 0)
            return err_set(err, ERR_TIMEOUT, "the transport brings nothing");
    }
    return 0;
}

static int by_server(int fd, struct err *err)
{
    char bytes[PIECE];
    ssize_t n;

    for (size_t got = 0; got < PIECE; got += (size_t)n) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, PATIENCE_MS) <= 0 || (n = recv(fd, bytes, sizeof(bytes), 0)) <= 0)
            return err_set(err, ERR_TIMEOUT, "the RTT server brings nothing");
    }
    return 0;
}

static int open_server(struct bench *b, int *ret, struct err *err)
{
    static const char before[] = "Listening on port ";
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    AUTO_BUF log = BUF_INIT;
    const char *at;

    if (openocd_command(b->openocd, PATIENCE_MS, NULL, err,
                        "rtt setup 0x%x 256 {SEGGER RTT}; rtt polling_interval 1; rtt start;"
                        "rtt server start 0 0",
                        ring_block(b)) < 0)
        return (int)err->code;
    openocd_log(b->openocd, &log);
    at = strstr(buf_text(&log), " for rtt connections");
    while (at != NULL && at > buf_text(&log) && strncmp(at, before, sizeof(before) - 1) != 0)
        at--;
    a.sin_port = htons((uint16_t)(at != NULL ? strtoul(at + sizeof(before) - 1, NULL, 10) : 0));
    *ret = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*ret < 0 || connect(*ret, (struct sockaddr *)&a, sizeof(a)) < 0)
        return err_set(err, ERR_LAB, "no RTT server at port %u", ntohs(a.sin_port));
    return 0;
}

/* One after the other: OpenOCD's timer goes on when it is told to stop, and would eat our bytes. */
static int measure_rings(struct bench *b, double own[ROUNDS], double server[ROUNDS],
                         struct err *err)
{
    AUTO(transport_close_auto) struct transport *t = NULL;
    AUTO(fd_close) int fd = -1;
    char where[16];
    uint32_t written = 0;

    (void)snprintf(where, sizeof(where), "0x%x", ring_block(b));
    if (make_rings(b, err) < 0 ||
        transport_open("swd", &(struct transport_config){.where = where, .context = b->openocd}, &t,
                       err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < ROUNDS; i++) {
        const uint64_t start_ns = clock_monotonic_ns();

        if (say(b, &written, err) < 0 || by_transport(t, err) < 0)
            return (int)err->code;
        own[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3;
    }
    if (open_server(b, &fd, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < ROUNDS; i++) {
        const uint64_t start_ns = clock_monotonic_ns();

        if (say(b, &written, err) < 0 || by_server(fd, err) < 0)
            return (int)err->code;
        server[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench b = {.arena = ARENA_INIT};
    static double raw[ROUNDS];
    static double ours[ROUNDS];
    static double ratios[ROUNDS];
    static double own[ROUNDS];
    static double server[ROUNDS];
    struct err err = ERR_INIT;
    double ratio;
    int r;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: bench_swd VBOARD BOARD.yaml\n");
        return 2;
    }
    r = start(&b, argv[1], argv[2], &err);
    if (r == 0)
        r = measure(&b, raw, ours, &err);
    if (r == 0)
        r = measure_rings(&b, own, server, &err);
    stop(&b);
    if (r < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    for (size_t i = 0; i < ROUNDS; i++) /* neighbours in time */
        ratios[i] = ours[i] / raw[i];
    ratio = median(ratios);
    printf("%d KiB: raw load_image %.0f KiB/s, upload %.0f KiB/s, ratio %.3f; bar %.2f: %s\n",
           SIZE / 1024, median(raw), median(ours), ratio, BAR, ratio >= BAR ? "met" : "NOT MET");
    printf("%d bytes from the rings: by our accesses %.0f us, by OpenOCD's RTT server %.0f us\n",
           PIECE, median(own), median(server));
    return ratio >= BAR && median(own) <= median(server) ? 0 : 1;
}
