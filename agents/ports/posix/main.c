/* tinyrig-agent-posix: the agent on stdin and stdout, or on a tty. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agents/ports/posix/posix.h"

static const char usage[] =
    "usage: tinyrig-agent-posix [--link TTY] [--slot BYTES] [--arena BYTES] [--flash FILE]\n"
    "                           [--marker-fd N] [--uid HEX]\n"
    "The tinyrig agent as a native program, on stdin and stdout unless --link names a tty.\n"
    "  --flash FILE    the model slot lies in FILE and survives a reset\n"
    "  --marker-fd N   write marker edges to descriptor N\n"
    "  --uid HEX       chip id of up to 12 bytes\n";

static const struct option long_options[] = {
    {"link", required_argument, NULL, 'l'},
    {"slot", required_argument, NULL, 's'},
    {"arena", required_argument, NULL, 'a'},
    {"flash", required_argument, NULL, 'f'},
    {"marker-fd", required_argument, NULL, 'm'},
    {"uid", required_argument, NULL, 'u'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static _Noreturn void die(const char *what, const char *which)
{
    fprintf(stderr, "tinyrig-agent-posix: %s '%s': %s\n", what, which, strerror(errno));
    exit(2);
}

/* Within 64 B and 1 GiB; anything else is a mistake of who started us. */
static uint32_t size_of(const char *s)
{
    char *end;
    unsigned long n;

    errno = 0;
    n = strtoul(s, &end, 0);
    if (errno == 0 && (*end != '\0' || end == s || n < 64 || n > 1ul << 30))
        errno = EINVAL;
    if (errno != 0)
        die("size", s);
    return (uint32_t)n;
}

static int fd_of(const char *s)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(s, &end, 10);
    if (errno == 0 && (*end != '\0' || end == s || n < 0 || n > 1 << 20))
        errno = EINVAL;
    if (errno != 0)
        die("descriptor", s);
    return (int)n;
}

static void uid_of(const char *s, uint8_t uid[12])
{
    size_t n = strlen(s) / 2;

    if (strlen(s) % 2 != 0 || n > 12 || strspn(s, "0123456789abcdefABCDEF") != strlen(s)) {
        errno = EINVAL;
        die("chip id", s);
    }
    for (size_t i = 0; i < n; i++) {
        char digits[3] = {s[2 * i], s[2 * i + 1], '\0'};

        uid[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static int open_tty(const char *path)
{
    struct termios tty;
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || tcgetattr(fd, &tty) != 0)
        die("link", path);
    cfmakeraw(&tty);
    if (tcsetattr(fd, TCSANOW, &tty) != 0)
        die("link", path);
    return fd;
}

int main(int argc, char **argv)
{
    struct posix_agent_options options = {.in_fd = 0, .out_fd = 1, .slot_fd = -1, .marker_fd = -1};
    int c;

    while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (c) {
        case 'l':
            options.in_fd = options.out_fd = open_tty(optarg);
            break;
        case 's':
            options.slot_size = size_of(optarg);
            break;
        case 'a':
            options.arena_size = size_of(optarg);
            break;
        case 'f':
            options.slot_fd = open(optarg, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
            if (options.slot_fd < 0)
                die("flash file", optarg);
            break;
        case 'm':
            options.marker_fd = fd_of(optarg);
            break;
        case 'u':
            uid_of(optarg, options.uid);
            break;
        default:
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    errno = posix_agent_run(&options);
    if (errno != 0)
        die("memory", "slot or arena");
    return 0;
}
