#include "harness/cli/words.h"

#include <assert.h>

#include "harness/cli/verb.h"

void words_add(struct words *w, const char *option, const char *value)
{
    if (value == NULL)
        return;
    assert(w->count + 2 <= WORDS_MAX);
    if (option != NULL)
        w->argv[w->count++] = option;
    w->argv[w->count++] = value;
}

void words_add_common(struct words *w, const struct common_options *common, unsigned which)
{
    if ((which & WORDS_DB) != 0)
        words_add(w, "--db", common->database);
    if ((which & WORDS_LAB) == 0)
        return;
    words_add(w, "--lab", common->lab);
    for (size_t i = 0; i < common->board_dirs.count; i++)
        words_add(w, "--board-dir", common->board_dirs.values[i]);
}

int words_do(const char *verb, const struct words *w, struct err *err)
{
    _Alignas(max_align_t) unsigned char options[VERB_OPTIONS_SIZE] = {0};
    const struct verb *v = verb_find(verb);
    char *argv[WORDS_MAX];
    int count = 0;

    for (int i = 0; i < w->count; i++)
        argv[i] = (char *)w->argv[i];
    if (v == NULL)
        return err_set(err, ERR_BUG, "there is no command '%s'", verb);
    if (options_parse(v->options, options, w->count, argv, &count, err) < 0)
        return (int)err->code;
    return v->run(options, count, argv, err);
}
