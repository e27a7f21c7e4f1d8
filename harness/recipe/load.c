#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/base/text.h"
#include "harness/recipe/data.h"
#include "harness/recipe/kinds.h"

enum {
    FILE_MAX = 256 * 1024,
    NUMBER_MAX = 1 << 20
};

struct loader {
    yaml_document_t document;
    struct recipe *recipe;
    struct err *err;
};

/* ---- YAML helpers; every error names the place ---- */

static int bad(const struct loader *ld, const yaml_node_t *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static int bad(const struct loader *ld, const yaml_node_t *at, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(ld->err, ERR_CONFIG, "%s:%zu:%zu: %s", ld->recipe->path, at->start_mark.line + 1,
                   at->start_mark.column + 1, text);
}

static yaml_node_t *node(struct loader *ld, int id)
{
    return yaml_document_get_node(&ld->document, id);
}

static const char *text_of(const yaml_node_t *n)
{
    return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : "";
}

static int unknown(const struct loader *ld, const yaml_node_t *at, const char *what,
                   const char *const *known)
{
    const char *near = text_nearest(text_of(at), known);
    bad(ld, at, "%s '%s' is not known", what, text_of(at));
    return near ? err_hint(ld->err, "did you mean '%s'?", near) : ERR_CONFIG;
}

static int read_int(struct loader *ld, const yaml_node_t *n, const char *key, int low, int *ret)
{
    uint64_t v = 0;
    const char *s = text_of(n);
    bool minus = s[0] == '-';
    if (!text_to_u64(s + minus, &v) || v > NUMBER_MAX || (minus ? -(int)v : (int)v) < low)
        return bad(ld, n, "%s: expected a whole number of at least %d", key, low);
    *ret = minus ? -(int)v : (int)v;
    return 0;
}

static int read_real(struct loader *ld, const yaml_node_t *n, const char *key, double *ret)
{
    if (!text_to_double(text_of(n), ret) || !(*ret > -1e6 && *ret < 1e6))
        return bad(ld, n, "%s: expected a number", key);
    return 0;
}

static int read_text(struct loader *ld, const yaml_node_t *n, const char *key, const char **ret)
{
    if (n->type != YAML_SCALAR_NODE || n->data.scalar.length == 0)
        return bad(ld, n, "%s: expected text", key);
    *ret = arena_strdup(&ld->recipe->arena, text_of(n));
    return 0;
}

/* One of the words; sets *ret to its index. */
static int read_word(struct loader *ld, const yaml_node_t *n, const char *key,
                     const char *const *words, int *ret)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text_of(n)) == 0) {
            *ret = i;
            return 0;
        }
    }
    return unknown(ld, n, key, words);
}

static int read_ints(struct loader *ld, const yaml_node_t *n, const char *key, int max, int low,
                     int *ret, int *ret_count)
{
    if (n->type != YAML_SEQUENCE_NODE)
        return bad(ld, n, "%s: expected a list of numbers, like [1, 2]", key);
    *ret_count = 0;
    for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
         i++) {
        if (*ret_count == max)
            return bad(ld, n, "%s: more than %d numbers", key, max);
        if (read_int(ld, node(ld, *i), key, low, &ret[(*ret_count)++]))
            return ld->err->code;
    }
    return 0;
}

/* "3" means [3, 3]. */
static int read_pair(struct loader *ld, const yaml_node_t *n, const char *key, int ret[2])
{
    int count = 2;
    if (n->type == YAML_SEQUENCE_NODE) {
        if (read_ints(ld, n, key, 2, 1, ret, &count))
            return ld->err->code;
        return count == 2 ? 0 : bad(ld, n, "%s: expected two numbers, height and width", key);
    }
    if (read_int(ld, n, key, 1, &ret[0]))
        return ld->err->code;
    ret[1] = ret[0];
    return 0;
}

/* Calls fn for each key of a mapping; `what` names the mapping in messages. */
typedef int pair_fn(struct loader *ld, const yaml_node_t *key, const yaml_node_t *value,
                    void *into);

