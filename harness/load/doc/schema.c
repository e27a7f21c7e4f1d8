/* The key tables for editors: JSON Schema, draft 07 (json-schema.org). */
#include <inttypes.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/load/doc/walk.h"

/* Where the next line begins; JSON needs no more than this. */
struct writer {
    struct buf *out;
    int depth;
    bool first; /* of the object or list that is open */
};

static void line(struct writer *w)
{
    buf_puts(w->out, w->first ? "\n" : ",\n");
    buf_printf(w->out, "%*s", w->depth * 2, "");
    w->first = false;
}

static void key_of(struct writer *w, const char *name)
{
    line(w);
    if (name != NULL) {
        text_json_string(w->out, name);
        buf_puts(w->out, ": ");
    }
}

static void begin(struct writer *w, const char *name, char bracket)
{
    key_of(w, name);
    buf_putc(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void end(struct writer *w, char bracket)
{
    w->depth--;
    w->first = true;
    buf_puts(w->out, "\n");
    buf_printf(w->out, "%*s%c", w->depth * 2, "", bracket);
    w->first = false;
}

static void text(struct writer *w, const char *name, const char *value)
{
    key_of(w, name);
    text_json_string(w->out, value);
}

static void bare(struct writer *w, const char *name, const char *value)
{
    key_of(w, name);
    buf_puts(w->out, value);
}

/* What a value is, inside an open object. */
static void value_body(struct writer *w, const struct value_rule *rule)
{
    const struct value_kind_info *kind = &value_kinds[rule->kind];

    if (rule->words != NULL) {
        begin(w, "enum", '[');
        for (size_t i = 0; rule->words[i] != NULL; i++) {
            text(w, NULL, rule->words[i]);
            if (strcmp(rule->words[i], "null") == 0) /* as YAML reads the bare word */
                bare(w, NULL, "null");
        }
        end(w, ']');
        return;
    }
    if (rule->kind == VALUE_COUNT || rule->kind == VALUE_INTEGER || rule->kind == VALUE_BOOL)
        text(w, "type", kind->json);
    else if (kind->json != NULL)
        bare(w, "type",
             strcmp(kind->json, "integer") == 0 ? "[\"string\", \"integer\"]"
                                                : "[\"string\", \"number\"]");
    else if (strncmp(kind->expects, "a name", 6) == 0 || rule->kind == VALUE_TEXT)
        /* Bare words that YAML takes for something else: 7, true, null. */
        bare(w, "type", "[\"string\", \"number\", \"boolean\", \"null\"]");
    else
        text(w, "type", "string");
    if (kind->pattern != NULL && rule->kind != VALUE_COUNT && rule->kind != VALUE_INTEGER &&
        rule->kind != VALUE_BOOL)
        text(w, "pattern", kind->pattern);
    if (rule->min != 0 || rule->max != 0) {
        key_of(w, "minimum");
        buf_printf(w->out, "%" PRId64, rule->min);
        key_of(w, "maximum");
        buf_printf(w->out, "%" PRId64, rule->max);
    }
}

static void value_schema(struct writer *w, const char *name, const struct value_rule *rule)
{
    begin(w, name, '{');
    value_body(w, rule);
    end(w, '}');
}

static void list_schema(struct writer *w, const struct value_rule *rule)
{
    begin(w, "anyOf", '[');
    value_schema(w, NULL, rule);
    begin(w, NULL, '{');
    text(w, "type", "array");
    bare(w, "minItems", "1");
    value_schema(w, "items", rule);
    end(w, '}');
    end(w, ']');
}

static void ref(struct writer *w, const char *name, const struct key_map *map)
{
    begin(w, name, '{');
    key_of(w, "$ref");
    buf_printf(w->out, "\"#/definitions/%s\"", map->name);
    end(w, '}');
}

static void names_are_names(struct writer *w)
{
    text(w, "type", "object");
    begin(w, "propertyNames", '{');
    text(w, "pattern", value_kinds[VALUE_NAME].pattern);
    end(w, '}');
}

static void shape_body(struct writer *w, const struct key *k)
{
    switch (k->shape) {
    case KEY_ONE:
        value_body(w, &k->rule);
        break;
    case KEY_LIST:
        list_schema(w, &k->rule);
        break;
    case KEY_MAP:
        begin(w, "allOf", '[');
        ref(w, NULL, k->map);
        end(w, ']');
        break;
    case KEY_MAPS:
        begin(w, "anyOf", '[');
        if ((k->flags & KEY_ALONE) != 0)
            ref(w, NULL, k->map);
        begin(w, NULL, '{');
        text(w, "type", "array");
        ref(w, "items", k->map);
        end(w, '}');
        end(w, ']');
        break;
    case KEY_NAMED:
        names_are_names(w);
        ref(w, "additionalProperties", k->map);
        break;
    case KEY_AXES:
        names_are_names(w);
        begin(w, "additionalProperties", '{');
        list_schema(w, &k->rule);
        end(w, '}');
        break;
    }
}

static void key_schema(struct writer *w, const struct key *k)
{
    const bool number =
        k->rule.kind == VALUE_COUNT || k->rule.kind == VALUE_INTEGER || k->rule.kind == VALUE_BOOL;

    begin(w, k->name, '{');
    text(w, "description", k->help);
    shape_body(w, k);
    if (k->fallback != NULL && number)
        bare(w, "default", k->fallback);
    else if (k->fallback != NULL)
        text(w, "default", k->fallback);
    if (k->shape == KEY_ONE && k->example != NULL && k->rule.words == NULL) {
        begin(w, "examples", '[');
        if (number)
            bare(w, NULL, k->example);
        else
            text(w, NULL, k->example);
        end(w, ']');
    }
    end(w, '}');
}

static void object_body(struct writer *w, const struct key_map *map)
{
    bool required = false;

    text(w, "type", "object");
    bare(w, "additionalProperties", "false");
    begin(w, "properties", '{');
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        key_schema(w, k);
        required |= (k->flags & KEY_REQUIRED) != 0;
    }
    end(w, '}');
    if (!required)
        return;
    begin(w, "required", '[');
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        if ((k->flags & KEY_REQUIRED) != 0)
            text(w, NULL, k->name);
    }
    end(w, ']');
}

static void map_schema(struct writer *w, const struct key_map *map)
{
    const struct key *k = map->keys;

    begin(w, map->name, '{');
    text(w, "description", map->help);
    if (map->shorthand == NULL) {
        object_body(w, map);
    } else {
        while (strcmp(k->name, map->shorthand) != 0)
            k++;
        begin(w, "anyOf", '[');
        begin(w, NULL, '{');
        object_body(w, map);
        end(w, '}');
        value_schema(w, NULL, &k->rule);
        end(w, ']');
    }
    end(w, '}');
}

void keys_schema(enum keys_file file, struct buf *out)
{
    struct writer w = {.out = out, .first = true, .depth = 1};
    struct walk maps;

    walk_maps(file, &maps);
    buf_putc(out, '{');
    text(&w, "$schema", "http://json-schema.org/draft-07/schema#");
    key_of(&w, "title");
    buf_printf(out, "\"tinyrig %s file\"", keys_file_names[file]);
    text(&w, "description", maps.maps[0]->help);
    object_body(&w, maps.maps[0]);
    begin(&w, "definitions", '{');
    for (size_t i = 1; i < maps.count; i++)
        map_schema(&w, maps.maps[i]);
    end(&w, '}');
    buf_puts(out, "\n}\n");
}
