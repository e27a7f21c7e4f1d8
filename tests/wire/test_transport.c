/*
 * What every transport promises, checked for every one in the registry and for a filter around
 * one; then what is special to each.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "agents/wire/wire.h"
#include "harness/base/clock.h"
#include "harness/transport/filter.h"
#include "harness/transport/sp_pty.h"
#include "tests/wire/peers.h"

static void fill(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 167 + i / 256);
}

/* ---- conformance ---- */

struct pushing {
    const struct peer *peer;
    const uint8_t *bytes;
    size_t n;
};

static void *push(void *context)
{
    const struct pushing *p = context;

    peer_write(p->peer, p->bytes, p->n);
    return NULL;
}

/* In pieces in both directions at once, more than any buffer on the way holds. */
static void check_bytes_pass_unchanged(struct transport *t, const struct peer *peer)
{
    static uint8_t out[60000], in[60000];
    struct pushing pushing = {peer, out, sizeof(out)};
    pthread_t thread;

    fill(out, sizeof(out));
    send_all(t, out, 256);
    peer_read(peer, in, 256);
    assert_memory_equal(in, out, 256);
    assert_int_equal(pthread_create(&thread, NULL, push, &pushing), 0);
    recv_all(t, in, sizeof(in));
    pthread_join(thread, NULL);
    assert_memory_equal(in, out, sizeof(out));
}

