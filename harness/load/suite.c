/* Suite files: their key tables and the checks between keys. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/text.h"
#include "harness/load/load.h"
#include "harness/load/read.h"

/* A model as written; becomes a struct suite_model once everything is known. */
struct model_file {
    struct suite_model model;
    struct vector_files files;
    const struct suite_vector *vectors; /* written out one by one */
    size_t vector_count;
};

struct suite_file {
    struct suite suite;
    struct suite_energy energy;
    bool has_energy;
    struct model_file defaults;
    bool has_defaults;
    struct model_file *models;
    size_t model_count;
};

#define M suite_measure
static const struct key measure_keys[] = {
    {"warmup",
     "inferences before the first window",
     "2",
     "1",
     KEY_ONE,
     0,
     {VALUE_COUNT, .max = 1000000},
     NULL,
     KEY_AT(M, warmup)},
    {"windows",
     "measured windows at each length",
     "5",
     "5",
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 1, .max = 10000},
     NULL,
     KEY_AT(M, windows)},
    {"slope",
     "lengths of windows: N, 2N, ... slope x N inferences, for the fit time = a + b N",
     "3",
     "3",
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 1, .max = 16},
     NULL,
     KEY_AT(M, slope)},
    {"window_time",
     "the shortest window lasts about this long on the board's own clock",
     "200ms",
     "100ms",
     KEY_ONE,
     0,
     {VALUE_DURATION},
     NULL,
     KEY_AT(M, window_ns)},
    {"inferences",
     "N itself, instead of a window_time that it is sized to",
     "10",
     NULL,
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 1, .max = 100000000},
     NULL,
     KEY_AT(M, inferences)},
    {"repeat",
     "runs of each case; each begins with a reset of the board",
     "3",
     "1",
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 1, .max = 1000},
     NULL,
     KEY_AT(M, repeat)},
    {"interleave",
     "runs of different cases take turns (A B A B), so that drift hits all alike",
     "true",
     "false",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, interleave)},
    {"profile",
     "an extra pass that counts each operator, outside of the windows",
     "true",
     "false",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, profile)},
    {"max_vectors",
     "check only the first so many inputs; 0 is all",
     "4",
     "0",
     KEY_ONE,
     0,
     {VALUE_COUNT, .max = 1000000},
     NULL,
     KEY_AT(M, max_vectors)},
    {"timeout",
     "give one run of one case up after this long; without it, sized to the windows",
     "2min",
     NULL,
     KEY_ONE,
     0,
     {VALUE_DURATION},
     NULL,
     KEY_AT(M, timeout_ns)},
    {NULL},
};
#undef M

static void measure_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_measure *m = object;

    if (m->window_ns < 1000 || m->window_ns > 3600000000000)
        LOAD_PROBLEM(l, n, "'window_time' expected a duration from 1us to 1h");
    if (m->windows * (uint64_t)m->slope > 10000)
        LOAD_PROBLEM(l, n, "'windows' x 'slope' makes %llu windows a run (limit 10000)",
                     (unsigned long long)m->windows * m->slope);
}

static const struct key_map measure_map = {
    .name = "measure",
    .help = "how each case is measured",
    .keys = measure_keys,
    .size = sizeof(struct suite_measure),
    .where_offset = KEY_NOWHERE,
    .finish = measure_finish,
};

#define M suite_battery
static const struct key battery_keys[] = {
    {"capacity",
     "nominal capacity of the battery",
     "2000mAh",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_CAPACITY},
     NULL,
     KEY_AT(M, capacity_mah)},
    {"inferences_per_hour",
     "duty: how often the model runs",
     "360",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_NUMBER},
     NULL,
     KEY_AT(M, inferences_per_hour)},
    {"sleep_current",
     "of the whole product between inferences",
     "12uA",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_AMPERES},
     NULL,
     KEY_AT(M, sleep_na)},
    {"usable",
     "share of the capacity that can be drawn",
     "85%",
     "100%",
     KEY_ONE,
     0,
     {VALUE_RATIO},
     NULL,
     KEY_AT(M, usable)},
    {"self_discharge",
     "share of the capacity lost in a year",
     "1%",
     "0%",
     KEY_ONE,
     0,
     {VALUE_RATIO},
     NULL,
     KEY_AT(M, self_discharge)},
    {"efficiency",
     "of the regulator between battery and board",
     "90%",
     "100%",
     KEY_ONE,
     0,
     {VALUE_RATIO},
     NULL,
     KEY_AT(M, efficiency)},
    {NULL},
};
#undef M

static void battery_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_battery *b = object;

    if (!(b->capacity_mah > 0) || !(b->usable > 0) || !(b->efficiency > 0))
        LOAD_PROBLEM(l, n, "'capacity', 'usable' and 'efficiency' must be more than 0");
}

