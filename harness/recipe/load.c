/* Recipe files: their keys, and from keys to structs. */
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/recipe/data.h"
#include "harness/recipe/kinds.h"

static const char *const loss_words[] = {"squared", "cross-entropy", NULL};

#define M recipe_input
static const struct key input_keys[] = {
    NUMBERS("shape", shape_given, "[1, 49, 10, 1]", "of the input; the first is 1", REQUIRED,
            RANGE(1, 65536)),
    ONE("type", VALUE_WORD, type, "int8", "of the activations, from the input on", DEFAULT("int8"),
        WORDS(type_words)),
    ONE("data", VALUE_CHOICE, data_name, "smooth", "what makes its samples", DEFAULT("smooth"),
        WORDS(data_names)),
    LIST("range", VALUE_SIGNED, range, "[-1, 1]", "lowest and highest value that it can hold",
         REQUIRED, COUNT(range_count)),
    {NULL},
};
#undef M

/* Shape and range from the lists; the data must have the same shape. */
static void input_finish(struct load *l, const struct node *n, void *object)
{
    struct recipe_input *in = object;
    const struct recipe_numbers *dims = &in->shape_given;

    if (dims->count < 2 || dims->count > SHAPE_RANK_MAX || dims->values[0] != 1) {
        LOAD_PROBLEM(l, n, "'shape' expected 2 to %d numbers of which the first is 1",
                     SHAPE_RANK_MAX);
        return;
    }
    if (in->range_count != 2 || !(in->range[0] < in->range[1])) {
        LOAD_PROBLEM(l, n, "'range' expected two numbers, the lower one first");
        return;
    }
    in->low = in->range[0];
    in->high = in->range[1];
    in->shape.rank = (int)dims->count;
    memcpy(in->shape.dim, dims->values, dims->count * sizeof(int));
    int64_t elements = 1;
    for (int i = 0; i < in->shape.rank && elements <= ELEMENTS_MAX; i++)
        elements *= in->shape.dim[i];
    if (elements > ELEMENTS_MAX)
        LOAD_PROBLEM(l, n, "'shape' has more than %d elements", ELEMENTS_MAX);
    in->data = data_find(in->data_name);
    if (in->data->rank != 0 && (in->data->rank != in->shape.rank ||
                                memcmp(in->data->dim, in->shape.dim, sizeof(in->shape.dim)) != 0))
        LOAD_PROBLEM(l, n, "data '%s' has another shape: %s", in->data_name, in->data->summary);
}

static const struct key_map input_map = {
    .name = "input",
    .help = "what goes into the model",
    .keys = input_keys,
    .size = sizeof(struct recipe_input),
    .where_offset = offsetof(struct recipe_input, where),
    .finish = input_finish,
};

#define M recipe_train
static const struct key train_keys[] = {
    ONE("loss", VALUE_WORD, loss, "squared",
        "squared: of the error; cross-entropy: of a softmax over classes", DEFAULT("squared"),
        WORDS(loss_words)),
    ONE("samples", VALUE_INTEGER, samples, "1000", "drawn from the data", DEFAULT("1000"),
        RANGE(1, 1000000)),
    ONE("epochs", VALUE_INTEGER, epochs, "50", "times that each sample is seen", DEFAULT("50"),
        RANGE(1, 100000)),
    ONE("batch", VALUE_INTEGER, batch, "16", "samples a step", DEFAULT("16"), RANGE(1, 100000)),
    ONE("rate", VALUE_NUMBER, rate, "0.005", "first learning rate of Adam", DEFAULT("0.005")),
    {NULL},
};
#undef M

static const struct key_map train_map = {
    .name = "train",
    .help = "train the model on its data; without it the weights stay random",
    .keys = train_keys,
    .size = sizeof(struct recipe_train),
};

#define M recipe_vectors
static const struct key vectors_keys[] = {
    ONE("data", VALUE_INTEGER, data, "3", "inputs that are samples of the data", DEFAULT("3"),
        RANGE(0, 90)),
    ONE("random", VALUE_INTEGER, random, "1", "inputs of any value that the type can hold",
        DEFAULT("1"), RANGE(0, 9)),
    {NULL},
};
#undef M

static const struct key_map vectors_map = {
    .name = "vectors",
    .help = "test inputs",
    .keys = vectors_keys,
    .size = sizeof(struct recipe_vectors),
};

struct recipe_file {
    struct recipe recipe;
    struct layer_file *layers;
    size_t layer_count;
};

