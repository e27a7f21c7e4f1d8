/*
 * tinyrig-vmeter: one emulated power analyser on a pty, measuring a virtual board in virtual time.
 *
 *   tinyrig-vmeter --kind ppk2 --link DIR/NAME --edges SOCKET   listens to tinyrig-vboard
 *   tinyrig-vmeter --kind ppk2 --link DIR/NAME --square PERIOD_US,WIDTH_US
 *                                                               a board of its own, in real time
 *
 * Prints `ready LINK` and lives until its standard input closes. Commands there: `fault KIND [N [at
 * SAMPLE]]`, answered by `ok` or `error TEXT`. It never loses a sample on its own account: when the
 * host does not read, time stands still for it. Losses are injected.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "targets/virtual/lines.h"
#include "targets/virtual/meter/device.h"
#include "targets/virtual/pty.h"

enum {
    QUEUE = 65536,       /* bytes made ahead of what the host has read */
    PIECE = 1021,        /* of a write: pieces end anywhere in a sample */
    TURN_SAMPLES = 8192, /* made in one turn of the loop */
    LINE_BYTES = 200,
};

struct vmeter {
    struct device *device;
    struct waveform waveform;
    struct pty pty;
    struct lines edge_lines, commands;
    int edges; /* socket; -1: none */
    uint64_t square_period_ns, square_width_ns;
    uint64_t square_started_ns, square_next;
    uint64_t stalled_until_ns;
    bool was_open;
    uint64_t asked;  /* for the board's present, by number */
    uint64_t synced; /* the newest answer */
    unsigned stream; /* the newest that it has asked for */
};

struct arguments {
    const char *kind, *link, *edges, *square, *variant;
    const char *faults[DEVICE_FAULTS_MAX];
    int fault_count;
    struct waveform_levels levels;
    double noise;
    uint64_t seed;
    bool stale;
};

/* ---- command line ---- */

static int number(const char *name, const char *text, double *ret, struct err *err)
{
    if (!text_to_double(text, ret) || !(*ret >= 0))
        return err_set(err, ERR_USAGE, "%s: '%.40s' is not a number", name, text);
    return 0;
}

static int take_option(struct arguments *a, const char *name, const char *value, struct err *err)
{
    const struct {
        const char *name;
        double *number;
        const char **text;
    } options[] = {
        {"--kind", NULL, &a->kind},          {"--link", NULL, &a->link},
        {"--edges", NULL, &a->edges},        {"--square", NULL, &a->square},
        {"--variant", NULL, &a->variant},    {"--sleep", &a->levels.sleep_a, NULL},
        {"--idle", &a->levels.idle_a, NULL}, {"--run", &a->levels.run_a, NULL},
        {"--rc", &a->levels.rc_s, NULL},     {"--count-ns", &a->levels.count_ns, NULL},
        {"--noise", &a->noise, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (strcmp(options[i].name, name) != 0)
            continue;
        if (options[i].text == NULL)
            return number(name, value, options[i].number, err);
        *options[i].text = value;
        return 0;
    }
    if (strcmp(name, "--seed") == 0 && text_to_u64(value, &a->seed))
        return 0;
    if (strcmp(name, "--fault") == 0 && a->fault_count < DEVICE_FAULTS_MAX) {
        a->faults[a->fault_count++] = value;
        return 0;
    }
    return err_set(err, ERR_USAGE, "bad option %s %.60s", name, value);
}

static int parse(int argc, char **argv, struct arguments *a, struct err *err)
{
    *a = (struct arguments){
        .levels = {.sleep_a = 1.2e-3, .idle_a = 4e-3, .run_a = 9e-3, .rc_s = 20e-6},
        .noise = 1,
        .seed = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--stale") == 0) {
            a->stale = true;
            continue;
        }
        if (i + 1 == argc)
            return err_set(err, ERR_USAGE, "%s needs a value", argv[i]);
        if (take_option(a, argv[i], argv[i + 1], err) < 0)
            return (int)err->code;
        i++;
    }
    if (a->kind == NULL || a->link == NULL || (a->edges == NULL) == (a->square == NULL))
        return err_set(err, ERR_USAGE,
                       "needed: --kind ppk2|lpm01a --link PATH and one of --edges and --square");
    return 0;
}

/* ---- where edges come from ---- */