static int each_pair(struct loader *ld, const yaml_node_t *n, const char *what, pair_fn *fn,
                     void *into)
{
    if (n->type != YAML_MAPPING_NODE)
        return bad(ld, n, "%s: expected 'key: value' pairs", what);
    const yaml_node_pair_t *first = n->data.mapping.pairs.start;
    for (const yaml_node_pair_t *p = first; p < n->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node(ld, p->key);
        for (const yaml_node_pair_t *q = first; q < p; q++)
            if (strcmp(text_of(node(ld, q->key)), text_of(key)) == 0)
                return bad(ld, key, "%s: '%s' is given twice", what, text_of(key));
        if (fn(ld, key, node(ld, p->value), into))
            return ld->err->code;
    }
    return 0;
}

/* ---- layers ---- */

static const char *const option_names[OPT_COUNT + 1] = {
    [OPT_NAME] = "name",
    [OPT_FROM] = "from",
    [OPT_FILTERS] = "filters",
    [OPT_UNITS] = "units",
    [OPT_KERNEL] = "kernel",
    [OPT_STRIDE] = "stride",
    [OPT_DILATION] = "dilation",
    [OPT_PADDING] = "padding",
    [OPT_ACTIVATION] = "activation",
    [OPT_MULTIPLIER] = "multiplier",
    [OPT_SHAPE] = "shape",
    [OPT_PADS] = "pads",
    [OPT_GAIN] = "gain",
    [OPT_PER_CHANNEL] = "per_channel",
    [OPT_TYPE] = "type",
    [OPT_AXIS] = "axis",
    [OPT_ALPHA] = "alpha",
    [OPT_SIZE] = "size",
    [OPT_RANK] = "rank",
    [OPT_MEMORY] = "memory",
    [OPT_FRAMES] = "frames",
};

static const char *const padding_words[] = {"valid", "same", NULL};
static const char *const activation_words[] = {"none", "relu", "relu6", NULL};
static const char *const bool_words[] = {"false", "true", NULL};
static const char *const type_words[] = {"int8", "int16", "float32", NULL};
static const char *const loss_words[] = {"squared", "cross-entropy", NULL};

static int find_source(struct loader *ld, const yaml_node_t *n, int *ret)
{
    const struct recipe *r = ld->recipe;
    if (strcmp(text_of(n), "input") == 0) {
        *ret = 0;
        return 0;
    }
    for (size_t i = 0; i + 1 < r->layer_count; i++) {
        if (strcmp(r->layers[i].name, text_of(n)) == 0) {
            *ret = (int)i + 1;
            return 0;
        }
    }
    return bad(ld, n, "from: no layer named '%s' before this one", text_of(n));
}

static int read_from(struct loader *ld, const yaml_node_t *n, struct recipe_layer *l)
{
    if (n->type == YAML_SCALAR_NODE) {
        l->from_count = 1;
        return find_source(ld, n, &l->from[0]);
    }
    if (n->type != YAML_SEQUENCE_NODE)
        return bad(ld, n, "from: expected a layer's name or a list of names");
    l->from_count = 0;
    for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
         i++) {
        if (l->from_count == LAYER_SOURCES_MAX)
            return bad(ld, n, "from: more than %d names", LAYER_SOURCES_MAX);
        if (find_source(ld, node(ld, *i), &l->from[l->from_count++]))
            return ld->err->code;
    }
    return 0;
}

static int read_enum(struct loader *ld, const yaml_node_t *n, enum layer_option key,
                     struct layer_options *o)
{
    int word = 0;
    const char *const *words = key == OPT_PADDING      ? padding_words
                               : key == OPT_ACTIVATION ? activation_words
                               : key == OPT_TYPE       ? type_words
                                                       : bool_words;
    if (read_word(ld, n, option_names[key], words, &word))
        return ld->err->code;
    if (key == OPT_PADDING)
        o->same = word;
    else if (key == OPT_ACTIVATION)
        o->activation = (enum activation)word;
    else if (key == OPT_TYPE)
        o->type = (enum value_type)word;
    else
        o->per_channel = word;
    return 0;
}