#define M recipe_file
static const struct key recipe_keys[] = {
    ONE("model", VALUE_NAME, recipe.name, "kws", "its name", REQUIRED),
    ONE("description", VALUE_TEXT, recipe.description, "keyword spotting", "kept in the model",
        REQUIRED),
    ONE("seed", VALUE_COUNT, recipe.seed, "1", "of weights, data and test inputs", DEFAULT("0")),
    MAP("input", input_map, recipe.input, "what goes into the model", REQUIRED),
    ONE("calibration", VALUE_INTEGER, recipe.calibration_samples, "32",
        "samples of the data that set the ranges", DEFAULT("32"), RANGE(1, 10000)),
    MAP("vectors", vectors_map, recipe.vectors, "test inputs", OPTIONAL),
    ONE("dataset", VALUE_INTEGER, recipe.dataset_samples, "100",
        "labelled samples to measure accuracy with", DEFAULT("0"), RANGE(0, 9999)),
    MAP("train", train_map, recipe.train, "train the model on its data", OPTIONAL,
        GIVEN(recipe.trained)),
    MAPS("layers", layer_map, layers, "one after the other", REQUIRED, COUNT(layer_count)),
    {NULL},
};
#undef M

/* ---- layers: names and sources ---- */

static void find_source(struct load *l, const struct recipe *r, const struct suite_pattern *name,
                        int before, int *ret)
{
    const char *names[256] = {"input"};

    for (int i = 0; i < before; i++) {
        if (strcmp(r->layers[i].name, name->text) == 0) {
            *ret = i + 1;
            return;
        }
        if (i + 2 < (int)ARRAY_SIZE(names))
            names[i + 1] = r->layers[i].name;
    }
    if (strcmp(name->text, "input") == 0)
        return;
    char hint[96];
    key_suggest(name->text, names, hint);
    problem_add(l->problems, name->where, "no layer '%s' before this one%s", name->text, hint);
}

static void check_sources(struct load *l, const struct recipe_layer *layer)
{
    int wanted = layer->kind->sources;

    if (wanted < 0 && layer->from_count < 2)
        problem_add(l->problems, layer->where, "a %s layer needs two or more sources in 'from'",
                    layer->kind->name);
    else if (wanted >= 0 && layer->from_count != wanted)
        problem_add(l->problems, layer->where, "a %s layer needs %d source%s in 'from', it has %d",
                    layer->kind->name, wanted, wanted == 1 ? "" : "s", layer->from_count);
}

static void make_layer(struct load *l, struct recipe *r, const struct layer_file *f, int index)
{
    struct recipe_layer *layer = &r->layers[index];
    int kind = 0;

    while (!f->given[kind])
        kind++;
    *layer = (struct recipe_layer){.kind = layer_kinds[kind],
                                   .name = f->options.name,
                                   .from = {index},
                                   .from_count = 1,
                                   .options = f->options,
                                   .where = f->where};
    if (!layer->name)
        layer->name = arena_printf(l->arena, "%s_%d", layer->kind->name, index + 1);
    for (int i = 0; i < index; i++)
        if (strcmp(r->layers[i].name, layer->name) == 0)
            problem_add(l->problems, f->where, "the name '%s' is used twice", layer->name);
    if (f->options.from_count > LAYER_SOURCES_MAX) {
        problem_add(l->problems, f->where, "'from' has more than %d names", LAYER_SOURCES_MAX);
        return;
    }
    for (size_t i = 0; i < f->options.from_count; i++) {
        layer->from[i] = 0;
        find_source(l, r, &f->options.from[i], index, &layer->from[i]);
        layer->from_count = (int)i + 1;
    }
    check_sources(l, layer);
}

static void recipe_finish(struct load *l, const struct node *n, void *object)
{
    struct recipe_file *f = object;
    struct recipe *r = &f->recipe;

    (void)n;
    r->layer_count = f->layer_count;
    r->layers = arena_alloc(l->arena, f->layer_count * sizeof(*r->layers));
    for (size_t i = 0; i < f->layer_count; i++)
        make_layer(l, r, &f->layers[i], (int)i);
}

static const struct key_map recipe_map = {
    .name = "recipe",
    .help = "how a model is made",
    .keys = recipe_keys,
    .size = sizeof(struct recipe_file),
    .finish = recipe_finish,
};

int recipe_parse(const char *data, size_t n, const char *path, struct recipe *ret, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct problems problems = {.arena = &arena};
    struct load l = {.arena = &arena, .problems = &problems, .file = arena_strdup(&arena, path)};
    struct recipe_file file = {.layer_count = 0};

    key_read_text(&l, data, n, &recipe_map, &file);
    if (problems_report(&problems, err))
        return err->code;
    *ret = file.recipe;
    sha256_hex(data, n, ret->digest);
    ret->arena = arena;
    arena = (struct arena)ARENA_INIT;
    return 0;
}

int recipe_load(const char *path, struct recipe *ret, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    if (file_read(path, NODE_FILE_LIMIT, &text, err))
        return err->code;
    return recipe_parse(buf_text(&text), text.len, path, ret, err);
}

void recipe_release(struct recipe *r)
{
    arena_release(&r->arena);
}
