#include "harness/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/plan/choose.h"

/* One board of the plan, or a kind that the suite wants and the lab has none of. */
struct place {
    const struct board *board;
    const char *skip; /* why nothing runs there */
};

struct planner {
    const struct suite *suite;
    const struct lab *lab;
    const struct plan_options *options;
    struct arena *arena;
    struct place *places;
    size_t place_count;
    size_t place_capacity;
    struct plan_case *cases;
    size_t case_count;
    size_t case_capacity;
    const struct suite_measure **measures; /* per model, with the options on top */
};

static void add_place(struct planner *p, const struct board *board, const char *skip)
{
    for (size_t i = 0; i < p->place_count; i++) {
        if (p->places[i].board == board)
            return;
    }
    *ARENA_PUSH(p->arena, p->places, p->place_count, p->place_capacity) =
        (struct place){board, skip};
}

/* Adds what matches; returns how many boards of the lab did. */
static size_t add_attached(struct planner *p, const char *pattern)
{
    size_t found = 0;

    for (size_t i = 0; i < p->lab->board_count; i++) {
        const struct board *b = p->lab->boards[i];

        if (!plan_board_matches(b, pattern))
            continue;
        add_place(p, b,
                  b->maintenance == NULL
                      ? NULL
                      : arena_printf(p->arena, "board is in maintenance: %s", b->maintenance));
        found++;
    }
    return found;
}

/* Kinds that the lab knows of but has none of: their cases are planned as skipped. */
static size_t add_unattached(struct planner *p, const char *pattern)
{
    size_t found = 0;

    for (size_t i = 0; i < p->lab->known_count; i++) {
        const struct board *b = p->lab->known[i];

        if (!plan_board_matches(b, pattern))
            continue;
        add_place(p, b, arena_printf(p->arena, "lab '%s' has no board of this kind", p->lab->name));
        found++;
    }
    return found;
}

static int find_places(struct planner *p, struct err *err)
{
    for (size_t i = 0; i < p->suite->board_count; i++) {
        const struct suite_pattern *pattern = &p->suite->boards[i];

        if (add_attached(p, pattern->text) > 0 || add_unattached(p, pattern->text) > 0)
            continue;
        err_set(err, ERR_CONFIG, "%s:%u:%u: no board matches '%s'%s", pattern->where.file,
                pattern->where.line, pattern->where.column, pattern->text,
                choose_suggest_board(p->lab, pattern->text, p->arena));
        return err_hint(err, "`tinyrig boards` lists what lab '%s' has", p->lab->name);
    }
    if (p->suite->board_count == 0 && add_attached(p, "*") == 0) {
        err_set(err, ERR_CONFIG, "lab '%s' has no boards", p->lab->name);
        return err_hint(err, "list them in the lab file: see config/lab.example.yaml");
    }
    return 0;
}

static int place_order(const void *left, const void *right)
{
    return strcmp(((const struct place *)left)->board->name,
                  ((const struct place *)right)->board->name);
}

static const char *case_key(struct planner *p, const struct plan_case *c)
{
    AUTO_BUF key = BUF_INIT;

    buf_printf(&key, "%s/%s/%s", c->model->name, c->board->name, c->engine);
    for (size_t i = 0; i < c->parameter_count; i++)
        buf_printf(&key, "%c%s=%s", i == 0 ? '/' : ',', c->parameters[i].name,
                   c->parameters[i].value);
    return arena_strdup(p->arena, buf_text(&key));
}

/* The n-th combination of parameter values; the last axis runs fastest. */
static void set_parameters(struct planner *p, struct plan_case *c, size_t n)
{
    struct case_parameter *out =
        arena_alloc(p->arena, (p->suite->axis_count + 1) * sizeof(struct case_parameter));

    for (size_t i = p->suite->axis_count; i-- > 0;) {
        const struct suite_axis *axis = &p->suite->axes[i];

        out[i].name = axis->name;
        out[i].value = axis->values[n % axis->value_count];
        n /= axis->value_count;
    }
    c->parameters = out;
    c->parameter_count = p->suite->axis_count;
}

