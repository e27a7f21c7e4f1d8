/* `tinyrig db`, `tag` and `merge`: care of the results database. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/store/store.h"
#include "harness/trace/trace.h"

struct db_arguments {
    struct common_options common;
    const char *output;
    uint64_t older_ns;
    bool keep_tagged;
    bool dry_run;
    bool whole_runs;
};

static const struct option db_options[] = {
    {"output", 'o', OPTION_STRING, "FILE", "for backup and vacuum: the new file",
     offsetof(struct db_arguments, output)},
    {"older", 0, OPTION_DURATION, "TIME", "for prune: only runs older than this, such as 30d",
     offsetof(struct db_arguments, older_ns), OPTION_AGE_MAX},
    {"keep-tagged", 0, OPTION_FLAG, NULL,
     "for prune: leave runs whole that are tagged (of the gate's, the newest)",
     offsetof(struct db_arguments, keep_tagged)},
    {"whole-runs", 0, OPTION_FLAG, NULL, "for prune: delete the runs, summaries included",
     offsetof(struct db_arguments, whole_runs)},
    {"dry-run", 'n', OPTION_FLAG, NULL, "for prune: count, change nothing",
     offsetof(struct db_arguments, dry_run)},
    OPTION_DB,
    {.name = NULL},
};

static int db_info(const struct db_arguments *a, struct store *s, struct err *err)
{
    struct store_info info;
    char size[32];
    char spare[32];

    if (store_info(s, &info, err) < 0)
        return (int)err->code;
    text_format_bytes(info.file_bytes, size);
    text_format_bytes(info.free_bytes, spare);
    (void)printf("%s: schema %d, %s (%s to give back)\n"
                 "%llu runs, %llu attempts, %llu windows, %llu measurements, %llu blobs\n",
                 store_path(s), info.schema, size, spare, (unsigned long long)info.runs,
                 (unsigned long long)info.attempts, (unsigned long long)info.windows,
                 (unsigned long long)info.measurements, (unsigned long long)info.blobs);
    return 0;
}

static void put_run(const struct dataset *d, const struct data_run *r)
{
    AUTO_BUF line = BUF_INIT;
    size_t passed = 0, cases = 0;
    char at[21];

    for (size_t i = 0; i < d->case_count; i++) {
        if (strcmp(d->cases[i].run_id, r->run_id) != 0)
            continue;
        cases += d->cases[i].status != CASE_SKIPPED;
        passed += d->cases[i].status == CASE_PASSED;
    }
    clock_format_utc(r->started_ns, at);
    buf_printf(&line, "%.8s  %s  ", r->run_id, at);
    text_escape(&line, r->suite, strlen(r->suite));
    buf_printf(&line, "  %zu of %zu passed%s", passed, cases,
               r->ended_ns == 0 ? ", not finished" : "");
    for (size_t i = 0; i < r->tag_count; i++) {
        buf_puts(&line, i == 0 ? "  " : ", ");
        text_escape(&line, r->tags[i], strlen(r->tags[i]));
    }
    (void)puts(buf_text(&line));
}

static int db_runs(const struct db_arguments *a, struct store *s, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct store_selection all = {.run = "all"};
    struct dataset d;

    if (store_query(s, &all, &arena, &d, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < d.run_count; i++)
        put_run(&d, &d.runs[i]);
    return 0;
}

static int db_check(const struct db_arguments *a, struct store *s, struct err *err)
{
    AUTO_BUF findings = BUF_INIT;
    const int r = store_check(s, &findings, err);

    if (r < 0)
        return r;
    if (r == 0)
        (void)printf("%s: sound\n", store_path(s));
    else
        (void)fputs(buf_text(&findings), stdout);
    return r;
}

static int need_output(const struct db_arguments *a, struct err *err)
{
    return a->output == NULL ? err_set(err, ERR_USAGE, "--output FILE is needed") : 0;
}

static int db_backup(const struct db_arguments *a, struct store *s, struct err *err)
{
    return need_output(a, err) < 0 ? (int)err->code : store_backup(s, a->output, err);
}

static int db_vacuum(const struct db_arguments *a, struct store *s, struct err *err)
{
    return a->output != NULL ? store_vacuum_into(s, a->output, err) : store_vacuum(s, err);
}

/* Raw traces, which are most of it, lie in a file of their own. */
static int prune_traces(struct store *s, const struct store_prune *p, uint64_t *ret_count,
                        struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO(trace_close_auto) struct trace_file *f = NULL;
    const char *path = arena_printf(&arena, "%s-traces", store_path(s));
    const struct store_span *kept;
    struct trace_span *spans;
    size_t count;

    if (access(path, F_OK) != 0)
        return 0;
    if (store_prune_kept(s, p, &arena, &kept, &count, err) < 0 ||
        trace_open(path, true, &f, err) < 0)
        return (int)err->code;
    spans = arena_alloc(&arena, (count + 1) * sizeof(*spans));
    for (size_t i = 0; i < count; i++)
        spans[i] = (struct trace_span){kept[i].begin_ns, kept[i].end_ns};
    return trace_prune(f, p->before_ns, spans, count, p->dry_run, ret_count, err);
}

