/*
 * `tinyrig lab slurm`: files that make a Slurm cluster of the lab's boards, one node per board. The
 * scheduling is Slurm's; ours are the node lines, the scripts around jobs, and the jobs themselves
 * (slurm/, compiled in; here they only learn where they are).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/embed.h"
#include "harness/base/file.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/lab/health.h"
#include "harness/lab/lease.h"

extern const struct embedded_file slurm_files[];
extern const size_t slurm_files_count;

enum {
    FIRST_PORT = 26830,
    LAST_PORT = 65535
};

struct lab_arguments {
    struct common_options common; /* must be first */
    const char *output;
    const char *host;
    const char *address;
    const char *conf;
    uint64_t port;
};

static const struct option lab_options[] = {
    {"output", 'o', OPTION_STRING, "DIR", "where the files go (default: slurm)",
     offsetof(struct lab_arguments, output)},
    {"host", 0, OPTION_STRING, "NAME", "the boards' host, as Slurm calls it (default: this one)",
     offsetof(struct lab_arguments, host)},
    {"address", 0, OPTION_STRING, "ADDR", "its address (default: the host's name)",
     offsetof(struct lab_arguments, address)},
    {"conf", 0, OPTION_STRING, "FILE", "the cluster's slurm.conf, when it is not where Slurm looks",
     offsetof(struct lab_arguments, conf)},
    {"port", 0, OPTION_NUMBER, "N", "of the first node's slurmd; the others follow (26830)",
     offsetof(struct lab_arguments, port)},
    OPTION_LAB,
    {.name = NULL},
};

struct writer {
    const struct lab_arguments *arguments;
    struct context *context;
    const char *host;
    char folder[1024];  /* absolute */
    char program[1024]; /* this one */
    char lab[1024];     /* absolute; "": none */
    char state[HEALTH_PATH];
    char locks[256];
};

/* 'it'\''s': one word for a shell whatever it holds. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_putc(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '\'');
}

static void put_variable(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s=", name);
    put_quoted(out, value);
    buf_putc(out, '\n');
}

static int put_file(const struct writer *w, const char *name, mode_t mode, const struct buf *text,
                    struct err *err)
{
    char path[1200];

    (void)snprintf(path, sizeof(path), "%s/%s", w->folder, name);
    if (file_write_atomic(path, buf_text(text), text->len, err) < 0)
        return (int)err->code;
    return chmod(path, mode) < 0 ? err_sys(err, errno, "%s", path) : 0;
}

/* What is out of service by the lab file is no node; what is by command is one, drained. */
static bool is_node(const struct board *b)
{
    return b->maintenance == NULL;
}

/* ---- nodes-HOST.conf: every host has its own ---- */

static void put_features(const struct board *b, struct buf *out)
{
    buf_printf(out, " Features=%s", b->type);
    for (size_t i = 0; b->tags != NULL && b->tags[i] != NULL; i++) {
        if (strcmp(b->tags[i], b->type) != 0)
            buf_printf(out, ",%s", b->tags[i]);
    }
    if (b->meter != NULL)
        buf_printf(out, ",power,meter-%s", b->meter);
}

static int put_nodes(const struct writer *w, struct err *err)
{
    const struct lab_arguments *a = w->arguments;
    const struct lab *lab = w->context->lab;
    AUTO_BUF out = BUF_INIT;
    uint64_t port = a->port != 0 ? a->port : FIRST_PORT;
    char name[128];

    buf_printf(&out, "# Boards of %s. Made by `tinyrig lab slurm`; do not edit.\n", w->host);
    for (size_t i = 0; i < lab->board_count; i++) {
        if (!is_node(lab->boards[i]))
            continue;
        if (port > LAST_PORT)
            return err_set(err, ERR_USAGE, "--port: not enough ports above it for all boards");
        buf_printf(&out,
                   "NodeName=%s NodeHostname=%s NodeAddr=%s Port=%llu CPUs=1 RealMemory=64"
                   " State=UNKNOWN",
                   lab->boards[i]->name, w->host, a->address != NULL ? a->address : w->host,
                   (unsigned long long)port++);
        put_features(lab->boards[i], &out);
        buf_putc(&out, '\n');
    }
    (void)snprintf(name, sizeof(name), "nodes-%s.conf", w->host);
    return put_file(w, name, 0644, &out, err);
}

