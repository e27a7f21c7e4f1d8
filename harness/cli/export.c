/* `tinyrig export`: stored results for other programs. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"
#include "harness/mlperf/submission.h"
#include "harness/report/report.h"

struct export_arguments {
    struct common_options common;
    const char *format;
    const char *output;
    const char *submitter;
    const char *status;
    bool open;
};

static const struct option options[] = {
    {"format", 'f', OPTION_STRING, "NAME", "csv, json or mlperf (required)",
     offsetof(struct export_arguments, format)},
    {"output", 'o', OPTION_STRING, "PATH",
     "write there instead of standard output; a folder of mlperf",
     offsetof(struct export_arguments, output)},
    {"submitter", 0, OPTION_STRING, "NAME", "mlperf: who submits (required)",
     offsetof(struct export_arguments, submitter)},
    {"open", 0, OPTION_FLAG, NULL, "mlperf: the open division, without accuracy targets",
     offsetof(struct export_arguments, open)},
    {"status", 0, OPTION_STRING, "WORD", "mlperf: available, preview or rdi (default)",
     offsetof(struct export_arguments, status)},
    OPTION_DB,
    {.name = NULL},
};

static int export_table(const struct export_arguments *a, const char *text, struct store *s,
                        struct arena *arena, struct err *err)
{
    const struct report_format *format = report_format_find(a->format);
    struct report_options o = {.group = REPORT_BY_BOARD};
    AUTO_BUF out = BUF_INIT;
    struct dataset data;

    if (select_cases_with(s, text, DATA_ALL & ~(unsigned)DATA_OUTPUTS, arena, &data, err) < 0)
        return (int)err->code;
    o.data = &data;
    if (format->render(&o, &out, err) < 0)
        return (int)err->code;
    if (a->output != NULL)
        return file_write_named(a->output, buf_text(&out), out.len, err);
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    return 0;
}

/* Exit status 1 when a run rule is broken; the folder is there all the same. */
static int export_mlperf(const struct export_arguments *a, const char *text, struct store *s,
                         struct arena *arena, struct err *err)
{
    const struct mlperf_submission submission = {.folder = a->output,
                                                 .submitter = a->submitter,
                                                 .status = a->status != NULL ? a->status : "rdi",
                                                 .closed = !a->open};
    AUTO_BUF findings = BUF_INIT;
    struct dataset data;
    int r;

    if (a->output == NULL || a->submitter == NULL)
        return err_set(err, ERR_USAGE, "export: mlperf needs --output FOLDER and --submitter NAME");
    if (select_cases(s, text, arena, &data, err) < 0)
        return (int)err->code;
    r = mlperf_export(&submission, &data, &findings, err);
    if (r > 0)
        (void)printf("broken rules:\n%s", buf_text(&findings));
    return r;
}

static int export_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct export_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;

    if (a->format == NULL || (strcmp(a->format, "csv") != 0 && strcmp(a->format, "json") != 0 &&
                              strcmp(a->format, "mlperf") != 0))
        return err_set(err, ERR_USAGE, "export: --format: expected csv, json or mlperf, got '%s'",
                       a->format != NULL ? a->format : "nothing");
    if (context_init(&c, &a->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0)
        return (int)err->code;
    if (strcmp(a->format, "mlperf") == 0)
        return export_mlperf(a, argc > 0 ? argv[0] : "last", s, &c.arena, err);
    return export_table(a, argc > 0 ? argv[0] : "last", s, &c.arena, err);
}

const struct verb verb_export = {
    .name = "export",
    .arguments = "[SELECTION]",
    .summary = "stored results for other programs",
    .details =
        "SELECTION is terms as of 'compare'; the newest run without it. A csv file is also a "
        "baseline for\n'gate'; json is described by config/schema/report.json; mlperf is a "
        "submission "
        "folder for MLPerf Tiny\n(results and systems; code/ is yours to add), and every run "
        "rule that the cases break is named:\nexit status 1.",
    .options = options,
    .arguments_max = 1,
    .run = export_run,
};