static void add_budgets(struct planner *p, struct plan_case *c, const struct suite_budget *list,
                        size_t count)
{
    /* Room for all was made; the case sees them as const. */
    const struct suite_budget **judged = (const struct suite_budget **)c->budgets;
    const struct suite_budget **unjudged = (const struct suite_budget **)c->unjudged;

    for (size_t i = 0; i < count; i++) {
        const struct suite_budget *b;

        if (!choose_matches(&list[i].when, c))
            continue;
        b = choose_budget(&list[i], c, p->arena);
        if (b != NULL)
            judged[c->budget_count++] = b;
        else
            unjudged[c->unjudged_count++] = &list[i];
    }
}

static void set_budgets(struct planner *p, struct plan_case *c)
{
    const size_t most = p->suite->budget_count + c->model->budget_count + 1;

    c->budgets = arena_alloc(p->arena, most * sizeof(struct suite_budget *));
    c->unjudged = arena_alloc(p->arena, most * sizeof(struct suite_budget *));
    add_budgets(p, c, p->suite->budgets, p->suite->budget_count);
    add_budgets(p, c, c->model->budgets, c->model->budget_count);
}

static const char *engine_skip(struct planner *p, const struct plan_case *c)
{
    const char *const *engines =
        c->board->engines != NULL ? c->board->engines : p->options->common_engines;

    for (size_t i = 0; engines != NULL && engines[i] != NULL; i++) {
        if (strcmp(engines[i], c->engine) == 0)
            return NULL;
    }
    return engines == NULL ? NULL
                           : arena_printf(p->arena, "agent '%s' has no engine '%s'",
                                          c->board->agent, c->engine);
}

/* Its waveform follows the marker; without one there is nothing to follow. */
static bool has_emulated_meter(const struct board *b)
{
    return b->virt.kind != NULL && (b->virt.marker_set != 0 || b->virt.marker_pin != NULL);
}

/* A virtual board brings its emulated meter; a real one needs one that the lab has. */
static void set_energy(struct planner *p, struct plan_case *c)
{
    const struct suite_energy *e = p->suite->energy;
    const char *meter = e == NULL ? NULL : e->meter != NULL ? e->meter : c->board->meter;

    if (e != NULL && (has_emulated_meter(c->board) || lab_find_meter(p->lab, meter) != NULL))
        c->energy = e;
}

/* `include` makes the matrix smaller; what it leaves out is no case at all. */
static bool included(const struct suite *s, const struct plan_case *c)
{
    for (size_t i = 0; i < s->include_count; i++) {
        if (choose_matches(&s->includes[i], c))
            return true;
    }
    return s->include_count == 0;
}

static const char *excluded(struct planner *p, const struct plan_case *c)
{
    const struct suite *s = p->suite;

    for (size_t i = 0; i < s->exclude_count; i++) {
        if (choose_matches(&s->excludes[i], c))
            return arena_printf(p->arena, "excluded (line %u): %s", s->excludes[i].where.line,
                                s->excludes[i].reason);
    }
    return NULL;
}

static int need_skip(struct planner *p, struct plan_case *c, struct err *err)
{
    struct plan_need need = {0};
    int r;

    if (p->options->need == NULL)
        return 0;
    r = p->options->need(p->options->need_context, c->model, c->board, c->engine, &need, err);
    if (r < 0)
        return err_in(err, "model '%s'", c->model->name);
    if (r > 0)
        return 0;
    c->skip = need.skip != NULL ? arena_strdup(p->arena, need.skip)
                                : choose_fit(c->board, &need, p->arena);
    return 0;
}

/* One cell of the matrix: model, engine, combination of parameters. */
static int add_case(struct planner *p, const struct place *place, const size_t at[3],
                    struct err *err)
{
    struct plan_case c = {
        .model = &p->suite->models[at[0]],
        .board = place->board,
        .engine = p->suite->engines[at[1]].text,
        .measure = p->measures[at[0]],
        .skip = place->skip,
    };
    int r = 0;

    if (p->case_count == PLAN_CASE_LIMIT)
        return err_set(err, ERR_CONFIG, "suite '%s' makes more than %d cases", p->suite->name,
                       PLAN_CASE_LIMIT);
    set_parameters(p, &c, at[2]);
    c.key = case_key(p, &c);
    if (!included(p->suite, &c) || !choose_filtered(p->options->filters, &c))
        return 0;
    if (c.skip == NULL)
        c.skip = excluded(p, &c);
    if (c.skip == NULL)
        c.skip = engine_skip(p, &c);
    if (c.skip == NULL)
        r = need_skip(p, &c, err);
    if (r < 0)
        return r;
    set_energy(p, &c);
    set_budgets(p, &c);
    *ARENA_PUSH(p->arena, p->cases, p->case_count, p->case_capacity) = c;
    return 0;
}

