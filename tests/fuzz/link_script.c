#include "tests/fuzz/link_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/wire/names.h"
#include "harness/base/buf.h"
#include "tests/fuzz/fuzz.h"

bool script_next(struct script *s, struct script_message *ret)
{
    if (s->left < 2)
        return false;
    ret->type = s->at[0];
    ret->flag = (s->at[1] & 0x80) != 0;
    ret->size = s->at[1] & 0x7f;
    s->at += 2;
    s->left -= 2;
    if (ret->size > s->left)
        ret->size = (uint8_t)s->left;
    memcpy(ret->bytes, s->at, ret->size);
    s->at += ret->size;
    s->left -= ret->size;
    return true;
}

static uint8_t type_of(const char *name)
{
    size_t count;
    const struct wire_info *info = wire_info_list(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(info[i].name, name) == 0)
            return info[i].type;
    }
    fprintf(stderr, "corpus: no message '%s'\n", name);
    exit(2);
}

static void add_line(struct buf *out, char *line)
{
    char *rest = NULL;
    char *word = strtok_r(line, " ", &rest);
    bool flag = word != NULL && word[0] == '!';
    size_t size_at = out->len + 1;

    if (word == NULL || word[0] == '#')
        return;
    buf_putc(out, (char)type_of(word + flag));
    buf_putc(out, 0);
    while ((word = strtok_r(NULL, " ", &rest)) != NULL)
        buf_putc(out, (char)strtoul(word, NULL, 16));
    out->data[size_at] = (char)((out->len - size_at - 1) | (flag ? 0x80 : 0));
}

/* A text file of the corpus becomes a script. */
void fuzz_prepare(struct buf *file)
{
    AUTO_BUF script = BUF_INIT;
    char *rest = NULL;

    buf_putc(&script, 1);
    for (char *line = strtok_r(file->data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        add_line(&script, line);
    buf_clear(file);
    buf_append(file, script.data, script.len);
}