static int read_option(struct loader *ld, const yaml_node_t *n, enum layer_option key,
                       struct recipe_layer *l)
{
    struct layer_options *o = &l->options;
    const char *name = option_names[key];
    switch (key) {
    case OPT_NAME:
        return read_text(ld, n, name, &l->name);
    case OPT_FROM:
        return read_from(ld, n, l);
    case OPT_FILTERS:
        return read_int(ld, n, name, 1, &o->filters);
    case OPT_UNITS:
        return read_int(ld, n, name, 1, &o->units);
    case OPT_MULTIPLIER:
        return read_int(ld, n, name, 1, &o->multiplier);
    case OPT_KERNEL:
        return read_pair(ld, n, name, o->kernel);
    case OPT_STRIDE:
        return read_pair(ld, n, name, o->stride);
    case OPT_DILATION:
        return read_pair(ld, n, name, o->dilation);
    case OPT_SHAPE:
        return read_ints(ld, n, name, LAYER_LIST_MAX, 1, o->list, &o->list_count);
    case OPT_PADS:
        return read_ints(ld, n, name, LAYER_LIST_MAX, 0, o->list, &o->list_count);
    case OPT_GAIN:
        return read_real(ld, n, name, &o->gain);
    case OPT_ALPHA:
        return read_real(ld, n, name, &o->alpha);
    case OPT_AXIS:
        return read_int(ld, n, name, -SHAPE_RANK_MAX, &o->axis);
    case OPT_SIZE:
        return read_pair(ld, n, name, o->size);
    case OPT_RANK:
        return read_int(ld, n, name, 1, &o->rank);
    case OPT_MEMORY:
        return read_int(ld, n, name, 1, &o->memory);
    case OPT_FRAMES:
        return read_int(ld, n, name, 2, &o->frames);
    case OPT_PADDING:
    case OPT_ACTIVATION:
    case OPT_PER_CHANNEL:
    case OPT_TYPE:
        return read_enum(ld, n, key, o);
    case OPT_COUNT:
        break;
    }
    return bad(ld, n, "%s: not an option", name);
}

static int layer_pair(struct loader *ld, const yaml_node_t *key, const yaml_node_t *value,
                      void *into)
{
    struct recipe_layer *l = into;
    int option = 0;
    if (read_word(ld, key, "option", option_names, &option))
        return ld->err->code;
    uint32_t allowed = l->kind->allowed | OPT_BIT(OPT_NAME) | OPT_BIT(OPT_FROM);
    if (!(allowed & OPT_BIT(option)))
        return bad(ld, key, "a %s layer has no option '%s'", l->kind->name, option_names[option]);
    l->options.given |= OPT_BIT(option);
    return read_option(ld, value, (enum layer_option)option, l);
}

static int check_layer(struct loader *ld, const yaml_node_t *at, const struct recipe_layer *l)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (l->kind->required & OPT_BIT(i) && !(l->options.given & OPT_BIT(i)))
            return bad(ld, at, "a %s layer needs '%s'", l->kind->name, option_names[i]);
    int wanted = l->kind->sources;
    if (wanted < 0 ? l->from_count < 2 : l->from_count != wanted)
        return bad(ld, at, "a %s layer needs %s%d sources in 'from', it has %d", l->kind->name,
                   wanted < 0 ? "at least " : "", wanted < 0 ? 2 : wanted, l->from_count);
    for (const struct recipe_layer *other = ld->recipe->layers; other < l; other++)
        if (strcmp(other->name, l->name) == 0)
            return bad(ld, at, "the name '%s' is used twice", l->name);
    return 0;
}

