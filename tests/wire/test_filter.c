/* What a filter does to the bytes that pass: faults, pace, records. */
#include <string.h>
#include <sys/ioctl.h>

#include "tests/unit/unit.h"

#include "harness/base/clock.h"
#include "harness/transport/filter.h"
#include "tests/wire/peers.h"

struct filtered {
    struct peer peer;
    struct transport *t;
};

static struct filtered open_filtered(const struct filter_options *options)
{
    struct filtered f;
    struct err err = ERR_INIT;

    peer_open(&f.peer, "pty");
    assert_int_equal(filter_open(peer_dial(&f.peer), options, &f.t, &err), 0);
    return f;
}

static void close_filtered(struct filtered *f)
{
    transport_close(f->t);
    peer_close(&f->peer);
}

static void a_filter_does_what_it_was_told_at_byte_n(void **state)
{
    static const struct {
        struct filter_fault fault;
        const char *comes;
    } rows[] = {
        {{FILTER_DROP, FILTER_TO_TARGET, 2, 3}, "0156789"},
        {{FILTER_DROP, FILTER_TO_TARGET, 9, 0}, "012345678"},
        {{FILTER_DUPLICATE, FILTER_TO_TARGET, 0, 2}, "001123456789"},
        {{FILTER_STALL, FILTER_TO_TARGET, 4, 0}, "0123"},
        {{FILTER_DROP, FILTER_FROM_TARGET, 0, 10}, "0123456789"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct filter_options options = {.faults = &rows[i].fault, .fault_count = 1};
        struct filtered f = open_filtered(&options);
        char in[16];

        send_all(f.t, "0123456789", 10);
        peer_read(&f.peer, in, strlen(rows[i].comes));
        assert_memory_equal(in, rows[i].comes, strlen(rows[i].comes));
        assert_int_equal(filter_count(f.t, FILTER_TO_TARGET), 10);
        close_filtered(&f);
    }
}

static void corrupted_bytes_differ_in_one_bit_and_inserted_ones_are_extra(void **state)
{
    static const struct filter_fault faults[] = {
        {FILTER_CORRUPT, FILTER_TO_TARGET, 1, 1},
        {FILTER_INSERT, FILTER_TO_TARGET, 3, 2},
    };
    const struct filter_options options = {.faults = faults, .fault_count = 2, .seed = 7};
    struct filtered f = open_filtered(&options);
    uint8_t in[6];

    (void)state;
    send_all(f.t, "\0\0\0\0", 4);
    peer_read(&f.peer, in, 6);
    assert_int_equal(__builtin_popcount(in[1]), 1);
    assert_int_equal(in[0] | in[2] | in[5], 0);
    close_filtered(&f);
}

static void a_cut_line_is_a_hang_up_in_both_directions(void **state)
{
    static const struct filter_fault fault = {FILTER_CUT, FILTER_FROM_TARGET, 3, 0};
    const struct filter_options options = {.faults = &fault, .fault_count = 1};
    struct filtered f = open_filtered(&options);
    struct err err = ERR_INIT;
    char in[8];
    size_t n;

    (void)state;
    peer_write(&f.peer, "0123456", 7);
    recv_all(f.t, in, 3);
    assert_memory_equal(in, "012", 3);
    assert_int_equal(transport_recv(f.t, in, 1, 500, &n, &err), ERR_IO);
    assert_non_null(strstr(err.text, "cut at byte 3"));
    err_clear(&err);
    assert_int_equal(transport_send(f.t, "x", 1, &err), ERR_IO);
    close_filtered(&f);
}

static void a_paced_line_is_as_slow_as_its_rate_and_late_by_its_latency(void **state)
{
    const struct filter_options options = {.pace_baud = 115200, .latency_us = 16000};
    struct filtered f = open_filtered(&options);
    uint8_t bytes[576] = {0}; /* 50 ms at 11520 bytes/s */
    uint64_t start = clock_monotonic_ns();
    struct err err = ERR_INIT;
    int crossed = 0;
    size_t n = 1;

    (void)state;
    peer_write(&f.peer, bytes, sizeof(bytes));
    recv_all(f.t, bytes, sizeof(bytes));
    assert_true(clock_monotonic_ns() - start >= 66000000);
    start = clock_monotonic_ns();
    send_all(f.t, bytes, sizeof(bytes));
    while (crossed < (int)sizeof(bytes)) { /* a busy host is late, but never early */
        assert_int_equal(transport_recv(f.t, bytes, 1, 1, &n, &err), 0);
        assert_int_equal(ioctl(f.peer.fd, FIONREAD, &crossed), 0);
    }
    assert_true(clock_monotonic_ns() - start >= 49000000); /* late are answers only */
    peer_close(&f.peer);
    transport_close(f.t);
}

static void a_recording_holds_every_byte_with_its_direction(void **state)
{
    AUTO_BUF text = BUF_INIT;
    const struct filter_options options = {.record = &text};
    struct filtered f = open_filtered(&options);
    char in[2];

    (void)state;
    send_all(f.t, "\x01\xab", 2);
    peer_read(&f.peer, in, 2);
    peer_write(&f.peer, "hi", 2);
    recv_all(f.t, in, 2);
    assert_non_null(strstr(buf_text(&text), " > 01ab\n"));
    assert_non_null(strstr(buf_text(&text), " < 6869\n"));
    close_filtered(&f);
}

static void a_recording_without_room_ends_with_a_whole_line(void **state)
{
    AUTO_BUF text = {.limit = 25}; /* one line of the two, however long it took to get there */
    const struct filter_options options = {.record = &text};
    struct filtered f = open_filtered(&options);
    const char *newline;
    char in[8];

    (void)state;
    send_all(f.t, "\x01\xab", 2);
    peer_read(&f.peer, in, 2);
    send_all(f.t, "\x02\x03\x04\x05\x06\x07\x08\x09", 8);
    peer_read(&f.peer, in, 8);
    send_all(f.t, "\x0a", 1); /* this line alone would fit */
    peer_read(&f.peer, in, 1);
    newline = strchr(buf_text(&text), '\n');
    assert_true(text.full);
    assert_non_null(strstr(buf_text(&text), " > 01ab\n"));
    assert_ptr_equal(newline, buf_text(&text) + text.len - 1);
    close_filtered(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_does_what_it_was_told_at_byte_n),
        cmocka_unit_test(corrupted_bytes_differ_in_one_bit_and_inserted_ones_are_extra),
        cmocka_unit_test(a_cut_line_is_a_hang_up_in_both_directions),
        cmocka_unit_test(a_paced_line_is_as_slow_as_its_rate_and_late_by_its_latency),
        cmocka_unit_test(a_recording_holds_every_byte_with_its_direction),
        cmocka_unit_test(a_recording_without_room_ends_with_a_whole_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
