/*
 * Finds the command, parses its options, runs it, and prints the one error there may be.
 * Exit statuses: ERR_LIST in harness/base/err.h, 1 (gate failed), 4 (partial), 5 (no baseline); for
 * schedulers (--batch) 75 (requeue) and 76 (hold).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/log.h"
#include "harness/base/text.h"
#include "harness/cli/verb.h"

static int fail(const struct err *err)
{
    const char *line = err->text;

    do { /* the text may hold bytes of a file or a board; only its line breaks are ours */
        AUTO_BUF text = BUF_INIT;
        const size_t n = strcspn(line, "\n");

        text_escape(&text, line, n);
        (void)fprintf(stderr, "%s%s\n", line == err->text ? "tinyrig: " : "  ", buf_text(&text));
        line += n + (line[n] == '\n');
    } while (*line != '\0');
    if (err->hint[0] != '\0')
        (void)fprintf(stderr, "  hint: %s\n", err->hint);
    return err->exit_status != 0 ? err->exit_status : err_exit_status(err->code);
}

/* Options before the command. Returns how many words they took, or a negative error. */
static int global_options(int argc, char **argv, const char **ret_command, struct err *err)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strncmp(argv[i], "--verbose=", 10) == 0) {
            if (log_enable(argv[i] + 10, err) < 0)
                return (int)err->code;
        } else if (strcmp(argv[i], "--verbose") == 0 || strcmp(argv[i], "-v") == 0) {
            if (log_enable("lab,wire", err) < 0)
                return (int)err->code;
        } else if (strcmp(argv[i], "--version") == 0) {
            *ret_command = "version";
            return i;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *ret_command = "help";
            return i;
        } else {
            (void)err_set(err, ERR_USAGE, "unknown option '%s' before the command", argv[i]);
            return err_hint(err, "'tinyrig help' lists the commands");
        }
    }
    *ret_command = i < argc ? argv[i] : "help";
    return i < argc ? i : argc - 1;
}

static const struct verb *verb_or_error(const char *name, struct err *err)
{
    const struct verb *v = verb_find(name);
    const char *names[64];
    const char *nearest;
    size_t n = 0;

    if (v != NULL)
        return v;
    for (; verbs[n] != NULL && n + 1 < ARRAY_SIZE(names); n++)
        names[n] = verbs[n]->name;
    names[n] = NULL;
    nearest = text_nearest(name, names);
    if (nearest != NULL)
        (void)err_set(err, ERR_USAGE, "unknown command '%s' (did you mean '%s'?)", name, nearest);
    else
        (void)err_set(err, ERR_USAGE, "unknown command '%s'", name);
    (void)err_hint(err, "'tinyrig help' lists the commands");
    return NULL;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int check_count(const struct verb *v, int count, struct err *err)
{
    if (count >= v->arguments_min && count <= v->arguments_max)
        return 0;
    (void)err_set(err, ERR_USAGE, "%s: expected %s%s, got %d argument%s", v->name,
                  v->arguments[0] != '\0' ? v->arguments : "no arguments",
                  count < v->arguments_min ? "" : " at most", count, count == 1 ? "" : "s");
    return err_hint(err, "see 'tinyrig help %s'", v->name);
}

static int run_verb(const struct verb *v, int argc, char **argv, struct err *err)
{
    _Alignas(max_align_t) unsigned char options[VERB_OPTIONS_SIZE] = {0};
    int count = 0;

    if (asks_for_help(argc, argv)) {
        AUTO_BUF text = BUF_INIT;

        verb_help(v, &text);
        (void)fputs(buf_text(&text), stdout);
        return 0;
    }
    if (options_parse(v->options, options, argc, argv, &count, err) < 0)
        return err_hint(err, "see 'tinyrig help %s'", v->name);
    if (check_count(v, count, err) < 0)
        return (int)err->code;
    return v->run(options, count, argv, err);
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    const char *words = getenv("TINYRIG_LOG");
    const char *command = NULL;
    const struct verb *v;
    int first;
    int status;

    if (words != NULL && log_enable(words, &err) < 0)
        return fail(&err);
    first = global_options(argc, argv, &command, &err);
    if (first < 0)
        return fail(&err);
    v = verb_or_error(command, &err);
    if (v == NULL)
        return fail(&err);
    status = run_verb(v, argc - first - 1, argv + first + 1, &err);
    if (status < 0)
        return fail(&err);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return 74; /* sysexits EX_IOERR: the reader of our output went away or the disk is full */
    return status;
}
