/* Addresses from a labgrid coordinator, with a client of our own in its place. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/lab/labgrid.h"
#include "tests/unit/unit.h"

/* What `labgrid-client -p m4-1 show` of version 25 prints for a place with a power port as well. */
static const char place[] =
    "Place 'm4-1':\n"
    "  tags: board=nucleo-l4r5zi\n"
    "  matches:\n"
    "    lab-1/usb2/NetworkPowerPort\n"
    "    lab-1/usb2/NetworkSerialPort\n"
    "  acquired: lab-1/ann\n"
    "  acquired resources:\n"
    "    lab-1/usb2/NetworkPowerPort/NetworkPowerPort\n"
    "    lab-1/usb2/NetworkSerialPort/NetworkSerialPort\n"
    "  created: 2026-07-21 10:11:12.131415\n"
    "  changed: 2026-07-21 10:12:13.141516\n"
    "Acquired resource 'NetworkPowerPort' (lab-1/usb2/NetworkPowerPort/NetworkPowerPort):\n"
    "  {'acquired': 'm4-1',\n"
    "   'avail': True,\n"
    "   'cls': 'NetworkPowerPort',\n"
    "   'params': {'extra': {}, 'host': 'pdu.example', 'index': '4', 'model': 'gude', 'port': "
    "80}}\n"
    "Acquired resource 'NetworkSerialPort' (lab-1/usb2/NetworkSerialPort/NetworkSerialPort):\n"
    "  {'acquired': 'm4-1',\n"
    "   'avail': True,\n"
    "   'cls': 'NetworkSerialPort',\n"
    "   'params': {'extra': {'path': '/dev/ttyACM0',\n"
    "                        'proxy': 'lab-1',\n"
    "                        'proxy_required': False},\n"
    "              'host': 'lab-1.example',\n"
    "              'port': 41233,\n"
    "              'protocol': 'rfc2217',\n"
    "              'speed': 115200}}\n";

static char client_path[64];
static char said_path[80];
static char locks[80];
static const char *const client[] = {client_path, "-x", "coordinator:20408", NULL};

/* It keeps the words it was given, then does what `body` says. */
static void write_client(const char *body)
{
    char text[4096];
    struct err err = ERR_INIT;

    (void)snprintf(text, sizeof(text), "#!/bin/sh\necho \"$@\" >> %s\n%s\n", said_path, body);
    (void)unlink(said_path);
    assert_int_equal(file_write_atomic(client_path, text, strlen(text), &err), 0);
    assert_int_equal(chmod(client_path, 0700), 0);
}

static bool said_word(const char *word)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    return file_read(said_path, 4096, &text, &err) == 0 && strstr(buf_text(&text), word) != NULL;
}

static void assert_said(const char *words)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(file_read(said_path, 4096, &text, &err), 0);
    assert_string_equal(buf_text(&text), words);
}

static void only_its_own_addresses_are_places(void **state)
{
    assert_string_equal(labgrid_place("labgrid:m4-1"), "m4-1");
    assert_null(labgrid_place("localhost:4000"));
    assert_null(labgrid_place(NULL));
}

static void the_serial_port_is_found_beside_a_power_port(void **state)
{
    char address[LABGRID_ADDRESS];
    struct err err = ERR_INIT;

    assert_int_equal(labgrid_parse(place, address, &err), 0);
    assert_string_equal(address, "lab-1.example:41233");
}

#define PORT(params)                                                                               \
    "Acquired resource 'N' (a/b/NetworkSerialPort/N):\n  {'avail': True, 'params': {" params "}}"  \
    "\n"

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "'host': 'a', 'port': 1",
        "Acquired resource 'N' (a/b/NetworkPowerPort/N):\n {'host': 'a', 'port': 80}",
        "Acquired resource 'N' (a/b/USBSerialPort/N):\n {'x': '/NetworkSerialPort/',"
        " 'host': 'a', 'port': 80}",
        PORT("'host': '', 'port': 1"),
        PORT("'host': 'a;rm', 'port': 1"),
        PORT("'host': 'a b', 'port': 1"),
        PORT("'host': 'a', 'port': 0"),
        PORT("'host': 'a', 'port': 65536"),
        PORT("'host': 'a', 'port': 000001"),
        PORT("'host': 'a', 'port': None"),
        PORT("'host': 'a'"),
        PORT("'host': 'a', 'port': 1") PORT("'host': 'b', 'port': 2"),
        "Acquired resource 'N' (a/b/NetworkSerialPort/N):\n  {'avail': False, 'params':"
        " {'host': 'a', 'port': 1}}\n",
    };
    char address[LABGRID_ADDRESS] = "untouched";

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(labgrid_parse(bad[i], address, &err), ERR_LAB);
        assert_true(err.text[0] != '\0');
        assert_string_equal(address, "untouched");
    }
}

