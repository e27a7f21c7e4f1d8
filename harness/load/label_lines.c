#include "harness/load/label_lines.h"

#include <string.h>

#include "harness/base/text.h"

#define BLANKS " \t\r"

/* Up to three fields of a line, blanks around them cut; returns how many there are. */
static size_t split(char *line, char *fields[3])
{
    size_t n = 0;

    for (char *at = line; at != NULL; n++) {
        char *comma = strchr(at, ',');

        if (comma != NULL)
            *comma++ = '\0';
        if (n < 3) {
            size_t length;

            fields[n] = at + strspn(at, BLANKS);
            length = strlen(fields[n]);
            while (length > 0 && strchr(BLANKS, fields[n][length - 1]) != NULL)
                fields[n][--length] = '\0';
        }
        at = comma;
    }
    return n;
}

/* Samples lie in the data set's folder, nowhere else. */
static bool is_inside(const char *name)
{
    return name[0] != '\0' && name[0] != '/' && strstr(name, "..") == NULL;
}

/* What is wrong with the line; NULL: nothing, *ret is filled. */
static const char *read_line(char *line, struct label_line *ret)
{
    char *fields[3] = {NULL, NULL, NULL};
    double classes = 0;

    if (split(line, fields) != 3)
        return "";
    if (!is_inside(fields[0]))
        return " (FILE: a name inside the data set's folder)";
    if (!text_to_double(fields[1], &classes) || classes < 0)
        return " (CLASSES: how many there are)";
    if (!text_to_double(fields[2], &ret->label))
        return " (LABEL: a number)";
    ret->name = fields[0];
    return NULL;
}

int label_lines_parse(const char *text, size_t len, const char *file, struct arena *arena,
                      struct label_lines *ret, struct err *err)
{
    struct label_lines found = {.lines = NULL};
    char *rest = arena_strndup(arena, text, len);
    size_t number = 0;

    if (strlen(rest) != len)
        return err_set(err, ERR_CONFIG, "%.150s: not a text: byte %zu is 0", file, strlen(rest));
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        struct label_line made = {.name = NULL};
        const char *wrong;

        number++;
        if (line[strspn(line, BLANKS)] == '\0')
            continue;
        if (found.count == LABEL_LINES_MAX)
            return err_set(err, ERR_CONFIG, "%.150s:%zu: more than %d samples", file, number,
                           LABEL_LINES_MAX);
        wrong = read_line(line, &made);
        if (wrong != NULL)
            return err_set(err, ERR_CONFIG, "%.150s:%zu: expected 'FILE, CLASSES, LABEL'%s", file,
                           number, wrong);
        *ARENA_PUSH(arena, found.lines, found.count, found.capacity) = made;
    }
    *ret = found;
    return 0;
}
