/*
 * `tinyrig bundle`: what a bug report needs, in one archive: the run with its logs, its suite, versions,
 * states of boards, what the lab looks like, and recorded sessions.
 *
 * The lab is described from a list of what may be said, never copied: what a later version adds to lab
 * files is left out until somebody has thought about it.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/base/command.h"
#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/text.h"
#include "harness/cli/archive.h"
#include "harness/cli/scratch.h"
#include "harness/cli/suite.h"
#include "harness/cli/verb.h"
#include "harness/cli/words.h"
#include "harness/lab/health.h"
#include "harness/store/store.h"

enum {
    TOOL_MS = 10000,
    TOOL_MAX = 2000,
    SUITE_MAX = 1024 * 1024,
    FILE_LIMIT = 128 * 1024 * 1024,
    BUNDLE_MAX = 512 * 1024 * 1024
};

struct bundle_arguments {
    struct common_options common; /* must be first */
    const char *output;
    const char *records;
};

static const struct option bundle_options[] = {
    {"output", 'o', OPTION_STRING, "FILE", "the archive (default: tinyrig-bundle.tar.gz)",
     offsetof(struct bundle_arguments, output)},
    {"records", 0, OPTION_STRING, "DIR", "sessions kept by 'run --record', put in as well",
     offsetof(struct bundle_arguments, records)},
    OPTION_LAB,
    OPTION_DB,
    {.name = NULL},
};

struct bundle {
    const struct bundle_arguments *arguments;
    struct context *context;
    const char *run;
    struct buf tar;
};

static int add(struct bundle *b, const char *name, const struct buf *text, struct err *err)
{
    return archive_add(&b->tar, arena_printf(&b->context->arena, "tinyrig-bundle/%s", name),
                       buf_text(text), text->len, err);
}

/* ---- versions ---- */

static void put_tool(const char *name, const char *option, struct buf *out)
{
    const char *const argv[] = {name, option, NULL};
    const struct command c = {.argv = argv, .timeout_ms = TOOL_MS, .output_max = TOOL_MAX};
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    int status = 0;

    buf_printf(out, "%s: ", name);
    if (command_run(&c, &text, &status, &err) < 0)
        buf_printf(out, "%s\n", err.text);
    else
        buf_printf(out, "%.*s\n", (int)strcspn(buf_text(&text), "\n"), buf_text(&text));
}

static int add_versions(struct bundle *b, struct err *err)
{
    AUTO_BUF out = BUF_INIT;
    struct utsname u;

    buf_printf(&out, "tinyrig %s\n", TINYRIG_VERSION);
    if (uname(&u) == 0) /* without its name */
        buf_printf(&out, "%s %s %s %s\n", u.sysname, u.release, u.version, u.machine);
    put_tool("qemu-system-arm", "--version", &out);
    put_tool("qemu-system-riscv32", "--version", &out);
    put_tool("openocd", "--version", &out);
    put_tool("arm-none-eabi-gcc", "--version", &out);
    return add(b, "versions.txt", &out, err);
}

/* ---- the lab: what may be said of it ---- */

/* Twins are told apart by it, and nobody finds the board by it. */
static void put_serial(struct buf *out, const char *key, const char *serial)
{
    char digest[65];

    if (serial == NULL)
        return;
    sha256_hex(serial, strlen(serial), digest);
    buf_printf(out, ", %s: sha256 %.8s", key, digest);
}

static void put_set(struct buf *out, const char *key, bool set)
{
    if (set)
        buf_printf(out, ", %s: (redacted)", key);
}

static void put_word(struct buf *out, const char *key, const char *word)
{
    if (word != NULL)
        buf_printf(out, ", %s: %s", key, word);
}