static const struct key_map battery_map = {
    .name = "battery",
    .help = "the battery whose life is projected from the measured charge",
    .keys = battery_keys,
    .size = sizeof(struct suite_battery),
    .where_offset = KEY_NOWHERE,
    .finish = battery_finish,
};

static const char *const energy_profiles[] = {"guarded", "eembc", NULL};

#define M suite_energy
static const struct key energy_keys[] = {
    {"profile",
     "guarded: from idle to idle, idle current subtracted; eembc: its run rules",
     "guarded",
     "guarded",
     KEY_ONE,
     0,
     {VALUE_WORD, energy_profiles},
     NULL,
     KEY_AT(M, profile)},
    {"meter",
     "a meter of the lab file; without it, the one the lab gives to the board",
     "ppk2-a",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, meter)},
    {"voltage",
     "supply; without it, the board's nominal voltage",
     "3.0V",
     NULL,
     KEY_ONE,
     0,
     {VALUE_VOLTS},
     NULL,
     KEY_AT(M, voltage_uv)},
    {"windows",
     "measured windows",
     "5",
     "5",
     KEY_ONE,
     0,
     {VALUE_COUNT, .min = 1, .max = 1000},
     NULL,
     KEY_AT(M, windows)},
    {"window_time",
     "a window lasts at least this long",
     "10s",
     "10s",
     KEY_ONE,
     0,
     {VALUE_DURATION},
     NULL,
     KEY_AT(M, window_ns)},
    {"idle_time",
     "quiet before and after each window, for the idle current",
     "1s",
     "1s",
     KEY_ONE,
     0,
     {VALUE_DURATION},
     NULL,
     KEY_AT(M, idle_ns)},
    {"keep_trace",
     "keep every raw sample; without it, only those of failed windows",
     "true",
     "false",
     KEY_ONE,
     0,
     {VALUE_BOOL},
     NULL,
     KEY_AT(M, keep_trace)},
    {"battery",
     "project the life of this battery",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &battery_map,
     .offset = (long)offsetof(struct M, battery),
     .count_offset = KEY_NOWHERE,
     .given_offset = (long)offsetof(struct M, has_battery)},
    {NULL},
};
#undef M

static const struct key_map energy_map = {
    .name = "energy",
    .help = "measure current and energy too",
    .keys = energy_keys,
    .size = sizeof(struct suite_energy),
    .where_offset = KEY_NOWHERE,
};

/* The keys that choose cases, in the struct M at field F (with its dot, or empty). */
#define FILTER_KEYS(M, F)                                                                          \
    {"model", "name or pattern of models", "kws", NULL, KEY_ONE, 0, {VALUE_PATTERN},               \
     NULL,    KEY_AT(M, F model)},                                                                 \
        {"board",           "name or pattern of boards, or tag:NAME",                              \
         "tag:cortex-m",    NULL,                                                                  \
         KEY_ONE,           0,                                                                     \
         {VALUE_PATTERN},   NULL,                                                                  \
         KEY_AT(M, F board)},                                                                      \
        {"engine", "name or pattern of engines", "tiny", NULL, KEY_ONE, 0, {VALUE_PATTERN},        \
         NULL,     KEY_AT(M, F engine)},                                                           \
    {                                                                                              \
        "parameters", "values of parameters, any of them", "{kernels: ref}", NULL, KEY_AXES, 0,    \
            {VALUE_PATTERN}, NULL, KEY_ARRAY_AT(M, F parameters, F parameter_count)                \
    }

#define M suite_filter
static const struct key include_keys[] = {
    FILTER_KEYS(M, ),
    {"reason",
     "why only these, for people",
     "the release candidates",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, reason)},
    {NULL},
};
static const struct key exclude_keys[] = {
    FILTER_KEYS(M, ),
    {"reason",
     "why not these; the plan and the report show it",
     "needs more RAM than the part has",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, reason)},
    {NULL},
};
#undef M

static void filter_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_filter *f = object;

    if (f->model == NULL && f->board == NULL && f->engine == NULL && f->parameter_count == 0)
        LOAD_PROBLEM(l, n, "expected at least one of model, board, engine, parameters");
}

static const struct key_map include_map = {
    .name = "include",
    .help = "cases to keep; without it, all",
    .keys = include_keys,
    .size = sizeof(struct suite_filter),
    .where_offset = (long)offsetof(struct suite_filter, where),
    .finish = filter_finish,
};

static const struct key_map exclude_map = {
    .name = "exclude",
    .help = "cases to leave out; they are planned as skipped, with the reason",
    .keys = exclude_keys,
    .size = sizeof(struct suite_filter),
    .where_offset = (long)offsetof(struct suite_filter, where),
    .finish = filter_finish,
};

