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

struct key_map;

/* Offsets of 0 that the comment calls optional mean: not stored. */
struct key {
    const char *name;
    const char *help;     /* no sentence, no full stop */
    const char *example;  /* what to write behind the colon; NULL for maps that have a section */
    const char *fallback; /* as one would write it; NULL: none. The help calls it the default */
    enum key_shape shape;
    unsigned flags;
    struct value_rule rule;    /* KEY_ONE, KEY_LIST and KEY_AXES */
    const struct key_map *map; /* KEY_MAP, KEY_MAPS and KEY_NAMED */
    size_t offset;             /* of the value, or of the pointer to the array */
    size_t count_offset;       /* arrays: of the size_t count; optional for KEY_LIST */
    size_t given_offset;       /* of a bool that says that it was written; optional */
};

struct load;

struct key_map {
    const char *name; /* as messages call it: 'measure' */
    const char *help;
    const struct key *keys; /* ends with a NULL name */
    size_t size;            /* of the struct */
    const char *shorthand;  /* the key meant by a scalar in place of the map; or NULL */
    size_t where_offset;    /* of a struct where; 0: none */
    size_t name_offset;     /* KEY_NAMED: of the const char * that takes the name */
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

/* Parse and read a whole file into object. */
void key_read_text(struct load *l, const char *data, size_t n, const struct key_map *map,
                   void *object);

/* " (did you mean 'x'?)" or "", into text[96]. */
void key_suggest(const char *word, const char *const *candidates, char text[static 96]);

/*
 * Rows of a table. `#define M tag` names the struct before it. Each row ends with one of REQUIRED,
 * OPTIONAL, DEFAULT or FLAGS, and after that whatever else it needs.
 */
#define KEY_ROW(shape_, name_, field_, help_, ...)                                                 \
    {                                                                                              \
        .shape = shape_, .name = name_, .offset = offsetof(struct M, field_), .help = help_,       \
        __VA_ARGS__                                                                                \
    }
#define ONE(name_, kind_, field_, example_, help_, ...)                                            \
    KEY_ROW(KEY_ONE, name_, field_, help_, .rule.kind = kind_, EXAMPLE(example_), __VA_ARGS__)
#define LIST(name_, kind_, field_, example_, help_, ...)                                           \
    KEY_ROW(KEY_LIST, name_, field_, help_, .rule.kind = kind_, EXAMPLE(example_), __VA_ARGS__)
#define AXES(name_, kind_, field_, example_, help_, ...)                                           \
    KEY_ROW(KEY_AXES, name_, field_, help_, .rule.kind = kind_, EXAMPLE(example_), __VA_ARGS__)
#define MAP(name_, map_, field_, help_, ...)                                                       \
    KEY_ROW(KEY_MAP, name_, field_, help_, .map = &(map_), __VA_ARGS__)
#define MAPS(name_, map_, field_, help_, ...)                                                      \
    KEY_ROW(KEY_MAPS, name_, field_, help_, .map = &(map_), __VA_ARGS__)
#define NAMED(name_, map_, field_, help_, ...)                                                     \
    KEY_ROW(KEY_NAMED, name_, field_, help_, .map = &(map_), __VA_ARGS__)

#define REQUIRED          .flags = KEY_REQUIRED
#define OPTIONAL          .flags = 0
#define FLAGS(flags_)     .flags = (flags_)
#define DEFAULT(text_)    .fallback = (text_)
#define EXAMPLE(text_)    .example = (text_)
#define RANGE(min_, max_) .rule.min = (min_), .rule.max = (max_)
#define WORDS(list_)      .rule.words = (list_)
#define COUNT(field_)     .count_offset = offsetof(struct M, field_)
#define GIVEN(field_)     .given_offset = offsetof(struct M, field_)

#endif
