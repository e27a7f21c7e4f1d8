/*
 * A tool that knows the part: avrdude, esptool, st-flash, probe-rs, a vendor's own. Program and
 * arguments come from the board file, {firmware} and {port} are replaced, no shell is involved.
 * Whether it worked is told by its exit status and, after that, by the agent that answers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/proc.h"
#include "harness/base/text.h"
#include "harness/flash/flash.h"

enum {
    ARGUMENTS_MAX = 64,
    TIMEOUT_MS = 180000,
    SAID_MAX = 400, /* of its last words, in the message */
};

/* One argument with {firmware} and {port} replaced; NULL when a value is missing. */
static const char *expand(const struct flash_job *job, const char *word, struct arena *arena)
{
    AUTO_BUF out = BUF_INIT;

    while (*word != '\0') {
        const bool firmware = strncmp(word, "{firmware}", 10) == 0;
        const bool port = strncmp(word, "{port}", 6) == 0;
        const char *value = firmware ? job->firmware : job->port;

        if (!firmware && !port) {
            buf_putc(&out, *word++);
            continue;
        }
        if (value == NULL || value[0] == '\0')
            return NULL;
        buf_puts(&out, value);
        word += firmware ? 10 : 6;
    }
    return arena_strdup(arena, buf_text(&out));
}

static int make_arguments(const struct flash_job *job, struct arena *arena,
                          const char *argv[ARGUMENTS_MAX + 1], struct err *err)
{
    const char *const *words = job->board->flashing.command;
    size_t n = 0;

    for (; words != NULL && words[n] != NULL; n++) {
        if (n == ARGUMENTS_MAX)
            return err_set(err, ERR_CONFIG, "'command' has more than %d words", ARGUMENTS_MAX);
        argv[n] = expand(job, words[n], arena);
        if (argv[n] == NULL)
            return err_set(err, ERR_CONFIG, "'command': nothing is known for '%s'", words[n]);
    }
    argv[n] = NULL;
    if (n == 0)
        return err_set(err, ERR_CONFIG, "'command' is missing in 'flashing'");
    return 0;
}

/* The end of what it wrote, made printable. */
static void last_words(int fd, struct buf *out)
{
    char text[SAID_MAX];
    const off_t size = lseek(fd, 0, SEEK_END);
    const off_t from = size > SAID_MAX ? size - SAID_MAX : 0;
    const ssize_t n = size > 0 ? pread(fd, text, sizeof(text), from) : 0;

    if (n > 0)
        text_escape(out, text, (size_t)n);
}

static int judge(const char *program, int status, int output, struct err *err)
{
    AUTO_BUF said = BUF_INIT;
    char how[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    proc_describe_status(status, how, sizeof(how));
    last_words(output, &said);
    (void)err_set(err, ERR_FLASH, "%s %s: %s", program, how, buf_text(&said));
    return err_hint(err, "try the command by hand; is the board in its boot loader?");
}

static int program(const struct flash_job *job, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO(fd_close) int output = memfd_create("flash-tool", MFD_CLOEXEC);
    AUTO(proc_release) struct proc child = PROC_INIT;
    const char *argv[ARGUMENTS_MAX + 1];
    const uint64_t limit_ns = job->board->flashing.timeout_ns;
    const unsigned limit_ms = limit_ns != 0 ? (unsigned)(limit_ns / 1000000u) : TIMEOUT_MS;
    int status = 0;

    if (output < 0)
        return err_sys(err, errno, "memory for the tool's output");
    if (make_arguments(job, &arena, argv, err) < 0)
        return (int)err->code;
    flash_step(job, argv[0], 0);
    if (proc_start(&child,
                   &(struct proc_options){.argv = argv, .stdio = {PROC_NULL, output, output}},
                   err) < 0)
        return err_hint(err, "is it installed?");
    if (!proc_wait(&child, limit_ms, &status)) {
        AUTO_BUF said = BUF_INIT;

        last_words(output, &said);
        return err_set(err, ERR_TIMEOUT, "%s did not end in %u ms: %s", argv[0], limit_ms,
                       buf_text(&said));
    }
    return judge(argv[0], status, output, err);
}

const struct flash_ops flash_command = {
    .name = "command",
    .help = "a tool of its own: avrdude, esptool, st-flash, probe-rs",
    .program = program,
};
