#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/load/load.h"
#include "harness/load/node.h"
#include "tests/unit/unit.h"

/* A loader, its file's name and a text: what it says. The caller releases the arena. */
typedef int parse_fn(const char *data, size_t n, const char *path, struct arena *arena,
                     struct err *err);

static int parse_suite(const char *data, size_t n, const char *path, struct arena *arena,
                       struct err *err)
{
    const struct suite *s;

    return suite_parse(data, n, path, arena, &s, err);
}

static int parse_board(const char *data, size_t n, const char *path, struct arena *arena,
                       struct err *err)
{
    const struct board *b;

    return board_parse(data, n, path, arena, &b, err);
}

static int parse_lab(const char *data, size_t n, const char *path, struct arena *arena,
                     struct err *err)
{
    const struct lab *l;

    return lab_parse(data, n, path, arena, &l, err);
}

static void expect_error(parse_fn *parse, const char *path, const char *text, const char *message)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;

    if (parse(text, strlen(text), path, &arena, &err) == 0)
        fail_msg("no error in:\n%s", text);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, message);
}

struct mistake {
    const char *text;
    const char *message;
};

static void expect_errors(parse_fn *parse, const char *path, const struct mistake *mistakes,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_error(parse, path, mistakes[i].text, mistakes[i].message);
}

/* The tree: what is not the YAML we want, and where. */
static void says_where_the_yaml_is_wrong(void **state)
{
    static const struct mistake mistakes[] = {
        {"", "s.yaml:1:1: the file is empty"},
        {"# nothing\n", "s.yaml:1:1: the file is empty"},
        {"models: [a.tflite\n", "s.yaml:2:1: not valid YAML: did not find expected ',' or ']' "
                                "while parsing a flow sequence"},
        {"models:\n\t- a.tflite\n", "s.yaml:2:1: a tab; YAML indents with spaces only"},
        {"models: \xff\n", "s.yaml:1:9: byte 0xff is not UTF-8"},
        {"# \xc3\xa9\nmodels: \xc3\n", "s.yaml:2:9: byte 0xc3 is not UTF-8"},
        {"models: \"a\x01\"\n", "s.yaml:1:11: control character 0x01"},
        {"models: a.tflite\n---\nmodels: b.tflite\n",
         "s.yaml:2:1: a second document; one file holds one"},
        {"models: !!python/object a\n",
         "s.yaml:1:9: tags such as 'tag:yaml.org,2002:python/object' are not used here"},
        {"models: *nowhere\n", "s.yaml:1:9: alias '*nowhere' has no anchor '&nowhere' before it"},
        {"models: &loop [*loop]\n", "s.yaml:1:16: alias '*loop' has no anchor '&loop' before it"},
        {"? [a, b]\n: c\n", "s.yaml:1:3: a key must be a plain word"},
        {"models: a.tflite\nmodels: b.tflite\n",
         "s.yaml:2:1: key 'models' is given twice (first on line 1)"},
        {"<<: [1]\nmodels: a.tflite\n", "s.yaml:1:6: '<<' expected a map or a list of maps"},
        {"- a\n", "s.yaml:1:1: 'suite' expected a map of keys, got a list"},
        {"just words\n", "s.yaml:1:1: 'suite' expected a map of keys, got 'just words'"},
    };

    expect_errors(parse_suite, "s.yaml", mistakes, ARRAY_SIZE(mistakes));
}