static void check_silence_is_no_error(struct transport *t)
{
    uint64_t start = clock_monotonic_ns();
    struct err err = ERR_INIT;
    size_t n = 77;
    char byte;

    assert_int_equal(transport_recv(t, &byte, 1, 30, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_true(clock_monotonic_ns() - start >= 29000000);
    assert_int_equal(transport_recv(t, &byte, 1, 0, &n, &err), 0);
    assert_int_equal(n, 0);
}

static void check_last_bytes_come_before_the_hang_up(struct transport *t, struct peer *peer)
{
    struct err err = ERR_INIT;
    uint64_t start;
    char bytes[4];
    size_t n;

    peer_write(peer, "last", 4);
    recv_all(t, bytes, 4);
    assert_memory_equal(bytes, "last", 4);
    peer_close(peer);
    start = clock_monotonic_ns();
    assert_int_equal(transport_recv(t, bytes, 1, 60000, &n, &err), ERR_IO);
    assert_non_null(strstr(err.text, "hung up"));
    assert_true(clock_monotonic_ns() - start < 30000000000); /* noticed, not timed out */
    err_clear(&err);
    n = 0;
    for (int i = 0; i < 100 && n == 0; i++) {
        n = transport_send(t, "x", 1, &err) == ERR_IO;
        if (n == 0)
            clock_sleep_ms(1);
    }
    assert_int_equal(n, 1);
}

static void every_transport_keeps_the_promises(void **state)
{
    (void)state;
    for (size_t i = 0; transport_backends[i] != NULL; i++) {
        const struct transport_ops *ops = transport_backends[i];
        struct peer peer;
        struct transport *t;

        if (strcmp(ops->name, "rfc2217") == 0 || strcmp(ops->name, "replay") == 0)
            continue; /* below, with far ends of their own */
        if (strcmp(ops->name, "swd") == 0)
            continue; /* tests/virtual/swd.py: its far end is a core with a debug probe */
        assert_true(ops->help[0] != '\0' && ops->size >= sizeof(struct transport));
        assert_ptr_equal(transport_find(ops->name), ops);
        peer_open(&peer, ops->name);
        t = peer_dial(&peer);
        assert_true(transport_fd(t) >= 0);
        if (peer.fd >= 0) {
            check_bytes_pass_unchanged(t, &peer);
            check_silence_is_no_error(t);
            check_last_bytes_come_before_the_hang_up(t, &peer);
        }
        transport_close(t);
        peer_close(&peer);
    }
}

static void a_filter_with_nothing_to_do_keeps_them_too(void **state)
{
    const struct filter_options options = {.seed = 1};
    struct err err = ERR_INIT;
    struct transport *t;
    struct peer peer;

    (void)state;
    peer_open(&peer, "pty");
    assert_int_equal(filter_open(peer_dial(&peer), &options, &t, &err), 0);
    check_bytes_pass_unchanged(t, &peer);
    check_silence_is_no_error(t);
    check_last_bytes_come_before_the_hang_up(t, &peer);
    transport_close(t);
}

static void a_tty_in_use_is_refused_and_free_again_after_the_close(void **state)
{
    static const char *const ttys[] = {"serial", "pty"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ttys); i++) {
        struct transport_config config = {0};
        struct transport *first, *second = NULL;
        struct err err = ERR_INIT;
        struct peer peer;

        peer_open(&peer, ttys[i]);
        first = peer_dial(&peer);
        config.where = peer.where;
        for (size_t k = 0; k < ARRAY_SIZE(ttys); k++) {
            assert_int_equal(transport_open(ttys[k], &config, &second, &err), ERR_BUSY);
            assert_null(second);
            err_clear(&err);
        }
        transport_close(first);
        first = peer_dial(&peer);
        transport_close(first);
        peer_close(&peer);
    }
}

/* ---- choosing ---- */

static void expect_refusal(const char *name, const struct transport_config *config,
                           enum err_code code, const char *text)
{
    struct transport *t = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(transport_open(name, config, &t, &err), code);
    if (strstr(err.text, text) == NULL && strstr(err.hint, text) == NULL)
        fail_msg("'%s' is neither in '%s' nor in '%s'", text, err.text, err.hint);
    assert_null(t);
}

static void a_wrong_choice_is_refused_with_the_right_one_named(void **state)
{
    struct transport_config c = {.where = "x"};

    (void)state;
    expect_refusal("serail", &c, ERR_CONFIG, "did you mean 'serial'");
    c.where = "/dev/ttyACM0";
    expect_refusal("serial", &c, ERR_CONFIG, "by-id");
    c.where = "ttyUSB7";
    expect_refusal("serial", &c, ERR_CONFIG, "usb_serial");
    c.where = "/dev/serial/by-id/usb-no_such_board-if00";
    expect_refusal("serial", &c, ERR_IO, "plugged in");
    c.where = "/dev/null";
    expect_refusal("serial", &c, ERR_CONFIG, "not a serial port");
    expect_refusal("pty", &c, ERR_CONFIG, "not a pseudo-terminal");
    c.where = "no-port-given";
    expect_refusal("tcp", &c, ERR_CONFIG, "host:port");
    c.where = "127.0.0.1:1";
    expect_refusal("tcp", &c, ERR_IO, "refused");
    c.where = "arena=1KiB,slto=4";
    expect_refusal("loop", &c, ERR_CONFIG, "slto=4");
    c.where = NULL;
    expect_refusal("serial", &c, ERR_CONFIG, "usb_serial");
    c.usb_serial = "no such serial number";
    expect_refusal("serial", &c, ERR_LAB, "present:");
    c.usb_id = "0483-374b";
    expect_refusal("serial", &c, ERR_CONFIG, "VID:PID");
    c.usb_id = "0483:374b";
    expect_refusal("serial", &c, ERR_LAB, "no such USB serial port");
}

/* ---- serial on a pty: libserialport itself ---- */

static void libserialport_drives_a_pty_through_a_stable_name(void **state)
{
    char dir[] = "/tmp/tinyrig-test-XXXXXX";
    char link[40];
    struct transport_config config = {.where = link, .dtr = "assert"};
    struct transport *t = NULL;
    struct err err = ERR_INIT;
    struct termios tty;
    struct peer peer;
    char bytes[5];

    (void)state;
    peer_open(&peer, "serial");
    assert_non_null(mkdtemp(dir));
    snprintf(link, sizeof(link), "%s/board", dir);
    assert_int_equal(symlink(peer.where, link), 0);
    if (transport_open("serial", &config, &t, &err) < 0)
        fail_msg("%s", err.text);
    assert_true((sp_pty_lines(transport_fd(t)) & TIOCM_DTR) != 0);
    assert_int_equal(transport_set_baud(t, 921600, &err), 0);
    assert_int_equal(tcgetattr(transport_fd(t), &tty), 0);
    assert_int_equal(tty.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(tty.c_iflag & (ICRNL | IXON | INLCR), 0);
    send_all(t, "\r\n\x03\x11\xff", 5);
    peer_read(&peer, bytes, 5);
    assert_memory_equal(bytes, "\r\n\x03\x11\xff", 5);
    transport_close(t);
    config.dtr = "deassert";
    assert_int_equal(transport_open("serial", &config, &t, &err), 0);
    assert_int_equal(sp_pty_lines(transport_fd(t)) & TIOCM_DTR, 0);
    transport_close(t);
    config.dtr = "leave";
    assert_int_equal(transport_open("serial", &config, &t, &err), 0);
    assert_int_equal(tcgetattr(transport_fd(t), &tty), 0);
    assert_int_equal(tty.c_cflag & HUPCL, 0);
    transport_close(t);
    config.dtr = "raise";
    expect_refusal("serial", &config, ERR_CONFIG, "deassert");
    unlink(link);
    rmdir(dir);
    peer_close(&peer);
}

static void loop_answers_like_a_board(void **state)
{
    static const uint8_t open_frame[] = {0x00, 0x04, 0x10, 0x01, 0x01, 0x0b, 0x34, 0x12, 0x34,
                                         0x12, 0x01, 0x01, 0x25, 0x65, 0xc9, 0x94, 0x00};
    WIRE_FRAME_BUFFER(128) buffer;
    struct wire_rx rx = {.frame = buffer.bytes, .capacity = sizeof(buffer.bytes)};
    struct peer peer;
    struct transport *t;
    int hellos = 0;

    (void)state;
    peer_open(&peer, "loop");
    t = peer_dial(&peer);
    send_all(t, open_frame, sizeof(open_frame));
    while (hellos < 2) {
        uint8_t byte;

        recv_all(t, &byte, 1);
        hellos += wire_rx_byte(&rx, byte) == WIRE_RX_FRAME;
    }
    assert_int_equal(wire_rx_header(&rx)->type, WIRE_HELLO);
    assert_int_equal(wire_rx_header(&rx)->nonce, 0x1234);
    transport_close(t);
}

/* ---- rfc2217: against a server that was written down (test_ser2net has the real one) ---- */

struct telnet_server {
    int listener;
    const char *opening; /* what it says at first; NULL: "DO COM-PORT" */
    uint8_t heard[512];
    size_t heard_n;
    char where[64];
};

/* Answers SET-BAUDRATE, then says data with everything in it that Telnet allows. */
static void *serve_telnet(void *context)
{
    static const char set_baud[] = "\xff\xfa\x2c\x01";
    static const char said[] = "\xff\xfb\x01"                 /* WILL ECHO */
                               "\xff\xfd\x18"                 /* DO TERMINAL-TYPE */
                               "\xff\xfa\x2c\x6b\x30\xff\xf0" /* modem state */
                               "\xff\xfa\x2c\x01\xff\xff\x01\xff\xf0"
                               "a\xff\xff"
                               "b\xff\xf1" /* NOP */
                               "c";
    struct telnet_server *server = context;
    int fd = accept(server->listener, NULL, NULL);
    const char *opening = server->opening != NULL ? server->opening : "\xff\xfd\x2c";
    bool answered = false;
    ssize_t n;

    (void)!write(fd, opening, strlen(opening));
    while ((n = read(fd, server->heard + server->heard_n,
                     sizeof(server->heard) - server->heard_n)) > 0) {
        const uint8_t *at;
        uint8_t answer[16];

        server->heard_n += (size_t)n;
        at = memmem(server->heard, server->heard_n, set_baud, 4);
        if (at == NULL || answered || server->heard + server->heard_n < at + 10)
            continue;
        memcpy(answer, at, 10);
        answer[3] = 101;
        (void)!write(fd, answer, 10);
        (void)!write(fd, said, sizeof(said) - 1);
        answered = true;
    }
    close(fd);
    return NULL;
}

static void start_telnet(struct telnet_server *server, pthread_t *thread)
{
    struct peer peer;

    peer_open(&peer, "tcp");
    server->listener = peer.listener;
    memcpy(server->where, peer.where, sizeof(server->where));
    assert_int_equal(pthread_create(thread, NULL, serve_telnet, server), 0);
}

static void rfc2217_speaks_telnet_and_doubles_the_byte_255(void **state)
{
    struct telnet_server server = {.opening = NULL};
    struct transport_config config = {.where = server.where, .baud = 115200};
    struct transport *t = NULL;
    struct err err = ERR_INIT;
    pthread_t thread;
    uint8_t in[4];

    (void)state;
    start_telnet(&server, &thread);
    if (transport_open("rfc2217", &config, &t, &err) < 0)
        fail_msg("%s", err.text);
    recv_all(t, in, 4);
    assert_memory_equal(in,
                        "a\xff"
                        "bc",
                        4);
    send_all(t, "x\xffy", 3);
    transport_close(t);
    pthread_join(thread, NULL);
    close(server.listener);
    assert_memory_equal(server.heard + server.heard_n - 4, "x\xff\xffy", 4);
    assert_non_null(memmem(server.heard, server.heard_n, "\xff\xfe\x01", 3)); /* DONT ECHO */
    assert_non_null(memmem(server.heard, server.heard_n, "\xff\xfc\x18", 3)); /* WONT */
    assert_non_null(memmem(server.heard, server.heard_n, "\xff\xfa\x2c\x01\x00\x01\xc2\x00\xff\xf0",
                           10)); /* 115200 */
    assert_non_null(memmem(server.heard, server.heard_n, "\xff\xfa\x2c\x05\x08\xff\xf0", 7));
}

static void a_server_without_com_port_control_is_refused(void **state)
{
    struct telnet_server server = {.opening = "\xff\xfe\x2c"}; /* DONT */
    struct transport_config config = {.where = server.where};
    pthread_t thread;

    (void)state;
    start_telnet(&server, &thread);
    expect_refusal("rfc2217", &config, ERR_UNSUPPORTED, "transport: tcp");
    pthread_join(thread, NULL);
    close(server.listener);
}

/* ---- replay ---- */

static void swd_without_a_probe_is_refused(void **state)
{
    const struct transport_config config = {.where = "0x20000000"};

    (void)state;
    expect_refusal("swd", &config, ERR_CONFIG, "debug probe");
}

static void a_recorded_session_plays_back(void **state)
{
    static const char record[] = "10 < 0102\n"
                                 "20 > aabbcc\n"
                                 "30 < 03\n"
                                 "40 > dd\n"
                                 "50 < 0405\n";
    char path[] = "/tmp/tinyrig-test-XXXXXX";
    struct transport_config config = {.where = path};
    struct transport *t = NULL;
    struct err err = ERR_INIT;
    int fd = mkstemp(path);
    uint8_t in[4];
    size_t n;

    (void)state;
    assert_int_equal(write(fd, record, sizeof(record) - 1), sizeof(record) - 1);
    if (transport_open("replay", &config, &t, &err) < 0)
        fail_msg("%s", err.text);
    recv_all(t, in, 2);
    assert_memory_equal(in, "\x01\x02", 2);
    send_all(t, "\xaa\xbb", 2);
    assert_int_equal(transport_recv(t, in, 1, 0, &n, &err), 0);
    assert_int_equal(n, 0); /* the recorded host had sent three bytes by then */
    send_all(t, "\xcc", 1);
    recv_all(t, in, 1);
    send_all(t, "\xdd", 1);
    recv_all(t, in + 1, 2);
    assert_memory_equal(in, "\x03\x04\x05", 3);
    assert_int_equal(transport_recv(t, in, 1, 0, &n, &err), ERR_IO);
    transport_close(t);
    assert_int_equal(pwrite(fd, "20 ! aabb", 9, 10), 9);
    expect_refusal("replay", &config, ERR_CONFIG, "line 2");
    unlink(path);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transport_keeps_the_promises),
        cmocka_unit_test(a_filter_with_nothing_to_do_keeps_them_too),
        cmocka_unit_test(a_tty_in_use_is_refused_and_free_again_after_the_close),
        cmocka_unit_test(a_wrong_choice_is_refused_with_the_right_one_named),
        cmocka_unit_test(libserialport_drives_a_pty_through_a_stable_name),
        cmocka_unit_test(loop_answers_like_a_board),
        cmocka_unit_test(rfc2217_speaks_telnet_and_doubles_the_byte_255),
        cmocka_unit_test(a_server_without_com_port_control_is_refused),
        cmocka_unit_test(swd_without_a_probe_is_refused),
        cmocka_unit_test(a_recorded_session_plays_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
