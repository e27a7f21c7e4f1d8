#include "harness/base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/proc.h"

enum {
    OUTPUT_MAX = 65536,
    INPUT_MAX = 1024 * 1024
};

/* A memory file, so that neither side can block on the other. */
static int input_file(const char *text, int *ret_fd, struct err *err)
{
    AUTO(fd_close) int fd = memfd_create("input", MFD_CLOEXEC);
    const size_t n = strnlen(text, INPUT_MAX);

    if (fd < 0 || write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
        return err_sys(err, errno, "standard input of a program");
    *ret_fd = fd_take(&fd);
    return 0;
}

/* Everything it says, until it closes its output or its time is over; false: the latter. */
static bool drain(int fd, struct deadline end, struct buf *out)
{
    for (;;) {
        char chunk[4096];
        ssize_t n;

        if (!fd_wait(fd, POLLIN, end))
            return false;
        n = read(fd, chunk, sizeof(chunk));
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            return true;
        if (n > 0)
            buf_append(out, chunk, (size_t)n); /* beyond its limit, dropped */
        if (deadline_passed(end))
            return false;
    }
}

static int finish(struct proc *p, const struct command *c, struct deadline end, bool closed,
                  int *ret_status, struct err *err)
{
    int status = 0;
    char how[64];

    if (!closed || !proc_wait(p, deadline_left_ms(end), &status)) {
        proc_stop(p, 200);
        return err_set(err, ERR_TIMEOUT, "'%s' did not end within %u ms", c->argv[0],
                       c->timeout_ms);
    }
    if (WIFSIGNALED(status) && c->may_crash) {
        *ret_status = 128 + WTERMSIG(status);
        return 0;
    }
    if (!WIFEXITED(status)) {
        proc_describe_status(status, how, sizeof(how));
        return err_set(err, ERR_IO, "'%s' was %s", c->argv[0], how);
    }
    *ret_status = WEXITSTATUS(status);
    return 0;
}

int command_run(const struct command *c, struct buf *ret_output, int *ret_status, struct err *err)
{
    AUTO(proc_release) struct proc p = PROC_INIT;
    AUTO(fd_close) int in = -1;
    AUTO(fd_close) int read_end = -1;
    AUTO(fd_close) int write_end = -1;
    AUTO_BUF text = BUF_INIT;
    const struct deadline end = deadline_in_ms(c->timeout_ms);
    int fds[2];
    bool closed;

    text.limit = c->output_max != 0 ? c->output_max : OUTPUT_MAX;
    if (c->input != NULL && input_file(c->input, &in, err) < 0)
        return (int)err->code;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_sys(err, errno, "%s", c->argv[0]);
    read_end = fds[0];
    write_end = fds[1];
    if (proc_start(
            &p,
            &(struct proc_options){.argv = c->argv,
                                   .env = c->env,
                                   .stdio = {in >= 0 ? in : PROC_NULL, write_end, write_end}},
            err) < 0)
        return (int)err->code;
    fd_close(&write_end);
    closed = drain(read_end, end, &text);
    if (ret_output != NULL) {
        buf_clear(ret_output);
        buf_append(ret_output, buf_text(&text), text.len);
    }
    return finish(&p, c, end, closed, ret_status, err);
}

static const char *last_line(const struct buf *text, size_t *ret_n)
{
    size_t n = text->len;
    size_t start;

    while (n > 0 && text->data[n - 1] == '\n')
        n--;
    for (start = n; start > 0 && text->data[start - 1] != '\n'; start--)
        ;
    *ret_n = n - start;
    return buf_text(text) + start;
}

int command_check(const struct command *c, struct buf *ret_output, struct err *err)
{
    AUTO_BUF own = BUF_INIT;
    struct buf *out = ret_output != NULL ? ret_output : &own;
    const char *line;
    int status = 0;
    size_t n = 0;

    if (command_run(c, out, &status, err) < 0)
        return (int)err->code;
    if (status == 0)
        return 0;
    line = last_line(out, &n);
    return err_set(err, ERR_LAB, "'%s' exited with status %d%s%.*s", c->argv[0], status,
                   n > 0 ? ": " : "", (int)(n < 300 ? n : 300), line);
}
