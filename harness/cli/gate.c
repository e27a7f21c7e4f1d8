/* `tinyrig gate`: may this change go in? The answer is the exit status. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"

struct gate_arguments {
    struct common_options common;
    const char *baseline;
    const char *save;
    const char *format;
    const char *output;
    bool lenient;
};

static const struct option options[] = {
    {"baseline", 0, OPTION_STRING, "WHAT", "a tag, a selection as of 'compare', or a FILE.db",
     offsetof(struct gate_arguments, baseline)},
    {"lenient", 0, OPTION_FLAG, NULL, "what could not be judged is listed and does not fail",
     offsetof(struct gate_arguments, lenient)},
    {"save", 0, OPTION_STRING, "NAME", "when it passes or has no baseline, tag the run",
     offsetof(struct gate_arguments, save)},
    {"format", 'f', OPTION_STRING, "NAME", "text (default), markdown or json",
     offsetof(struct gate_arguments, format)},
    {"output", 'o', OPTION_STRING, "FILE", "write there instead of standard output",
     offsetof(struct gate_arguments, output)},
    OPTION_DB,
    {.name = NULL},
};

static bool is_database(const char *name)
{
    const size_t n = strlen(name);

    return n > 3 && strcmp(name + n - 3, ".db") == 0;
}

/*
 * 0, or 1 when there is no baseline: neither a tag nor a run of that name, or no such file. A
 * selection with '=' in it that finds nothing is a slip of the user's and stays an error.
 */
static int read_baseline(struct store *s, const char *name, struct arena *arena,
                         struct dataset *ret, struct err *err)
{
    AUTO(store_close_auto) struct store *other = NULL;
    int r;

    if (is_database(name)) {
        if (access(name, F_OK) != 0)
            return 1;
        if (store_open(name, STORE_READ, &other, err) < 0)
            return (int)err->code;
        return select_cases(other, "all", arena, ret, err);
    }
    r = select_cases(s, name, arena, ret, err);
    if (r == ERR_USAGE && strchr(name, '=') == NULL) {
        err_clear(err);
        return 1;
    }
    return r;
}

static int save(const struct gate_arguments *o, const struct store *s, const struct dataset *d,
                struct err *err)
{
    AUTO(store_close_auto) struct store *w = NULL;

    if (o->save == NULL)
        return 0;
    if (d->run_count != 1)
        return err_set(err, ERR_USAGE, "--save: the candidate is %zu runs, not one", d->run_count);
    if (store_open(store_path(s), STORE_WRITE, &w, err) < 0)
        return (int)err->code;
    return store_tag(w, o->save, d->runs[0].run_id, "saved by gate", err);
}

static int no_baseline(const struct gate_arguments *o, const struct store *s,
                       const struct dataset *d, struct err *err)
{
    (void)fprintf(stderr, "tinyrig: gate: no baseline '%s'\n", o->baseline);
    (void)fprintf(stderr, "hint: 'tinyrig tag' or 'gate --save' makes one of a run\n");
    return save(o, s, d, err) < 0 ? (int)err->code : gate_exit_status(GATE_NO_BASELINE);
}

static int judge(const struct gate_arguments *o, struct store *s, const char *run,
                 struct arena *arena, struct err *err)
{
    const struct compare_options how = {.now_ns = clock_realtime_ns()};
    const struct gate_options rules = {.strict = !o->lenient};
    struct comparison result;
    struct gate gate;
    struct comparison_report report = {
        .comparison = &result, .gate = &gate, .a = o->baseline, .b = run};
    enum comparison_format format;
    struct dataset a, b;
    int r;

    if (select_format(o->format, &format, err) < 0 || select_cases(s, run, arena, &b, err) < 0)
        return (int)err->code;
    r = read_baseline(s, o->baseline, arena, &a, err);
    if (r != 0)
        return r < 0 ? r : no_baseline(o, s, &b, err);
    compare(&a, &b, &how, arena, &result);
    gate_judge(&result, &rules, arena, &gate);
    if (select_print(&report, format, o->output, err) < 0)
        return (int)err->code;
    if (gate.outcome == GATE_PASSED && save(o, s, &b, err) < 0)
        return (int)err->code;
    return gate_exit_status(gate.outcome);
}

static int gate_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct gate_arguments *o = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;

    if (o->baseline == NULL)
        return err_set(err, ERR_USAGE, "gate: --baseline is needed: a tag, a run or a FILE.db");
    if (context_init(&c, &o->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0)
        return (int)err->code;
    return judge(o, s, argc > 0 ? argv[0] : "last", &c.arena, err);
}

const struct verb verb_gate = {
    .name = "gate",
    .arguments = "[RUN]",
    .summary = "pass or fail a run against a baseline",
    .details = "RUN is a selection as of 'compare'; the newest run without it. Exit status: 0 "
               "passed, 1 a\nregression, a failure or a broken budget, 2 usage, 3 nothing was "
               "measured, 4 some cases were\nnot measured, 5 no baseline. Strict unless --lenient: "
               "what cannot be judged fails.",
    .options = options,
    .arguments_max = 1,
    .run = gate_run,
};