/* ---- slurm.conf.part ---- */

static void put_here(const struct writer *w, const char *text, struct buf *out)
{
    const char *at;

    while ((at = strstr(text, "@HERE@")) != NULL) {
        buf_append(out, text, (size_t)(at - text));
        buf_puts(out, w->folder);
        text = at + strlen("@HERE@");
    }
    buf_puts(out, text);
}

static int put_conf(const struct writer *w, const char *text, struct err *err)
{
    const struct lab *lab = w->context->lab;
    AUTO_BUF out = BUF_INIT;

    put_here(w, text, &out);
    for (size_t i = 0; i < lab->meter_count; i++)
        buf_printf(&out, "%smeter-%s:1", i == 0 ? "Licenses=" : ",", lab->meters[i].name);
    buf_printf(&out, "%sinclude %s/nodes-%s.conf\n", lab->meter_count > 0 ? "\n" : "", w->folder,
               w->host);
    return put_file(w, "slurm.conf.part", 0644, &out, err);
}

/* ---- scripts ---- */

static void put_head(const struct writer *w, struct buf *out)
{
    buf_puts(out, "#!/bin/sh\n# Made by `tinyrig lab slurm`; do not edit.\n");
    put_variable(out, "tinyrig", w->program);
    put_variable(out, "here", w->folder);
    if (w->lab[0] != '\0')
        put_variable(out, "export TINYRIG_LAB", w->lab);
    if (w->arguments->conf != NULL)
        put_variable(out, "export SLURM_CONF", w->arguments->conf);
    put_variable(out, "export TINYRIG_STATE_DIR", w->state);
    put_variable(out, "export TINYRIG_LOCK_DIR", w->locks);
}

static void put_say(struct buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(out, "    say %s ", name);
    put_quoted(out, value);
    buf_putc(out, '\n');
}

/* What it prints is the environment of a job: which board the job has. */
static int put_taskprolog(const struct writer *w, struct err *err)
{
    const struct lab *lab = w->context->lab;
    AUTO_BUF out = BUF_INIT;

    put_head(w, &out);
    buf_puts(&out, "say() { printf 'export %s=%s\\n' \"$1\" \"$2\"; }\n"
                   "[ -z \"${TINYRIG_LAB:-}\" ] || say TINYRIG_LAB \"$TINYRIG_LAB\"\n"
                   "say TINYRIG_STATE_DIR \"$TINYRIG_STATE_DIR\"\n"
                   "say TINYRIG_LOCK_DIR \"$TINYRIG_LOCK_DIR\"\n"
                   "case $SLURMD_NODENAME in\n");
    for (size_t i = 0; i < lab->board_count; i++) {
        const struct board *b = lab->boards[i];

        if (!is_node(b))
            continue;
        buf_printf(&out, "%s)\n", b->name);
        put_say(&out, "BOARD", b->name);
        put_say(&out, "BOARD_TYPE", b->type);
        put_say(&out, "BOARD_SERIAL", b->transport.usb_serial);
        put_say(&out, "BOARD_TTY", b->transport.where);
        put_say(&out, "BOARD_PROBE", b->openocd.serial);
        put_say(&out, "BOARD_METER", b->meter);
        buf_puts(&out, "    ;;\n");
    }
    buf_puts(&out, "esac\n");
    return put_file(w, "taskprolog.sh", 0755, &out, err);
}

static int put_script(const struct writer *w, const struct embedded_file *f, struct err *err)
{
    AUTO_BUF out = BUF_INIT;

    put_head(w, &out);
    buf_puts(&out, f->text);
    return put_file(w, f->name, 0755, &out, err);
}