static void a_place_is_acquired_shown_and_released(void **state)
{
    char body[2048];
    struct labgrid g = {.client = NULL};
    struct err err = ERR_INIT;

    (void)snprintf(body, sizeof(body), "[ $5 != show ] || cat <<'EOF'\n%sEOF\n", place);
    write_client(body);
    assert_int_equal(labgrid_acquire(&g, client, "m4-1", locks, &err), 0);
    assert_string_equal(g.address, "lab-1.example:41233");
    labgrid_release(&g);
    labgrid_release(&g); /* once is enough */
    assert_said("-x coordinator:20408 -p m4-1 acquire\n-x coordinator:20408 -p m4-1 show\n"
                "-x coordinator:20408 -p m4-1 release\n");
}

/* The place is ours before anybody asks. */
static void write_acquired_client(void)
{
    char body[2048];

    (void)snprintf(body, sizeof(body),
                   "[ $5 != acquire ] || { echo 'labgrid-client: error: You have already acquired"
                   " this place.'; exit 1; }\ncat <<'EOF'\n%sEOF\n",
                   place);
    write_client(body);
}

static void what_a_person_acquired_stays_acquired(void **state)
{
    struct labgrid g = {.client = NULL};
    struct err err = ERR_INIT;

    write_acquired_client();
    assert_int_equal(labgrid_acquire(&g, client, "m4-1", locks, &err), 0);
    labgrid_release(&g);
    assert_said("-x coordinator:20408 -p m4-1 acquire\n-x coordinator:20408 -p m4-1 show\n");
}

/* The mark it left says that no person did. */
static void what_one_that_was_killed_acquired_is_taken_back(void **state)
{
    struct labgrid g = {.client = NULL};
    struct err err = ERR_INIT;
    pid_t child;

    write_client("[ $5 != show ] || exec sleep 60");
    child = fork();
    if (child == 0) {
        (void)!labgrid_acquire(&g, client, "m4-1", locks, &err);
        _exit(1);
    }
    while (access(said_path, R_OK) != 0 || !said_word("show"))
        (void)usleep(1000);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    write_acquired_client();
    assert_int_equal(labgrid_acquire(&g, client, "m4-1", locks, &err), 0);
    labgrid_release(&g);
    assert_said("-x coordinator:20408 -p m4-1 acquire\n-x coordinator:20408 -p m4-1 show\n"
                "-x coordinator:20408 -p m4-1 release\n");
    write_acquired_client();
    assert_int_equal(labgrid_acquire(&g, client, "m4-1", locks, &err), 0);
    labgrid_release(&g); /* that was all */
    assert_said("-x coordinator:20408 -p m4-1 acquire\n-x coordinator:20408 -p m4-1 show\n");
}

static void failures_say_what_the_client_said(void **state)
{
    struct labgrid g = {.client = NULL};
    struct err err = ERR_INIT;

    write_client(
        "echo 'labgrid-client: error: Place m4-1 is already acquired by lab-2/bob'; exit 1");
    assert_int_equal(labgrid_acquire(&g, client, "m4-1", locks, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "already acquired by lab-2/bob"));
    err_clear(&err);
    write_client("exit 0"); /* shows nothing: it is given back */
    assert_int_equal(labgrid_acquire(&g, client, "m4-1", locks, &err), ERR_LAB);
    assert_said("-x coordinator:20408 -p m4-1 acquire\n-x coordinator:20408 -p m4-1 show\n"
                "-x coordinator:20408 -p m4-1 release\n");
    err_clear(&err);
    assert_int_equal(labgrid_acquire(&g, NULL, "m4-1", locks, &err), ERR_CONFIG);
    err_clear(&err);
    assert_int_equal(labgrid_acquire(&g, client, "--help", locks, &err), ERR_CONFIG);
}

static int prepare(void **state)
{
    (void)snprintf(client_path, sizeof(client_path), "/tmp/tinyrig-labgrid-%ld", (long)getpid());
    (void)snprintf(said_path, sizeof(said_path), "%s.said", client_path);
    (void)snprintf(locks, sizeof(locks), "%s.locks", client_path);
    return mkdir(locks, 0700);
}

static int clean(void **state)
{
    (void)unlink(said_path);
    if (unlink(client_path) < 0)
        return -1;
    return rmdir(locks); /* every mark is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_addresses_are_places),
        cmocka_unit_test(the_serial_port_is_found_beside_a_power_port),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_place_is_acquired_shown_and_released),
        cmocka_unit_test(what_a_person_acquired_stays_acquired),
        cmocka_unit_test(what_one_that_was_killed_acquired_is_taken_back),
        cmocka_unit_test(failures_say_what_the_client_said),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
