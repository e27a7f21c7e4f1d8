/* The key tables for people: `tinyrig help keys` and the man page. */
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/load/doc/walk.h"

enum {
    WIDTH = 80
};

/* "whole number from 1 to 16", "list of paths", "map, see measure" into text[240]. */
static void describe(const struct key *k, char text[static 240])
{
    char expects[160];

    switch (k->shape) {
    case KEY_ONE:
    case KEY_LIST:
        value_describe(&k->rule, expects);
        (void)snprintf(text, 240, "%s%s", expects, k->shape == KEY_LIST ? ", or a list" : "");
        break;
    case KEY_MAP:
        (void)snprintf(text, 240, "map, see %s%s%s", k->map->name,
                       k->map->shorthand != NULL ? "; or its " : "",
                       k->map->shorthand != NULL ? k->map->shorthand : "");
        break;
    case KEY_MAPS:
        (void)snprintf(text, 240, "list of maps, see %s%s%s", k->map->name,
                       k->map->shorthand != NULL ? "; or of its " : "",
                       k->map->shorthand != NULL ? k->map->shorthand : "");
        break;
    case KEY_NAMED:
        (void)snprintf(text, 240, "map from names to maps, see %s", k->map->name);
        break;
    case KEY_AXES:
        (void)snprintf(text, 240, "map from parameter names to values");
        break;
    }
}

static void wrap(const char *text, int indent, struct buf *out)
{
    int column = 0;

    while (*text != '\0') {
        const int n = (int)strcspn(text, " ");

        if (column != 0 && column + 1 + n > WIDTH) {
            buf_putc(out, '\n');
            column = 0;
        }
        if (column == 0)
            column = indent;
        else
            column++;
        buf_printf(out, "%*s%.*s", column == indent ? indent : 1, "", n, text);
        column += n;
        text += n;
        text += *text == ' ';
    }
    buf_putc(out, '\n');
}

static void print_key(const struct key *k, struct buf *out)
{
    AUTO_BUF rule = BUF_INIT;
    char what[240];

    describe(k, what);
    buf_printf(&rule, "(%s%s%s%s)", what, (k->flags & KEY_REQUIRED) != 0 ? "; required" : "",
               k->fallback != NULL ? "; default " : "", k->fallback != NULL ? k->fallback : "");
    buf_printf(out, "  %s%s%s\n", k->name, k->example != NULL ? ": " : "",
               k->example != NULL ? k->example : "");
    wrap(k->help, 6, out);
    wrap(buf_text(&rule), 6, out);
}

static void print_map(const struct key_map *map, struct buf *out)
{
    buf_printf(out, "%s: %s\n", map->name, map->help);
    for (const struct key *k = map->keys; k->name != NULL; k++)
        print_key(k, out);
    buf_putc(out, '\n');
}

static void print_file(enum keys_file file, struct buf *out)
{
    struct walk w;

    walk_maps(file, &w);
    for (size_t i = 0; i < w.count; i++)
        print_map(w.maps[i], out);
}

/* The map, or its keys of that name; how many. A key that is that map needs no mention. */
static size_t print_in_map(const struct key_map *map, const char *name, struct buf *out)
{
    size_t found = 0;

    if (strcmp(map->name, name) == 0) {
        print_map(map, out);
        return 1;
    }
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        if (strcmp(k->name, name) != 0 || (k->map != NULL && strcmp(k->map->name, name) == 0))
            continue;
        buf_printf(out, "in %s:\n", map->name);
        print_key(k, out);
        found++;
    }
    return found;
}

/* Everywhere; a map that two files share is looked at once. */
static size_t print_named(const char *name, struct buf *out)
{
    const struct key_map *seen[KEYS_FILES * WALK_LIMIT];
    size_t seen_count = 0;
    size_t found = 0;

    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        struct walk w;

        walk_maps(f, &w);
        for (size_t i = 0; i < w.count; i++) {
            bool again = false;

            for (size_t s = 0; s < seen_count; s++)
                again |= seen[s] == w.maps[i];
            if (again)
                continue;
            seen[seen_count++] = w.maps[i];
            found += print_in_map(w.maps[i], name, out);
        }
    }
    return found;
}

static const char *nearest_name(const char *topic)
{
    const char *names[512] = {NULL};
    size_t count = 0;

    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        struct walk w;

        walk_maps(f, &w);
        for (size_t i = 0; i < w.count; i++) {
            for (const struct key *k = w.maps[i]->keys; k->name != NULL; k++) {
                if (count + 1 < ARRAY_SIZE(names))
                    names[count++] = k->name;
            }
        }
    }
    return text_nearest(topic, names);
}

int keys_help(const char *topic, struct buf *out, struct err *err)
{
    const char *near;

    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        if (topic != NULL && strcmp(topic, keys_file_names[f]) != 0)
            continue;
        print_file(f, out);
        if (topic != NULL)
            return 0;
    }
    if (topic == NULL || print_named(topic, out) > 0)
        return 0;
    near = nearest_name(topic);
    err_set(err, ERR_USAGE, "no key is called '%s'%s%s%s", topic,
            near != NULL ? " (did you mean '" : "", near != NULL ? near : "",
            near != NULL ? "'?)" : "");
    return err_hint(err, "`tinyrig help keys` lists all of them");
}

/* Text for man(7): backslashes, hyphens and a leading dot or quote mean themselves. */
static void man_text(const char *s, struct buf *out)
{
    if (*s == '.' || *s == '\'')
        buf_puts(out, "\\&");
    for (; *s != '\0'; s++) {
        if (*s == '\\')
            buf_puts(out, "\\e");
        else if (*s == '-')
            buf_puts(out, "\\-");
        else
            buf_putc(out, *s);
    }
}

static void man_key(const struct key *k, struct buf *out)
{
    char what[240];

    describe(k, what);
    buf_puts(out, ".TP\n\\fB");
    man_text(k->name, out);
    buf_puts(out, "\\fR");
    if (k->example != NULL) {
        buf_puts(out, ": ");
        man_text(k->example, out);
    }
    buf_putc(out, '\n');
    man_text(k->help, out);
    buf_puts(out, ".\n(");
    man_text(what, out);
    if ((k->flags & KEY_REQUIRED) != 0)
        buf_puts(out, "; required");
    if (k->fallback != NULL) {
        buf_puts(out, "; default ");
        man_text(k->fallback, out);
    }
    buf_puts(out, ")\n");
}

void keys_man(struct buf *out)
{
    static const char *const titles[] = {"SUITE FILES", "BOARD FILES", "THE LAB FILE"};

    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        struct walk w;

        walk_maps(f, &w);
        buf_printf(out, ".SH %s\n", titles[f]);
        for (size_t i = 0; i < w.count; i++) {
            if (i > 0)
                buf_printf(out, ".SS %s\n", w.maps[i]->name);
            man_text(w.maps[i]->help, out);
            buf_puts(out, ".\n");
            for (const struct key *k = w.maps[i]->keys; k->name != NULL; k++)
                man_key(k, out);
        }
    }
}
