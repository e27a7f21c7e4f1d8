/* `tinyrig gate`: may this change go in? The answer is the exit status. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/cli/baseline.h"
#include "harness/cli/confirm.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"

struct gate_arguments {
    struct common_options common;
    const char *baseline;
    const char *save;
    const char *format;
    const char *output;
    const char *tolerance;
    struct confirm_options confirm;
    bool confirms;
    bool lenient;
};

static const struct option options[] = {
    {"baseline", 0, OPTION_STRING, "WHAT",
     "last-good, a tag, a selection as of 'compare', or a FILE.db or FILE.csv",
     offsetof(struct gate_arguments, baseline)},
    {"lenient", 0, OPTION_FLAG, NULL, "what could not be judged is listed and does not fail",
     offsetof(struct gate_arguments, lenient)},
    {"tolerance", 0, OPTION_STRING, "SHARE",
     "exact metrics may get worse by this much, such as 1% (default: 0)",
     offsetof(struct gate_arguments, tolerance)},
    {"confirm", 0, OPTION_FLAG, NULL, "before failing on what scatters, measure those cases again",
     offsetof(struct gate_arguments, confirms)},
    {"base-data", 0, OPTION_STRING, "DIR",
     "with --confirm: the baseline's firmware/ and boards/; then both are measured in turns",
     offsetof(struct gate_arguments, confirm) + offsetof(struct confirm_options, base_data)},
    {"save", 0, OPTION_STRING, "NAME", "when it passes or has no baseline, tag the run",
     offsetof(struct gate_arguments, save)},
    {"format", 'f', OPTION_STRING, "NAME", "text (default), markdown or json",
     offsetof(struct gate_arguments, format)},
    {"output", 'o', OPTION_STRING, "FILE", "write there instead of standard output",
     offsetof(struct gate_arguments, output)},
    OPTION_LAB,
    OPTION_DB,
    {.name = NULL},
};

/* One gate being asked. */
struct asking {
    const struct gate_arguments *o;
    const char *run; /* as the user named the candidate */
    struct store *s;
    struct arena *arena;
    struct dataset a, b;
    struct compare_options how;
    struct gate_options rules;
    struct comparison result;
    struct gate gate;
};

static bool keeps_last_good(const struct gate_arguments *o)
{
    return strcmp(o->baseline, BASELINE_LAST_GOOD) == 0;
}

static int save_as(const struct asking *g, const char *name, struct err *err)
{
    AUTO(store_close_auto) struct store *w = NULL;

    if (g->b.run_count != 1)
        return err_set(err, ERR_USAGE, "--save: the candidate is %zu runs, not one",
                       g->b.run_count);
    if (store_open(store_path(g->s), STORE_WRITE, &w, err) < 0)
        return (int)err->code;
    return store_tag(w, name, g->b.runs[0].run_id, STORE_GATE_NOTE, err);
}

static bool all_passed(const struct dataset *d)
{
    for (size_t i = 0; i < d->case_count; i++) {
        if (d->cases[i].status != CASE_PASSED && d->cases[i].status != CASE_SKIPPED)
            return false;
    }
    return true;
}

/* last-good keeps itself: what passes (or is clean, when there is none yet) is the next baseline. */
static int save(const struct asking *g, struct err *err)
{
    if (keeps_last_good(g->o) && g->b.run_count == 1 && all_passed(&g->b) &&
        save_as(g, BASELINE_LAST_GOOD, err) < 0)
        return (int)err->code;
    return g->o->save != NULL ? save_as(g, g->o->save, err) : 0;
}

static bool is_tagged(const struct asking *g, const char *name)
{
    for (size_t i = 0; i < g->b.runs[0].tag_count; i++) {
        if (strcmp(g->b.runs[0].tags[i], name) == 0)
            return true;
    }
    return false;
}

/*
 * Nothing was compared, so it never passes: asked twice about the first run of all, the answer is
 * the same, because a run is not its own baseline.
 */
