#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/load/load.h"
#include "harness/plan/plan.h"
#include "tests/unit/unit.h"

/* Two virtual boards, one real one under repair, and a kind that the lab has none of. */
static const char *const board_texts[][2] = {
    {"boards/virt-m0.yaml",
     "cpu: cortex-m0\npart: nRF51822\nclock: 16MHz\nflash: 256KiB\n"
     "ram: {base: 0x20000000, size: 16KiB}\n"
     "virtual: {kind: qemu, machine: microbit, marker_set: 1, marker_clear: 2}\n"},
    {"boards/virt-m4.yaml", "cpu: cortex-m4\nclock: 168MHz\nflash: 1MiB\nram: 128KiB\n"
                            "tags: [fpu]\nvirtual: {kind: qemu, machine: netduinoplus2}\n"},
    {"boards/bench-1.yaml", "cpu: cortex-m7\nclock: 480MHz\nflash: 2MiB\nram: 512KiB\n"
                            "transport: {usb_serial: A1}\n"},
    {"boards/nucleo.yaml", "cpu: cortex-m4\nclock: 180MHz\nflash: 512KiB\nram: 128KiB\n"
                           "tags: [fpu, dsp]\n"},
};

enum {
    KINDS = ARRAY_SIZE(board_texts),
    ATTACHED = 3,
};

/* Everything that a plan is made from. */
struct bench {
    struct arena arena;
    struct lab lab;
    const struct board *attached[ATTACHED];
    const struct board *known[KINDS];
    struct board in_repair;
    const struct plan *plan;
    struct err err;
};

static void bench_release(struct bench *b)
{
    arena_release(&b->arena);
}

#define AUTO_BENCH AUTO(bench_release) struct bench

static void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    for (size_t i = 0; i < KINDS; i++) {
        if (board_parse(board_texts[i][1], strlen(board_texts[i][1]), board_texts[i][0], &b->arena,
                        &b->known[i], &b->err) < 0)
            fail_msg("%s", b->err.text);
    }
    b->in_repair = *b->known[2];
    b->in_repair.maintenance = "new cable";
    b->attached[0] = b->known[1]; /* the planner sorts */
    b->attached[1] = b->known[0];
    b->attached[2] = &b->in_repair;
    b->lab = (struct lab){.name = "bench",
                          .boards = b->attached,
                          .board_count = ATTACHED,
                          .known = b->known,
                          .known_count = KINDS};
}

static const struct suite *bench_suite(struct bench *b, const char *text)
{
    const struct suite *s = NULL;

    if (suite_parse(text, strlen(text), "suites/s.yaml", &b->arena, &s, &b->err) < 0)
        fail_msg("%s", b->err.text);
    return s;
}

static int bench_plan(struct bench *b, const char *text, const struct plan_options *options)
{
    return plan_make(bench_suite(b, text), &b->lab, options, &b->arena, &b->plan, &b->err);
}

static const struct plan_case *find(const struct plan *plan, const char *key)
{
    for (size_t i = 0; i < plan->case_count; i++) {
        if (strcmp(plan->cases[i].key, key) == 0)
            return &plan->cases[i];
    }
    fail_msg("no case %s", key);
    return NULL;
}

/* kws wants 20 KiB of RAM, big wants 3 MiB of flash; odd is not for the tiny engine. */
static int need(void *context, const struct suite_model *model, const struct board *board,
                const char *engine, struct plan_need *ret, struct err *err)
{
    *ret = (struct plan_need){.arena = 1024, .agent_flash = 6144, .agent_ram = 1024};
    if (strcmp(model->name, "kws") == 0)
        ret->arena = 19456;
    if (strcmp(model->name, "big") == 0)
        ret->image = 3 * 1048576;
    if (strcmp(model->name, "odd") == 0 && strcmp(engine, "tiny") == 0)
        ret->skip = "operator 3 (CUSTOM) is not in engine 'tiny'";
    if (strcmp(model->name, "broken") == 0)
        return err_set(err, ERR_CONFIG, "not a TFLite file");
    return strcmp(model->name, "unknown") == 0;
}

static const struct plan_options with_needs = {.need = need};
static const struct plan_options plain = {.need = NULL};

