/* `tinyrig compare`: two selections of stored results, with a verdict on every metric. */
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"

struct compare_arguments {
    struct common_options common;
    const char *format;
    const char *output;
    bool all;
};

static const struct option options[] = {
    {"format", 'f', OPTION_STRING, "NAME", "text (default), markdown or json",
     offsetof(struct compare_arguments, format)},
    {"output", 'o', OPTION_STRING, "FILE", "write there instead of standard output",
     offsetof(struct compare_arguments, output)},
    {"all", 0, OPTION_FLAG, NULL, "parts of metrics that did not change, too",
     offsetof(struct compare_arguments, all)},
    OPTION_DB,
    {.name = NULL},
};

static int compare_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct compare_arguments *o = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    struct compare_options how;
    struct comparison result;
    struct comparison_report report = {
        .comparison = &result, .a = argv[0], .b = argv[1], .all = o->all};
    enum comparison_format format;
    struct dataset a, b;

    if (select_format(o->format, &format, err) < 0 || context_init(&c, &o->common, err) < 0 ||
        store_open(c.database, STORE_READ, &store, err) < 0 ||
        select_cases(store, argv[0], &c.arena, &a, err) < 0 ||
        select_cases(store, argv[1], &c.arena, &b, err) < 0 ||
        select_judging(store, &b, &c.arena, &how, err) < 0)
        return (int)err->code;
    compare(&a, &b, &how, &c.arena, &result);
    return select_print(&report, format, o->output, err);
}

const struct verb verb_compare = {
    .name = "compare",
    .arguments = "A B",
    .summary = "compare two selections of results, with verdicts",
    .details = "A is the base, B the candidate. Each is terms with commas between: 'last', "
               "'last~N', 'all',\nthe beginning of a run's id, a tag, or KEY=VALUE with run, tag, "
               "git, suite, model, board,\nengine, key. 'compare board=x board=y' compares "
               "boards, and so do engines and models;\n'compare git=v1.2 git=HEAD' the runs of "
               "two revisions of the suite's repository.",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = compare_run,
};
