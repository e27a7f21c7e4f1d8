/* What load finds in folders: vectors of models, board files, the lab. */
#include <string.h>

#include "harness/load/load.h"
#include "tests/unit/files.h"

static int load_suite(const char *path, struct arena *arena, const struct suite **ret,
                      struct err *err)
{
    return suite_load(path, arena, ret, err);
}

/* A folder with a model and four inputs. The text is of a suite beside it. */
static int load_with_vectors(struct files *f, const char *text, struct arena *arena,
                             const struct suite **ret, struct err *err)
{
    static const char *const names[] = {"m/sine.tflite", "m/in2.bin",  "m/in10.bin", "m/in1.bin",
                                        "m/out10.bin",   "m/out1.bin", "m/out2.bin"};

    files_init(f);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        (void)files_write(f, names[i], "x");
    return load_suite(files_write(f, "s.yaml", text), arena, ret, err);
}

static void patterns_pair_inputs_with_outputs_as_people_number_them(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct suite *s = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(load_with_vectors(&f,
                                       "models: {path: m/sine.tflite, inputs: m/in*.bin,\n"
                                       "  expected: m/out*.bin}\n",
                                       &arena, &s, &err),
                     0);
    assert_int_equal(s->models[0].vector_count, 3);
    assert_string_equal(s->models[0].vectors[0].input, files_path(&f, "m/in1.bin"));
    assert_string_equal(s->models[0].vectors[1].input, files_path(&f, "m/in2.bin"));
    assert_string_equal(s->models[0].vectors[2].input, files_path(&f, "m/in10.bin"));
    assert_string_equal(s->models[0].vectors[2].expected, files_path(&f, "m/out10.bin"));
}

/* The text's mistake, with the folder cut off. */
static void expect_vector_error(const char *text, const char *message)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_BUF plain = BUF_INIT;
    AUTO_FILES f;
    const struct suite *s;
    struct err err = ERR_INIT;

    assert_int_equal(load_with_vectors(&f, text, &arena, &s, &err), ERR_CONFIG);
    for (const char *p = err.text; *p != '\0';) {
        const size_t n = strlen(f.folder);

        if (strncmp(p, f.folder, n) == 0)
            p += n + 1;
        else
            buf_putc(&plain, *p++);
    }
    assert_string_equal(buf_text(&plain), message);
}

static void says_which_files_are_missing(void **state)
{
    expect_vector_error("models: m/sin.tflite\n",
                        "s.yaml:1:9: there is no file 'm/sin.tflite' (did you mean "
                        "'sine.tflite'?)");
    expect_vector_error("models: {path: m/sine.tflite, inputs: m/x*.bin}\n",
                        "s.yaml:1:9: no file matches 'm/x*.bin'");
    expect_vector_error("models: {path: m/sine.tflite, inputs: m/in3.bin}\n",
                        "s.yaml:1:9: there is no file 'm/in3.bin' (did you mean 'in1.bin'?)");
    expect_vector_error("models: {path: m/sine.tflite, inputs: m/in*.bin,\n"
                        "  expected: [m/out1.bin, m/out2.bin]}\n",
                        "s.yaml:1:9: 3 input files but 2 expected outputs");
    expect_vector_error("models: {path: m/sine.tflite, inputs: m/in*.bin,\n"
                        "  expected: m/out1*.bin}\n",
                        "s.yaml:1:9: 'm/in1.bin' and 'm/out1.bin' do not belong together");
    expect_vector_error("models: {path: m/sine.tflite,\n"
                        "  vectors: [{input: m/in1.bin, expected: m/out9.bin}]}\n",
                        "s.yaml:2:13: there is no file 'm/out9.bin' (did you mean 'out1.bin'?)");
    expect_vector_error("models: {path: m/sine.tflite, inputs: m}\n",
                        "s.yaml:1:9: 'm' is not a file");
}

/* A data set whose y_labels.csv, x.npy and y.npy are these bytes. */
static void expect_labels(const char *keys, const char *labels, size_t size, const char *message)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct suite *s = NULL;
    struct err err = ERR_INIT;
    char text[256];

    files_init(&f);
    (void)files_write(&f, "m.tflite", "x");
    (void)files_write(&f, "d/a b.bin", "x");
    (void)files_write(&f, "x.npy", "\x93NUMPY");
    assert_int_equal(file_write_atomic(files_path(&f, "d/y_labels.csv"), labels, size, &err), 0);
    (void)snprintf(text, sizeof text, "models: {path: m.tflite, dataset: {%s}}\n", keys);
    const int status = load_suite(files_write(&f, "s.yaml", text), &arena, &s, &err);
    if (message == NULL) {
        assert_string_equal(err.text, "");
        assert_int_equal(status, 0);
        assert_int_equal(s->models[0].dataset->sample_count, 2);
        assert_string_equal(s->models[0].dataset->samples[1].path, files_path(&f, "d/a b.bin"));
        assert_true(s->models[0].dataset->samples[1].label == 7);
    } else {
        assert_int_equal(status, ERR_CONFIG);
        if (strstr(err.text, message) == NULL)
            fail_msg("'%s' is not in: %s", message, err.text);
    }
}

