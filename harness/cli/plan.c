/* `tinyrig check` and `tinyrig plan`: everything that can be known before a board is touched. */
#include <stdio.h>
#include <string.h>

#include "harness/cli/suite.h"
#include "harness/cli/verb.h"

struct plan_arguments {
    struct suite_options suite; /* must be first */
    bool json;
    bool details;
};

static const struct option plan_options_table[] = {
    OPTIONS_SUITE,
    {"json", 0, OPTION_FLAG, NULL, "print it for programs", offsetof(struct plan_arguments, json)},
    {"details", 0, OPTION_FLAG, NULL, "with what each case measures and must keep to",
     offsetof(struct plan_arguments, details)},
    {.name = NULL},
};

static const struct option check_options[] = {OPTIONS_SUITE, {.name = NULL}};

static int plan_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct plan_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO_BUF text = BUF_INIT;
    const struct plan *plan = NULL;

    if (context_init(&c, &a->suite.common, err) < 0 ||
        suite_plan(&c, &a->suite, argv[0], &plan, err) < 0)
        return (int)err->code;
    if (a->json)
        plan_print_json(plan, &text);
    else
        plan_print(plan, a->details, &text);
    (void)fwrite(buf_text(&text), 1, text.len, stdout);
    return 0;
}

static int check_one(const struct suite_options *options, const char *path, struct err *err)
{
    AUTO(context_release) struct context c = {.database = NULL};
    const struct plan *plan = NULL;

    if (context_init(&c, &options->common, err) < 0 ||
        suite_plan(&c, options, path, &plan, err) < 0)
        return (int)err->code;
    (void)printf("%s: good: %zu cases to run on %zu boards, %zu to skip\n", path, plan->run_count,
                 plan->board_count, plan->case_count - plan->run_count);
    return 0;
}

/* The mistakes of all files, each on lines of its own. */
static int check_run(void *arguments, int argc, char **argv, struct err *err)
{
    for (int i = 0; i < argc; i++) {
        struct err one = ERR_INIT;
        const size_t used = strlen(err->text);

        if (check_one(arguments, argv[i], &one) == 0)
            continue;
        if (err->code == ERR_OK)
            *err = one;
        else
            (void)snprintf(err->text + used, sizeof(err->text) - used, "\n%s", one.text);
    }
    (void)fflush(stdout);
    return (int)err->code;
}

const struct verb verb_plan = {
    .name = "plan",
    .arguments = "SUITE.yaml",
    .summary = "print the cases a run would measure, and why others are skipped",
    .options = plan_options_table,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = plan_run,
};

const struct verb verb_check = {
    .name = "check",
    .arguments = "SUITE.yaml...",
    .summary = "check suites, models and boards without touching one",
    .options = check_options,
    .arguments_min = 1,
    .arguments_max = 64,
    .run = check_run,
};
