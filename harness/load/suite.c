/* Suite files: the checks between keys, and from keys to structs. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/text.h"
#include "harness/load/load.h"
#include "harness/load/suite_file.h"

void measure_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_measure *m = object;

    if (m->window_ns < 1000 || m->window_ns > 3600000000000)
        LOAD_PROBLEM(l, n, "'window_time' expected a duration from 1us to 1h");
    if (m->windows * (uint64_t)m->slope > 10000)
        LOAD_PROBLEM(l, n, "'windows' x 'slope' makes %llu windows a run (limit 10000)",
                     (unsigned long long)m->windows * m->slope);
}

void battery_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_battery *b = object;

    if (!(b->capacity_mah > 0) || !(b->usable > 0) || !(b->efficiency > 0))
        LOAD_PROBLEM(l, n, "'capacity', 'usable' and 'efficiency' must be more than 0");
}

void filter_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_filter *f = object;

    if (f->model == NULL && f->board == NULL && f->engine == NULL && f->parameter_count == 0)
        LOAD_PROBLEM(l, n, "expected at least one of model, board, engine, parameters");
}

void budget_finish(struct load *l, const struct node *n, void *object)
{
    struct suite_budget *b = object;

    b->when.where = b->where;
    budget_read(l, n, b);
}

void vector_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_vector *v = object;

    if (file_check(l, n, v->input) && v->expected != NULL)
        (void)file_check(l, n, v->expected);
}

void defaults_prepare(struct load *l, void *object)
{
    const struct suite_file *s = l->context;
    struct model_file *m = object;

    m->model.measure = s->suite.measure;
}

void model_prepare(struct load *l, void *object)
{
    const struct suite_file *s = l->context;
    struct model_file *m = object;
    const struct where where = m->model.where;

    *m = s->defaults;
    m->model.where = where;
    if (!s->has_defaults)
        m->model.measure = s->suite.measure;
}

/* Patterns of `defaults` name the model as {name}. */
static const char *const *with_name(struct load *l, const char *const *texts, const char *name)
{
    size_t count = 0;
    const char **out;

    while (texts != NULL && texts[count] != NULL)
        count++;
    if (count == 0)
        return NULL;
    out = arena_alloc(l->arena, (count + 1) * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        const char *mark = strstr(texts[i], "{name}");

        out[i] = mark == NULL ? texts[i]
                              : arena_printf(l->arena, "%.*s%s%s", (int)(mark - texts[i]), texts[i],
                                             name, mark + strlen("{name}"));
    }
    return out;
}

void model_finish(struct load *l, const struct node *n, void *object)
{
    struct model_file *m = object;
    const char *stem = value_stem(m->model.path, ".tflite", l->arena);
    const struct value_rule name = {.kind = VALUE_NAME};

    if (m->model.name == NULL &&
        !value_store(&name, stem, &n->where, l->arena, (void *)&m->model.name)) {
        LOAD_PROBLEM(l, n, "'%.64s' cannot be a name; give the model a 'name'", stem);
        return;
    }
    (void)file_check(l, n, m->model.path);
    if (m->vector_count > 0 && (node_find(n, "inputs") != NULL || node_find(n, "expected") != NULL))
        LOAD_PROBLEM(l, n, "model '%s' has 'vectors' beside 'inputs' or 'expected'", m->model.name);
    m->files.inputs = with_name(l, m->files.inputs, m->model.name);
    m->files.expected = with_name(l, m->files.expected, m->model.name);
    if (m->files.inputs == NULL && m->files.expected != NULL)
        LOAD_PROBLEM(l, n, "model '%s' has 'expected' but no 'inputs'", m->model.name);
    if (m->has_dataset)
        m->model.dataset = arena_dup(l->arena, &m->dataset, sizeof(m->dataset));
    m->model.vectors = m->vectors;
    m->model.vector_count = m->vector_count;
    if (m->vector_count == 0 && m->files.inputs != NULL)
        vectors_find(l, n, &m->files, &m->model);
}

static bool any_engine(const struct suite *s, const char *pattern)
{
    for (size_t i = 0; i < s->engine_count; i++) {
        if (text_matches(pattern, s->engines[i].text))
            return true;
    }
    return false;
}

static void names_unique(struct load *l, const struct suite *s)
{
    for (size_t i = 0; i < s->model_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(s->models[i].name, s->models[j].name) == 0) {
                problem_add(l->problems, s->models[i].where,
                            "two models are called '%s' (the other on line %u); give one a 'name'",
                            s->models[i].name, s->models[j].where.line);
                return;
            }
        }
    }
}

