#include "harness/lab/health.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"

enum {
    FILE_MAX = 4096
};

static const char *const state_names[] = {
#define X(name, word) [name] = (word),
    BOARD_STATE_LIST(X)
#undef X
};

const char *board_state_name(enum board_state state)
{
    return (size_t)state < ARRAY_SIZE(state_names) ? state_names[state] : "?";
}

/* ---- changes ---- */

void health_set(struct health *h, enum board_state state, const char *by, const char *reason,
                uint64_t now_ns)
{
    if (state == BOARD_GOOD && h->state != BOARD_SUSPECT)
        h->attempts = h->faults = h->recoveries = 0; /* a new life */
    if (state == BOARD_GOOD)
        h->in_row = 0;
    h->state = state;
    h->since_ns = now_ns;
    (void)snprintf(h->by, sizeof(h->by), "%s", by);
    (void)snprintf(h->reason, sizeof(h->reason), "%s", reason != NULL ? reason : "");
}

void health_attempt(struct health *h, bool lab_fault, uint64_t now_ns)
{
    h->attempts++;
    h->faults += lab_fault;
    h->in_row = lab_fault ? h->in_row + 1 : 0;
    if (!lab_fault && h->state == BOARD_SUSPECT)
        health_set(h, BOARD_GOOD, "tinyrig", "", now_ns);
    if (lab_fault && h->state == BOARD_GOOD)
        health_set(h, BOARD_SUSPECT, "tinyrig", "a lab fault", now_ns);
    if (h->in_row >= HEALTH_FAULTS_IN_ROW && h->state == BOARD_SUSPECT)
        health_set(h, BOARD_QUARANTINED, "tinyrig", "nothing but lab faults", now_ns);
}

/* A person's word stands: maintenance ends by a person only. */
void health_checked(struct health *h, bool passed, const char *reason, uint64_t now_ns)
{
    h->checked_ns = now_ns;
    h->check_passed = passed;
    if (h->state == BOARD_MAINTENANCE)
        return;
    if (passed && h->state != BOARD_GOOD)
        health_set(h, BOARD_GOOD, "tinyrig", "health check passed", now_ns);
    if (!passed)
        health_set(h, BOARD_QUARANTINED, "tinyrig", reason, now_ns);
}

double health_flake_rate(const struct health *h)
{
    return h->attempts > 0 ? (double)h->faults / (double)h->attempts : 0;
}

/* ---- the file: "key value" lines ---- */

struct field {
    const char *key;
    size_t offset;
    size_t size; /* of a text; 0: a uint64_t */
};

#define NUMBER(name)                                                                               \
    {                                                                                              \
#name, offsetof(struct health, name), 0                                                    \
    }
#define TEXT(name)                                                                                 \
    {                                                                                              \
#name, offsetof(struct health, name), sizeof(((struct health *)0)->name)                   \
    }
static const struct field fields[] = {
    NUMBER(since_ns),   TEXT(by),        TEXT(reason),      NUMBER(attempts), NUMBER(faults),
    NUMBER(recoveries), NUMBER(last_ns), TEXT(last_status), TEXT(last_key),   NUMBER(checked_ns),
};

static void put_text(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s ", key);
    text_escape(out, value, strlen(value));
    buf_putc(out, '\n');
}

static void print_health(const struct health *h, struct buf *out)
{
    put_text(out, "state", board_state_name(h->state));
    buf_printf(out, "in_row %u\ncheck_passed %d\n", h->in_row, h->check_passed);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        const void *at = (const char *)h + fields[i].offset;

        if (fields[i].size > 0)
            put_text(out, fields[i].key, at);
        else
            buf_printf(out, "%s %llu\n", fields[i].key, (unsigned long long)*(const uint64_t *)at);
    }
}

static bool take_state(const char *word, enum board_state *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(state_names); i++) {
        if (strcmp(state_names[i], word) == 0) {
            *ret = (enum board_state)i;
            return true;
        }
    }
    return false;
}

/* One line; keys of a newer program are passed over. */
static bool take_line(struct health *h, const char *key, const char *value)
{
    uint64_t n = 0;

    if (strcmp(key, "state") == 0)
        return take_state(value, &h->state);
    if (strcmp(key, "in_row") == 0 || strcmp(key, "check_passed") == 0) {
        if (!text_to_u64(value, &n) || n > UINT32_MAX)
            return false;
        if (key[0] == 'i')
            h->in_row = (uint32_t)n;
        else
            h->check_passed = n != 0;
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        char *at = (char *)h + fields[i].offset;

        if (strcmp(fields[i].key, key) != 0)
            continue;
        if (fields[i].size == 0)
            return text_to_u64(value, (uint64_t *)(void *)at);
        (void)snprintf(at, fields[i].size, "%s", value);
    }
    return true;
}