static const char full_suite[] =
    "models:\n"
    "- sine.tflite\n"
    "- {path: kws.tflite, measure: {windows: 9}, budgets: latency <= 33ms}\n"
    "- odd.tflite\n"
    "boards: ['virt-*', bench-1, nucleo]\n"
    "engines: [tiny, 'null']\n"
    "parameters: {kernels: [best, ref]}\n"
    "budgets:\n"
    "- ram <= 64KiB\n"
    "- {limit: flash <= 128KiB, board: 'tag:fpu', engine: tiny}\n"
    "exclude:\n"
    "- {engine: 'null', parameters: {kernels: ref}, reason: it has no kernels}\n";

static void check_golden(const char *name, const struct buf *got)
{
    AUTO_BUF path = BUF_INIT;
    AUTO_BUF want = BUF_INIT;
    struct err err = ERR_INIT;

    buf_printf(&path, "%s/%s", getenv("TINYRIG_GOLDEN_PLAN"), name);
    if (getenv("TINYRIG_UPDATE_GOLDEN") != NULL)
        assert_int_equal(file_write_atomic(buf_text(&path), got->data, got->len, &err), 0);
    if (file_read(buf_text(&path), 1 << 20, &want, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(got), buf_text(&want));
}

static void the_whole_plan_is_as_it_was(void **state)
{
    AUTO_BENCH b;
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF verbose = BUF_INIT;
    AUTO_BUF json = BUF_INIT;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, full_suite, &with_needs), 0);
    plan_print(b.plan, false, &text);
    plan_print(b.plan, true, &verbose);
    plan_print_json(b.plan, &json);
    check_golden("full.txt", &text);
    check_golden("full-verbose.txt", &verbose);
    check_golden("full.json", &json);
}

static void two_plans_of_the_same_are_the_same(void **state)
{
    AUTO_BENCH a;
    AUTO_BENCH b;
    AUTO_BUF text_a = BUF_INIT;
    AUTO_BUF text_b = BUF_INIT;
    const struct board *first;

    bench_init(&a);
    bench_init(&b);
    first = b.attached[0]; /* the order in which boards are found says nothing */
    b.attached[0] = b.attached[2];
    b.attached[2] = first;
    assert_int_equal(bench_plan(&a, full_suite, &with_needs), 0);
    assert_int_equal(bench_plan(&b, full_suite, &with_needs), 0);
    plan_print_json(a.plan, &text_a);
    plan_print_json(b.plan, &text_b);
    assert_string_equal(buf_text(&text_a), buf_text(&text_b));
}

static void every_key_is_there_once_and_every_cell_is_accounted_for(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, full_suite, &with_needs), 0);
    assert_int_equal(b.plan->case_count, 3 * 4 * 2 * 2);
    for (size_t i = 0; i < b.plan->case_count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(b.plan->cases[i].key, b.plan->cases[j].key);
    }
}

static void cases_of_a_board_stand_together_in_the_suites_order(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, "models: [z.tflite, a.tflite]\nboards: ['virt-*']\n", &plain),
                     0);
    assert_int_equal(b.plan->case_count, 4);
    assert_string_equal(b.plan->cases[0].key, "z/virt-m0/tiny");
    assert_string_equal(b.plan->cases[1].key, "a/virt-m0/tiny");
    assert_string_equal(b.plan->cases[2].key, "z/virt-m4/tiny");
    assert_int_equal(b.plan->board_count, 2);
    assert_string_equal(b.plan->boards[0]->name, "virt-m0");
    assert_int_equal(b.plan->run_count, 4);
}

static void a_board_chosen_twice_runs_once(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(
        bench_plan(&b, "models: a.tflite\nboards: [virt-m4, 'tag:fpu', '*-m4']\n", &plain), 0);
    assert_int_equal(b.plan->run_count, 1);
}