/* A filter that can never match is a slip of the pen. Boards are the lab's: not known here. */
static void check_filter(struct load *l, const struct suite *s, const struct suite_filter *f)
{
    const char **names = arena_alloc(l->arena, (s->model_count + 1) * sizeof(*names));
    bool known = f->model == NULL;
    char hint[96];

    for (size_t i = 0; i < s->model_count; i++) {
        names[i] = s->models[i].name;
        known |= f->model != NULL && text_matches(f->model, names[i]);
    }
    if (!known) {
        key_suggest(f->model, names, hint);
        problem_add(l->problems, f->where, "no model is called '%s'%s", f->model, hint);
    }
    if (f->engine != NULL && !any_engine(s, f->engine))
        problem_add(l->problems, f->where, "no engine of this suite is called '%s'", f->engine);
    for (size_t i = 0; i < f->parameter_count; i++) {
        bool axis = false;

        for (size_t j = 0; j < s->axis_count; j++)
            axis |= f->parameters[i].name != NULL && s->axes[j].name != NULL &&
                    strcmp(f->parameters[i].name, s->axes[j].name) == 0;
        if (!axis)
            problem_add(l->problems, f->parameters[i].where, "no parameter is called '%s'",
                        f->parameters[i].name);
    }
}

static void check_filters(struct load *l, const struct suite *s)
{
    for (size_t i = 0; i < s->include_count; i++)
        check_filter(l, s, &s->includes[i]);
    for (size_t i = 0; i < s->exclude_count; i++)
        check_filter(l, s, &s->excludes[i]);
    for (size_t i = 0; i < s->budget_count; i++)
        check_filter(l, s, &s->budgets[i].when);
    for (size_t i = 0; i < s->model_count; i++) {
        for (size_t j = 0; j < s->models[i].budget_count; j++)
            check_filter(l, s, &s->models[i].budgets[j].when);
    }
}

/* Values listed twice would make two cases of one key. */
static void check_axes(struct load *l, const struct suite *s)
{
    static const char *const taken[] = {"model", "board", "engine", "tag", NULL};

    for (size_t i = 0; i < s->axis_count; i++) {
        const struct suite_axis *a = &s->axes[i];

        for (size_t t = 0; taken[t] != NULL; t++) {
            if (strcmp(a->name, taken[t]) == 0)
                problem_add(l->problems, a->where, "a parameter cannot be called '%s'", a->name);
        }
        for (size_t j = 0; j < a->value_count; j++) {
            for (size_t k = 0; k < j; k++) {
                if (strcmp(a->values[j], a->values[k]) == 0)
                    problem_add(l->problems, a->where, "'%s' lists '%s' twice", a->name,
                                a->values[j]);
            }
        }
    }
    for (size_t j = 0; j < s->engine_count; j++) {
        for (size_t k = 0; k < j; k++) {
            if (strcmp(s->engines[j].text, s->engines[k].text) == 0)
                problem_add(l->problems, s->engines[j].where, "'engines' lists '%s' twice",
                            s->engines[j].text);
        }
    }
}

void suite_finish(struct load *l, const struct node *n, void *object)
{
    struct suite_file *f = object;
    struct suite_model *models =
        arena_alloc(l->arena, (f->model_count + 1) * sizeof(struct suite_model));
    const struct value_rule name = {.kind = VALUE_NAME};
    const char *stem = value_stem(l->file, ".yaml", l->arena);

    for (size_t i = 0; i < f->model_count; i++)
        models[i] = f->models[i].model;
    f->suite.models = models;
    f->suite.model_count = f->model_count;
    f->suite.energy = f->has_energy ? &f->energy : NULL;
    if (f->suite.name == NULL &&
        !value_store(&name, stem, &n->where, l->arena, (void *)&f->suite.name))
        LOAD_PROBLEM(l, n, "'%.64s' cannot be a name; give the suite a 'name'", stem);
    if (f->model_count == 0)
        LOAD_PROBLEM(l, n, "'models' is an empty list");
    names_unique(l, &f->suite);
    check_axes(l, &f->suite);
    check_filters(l, &f->suite);
}

static int suite_from(const char *data, size_t n, struct load *l, const struct suite **ret,
                      struct err *err)
{
    struct suite_file *f = arena_alloc(l->arena, sizeof(*f));
    int r;

    l->context = f;
    f->suite.path = l->file;
    sha256_hex(data, n, f->suite.digest);
    key_read_text(l, data, n, &suite_map, f);
    r = problems_report(l->problems, err);
    if (r < 0)
        return r;
    *ret = &f->suite;
    return 0;
}

int suite_parse(const char *data, size_t n, const char *path, struct arena *arena,
                const struct suite **ret, struct err *err)
{
    struct problems problems = {.arena = arena};
    struct load l = {
        .arena = arena, .problems = &problems, .file = arena_strdup(arena, path), .no_files = true};

    return suite_from(data, n, &l, ret, err);
}

int suite_load(const char *path, struct arena *arena, const struct suite **ret, struct err *err)
{
    struct problems problems = {.arena = arena};
    struct load l = {.arena = arena, .problems = &problems, .file = arena_strdup(arena, path)};
    AUTO_BUF data = BUF_INIT;
    int r = file_read(path, NODE_FILE_LIMIT, &data, err);

    if (r < 0)
        return r;
    return suite_from(buf_text(&data), data.len, &l, ret, err);
}