static int put_files(const struct writer *w, struct err *err)
{
    for (size_t i = 0; i < slurm_files_count; i++) {
        const struct embedded_file *f = &slurm_files[i];
        const int r = strcmp(f->name, "slurm.conf.part") == 0 ? put_conf(w, f->text, err)
                                                              : put_script(w, f, err);

        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the command ---- */

static int absolute(const char *path, char ret[static 1024], struct err *err)
{
    char real[4096];

    if (realpath(path, real) == NULL)
        return err_sys(err, errno, "%s", path);
    if (snprintf(ret, 1024, "%s", real) >= 1024)
        return err_set(err, ERR_CONFIG, "%s: path too long", path);
    return 0;
}

/* Words of slurm.conf: no quoting there. */
static int check_word(const char *option, const char *word, struct err *err)
{
    if (word[0] != '\0' && word[strcspn(word, " \t\r\n#=,'\"\\")] == '\0')
        return 0;
    return err_set(err, ERR_USAGE, "--%s: '%s' cannot stand in slurm.conf", option, word);
}

static int find_places(struct writer *w, struct err *err)
{
    const char *folder = w->arguments->output != NULL ? w->arguments->output : "slurm";

    if (file_make_dirs(folder, err) < 0 || health_folder(w->state, err) < 0 ||
        lease_default_folder(w->locks, err) < 0 || absolute(folder, w->folder, err) < 0 ||
        absolute("/proc/self/exe", w->program, err) < 0)
        return (int)err->code;
    return w->context->lab->path != NULL ? absolute(w->context->lab->path, w->lab, err) : 0;
}

static int lab_slurm(const struct lab_arguments *a, struct context *c, struct err *err)
{
    struct writer w = {.arguments = a, .context = c};
    char own[64] = "localhost";

    (void)gethostname(own, sizeof(own) - 1);
    w.host = a->host != NULL ? a->host : own;
    if (find_places(&w, err) < 0 || check_word("output", w.folder, err) < 0 ||
        check_word("host", w.host, err) < 0 ||
        (a->conf != NULL && check_word("conf", a->conf, err) < 0) ||
        (a->address != NULL && check_word("address", a->address, err) < 0))
        return (int)err->code;
    if (a->conf != NULL && a->conf[0] != '/')
        return err_set(err, ERR_USAGE, "--conf: '%s' is not an absolute path", a->conf);
    if (strchr(w.host, '/') != NULL || strlen(w.host) > 64)
        return err_set(err, ERR_USAGE, "--host: '%s' is no host's name", w.host);
    if (put_nodes(&w, err) < 0 || put_taskprolog(&w, err) < 0 || put_files(&w, err) < 0)
        return (int)err->code;
    (void)printf("%s: append slurm.conf.part to slurm.conf, start a slurmd -N NAME per line of\n"
                 "nodes-%s.conf, then submit.sh SUITE.yaml RESULTS\n",
                 w.folder, w.host);
    return 0;
}

static int lab_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct lab_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};

    if (strcmp(argv[0], "slurm") != 0)
        return err_set(err, ERR_USAGE, "lab: expected slurm, got '%s'", argv[0]);
    if (context_init(&c, &a->common, err) < 0 || context_load_lab(&c, &a->common, err) < 0)
        return (int)err->code;
    return lab_slurm(a, &c, err);
}

const struct verb verb_lab = {
    .name = "lab",
    .arguments = "slurm",
    .summary = "write the files of a Slurm cluster with a node per board",
    .details =
        "nodes-HOST.conf, slurm.conf.part, prolog, health and epilog scripts, a table that\n"
        "tells jobs their board, and submit.sh: a job per board, requeued after lab faults\n"
        "(75), held when a board needs a person (76), and a last one that merges the results.\n"
        "Several hosts: run it on each with the same --output, and have slurm.conf include\n"
        "every nodes-*.conf and name the meters of all as licenses. Jobs and root share the\n"
        "state of boards: 'install -d -m 2775 -g GROUP /var/lib/tinyrig'.",
    .options = lab_options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = lab_run,
};
