#include "harness/lab/labgrid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/arena.h"
#include "harness/base/command.h"
#include "harness/base/log.h"

enum {
    CLIENT_MS = 30000, /* a call takes about 2 s */
    CLIENT_WORDS = 16,
    HOST_MAX = 255
};

const char *labgrid_place(const char *where)
{
    static const char prefix[] = "labgrid:";

    return where != NULL && strncmp(where, prefix, sizeof(prefix) - 1) == 0
               ? where + sizeof(prefix) - 1
               : NULL;
}

/* ---- what it prints ----
 *
 *   Acquired resource 'NAME' (EXPORTER/GROUP/CLASS/NAME):
 *     {'acquired': 'PLACE',
 *      'avail': True,
 *      'params': {'extra': {...}, 'host': 'lab', 'port': 41233, 'speed': 115200}}
 *
 * one after another; a power port has a host and a port as well.
 */

static const char heading[] = "Acquired resource '";

/* The value behind 'key': within the text, without quotes; NULL when it is not there. */
static const char *value_of(const char *text, const char *key, size_t *ret_n)
{
    char quoted[32];
    const char *at;

    (void)snprintf(quoted, sizeof(quoted), "'%s':", key);
    at = strstr(text, quoted);
    if (at == NULL)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " '");
    *ret_n = strcspn(at, "',}\n");
    return at;
}

static bool take_address(const char *section, char ret_address[static LABGRID_ADDRESS])
{
    static const char host_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789.-_";
    size_t host_n = 0, port_n = 0;
    const char *host = value_of(section, "host", &host_n);
    const char *port = value_of(section, "port", &port_n);
    unsigned long number;

    if (host == NULL || port == NULL || host_n == 0 || host_n > HOST_MAX || port_n == 0 ||
        port_n > 5 || strspn(host, host_bytes) < host_n || strspn(port, "0123456789") < port_n)
        return false;
    number = strtoul(port, NULL, 10);
    if (number == 0 || number > 65535)
        return false;
    (void)snprintf(ret_address, LABGRID_ADDRESS, "%.*s:%lu", (int)host_n, host, number);
    return true;
}

/* Its first line names the class. */
static bool is_serial_port(const char *section)
{
    const char *class_part = strstr(section, "/NetworkSerialPort/");

    return class_part != NULL && class_part < section + strcspn(section, "\n");
}

int labgrid_parse(const char *text, char ret_address[static LABGRID_ADDRESS], struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    char found[LABGRID_ADDRESS] = "";
    const char *next;

    for (const char *at = strstr(text, heading); at != NULL; at = next) {
        const char *section;

        next = strstr(at + sizeof(heading) - 1, heading);
        section = arena_strndup(&arena, at, next != NULL ? (size_t)(next - at) : strlen(at));
        if (!is_serial_port(section))
            continue;
        if (found[0] != '\0')
            return err_set(err, ERR_LAB, "it has more than one NetworkSerialPort");
        if (strstr(section, "'avail': False") != NULL)
            return err_set(err, ERR_LAB, "its NetworkSerialPort is not available now");
        if (!take_address(section, found))
            return err_set(err, ERR_LAB, "its NetworkSerialPort has no host and port");
    }
    if (found[0] == '\0')
        return err_set(err, ERR_LAB, "it has no NetworkSerialPort");
    (void)snprintf(ret_address, LABGRID_ADDRESS, "%s", found);
    return 0;
}

/* ---- the client ---- */

static int ask(const struct labgrid *g, const char *verb, struct buf *ret, struct err *err)
{
    const char *argv[CLIENT_WORDS + 4];
    const struct command c = {.argv = argv, .timeout_ms = CLIENT_MS};
    size_t n = 0;

    for (; g->client[n] != NULL && n < CLIENT_WORDS; n++)
        argv[n] = g->client[n];
    argv[n++] = "-p";
    argv[n++] = g->place;
    argv[n++] = verb;
    argv[n] = NULL;
    return command_check(&c, ret, err);
}

static void mark_name(const char *place, char name[static LABGRID_PLACE + 16])
{
    (void)snprintf(name, LABGRID_PLACE + 16, "labgrid:%s", place);
    for (char *p = name; *p != '\0'; p++) {
        if (*p == '/')
            *p = '_';
    }
}

/* Before the place is acquired, so that no kill comes between the two. */
static int acquire(struct labgrid *g, const char *locks, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    char name[LABGRID_PLACE + 16];
    const char *const names[] = {name};
    bool left;

    mark_name(g->place, name);
    left = lease_left(locks, name);
    if (lease_take(locks, names, 1, "labgrid place", 0, &g->mark, err) < 0)
        return (int)err->code;

    if (ask(g, "acquire", &text, err) == 0) {
        g->acquired = true;
        return 0;
    }
    if (strstr(buf_text(&text), "You have already acquired") != NULL) {
        err_clear(err);
        g->acquired = left; /* by one of us that was killed, else by hand */
        return 0;
    }
    if (strstr(buf_text(&text), "acquired by") != NULL)
        err->code = ERR_BUSY;
    return (int)err->code;
}

static int check_place(const char *place, struct err *err)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.-_/";

    if (place[0] == '\0' || place[0] == '-' || strlen(place) >= LABGRID_PLACE ||
        place[strspn(place, bytes)] != '\0')
        return err_set(err, ERR_CONFIG, "'%.64s' cannot name a place of labgrid", place);
    return 0;
}

int labgrid_acquire(struct labgrid *g, const char *const *client, const char *place,
                    const char *locks, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    int r;

    if (client == NULL) {
        (void)err_set(err, ERR_CONFIG, "place '%s': the lab file names no 'labgrid' client", place);
        return err_hint(err, "labgrid: [labgrid-client, -x, \"coordinator:20408\"]");
    }
    if (check_place(place, err) < 0)
        return (int)err->code;
    *g = (struct labgrid){.client = client};
    (void)snprintf(g->place, sizeof(g->place), "%s", place);
    r = acquire(g, locks, err);
    if (r == 0)
        r = ask(g, "show", &text, err);
    if (r == 0)
        r = labgrid_parse(buf_text(&text), g->address, err);
    if (r < 0) {
        labgrid_release(g);
        return err_in(err, "labgrid place '%s'", place);
    }
    log_line(LOG_LAB, "labgrid place %s is at %s", place, g->address);
    return 0;
}

void labgrid_release(struct labgrid *g)
{
    struct err err = ERR_INIT;

    if (g->acquired && ask(g, "release", NULL, &err) < 0) {
        log_line(LOG_LAB, "labgrid place %s: %s", g->place, err.text);
        lease_release(g->mark); /* whoever comes next tries again */
    } else {
        lease_end(g->mark);
    }
    *g = (struct labgrid){.client = NULL};
}