#define M suite_budget
static const struct key budget_keys[] = {
    {"limit",
     "METRIC <= VALUE, also <, >=, >, ==",
     "ram <= 64KiB",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, text)},
    FILTER_KEYS(M, when.),
    {"reason",
     "where the limit comes from, for people",
     "the product's part has 64 KiB",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, when.reason)},
    {NULL},
};
#undef M

static void budget_finish(struct load *l, const struct node *n, void *object)
{
    struct suite_budget *b = object;

    b->when.where = b->where;
    budget_read(l, n, b);
}

static const struct key_map budget_map = {
    .name = "budgets",
    .help = "limits that must hold; a broken one fails the case",
    .keys = budget_keys,
    .size = sizeof(struct suite_budget),
    .shorthand = "limit",
    .where_offset = (long)offsetof(struct suite_budget, where),
    .finish = budget_finish,
};

#define M suite_vector
static const struct key vector_keys[] = {
    {"input",
     "raw little-endian tensor to feed",
     "models/sine/in0.bin",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_PATH},
     NULL,
     KEY_AT(M, input)},
    {"expected",
     "raw tensor that must come back, bit for bit",
     "models/sine/out0.bin",
     NULL,
     KEY_ONE,
     0,
     {VALUE_PATH},
     NULL,
     KEY_AT(M, expected)},
    {NULL},
};
#undef M

static void vector_finish(struct load *l, const struct node *n, void *object)
{
    const struct suite_vector *v = object;

    if (file_check(l, n, v->input) && v->expected != NULL)
        (void)file_check(l, n, v->expected);
}

static const struct key_map vector_map = {
    .name = "vectors",
    .help = "inputs and their outputs, one by one",
    .keys = vector_keys,
    .size = sizeof(struct suite_vector),
    .where_offset = KEY_NOWHERE,
    .finish = vector_finish,
};

/* What a model may say itself and `defaults` may say for all. */
#define M model_file
#define MODEL_KEYS                                                                                 \
    {"inputs",                                                                                     \
     "raw little-endian input tensors: files, or patterns whose matches are sorted; {name} is "    \
     "the model's name",                                                                           \
     "models/sine/in*.bin",                                                                        \
     NULL,                                                                                         \
     KEY_LIST,                                                                                     \
     0,                                                                                            \
     {VALUE_TEXT},                                                                                 \
     NULL,                                                                                         \
     KEY_AT(M, files.inputs)},                                                                     \
        {"expected",                                                                               \
         "the outputs that must come back for them, bit for bit; as many as inputs",               \
         "models/sine/out*.bin",                                                                   \
         NULL,                                                                                     \
         KEY_LIST,                                                                                 \
         0,                                                                                        \
         {VALUE_TEXT},                                                                             \
         NULL,                                                                                     \
         KEY_AT(M, files.expected)},                                                               \
        {"measure",                                                                                \
         "what this model measures differently",                                                   \
         NULL,                                                                                     \
         NULL,                                                                                     \
         KEY_MAP,                                                                                  \
         KEY_INHERITS,                                                                             \
         {0},                                                                                      \
         &measure_map,                                                                             \
         KEY_AT(M, model.measure)},                                                                \
    {                                                                                              \
        "budgets", "limits for this model only", "[latency <= 33ms]", NULL, KEY_MAPS, KEY_ALONE,   \
            {0}, &budget_map, KEY_ARRAY_AT(M, model.budgets, model.budget_count)                   \
    }

static const struct key defaults_keys[] = {
    MODEL_KEYS,
    {NULL},
};

static const struct key model_keys[] = {
    {"path",
     "a .tflite file, relative to the suite",
     "models/sine.tflite",
     NULL,
     KEY_ONE,
     KEY_REQUIRED,
     {VALUE_PATH},
     NULL,
     KEY_AT(M, model.path)},
    {"name",
     "what it is called in results; without it, the file's name",
     "sine",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, model.name)},
    MODEL_KEYS,
    {"vectors",
     "inputs and expected outputs, pair by pair, instead of inputs and expected",
     "[{input: in0.bin, expected: out0.bin}]",
     NULL,
     KEY_MAPS,
     KEY_ALONE,
     {0},
     &vector_map,
     KEY_ARRAY_AT(M, vectors, vector_count)},
    {NULL},
};
#undef M

static void defaults_prepare(struct load *l, void *object)
{
    const struct suite_file *s = l->context;
    struct model_file *m = object;

    m->model.measure = s->suite.measure;
}

static const struct key_map defaults_map = {
    .name = "defaults",
    .help = "what every model does unless it says otherwise",
    .keys = defaults_keys,
    .size = sizeof(struct model_file),
    .where_offset = KEY_NOWHERE,
    .prepare = defaults_prepare,
};

static void model_prepare(struct load *l, void *object)
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

