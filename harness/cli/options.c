#include "harness/cli/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"

static const struct option *option_find(const struct option *table, const char *name, size_t n)
{
    for (; table->name != NULL; table++) {
        if (strlen(table->name) == n && strncmp(table->name, name, n) == 0)
            return table;
    }
    return NULL;
}

static const struct option *option_find_letter(const struct option *table, char letter)
{
    for (; table->name != NULL; table++) {
        if (table->letter == letter && letter != '\0')
            return table;
    }
    return NULL;
}

static int unknown_option(const struct option *table, const char *word, struct err *err)
{
    const char *names[64];
    char name[64];
    size_t count = 0;
    const char *nearest;
    const size_t n = strcspn(word + 2, "=");

    for (; table->name != NULL && count + 1 < ARRAY_SIZE(names); table++)
        names[count++] = table->name;
    names[count] = NULL;
    if (n >= sizeof(name))
        return err_set(err, ERR_USAGE, "unknown option '%.64s...'", word);
    memcpy(name, word + 2, n);
    name[n] = '\0';
    nearest = text_nearest(name, names);
    if (nearest != NULL)
        return err_set(err, ERR_USAGE, "unknown option '--%s' (did you mean '--%s'?)", name,
                       nearest);
    return err_set(err, ERR_USAGE, "unknown option '--%s'", name);
}

/* In the words that it is given in. */
static int check_range(const struct option *o, const void *field, const char *value,
                       struct err *err)
{
    const uint64_t given = o->max != 0 ? *(const uint64_t *)field : 0;
    char most[32];

    if (given <= o->max)
        return 0;
    (void)snprintf(most, sizeof(most), "%llu", (unsigned long long)o->max);
    if (o->kind == OPTION_DURATION)
        text_format_duration(o->max, most);
    else if (o->kind == OPTION_BYTES)
        text_format_bytes(o->max, most);
    return err_set(err, ERR_USAGE, "--%s: at most %s, got '%s'", o->name, most, value);
}

static int option_store(const struct option *o, void *values, const char *value, struct err *err)
{
    void *field = (char *)values + o->offset;
    struct option_strings *list = field;
    bool ok = true;
    const char *expected = "";

    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_STRING:
        *(const char **)field = value;
        break;
    case OPTION_STRINGS:
        ok = list->count < OPTION_STRINGS_MAX;
        expected = "at most 64 of it";
        if (ok)
            list->values[list->count++] = value;
        break;
    case OPTION_NUMBER:
        ok = text_to_u64(value, field);
        expected = "a whole number";
        break;
    case OPTION_DURATION:
        ok = text_to_ns(value, field);
        expected = "a duration such as 500ms, 2s or 10min";
        break;
    case OPTION_BYTES:
        ok = text_to_bytes(value, field);
        expected = "a size such as 64KiB";
        break;
    }
    if (!ok)
        return err_set(err, ERR_USAGE, "--%s: expected %s, got '%s'", o->name, expected, value);
    return check_range(o, field, value, err);
}

/* One option at argv[*index]; moves *index past the value it consumed. */
static int option_take(const struct option *table, void *values, int argc, char **argv, int *index,
                       struct err *err)
{
    const char *word = argv[*index];
    const char *equals = strchr(word, '=');
    const bool is_long = word[1] == '-';
    const struct option *o;
    const char *value = NULL;

    if (is_long)
        o = option_find(table, word + 2,
                        equals != NULL ? (size_t)(equals - word - 2) : strlen(word + 2));
    else
        o = word[2] == '\0' ? option_find_letter(table, word[1]) : NULL;
    if (o == NULL && is_long)
        return unknown_option(table, word, err);
    if (o == NULL)
        return err_set(err, ERR_USAGE, "unknown option '%s'", word);
    if (is_long && equals != NULL)
        value = equals + 1;
    if (o->kind == OPTION_FLAG) {
        if (value != NULL)
            return err_set(err, ERR_USAGE, "--%s takes no value", o->name);
    } else if (value == NULL) {
        if (*index + 1 >= argc)
            return err_set(err, ERR_USAGE, "--%s needs a value (%s)", o->name, o->metavar);
        value = argv[++*index];
    }
    return option_store(o, values, value, err);
}

int options_parse(const struct option *table, void *values, int argc, char **argv, int *ret_count,
                  struct err *err)
{
    bool options_ended = false;
    int count = 0;

    for (int i = 0; i < argc; i++) {
        char *word = argv[i];

        if (options_ended || word[0] != '-' || word[1] == '\0') {
            argv[count++] = word;
        } else if (strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (option_take(table, values, argc, argv, &i, err) < 0) {
            return (int)err->code;
        }
    }
    *ret_count = count;
    return 0;
}

enum {
    HELP_COLUMN = 26,
    HELP_WIDTH = 80
};

/* Words of text from column HELP_COLUMN on, wrapped. */
static void put_wrapped(struct buf *out, const char *text)
{
    size_t column = HELP_COLUMN;

    while (*text != '\0') {
        const size_t n = strcspn(text, " ");

        if (column + n > HELP_WIDTH && column > HELP_COLUMN) {
            buf_printf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        buf_append(out, text, n);
        column += n;
        text += n;
        if (*text == ' ') {
            buf_putc(out, ' ');
            column++;
            text++;
        }
    }
    buf_putc(out, '\n');
}

void options_help(const struct option *table, struct buf *out)
{
    for (; table->name != NULL; table++) {
        const size_t start = out->len;
        size_t used;

        if (table->letter != '\0')
            buf_printf(out, "  -%c, --%s", table->letter, table->name);
        else
            buf_printf(out, "      --%s", table->name);
        if (table->metavar != NULL)
            buf_printf(out, " %s", table->metavar);
        used = out->len - start;
        if (used + 2 > HELP_COLUMN)
            buf_printf(out, "\n%*s", HELP_COLUMN, "");
        else
            buf_printf(out, "%*s", (int)(HELP_COLUMN - used), "");
        put_wrapped(out, table->help);
    }
}