static int db_prune(const struct db_arguments *a, struct store *s, struct err *err)
{
    struct store_prune p = {.before_ns = clock_realtime_ns() - a->older_ns,
                            .keep_tagged = a->keep_tagged,
                            .whole_runs = a->whole_runs,
                            .dry_run = a->dry_run};
    uint64_t traces = 0;

    if (a->older_ns == 0)
        return err_set(err, ERR_USAGE, "prune: --older TIME is needed, such as --older 30d");
    if (store_prune(s, &p, err) < 0 || prune_traces(s, &p, &traces, err) < 0)
        return (int)err->code;
    (void)printf("%s %llu runs: %llu windows, %llu outputs, %llu profiles, %llu blobs, "
                 "%llu traces\n",
                 a->dry_run ? "would prune" : "pruned", (unsigned long long)p.runs,
                 (unsigned long long)p.windows, (unsigned long long)p.outputs,
                 (unsigned long long)p.profiles, (unsigned long long)p.blobs,
                 (unsigned long long)traces);
    return 0;
}

static const struct action {
    const char *name;
    enum store_mode mode;
    int (*run)(const struct db_arguments *a, struct store *s, struct err *err);
} actions[] = {
    {"info", STORE_READ, db_info},      {"runs", STORE_READ, db_runs},
    {"check", STORE_READ, db_check},    {"backup", STORE_READ, db_backup},
    {"vacuum", STORE_WRITE, db_vacuum}, {"prune", STORE_WRITE, db_prune},
};

static int db_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct db_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;
    const char *name = argc > 0 ? argv[0] : "info";

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (strcmp(actions[i].name, name) != 0)
            continue;
        if (context_init(&c, &a->common, err) < 0 ||
            store_open(c.database, actions[i].mode, &s, err) < 0)
            return (int)err->code;
        return actions[i].run(a, s, err);
    }
    return err_set(err, ERR_USAGE,
                   "db: expected info, runs, check, backup, vacuum or prune, got '%s'", name);
}

const struct verb verb_db = {
    .name = "db",
    .arguments = "[info|runs|check|backup|vacuum|prune]",
    .summary = "look after the results database",
    .details =
        "'runs' lists them, newest first; their ids, tags and 'last~N' are what other "
        "commands take.\n"
        "Copy a database only with 'db backup': a plain copy of a live file loses rows.\n"
        "'prune' drops windows, samples, outputs, logs and raw traces of old runs; summaries "
        "stay.",
    .options = db_options,
    .arguments_max = 1,
    .run = db_run,
};

/* ---- tags ---- */

struct tag_arguments {
    struct common_options common;
    const char *note;
    bool remove;
};

static const struct option tag_options[] = {
    {"note", 0, OPTION_STRING, "TEXT", "why", offsetof(struct tag_arguments, note)},
    {"delete", 'D', OPTION_FLAG, NULL, "forget the name", offsetof(struct tag_arguments, remove)},
    OPTION_DB,
    {.name = NULL},
};

static int list_tags(struct store *s, struct arena *arena, struct err *err)
{
    const struct store_tag_row *rows = NULL;
    size_t count = 0;

    if (store_tags(s, arena, &rows, &count, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF line = BUF_INIT;
        char at[21];

        clock_format_utc(rows[i].at_ns, at);
        text_escape(&line, rows[i].name, strlen(rows[i].name));
        buf_printf(&line, "  %.8s  %s  ", rows[i].run_id, at);
        if (rows[i].note != NULL)
            text_escape(&line, rows[i].note, strlen(rows[i].note));
        (void)puts(buf_text(&line));
    }
    return 0;
}

static int tag_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct tag_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;

    if (context_init(&c, &a->common, err) < 0 ||
        store_open(c.database, argc > 0 ? STORE_WRITE : STORE_READ, &s, err) < 0)
        return (int)err->code;
    if (argc == 0)
        return list_tags(s, &c.arena, err);
    if (a->remove)
        return store_untag(s, argv[0], err);
    return store_tag(s, argv[0], argc > 1 ? argv[1] : "last", a->note, err);
}

const struct verb verb_tag = {
    .name = "tag",
    .arguments = "[NAME [RUN]]",
    .summary = "name a run (default: the last), or list names",
    .options = tag_options,
    .arguments_max = 2,
    .run = tag_run,
};

/* ---- merge ---- */

static const struct option merge_options[] = {OPTION_DB, {.name = NULL}};

static int merge_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct common_options *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;

    if (context_init(&c, a, err) < 0 || store_open(c.database, STORE_WRITE, &s, err) < 0)
        return (int)err->code;
    for (int i = 0; i < argc; i++) {
        struct store_merge m = {0};

        if (store_merge(s, argv[i], &m, err) < 0)
            return (int)err->code;
        (void)printf("%s: %llu runs, %llu attempts, %llu measurements added\n", argv[i],
                     (unsigned long long)m.runs, (unsigned long long)m.attempts,
                     (unsigned long long)m.measurements);
        if (m.differing > 0)
            (void)fprintf(stderr,
                          "%s: %llu of its attempts are here already and say something else; "
                          "those here stay\n",
                          argv[i], (unsigned long long)m.differing);
    }
    return 0;
}

const struct verb verb_merge = {
    .name = "merge",
    .arguments = "FILE.db...",
    .summary = "add other databases' runs to this one; again changes nothing",
    .details =
        "What is here stays: attempts that both have and that differ are told of. Raw traces of\n"
        "current (FILE.db-traces) stay where they are; a tag that was taken away here and not\n"
        "there comes back.",
    .options = merge_options,
    .arguments_min = 1,
    .arguments_max = 1000,
    .run = merge_run,
};