static void model_finish(struct load *l, const struct node *n, void *object)
{
    struct model_file *m = object;
    const char *stem = read_stem(m->model.path, ".tflite", l->arena);
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
    m->model.vectors = m->vectors;
    m->model.vector_count = m->vector_count;
    if (m->vector_count == 0 && m->files.inputs != NULL)
        vectors_find(l, n, &m->files, &m->model);
}

static const struct key_map model_map = {
    .name = "models",
    .help = "what is measured",
    .keys = model_keys,
    .size = sizeof(struct model_file),
    .shorthand = "path",
    .where_offset = (long)offsetof(struct model_file, model.where),
    .prepare = model_prepare,
    .finish = model_finish,
};

#define M suite_file
static const struct key suite_keys[] = {
    {"name",
     "what the suite is called in results; without it, the file's name",
     "quickstart",
     NULL,
     KEY_ONE,
     0,
     {VALUE_NAME},
     NULL,
     KEY_AT(M, suite.name)},
    {"description",
     "for people",
     "all virtual boards in two minutes",
     NULL,
     KEY_ONE,
     0,
     {VALUE_TEXT},
     NULL,
     KEY_AT(M, suite.description)},
    {"measure",
     "how each case is measured",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &measure_map,
     KEY_AT(M, suite.measure)},
    {"energy",
     "measure current and energy too; without it, no instrument is touched",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &energy_map,
     .offset = (long)offsetof(struct M, energy),
     .count_offset = KEY_NOWHERE,
     .given_offset = (long)offsetof(struct M, has_energy)},
    {"defaults",
     "what every model does unless it says otherwise",
     NULL,
     NULL,
     KEY_MAP,
     0,
     {0},
     &defaults_map,
     .offset = (long)offsetof(struct M, defaults),
     .count_offset = KEY_NOWHERE,
     .given_offset = (long)offsetof(struct M, has_defaults)},
    {"models",
     "what is measured; a path alone will do",
     "[models/sine.tflite]",
     NULL,
     KEY_MAPS,
     KEY_REQUIRED | KEY_ALONE,
     {0},
     &model_map,
     KEY_ARRAY_AT(M, models, model_count)},
    {"boards",
     "where: names, patterns and tags; without it, every board of the lab",
     "[virt-m4, \"nucleo-*\", tag:cortex-m]",
     NULL,
     KEY_LIST,
     0,
     {VALUE_SELECTOR},
     NULL,
     KEY_ARRAY_AT(M, suite.boards, suite.board_count)},
    {"engines",
     "what runs the models",
     "[tiny, null]",
     "tiny",
     KEY_LIST,
     0,
     {VALUE_NAME_AT},
     NULL,
     KEY_ARRAY_AT(M, suite.engines, suite.engine_count)},
    {"parameters",
     "further axes of the matrix, each with its values",
     "{kernels: [best, ref]}",
     NULL,
     KEY_AXES,
     0,
     {VALUE_NAME},
     NULL,
     KEY_ARRAY_AT(M, suite.axes, suite.axis_count)},
    {"budgets",
     "limits that must hold in every case",
     "[ram <= 64KiB]",
     NULL,
     KEY_MAPS,
     KEY_ALONE,
     {0},
     &budget_map,
     KEY_ARRAY_AT(M, suite.budgets, suite.budget_count)},
    {"include",
     "cases to keep; without it, all",
     "[{model: kws}]",
     NULL,
     KEY_MAPS,
     KEY_ALONE,
     {0},
     &include_map,
     KEY_ARRAY_AT(M, suite.includes, suite.include_count)},
    {"exclude",
     "cases to leave out, each with a reason",
     "[{model: vww, board: virt-m0, reason: too big}]",
     NULL,
     KEY_MAPS,
     KEY_ALONE,
     {0},
     &exclude_map,
     KEY_ARRAY_AT(M, suite.excludes, suite.exclude_count)},
    {NULL},
};
#undef M

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

static void suite_finish(struct load *l, const struct node *n, void *object)
{
    struct suite_file *f = object;
    struct suite_model *models =
        arena_alloc(l->arena, (f->model_count + 1) * sizeof(struct suite_model));
    const struct value_rule name = {.kind = VALUE_NAME};
    const char *stem = read_stem(l->file, ".yaml", l->arena);

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

const struct key_map suite_map = {
    .name = "suite",
    .help = "what to measure, on which boards, and what must hold",
    .keys = suite_keys,
    .size = sizeof(struct suite_file),
    .where_offset = KEY_NOWHERE,
    .finish = suite_finish,
};

static int suite_from(const char *data, size_t n, struct load *l, const struct suite **ret,
                      struct err *err)
{
    struct suite_file *f = arena_alloc(l->arena, sizeof(*f));
    int r;

    l->context = f;
    f->suite.path = l->file;
    sha256_hex(data, n, f->suite.digest);
    read_text(l, data, n, &suite_map, f);
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
