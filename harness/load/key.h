/*
 * Key tables: each map of a file is described by one table, and everything follows from it: how it
 * is parsed, its error messages, `tinyrig help keys`, the man page and the JSON Schema.
 *
 * To add a key: a field in the struct (harness/spec), a row in the table, a line in
 * suites/example.yaml (or config/lab.example.yaml). Tests say when one is missing.
 */
#ifndef HARNESS_LOAD_KEY_H
#define HARNESS_LOAD_KEY_H

#include "harness/load/value.h"

enum key_shape {
    KEY_ONE,   /* one value */
    KEY_LIST,  /* NULL-terminated array of values; a single one may stand without its list */
    KEY_MAP,   /* a map, stored in place */
    KEY_MAPS,  /* a list of maps: an array of structs */
    KEY_NAMED, /* a map from names to maps: an array of structs with the name in them */
    KEY_AXES,  /* a map from names to one or more words: an array of struct suite_axis */
};

enum key_flag {
    KEY_REQUIRED = 1, /* must be given whenever its map is */
    KEY_ALONE = 2,    /* KEY_MAPS: one map may stand without its list */
    KEY_INHERITS = 4, /* KEY_MAP: prepare() filled it; only what is written changes */
};

enum {
    KEY_NOWHERE = -1 /* for an offset: not stored */
};

struct key_map;

struct key {
    const char *name;
    const char *help;     /* one sentence, no full stop */
    const char *example;  /* what to write behind the colon */
    const char *fallback; /* as one would write it; NULL: none. In the help as the default */
    enum key_shape shape;
    unsigned flags;
    struct value_rule rule;    /* KEY_ONE and KEY_LIST */
    const struct key_map *map; /* KEY_MAP, KEY_MAPS and KEY_NAMED */
    long offset;               /* of the value, or of the pointer to the array */
    long count_offset;         /* arrays: of the size_t count */
    long given_offset;         /* of a bool that says that it was written */
};

struct load;

struct key_map {
    const char *name; /* as messages call it: 'measure' */
    const char *help;
    const struct key *keys; /* ends with a NULL name */
    size_t size;            /* of the struct */
    const char *shorthand;  /* the key meant by a scalar in place of the map; or NULL */
    long where_offset;      /* of a struct where */
    long name_offset;       /* KEY_NAMED: of the const char * that takes the name */
    void (*prepare)(struct load *l, void *object); /* after the defaults, before the keys */
    void (*finish)(struct load *l, const struct node *n, void *object); /* checks between keys */
};

/* One file being read. */
struct load {
    struct arena *arena;
    struct problems *problems;
    const char *file;
    void *context; /* for prepare and finish: the root object */
    bool no_files; /* leave the file system alone (fuzzing) */
};

enum read_mode {
    READ_FRESH,   /* into a zeroed struct: defaults and required keys apply */
    READ_OVERRIDE /* onto a filled struct: only what is written changes */
};

/*
 * Read a map into object. Mistakes become problems; what can be read is read. Keys are read in the
 * order of the table, so that prepare() of a later key can rely on an earlier one.
 */
void key_read(struct load *l, const struct node *n, const struct key_map *map, void *object,
              enum read_mode mode);

/* Note a mistake at a node. */
#define LOAD_PROBLEM(l, node, ...) problem_add((l)->problems, (node)->where, __VA_ARGS__)

/* " (did you mean 'x'?)" or "", into text[96]. */
void key_suggest(const char *word, const char *const *candidates, char text[static 96]);

/* Rows of a table. M is the struct's tag. */
#define KEY_AT(M, field)                                                                           \
    .offset = (long)offsetof(struct M, field), .count_offset = KEY_NOWHERE,                        \
    .given_offset = KEY_NOWHERE
#define KEY_ARRAY_AT(M, field, count)                                                              \
    .offset = (long)offsetof(struct M, field), .count_offset = (long)offsetof(struct M, count),    \
    .given_offset = KEY_NOWHERE

#endif
