/*
 * bench link: what share of the line an upload gets. The posix agent behind a pty, opened by the
 * real serial driver, paced to a baud rate with the turn-around of a USB adapter; windowed and
 * stop-and-wait in the same run.
 *
 *   usage: bench_link AGENT
 * Prints bytes stored / time / (baud / 10). Exits 1 when the windowed share is below the bar.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/proc.h"
#include "harness/client/client.h"
#include "harness/transport/filter.h"

#define BAR 0.95

enum {
    TURN_AROUND_US = 16000,
    SECONDS = 5
};

/*
 * The agent as a child on the master side of a pty; its slave's name into where. The caller closes
 * *slave once the driver has it open: a master whose slave nobody holds reads EIO.
 */
static int start_agent(const char *agent, struct proc *child, char where[64], int *slave,
                       struct err *err)
{
    const char *const argv[] = {agent, NULL};
    AUTO(fd_close) int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct proc_options options = {.argv = argv, .stdio = {master, master, PROC_INHERIT}};
    struct termios tty;

    if (master < 0 || unlockpt(master) != 0 || ptsname_r(master, where, 64) != 0)
        return err_set(err, ERR_IO, "no pty");
    /* Raw before the agent's HELLO. */
    *slave = open(where, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*slave < 0 || tcgetattr(*slave, &tty) != 0)
        return err_set(err, ERR_IO, "no pty slave");
    cfmakeraw(&tty);
    if (tcsetattr(*slave, TCSANOW, &tty) != 0 || proc_start(child, &options, err) < 0)
        return err->code != 0 ? (int)err->code : err_set(err, ERR_IO, "no agent");
    return 0;
}

static int open_line(const char *where, unsigned baud, struct transport **ret, struct err *err)
{
    const struct transport_config config = {.where = where, .baud = baud};
    const struct filter_options pace = {.pace_baud = baud, .latency_us = TURN_AROUND_US};
    struct transport *serial;

    if (transport_open("serial", &config, &serial, err) < 0)
        return (int)err->code;
    return filter_open(serial, &pace, ret, err);
}

/* Share of the line's payload rate that an upload of `seconds` reaches; negative on failure. */
static double share(struct client *c, unsigned baud, unsigned stop_and_wait, struct err *err)
{
    size_t size = (size_t)baud / 10 * SECONDS;
    struct client_write write = {
        .object = WIRE_OBJECT_SINK, .size = size, .stop_and_wait = stop_and_wait, .verify = true};
    uint8_t *bytes = malloc(size);
    uint64_t start;
    double seconds;
    int status;

    if (bytes == NULL)
        return -1;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    write.data = bytes;
    start = clock_monotonic_ns();
    status = client_write(c, &write, err);
    seconds = (double)(clock_monotonic_ns() - start) / 1e9;
    free(bytes);
    return status < 0 ? -1 : (double)size / seconds / (baud / 10.0);
}

static int bench(const char *agent, unsigned baud, bool *ret_good, struct err *err)
{
    AUTO(proc_release) struct proc child = PROC_INIT;
    AUTO(transport_close_auto) struct transport *line = NULL;
    AUTO(client_close_auto) struct client *c = NULL;
    struct client_options options = {.baud = baud};
    AUTO(fd_close) int slave = -1;
    double windowed, single;
    char where[64];

    if (start_agent(agent, &child, where, &slave, err) < 0 ||
        open_line(where, baud, &line, err) < 0)
        return (int)err->code;
    options.transport = line;
    if (client_open(&options, &c, err) < 0)
        return (int)err->code;
    windowed = share(c, baud, 0, err);
    single = windowed < 0 ? -1 : share(c, baud, 1, err);
    if (single < 0)
        return (int)err->code;
    *ret_good = windowed >= BAR;
    printf("%7u baud, %u ms turn-around, %u x %u B: window %.3f, stop and wait %.3f, ratio %.2f\n",
           baud, TURN_AROUND_US / 1000, client_hello(c)->credits, client_hello(c)->max_payload - 4,
           windowed, single, windowed / single);
    return 0;
}

int main(int argc, char **argv)
{
    static const unsigned bauds[] = {115200, 921600};
    bool all_good = true;

    if (argc != 2) {
        fprintf(stderr, "usage: bench_link AGENT\n");
        return 2;
    }
    for (size_t i = 0; i < ARRAY_SIZE(bauds); i++) {
        struct err err = ERR_INIT;
        bool good = false;

        if (bench(argv[1], bauds[i], &good, &err) < 0) {
            fprintf(stderr, "%s\n", err.text);
            return 3;
        }
        all_good = all_good && good;
    }
    printf("share of the line's payload rate (baud / 10 bytes/s); bar %.2f: %s\n", BAR,
           all_good ? "met" : "NOT MET");
    return all_good ? 0 : 1;
}
