/*
 * A YAML file as a tree whose every node knows its line and column.
 *
 * The only place that knows libyaml. What is accepted is the part of YAML that configuration
 * needs: one document, maps, lists, scalars, anchors, aliases and merge keys (`<<`). Everything is
 * bounded, because files come from pull requests: see the limits below. A node that an alias
 * repeats is shared, not copied, and counts each time towards the expansion limit.
 */
#ifndef HARNESS_LOAD_NODE_H
#define HARNESS_LOAD_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/load/problem.h"

enum {
    NODE_FILE_LIMIT = 1024 * 1024, /* bytes */
    NODE_SCALAR_LIMIT = 4096,      /* bytes of one scalar */
    NODE_DEPTH_LIMIT = 16,         /* nesting, aliases included */
    NODE_COUNT_LIMIT = 20000,      /* nodes written in the file */
    NODE_EXPANDED_LIMIT = 100000,  /* nodes after aliases are followed */
    NODE_KEYS_LIMIT = 1000,        /* keys of one map */
};

enum node_kind {
    NODE_SCALAR,
    NODE_LIST,
    NODE_MAP,
};

struct node {
    enum node_kind kind;
    struct where where;
    const char *text; /* scalar: NUL-terminated, holds no NUL, valid UTF-8 */
    bool plain;       /* scalar: without quotes */
    struct node_item *items;
    size_t count;
    size_t capacity; /* of items */
    size_t expanded; /* this node and all below it */
    unsigned depth;  /* levels below this node, itself included */
};

/* A list's element (key NULL), or a key of a map with its value. */
struct node_item {
    const struct node *key;
    const struct node *value;
};

/*
 * Parse data, whose n bytes a NUL follows. The tree and the problems' texts live in problems->arena, `file` must live as long.
 * NULL when it cannot be read as a tree; a problem then says why.
 */
const struct node *node_parse(const char *data, size_t n, const char *file,
                              struct problems *problems);

/* The value of a key, or NULL. */
const struct node *node_find(const struct node *map, const char *key);

/* True for an empty or `~` plain scalar: a key without a value. */
bool node_is_empty(const struct node *n);

/* "a list", "a map of keys", "'500'", "nothing": what stands there, into text[64]. */
void node_describe(const struct node *n, char text[static 64]);

#endif
