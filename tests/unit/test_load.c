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
        {"models: a.tflite\nboard: virt-m4\n",
         "s.yaml:2:1: key 'board' is not known in 'suite' (did you mean 'boards'?)"},
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
         "s.yaml:2:10: no model is called 'b'"},
    };

    expect_errors(parse_suite, "s.yaml", mistakes, ARRAY_SIZE(mistakes));
}

static void says_what_is_wrong_with_a_board(void **state)
{
#define PART "cpu: cortex-m4\nclock: 168MHz\nram: 128KiB\n"
    static const struct mistake mistakes[] = {
        {"cpu: cortex-m4\nclock: 168MHz\n",
         "b/m4.yaml:1:1: 'ram' is missing in 'board': of the part; models that do not fit are "
         "skipped, for example ram: {base: 0x20000000, size: 128KiB}"},
        {"cpu: cortex-m4\nclock: 168\nram: 128KiB\n",
         "b/m4.yaml:2:8: 'clock' expected a frequency such as 168MHz, got '168'"},
        {PART "flash: {base: 0x08000000, size: 0}\n",
         "b/m4.yaml:4:8: no such memory: base 0x8000000, size 0"},
        {PART "flash: {base: 0xffffffffffffff00, size: 1KiB}\n",
         "b/m4.yaml:4:8: no such memory: base 0xffffffffffffff00, size 1024"},
        {PART "name: m7\n", "b/m4.yaml:4:7: the file of board 'm7' must be called m7.yaml"},
        {PART "transport: {kind: uart}\n",
         "b/m4.yaml:4:19: 'kind' expected one of serial, pty, tcp, rfc2217, loop, swd, got 'uart'"},
        {PART "transport: {where: /dev/ttyACM0}\n",
         "b/m4.yaml:4:12: 'where' expected a name that stays, got '/dev/ttyACM0': use usb_serial "
         "or a path in /dev/serial/by-id"},
        {PART "transport: {baud: 921600, max_baud: 115200}\n",
         "b/m4.yaml:4:12: 'max_baud' is less than 'baud'"},
        {PART "transport: {usb_id: 0483-374b}\n",
         "b/m4.yaml:4:21: 'usb_id' expected a USB id VID:PID such as 0483:374b, got '0483-374b'"},
        {PART "openocd: {target: ../evil.cfg}\n",
         "b/m4.yaml:4:19: 'target' expected a script of OpenOCD's library such as "
         "target/nrf52.cfg, got '../evil.cfg'"},
        {PART "openocd: {target: target/../../evil.cfg}\n",
         "b/m4.yaml:4:19: 'target' expected a script of OpenOCD's library such as "
         "target/nrf52.cfg, got 'target/../../evil.cfg'"},
        {PART "openocd: {target: /tmp/evil.cfg}\n",
         "b/m4.yaml:4:19: 'target' expected a script of OpenOCD's library such as "
         "target/nrf52.cfg, got '/tmp/evil.cfg'"},
        {PART "openocd: {serial: \"1; shutdown\"}\n",
         "b/m4.yaml:4:19: 'serial' expected a serial number of letters, digits and . _ : -, got "
         "'1; shutdown'"},
        {PART "openocd: {interface: interface/stlink.cfg, command: exec rm}\n",
         "b/m4.yaml:4:44: key 'command' is not known in 'openocd'"},
        {PART "transport: {kind: swd}\n",
         "b/m4.yaml:1:1: 'target' is missing in 'openocd': flashing by none and transport swd need "
         "one"},
        {PART "flashing: {method: command}\n",
         "b/m4.yaml:1:1: 'flashing' expected a 'command' with method command, and only then"},
        {PART "flashing: {method: qemu}\n",
         "b/m4.yaml:1:1: 'flashing' expected another method than qemu: the board is real"},
        {PART "virtual: {kind: qemu}\n",
         "b/m4.yaml:4:10: 'machine' is missing in 'virtual': kind qemu needs one"},
        {PART "virtual: {kind: qemu, machine: microbit, options: [-serial, file:x]}\n",
         "b/m4.yaml:4:10: 'options' expected -cpu, -global or -m, each with a value, got "
         "'-serial'\n"
         "b/m4.yaml:4:10: 'options' expected -cpu, -global or -m, each with a value, got 'file:x'"},
        {PART "virtual: {kind: qemu, machine: microbit, options: [-cpu, \"x,y=/etc/passwd\"]}\n",
         "b/m4.yaml:4:10: 'options' expected -cpu, -global or -m, each with a value, got "
         "'x,y=/etc/passwd'"},
        {PART "virtual: {kind: qemu, machine: microbit, icount_shift: 40}\n",
         "b/m4.yaml:4:56: 'icount_shift' expected a whole number from -1 to 12, got '40'"},
        {PART "virtual: {kind: qemu, machine: microbit}\ntimebase: cycles\n",
         "b/m4.yaml:5:11: 'timebase' expected instructions or ns: qemu does not emulate cycles"},
        {PART "slot: 256KiB\n", "b/m4.yaml:4:7: 'slot' expected a map of keys, got '256KiB'"},
    };

    expect_errors(parse_board, "b/m4.yaml", mistakes, ARRAY_SIZE(mistakes));
#undef PART
}

