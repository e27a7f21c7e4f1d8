/* `tinyrig import`: published results as reference series. */
#include <stdio.h>
#include <string.h>

#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/mlperf/results.h"
#include "harness/store/store.h"

struct import_arguments {
    struct common_options common;
    const char *round;
};

static const struct option options[] = {
    {"round", 0, OPTION_STRING, "NAME", "v0.5 to v1.3 (default: from the folder's name)",
     offsetof(struct import_arguments, round)},
    OPTION_DB,
    {.name = NULL},
};

/* When each round was published, in seconds since 1970: so its runs stand in order. */
static const struct round {
    const char *name;
    uint64_t published_s;
} rounds[] = {
    {"v0.5", 1623801600}, {"v0.7", 1649203200}, {"v1.0", 1667952000},
    {"v1.1", 1687824000}, {"v1.2", 1713312000}, {"v1.3", 1756684800},
};

/* By its name, or by what the folder's path says last. */
static const struct round *round_of(const char *named, const char *tree)
{
    const struct round *found = NULL;

    for (const char *at = named != NULL ? named : tree; *at != '\0'; at++) {
        for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
            if (named != NULL ? strcmp(named, rounds[i].name) == 0
                              : strncmp(at, rounds[i].name, strlen(rounds[i].name)) == 0)
                found = &rounds[i];
        }
    }
    return found;
}

static int import_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct import_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;

    if (context_init(&c, &a->common, err) < 0 || store_open(c.database, STORE_WRITE, &s, err) < 0)
        return (int)err->code;
    for (int i = 0; i < argc; i++) {
        const struct round *r = round_of(a->round, argv[i]);
        struct mlperf_imported n;

        if (r == NULL)
            return err_set(err, ERR_USAGE,
                           "%s: which round is it? --round v0.5, v0.7, v1.0, v1.1, v1.2 or v1.3",
                           argv[i]);
        if (mlperf_import(argv[i], r->name, r->published_s * 1000000000, store_sink(s), &n, err) <
            0)
            return (int)err->code;
        (void)printf("%s: %s, %u systems, %u benchmarks\n", argv[i], r->name, n.runs, n.cases);
    }
    if (store_conflicts(s) > 0)
        (void)fprintf(
            stderr,
            "%llu results have the name of others, of the same folder or of an import before, "
            "and say something else:\nthose that came first count, these are in v_conflicts\n",
            (unsigned long long)store_conflicts(s));
    return 0;
}

const struct verb verb_import = {
    .name = "import",
    .arguments = "FOLDER...",
    .summary = "published MLPerf Tiny results as reference series",
    .details =
        "FOLDER is a copy of a results repository (tiny_results_v1.2): its results.txt files "
        "become one run\nper system, of suite 'mlperf-tiny ROUND'. Windows shorter than the "
        "rules ask for are marked so.\nImporting again changes nothing.",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 100,
    .run = import_run,
};