/* "- kind: {options}", or "- kind" alone. */
static int read_layer(struct loader *ld, const yaml_node_t *n)
{
    struct recipe *r = ld->recipe;
    const yaml_node_t *key = n;
    const yaml_node_t *options = NULL;
    if (n->type == YAML_MAPPING_NODE) {
        const yaml_node_pair_t *p = n->data.mapping.pairs.start;
        if (n->data.mapping.pairs.top != p + 1)
            return bad(ld, n, "expected one layer: '- kind: {options}'");
        key = node(ld, p->key);
        options = node(ld, p->value);
    }
    if (!kind_find(text_of(key)))
        return unknown(ld, key, "layer", kind_names());
    if (r->layer_count == RECIPE_LAYERS_MAX)
        return bad(ld, n, "more than %d layers", RECIPE_LAYERS_MAX);
    struct recipe_layer *l = ARENA_PUSH(&r->arena, r->layers, r->layer_count, r->layer_capacity);
    *l = (struct recipe_layer){
        .kind = kind_find(text_of(key)),
        .from = {(int)r->layer_count - 1},
        .from_count = 1,
        .options = {.stride = {1, 1},
                    .dilation = {1, 1},
                    .multiplier = 1,
                    .gain = 1,
                    .axis = -1,
                    .alpha = 0.1,
                    .rank = 1},
        .line = (unsigned)n->start_mark.line + 1,
        .column = (unsigned)n->start_mark.column + 1,
    };
    l->name = arena_printf(&r->arena, "%s_%zu", l->kind->name, r->layer_count);
    if (options && each_pair(ld, options, l->kind->name, layer_pair, l))
        return ld->err->code;
    return check_layer(ld, n, l);
}

static int read_layers(struct loader *ld, const yaml_node_t *n)
{
    if (n->type != YAML_SEQUENCE_NODE)
        return bad(ld, n, "layers: expected a list");
    for (const yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
         i++)
        if (read_layer(ld, node(ld, *i)))
            return ld->err->code;
    return 0;
}

/* ---- the other sections ---- */

static int read_range(struct loader *ld, const yaml_node_t *n, struct recipe_input *in)
{
    const yaml_node_item_t *i = n->data.sequence.items.start;
    if (n->type != YAML_SEQUENCE_NODE || n->data.sequence.items.top != i + 2)
        return bad(ld, n, "range: expected [lowest, highest]");
    if (read_real(ld, node(ld, i[0]), "range", &in->low) ||
        read_real(ld, node(ld, i[1]), "range", &in->high))
        return ld->err->code;
    return in->low < in->high ? 0 : bad(ld, n, "range: the lowest must be below the highest");
}

static int input_pair(struct loader *ld, const yaml_node_t *key, const yaml_node_t *value,
                      void *into)
{
    static const char *const keys[] = {"shape", "type", "data", "range", NULL};
    struct recipe_input *in = into;
    int k = 0;
    int type = 0;
    if (read_word(ld, key, "input key", keys, &k))
        return ld->err->code;
    switch (k) {
    case 0:
        return read_ints(ld, value, "shape", SHAPE_RANK_MAX, 1, in->shape.dim, &in->shape.rank);
    case 1:
        if (read_word(ld, value, "type", type_words, &type))
            return ld->err->code;
        in->type = (enum value_type)type;
        return 0;
    case 2:
        in->data = data_find(text_of(value));
        return in->data ? 0 : unknown(ld, value, "data", data_names());
    default:
        return read_range(ld, value, in);
    }
}

static int check_input(struct loader *ld, const yaml_node_t *at)
{
    const struct recipe_input *in = &ld->recipe->input;
    if (in->shape.rank < 2 || in->shape.dim[0] != 1)
        return bad(ld, at, "input: 'shape' needs at least two dimensions and begins with 1");
    const struct data_source *d = in->data;
    bool fits = d->rank == 0 || d->rank == in->shape.rank;
    for (int i = 0; fits && i < d->rank; i++)
        fits = d->dim[i] == in->shape.dim[i];
    return fits ? 0 : bad(ld, at, "input: data '%s' has another shape (%s)", d->name, d->summary);
}

static int train_pair(struct loader *ld, const yaml_node_t *key, const yaml_node_t *value,
                      void *into)
{
    static const char *const keys[] = {"loss", "samples", "epochs", "batch", "rate", NULL};
    struct recipe_train *t = into;
    int k = 0;
    int loss = 0;
    if (read_word(ld, key, "train key", keys, &k))
        return ld->err->code;
    switch (k) {
    case 0:
        if (read_word(ld, value, "loss", loss_words, &loss))
            return ld->err->code;
        t->loss = (enum recipe_loss)loss;
        return 0;
    case 1:
        return read_int(ld, value, "samples", 1, &t->samples);
    case 2:
        return read_int(ld, value, "epochs", 1, &t->epochs);
    case 3:
        return read_int(ld, value, "batch", 1, &t->batch);
    default:
        return read_real(ld, value, "rate", &t->rate);
    }
}