static bool board_asked(const struct planner *p, const struct board *b)
{
    const char *const *patterns = p->options->boards;

    for (size_t i = 0; patterns != NULL && patterns[i] != NULL; i++) {
        if (plan_board_matches(b, patterns[i]))
            return true;
    }
    return patterns == NULL || patterns[0] == NULL;
}

/* How many combinations the axes make; more than the limit when that is too many. */
static size_t combinations(const struct suite *s)
{
    size_t n = 1;

    for (size_t i = 0; i < s->axis_count && n <= PLAN_CASE_LIMIT; i++)
        n *= s->axes[i].value_count;
    return n;
}

static int add_place_cases(struct planner *p, const struct place *place, struct err *err)
{
    const size_t parameters = combinations(p->suite);
    int r = 0;

    if (!board_asked(p, place->board))
        return 0;
    for (size_t m = 0; m < p->suite->model_count; m++) {
        for (size_t e = 0; e < p->suite->engine_count; e++) {
            for (size_t n = 0; n < parameters && r == 0; n++)
                r = add_case(p, place, (const size_t[3]){m, e, n}, err);
        }
    }
    return r;
}

static void make_measures(struct planner *p)
{
    const struct suite *s = p->suite;

    p->measures = arena_alloc(p->arena, (s->model_count + 1) * sizeof(struct suite_measure *));
    for (size_t i = 0; i < s->model_count; i++) {
        struct suite_measure *m = arena_dup(p->arena, &s->models[i].measure, sizeof(*m));

        if (p->options->repeat != 0)
            m->repeat = p->options->repeat;
        m->interleave |= p->options->interleave;
        p->measures[i] = m;
    }
}

static int check_engines(const struct planner *p, struct err *err)
{
    const char *const *known = p->options->engines;

    for (size_t i = 0; known != NULL && i < p->suite->engine_count; i++) {
        const struct suite_pattern *e = &p->suite->engines[i];
        size_t k = 0;

        while (known[k] != NULL && strcmp(known[k], e->text) != 0)
            k++;
        if (known[k] == NULL)
            return err_set(err, ERR_CONFIG, "%s:%u:%u: there is no engine '%s'%s", e->where.file,
                           e->where.line, e->where.column, e->text,
                           choose_suggest(e->text, known, p->arena));
    }
    return 0;
}

void plan_recount(struct plan *plan, struct arena *arena)
{
    const struct board **boards =
        arena_alloc(arena, (plan->case_count + 1) * sizeof(struct board *));

    plan->run_count = plan->board_count = 0;
    for (size_t i = 0; i < plan->case_count; i++) {
        const struct board *b = plan->cases[i].board;

        if (plan->cases[i].skip != NULL)
            continue;
        plan->run_count++;
        if (plan->board_count == 0 || boards[plan->board_count - 1] != b)
            boards[plan->board_count++] = b;
    }
    plan->boards = boards;
}

static void finish(struct planner *p, struct plan *plan)
{
    plan->suite = p->suite;
    plan->lab = p->lab;
    plan->cases = p->cases;
    plan->case_count = p->case_count;
    plan_recount(plan, p->arena);
}

int plan_make(const struct suite *suite, const struct lab *lab, const struct plan_options *options,
              struct arena *arena, const struct plan **ret, struct err *err)
{
    struct planner p = {.suite = suite, .lab = lab, .options = options, .arena = arena};
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    int r = check_engines(&p, err);

    if (r == 0)
        r = find_places(&p, err);
    if (r == 0)
        r = choose_check(suite, lab, options, arena, err);
    if (r != 0)
        return r;
    if (p.place_count > 0)
        qsort(p.places, p.place_count, sizeof(p.places[0]), place_order);
    make_measures(&p);
    for (size_t i = 0; i < p.place_count && r == 0; i++)
        r = add_place_cases(&p, &p.places[i], err);
    if (r < 0)
        return r;
    if (p.case_count == 0) {
        err_set(err, ERR_USAGE, "no case of suite '%s' matches", suite->name);
        return err_hint(err, "`tinyrig plan %s` lists its cases", suite->path);
    }
    finish(&p, plan);
    *ret = plan;
    return 0;
}
