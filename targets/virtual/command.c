#include "targets/virtual/command.h"

#include <string.h>

#include "harness/base/text.h"

static const struct shape {
    const char *word;
    int least;
    int most;
    const char *args;
    const char *text;
} shapes[] = {
#define X(name, word, least, most, args, text) {word, least, most, args, text},
    COMMAND_LIST(X)
#undef X
};

static const char *const words[] = {
#define X(name, word, least, most, args, text) word,
    COMMAND_LIST(X)
#undef X
        NULL,
};

/* Cut one word out of *at and step behind it. NULL at the end of the line. */
static char *take_word(char **at, struct err *err)
{
    char *from = *at + strspn(*at, " \t");
    char *word = from;
    char *to = from;
    bool quoted = false;

    if (*from == '\0')
        return NULL;
    for (; *from != '\0' && (quoted || (*from != ' ' && *from != '\t')); from++) {
        if (*from == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *from == '\\' && (from[1] == '"' || from[1] == '\\'))
            from++;
        *to++ = *from;
    }
    if (quoted)
        (void)err_set(err, ERR_USAGE, "missing closing quote");
    *at = *from == '\0' ? from : from + 1;
    *to = '\0';
    return word;
}

static int find_kind(struct command *c, struct err *err)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], c->words[0]) == 0) {
            c->kind = (enum command_kind)i;
            return 0;
        }
    }
    (void)err_set(err, ERR_USAGE, "unknown command '%.40s'", c->words[0]);
    if (text_nearest(c->words[0], words) != NULL)
        return err_hint(err, "did you mean '%s'?", text_nearest(c->words[0], words));
    return err_hint(err, "'help' lists the commands");
}

int command_parse(char *line, struct command *ret, struct err *err)
{
    struct command c = {.count = 0};
    char *at = line;
    char *word;

    while ((word = take_word(&at, err)) != NULL) {
        if (err->code != ERR_OK)
            return err->code;
        if (c.count == 0 && word[0] == '#')
            return 1;
        if (c.count == COMMAND_WORDS)
            return err_set(err, ERR_USAGE, "more than %d words", COMMAND_WORDS);
        c.words[c.count++] = word;
    }
    if (c.count == 0)
        return 1;
    if (find_kind(&c, err) < 0)
        return err->code;
    if (c.count - 1 < shapes[c.kind].least || c.count - 1 > shapes[c.kind].most)
        return err_set(err, ERR_USAGE, "usage: %s %s", shapes[c.kind].word, shapes[c.kind].args);
    *ret = c;
    return 0;
}

void command_help(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        AUTO_BUF head = BUF_INIT;

        buf_printf(&head, "%s %s", shapes[i].word, shapes[i].args);
        buf_printf(out, "  %-28s %s\n", buf_text(&head), shapes[i].text);
    }
}