static void what_does_not_fit_is_skipped_with_its_numbers(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(
        bench_plan(&b, "models: [kws, big, odd, unknown]\nboards: ['virt-*']\n", &with_needs), 0);
    assert_string_equal(find(b.plan, "kws/virt-m0/tiny")->skip,
                        "needs 20.0 KiB of RAM (arena 19.0 KiB, agent 1.0 KiB), virt-m0 has 16.0 "
                        "KiB: 4.0 KiB too much");
    assert_null(find(b.plan, "kws/virt-m4/tiny")->skip);
    assert_string_equal(find(b.plan, "big/virt-m4/tiny")->skip,
                        "needs 3.01 MiB of flash (model 3.00 MiB, agent 6.0 KiB), virt-m4 has 1.00 "
                        "MiB: 2.01 MiB too much");
    assert_string_equal(find(b.plan, "odd/virt-m4/tiny")->skip,
                        "operator 3 (CUSTOM) is not in engine 'tiny'");
    assert_null(find(b.plan, "unknown/virt-m0/tiny")->skip);
}

static void the_slot_counts_where_it_lies(void **state)
{
    struct plan_options options = {.need = need};
    AUTO_BENCH b;
    struct board in_ram;
    struct board small;

    bench_init(&b);
    in_ram = *b.known[0];
    in_ram.slot.region = (struct memory_region){0x20001000, 0x3000};
    small = *b.known[1];
    small.slot.region = (struct memory_region){0x08080000, 4096};
    b.attached[0] = &small;
    b.attached[1] = &in_ram;
    assert_int_equal(bench_plan(&b, "models: big\nboards: ['virt-*']\n", &options), 0);
    assert_string_equal(find(b.plan, "big/virt-m0/tiny")->skip,
                        "needs 3.00 MiB of RAM (arena 1.0 KiB, agent 1.0 KiB, model 3.00 MiB), "
                        "virt-m0 has 16.0 KiB: 2.99 MiB too much");
    in_ram.slot.region = (struct memory_region){0x20000c00, 0x3400000};
    assert_int_equal(bench_plan(&b, "models: big\nboards: ['virt-*']\n", &options), 0);
    assert_string_equal(find(b.plan, "big/virt-m0/tiny")->skip,
                        "needs 52.00 MiB of RAM (arena 1.0 KiB, agent 1.0 KiB, model slot 52.00 "
                        "MiB), virt-m0 has 16.0 KiB: 51.99 MiB too much");
    small.flash.size = 0;
    assert_int_equal(bench_plan(&b, "models: big\nboards: ['virt-*']\n", &options), 0);
    assert_string_equal(find(b.plan, "big/virt-m4/tiny")->skip,
                        "needs 3.00 MiB of model slot (model 3.00 MiB), virt-m4 has 4.0 KiB: 3.00 "
                        "MiB too much");
    in_ram.slot.region = in_ram.ram; /* shared with the arena */
    assert_int_equal(bench_plan(&b, "models: big\nboards: ['virt-*']\n", &options), 0);
    assert_string_equal(find(b.plan, "big/virt-m0/tiny")->skip,
                        "needs 3.00 MiB of RAM (arena 1.0 KiB, agent 1.0 KiB, model 3.00 MiB), "
                        "virt-m0 has 16.0 KiB: 2.99 MiB too much");
    small.slot.region = small.ram;
    assert_int_equal(bench_plan(&b, "models: kws\nboards: ['virt-*']\n", &options), 0);
    assert_null(find(b.plan, "kws/virt-m4/tiny")->skip);
}

static void a_bad_model_stops_the_plan(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, "models: broken\n", &with_needs), ERR_CONFIG);
    assert_string_equal(b.err.text, "model 'broken': not a TFLite file");
}

static void boards_that_are_not_there_are_skipped_and_typos_are_refused(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, "models: a\nboards: [nucleo, bench-1]\n", &plain), 0);
    assert_int_equal(b.plan->run_count, 0);
    assert_string_equal(find(b.plan, "a/nucleo/tiny")->skip,
                        "lab 'bench' has no board of this kind");
    assert_string_equal(find(b.plan, "a/bench-1/tiny")->skip, "board is in maintenance: new cable");
    assert_int_equal(bench_plan(&b, "models: a\nboards:\n- virt-m5\n", &plain), ERR_CONFIG);
    assert_string_equal(b.err.text,
                        "suites/s.yaml:3:3: no board matches 'virt-m5' (did you mean 'virt-m0'?)");
    err_clear(&b.err);
    assert_int_equal(bench_plan(&b, "models: a\nboards: ['tag:cortexm']\n", &plain), ERR_CONFIG);
    assert_non_null(strstr(b.err.text, "(did you mean 'tag:cortex-m'?)"));
}