static void put_board(struct buf *out, const struct board *b)
{
    const struct board_transport *t = &b->transport;

    buf_printf(out, "  %s: board: %s, realm: %s", b->name, b->type, realm_name(b->realm));
    put_word(out, "transport", t->kind);
    buf_printf(out, ", baud: %u", t->baud);
    put_set(out, "where", t->where != NULL);
    put_serial(out, "usb_serial", t->usb_serial);
    put_serial(out, "probe", b->openocd.serial);
    put_serial(out, "uid", b->uid);
    put_word(out, "method", b->flashing.method);
    put_set(out, "command", b->flashing.command != NULL);
    put_word(out, "meter", b->meter);
    put_word(out, "power", b->power);
    put_set(out, "maintenance", b->maintenance != NULL);
    buf_putc(out, '\n');
}

static int add_lab(struct bundle *b, struct err *err)
{
    const struct lab *lab = b->context->lab;
    AUTO_BUF out = BUF_INIT;

    buf_printf(&out, "lab: %s%s\n", lab->name, lab->path == NULL ? " (no lab file)" : "");
    for (size_t i = 0; i < lab->board_count; i++)
        put_board(&out, lab->boards[i]);
    buf_printf(&out, "meters: %zu\n", lab->meter_count);
    for (size_t i = 0; i < lab->meter_count; i++) {
        const struct lab_meter *m = &lab->meters[i];

        buf_printf(&out, "  %s: driver: %s, channels: %u, voltage: %u uV", m->name, m->driver,
                   m->channels, m->voltage_uv);
        put_word(&out, "mode", m->mode);
        put_set(&out, "where", m->where != NULL);
        put_serial(&out, "serial", m->serial);
        put_set(&out, "mux", m->mux != NULL);
        buf_putc(&out, '\n');
    }
    buf_printf(&out, "power: %zu\n", lab->power_count);
    for (size_t i = 0; i < lab->power_count; i++)
        buf_printf(&out, "  %s: kind: %s, off_time: %llu ms\n", lab->powers[i].name,
                   lab->powers[i].kind, (unsigned long long)lab->powers[i].off_time_ns / 1000000);
    return add(b, "lab.txt", &out, err);
}

/* ---- states of boards ---- */

