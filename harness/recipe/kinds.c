#include "harness/recipe/kinds.h"

#include <string.h>

const char *const padding_words[] = {"valid", "same", NULL};
const char *const activation_words[] = {"none", "relu", "relu6", NULL};
const char *const type_words[] = {"int8", "int16", "float32", NULL};

const struct layer_kind *const layer_kinds[] = {
#define X(name) &kind_##name,
    LAYER_KIND_LIST(X)
#undef X
        NULL};

static const char *const kind_words[] = {
#define X(name) #name,
    LAYER_KIND_LIST(X)
#undef X
        NULL};

enum {
#define X(name) KIND_##name,
    LAYER_KIND_LIST(X)
#undef X
    KIND_COUNT
};

#define M layer_options
const struct key plain_keys[] = {ROW_NAME, ROW_FROM, {NULL}};
#undef M

/* "3" means [3, 3]. */
static void resolve_pair(struct load *l, const struct node *n, const char *key,
                         const struct recipe_numbers *given, int ret[2])
{
    if (given->count > 2)
        LOAD_PROBLEM(l, n, "'%s' expected one number or two, height and width, got %zu", key,
                     given->count);
    else if (given->count > 0)
        memcpy(ret, (int[]){given->values[0], given->values[given->count - 1]}, 2 * sizeof(int));
}

void layer_options_finish(struct load *l, const struct node *n, void *options)
{
    struct layer_options *o = options;

    resolve_pair(l, n, "kernel", &o->kernel_given, o->kernel);
    resolve_pair(l, n, "stride", &o->stride_given, o->stride);
    resolve_pair(l, n, "dilation", &o->dilation_given, o->dilation);
    resolve_pair(l, n, "size", &o->size_given, o->size);
}

/* "- flatten" is "- flatten: {}". */
static void layer_finish(struct load *l, const struct node *n, void *object)
{
    struct layer_file *f = object;
    const struct node empty = {.kind = NODE_MAP, .where = n->where};
    int given = 0;

    for (int i = 0; i < KIND_COUNT; i++) {
        if (f->word && strcmp(f->word, kind_words[i]) == 0) {
            f->given[i] = true;
            key_read(l, &empty, &layer_kinds[i]->map, &f->options, READ_FRESH);
        }
        given += f->given[i];
    }
    if (given != 1)
        LOAD_PROBLEM(l, n, "expected one layer, got %d: '- dense: {units: 10}'", given);
}

#define M layer_file
static const struct key layer_keys[] = {
    ONE("kind", VALUE_CHOICE, word, "flatten", "a kind of layer that needs no keys", OPTIONAL,
        WORDS(kind_words)),
#define X(word_) MAP(#word_, kind_##word_.map, options, "such a layer", GIVEN(given[KIND_##word_])),
    LAYER_KIND_LIST(X)
#undef X
        {NULL},
};
#undef M

const struct key_map layer_map = {
    .name = "layer",
    .help = "one layer: its kind and that kind's keys",
    .keys = layer_keys,
    .size = sizeof(struct layer_file),
    .shorthand = "kind",
    .where_offset = offsetof(struct layer_file, where),
    .finish = layer_finish,
};
