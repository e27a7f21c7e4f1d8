/* `tinyrig help` and `tinyrig version`. */
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/cli/man.h"
#include "harness/cli/verb.h"
#include "harness/load/doc/keys.h"

static const struct option no_options[] = {{.name = NULL}};

static int unknown_topic(const char *topic, struct err *err)
{
    const char *names[64];
    const char *nearest;
    size_t n = 0;

    for (; verbs[n] != NULL && n + 1 < ARRAY_SIZE(names); n++)
        names[n] = verbs[n]->name;
    names[n] = NULL;
    nearest = text_nearest(topic, names);
    (void)err_set(err, ERR_USAGE, "there is no command '%s'", topic);
    return nearest != NULL ? err_hint(err, "did you mean '%s'?", nearest) : (int)err->code;
}

static int help_run(void *options, int argc, char **argv, struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    const struct verb *v;

    if (argc == 0) {
        verbs_help(&text);
    } else if (strcmp(argv[0], "keys") == 0) {
        if (keys_help(argc > 1 ? argv[1] : NULL, &text, err) < 0)
            return (int)err->code;
    } else if (strcmp(argv[0], "man") == 0) {
        man_page(&text);
    } else if (strcmp(argv[0], "completion") == 0) {
        man_completion(&text);
    } else if (argc > 1) {
        return err_set(err, ERR_USAGE, "help: only 'keys' takes a second word");
    } else {
        v = verb_find(argv[0]);
        if (v == NULL)
            return unknown_topic(argv[0], err);
        verb_help(v, &text);
    }
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

static int version_run(void *options, int argc, char **argv, struct err *err)
{
    (void)puts("tinyrig " TINYRIG_VERSION);
    return 0;
}

const struct verb verb_help_command = {
    .name = "help",
    .arguments = "[COMMAND | keys [TOPIC] | man | completion]",
    .summary = "explain a command, or the keys of suite, board and lab files",
    .details =
        "TOPIC is a file (suite, board, lab), a map (measure) or a key (window_time). 'man' and "
        "'completion' print the manual page and what bash needs to complete command lines.",
    .options = no_options,
    .arguments_max = 2,
    .run = help_run,
};

const struct verb verb_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version",
    .options = no_options,
    .run = version_run,
};
