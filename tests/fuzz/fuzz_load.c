/*
 * YAML files from anyone: whatever loads can be planned and printed, whatever does not has an error
 * that names its place, all within the loader's limits.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/load/load.h"
#include "harness/plan/plan.h"
#include "tests/fuzz/fuzz.h"

/* Every line of an error says where, but for the count of those that are left out. */
static void check_error(const struct err *err)
{
    const char *s = err->text;

    if (err->code != ERR_CONFIG || *s == '\0')
        abort();
    while (s != NULL && *s != '\0') {
        if (strncmp(s, "f.yaml:", 7) != 0 && *s != '(')
            abort();
        s = strchr(s, '\n');
        if (s != NULL)
            s++;
    }
}

static void plan_suite(const struct suite *suite, struct arena *arena)
{
    static const char *const tags[] = {"virtual", "cortex-m", NULL};
    static const struct board boards[] = {
        {.name = "virt-m0", .type = "virt-m0", .cpu = "cortex-m0", .tags = tags},
        {.name = "virt-m4", .type = "virt-m4", .cpu = "cortex-m4", .tags = tags},
    };
    const struct board *const list[] = {&boards[0], &boards[1]};
    const struct lab lab = {.name = "fuzz", .boards = list, .board_count = ARRAY_SIZE(list)};
    const struct plan_options options = {.need = NULL};
    const struct plan *plan;
    struct err err = ERR_INIT;
    AUTO_BUF text = BUF_INIT;

    if (plan_make(suite, &lab, &options, arena, &plan, &err) < 0)
        return;
    plan_print(plan, true, &text);
    plan_print_json(plan, &text);
    if (plan->case_count > PLAN_CASE_LIMIT || plan->run_count > plan->case_count)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_BUF text = BUF_INIT;
    const struct suite *suite;
    const struct board *board;
    const struct lab *lab;
    struct err err = ERR_INIT;

    buf_append(&text, data, size);
    if (suite_parse(buf_text(&text), text.len, "f.yaml", &arena, &suite, &err) == 0)
        plan_suite(suite, &arena);
    else
        check_error(&err);
    err_clear(&err);
    if (board_parse(buf_text(&text), text.len, "f.yaml", &arena, &board, &err) < 0)
        check_error(&err);
    err_clear(&err);
    if (lab_parse(buf_text(&text), text.len, "f.yaml", &arena, &lab, &err) < 0)
        check_error(&err);
    return 0;
}
