#include "harness/load/key.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/spec/suite.h"

void key_suggest(const char *word, const char *const *candidates, char text[static 96])
{
    const char *near = text_nearest(word, candidates);

    text[0] = '\0';
    if (near != NULL)
        (void)snprintf(text, 96, " (did you mean '%.64s'?)", near);
}

static const struct key *key_find(const struct key_map *map, const char *name)
{
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        if (strcmp(k->name, name) == 0)
            return k;
    }
    return NULL;
}

/* The map somewhere below that has such a key, for people who got the nesting wrong. */
static const struct key_map *map_with_key(const struct key_map *map, const char *name)
{
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        const struct key_map *found = NULL;

        if (k->map != NULL && key_find(k->map, name) != NULL)
            return k->map;
        if (k->map != NULL)
            found = map_with_key(k->map, name);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void say_unknown(struct load *l, const struct node *key, const struct key_map *map)
{
    const char *names[64] = {NULL};
    const struct key_map *home = map_with_key(map, key->text);
    const char *near;
    char hint[96];

    for (size_t i = 0; map->keys[i].name != NULL && i + 1 < ARRAY_SIZE(names); i++)
        names[i] = map->keys[i].name;
    near = text_nearest(key->text, names);
    /* `board` may belong in 'exclude', but who writes it here means `boards`. */
    if (home != NULL && (near == NULL || strncmp(near, key->text, strlen(key->text)) != 0))
        (void)snprintf(hint, sizeof(hint), " (it belongs in '%s')", home->name);
    else
        key_suggest(key->text, names, hint);
    LOAD_PROBLEM(l, key, "key '%.64s' is not known in '%s'%s", key->text, map->name, hint);
}

static void say_expected(struct load *l, const struct node *n, const struct key *k,
                         const char *expects)
{
    char got[64];
    char hint[96] = "";

    node_describe(n, got);
    if (n->kind == NODE_SCALAR && k->rule.words != NULL)
        key_suggest(n->text, k->rule.words, hint);
    LOAD_PROBLEM(l, n, "'%s' expected %s, got %s%s", k->name, expects, got, hint);
}

static bool read_value(struct load *l, const struct node *n, const struct key *k, void *dst)
{
    char expects[160];

    if (n->kind == NODE_SCALAR && !node_is_empty(n) &&
        value_store(&k->rule, n->text, &n->where, l->arena, dst))
        return true;
    value_describe(&k->rule, expects);
    say_expected(l, n, k, expects);
    return false;
}

static void set_array(void *object, const struct key *k, void *array, size_t count)
{
    memcpy((char *)object + k->offset, &array, sizeof(array));
    if (k->count_offset != 0)
        memcpy((char *)object + k->count_offset, &count, sizeof(count));
}

static void read_list(struct load *l, const struct node *n, const struct key *k, void *object)
{
    const struct node_item alone = {.value = n};
    const struct node_item *items = n->kind == NODE_LIST ? n->items : &alone;
    const size_t count = n->kind == NODE_LIST ? n->count : 1;
    const size_t size = value_kinds[k->rule.kind].size;
    char *array = arena_alloc(l->arena, (count + 1) * size);
    size_t stored = 0;

    if (n->kind == NODE_LIST && n->count == 0)
        LOAD_PROBLEM(l, n, "'%s' is an empty list", k->name);
    for (size_t i = 0; i < count; i++)
        stored += read_value(l, items[i].value, k, array + stored * size);
    set_array(object, k, array, stored);
}

static void read_maps(struct load *l, const struct node *n, const struct key *k, void *object,
                      enum read_mode mode)
{
    const struct node_item alone = {.value = n};
    const bool is_list = n->kind == NODE_LIST;
    const struct node_item *items = is_list ? n->items : &alone;
    const size_t count = is_list ? n->count : 1;
    char *array;

    if (!is_list && (k->flags & KEY_ALONE) == 0) {
        say_expected(l, n, k, "a list");
        return;
    }
    array = arena_alloc(l->arena, (count + 1) * k->map->size);
    for (size_t i = 0; i < count; i++)
        key_read(l, items[i].value, k->map, array + i * k->map->size, mode);
    set_array(object, k, array, count);
}

static const struct key name_key = {.name = "name", .rule = {.kind = VALUE_NAME}};

static void read_named(struct load *l, const struct node *n, const struct key *k, void *object,
                       enum read_mode mode)
{
    char *array;

    if (n->kind != NODE_MAP) {
        say_expected(l, n, k, "a map from names");
        return;
    }
    array = arena_alloc(l->arena, (n->count + 1) * k->map->size);
    for (size_t i = 0; i < n->count; i++) {
        char *element = array + i * k->map->size;

        (void)read_value(l, n->items[i].key, &name_key, element + k->map->name_offset);
        key_read(l, n->items[i].value, k->map, element, mode);
    }
    set_array(object, k, array, n->count);
}

static void read_axes(struct load *l, const struct node *n, const struct key *k, void *object)
{
    static const struct key axis_key = {
        .shape = KEY_LIST,
        .rule = {.kind = VALUE_NAME},
        .offset = offsetof(struct suite_axis, values),
        .count_offset = offsetof(struct suite_axis, value_count),
    };
    struct suite_axis *axes;

    if (n->kind != NODE_MAP) {
        say_expected(l, n, k, "a map from parameter names to values");
        return;
    }
    axes = arena_alloc(l->arena, (n->count + 1) * sizeof(*axes));
    for (size_t i = 0; i < n->count; i++) {
        struct key one = axis_key;

        one.name = n->items[i].key->text;
        one.rule.kind = k->rule.kind;
        axes[i].where = n->items[i].key->where;
        (void)read_value(l, n->items[i].key, &name_key, &axes[i].name);
        read_list(l, n->items[i].value, &one, &axes[i]);
    }
    set_array(object, k, axes, n->count);
}

static void read_key(struct load *l, const struct node *n, const struct key *k, void *object,
                     enum read_mode mode)
{
    if (k->given_offset != 0)
        *(bool *)((char *)object + k->given_offset) = true;
    switch (k->shape) {
    case KEY_ONE:
        (void)read_value(l, n, k, (char *)object + k->offset);
        break;
    case KEY_LIST:
        read_list(l, n, k, object);
        break;
    case KEY_MAP:
        key_read(l, n, k->map, (char *)object + k->offset,
                 (k->flags & KEY_INHERITS) != 0 ? READ_OVERRIDE : mode);
        break;
    case KEY_MAPS:
        read_maps(l, n, k, object, mode);
        break;
    case KEY_NAMED:
        read_named(l, n, k, object, mode);
        break;
    case KEY_AXES:
        read_axes(l, n, k, object);
        break;
    }
}

/* Values of the keys that are not written, in this map and in maps that are not written. */
static void apply_fallbacks(struct load *l, const struct node *n, const struct key_map *map,
                            void *object)
{
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        const struct node value = {
            .kind = NODE_SCALAR, .where = {.file = l->file}, .text = k->fallback};

        if (n != NULL && node_find(n, k->name) != NULL)
            continue;
        if (k->shape == KEY_MAP && (k->flags & KEY_INHERITS) == 0)
            apply_fallbacks(l, NULL, k->map, (char *)object + k->offset);
        else if (k->shape == KEY_LIST && k->fallback != NULL)
            read_list(l, &value, k, object);
        else if (k->shape == KEY_ONE && k->fallback != NULL)
            (void)read_value(l, &value, k, (char *)object + k->offset);
    }
}