static void says_what_is_wrong_with_a_lab(void **state)
{
    static const struct mistake mistakes[] = {
        {"meters: {a: {driver: ppk}}\n", "lab.yaml:1:22: 'driver' expected one of ppk2, lpm01a, "
                                         "joulescope, csv, replay, iio, hwmon, scpi, sigrok, "
                                         "synthetic, null, got 'ppk' (did you mean 'ppk2'?)"},
        {"meters: {a: {driver: ppk2, channels: 4}}\n",
         "lab.yaml:1:13: 'channels' and 'mux' belong together"},
        {"meters: [a]\n", "lab.yaml:1:9: 'meters' expected a map from names, got a list"},
        {"power: {a b: {kind: gpio}}\n",
         "lab.yaml:1:9: 'name' expected a name of letters, digits and . _ + -, got 'a b'\n"
         "lab.yaml:1:14: 'location' is missing in 'power': kind gpio needs one"},
        {"power: {a: {kind: command, turn_on: [x]}}\n",
         "lab.yaml:1:12: 'turn_on' and 'turn_off' are missing in 'power': kind command needs both"},
        {"power: {a: {kind: meter, meter: m}}\n",
         "lab.yaml:1:12: there is no meter 'm' in this lab"},
        {"meters: {a/b: {driver: ppk2}}\npower: {p: {kind: meter, meter: m}}\n",
         "lab.yaml:1:10: 'name' expected a name of letters, digits and . _ + -, got 'a/b'"},
        {"boards: {a: {board: virt-m4}}\n", "lab.yaml:1:13: there is no board file 'virt-m4.yaml'"},
        {"boards: {a: {}}\n",
         "lab.yaml:1:13: 'board' is missing in 'boards': kind of board: a board file's name "
         "without .yaml, for example board: nucleo-f446re"},
    };

    expect_errors(parse_lab, "lab.yaml", mistakes, ARRAY_SIZE(mistakes));
}

static void all_mistakes_of_a_file_are_said_at_once_in_their_order(void **state)
{
    expect_error(parse_suite, "s.yaml",
                 "energy: {windows: none}\n"
                 "modles: a.tflite\n"
                 "measure:\n"
                 "  warmup: few\n"
                 "  windows: many\n",
                 "s.yaml:1:1: 'models' is missing in 'suite': what is measured; a path alone will "
                 "do, for example models: [models/sine.tflite]\n"
                 "s.yaml:1:19: 'windows' expected a whole number from 1 to 1000, got 'none'\n"
                 "s.yaml:2:1: key 'modles' is not known in 'suite' (did you mean 'models'?)\n"
                 "s.yaml:4:11: 'warmup' expected a whole number from 0 to 1000000, got 'few'\n"
                 "s.yaml:5:12: 'windows' expected a whole number from 1 to 10000, got 'many'");
}

static void too_many_mistakes_are_counted(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    size_t lines = 1;

    buf_puts(&text, "models: a.tflite\n");
    for (int i = 0; i < 30; i++)
        buf_printf(&text, "zzzzzzzz%d: 1\n", i);
    assert_int_equal(parse_suite(buf_text(&text), text.len, "s.yaml", &arena, &err), ERR_CONFIG);
    for (const char *s = err.text; *s != '\0'; s++)
        lines += *s == '\n';
    assert_int_equal(lines, 21);
    assert_string_equal(strrchr(err.text, '\n'), "\n(at least 10 more)");
}

static void what_a_file_says_cannot_upset_a_terminal(void **state)
{
    expect_error(parse_suite, "s.yaml", "models: a.tflite\n\"\\e[2J\": 1\n",
                 "s.yaml:2:1: key '\\x1b[2J' is not known in 'suite'");
}