static void an_empty_lab_is_an_error(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    b.lab.board_count = 0;
    assert_int_equal(bench_plan(&b, "models: a\n", &plain), ERR_CONFIG);
    assert_string_equal(b.err.text, "lab 'bench' has no boards");
}

static void unknown_engines_are_refused_when_the_known_ones_are_known(void **state)
{
    static const char *const engines[] = {"null", "tiny", NULL};
    const struct plan_options options = {.engines = engines};
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, "models: a\nengines: [tiyn]\n", &options), ERR_CONFIG);
    assert_string_equal(b.err.text,
                        "suites/s.yaml:2:11: there is no engine 'tiyn' (did you mean 'tiny'?)");
    err_clear(&b.err);
    assert_int_equal(bench_plan(&b, "models: a\nengines: [tiny, 'null']\n", &options), 0);
}

static void includes_keep_and_excludes_say_why(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b,
                                "models: [a, b, c]\n"
                                "boards: ['virt-*']\n"
                                "include: [{model: a}, {model: b, board: virt-m4}]\n"
                                "exclude:\n"
                                "- {model: a, board: 'tag:fpu', reason: known to hang}\n",
                                &plain),
                     0);
    assert_int_equal(b.plan->run_count, 2);
    assert_null(find(b.plan, "a/virt-m0/tiny")->skip);
    assert_null(find(b.plan, "b/virt-m4/tiny")->skip);
    assert_string_equal(find(b.plan, "a/virt-m4/tiny")->skip, "excluded (line 5): known to hang");
    assert_int_equal(b.plan->case_count, 3);
}

static void budgets_reach_only_the_cases_they_are_for(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, full_suite, &plain), 0);
    assert_int_equal(find(b.plan, "sine/virt-m0/tiny/kernels=ref")->budget_count, 1);
    assert_int_equal(find(b.plan, "sine/virt-m4/tiny/kernels=ref")->budget_count, 2);
    assert_int_equal(find(b.plan, "sine/virt-m4/null/kernels=best")->budget_count, 1);
    assert_int_equal(find(b.plan, "kws/bench-1/tiny/kernels=ref")->budget_count, 2);
    assert_string_equal(find(b.plan, "kws/bench-1/tiny/kernels=ref")->budgets[1]->metric,
                        "latency");
}

/* 33 ms are 15.84 M cycles of a part at 480 MHz, and nothing that an emulator counts. */
static void time_budgets_are_judged_by_the_boards_own_clock(void **state)
{
    AUTO_BENCH b;
    struct board by_timer;
    const struct plan_case *c;

    bench_init(&b);
    by_timer = *b.known[2];
    by_timer.timebase_unit = UNIT_NS;
    b.attached[0] = &by_timer;
    by_timer.name = "timer-1";
    assert_int_equal(bench_plan(&b,
                                "models: a\nboards: [virt-m0, bench-1, timer-1]\n"
                                "budgets: [latency <= 33ms, latency <= 480k cycles,\n"
                                "  latency <= 5M instructions]\n",
                                &plain),
                     0);
    c = find(b.plan, "a/virt-m0/tiny");
    assert_int_equal(c->budget_count, 1);
    assert_int_equal(c->unjudged_count, 2);
    assert_int_equal(c->budgets[0]->unit, UNIT_INSTRUCTIONS);
    c = find(b.plan, "a/bench-1/tiny");
    assert_int_equal(c->budget_count, 2);
    assert_int_equal(c->budgets[0]->unit, UNIT_CYCLES);
    assert_true(fabs(c->budgets[0]->value - 15.84e6) < 1);
    assert_string_equal(c->budgets[0]->text, "latency <= 33ms");
    assert_true(c->budgets[1]->value == 480e3);
    assert_string_equal(c->unjudged[0]->text, "latency <= 5M instructions");
    c = find(b.plan, "a/timer-1/tiny");
    assert_true(c->budgets[0]->value == 33e6);
    assert_int_equal(c->budgets[1]->unit, UNIT_NS);
    assert_true(fabs(c->budgets[1]->value - 1e6) < 1);
}

