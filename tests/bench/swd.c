/*
 * bench swd: what a model upload over a debug probe gets of OpenOCD's raw load_image, in the same
 * run: the flash back-end's way (a private file, quoted, counted) against the bare command.
 *
 *   usage: bench_swd VBOARD BOARD.yaml
 * Prints both rates and the ratio. Exits 1 when it is below the bar.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/flash/flash.h"
#include "harness/load/load.h"
#include "harness/openocd/probe.h"
#include "harness/virtual/vboard.h"

#define BAR 0.9

enum {
    ROUNDS = 61,
    SIZE = 128 * 1024
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

int main(int argc, char **argv)
{
    static struct bench b = {.arena = ARENA_INIT};
    static double raw[ROUNDS];
    static double ours[ROUNDS];
    static double ratios[ROUNDS];
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
    return ratio >= BAR ? 0 : 1;
}
