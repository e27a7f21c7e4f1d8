#include "harness/cli/confirm.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/proc.h"
#include "harness/cli/suite.h"

enum {
    ARGUMENTS_MAX = 2 * OPTION_STRINGS_MAX + 16,
    WAIT_MS = 24 * 3600 * 1000
};

struct rerun {
    const struct dataset *candidate;
    const struct gate *gate;
    const struct confirm_options *options;
    const char *database;
    struct arena *arena;
};

static const char *tag_of(const struct rerun *r, char side, unsigned number)
{
    return arena_printf(r->arena, "confirm-%.8s-%c%u", r->candidate->runs[0].run_id, side, number);
}

static void make_command(const struct rerun *r, const char *tag, const char **argv)
{
    const struct confirm_options *o = r->options;
    size_t n = 0;

    argv[n++] = "/proc/self/exe"; /* whatever we were started as */
    argv[n++] = "run";
    argv[n++] = suite_of_run(&r->candidate->runs[0]);
    argv[n++] = "--quiet";
    argv[n++] = arena_printf(r->arena, "--db=%s", r->database);
    argv[n++] = arena_printf(r->arena, "--tag=%s", tag);
    if (o->lab != NULL)
        argv[n++] = arena_printf(r->arena, "--lab=%s", o->lab);
    for (size_t i = 0; o->board_dirs != NULL && i < o->board_dirs->count; i++)
        argv[n++] = arena_printf(r->arena, "--board-dir=%s", o->board_dirs->values[i]);
    for (size_t i = 0; i < r->gate->confirm_count && i < OPTION_STRINGS_MAX; i++)
        argv[n++] = arena_printf(r->arena, "--filter=%s", r->gate->confirm[i]->key);
    argv[n] = NULL;
}

/* One run of the suspicious cases; failed cases are its result, a run that did not end is not. */
static int run_once(const struct rerun *r, char side, unsigned number, struct err *err)
{
    const char *env[2] = {NULL};
    const char *argv[ARGUMENTS_MAX];
    AUTO(proc_release) struct proc p = PROC_INIT;
    struct proc_options options = {.argv = argv, .stdio = {PROC_NULL, PROC_NULL, PROC_INHERIT}};
    int status = 0;

    make_command(r, tag_of(r, side, number), argv);
    if (side == 'a') {
        env[0] = arena_printf(r->arena, "TINYRIG_DATA=%s", r->options->base_data);
        options.env = env;
    }
    if (proc_start(&p, &options, err) < 0)
        return (int)err->code;
    if (!proc_wait(&p, WAIT_MS, &status))
        return err_set(err, ERR_TIMEOUT, "the rerun did not end in a day");
    /* 0 and 1 (over budget, wrong outputs), 4 (some could not be measured): the data says it */
    if (status != 0 && status != 1 << 8 && status != 4 << 8) {
        char text[64];

        proc_describe_status(status, text, sizeof(text));
        return err_set(err, ERR_LAB, "the rerun of %s %s", r->candidate->runs[0].suite_path, text);
    }
    return 0;
}

/* The cases of both runs of a side together, newest first. */
static int read_side(struct store *s, const struct rerun *r, char side, struct dataset *ret,
                     struct err *err)
{
    struct dataset part[2];
    struct data_case *cases;
    struct data_run *runs;

    for (unsigned i = 0; i < 2; i++) {
        const struct store_selection what = {.tag = tag_of(r, side, 2 - i),
                                             .parts = DATA_FACTS | DATA_WINDOWS};

        if (store_query(s, &what, r->arena, &part[i], err) < 0)
            return (int)err->code;
    }
    ret->case_count = part[0].case_count + part[1].case_count;
    ret->run_count = part[0].run_count + part[1].run_count;
    cases = arena_alloc(r->arena, (ret->case_count + 1) * sizeof(*cases));
    runs = arena_alloc(r->arena, (ret->run_count + 1) * sizeof(*runs));
    for (size_t i = 0, c = 0, n = 0; i < 2; i++) {
        for (size_t k = 0; k < part[i].case_count; k++)
            cases[c++] = part[i].cases[k];
        for (size_t k = 0; k < part[i].run_count; k++)
            runs[n++] = part[i].runs[k];
    }
    ret->cases = cases;
    ret->runs = runs;
    return 0;
}

int confirm_rerun(struct store *s, const struct dataset *candidate, const struct gate *gate,
                  const struct confirm_options *options, struct arena *arena,
                  struct confirm_sides *ret, struct err *err)
{
    static const struct {
        char side;
        unsigned number;
    } turns[] = {{'a', 1}, {'b', 1}, {'b', 2}, {'a', 2}};
    const struct rerun r = {.candidate = candidate,
                            .gate = gate,
                            .options = options,
                            .database = store_path(s),
                            .arena = arena};

    *ret = (struct confirm_sides){.a = {.run_count = 0}};
    if (candidate->run_count != 1 || candidate->runs[0].suite_path == NULL)
        return err_set(err, ERR_USAGE, "the candidate is not one run of a suite file");
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        if (turns[i].side == 'a' && options->base_data == NULL)
            continue;
        (void)fprintf(stderr, "gate: measuring %zu case%s again (%s)\n", gate->confirm_count,
                      gate->confirm_count == 1 ? "" : "s",
                      turns[i].side == 'a' ? "baseline" : "candidate");
        if (run_once(&r, turns[i].side, turns[i].number, err) < 0)
            return (int)err->code;
    }
    if (options->base_data != NULL && read_side(s, &r, 'a', &ret->a, err) < 0)
        return (int)err->code;
    return read_side(s, &r, 'b', &ret->b, err);
}
