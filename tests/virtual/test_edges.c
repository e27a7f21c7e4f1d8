/* Exact counts and the edge stream: the plugin against the board's own timer under icount. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "tests/unit/unit.h"
#include "tests/virtual/bench.h"

#define TICK_HZ 25000000u
#define SHIFT   7

/* Ask for a marked window of n loop turns; returns its ticks of the board's timer. */
static unsigned long marked_window(struct bench *b, unsigned n)
{
    AUTO_BUF said = BUF_INIT;
    char request[20];

    (void)snprintf(request, sizeof(request), "m%x\n", n);
    bench_send(b, request);
    bench_read_until(b, "\n", &said);
    assert_memory_equal(buf_text(&said), "m ", 2);
    return strtoul(buf_text(&said) + 2, NULL, 16);
}

/* Under icount n instructions take n * 2^SHIFT virtual ns; the timer floors that. */
static unsigned long long instructions_of(unsigned long ticks)
{
    const unsigned long long ns = (unsigned long long)ticks * (1000000000u / TICK_HZ);

    return (ns + (1u << SHIFT) / 2) >> SHIFT;
}

static void the_plugin_and_the_timer_agree_to_the_instruction(void **state)
{
    static const unsigned turns[] = {1, 2, 3, 10, 1000, 4096, 100000};
    struct bench_edge edges[2 * ARRAY_SIZE(turns)];
    unsigned long ticks[ARRAY_SIZE(turns)];
    unsigned long long overhead = 0;
    struct bench b;
    char path[100];

    bench_start_firmware(&b);
    bench_record(&b, path, sizeof(path), true);
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++)
        ticks[i] = marked_window(&b, turns[i]);
    bench_record(&b, path, sizeof(path), false);
    assert_int_equal(bench_read_edges(path, edges, ARRAY_SIZE(edges)), ARRAY_SIZE(edges));
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        const struct bench_edge *up = &edges[2 * i];
        const struct bench_edge *down = &edges[2 * i + 1];
        const unsigned long long n = down->count - up->count;

        assert_int_equal(up->level, 1);
        assert_int_equal(down->level, 0);
        assert_int_equal(n, 2 * turns[i] + 1); /* the loop and the second store */
        assert_int_equal(down->vns - up->vns, n << SHIFT);
        if (i == 0)
            overhead = instructions_of(ticks[0]) - n;
        assert_int_equal(instructions_of(ticks[i]) - n, overhead);
    }
    assert_in_range(overhead, 1, 8); /* reading the timer twice */
    (void)unlink(path);
    bench_stop(&b);
}

static void two_runs_count_the_same(void **state)
{
    unsigned long ticks[2][3];

    for (int run = 0; run < 2; run++) {
        struct bench b;

        bench_start_firmware(&b);
        for (int i = 0; i < 3; i++)
            ticks[run][i] = marked_window(&b, 12345);
        bench_stop(&b);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(instructions_of(ticks[0][i]), instructions_of(ticks[0][0]));
        assert_int_equal(instructions_of(ticks[1][i]), instructions_of(ticks[0][0]));
    }
}

static void a_fault_can_hit_inside_a_marked_window(void **state)
{
    AUTO_BUF said = BUF_INIT;
    struct bench b;

    bench_start_firmware(&b);
    bench_command(&b, NULL, "fault reset edge 3"); /* the second window's rising edge */
    (void)marked_window(&b, 10);
    bench_send(&b, "m2faf080\n"); /* 100 M instructions: long enough to be hit */
    bench_read_until(&b, "hello\n", &said);
    assert_string_equal(buf_text(&said), "hello\n");
    bench_stop(&b);
}

static void status_knows_virtual_time(void **state)
{
    struct bench b;
    char first[32];
    char later[32];

    bench_start_firmware(&b);
    clock_sleep_ms(120);
    bench_status(&b, "vtime_ns", first, sizeof(first));
    clock_sleep_ms(120);
    bench_status(&b, "vtime_ns", later, sizeof(later));
    assert_true(strtoull(later, NULL, 10) > strtoull(first, NULL, 10));
    bench_stop(&b);
}

