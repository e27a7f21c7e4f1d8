/*
 * An agent in this process: the posix port in a thread behind a socket pair. For the self-check,
 * unit tests and fuzzers; the whole client, wire and core run with no board and no child process.
 *
 * The line between the two has a baud rate on each side, and the port garbles bytes while these
 * differ, so that a baud switch is as real as on a wire.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/ports/posix/posix.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/transport/fdio.h"
#include "harness/transport/transport.h"

enum {
    FIRST_BAUD = 115200,
    GARBLE = 0x55
};

struct loop {
    struct transport base;
    struct posix_agent_options options;
    pthread_t thread;
    bool running;
    int ours;
    int agents;
    _Atomic uint32_t baud;
};

static void *agent_thread(void *context)
{
    struct loop *loop = context;

    (void)posix_agent_run(&loop->options);
    shutdown(loop->agents, SHUT_RDWR); /* a host that waits sees the hang-up */
    return NULL;
}

/* "arena=64KiB,slot=1MiB", either or none. */
static int parse_sizes(const char *where, struct posix_agent_options *options, struct err *err)
{
    char text[64];
    char *rest = text;
    char *word;

    if (where == NULL || strcmp(where, "-") == 0)
        return 0;
    if (snprintf(text, sizeof(text), "%s", where) >= (int)sizeof(text))
        return err_set(err, ERR_CONFIG, "expected arena=SIZE,slot=SIZE");
    while ((word = strsep(&rest, ",")) != NULL) {
        uint32_t *target = strncmp(word, "arena=", 6) == 0  ? &options->arena_size
                           : strncmp(word, "slot=", 5) == 0 ? &options->slot_size
                                                            : NULL;
        uint64_t size;

        if (target == NULL || !text_to_bytes(strchr(word, '=') + 1, &size) || size < 64 ||
            size > 1u << 30)
            return err_set(err, ERR_CONFIG, "expected arena=SIZE,slot=SIZE, not '%s'", word);
        *target = (uint32_t)size;
    }
    return 0;
}

static int loop_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct loop *loop = (struct loop *)t;
    int pair[2];
    int status;

    loop->ours = loop->agents = -1;
    loop->baud = config->baud != 0 ? config->baud : FIRST_BAUD;
    if (parse_sizes(config->where, &loop->options, err) < 0)
        return (int)err->code;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_sys(err, errno, "socketpair");
    loop->ours = pair[0];
    loop->agents = pair[1];
    if (fdio_set_nonblocking(loop->ours, err) < 0)
        return (int)err->code;
    loop->options.in_fd = loop->options.out_fd = loop->agents;
    loop->options.slot_fd = loop->options.marker_fd = -1;
    loop->options.far_baud = &loop->baud;
    status = pthread_create(&loop->thread, NULL, agent_thread, loop);
    if (status != 0)
        return err_sys(err, status, "pthread_create");
    loop->running = true;
    return 0;
}

static int loop_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    return fdio_send(((struct loop *)t)->ours, data, n, err);
}

static int loop_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                     size_t *ret_n, struct err *err)
{
    return fdio_recv(((struct loop *)t)->ours, data, cap, timeout_ms, ret_n, err);
}

static int loop_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    (void)err;
    ((struct loop *)t)->baud = baud; /* the agent's port compares */
    return 0;
}

static int loop_fd(struct transport *t)
{
    return ((struct loop *)t)->ours;
}

static void loop_close(struct transport *t)
{
    struct loop *loop = (struct loop *)t;

    if (loop->running) {
        shutdown(loop->ours, SHUT_RDWR);
        pthread_join(loop->thread, NULL);
    }
    fd_close(&loop->ours);
    fd_close(&loop->agents);
}

const struct transport_ops transport_loop = {
    .name = "loop",
    .help = "an agent in this process, for self-checks and tests",
    .size = sizeof(struct loop),
    .open = loop_open,
    .send = loop_send,
    .recv = loop_recv,
    .set_baud = loop_set_baud,
    .fd = loop_fd,
    .close = loop_close,
};
