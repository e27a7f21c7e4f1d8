/*
 * tinyrig-vboard-avr: the simavr half of a virtual AVR board. Started by tinyrig-vboard, which
 * hands over a socket for the UART, one for orders and one for marker edges.
 *
 * A program of its own because libsimavr is GPL-3: this executable is too, tinyrig is not.
 *
 * Orders: "reset", "halt", "resume"; it says "ready" once, "reset" after each reset and "halted".
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "targets/virtual/avr/chip.h"
#include "targets/virtual/lines.h"
#include "targets/virtual/options.h"

/* How often the sockets are looked at while the core runs: 100 us of a 16 MHz chip. */
#define SLICE_CYCLES 1600
/* Sleep is passed on to the host in pieces of this length; a byte ends one early. */
#define IDLE_MS      4
#define HEARTBEAT_NS 50000000u

struct session {
    struct chip chip;
    struct lines orders;
    int uart_fd;
    int orders_fd;
    int edges_fd;
    bool halted;
    bool marker_high;
    unsigned resets_told;
    uint64_t next_heartbeat_ns;
    struct image_file loads[OPTIONS_LOADS_MAX];
    int load_count;
};

static void say(int fd, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A supervisor that is gone is noticed by its closed sockets, not here. */
static void say(int fd, const char *fmt, ...)
{
    char line[100];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (fd >= 0 && n > 0 && send(fd, line, (size_t)n, MSG_NOSIGNAL) < 0)
        return;
}

static void on_edge(void *context, bool high, uint64_t cycle)
{
    struct session *s = context;

    if (high == s->marker_high)
        return; /* the pin became an output, at the level it had */
    s->marker_high = high;
    say(s->edges_fd, "edge %d %llu %llu\n", high, (unsigned long long)chip_ns(&s->chip, cycle),
        (unsigned long long)cycle);
}

static void heartbeat(struct session *s)
{
    const uint64_t now = clock_monotonic_ns();
    const uint64_t cycle = chip_cycles(&s->chip);

    if (now < s->next_heartbeat_ns)
        return;
    s->next_heartbeat_ns = now + HEARTBEAT_NS;
    say(s->edges_fd, "time %llu %llu\n", (unsigned long long)chip_ns(&s->chip, cycle),
        (unsigned long long)cycle);
}

/* What the chip has said by now goes out before the news that it stands still. */
static void halt(struct session *s)
{
    struct buf *out = &s->chip.output;

    if (out->len > 0 && send(s->uart_fd, out->data, out->len, MSG_NOSIGNAL) == (ssize_t)out->len)
        buf_clear(out);
    s->halted = true;
    say(s->orders_fd, "halted\n");
}

static void obey(struct session *s, const char *order)
{
    if (strcmp(order, "reset") == 0)
        chip_reset(&s->chip);
    else if (strcmp(order, "halt") == 0)
        halt(s);
    else if (strcmp(order, "resume") == 0)
        s->halted = false;
}

/* Returns false once the supervisor is gone. */
static bool serve_orders(struct session *s)
{
    const bool alive = lines_read(&s->orders, s->orders_fd);
    const char *line;

    while ((line = lines_next(&s->orders)) != NULL)
        obey(s, line);
    return alive;
}

static bool serve_uart(struct session *s, short events)
{
    char chunk[256];
    ssize_t n;

    if (s->chip.output.len > 0) {
        n = send(s->uart_fd, s->chip.output.data, s->chip.output.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n > 0)
            buf_consume(&s->chip.output, (size_t)n);
    }
    if ((events & (POLLIN | POLLHUP)) == 0)
        return true;
    n = recv(s->uart_fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n > 0)
        buf_append(&s->chip.input, chunk, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* How long the sockets may be waited for: not at all while there is something to compute. */
static int patience_ms(struct session *s)
{
    const uint64_t idle_cycles = (uint64_t)s->chip.clock_hz * IDLE_MS / 1000;

    if (s->halted)
        return -1;
    if (!s->chip.waits || s->chip.input.len > 0) {
        s->chip.idle_debt = 0;
        return 0;
    }
    if (s->chip.idle_debt < idle_cycles)
        return 0;
    s->chip.idle_debt = 0;
    return IDLE_MS;
}

/* Returns false once the supervisor is gone. */
static bool turn(struct session *s)
{
    const bool room = s->chip.input.len < 256;
    struct pollfd fds[] = {
        {.fd = s->uart_fd, .events = (short)(room ? POLLIN : 0)},
        {.fd = s->orders_fd, .events = POLLIN},
    };

    if (poll(fds, ARRAY_SIZE(fds), patience_ms(s)) < 0 && errno != EINTR)
        return false;
    if (fds[1].revents != 0 && !serve_orders(s))
        return false;
    if (s->resets_told != s->chip.resets) {
        s->resets_told = s->chip.resets;
        say(s->orders_fd, "reset\n");
    }
    return serve_uart(s, fds[0].revents);
}

static int run(struct session *s)
{
    say(s->orders_fd, "ready\n");
    while (turn(s)) {
        enum chip_state state = CHIP_RUNS;

        heartbeat(s);
        if (!s->halted)
            state = chip_run(&s->chip, SLICE_CYCLES);
        if (state == CHIP_RUNS)
            continue;
        (void)serve_uart(s, 0);
        (void)fprintf(stderr, "the core %s at pc 0x%x\n",
                      state == CHIP_CRASHED ? "crashed" : "sleeps with interrupts off",
                      chip_pc(&s->chip));
        return 1;
    }
    return 0;
}

enum {
    OPT_MCU,
    OPT_CLOCK,
    OPT_FIRMWARE,
    OPT_UART,
    OPT_ORDERS,
    OPT_EDGES,
    OPT_MARKER,
    OPT_LOAD
};

static const struct option long_options[] = {
    {"mcu", required_argument, NULL, OPT_MCU},
    {"clock", required_argument, NULL, OPT_CLOCK},
    {"firmware", required_argument, NULL, OPT_FIRMWARE},
    {"uart-fd", required_argument, NULL, OPT_UART},
    {"orders-fd", required_argument, NULL, OPT_ORDERS},
    {"edges-fd", required_argument, NULL, OPT_EDGES},
    {"marker-pin", required_argument, NULL, OPT_MARKER},
    {"load", required_argument, NULL, OPT_LOAD},
    {NULL, 0, NULL, 0},
};

static int take_number(const char *text, uint64_t max, uint64_t *ret, struct err *err)
{
    if (!text_to_u64(text, ret) || *ret > max)
        return err_set(err, ERR_USAGE, "'%s' is not a number up to %llu", text,
                       (unsigned long long)max);
    return 0;
}

static int take_pin(const char *text, struct chip_options *o, struct err *err)
{
    if (strlen(text) != 3 || text[0] != 'P' || text[1] < 'A' || text[1] > 'L' || text[2] < '0' ||
        text[2] > '7')
        return err_set(err, ERR_USAGE, "'%s' is not a pin such as PB0", text);
    o->port = text[1];
    o->bit = text[2] - '0';
    return 0;
}

static int take_option(struct session *s, struct chip_options *o, int option, struct err *err)
{
    uint64_t number = 0;
    int r;

    switch (option) {
    case OPT_MCU:
        o->mcu = optarg;
        return 0;
    case OPT_FIRMWARE:
        o->firmware = optarg;
        return 0;
    case OPT_CLOCK:
        r = take_number(optarg, 100000000, &number, err);
        o->clock_hz = (uint32_t)number;
        return r;
    case OPT_MARKER:
        return take_pin(optarg, o, err);
    case OPT_LOAD:
        if (s->load_count == OPTIONS_LOADS_MAX)
            return err_set(err, ERR_USAGE, "too many --load");
        return options_parse_load(optarg, &s->loads[s->load_count++], err);
    case OPT_UART:
    case OPT_ORDERS:
    case OPT_EDGES:
        r = take_number(optarg, 65535, &number, err);
        *(option == OPT_UART     ? &s->uart_fd
          : option == OPT_ORDERS ? &s->orders_fd
                                 : &s->edges_fd) = (int)number;
        return r;
    default:
        return err_set(err, ERR_USAGE, "unknown option");
    }
}

static int set_up(struct session *s, int argc, char **argv, struct err *err)
{
    struct chip_options o = {.clock_hz = 16000000, .port = 'B'};
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (take_option(s, &o, option, err) < 0)
            return err->code;
    }
    if (o.mcu == NULL || o.firmware == NULL || o.clock_hz == 0 || s->uart_fd < 0 ||
        s->orders_fd < 0) {
        (void)err_set(err, ERR_USAGE, "--mcu, --firmware, --uart-fd and --orders-fd are needed");
        return err_hint(err, "tinyrig-vboard --kind simavr starts this program");
    }
    s->chip.edge = on_edge;
    s->chip.context = s;
    if (chip_open(&s->chip, &o, err) < 0)
        return err->code;
    for (int i = 0; i < s->load_count; i++) {
        if (chip_load(&s->chip, s->loads[i].path, s->loads[i].address, err) < 0)
            return err->code;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct session s = {.uart_fd = -1, .orders_fd = -1, .edges_fd = -1};
    struct err err = ERR_INIT;
    int status;

    lines_init(&s.orders, 100);
    status = set_up(&s, argc, argv, &err) < 0 ? err_exit_status(err.code) : run(&s);
    if (err.code != ERR_OK)
        (void)fprintf(stderr, "%s\n", err.text);
    chip_close(&s.chip);
    lines_release(&s.orders);
    return status;
}