/* Each bound of node.h, at the bound and past it. */
static void aliases_cannot_blow_up(void **state)
{
    AUTO_BUF text = BUF_INIT;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct err err = ERR_INIT;

    buf_puts(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++)
        buf_printf(&text, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
                   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_int_equal(parse_suite(buf_text(&text), text.len, "s.yaml", &arena, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "aliases expand to too many values (limit 100000)"));
}

/* before, count times piece with its number in place of each '$', after. "" when all is well. */
static void expect_limit(const char *before, const char *piece, int count, const char *after,
                         const char *message)
{
    AUTO_BUF text = BUF_INIT;
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct problems problems = {.arena = &arena};
    struct err err = ERR_INIT;
    bool good;

    buf_puts(&text, before);
    for (int i = 0; i < count; i++) {
        for (const char *s = piece; *s != '\0'; s++) {
            if (*s == '$')
                buf_printf(&text, "%d", i);
            else
                buf_putc(&text, *s);
        }
    }
    buf_puts(&text, after);
    good = node_parse(buf_text(&text), text.len, "n.yaml", &problems) != NULL;
    assert_int_equal(good, problems_report(&problems, &err) == 0);
    assert_string_equal(err.text, message);
}

static void depth_size_and_number_are_bounded(void **state)
{
    AUTO_BUF long_word = BUF_INIT;

    expect_limit("", "[", 15, "x]]]]]]]]]]]]]]]", "");
    expect_limit("", "[", 16, "x]]]]]]]]]]]]]]]]", "n.yaml:1:17: nested too deep (limit 16)");
    expect_limit("", "[", 1000, "", "n.yaml:1:17: nested too deep (limit 16)");
    expect_limit("[", "$,", 19999, "]", "");
    expect_limit("[", "$,", 20000, "]",
                 "n.yaml:1:108886: too many values in one file (limit 20000)");
    expect_limit("", "k$: 1\n", 1000, "", "");
    expect_limit("", "k$: 1\n", 1001, "", "n.yaml:1001:1: too many keys in one map (limit 1000)");
    for (int i = 0; i < NODE_SCALAR_LIMIT; i++)
        buf_putc(&long_word, 'w');
    expect_limit(buf_text(&long_word), "", 0, "", "");
    expect_limit(buf_text(&long_word), "w", 1, "",
                 "n.yaml:1:1: a text of 4097 bytes is too long (limit 4096)");
    expect_limit("#", "0123456789abcdef", 65536, "\n", "n.yaml:1:1: larger than 1048576 bytes");
    /* An alias counts as deep as what it stands for. */
    expect_limit("a: &a [[[[[[[[x]]]]]]]]\nb: [[[[[[[*a]]]]]]]\n", "", 0, "",
                 "n.yaml:2:11: nested too deep (limit 16)");
}

static void merge_keys_give_way_to_the_maps_own(void **state)
{
    static const char text[] = "base: &base {x: 1, y: 2}\n"
                               "more: &more {y: 3, z: 4}\n"
                               "both: {<<: [*base, *more], x: 0}\n";
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct problems problems = {.arena = &arena};
    const struct node *root = node_parse(text, strlen(text), "n.yaml", &problems);
    const struct node *both;

    assert_non_null(root);
    both = node_find(root, "both");
    assert_int_equal(both->count, 3);
    assert_string_equal(node_find(both, "x")->text, "0");
    assert_string_equal(node_find(both, "y")->text, "2");
    assert_string_equal(node_find(both, "z")->text, "4");
    assert_int_equal(node_find(both, "z")->where.line, 2);
    assert_int_equal(node_find(both, "z")->where.column, 23);
}

static void columns_count_characters(void **state)
{
    expect_error(parse_suite, "s.yaml",
                 "description: \xc3\xa9\xc3\xa9\nmodels: {path: a, \xc3\xa9: 1}\n",
                 "s.yaml:2:19: key '\xc3\xa9' is not known in 'models'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_where_the_yaml_is_wrong),
        cmocka_unit_test(says_what_is_wrong_with_a_suite),
        cmocka_unit_test(says_what_is_wrong_with_a_budget),
        cmocka_unit_test(says_what_is_wrong_with_a_board),
        cmocka_unit_test(says_what_is_wrong_with_a_lab),
        cmocka_unit_test(all_mistakes_of_a_file_are_said_at_once_in_their_order),
        cmocka_unit_test(too_many_mistakes_are_counted),
        cmocka_unit_test(what_a_file_says_cannot_upset_a_terminal),
        cmocka_unit_test(aliases_cannot_blow_up),
        cmocka_unit_test(depth_size_and_number_are_bounded),
        cmocka_unit_test(merge_keys_give_way_to_the_maps_own),
        cmocka_unit_test(columns_count_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
