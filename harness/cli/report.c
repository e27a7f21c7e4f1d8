/* `tinyrig report`: stored results as a table or a file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/report_context.h"
#include "harness/cli/report_traces.h"
#include "harness/cli/verb.h"
#include "harness/report/report.h"
#include "harness/store/store.h"

struct report_arguments {
    struct common_options common;
    const char *format;
    const char *output;
    const char *suite, *model, *board, *engine;
    const char *by;
    const char *against;
    bool details;
};

static const struct option options[] = {
    {"format", 'f', OPTION_STRING, "NAME",
     "text (default), markdown, csv, json, html, junit, github",
     offsetof(struct report_arguments, format)},
    {"output", 'o', OPTION_STRING, "FILE", "write there instead of standard output",
     offsetof(struct report_arguments, output)},
    {"by", 0, OPTION_STRING, "WHAT", "a table per 'board' (default) or per 'model'",
     offsetof(struct report_arguments, by)},
    {"suite", 0, OPTION_STRING, "NAME", "only this suite (* and ? match)",
     offsetof(struct report_arguments, suite)},
    {"model", 'm', OPTION_STRING, "NAME", "only this model",
     offsetof(struct report_arguments, model)},
    {"board", 'b', OPTION_STRING, "NAME", "only this board",
     offsetof(struct report_arguments, board)},
    {"engine", 'e', OPTION_STRING, "NAME", "only this engine",
     offsetof(struct report_arguments, engine)},
    {"against", 0, OPTION_STRING, "WHAT",
     "html: compare with this selection (default: the suite's run before)",
     offsetof(struct report_arguments, against)},
    {"details", 0, OPTION_FLAG, NULL, "memory split, provenance and skipped cases too",
     offsetof(struct report_arguments, details)},
    OPTION_DB,
    {.name = NULL},
};

static int unknown_format(const char *name, struct err *err)
{
    const char *names[16];
    const char *nearest;
    size_t n = 0;

    for (; report_formats[n] != NULL && n + 1 < ARRAY_SIZE(names); n++)
        names[n] = report_formats[n]->name;
    names[n] = NULL;
    nearest = text_nearest(name, names);
    return err_set(err, ERR_USAGE, "there is no report format '%s'%s%s%s", name,
                   nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?)" : "");
}

static int pick_format(const struct report_arguments *a, const struct report_format **ret,
                       struct err *err)
{
    if (a->format != NULL)
        *ret = report_format_find(a->format);
    else if (a->output != NULL && report_format_of_path(a->output) != NULL)
        *ret = report_format_of_path(a->output);
    else
        *ret = report_format_find("text");
    return *ret == NULL ? unknown_format(a->format, err) : 0;
}

static int write_out(const struct report_arguments *a, const struct buf *text, struct err *err)
{
    if (a->output != NULL)
        return file_write_named(a->output, buf_text(text), text->len, err);
    (void)fwrite(buf_text(text), 1, text->len, stdout);
    return 0;
}

static int group_of(const struct report_arguments *a, enum report_group *ret, struct err *err)
{
    *ret = REPORT_BY_BOARD;
    if (a->by == NULL || strcmp(a->by, "board") == 0)
        return 0;
    if (strcmp(a->by, "model") != 0)
        return err_set(err, ERR_USAGE, "--by: expected 'board' or 'model', got '%s'", a->by);
    *ret = REPORT_BY_MODEL;
    return 0;
}

/* What only a page shows beside its numbers. */
static int add_context(const struct report_arguments *a, struct store *store, const char *database,
                       struct arena *arena, struct report_options *o, struct err *err)
{
    if (report_context(store, a->against, arena, o, err) < 0)
        return (int)err->code;
    return report_traces(arena_printf(arena, "%s-traces", database), arena, o, err);
}

static int render(const struct report_arguments *a, struct store *store, const char *run,
                  struct context *c, struct err *err)
{
    struct arena *arena = &c->arena;
    const struct report_format *format = NULL;
    struct report_options o = {.details = a->details};
    struct store_selection selection = {.run = run != NULL ? run : "last",
                                        .suite = a->suite,
                                        .model = a->model,
                                        .board = a->board,
                                        .engine = a->engine};
    AUTO_BUF text = BUF_INIT;
    struct dataset data;

    if (pick_format(a, &format, err) < 0 || group_of(a, &o.group, err) < 0)
        return (int)err->code;
    if (a->against != NULL && strcmp(format->name, "html") != 0)
        return err_set(err, ERR_USAGE, "--against is for --format html; see 'tinyrig compare'");
    selection.parts = format->parts | (a->details ? (unsigned)DATA_FACTS : 0);
    if (store_query(store, &selection, arena, &data, err) < 0)
        return (int)err->code;
    o.data = &data;
    if (a->output == NULL && strcmp(format->name, "text") == 0)
        report_fit_terminal(&o, STDOUT_FILENO);
    if (strcmp(format->name, "html") == 0 && add_context(a, store, c->database, arena, &o, err) < 0)
        return (int)err->code;
    if (format->render(&o, &text, err) < 0)
        return (int)err->code;
    return write_out(a, &text, err);
}

static int report_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct report_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;

    if (context_init(&c, &a->common, err) < 0 ||
        store_open(c.database, STORE_READ, &store, err) < 0)
        return (int)err->code;
    return render(a, store, argc > 0 ? argv[0] : NULL, &c, err);
}

const struct verb verb_report = {
    .name = "report",
    .arguments = "[RUN]",
    .summary = "show stored results",
    .details = "RUN is 'last' (the default), 'last~N', 'all', or the beginning of a run's id.",
    .options = options,
    .arguments_max = 1,
    .run = report_run,
};
