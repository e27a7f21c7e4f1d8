#include "harness/cli/select.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/base/text.h"
#include "harness/cli/revision.h"

enum {
    NOISE_RUNS = 40 /* the newest ones say how much a series scatters */
};

static const struct term {
    const char *name;
    size_t offset;
} terms[] = {
    {"run", offsetof(struct store_selection, run)},
    {"tag", offsetof(struct store_selection, tag)},
    {"git", offsetof(struct store_selection, git)},
    {"suite", offsetof(struct store_selection, suite)},
    {"model", offsetof(struct store_selection, model)},
    {"board", offsetof(struct store_selection, board)},
    {"engine", offsetof(struct store_selection, engine)},
    {"key", offsetof(struct store_selection, key)},
};

int select_has_tag(struct store *s, const char *name, struct arena *arena, bool *ret,
                   struct err *err)
{
    const struct store_tag_row *tags;
    size_t count;

    *ret = false;
    if (store_tags(s, arena, &tags, &count, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < count; i++)
        *ret = *ret || strcmp(tags[i].name, name) == 0;
    return 0;
}

static int unknown_term(const char *name, struct err *err)
{
    const char *names[ARRAY_SIZE(terms) + 1] = {NULL};
    const char *nearest;

    for (size_t i = 0; i < ARRAY_SIZE(terms); i++)
        names[i] = terms[i].name;
    nearest = text_nearest(name, names);
    return err_set(err, ERR_USAGE,
                   "selection: expected run, tag, git, suite, model, board, engine or key before "
                   "'=', got '%s'%s%s%s",
                   name, nearest != NULL ? " (did you mean '" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "'?)" : "");
}

/* One term; it is cut at its '='. */
static int take_term(struct store *s, char *text, struct arena *arena,
                     struct store_selection *selection, struct err *err)
{
    char *value = strchr(text, '=');
    bool tag;

    if (value == NULL) {
        if (select_has_tag(s, text, arena, &tag, err) < 0)
            return (int)err->code;
        *(tag ? &selection->tag : &selection->run) = text;
        return 0;
    }
    *value++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
        if (strcmp(terms[i].name, text) != 0)
            continue;
        if (strcmp(text, "git") == 0)
            value = (char *)revision_resolve(value, arena);
        *(const char **)((char *)selection + terms[i].offset) = value;
        return 0;
    }
    return unknown_term(text, err);
}

int select_parse(struct store *s, const char *text, struct arena *arena,
                 struct store_selection *ret, struct err *err)
{
    char *rest = arena_strdup(arena, text);
    const char *term;

    while ((term = strsep(&rest, ",")) != NULL) {
        if (term[0] == '\0')
            return err_set(err, ERR_USAGE, "selection '%s': an empty term", text);
        if (take_term(s, arena_strdup(arena, term), arena, ret, err) < 0)
            return (int)err->code;
    }
    return 0;
}

int select_cases(struct store *s, const char *text, struct arena *arena, struct dataset *ret,
                 struct err *err)
{
    return select_cases_with(s, text, DATA_FACTS | DATA_WINDOWS, arena, ret, err);
}

int select_cases_with(struct store *s, const char *text, unsigned parts, struct arena *arena,
                      struct dataset *ret, struct err *err)
{
    struct store_selection selection = {.parts = parts};
    bool defaulted;

    if (select_parse(s, text, arena, &selection, err) < 0)
        return (int)err->code;
    defaulted = selection.run == NULL && selection.tag == NULL && selection.git == NULL;
    if (defaulted)
        selection.run = "last";
    if (store_query(s, &selection, arena, ret, err) < 0) {
        if (!defaulted || err->code != ERR_USAGE)
            return (int)err->code;
        err_clear(err); /* the user named no run: do not speak of one */
        ret->case_count = 0;
    }
    if (ret->case_count == 0)
        return err_set(err, ERR_USAGE, "%s: nothing stored matches '%s'", store_path(s), text);
    return 0;
}

/* Only boards of silicon scatter, and only one suite has one history. */
static bool needs_history(const struct dataset *d)
{
    bool silicon = false;

    for (size_t i = 0; i < d->case_count; i++)
        silicon = silicon || d->cases[i].realm == REALM_SILICON;
    return silicon && d->run_count == 1;
}

int select_judging(struct store *s, const struct dataset *candidate, struct arena *arena,
                   struct compare_options *ret, struct err *err)
{
    struct data_history *history = arena_alloc(arena, sizeof(*history));

    *ret = (struct compare_options){.now_ns = clock_realtime_ns()};
    if (store_mutes(s, ret->now_ns, arena, &ret->mutes, &ret->mute_count, err) < 0)
        return (int)err->code;
    if (needs_history(candidate)) {
        const struct store_selection before = {.suite = candidate->runs[0].suite,
                                               .until_ns = candidate->runs[0].started_ns,
                                               .last = NOISE_RUNS,
                                               .scattering = true};

        if (store_history(s, &before, "*", arena, history, err) < 0)
            return (int)err->code;
        ret->history = history;
    }
    return 0;
}

int select_format(const char *name, enum comparison_format *ret, struct err *err)
{
    static const char *const names[] = {"text", "markdown", "json"};

    *ret = COMPARISON_TEXT;
    if (name == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum comparison_format)i;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "--format: expected text, markdown or json, got '%s'", name);
}

int select_print(const struct comparison_report *r, enum comparison_format format,
                 const char *output, struct err *err)
{
    struct report_options look = {.data = NULL};
    AUTO_BUF text = BUF_INIT;

    if (output == NULL)
        report_fit_terminal(&look, STDOUT_FILENO);
    comparison_render(r, format, &look, &text);
    if (output != NULL)
        return file_write_named(output, buf_text(&text), text.len, err);
    (void)fwrite(buf_text(&text), 1, text.len, stdout);
    return 0;
}
