/*
 * The network transports against ser2net itself: the posix agent on a pty, served over TCP, raw and
 * by RFC 2217. Skipped where ser2net is not installed.
 *
 *   usage: test_ser2net AGENT
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/proc.h"
#include "harness/client/client.h"

static const char *agent_path;

struct lab {
    struct proc agent, ser2net;
    char dir[40], config[64], where[64];
};

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    AUTO(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void start_agent(struct lab *lab, char slave[64])
{
    const char *const argv[] = {agent_path, NULL};
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct proc_options options = {.argv = argv, .stdio = {master, master, PROC_INHERIT}};
    struct err err = ERR_INIT;
    struct termios tty;
    int fd;

    assert_int_equal(unlockpt(master), 0);
    assert_int_equal(ptsname_r(master, slave, 64), 0);
    fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(tcgetattr(fd, &tty), 0);
    cfmakeraw(&tty);
    assert_int_equal(tcsetattr(fd, TCSANOW, &tty), 0);
    assert_int_equal(proc_start(&lab->agent, &options, &err), 0);
    close(master);
    /* fd stays open until the end of the test: without a reader the pty would hang up. */
}

static void start_ser2net(struct lab *lab, const char *accepter, const char *slave)
{
    const char *argv[] = {"ser2net", "-d", "-u", "-c", lab->config, NULL};
    const struct proc_options options = {.argv = argv, .stdio = {PROC_NULL, PROC_NULL, PROC_NULL}};
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    unsigned port = free_port();

    snprintf(lab->where, sizeof(lab->where), "127.0.0.1:%u", port);
    buf_printf(&text,
               "connection: &board\n"
               "  accepter: %stcp,127.0.0.1,%u\n"
               "  connector: serialdev,%s,115200n81,local\n",
               accepter, port, slave);
    assert_int_equal(file_write_atomic(lab->config, text.data, text.len, &err), 0);
    if (proc_start(&lab->ser2net, &options, &err) < 0) {
        printf("skipped: %s\n", err.text);
        exit(77);
    }
}

static void lab_open(struct lab *lab, const char *accepter)
{
    char slave[64];

    *lab = (struct lab){.agent = PROC_INIT, .ser2net = PROC_INIT};
    strcpy(lab->dir, "/tmp/tinyrig-test-XXXXXX");
    assert_non_null(mkdtemp(lab->dir));
    snprintf(lab->config, sizeof(lab->config), "%s/ser2net.yaml", lab->dir);
    start_agent(lab, slave);
    start_ser2net(lab, accepter, slave);
}

static void lab_close(struct lab *lab)
{
    proc_stop(&lab->ser2net, 500);
    proc_stop(&lab->agent, 500);
    unlink(lab->config);
    rmdir(lab->dir);
}

/* ser2net needs a moment until it listens. */
static struct transport *open_patiently(const char *name, const struct lab *lab)
{
    const struct transport_config config = {.where = lab->where, .baud = 115200};
    struct deadline until = deadline_in_ms(5000);
    struct transport *t = NULL;
    struct err err = ERR_INIT;

    while (transport_open(name, &config, &t, &err) < 0) {
        if (deadline_passed(until))
            fail_msg("%s (%s)", err.text, err.hint);
        err_clear(&err);
        clock_sleep_ms(50);
    }
    return t;
}

static void check_board(const char *transport, const char *accepter, unsigned max_baud)
{
    static uint8_t bytes[20000], back[sizeof(bytes)];
    struct client_options options = {.max_baud = max_baud};
    struct err err = ERR_INIT;
    struct transport *t;
    struct client *c;
    struct lab lab;

    lab_open(&lab, accepter);
    t = open_patiently(transport, &lab);
    options.transport = t;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i % 5 == 0 ? 0xff : (uint8_t)(i * 31);
    if (client_open(&options, &c, &err) < 0 ||
        client_upload_model(c, bytes, sizeof(bytes), NULL, NULL, &err) < 0 ||
        client_read(c, WIRE_OBJECT_SLOT, 0, 0, back, sizeof(back), &err) < 0)
        fail_msg("%s (%s)", err.text, err.hint);
    assert_memory_equal(bytes, back, sizeof(bytes));
    assert_int_equal(client_baud(c), max_baud != 0 ? max_baud : 115200);
    assert_int_equal(client_counts(c).retries, 0);
    client_close(c);
    transport_close(t);
    lab_close(&lab);
}

static void a_board_behind_ser2net_works_over_raw_tcp(void **state)
{
    (void)state;
    check_board("tcp", "", 0);
}

static void a_board_behind_ser2net_works_over_rfc2217_and_changes_its_rate(void **state)
{
    (void)state;
    check_board("rfc2217", "telnet(rfc2217),", 921600);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_behind_ser2net_works_over_raw_tcp),
        cmocka_unit_test(a_board_behind_ser2net_works_over_rfc2217_and_changes_its_rate),
    };

    if (argc != 2)
        return 2;
    agent_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
