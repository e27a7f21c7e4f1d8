/* `tinyrig export`: stored results for other programs. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"
#include "harness/report/report.h"

struct export_arguments {
    struct common_options common;
    const char *format;
    const char *output;
};

static const struct option options[] = {
    {"format", 'f', OPTION_STRING, "NAME", "csv or json (required)",
     offsetof(struct export_arguments, format)},
    {"output", 'o', OPTION_STRING, "FILE", "write there instead of standard output",
     offsetof(struct export_arguments, output)},
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
        return file_write_atomic(a->output, buf_text(&out), out.len, err);
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    return 0;
}

static int export_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct export_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;

    if (a->format == NULL || (strcmp(a->format, "csv") != 0 && strcmp(a->format, "json") != 0))
        return err_set(err, ERR_USAGE, "export: --format: expected csv or json, got '%s'",
                       a->format != NULL ? a->format : "nothing");
    if (context_init(&c, &a->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0)
        return (int)err->code;
    return export_table(a, argc > 0 ? argv[0] : "last", s, &c.arena, err);
}

const struct verb verb_export = {
    .name = "export",
    .arguments = "[SELECTION]",
    .summary = "stored results for other programs",
    .details =
        "SELECTION is terms as of 'compare'; the newest run without it. A csv file is also a "
        "baseline for\n'gate'; json is described by config/schema/report.json.",
    .options = options,
    .arguments_max = 1,
    .run = export_run,
};