static void recording_can_be_stopped_and_wrong_targets_are_refused(void **state)
{
    struct bench_edge edges[4];
    struct bench b;
    char path[100];

    bench_start_firmware(&b);
    bench_command_fails(&b, "edges /no/such/dir/x on", "No such file");
    bench_command_fails(&b, "edges fd:99 on", "Bad file descriptor");
    bench_command_fails(&b, "edges fd:x on", "is not fd:N");
    bench_command_fails(&b, "edges x off", "is not recording");
    bench_record(&b, path, sizeof(path), true);
    (void)marked_window(&b, 10);
    bench_record(&b, path, sizeof(path), false);
    (void)marked_window(&b, 10);
    assert_int_equal(bench_read_edges(path, edges, ARRAY_SIZE(edges)), 2);
    (void)unlink(path);
    bench_stop(&b);
}

static int listen_to(const struct bench *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", b->edges);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Read the stream until `wanted` has come, at most 5 s. */
static void hear(int fd, const char *wanted, struct buf *heard)
{
    const struct deadline end = deadline_in_ms(5000);

    while (strstr(buf_text(heard), wanted) == NULL) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char chunk[1000];
        ssize_t n = 0;

        if (poll(&p, 1, (int)deadline_left_ms(end)) == 1)
            n = read(fd, chunk, sizeof(chunk));
        if (n <= 0)
            fail_msg("waited for '%s', heard '%s'", wanted, buf_text(heard));
        buf_append(heard, chunk, (size_t)n);
    }
}

static void listeners_hear_edges_and_what_happens_to_the_board(void **state)
{
    AUTO_BUF first = BUF_INIT;
    AUTO_BUF second = BUF_INIT;
    struct bench b;
    int fds[2];

    bench_start_firmware(&b);
    fds[0] = listen_to(&b);
    fds[1] = listen_to(&b);
    hear(fds[0], "board bench qemu instructions\n", &first);
    hear(fds[1], "board bench qemu instructions\n", &second);
    (void)marked_window(&b, 10);
    hear(fds[0], "\nedge 0 ", &first);
    hear(fds[1], "\nedge 0 ", &second);
    assert_non_null(strstr(buf_text(&first), "\nedge 1 "));
    (void)close(fds[1]); /* one that leaves does not disturb the other */
    bench_command(&b, NULL, "reset");
    hear(fds[0], "\nreset\n", &first);
    bench_command(&b, NULL, "fault hang");
    hear(fds[0], "\nhalt\n", &first);
    bench_command(&b, NULL, "power off");
    hear(fds[0], "\npower off\n", &first);
    bench_command(&b, NULL, "power on");
    hear(fds[0], "\npower on\n", &first);
    (void)close(fds[0]);
    bench_stop(&b);
}

static void a_listener_that_never_reads_costs_nobody_anything(void **state)
{
    struct bench b;
    int fd;

    bench_start_firmware(&b);
    fd = listen_to(&b);
    bench_command(&b, NULL, "status");
    for (int i = 0; i < 200; i++)
        (void)marked_window(&b, 1);
    bench_expect_status(&b, "edges", "400");
    (void)close(fd);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plugin_and_the_timer_agree_to_the_instruction),
        cmocka_unit_test(two_runs_count_the_same),
        cmocka_unit_test(a_fault_can_hit_inside_a_marked_window),
        cmocka_unit_test(status_knows_virtual_time),
        cmocka_unit_test(listeners_hear_edges_and_what_happens_to_the_board),
        cmocka_unit_test(a_listener_that_never_reads_costs_nobody_anything),
        cmocka_unit_test(recording_can_be_stopped_and_wrong_targets_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
