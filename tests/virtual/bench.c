#include "tests/virtual/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "tests/unit/unit.h"

#define PATIENCE_MS 5000

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

const char *bench_programs(void)
{
    const char *dir = from_environment("TINYRIG_PROGRAMS");

    if (dir == NULL)
        fail_msg("TINYRIG_PROGRAMS is not set: run this by `meson test`");
    return dir;
}

const char *bench_test_firmware(void)
{
    return from_environment("TINYRIG_TEST_FIRMWARE");
}

void bench_find_agent(const struct board *board, char *path, size_t size)
{
    const bool native = strcmp(board->virt.kind, "posix") == 0;
    const char *place = from_environment(native ? "TINYRIG_POSIX_AGENT" : "TINYRIG_FIRMWARE");

    if (place == NULL)
        fail_msg("no place for agents is set: run this by `meson test`");
    else if (native)
        (void)snprintf(path, size, "%s", place);
    else
        (void)snprintf(path, size, "%s/%s.elf", place, board->agent);
    if (access(path, R_OK) < 0)
        skip();
}

void bench_open_port(struct bench *b)
{
    struct termios t;

    b->port = open(vboard_port(b->vboard), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (b->port < 0)
        fail_msg("%s: %s", vboard_port(b->vboard), strerror(errno));
    assert_int_equal(tcgetattr(b->port, &t), 0);
    cfmakeraw(&t);
    assert_int_equal(tcsetattr(b->port, TCSANOW, &t), 0);
    bench_await_status(b, "cable", "open");
}

void bench_close_port(struct bench *b)
{
    if (b->port >= 0)
        (void)close(b->port);
    b->port = -1;
}

void bench_start(struct bench *b, const struct board *board, const char *firmware)
{
    bench_start_probe(b, board, firmware, NULL);
}

void bench_start_probe(struct bench *b, const struct board *board, const char *firmware,
                       const char *probe)
{
    struct err err = ERR_INIT;
    char program[512];

    (void)snprintf(program, sizeof(program), "%s/tinyrig-vboard", bench_programs());
    *b = (struct bench){.board = *board, .port = -1};
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/tinyrig-virtual-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    (void)snprintf(b->edges, sizeof(b->edges), "%s/edges", b->dir);
    if (vboard_open(&(struct vboard_options){.board = &b->board,
                                             .program = program,
                                             .firmware = firmware,
                                             .probe = probe,
                                             .run_dir = b->dir,
                                             .edges = b->edges},
                    &b->vboard, &err) < 0)
        fail_msg("%s", err.text);
}

void bench_start_firmware(struct bench *b)
{
    static const struct board board = {
        .name = "bench",
        .virt = {.kind = "qemu",
                 .machine = "mps2-an386",
                 .icount_shift = 7,
                 .marker_set = 0x40010404,
                 .marker_clear = 0x40010408},
    };

    if (bench_test_firmware() == NULL)
        skip();
    bench_start(b, &board, bench_test_firmware());
    bench_open_port(b);
    bench_await_status(b, "out", "6"); /* the greeting at power on, seen or not */
    (void)tcflush(b->port, TCIFLUSH);
    bench_command(b, NULL, "reset");
    bench_expect(b, "hello\n");
}

/* The flash that a board with a probe leaves to its next start is no litter. */
static void remove_dir(const struct bench *b)
{
    char flash[300];

    (void)snprintf(flash, sizeof(flash), "%s/%s.flash", b->dir, b->board.name);
    (void)unlink(flash);
    if (rmdir(b->dir) < 0)
        fail_msg("%s: %s: something was left behind", b->dir, strerror(errno));
}

void bench_stop(struct bench *b)
{
    bench_close_port(b);
    vboard_close(b->vboard);
    remove_dir(b);
}

void bench_send(struct bench *b, const char *text)
{
    const size_t n = strlen(text);

    assert_int_equal(write(b->port, text, n), n);
}

/* Append what is there within ms. False at the end of the line (hang-up). */
static bool read_some(struct bench *b, unsigned ms, struct buf *ret)
{
    struct pollfd p = {.fd = b->port, .events = POLLIN};
    char chunk[4096];
    ssize_t n;

    if (poll(&p, 1, (int)ms) <= 0)
        return true;
    n = read(b->port, chunk, sizeof(chunk));
    if (n > 0)
        buf_append(ret, chunk, (size_t)n);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

void bench_read_until(struct bench *b, const char *wanted, struct buf *ret)
{
    const struct deadline end = deadline_in_ms(PATIENCE_MS);

    while (strstr(buf_text(ret), wanted) == NULL) {
        if (deadline_passed(end) || !read_some(b, deadline_left_ms(end), ret))
            fail_msg("waited for '%s', the board said '%s'", wanted, buf_text(ret));
    }
}

void bench_read_bytes(struct bench *b, size_t n, struct buf *ret)
{
    const struct deadline end = deadline_in_ms(PATIENCE_MS);

    while (ret->len < n) {
        if (deadline_passed(end) || !read_some(b, deadline_left_ms(end), ret))
            fail_msg("waited for %zu bytes, the board said '%s'", n, buf_text(ret));
    }
    assert_int_equal(ret->len, n);
}

void bench_read_for(struct bench *b, unsigned ms, struct buf *ret)
{
    const struct deadline end = deadline_in_ms(ms);

    while (!deadline_passed(end) && read_some(b, deadline_left_ms(end), ret))
        ;
}

void bench_expect(struct bench *b, const char *wanted)
{
    AUTO_BUF said = BUF_INIT;

    bench_read_until(b, wanted, &said);
}

void bench_command(struct bench *b, struct buf *ret, const char *command)
{
    struct err err = ERR_INIT;

    if (vboard_command(b->vboard, ret, &err, "%s", command) < 0)
        fail_msg("%s: %s", command, err.text);
}

void bench_command_fails(struct bench *b, const char *command, const char *text)
{
    struct err err = ERR_INIT;

    if (vboard_command(b->vboard, NULL, &err, "%s", command) == 0)
        fail_msg("%s: succeeded", command);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s: '%s' is not in '%s'", command, text, err.text);
}

void bench_status(struct bench *b, const char *key, char *text, size_t n)
{
    AUTO_BUF reply = BUF_INIT;
    AUTO_BUF words = BUF_INIT;
    char wanted[40];
    const char *at;

    bench_command(b, &reply, "status");
    buf_printf(&words, " %s", buf_text(&reply));
    (void)snprintf(wanted, sizeof(wanted), " %s=", key);
    at = strstr(buf_text(&words), wanted);
    if (at == NULL) {
        fail_msg("no %s in status: %s", key, buf_text(&reply));
        return;
    }
    at += strlen(wanted);
    (void)snprintf(text, n, "%.*s", (int)strcspn(at, " "), at);
}

void bench_expect_status(struct bench *b, const char *key, const char *value)
{
    char text[100];

    bench_status(b, key, text, sizeof(text));
    assert_string_equal(text, value);
}

void bench_await_status(struct bench *b, const char *key, const char *value)
{
    const struct deadline end = deadline_in_ms(PATIENCE_MS);
    char text[100];

    for (;;) {
        bench_status(b, key, text, sizeof(text));
        if (strcmp(text, value) == 0)
            return;
        if (deadline_passed(end))
            fail_msg("%s stays %s, wanted %s", key, text, value);
        clock_sleep_ms(5);
    }
}

pid_t bench_emulator(struct bench *b)
{
    char text[32];

    bench_status(b, "pid", text, sizeof(text));
    return (pid_t)strtol(text, NULL, 10);
}

void bench_record(struct bench *b, char *path, size_t size, bool on)
{
    char command[200];

    (void)snprintf(path, size, "%s/edges.txt", b->dir);
    (void)snprintf(command, sizeof(command), "edges %s %s", path, on ? "on" : "off");
    bench_command(b, NULL, command);
}

size_t bench_read_edges(const char *path, struct bench_edge *edges, size_t max)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    size_t n = 0;

    assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
    assert_true(strncmp(buf_text(&text), "board ", 6) == 0);
    for (const char *at = strstr(buf_text(&text), "\nedge "); at != NULL && n < max;
         at = strstr(at + 1, "\nedge "), n++) {
        char *end;

        edges[n].level = at[6] - '0';
        edges[n].vns = strtoull(at + 7, &end, 10);
        edges[n].count = strtoull(end, &end, 10);
    }
    return n;
}

bool bench_process_ends(pid_t pid, unsigned ms)
{
    const struct deadline end = deadline_in_ms(ms);

    while (kill(pid, 0) == 0) {
        if (deadline_passed(end))
            return false;
        clock_sleep_ms(5);
    }
    return true;
}