static int no_baseline(const struct asking *g, struct err *err)
{
    const bool own = keeps_last_good(g->o);

    if (save(g, err) < 0)
        return (int)err->code;
    if (!own) {
        (void)fprintf(stderr, "tinyrig: gate: no baseline '%s'\n", g->o->baseline);
        (void)fprintf(stderr, "hint: 'tinyrig tag' or 'gate --save' makes one of a run\n");
    } else if (is_tagged(g, BASELINE_LAST_GOOD)) {
        (void)fprintf(stderr, "tinyrig: gate: run %.8s is itself the first 'last-good'\n",
                      g->b.runs[0].run_id);
        (void)fprintf(stderr, "hint: the next run is compared with it\n");
    } else {
        const bool kept = g->b.run_count == 1 && all_passed(&g->b);

        (void)fprintf(stderr, "tinyrig: gate: no earlier run is 'last-good'%s\n",
                      kept ? "; this one is, from now on"
                           : " and not all cases of this one passed");
        (void)fprintf(stderr, "hint: %s\n",
                      kept ? "the next run is compared with it"
                           : "gate a run that passes, or 'tinyrig tag last-good RUN'");
    }
    return gate_exit_status(GATE_NO_BASELINE);
}

/* Measure again what would fail and scatters, and ask once more. */
static int ask_again(struct asking *g, struct err *err)
{
    struct comparison *rerun = arena_alloc(g->arena, sizeof(*rerun));
    struct confirm_sides again;

    if (confirm_rerun(g->s, &g->b, &g->gate, &g->o->confirm, g->arena, &again, err) < 0)
        return err_in(err, "--confirm");
    compare(again.a.case_count > 0 ? &again.a : &g->a, &again.b, &g->how, g->arena, rerun);
    g->rules.rerun = rerun;
    gate_judge(&g->result, &g->rules, g->arena, &g->gate);
    return 0;
}

static int judge(struct asking *g, struct err *err)
{
    compare(&g->a, &g->b, &g->how, g->arena, &g->result);
    gate_judge(&g->result, &g->rules, g->arena, &g->gate);
    if (g->o->confirms && g->gate.confirm_count > 0)
        return ask_again(g, err);
    return 0;
}

static int ask(struct asking *g, struct err *err)
{
    const struct comparison_report report = {
        .comparison = &g->result, .gate = &g->gate, .a = g->o->baseline, .b = g->run};
    enum comparison_format format;
    int r;

    if (select_format(g->o->format, &format, err) < 0 ||
        select_cases(g->s, g->run, g->arena, &g->b, err) < 0)
        return (int)err->code;
    r = baseline_read(g->s, g->o->baseline, &g->b, g->arena, &g->a, err);
    if (r != 0)
        return r < 0 ? r : no_baseline(g, err);
    if (select_judging(g->s, &g->b, g->arena, &g->how, err) < 0 || judge(g, err) < 0 ||
        select_print(&report, format, g->o->output, err) < 0)
        return (int)err->code;
    if (g->gate.outcome == GATE_PASSED && save(g, err) < 0)
        return (int)err->code;
    return gate_exit_status(g->gate.outcome);
}

static int gate_run(void *arguments, int argc, char **argv, struct err *err)
{
    struct gate_arguments *o = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;
    struct asking g = {
        .o = o, .run = argc > 0 ? argv[0] : "last", .rules = {.strict = !o->lenient}};

    if (o->baseline == NULL)
        return err_set(err, ERR_USAGE, "gate: --baseline is needed: a tag, a run or a FILE.db");
    if (o->confirm.base_data != NULL && !o->confirms)
        return err_set(err, ERR_USAGE, "--base-data needs --confirm");
    if (baseline_tolerance(o->tolerance, &g.rules.tolerance, err) < 0 ||
        context_init(&c, &o->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0)
        return (int)err->code;
    o->confirm.lab = o->common.lab;
    o->confirm.board_dirs = &o->common.board_dirs;
    g.s = s;
    g.arena = &c.arena;
    return ask(&g, err);
}

const struct verb verb_gate = {
    .name = "gate",
    .arguments = "[RUN]",
    .summary = "pass or fail a run against a baseline",
    .details =
        "RUN is a selection as of 'compare'; the newest run without it. Exit status: 0 "
        "passed, 1 a\nregression, a failure or a broken budget, 2 usage, 3 nothing was "
        "measured, 4 some cases were\nnot measured, 5 no baseline. Strict unless --lenient: "
        "what cannot be judged fails.\n\n"
        "'--baseline last-good' keeps itself: each run that passes becomes part of it, and the "
        "first one of\nall, when all its cases passed. A change that is meant to stay is accepted "
        "with 'tinyrig tag\nlast-good RUN'.\n\n"
        "With --confirm the cases that scatter and got worse are measured again, and fail only "
        "when they\nget worse again; both measurements are kept. Exact figures need no second "
        "look.",
    .options = options,
    .arguments_max = 1,
    .run = gate_run,
};