static int connect_edges(struct vmeter *m, const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
        (int)sizeof(address.sun_path))
        return err_set(err, ERR_USAGE, "%s: too long for a socket", path);
    m->edges = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (m->edges < 0 || connect(m->edges, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_sys(err, errno, "%s", path);
    return 0;
}

static int parse_square(struct vmeter *m, const char *text, struct err *err)
{
    char *comma;
    char *end;
    const unsigned long period = strtoul(text, &comma, 10);
    const unsigned long width = *comma == ',' ? strtoul(comma + 1, &end, 10) : 0;

    if (width == 0 || *end != '\0' || width >= period || period > 100000000)
        return err_set(err, ERR_USAGE, "--square: '%.40s' is not PERIOD_US,WIDTH_US", text);
    m->square_period_ns = period * (uint64_t)1000;
    m->square_width_ns = width * (uint64_t)1000;
    m->square_started_ns = clock_monotonic_ns();
    return 0;
}

static void record(struct vmeter *m, const char *line)
{
    if ((strncmp(line, "sync ", 5) == 0 && text_to_u64(line + 5, &m->synced)) ||
        waveform_record(&m->waveform, line, clock_monotonic_ns()))
        return;
    (void)fprintf(stderr, "tinyrig-vmeter: the board's edges came too fast: %s\n", line);
    m->device->hang_up = true; /* better no samples than wrong ones */
}

/* Edges of the board of our own, as far as the host's clock has come. */
static void make_square(struct vmeter *m)
{
    const uint64_t now = clock_monotonic_ns() - m->square_started_ns;
    char line[64];

    while (m->square_period_ns != 0 && waveform_has_room(&m->waveform)) {
        const uint64_t at = m->square_next / 2 * m->square_period_ns +
                            (m->square_next % 2 == 0 ? m->square_period_ns - m->square_width_ns
                                                     : m->square_period_ns);
        const bool edge = at <= now;

        if (edge)
            (void)snprintf(line, sizeof(line), "edge %d %llu -", m->square_next % 2 == 0,
                           (unsigned long long)at);
        else
            (void)snprintf(line, sizeof(line), "time %llu -", (unsigned long long)now);
        record(m, line);
        if (!edge)
            break;
        m->square_next++;
    }
}

static void read_edges(struct vmeter *m, short events)
{
    const char *line;

    if (events != 0 && !lines_read(&m->edge_lines, m->edges))
        fd_close(&m->edges);
    while (waveform_has_room(&m->waveform) && (line = lines_next(&m->edge_lines)) != NULL)
        record(m, line);
}

/* ---- the host's side ---- */

/*
 * What is told of the board may be late on a busy host. Samples begin with the present: edges of
 * before a start would be taken for those of the window to come.
 */
static bool in_the_present(struct vmeter *m)
{
    if (!m->device->streaming)
        return false;
    if (m->stream != m->device->streams && m->edges >= 0)
        (void)dprintf(m->edges, "sync %llu\n",
                      (unsigned long long)++m->asked); /* a board that is gone: edges closes */
    m->stream = m->device->streams;
    return m->edges < 0 || m->synced == m->asked;
}

static void make_samples(struct vmeter *m)
{
    struct device *d = m->device;
    struct waveform_sample s;

    if (!in_the_present(m)) {
        waveform_skip_to_now(&m->waveform);
        return;
    }
    for (int i = 0; i < TURN_SAMPLES && d->out.len < QUEUE && d->streaming; i++) {
        if (!waveform_next(&m->waveform, d->period_ns, &s))
            return;
        d->ops->sample(d, &s);
        if (d->hang_up || d->stall_ms > 0)
            return;
    }
}

static void flush(struct vmeter *m)
{
    struct buf *out = &m->device->out;
    size_t done = 0;

    while (done < out->len) {
        const size_t n = out->len - done < PIECE ? out->len - done : PIECE;
        const ssize_t written = pty_write(&m->pty, out->data + done, n);

        if (written <= 0)
            break;
        done += (size_t)written;
    }
    buf_consume(out, done);
}

static void hear(struct vmeter *m)
{
    uint8_t bytes[512];
    ssize_t n;

    while ((n = pty_read(&m->pty, bytes, sizeof(bytes))) > 0)
        m->device->ops->command(m->device, bytes, (size_t)n);
}

static void serve_pty(struct vmeter *m, short events)
{
    struct device *d = m->device;

    if ((events & (POLLIN | POLLHUP)) != 0) /* a read is what notices a hang-up */
        hear(m);
    if (m->was_open && !m->pty.open) {
        d->ops->host_gone(d);
        if (!d->stale)
            buf_clear(&d->out);
    }
    m->was_open = m->pty.open;
    if (d->hang_up) {
        pty_unplug(&m->pty);
        d->streaming = false;
        d->hang_up = false;
    }
}

static void stall(struct vmeter *m)
{
    if (m->device->stall_ms == 0)
        return;
    m->stalled_until_ns = clock_monotonic_ns() + m->device->stall_ms * (uint64_t)1000000;
    m->device->stall_ms = 0;
}

static bool serve_commands(struct vmeter *m, short events)
{
    char *line;

    if (events == 0)
        return true;
    if (!lines_read(&m->commands, STDIN_FILENO))
        return false;
    while ((line = lines_next(&m->commands)) != NULL) {
        struct err err = ERR_INIT;

        if (strncmp(line, "fault ", 6) != 0)
            (void)printf("error no command is called '%.40s'\n", line);
        else if (device_fault(m->device, line + 6, &err) < 0)
            (void)printf("error %s\n", err.text);
        else
            (void)puts("ok");
        (void)fflush(stdout);
    }
    return true;
}

static bool turn(struct vmeter *m)
{
    struct device *d = m->device;
    struct poll_set set = {.n = 0};
    const bool waiting = d->out.len > 0 && clock_monotonic_ns() >= m->stalled_until_ns;
    const int in = poll_set_add(&set, STDIN_FILENO, POLLIN);
    const int edges = poll_set_add(&set, m->edges, waveform_has_room(&m->waveform) ? POLLIN : 0);

    pty_prepare(&m->pty, &set, (short)(POLLIN | (waiting && m->pty.open ? POLLOUT : 0)));
    if (poll(set.fd, (nfds_t)set.n, m->square_period_ns != 0 ? 1 : 20) < 0)
        set.n = 0;
    if (!serve_commands(m, poll_set_events(&set, in)))
        return false;
    read_edges(m, poll_set_events(&set, edges));
    make_square(m);
    serve_pty(m, pty_serve(&m->pty, &set));
    if (clock_monotonic_ns() < m->stalled_until_ns)
        return true;
    make_samples(m);
    stall(m);
    flush(m);
    return true;
}

/* ---- life ---- */

static int set_up(struct vmeter *m, const struct arguments *a, struct err *err)
{
    if (device_new(a->kind, a->variant, &m->device, err) < 0)
        return (int)err->code;
    assert(m->device != NULL);
    m->device->seed = a->seed;
    m->device->noise = a->noise;
    m->device->stale = a->stale;
    m->device->powered = true;
    for (int i = 0; i < a->fault_count; i++) {
        if (device_fault(m->device, a->faults[i], err) < 0)
            return (int)err->code;
    }
    waveform_init(&m->waveform, &a->levels);
    lines_init(&m->edge_lines, LINE_BYTES);
    lines_init(&m->commands, LINE_BYTES);
    if (a->edges != NULL ? connect_edges(m, a->edges, err) < 0
                         : parse_square(m, a->square, err) < 0)
        return (int)err->code;
    return pty_plug(&m->pty, a->link, err);
}

static void take_down(struct vmeter *m)
{
    pty_unplug(&m->pty);
    fd_close(&m->edges);
    lines_release(&m->edge_lines);
    lines_release(&m->commands);
    device_free(m->device);
}

int main(int argc, char **argv)
{
    static struct vmeter m = {.edges = -1, .pty = PTY_INIT};
    struct arguments a;
    struct err err = ERR_INIT;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("tinyrig-vmeter " TINYRIG_VERSION) < 0;
    if (parse(argc, argv, &a, &err) < 0 || set_up(&m, &a, &err) < 0) {
        (void)printf("error %s\n", err.text);
        take_down(&m);
        return err_exit_status(err.code);
    }
    (void)printf("ready %s\n", a.link);
    (void)fflush(stdout);
    assert(m.device != NULL);
    while (turn(&m))
        ;
    take_down(&m);
    return 0;
}