static void engines_that_an_agent_has_not_are_skipped(void **state)
{
    static const char *const engines[] = {"null", NULL};
    AUTO_BENCH b;
    struct board bare;

    bench_init(&b);
    bare = *b.known[0];
    bare.engines = engines;
    bare.agent = "microbit";
    b.attached[1] = &bare;
    assert_int_equal(
        bench_plan(&b, "models: a\nboards: 'virt-*'\nengines: [tiny, 'null']\n", &plain), 0);
    assert_string_equal(find(b.plan, "a/virt-m0/tiny")->skip,
                        "agent 'microbit' has no engine 'tiny'");
    assert_null(find(b.plan, "a/virt-m0/null")->skip);
    assert_null(find(b.plan, "a/virt-m4/tiny")->skip);
}

static size_t filtered(struct bench *b, const char *filter, const char *board)
{
    const char *filters[] = {filter, NULL};
    const char *boards[] = {board, NULL};
    const struct plan_options options = {.filters = filter == NULL ? NULL : filters,
                                         .boards = board == NULL ? NULL : boards};

    err_clear(&b->err);
    return bench_plan(b, full_suite, &options) < 0 ? 0 : b->plan->case_count;
}

static void filters_choose_by_field_and_by_key(void **state)
{
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(filtered(&b, "model:kws", NULL), 16);
    assert_int_equal(filtered(&b, "model:kws,engine:tiny", NULL), 8);
    assert_int_equal(filtered(&b, "kernels:ref", NULL), 24);
    assert_int_equal(filtered(&b, "tag:fpu,kernels:b*", NULL), 12);
    assert_int_equal(filtered(&b, "board:tag:fpu,kernels:b*", NULL), 12);
    assert_int_equal(filtered(&b, "sine/virt-m0", NULL), 4);
    assert_int_equal(filtered(&b, "*/virt-m0/*=best", NULL), 6);
    assert_int_equal(filtered(&b, NULL, "virt-m0"), 12);
    assert_int_equal(filtered(&b, NULL, "tag:cortex-m4"), 24);
    assert_int_equal(filtered(&b, "model:kws", "virt-m0"), 4);
    assert_int_equal(filtered(&b, "nothing", NULL), 0);
    assert_string_equal(b.err.text, "no case of suite 's' matches");
    assert_int_equal(b.err.code, ERR_USAGE);
    assert_int_equal(filtered(&b, "modle:kws", NULL), 0);
    assert_string_equal(b.err.text, "a filter cannot look at 'modle' (did you mean 'model'?)");
    assert_int_equal(filtered(&b, "model:", NULL), 0);
    assert_string_equal(b.err.text, "filter 'model:' has an empty term");
    assert_int_equal(filtered(&b, NULL, "virt-m3"), 0);
    assert_string_equal(b.err.text, "no board matches 'virt-m3' (did you mean 'virt-m0'?)");
    assert_int_equal(filtered(&b, NULL, "nucleo"), 0);
    assert_string_equal(b.err.text, "lab 'bench' has no board 'nucleo'");
}

static void a_matrix_too_big_is_refused(void **state)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_BENCH b;

    bench_init(&b);
    buf_puts(&text, "models: a\nparameters:\n");
    for (int axis = 0; axis < 10; axis++)
        buf_printf(&text, "  p%d: [a, b, c, d, e, f, g, h, i, j]\n", axis);
    assert_int_equal(bench_plan(&b, buf_text(&text), &plain), ERR_CONFIG);
    assert_string_equal(b.err.text, "suite 's' makes more than 100000 cases");
}

static void options_come_on_top_of_what_the_suite_measures(void **state)
{
    const struct plan_options options = {.repeat = 4, .interleave = true};
    AUTO_BENCH b;

    bench_init(&b);
    assert_int_equal(bench_plan(&b, full_suite, &options), 0);
    assert_int_equal(find(b.plan, "kws/virt-m0/tiny/kernels=ref")->measure->repeat, 4);
    assert_int_equal(find(b.plan, "kws/virt-m0/tiny/kernels=ref")->measure->windows, 9);
    assert_int_equal(find(b.plan, "sine/virt-m0/tiny/kernels=ref")->measure->windows, 5);
    assert_true(find(b.plan, "sine/virt-m0/tiny/kernels=ref")->measure->interleave);
}