static bool parse_health(char *text, struct health *ret)
{
    char *save = NULL;
    bool has_state = false;

    *ret = (struct health){.state = BOARD_GOOD};
    for (char *line = strtok_r(text, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, ' ');

        if (value == NULL)
            return false;
        *value++ = '\0';
        if (!take_line(ret, line, value))
            return false;
        has_state = has_state || strcmp(line, "state") == 0;
    }
    return has_state;
}

static int state_path(const char *folder, const char *board, const char *suffix,
                      char path[static HEALTH_PATH], struct err *err)
{
    if (board[0] == '\0' || board[0] == '.' || strchr(board, '/') != NULL)
        return err_set(err, ERR_CONFIG, "'%s' cannot name a board's state", board);
    if (snprintf(path, HEALTH_PATH, "%s/board-%s.%s", folder, board, suffix) >= HEALTH_PATH)
        return err_set(err, ERR_CONFIG, "board name '%s' too long", board);
    return 0;
}

int health_read(const char *folder, const char *board, struct health *ret, struct err *err)
{
    AUTO_BUF data = BUF_INIT;
    char path[HEALTH_PATH];

    if (state_path(folder, board, "state", path, err) < 0)
        return (int)err->code;
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        *ret = (struct health){.state = BOARD_GOOD};
        return 0;
    }
    if (file_read(path, FILE_MAX, &data, err) < 0)
        return (int)err->code;
    buf_putc(&data, '\n');
    if (memchr(data.data, '\0', data.len) != NULL || !parse_health(data.data, ret)) {
        (void)err_set(err, ERR_LAB, "%s: not a state of a board", path);
        return err_hint(err, "look at it; when it is deleted, the board is good and unknown");
    }
    return 0;
}

int health_update(const char *folder, const char *board, health_change_fn *change, void *context,
                  struct err *err)
{
    AUTO(fd_close) int lock = -1;
    AUTO_BUF text = BUF_INIT;
    char path[HEALTH_PATH];
    struct health h;

    if (state_path(folder, board, "state-lock", path, err) < 0)
        return (int)err->code;
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (lock >= 0)
        (void)fchmod(lock, 0660); /* the lab's group shares it, whatever the umask */
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        return err_sys(err, errno, "%s", path);
    if (health_read(folder, board, &h, err) < 0 ||
        state_path(folder, board, "state", path, err) < 0)
        return (int)err->code;
    change(context, &h);
    print_health(&h, &text);
    return file_write_atomic(path, buf_text(&text), text.len, err);
}

static int try_folder(const char *base, const char *rest, char path[static HEALTH_PATH])
{
    struct err ignored = ERR_INIT;

    if (base == NULL || base[0] != '/' ||
        snprintf(path, HEALTH_PATH, "%s%s", base, rest) >= HEALTH_PATH)
        return 1;
    return file_make_dirs(path, &ignored) < 0 || access(path, R_OK | W_OK | X_OK) != 0;
}

int health_folder(char path[static HEALTH_PATH], struct err *err)
{
    const char *named = getenv("TINYRIG_STATE_DIR");
    const struct {
        const char *base, *rest;
    } places[] = {
        {getenv("TINYRIG_LOCK_DIR"), ""},
        {"/var/lib/tinyrig", ""},
        {getenv("XDG_STATE_HOME"), "/tinyrig"},
        {getenv("HOME"), "/.local/state/tinyrig"},
        {"/tmp/tinyrig-state", ""},
    };

    /* Never another one in its place: there, no board is in quarantine. */
    if (named != NULL && *named != '\0') {
        if (try_folder(named, "", path) == 0)
            return 0;
        (void)err_set(err, ERR_LAB, "TINYRIG_STATE_DIR '%s' is no folder that can be written",
                      named);
        return err_hint(err, "an absolute path is needed, and rights there");
    }
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (try_folder(places[i].base, places[i].rest, path) == 0)
            return 0;
    }
    return err_set(err, ERR_LAB, "no folder for the state of boards can be written");
}