static void says_what_is_wrong_with_a_suite(void **state)
{
    static const struct mistake mistakes[] = {
        {"models: a.tflite\nmeasure:\n  windwos: 5\n",
         "s.yaml:3:3: key 'windwos' is not known in 'measure' (did you mean 'windows'?)"},
        {"models: a.tflite\nmeasure: {window_time: 500}\n",
         "s.yaml:2:24: 'window_time' expected a duration such as 500ms, got '500'"},
        {"models: a.tflite\nwindows: 5\n",
         "s.yaml:2:1: key 'windows' is not known in 'suite' (it belongs in 'measure')"},
        {"boards: [virt-m4]\n", "s.yaml:1:1: 'models' is missing in 'suite': what is measured; a "
                                "path alone will do, for example models: [models/sine.tflite]"},
        {"models: a.tflite\nmeasure: {slope: 99}\n",
         "s.yaml:2:18: 'slope' expected a whole number from 1 to 16, got '99'"},
        {"models: a.tflite\nmeasure: {interleave: yes}\n",
         "s.yaml:2:23: 'interleave' expected true or false, got 'yes'"},
        {"models: a.tflite\nmeasure: {window_time: 2h}\n",
         "s.yaml:2:10: 'window_time' expected a duration from 1us to 1h"},
        {"models: a.tflite\nmeasure: {windows: 10000}\n",
         "s.yaml:2:10: 'windows' x 'slope' makes 30000 windows a run (limit 10000)"},
        {"models: a.tflite\nmeasure:\n", "s.yaml:2:9: 'measure' expected a map of keys, got "
                                         "nothing"},
        {"models: a.tflite\nengines: []\n", "s.yaml:2:10: 'engines' is an empty list"},
        {"models: []\n", "s.yaml:1:1: 'models' is an empty list"},
        {"models: a.tflite\nboards: [\"virt m4\"]\n",
         "s.yaml:2:10: 'boards' expected a name, a pattern such as virt-*, or tag:NAME, got 'virt "
         "m4'"},
        {"models: [a.tflite, b/a.tflite]\n",
         "s.yaml:1:20: two models are called 'a' (the other on line 1); give one a 'name'"},
        {"models: \"a b.tflite\"\n", "s.yaml:1:9: 'a b' cannot be a name; give the model a 'name'"},
        {"models: {path: a.tflite, expected: x.bin}\n",
         "s.yaml:1:9: model 'a' has 'expected' but no 'inputs'"},
        {"models: {path: a.tflite, inputs: x.bin, vectors: {input: y.bin}}\n",
         "s.yaml:1:9: model 'a' has 'vectors' beside 'inputs' or 'expected'"},
        {"models: a.tflite\nexclude:\n- {board: virt-m0}\n",
         "s.yaml:3:3: 'reason' is missing in 'exclude': why not these; the plan and the report "
         "show it, for example reason: needs more RAM than the part has"},
        {"models: a.tflite\nexclude: {reason: none}\n",
         "s.yaml:2:10: expected at least one of model, board, engine, parameters"},
        {"models: sine.tflite\nexclude: {model: sien, reason: no}\n",
         "s.yaml:2:10: no model is called 'sien' (did you mean 'sine'?)"},
        {"models: a.tflite\ninclude: {engine: tyni}\n",
         "s.yaml:2:10: no engine of this suite is called 'tyni'"},
        {"models: a.tflite\ninclude: {parameters: {kernels: ref}}\n",
         "s.yaml:2:24: no parameter is called 'kernels'"},
        {"models: a.tflite\nparameters: {kernels: [ref, best, ref]}\n",
         "s.yaml:2:14: 'kernels' lists 'ref' twice"},
        {"models: a.tflite\nparameters: {board: [x]}\n",
         "s.yaml:2:14: a parameter cannot be called 'board'"},
        {"models: a.tflite\nengines: [tiny, tiny]\n", "s.yaml:2:17: 'engines' lists 'tiny' twice"},
        {"models: a.tflite\nenergy: {profile: eembcc}\n",
         "s.yaml:2:19: 'profile' expected one of guarded, eembc, got 'eembcc' (did you mean "
         "'eembc'?)"},
        {"models: a.tflite\nenergy: {battery: {capacity: 2Ah}}\n",
         "s.yaml:2:19: 'inferences_per_hour' is missing in 'battery': duty: how often the model "
         "runs, for example inferences_per_hour: 360\n"
         "s.yaml:2:19: 'sleep_current' is missing in 'battery': of the whole product between "
         "inferences, for example sleep_current: 12uA"},
    };

    expect_errors(parse_suite, "s.yaml", mistakes, ARRAY_SIZE(mistakes));
}

static void says_what_is_wrong_with_a_budget(void **state)
{
    static const struct mistake mistakes[] = {
        {"models: a.tflite\nbudgets: [rma <= 64KiB]\n",
         "s.yaml:2:11: there is no metric 'rma' (did you mean 'ram'?)"},
        {"models: a.tflite\nbudgets: [ram 64KiB]\n",
         "s.yaml:2:11: a budget is METRIC <= VALUE (or <, >=, >, ==), got 'ram 64KiB'"},
        {"models: a.tflite\nbudgets: [ram =< 64KiB]\n",
         "s.yaml:2:11: a budget is METRIC <= VALUE (or <, >=, >, ==), got 'ram =< 64KiB'"},
        {"models: a.tflite\nbudgets: [ram <= 64Kib]\n",
         "s.yaml:2:11: a budget on 'ram' expected a size such as 64KiB, got '64Kib'"},
        {"models: a.tflite\nbudgets: [latency <= 33]\n",
         "s.yaml:2:11: a budget on 'latency' expected a time such as 33ms, 200k cycles or 5M "
         "instructions, got '33'"},
        {"models: a.tflite\nbudgets: [energy <= 400]\n",
         "s.yaml:2:11: a budget on 'energy' expected an energy such as 400uJ, got '400'"},
        {"models: a.tflite\nbudgets: [accuracy <= 90%]\n",
         "s.yaml:2:11: 'accuracy <= 90%' would hold back the better results: accuracy is better "
         "high"},
        {"models: a.tflite\nbudgets: [battery_life >= 5 years]\n",
         "s.yaml:2:11: a budget on 'battery_life' expected a time such as 5y, got '5 years'"},
        {"models: a.tflite\nbudgets: {limit: flash <= 1MiB, model: b}\n",
         "s.yaml:2:10: no model is called 'b' (did you mean 'a'?)"},
    };

    expect_errors(parse_suite, "s.yaml", mistakes, ARRAY_SIZE(mistakes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_the_yaml_is_wrong),
        cmocka_unit_test(says_what_is_wrong_with_a_suite),
        cmocka_unit_test(says_what_is_wrong_with_a_budget),
    };
    (void)parse_board;
    (void)parse_lab;

    return cmocka_run_group_tests(tests, NULL, NULL);
}