static void says_what_is_wrong_with_labels(void **state)
{
    static const struct {
        const char *labels, *message;
    } cases[] = {
        {"\n\t a b.bin , 10, 3 \r\na b.bin,10,7\n", NULL},
        {"a b.bin,10,3\n\na b.bin,10\n", "y_labels.csv:3: expected 'FILE, CLASSES, LABEL'"},
        {"../a,10,3\n", "y_labels.csv:1: expected 'FILE, CLASSES, LABEL' (FILE: a name inside"},
        {"a b.bin,ten,3\n", "'FILE, CLASSES, LABEL' (CLASSES: how many there are)"},
        {"a b.bin,10,nan\n", "'FILE, CLASSES, LABEL' (LABEL: a number)"},
        {"a,10,3\n", "there is no file"},
        {"\n \n", "d/y_labels.csv: expected at least one sample"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_labels("path: d", cases[i].labels, strlen(cases[i].labels), cases[i].message);
    expect_labels("path: d", "a b.bin,10,3\n\0a b.bin,10", 24, "not a text: byte 13 is 0");
    expect_labels("path: x.npy", "", 0, "'labels' must name the array of labels");
    expect_labels("path: x.npy, labels: x.npy", "", 0,
                  "x.npy: not a .npy array (as numpy.save() writes it)");
}

static void the_folders_own_name_is_no_pattern(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct suite *s = NULL;
    struct err err = ERR_INIT;

    files_init(&f);
    (void)files_write(&f, "a[1]*/m.tflite", "x");
    (void)files_write(&f, "a[1]*/in1.bin", "x");
    (void)files_write(&f, "a1x/in2.bin", "x");
    if (load_suite(files_write(&f, "a[1]*/s.yaml", "models: {path: m.tflite, inputs: in*.bin}\n"),
                   &arena, &s, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(s->models[0].vector_count, 1);
    assert_string_equal(s->models[0].vectors[0].input, files_path(&f, "a[1]*/in1.bin"));
}

static void only_regular_files_are_read(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct suite *s;
    struct err err = ERR_INIT;

    assert_int_equal(suite_load("/dev/zero", &arena, &s, &err), ERR_CONFIG);
    assert_string_equal(err.text, "/dev/zero: not a regular file");
    err_clear(&err);
    assert_int_equal(suite_load("/nowhere/s.yaml", &arena, &s, &err), ERR_IO);
}

#define REAL    "cpu: cortex-m4\nclock: 180MHz\nflash: 512KiB\nram: 128KiB\n"
#define VIRTUAL REAL "virtual: {kind: qemu, machine: netduinoplus2}\n"

/* A folder of board kinds, and a lab file if there is a text for it. */
static int load_lab(struct files *f, const char *text, struct arena *arena, const struct lab **ret,
                    struct err *err)
{
    char folder[128];
    const char *const dirs[] = {folder, "/nowhere", NULL};

    files_init(f);
    (void)snprintf(folder, sizeof(folder), "%s/boards", f->folder);
    (void)files_write(f, "boards/virt-m4.yaml", VIRTUAL);
    (void)files_write(f, "boards/virt-m0.yaml", VIRTUAL);
    (void)files_write(f, "boards/nucleo.yaml",
                      REAL "tags: [dsp]\nopenocd: {target: target/a.cfg}\n");
    (void)files_write(f, "boards/mega.yaml",
                      REAL "flashing: {method: command, command: [avrdude, -p, m2560]}\n");
    (void)files_write(f, "boards/notes.txt", "not a board");
    return lab_load(text == NULL ? NULL : files_write(f, "lab.yaml", text), dirs, arena, ret, err);
}

static void without_a_lab_file_every_virtual_board_can_be_used(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(load_lab(&f, NULL, &arena, &lab, &err), 0);
    assert_string_equal(lab->name, "virtual");
    assert_null(lab->path);
    assert_int_equal(lab->board_count, 2);
    assert_string_equal(lab->boards[0]->name, "virt-m0");
    assert_string_equal(lab->boards[1]->name, "virt-m4");
    assert_int_equal(lab->known_count, 4);
    assert_string_equal(lab->known[0]->name, "mega");
}

static const struct board *find(const struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->board_count; i++) {
        if (strcmp(lab->boards[i]->name, name) == 0)
            return lab->boards[i];
    }
    return NULL;
}

static void a_lab_file_says_which_specimens_there_are(void **state)
{
    static const char text[] = "meters: {ppk: {driver: ppk2, serial: C0FFEE, mode: source}}\n"
                               "power: {hub: {kind: uhubctl, location: 1-1.4, port: 2}}\n"
                               "commands: [avrdude]\n"
                               "boards:\n"
                               "  bench-1:\n"
                               "    board: nucleo\n"
                               "    transport: {usb_serial: A1, max_baud: 921600}\n"
                               "    openocd: {serial: A1}\n"
                               "    meter: ppk\n"
                               "    power: hub\n"
                               "    voltage: 1.8V\n"
                               "    uid: 00ff\n"
                               "    tags: [left]\n"
                               "  mega-1:\n"
                               "    board: mega\n"
                               "    transport: {usb_id: '2341:0042'}\n"
                               "    maintenance: broken cable\n"
                               "  virt-m4: {board: virt-m4, meter: ppk}\n";
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab = NULL;
    const struct board *b;
    struct err err = ERR_INIT;

    if (load_lab(&f, text, &arena, &lab, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(lab->name, "lab");
    assert_int_equal(lab->board_count, 4);
    assert_int_equal(lab->meter_count, 1);
    assert_string_equal(lab->meters[0].mode, "source");
    assert_int_equal(lab->powers[0].off_time_ns, 2000000000);
    b = find(lab, "bench-1");
    assert_string_equal(b->type, "nucleo");
    assert_int_equal(b->where.line, 6);
    assert_string_equal(b->transport.usb_serial, "A1");
    assert_string_equal(b->transport.kind, "serial");
    assert_int_equal(b->transport.baud, 115200);
    assert_int_equal(b->transport.max_baud, 921600);
    assert_string_equal(b->openocd.target, "target/a.cfg");
    assert_string_equal(b->openocd.serial, "A1");
    assert_int_equal(b->voltage_uv, 1800000);
    assert_string_equal(b->uid, "00ff");
    assert_string_equal(b->meter, "ppk");
    assert_string_equal(b->power, "hub");
    assert_string_equal(b->tags[0], "dsp");
    assert_string_equal(find(lab, "mega-1")->maintenance, "broken cable");
    assert_string_equal(find(lab, "virt-m4")->meter, "ppk");
    assert_null(find(lab, "virt-m0")->meter);
}

static void virtual_boards_can_be_left_out(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(load_lab(&f, "virtual_boards: false\n", &arena, &lab, &err), 0);
    assert_int_equal(lab->board_count, 0);
    assert_int_equal(lab->known_count, 4);
}

static void expect_lab_error(const char *text, const char *message)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab;
    struct err err = ERR_INIT;

    assert_int_equal(load_lab(&f, text, &arena, &lab, &err), ERR_CONFIG);
    assert_string_equal(strstr(err.text, "lab.yaml"), message);
}

static void says_what_is_wrong_with_an_inventory(void **state)
{
    expect_lab_error(
        "boards: {a: {board: nucelo, transport: {usb_serial: A1}}}\n",
        "lab.yaml:1:13: there is no board file 'nucelo.yaml' (did you mean 'nucleo'?)");
    expect_lab_error("boards: {a: {board: nucleo}}\n",
                     "lab.yaml:1:13: board 'a' does not say which port: give its transport a "
                     "usb_serial");
    expect_lab_error("boards: {a: {board: nucleo, transport: {usb_serial: A1}, meter: ppk}}\n",
                     "lab.yaml:1:13: there is no meter 'ppk' in this lab");
    expect_lab_error("boards: {a: {board: nucleo, transport: {usb_serial: A1}, power: hub}}\n",
                     "lab.yaml:1:13: there is no power switch 'hub' in this lab");
    expect_lab_error("boards: {a: {board: nucleo, transport: {kind: tcp}}}\n",
                     "lab.yaml:1:13: board 'a' does not say where: give its transport a where: "
                     "HOST:PORT");
    expect_lab_error("meters: {m: {driver: 'null'}}\n"
                     "boards: {a: {board: virt-m4, meter: m, meter_channel: 1}}\n",
                     "lab.yaml:2:13: 'meter_channel' is 1, but meter 'm' has 0");
}

static void two_boards_cannot_be_one(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab;
    struct err err = ERR_INIT;

    assert_int_equal(load_lab(&f,
                              "boards:\n"
                              "  a: {board: nucleo, transport: {usb_serial: A1}}\n"
                              "  b: {board: nucleo, transport: {usb_serial: A1}}\n",
                              &arena, &lab, &err),
                     ERR_CONFIG);
    assert_non_null(strstr(err.text, "lab.yaml:3:6: boards 'a' and 'b' have the same usb_serial"));
}

/* The trust model: board files come from pull requests, the lab file from whoever runs the lab. */
static void a_board_file_runs_only_what_the_lab_allows(void **state)
{
    expect_lab_error("boards: {a: {board: mega, transport: {usb_serial: A1}}}\n",
                     "lab.yaml:1:13: board 'a' is flashed by 'avrdude', which 'commands' of this "
                     "lab does not allow");
    expect_lab_error("commands: [/usr/bin/avrdude, avrdud]\n"
                     "boards: {a: {board: mega, transport: {usb_serial: A1}}}\n",
                     "lab.yaml:2:13: board 'a' is flashed by 'avrdude', which 'commands' of this "
                     "lab does not allow");
}

static void the_first_folder_with_a_name_wins(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab = NULL;
    struct err err = ERR_INIT;

    files_init(&f);
    (void)files_write(&f, "own/virt-m4.yaml", VIRTUAL "part: mine\n");
    (void)files_write(&f, "boards/virt-m4.yaml", VIRTUAL);
    {
        char boards[128];
        const char *const dirs[] = {boards, NULL};

        (void)snprintf(boards, sizeof(boards), "%s/boards", f.folder);
        assert_int_equal(
            lab_load(files_write(&f, "lab.yaml", "board_path: own\n"), dirs, &arena, &lab, &err),
            0);
    }
    assert_int_equal(lab->known_count, 1);
    assert_string_equal(lab->boards[0]->part, "mine");
}

static void parsing_from_memory_reads_no_file(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab = NULL;
    struct err err = ERR_INIT;
    const char *text = "board_path: [.]\n";

    files_init(&f);
    (void)files_write(&f, "virt-m4.yaml", VIRTUAL);
    assert_int_equal(lab_parse(text, strlen(text), files_path(&f, "lab.yaml"), &arena, &lab, &err),
                     0);
    assert_int_equal(lab->known_count, 0);
}

static void mistakes_of_several_board_files_come_together(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;
    const struct lab *lab;
    struct err err = ERR_INIT;
    const char *const dirs[] = {f.folder, NULL};

    files_init(&f);
    (void)files_write(&f, "a.yaml", REAL "zzzzzzz: red\n");
    (void)files_write(&f, "b.yaml", REAL "zzzzzzz: blue\n");
    assert_int_equal(lab_load(NULL, dirs, &arena, &lab, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "a.yaml:5:1: key 'zzzzzzz' is not known in 'board'\n"));
    assert_non_null(strstr(err.text, "b.yaml:5:1: key 'zzzzzzz' is not known in 'board'"));
}

static void the_lab_file_is_looked_for_in_order(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_FILES f;

    files_init(&f);
    assert_int_equal(setenv("XDG_CONFIG_HOME", f.folder, 1), 0);
    assert_int_equal(unsetenv("TINYRIG_LAB"), 0);
    (void)files_write(&f, "tinyrig/lab.yaml", "");
    assert_string_equal(lab_find(NULL, &arena), files_path(&f, "tinyrig/lab.yaml"));
    assert_int_equal(setenv("TINYRIG_LAB", "/some/lab.yaml", 1), 0);
    assert_string_equal(lab_find(NULL, &arena), "/some/lab.yaml");
    assert_string_equal(lab_find("mine.yaml", &arena), "mine.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_pair_inputs_with_outputs_as_people_number_them),
        cmocka_unit_test(says_which_files_are_missing),
        cmocka_unit_test(says_what_is_wrong_with_labels),
        cmocka_unit_test(the_folders_own_name_is_no_pattern),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(without_a_lab_file_every_virtual_board_can_be_used),
        cmocka_unit_test(a_lab_file_says_which_specimens_there_are),
        cmocka_unit_test(virtual_boards_can_be_left_out),
        cmocka_unit_test(says_what_is_wrong_with_an_inventory),
        cmocka_unit_test(two_boards_cannot_be_one),
        cmocka_unit_test(a_board_file_runs_only_what_the_lab_allows),
        cmocka_unit_test(the_first_folder_with_a_name_wins),
        cmocka_unit_test(parsing_from_memory_reads_no_file),
        cmocka_unit_test(mistakes_of_several_board_files_come_together),
        cmocka_unit_test(the_lab_file_is_looked_for_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
