#include "harness/lab/session_replay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"

enum {
    STAMP = 19 /* digits of a time in ns since 1970, until the year 2286 */
};

/* ---- the flash method ---- */

static int do_nothing(const struct flash_job *job, struct err *err)
{
    (void)job;
    (void)err;
    return 0;
}

static int program_nothing(const struct flash_job *job, struct err *err)
{
    return do_nothing(job, err);
}

static int write_nothing(const struct flash_job *job, const void *data, size_t size,
                         uint32_t address, struct err *err)
{
    (void)job;
    (void)data;
    (void)size;
    (void)address;
    (void)err;
    return 0;
}

void session_replay_method(struct session *s)
{
    const struct flash_ops *then = s->flash;

    s->replay_flash = (struct flash_ops){
        .name = "replay",
        .help = then->help,
        .program = then->program == flash_find("none")->program ? then->program : program_nothing,
        .restart = then->restart != NULL || session_over_swd(s) ? do_nothing : NULL,
        .write = then->write != NULL ? write_nothing : NULL,
        .needs_probe = then->needs_probe,
    };
    s->flash = &s->replay_flash;
}

/* ---- the ladder ---- */

static int rung(void *context, struct err *err)
{
    (void)context;
    (void)err;
    return 0;
}

static int rung_reflash(void *context, const char *firmware, struct err *err)
{
    (void)firmware;
    (void)err;
    session_hang_up(context);
    return 0;
}

void session_replay_means(struct session *s, bool is_virtual)
{
    const bool probe = s->flash->needs_probe || session_over_swd(s);

    if (is_virtual || probe)
        s->means.reset = rung;
    if (probe)
        s->means.connect_under_reset = rung;
    if (is_virtual)
        s->means.power_cycle = rung;
    if (is_virtual || s->flash->program == program_nothing)
        s->means.reflash = rung_reflash;
}

/* ---- the records ---- */

/* "BOARD-1795858221000000000-nonce123.session"; false when it is another file. */
static bool is_record(const char *name, const char *board, uint64_t *ret_nonce)
{
    const size_t n = strlen(board);
    const char *stamp = name + n + 1;
    char digits[8];
    size_t count;

    if (strncmp(name, board, n) != 0 || name[n] != '-' || strspn(stamp, "0123456789") != STAMP ||
        strncmp(stamp + STAMP, "-nonce", 6) != 0)
        return false;
    count = strspn(stamp + STAMP + 6, "0123456789");
    if (count == 0 || count >= sizeof(digits) || strcmp(stamp + STAMP + 6 + count, ".session") != 0)
        return false;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)count, stamp + STAMP + 6);
    return text_to_u64(digits, ret_nonce) && *ret_nonce > 0 && *ret_nonce <= UINT16_MAX;
}

int session_replay_next(struct session *s, char path[static SESSION_PATH], uint16_t *ret_nonce,
                        struct err *err)
{
    struct dirent **entries = NULL;
    const char *folder = s->options.replay_dir;
    const int count = scandir(folder, &entries, NULL, alphasort);
    unsigned wanted = s->replayed++;
    uint64_t nonce = 0;
    int r = 1;

    if (count < 0)
        return err_set(err, ERR_USAGE, "--replay: '%s' cannot be read", folder);
    for (int i = 0; i < count; i++) {
        if (r > 0 && is_record(entries[i]->d_name, s->board->name, &nonce) && wanted-- == 0)
            r = snprintf(path, SESSION_PATH, "%s/%s", folder, entries[i]->d_name) >= SESSION_PATH
                    ? err_set(err, ERR_CONFIG, "'%s': path too long", folder)
                    : 0;
        free(entries[i]);
    }
    free(entries);
    if (r > 0)
        return err_set(err, ERR_IO, "'%s' has no %s record of board '%s'", folder,
                       s->replayed > 1 ? "further" : "", s->board->name);
    *ret_nonce = (uint16_t)nonce;
    return r;
}
