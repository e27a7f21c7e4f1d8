/* `tinyrig pick`: which boards run a model within these limits, and what fails on the others. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/verb.h"
#include "harness/judge/choose.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/report/value.h"
#include "harness/store/store.h"

struct pick_arguments {
    struct common_options common;
    const char *model;
    const char *run;
    const char *energy;
    uint64_t flash, ram, latency_ns;
};

static const struct option options[] = {
    {"model", 'm', OPTION_STRING, "NAME", "the model to run (required)",
     offsetof(struct pick_arguments, model)},
    {"latency", 0, OPTION_DURATION, "TIME", "no inference slower than this, such as 33ms",
     offsetof(struct pick_arguments, latency_ns)},
    {"ram", 0, OPTION_BYTES, "SIZE", "no more RAM than this, such as 64KiB",
     offsetof(struct pick_arguments, ram)},
    {"flash", 0, OPTION_BYTES, "SIZE", "no more flash than this",
     offsetof(struct pick_arguments, flash)},
    {"energy", 0, OPTION_STRING, "ENERGY", "no more per inference than this, such as 500uJ",
     offsetof(struct pick_arguments, energy)},
    {"run", 0, OPTION_STRING, "RUN", "only this run (default: the newest result of each case)",
     offsetof(struct pick_arguments, run)},
    OPTION_DB,
    {.name = NULL},
};

enum {
    LIMITS_MAX = 4
};

struct limits {
    struct suite_budget list[LIMITS_MAX];
    size_t count;
};

static void add_limit(struct limits *l, const char *metric, enum unit unit, double value)
{
    l->list[l->count++] =
        (struct suite_budget){.metric = metric, .op = BUDGET_LE, .value = value, .unit = unit};
}

static int take_limits(const struct pick_arguments *a, struct limits *l, struct err *err)
{
    double joule;

    if (a->latency_ns > 0)
        add_limit(l, "latency", UNIT_NS, (double)a->latency_ns);
    if (a->ram > 0)
        add_limit(l, "ram", UNIT_BYTES, (double)a->ram);
    if (a->flash > 0)
        add_limit(l, "flash", UNIT_BYTES, (double)a->flash);
    if (a->energy != NULL) {
        if (!text_to_si(a->energy, "J", &joule) || !(joule > 0))
            return err_set(err, ERR_USAGE, "--energy: expected an energy such as 500uJ, got '%s'",
                           a->energy);
        add_limit(l, "energy", UNIT_NJ, joule * 1e9);
    }
    if (l->count == 0)
        return err_set(err, ERR_USAGE,
                       "pick: a limit is needed: --latency, --ram, --flash or --energy");
    return 0;
}

/* "22.2 KiB (+65 %)": the share of the limit that is left. */
static struct cell limit_cell(struct arena *arena, const struct limit_result *r)
{
    if (r->answer == LIMIT_UNKNOWN)
        return (struct cell){"unknown", TONE_WARNING};
    return (struct cell){arena_printf(arena, "%s (%+.0f %%)",
                                      value_text(arena, r->value, r->limit->unit), 100 * r->margin),
                         r->answer == LIMIT_HOLDS ? TONE_GOOD : TONE_BAD};
}

static struct cell answer_cell(const struct pick *p)
{
    if (p->broken > 0)
        return (struct cell){"fails", TONE_BAD};
    if (p->unknown > 0)
        return (struct cell){"unknown", TONE_WARNING};
    return (struct cell){"passes", TONE_GOOD};
}

static void print_picks(const struct pick *picks, size_t count, const struct limits *l,
                        struct arena *arena)
{
    struct column columns[3 + LIMITS_MAX] = {{"answer", false, 0}, {"case", false, 0}};
    struct table t = {.columns = columns, .column_count = 3 + l->count, .row_count = count};
    struct block block = {.kind = BLOCK_TABLE};
    const struct document d = {.blocks = &block, .block_count = 1};
    struct report_options look = {.data = NULL};
    AUTO_BUF text = BUF_INIT;

    columns[2] = (struct column){"realm", false, 0};
    for (size_t i = 0; i < l->count; i++)
        columns[3 + i] =
            (struct column){arena_printf(arena, "%s <= %s", l->list[i].metric,
                                         value_text(arena, l->list[i].value, l->list[i].unit)),
                            true, 0};
    t.cells = arena_alloc(arena, count * t.column_count * sizeof(*t.cells));
    for (size_t i = 0; i < count; i++) {
        struct cell *row = &t.cells[i * t.column_count];

        row[0] = answer_cell(&picks[i]);
        row[1] = (struct cell){glyph_safe(arena, picks[i].c->key), TONE_PLAIN};
        row[2] = (struct cell){realm_name(picks[i].c->realm), TONE_PLAIN};
        for (size_t k = 0; k < l->count; k++)
            row[3 + k] = limit_cell(arena, &picks[i].limits[k]);
    }
    block.table = t;
    report_fit_terminal(&look, STDOUT_FILENO);
    document_text(&d, &look, &text);
    (void)fwrite(buf_text(&text), 1, text.len, stdout);
}

static int pick_run(void *arguments, int argc, char **argv, struct err *err)
{
    const struct pick_arguments *a = arguments;
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *store = NULL;
    const struct store_selection what = {
        .run = a->run, .model = a->model, .newest = a->run == NULL, .parts = DATA_FACTS};
    struct limits limits = {.count = 0};
    const struct pick *picks;
    struct dataset data;
    size_t count;

    if (a->model == NULL)
        return err_set(err, ERR_USAGE, "pick: --model is needed");
    if (take_limits(a, &limits, err) < 0 || context_init(&c, &a->common, err) < 0 ||
        store_open(c.database, STORE_READ, &store, err) < 0 ||
        store_query(store, &what, &c.arena, &data, err) < 0)
        return (int)err->code;
    count = choose_pick(&data, a->model, limits.list, limits.count, &c.arena, &picks);
    if (count == 0)
        return err_set(err, ERR_USAGE, "%s: no results of model '%s'", c.database, a->model);
    print_picks(picks, count, &limits, &c.arena);
    return picks[0].broken + picks[0].unknown > 0;
}

const struct verb verb_pick = {
    .name = "pick",
    .arguments = "",
    .summary = "which boards run a model within given limits",
    .details = "Beside each figure stands the share of the limit that is left. A time cannot be "
               "judged on an\nemulated board: it is unknown there. Exit status 1 when no board "
               "passes all limits.",
    .options = options,
    .run = pick_run,
};