static void runs_of_one_case_follow_each_other_or_take_turns(void **state)
{
    AUTO_BENCH b;
    const struct plan_case *cases[3];
    const struct plan_step *steps;

    bench_init(&b);
    assert_int_equal(bench_plan(&b,
                                "models: [a, {path: b, measure: {repeat: 2, interleave: true}},\n"
                                "  {path: c, measure: {repeat: 3, interleave: true}}]\n"
                                "measure: {repeat: 2}\nboards: virt-m0\n",
                                &plain),
                     0);
    for (size_t i = 0; i < 3; i++)
        cases[i] = &b.plan->cases[i];
    assert_int_equal(plan_steps(cases, 3, &b.arena, &steps), 7);
    {
        static const struct {
            int at;
            uint32_t repeat;
        } want[7] = {{1, 0}, {2, 0}, {1, 1}, {2, 1}, {2, 2}, {0, 0}, {0, 1}};

        for (size_t i = 0; i < 7; i++) {
            assert_ptr_equal(steps[i].case_, cases[want[i].at]);
            assert_int_equal(steps[i].repeat, want[i].repeat);
        }
    }
}

static void energy_is_measured_where_there_is_an_instrument(void **state)
{
    static const struct lab_meter meters[] = {{.name = "ppk", .driver = "ppk2"}};
    AUTO_BENCH b;
    struct board real;

    bench_init(&b);
    real = *b.known[2];
    b.attached[2] = &real;
    assert_int_equal(
        bench_plan(&b, "models: a\nenergy: {windows: 2}\nbudgets: energy <= 1mJ\n", &plain), 0);
    assert_non_null(find(b.plan, "a/virt-m0/tiny")->energy);
    assert_int_equal(find(b.plan, "a/virt-m0/tiny")->budget_count, 1);
    assert_null(find(b.plan, "a/bench-1/tiny")->energy);
    assert_int_equal(find(b.plan, "a/bench-1/tiny")->unjudged_count, 1);
    b.lab.meters = meters;
    b.lab.meter_count = 1;
    real.meter = "ppk";
    assert_int_equal(bench_plan(&b, "models: a\nenergy: {windows: 2}\n", &plain), 0);
    assert_int_equal(find(b.plan, "a/bench-1/tiny")->energy->windows, 2);
    assert_int_equal(bench_plan(&b, "models: a\n", &plain), 0);
    assert_null(find(b.plan, "a/bench-1/tiny")->energy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_plan_is_as_it_was),
        cmocka_unit_test(two_plans_of_the_same_are_the_same),
        cmocka_unit_test(every_key_is_there_once_and_every_cell_is_accounted_for),
        cmocka_unit_test(cases_of_a_board_stand_together_in_the_suites_order),
        cmocka_unit_test(a_board_chosen_twice_runs_once),
        cmocka_unit_test(what_does_not_fit_is_skipped_with_its_numbers),
        cmocka_unit_test(the_slot_counts_where_it_lies),
        cmocka_unit_test(a_bad_model_stops_the_plan),
        cmocka_unit_test(boards_that_are_not_there_are_skipped_and_typos_are_refused),
        cmocka_unit_test(an_empty_lab_is_an_error),
        cmocka_unit_test(unknown_engines_are_refused_when_the_known_ones_are_known),
        cmocka_unit_test(includes_keep_and_excludes_say_why),
        cmocka_unit_test(budgets_reach_only_the_cases_they_are_for),
        cmocka_unit_test(time_budgets_are_judged_by_the_boards_own_clock),
        cmocka_unit_test(engines_that_an_agent_has_not_are_skipped),
        cmocka_unit_test(filters_choose_by_field_and_by_key),
        cmocka_unit_test(a_matrix_too_big_is_refused),
        cmocka_unit_test(options_come_on_top_of_what_the_suite_measures),
        cmocka_unit_test(runs_of_one_case_follow_each_other_or_take_turns),
        cmocka_unit_test(energy_is_measured_where_there_is_an_instrument),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