static void check_required(struct load *l, const struct node *n, const struct key_map *map)
{
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        if ((k->flags & KEY_REQUIRED) != 0 && node_find(n, k->name) == NULL)
            LOAD_PROBLEM(l, n, "'%s' is missing in '%s': %s, for example %s: %s", k->name,
                         map->name, k->help, k->name, k->example);
    }
}

static void read_keys(struct load *l, const struct node *n, const struct key_map *map, void *object,
                      enum read_mode mode)
{
    for (size_t i = 0; i < n->count; i++) {
        if (key_find(map, n->items[i].key->text) == NULL)
            say_unknown(l, n->items[i].key, map);
    }
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        const struct node *value = node_find(n, k->name);

        if (value != NULL)
            read_key(l, value, k, object, mode);
    }
    if (mode == READ_FRESH)
        check_required(l, n, map);
}

void key_read(struct load *l, const struct node *n, const struct key_map *map, void *object,
              enum read_mode mode)
{
    const struct key as = {.name = map->name};
    const size_t before = l->problems->count;

    if (map->where_offset != 0)
        memcpy((char *)object + map->where_offset, &n->where, sizeof(n->where));
    if (mode == READ_FRESH)
        apply_fallbacks(l, n, map, object);
    if (map->prepare != NULL)
        map->prepare(l, object);
    if (n->kind == NODE_MAP)
        read_keys(l, n, map, object, mode);
    else if (n->kind == NODE_SCALAR && map->shorthand != NULL && !node_is_empty(n))
        read_key(l, n, key_find(map, map->shorthand), object, mode);
    else
        say_expected(l, n, &as, "a map of keys");
    /* A check between keys says nothing useful about keys that could not be read. */
    if (map->finish != NULL && l->problems->count == before)
        map->finish(l, n, object);
}

void key_read_text(struct load *l, const char *data, size_t n, const struct key_map *map,
                   void *object)
{
    const struct node *root = node_parse(data, n, l->file, l->problems);

    if (root != NULL)
        key_read(l, root, map, object, READ_FRESH);
}
