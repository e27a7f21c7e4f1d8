/*
 * What the tests of the virtual boards share: a board in a folder of its own, its serial port open,
 * and text in both directions. Everything is bounded in time; a failure fails the test with words.
 */
#ifndef TESTS_VIRTUAL_BENCH_H
#define TESTS_VIRTUAL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/buf.h"
#include "harness/spec/board.h"
#include "harness/virtual/vboard.h"

struct bench {
    char dir[64];
    char edges[80]; /* unix socket with the edge stream */
    struct board board;
    struct vboard *vboard;
    int port; /* the serial port, raw */
};

/* Start the board that `board` describes; `firmware` is its ELF file. Its name must be short. */
void bench_start(struct bench *b, const struct board *board, const char *firmware);
/* Same, with these adapters of the emulated probe (NULL: what the board says). */
void bench_start_probe(struct bench *b, const struct board *board, const char *firmware,
                       const char *probe);
void bench_stop(struct bench *b);

/* The test firmware of tests/virtual/fw on QEMU's mps2-an386. Skips the test when it was not built. */
void bench_start_firmware(struct bench *b);

void bench_open_port(struct bench *b);
void bench_close_port(struct bench *b);

void bench_send(struct bench *b, const char *text);
/* Collect what the board says until `wanted` has come (it has to), at most 5 s. */
void bench_expect(struct bench *b, const char *wanted);
/* Same, into ret. */
void bench_read_until(struct bench *b, const char *wanted, struct buf *ret);
/* Exactly n bytes have to come; more than that fails as well, if it comes with them. */
void bench_read_bytes(struct bench *b, size_t n, struct buf *ret);
/* What comes within ms. */
void bench_read_for(struct bench *b, unsigned ms, struct buf *ret);

/* Send a control command; it has to succeed. The reply, when wanted, replaces *ret. */
void bench_command(struct bench *b, struct buf *ret, const char *command);
/* It has to fail with this text somewhere in the error. */
void bench_command_fails(struct bench *b, const char *command, const char *text);
/* The value of key in the reply to `status`, into text. */
void bench_status(struct bench *b, const char *key, char *text, size_t n);
void bench_expect_status(struct bench *b, const char *key, const char *value);
/* Wait until status says so, at most 5 s. */
void bench_await_status(struct bench *b, const char *key, const char *value);
pid_t bench_emulator(struct bench *b);

struct bench_edge {
    int level;
    unsigned long long vns;
    unsigned long long count;
};

/* Switch the recording of edges into a file in the board's folder, whose path is put into path. */
void bench_record(struct bench *b, char *path, size_t size, bool on);
/* The edges in such a file, at most max; returns how many. */
size_t bench_read_edges(const char *path, struct bench_edge *edges, size_t max);

/* Directory of the build's own programs and firmware, from the environment. */
const char *bench_programs(void);
const char *bench_test_firmware(void); /* NULL when not built */
/* The ELF file of a board's agent; skips the test when it was not built. */
void bench_find_agent(const struct board *board, char *path, size_t size);

/* True once pid is gone, waiting at most ms. */
bool bench_process_ends(pid_t pid, unsigned ms);

#endif
