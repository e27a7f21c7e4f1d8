/*
 * tinyrig-vboard: one process per virtual board. README.md has the tour.
 *
 * Commands come on stdin, replies and notices go to stdout, diagnostics to stderr. When stdin
 * closes or a signal says so, everything ends: no child, no link, no socket stays.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/log.h"
#include "targets/virtual/board.h"
#include "targets/virtual/command.h"
#include "targets/virtual/control.h"

static void print_help(void)
{
    AUTO_BUF text = BUF_INIT;

    buf_puts(&text, "usage: tinyrig-vboard --kind KIND --name NAME --dir DIR --firmware ELF"
                    " [OPTIONS] [-- EMULATOR ARGUMENTS]\n"
                    "Runs one virtual board; its serial port is DIR/NAME.\n\nOptions:\n");
    options_help(&text);
    buf_puts(&text, "\nCommands on stdin, one per line, one reply line each"
                    " (`ok ...` or `error TEXT`):\n");
    command_help(&text);
    buf_puts(&text, "\n");
    fault_help(&text);
    buf_puts(&text, "\nLines that begin with `! ` are news nobody asked for.\n");
    (void)fputs(buf_text(&text), stdout);
}

/* SIGTERM and friends end us in order; SIGCHLD wakes the loop. */
static int open_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Returns false when the signal means the end. */
static bool serve_signals(int fd)
{
    struct signalfd_siginfo info;
    bool go_on = true;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD)
            go_on = false;
    }
    return go_on;
}

/* A pipe with POLLOUT takes up to PIPE_BUF bytes without blocking. */
static bool flush_some(struct buf *say)
{
    const size_t piece = say->len < 512 ? say->len : 512;
    const ssize_t n = write(STDOUT_FILENO, say->data, piece);

    if (n > 0)
        buf_consume(say, (size_t)n);
    return n >= 0 || errno == EINTR || errno == EAGAIN;
}

static void flush_all(struct buf *say)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (say->len > 0 && poll(&out, 1, 200) > 0 && (out.revents & POLLOUT) != 0) {
        if (!flush_some(say))
            return;
    }
}

static bool serve_commands(struct board *b, struct lines *lines)
{
    const bool more = lines_read(lines, STDIN_FILENO);
    const unsigned dropped = lines->dropped;
    char *line;

    if (dropped > 0) {
        lines->dropped = 0;
        buf_printf(&b->say, "error a line is longer than %d bytes\n", COMMAND_LINE_MAX);
    }
    while ((line = lines_next(lines)) != NULL) {
        if (!control_line(b, line))
            return false;
        board_act(b); /* a fault that was armed for now happens before the next command */
    }
    return more;
}

static void run(struct board *b, int signals)
{
    struct lines commands;
    bool go_on = true;

    lines_init(&commands, COMMAND_LINE_MAX);
    while (go_on) {
        struct poll_set set = {.n = 0};
        const int in = poll_set_add(&set, STDIN_FILENO, POLLIN);
        const int out = poll_set_add(&set, STDOUT_FILENO, b->say.len > 0 ? POLLOUT : 0);
        const int sig = poll_set_add(&set, signals, POLLIN);

        board_step(b, &set, -1);
        board_act(b);
        if (poll_set_events(&set, in) != 0)
            go_on = serve_commands(b, &commands);
        if (poll_set_events(&set, sig) != 0)
            go_on = serve_signals(signals) && go_on;
        if ((poll_set_events(&set, out) & POLLOUT) != 0)
            go_on = flush_some(&b->say) && go_on;
        if ((poll_set_events(&set, out) & POLLERR) != 0)
            go_on = false; /* nobody listens any more */
    }
    lines_release(&commands);
    flush_all(&b->say);
}

/* A program that started us waits for a line; a person wants it on the terminal. */
static int fail(const struct err *err)
{
    if (!isatty(STDOUT_FILENO)) {
        AUTO_BUF line = BUF_INIT;

        control_error(&line, err);
        (void)fputs(buf_text(&line), stdout);
        return err_exit_status(err->code);
    }
    (void)fprintf(stderr, "tinyrig-vboard: %s\n", err->text);
    if (err->hint[0] != '\0')
        (void)fprintf(stderr, "hint: %s\n", err->hint);
    return err_exit_status(err->code);
}

static void forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none); /* a locked-up QEMU aborts: no 100 MB of core for that */
}

int main(int argc, char **argv)
{
    AUTO(fd_close) int signals = -1;
    struct options o;
    struct board b;
    struct err err = ERR_INIT;

    if (getenv("TINYRIG_LOG") != NULL && log_enable(getenv("TINYRIG_LOG"), &err) < 0)
        return fail(&err);
    if (options_parse(argc, argv, &o, &err) < 0)
        return fail(&err);
    if (o.help || o.version) {
        o.help ? print_help() : (void)puts("tinyrig-vboard " TINYRIG_VERSION);
        return 0;
    }
    signals = open_signals();
    forbid_core_dumps();
    if (board_open(&b, &o, &err) < 0)
        return fail(&err);
    if (!o.start_off && board_power(&b, true, &err) < 0) {
        board_close(&b);
        return fail(&err);
    }
    buf_printf(&b.say, "ready %s\n", b.link);
    run(&b, signals);
    board_close(&b);
    return 0;
}
