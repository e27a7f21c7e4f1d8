/*
 * The kinds of value a key can have: how each is written, checked, stored and described.
 *
 * One row a kind. The same row serves the parser, its error messages, the help and the JSON Schema.
 */
#ifndef HARNESS_LOAD_VALUE_H
#define HARNESS_LOAD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/load/node.h"

enum value_kind {
    VALUE_TEXT,     /* const char *: any text */
    VALUE_NAME,     /* const char *: a word that can be part of a case key or a file name */
    VALUE_PATH,     /* const char *: resolved against the folder of the file */
    VALUE_PATTERN,  /* const char *: a name, a pattern with * and ?, or tag:x */
    VALUE_SELECTOR, /* struct suite_pattern: the same with its place */
    VALUE_NAME_AT,  /* struct suite_pattern: a VALUE_NAME with its place */
    VALUE_CHOICE,   /* const char *: one of the key's words */
    VALUE_WORD,     /* int, also an enum: place of the word in the key's words */
    VALUE_BOOL,     /* bool */
    VALUE_COUNT,    /* uint32_t */
    VALUE_INTEGER,  /* int: may be negative */
    VALUE_ADDRESS,  /* uint64_t */
    VALUE_BYTES,    /* uint64_t */
    VALUE_DURATION, /* uint64_t in ns */
    VALUE_HERTZ,    /* uint32_t in Hz */
    VALUE_VOLTS,    /* uint32_t in uV */
    VALUE_AMPERES,  /* double in nA */
    VALUE_CAPACITY, /* double in mAh */
    VALUE_NUMBER,   /* double: 0 or more */
    VALUE_SIGNED,   /* double */
    VALUE_RATIO,    /* double: "85%" is 0.85 */
    VALUE_USB_ID,   /* const char *: "VID:PID" */
    VALUE_SERIAL,   /* const char *: a serial number or UID; harmless in a command line */
    VALUE_SCRIPT,   /* const char *: an OpenOCD script of its own library */
    VALUE_ENDPOINT, /* const char *: host:port */
    VALUE_KINDS
};

/* What limits one key's value, beside its kind. */
struct value_rule {
    enum value_kind kind;
    const char *const *words; /* VALUE_CHOICE and VALUE_WORD: NULL-terminated */
    int64_t min, max;         /* VALUE_COUNT and VALUE_INTEGER; both 0: no limit */
};

struct value_kind_info {
    const char *name;    /* "duration", for the help */
    const char *expects; /* "a duration such as 500ms", for messages */
    const char *pattern; /* of its text, for the JSON Schema (ECMA 262); NULL: any text */
    const char *json;    /* other JSON types it may be: "integer", "number", "boolean"; or NULL */
    size_t size;         /* of what is stored */
};

extern const struct value_kind_info value_kinds[VALUE_KINDS];

/* "a whole number from 1 to 16", "one of ref, best": what the rule wants, into text[160]. */
void value_describe(const struct value_rule *rule, char text[static 160]);

/*
 * Store text as rule says at dst. False when it does not fit the rule; nothing is stored then.
 * `where` gives VALUE_SELECTOR its place and VALUE_PATH its folder; strings are copied to the arena.
 */
bool value_store(const struct value_rule *rule, const char *text, const struct where *where,
                 struct arena *arena, void *dst);

/* path against the folder of the file it is written in; kept when absolute. */
const char *value_path(const char *path, const char *file, struct arena *arena);

/* A path's last part without `suffix`: what a file's name says. */
const char *value_stem(const char *path, const char *suffix, struct arena *arena);

#endif