static int vectors_pair(struct loader *ld, const yaml_node_t *key, const yaml_node_t *value,
                        void *into)
{
    static const char *const keys[] = {"data", "random", NULL};
    struct recipe *r = into;
    int k = 0;
    if (read_word(ld, key, "vectors key", keys, &k))
        return ld->err->code;
    return read_int(ld, value, keys[k], 0, k ? &r->vectors_random : &r->vectors_data);
}

static int read_train(struct loader *ld, const yaml_node_t *value, struct recipe_train *t)
{
    *t = (struct recipe_train){
        .enabled = true, .samples = 1000, .epochs = 50, .batch = 16, .rate = 0.005};
    return each_pair(ld, value, "train", train_pair, t);
}

static int read_input(struct loader *ld, const yaml_node_t *value, struct recipe_input *in)
{
    *in = (struct recipe_input){.data = data_find("smooth"), .low = -1, .high = 1};
    if (each_pair(ld, value, "input", input_pair, in))
        return ld->err->code;
    return check_input(ld, value);
}

static int recipe_pair(struct loader *ld, const yaml_node_t *key, const yaml_node_t *value,
                       void *into)
{
    static const char *const keys[] = {"model",   "description", "seed",  "input",  "calibration",
                                       "vectors", "dataset",     "train", "layers", NULL};
    struct recipe *r = into;
    int k = 0;
    int seed = 0;
    if (read_word(ld, key, "key", keys, &k))
        return ld->err->code;
    switch (k) {
    case 0:
        return read_text(ld, value, "model", &r->name);
    case 1:
        return read_text(ld, value, "description", &r->description);
    case 2:
        if (read_int(ld, value, "seed", 0, &seed))
            return ld->err->code;
        r->seed = (uint64_t)seed;
        return 0;
    case 3:
        return read_input(ld, value, &r->input);
    case 4:
        return read_int(ld, value, "calibration", 1, &r->calibration_samples);
    case 5:
        return each_pair(ld, value, "vectors", vectors_pair, r);
    case 6:
        return read_int(ld, value, "dataset", 0, &r->dataset_samples);
    case 7:
        return read_train(ld, value, &r->train);
    default:
        return read_layers(ld, value);
    }
}

static int read_root(struct loader *ld)
{
    struct recipe *r = ld->recipe;
    const yaml_node_t *root = yaml_document_get_root_node(&ld->document);
    if (!root)
        return err_set(ld->err, ERR_CONFIG, "%s: the file is empty", r->path);
    if (each_pair(ld, root, "recipe", recipe_pair, r))
        return ld->err->code;
    if (!r->name || !r->description || r->input.shape.rank == 0 || r->layer_count == 0)
        return bad(ld, root, "a recipe needs model, description, input and layers");
    return 0;
}

static int parse(struct loader *ld, const struct buf *text)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return err_set(ld->err, ERR_BUG, "libyaml does not start");
    yaml_parser_set_input_string(&parser, (const unsigned char *)buf_text(text), text->len);
    int ok = yaml_parser_load(&parser, &ld->document);
    if (!ok)
        err_set(ld->err, ERR_CONFIG, "%s:%zu:%zu: %s", ld->recipe->path,
                parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                parser.problem ? parser.problem : "not YAML");
    yaml_parser_delete(&parser);
    return ok ? 0 : ld->err->code;
}

int recipe_load(const char *path, struct recipe *ret, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    AUTO(recipe_release)
    struct recipe r = {.calibration_samples = 32, .vectors_data = 3, .vectors_random = 1};
    struct loader ld = {.recipe = &r, .err = err};
    r.path = arena_strdup(&r.arena, path);
    if (file_read(path, FILE_MAX, &text, err))
        return err->code;
    sha256_hex(buf_text(&text), text.len, r.digest);
    if (parse(&ld, &text))
        return err->code;
    int status = read_root(&ld);
    yaml_document_delete(&ld.document);
    if (status)
        return status;
    *ret = r;
    r.arena = (struct arena)ARENA_INIT;
    return 0;
}

void recipe_release(struct recipe *r)
{
    arena_release(&r->arena);
}