static int add_states(struct bundle *b, struct err *err)
{
    const struct lab *lab = b->context->lab;
    AUTO_BUF out = BUF_INIT;
    struct err unread = ERR_INIT;
    char folder[HEALTH_PATH];

    if (health_folder(folder, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < lab->board_count; i++) {
        struct health h;

        if (health_read(folder, lab->boards[i]->name, &h, &unread) < 0) {
            buf_printf(&out, "%s: %s\n", lab->boards[i]->name, unread.text);
            err_clear(&unread);
            continue;
        }
        if (h.attempts > 0 || h.state != BOARD_GOOD)
            buf_printf(&out, "%s: %s, %llu of %llu attempts faulty, %llu recoveries; %s\n",
                       lab->boards[i]->name, board_state_name(h.state),
                       (unsigned long long)h.faults, (unsigned long long)h.attempts,
                       (unsigned long long)h.recoveries, h.reason);
    }
    return add(b, "boards.txt", &out, err);
}

/* ---- the run and its suite ---- */

static int add_report(struct bundle *b, const struct scratch *s, struct err *err)
{
    const char *path = arena_printf(&b->context->arena, "%s/run.json", s->path);
    AUTO_BUF text = BUF_INIT;
    struct words w = {.count = 0};

    words_add(&w, NULL, b->run);
    words_add_common(&w, &b->arguments->common, WORDS_DB);
    words_add(&w, "--format", "json");
    words_add(&w, "--output", path);
    words_add(&w, NULL, "--details");
    if (words_do("report", &w, err) < 0 || file_read(path, FILE_LIMIT, &text, err) < 0)
        return (int)err->code;
    return add(b, "run.json", &text, err);
}

static bool has_digest(const struct buf *text, const char *digest)
{
    char now[65];

    sha256_hex(buf_text(text), text->len, now);
    return digest != NULL && strcmp(now, digest) == 0;
}

/*
 * Only what was measured: a database that came from elsewhere may name any file of this host as its
 * suite, and a relative path is another file in another folder.
 */
static int add_suite(struct bundle *b, struct err *err)
{
    const struct store_selection selection = {.run = b->run};
    AUTO(store_close_auto) struct store *s = NULL;
    AUTO_BUF text = BUF_INIT;
    struct err unread = ERR_INIT;
    struct dataset d;

    if (store_open(b->context->database, STORE_READ, &s, err) < 0 ||
        store_query(s, &selection, &b->context->arena, &d, err) < 0)
        return (int)err->code;
    if (d.run_count == 0 || d.runs[0].suite_path == NULL)
        return 0;
    if (file_read(suite_of_run(&d.runs[0]), SUITE_MAX, &text, &unread) < 0) {
        buf_clear(&text);
        buf_printf(&text, "# could not be read any more: %s\n", unread.text);
    } else if (!has_digest(&text, d.runs[0].suite_digest)) {
        buf_clear(&text);
        buf_printf(&text, "# %s is not what was measured: left out\n", d.runs[0].suite_path);
    }
    return add(b, "suite.yaml", &text, err);
}

static int add_run(struct bundle *b, struct err *err)
{
    AUTO(scratch_remove) struct scratch s = {.path = ""};

    if (scratch_make(&s, err) < 0 || add_report(b, &s, err) < 0)
        return (int)err->code;
    return add_suite(b, err);
}

/* ---- recorded sessions ---- */

static int is_record(const struct dirent *e)
{
    const size_t n = strlen(e->d_name);

    return n > 8 && strcmp(e->d_name + n - 8, ".session") == 0;
}

static int add_record(struct bundle *b, const char *name, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    struct arena *arena = &b->context->arena;

    if (file_read(arena_printf(arena, "%s/%s", b->arguments->records, name), FILE_LIMIT, &text,
                  err) < 0)
        return (int)err->code;
    return add(b, arena_printf(arena, "records/%s", name), &text, err);
}

static int add_records(struct bundle *b, struct err *err)
{
    struct dirent **entries = NULL;
    int count, r = 0;

    if (b->arguments->records == NULL)
        return 0;
    count = scandir(b->arguments->records, &entries, is_record, alphasort);
    if (count < 0)
        return err_set(err, ERR_USAGE, "--records: '%s' cannot be read", b->arguments->records);
    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = add_record(b, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    if (count == 0)
        return err_set(err, ERR_USAGE, "--records: '%s' has no recorded session",
                       b->arguments->records);
    return r;
}

/* ---- the command ---- */

static int bundle_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct bundle_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    const char *output = a->output != NULL ? a->output : "tinyrig-bundle.tar.gz";
    struct bundle b = {.arguments = a,
                       .context = &c,
                       .run = argc > 0 ? argv[0] : "last",
                       .tar = {.limit = BUNDLE_MAX}};
    int r;

    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0)
        return (int)err->code;
    r = add_versions(&b, err);
    if (r == 0)
        r = add_lab(&b, err);
    if (r == 0)
        r = add_states(&b, err);
    if (r == 0)
        r = add_run(&b, err);
    if (r == 0)
        r = add_records(&b, err);
    if (r == 0)
        r = archive_write(&b.tar, output, err);
    buf_release(&b.tar);
    if (r == 0)
        (void)printf("%s: look through it before you send it\n", output);
    return r;
}

const struct verb verb_bundle = {
    .name = "bundle",
    .arguments = "[RUN]",
    .summary = "pack what a bug report needs: run, logs, versions, the lab without its secrets",
    .details = "RUN is a selection as of 'report'; the newest run without it. Of the lab file only "
               "names,\n"
               "kinds and drivers are said: commands, addresses and comments are left out, serial "
               "numbers\n"
               "are digests. Sessions of 'run --record DIR' come along with --records DIR and "
               "replay with\n"
               "'run --replay'. Equal contents make equal archives.",
    .options = bundle_options,
    .arguments_max = 1,
    .run = bundle_run,
};
