/*
 * The key tables against what is made from them and what is shipped: help, man page, schemas,
 * examples, suites, boards. TINYRIG_UPDATE_GOLDEN=1 writes the schemas anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/load/doc/walk.h"
#include "harness/load/load.h"
#include "harness/plan/plan.h"
#include "tests/unit/unit.h"

/* A path below the source tree, in the arena. */
static const char *source(struct arena *arena, const char *path)
{
    return arena_printf(arena, "%s/%s", getenv("TINYRIG_SOURCE"), path);
}

static void schemas_are_up_to_date(void **state)
{
    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        AUTO_BUF fresh = BUF_INIT;
        AUTO_BUF stored = BUF_INIT;
        struct err err = ERR_INIT;
        const char *path =
            source(&arena, arena_printf(&arena, "config/schema/%s.json", keys_file_names[f]));

        keys_schema(f, &fresh);
        if (getenv("TINYRIG_UPDATE_GOLDEN") != NULL)
            assert_int_equal(file_write_atomic(path, fresh.data, fresh.len, &err), 0);
        if (file_read(path, 1 << 20, &stored, &err) < 0)
            fail_msg("%s", err.text);
        if (strcmp(buf_text(&fresh), buf_text(&stored)) != 0)
            fail_msg("%s is old: run test_keys with TINYRIG_UPDATE_GOLDEN=1", path);
    }
}

static bool is_fallback_good(const struct key *k)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct where where = {.file = "f"};
    unsigned char place[64];

    return k->fallback == NULL || value_store(&k->rule, k->fallback, &where, &arena, place);
}

static bool is_example_good(const struct key *k)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct where where = {.file = "f"};
    unsigned char place[64];

    return k->shape != KEY_ONE || value_store(&k->rule, k->example, &where, &arena, place);
}

static bool is_ordered_after(const struct key_map *map, const struct key *k)
{
    for (const struct key *other = map->keys; other != k; other++) {
        if (strcmp(other->name, k->name) == 0)
            return false;
    }
    return true;
}

static bool is_row_good(const struct key_map *map, const struct key *k)
{
    const bool has_map = k->shape == KEY_MAP || k->shape == KEY_MAPS || k->shape == KEY_NAMED;

    return is_fallback_good(k) && is_ordered_after(map, k) && has_map == (k->map != NULL) &&
           (has_map || k->example != NULL) && is_example_good(k) && strlen(k->help) > 0 &&
           k->help[strlen(k->help) - 1] != '.';
}

static void every_row_of_the_tables_makes_sense(void **state)
{
    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        struct walk w;

        walk_maps(f, &w);
        for (size_t i = 0; i < w.count; i++) {
            for (size_t j = 0; j < i; j++) /* the schema's definitions go by these names */
                assert_string_not_equal(w.maps[i]->name, w.maps[j]->name);
            for (const struct key *k = w.maps[i]->keys; k->name != NULL; k++) {
                if (!is_row_good(w.maps[i], k))
                    print_error("key '%s' of '%s'\n", k->name, w.maps[i]->name);
                assert_true(is_row_good(w.maps[i], k));
            }
        }
    }
}

/* Which keys a tree uses. */
struct used {
    const struct key *keys[512];
    size_t count;
};

static void mark(struct used *u, const struct node *n, const struct key_map *map);

static void mark_all(struct used *u, const struct node *n, const struct key_map *map)
{
    for (size_t i = 0; i < n->count; i++)
        mark(u, n->items[i].value, map);
}

static void mark(struct used *u, const struct node *n, const struct key_map *map)
{
    for (const struct key *k = map->keys; k->name != NULL; k++) {
        const struct node *value = node_find(n, k->name);

        if (value == NULL)
            continue;
        u->keys[u->count++] = k;
        assert_true(u->count < ARRAY_SIZE(u->keys));
        if (k->map != NULL && (k->shape == KEY_NAMED || value->kind == NODE_LIST))
            mark_all(u, value, k->map);
        else if (k->map != NULL)
            mark(u, value, k->map);
    }
}

static bool is_used(const struct used *u, const struct key *k)
{
    for (size_t i = 0; i < u->count; i++) {
        if (u->keys[i] == k)
            return true;
    }
    return false;
}

/* Every key stands in the example, if only in a comment where it excludes another. */
static void expect_all_keys(enum keys_file file, const char *path)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_BUF text = BUF_INIT;
    struct problems problems = {.arena = &arena};
    struct used used = {.count = 0};
    struct err err = ERR_INIT;
    const struct node *root;
    struct walk w;

    assert_int_equal(file_read(source(&arena, path), 1 << 20, &text, &err), 0);
    root = node_parse(buf_text(&text), text.len, path, &problems);
    assert_non_null(root);
    mark(&used, root, walk_roots[file]);
    walk_maps(file, &w);
    for (size_t i = 0; i < w.count; i++) {
        for (const struct key *k = w.maps[i]->keys; k->name != NULL; k++) {
            const char *comment = arena_printf(&arena, "# %s: ", k->name);
            const char * or = arena_printf(&arena, "# or: %s: ", k->name);

            if (!is_used(&used, k) && strstr(buf_text(&text), comment) == NULL &&
                strstr(buf_text(&text), or) == NULL)
                fail_msg("%s does not show '%s' of '%s'", path, k->name, w.maps[i]->name);
        }
    }
}

static void the_examples_show_every_key(void **state)
{
    expect_all_keys(KEYS_SUITE, "suites/example.yaml");
    expect_all_keys(KEYS_LAB, "config/lab.example.yaml");
}

static void every_shipped_suite_can_be_planned_in_the_virtual_lab(void **state)
{
    static const char *const suites[] = {"suites/quickstart.yaml", "suites/footprint.yaml",
                                         "suites/example.yaml"};

    for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        const struct plan_options options = {.need = NULL};
        const char *const dirs[] = {source(&arena, "targets/boards"), NULL};
        const struct suite *suite;
        const struct lab *lab;
        const struct plan *plan;
        struct err err = ERR_INIT;

        if (suite_load(source(&arena, suites[i]), &arena, &suite, &err) < 0 ||
            lab_load(NULL, dirs, &arena, &lab, &err) < 0 ||
            plan_make(suite, lab, &options, &arena, &plan, &err) < 0) {
            fail_msg("%s", err.text);
            return;
        }
        assert_true(plan->run_count > 0);
        for (size_t m = 0; m < suite->model_count; m++)
            assert_true(suite->models[m].vector_count > 0);
    }
}

static void the_example_lab_can_be_loaded(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct lab *lab;
    struct err err = ERR_INIT;

    if (lab_load(source(&arena, "config/lab.example.yaml"), NULL, &arena, &lab, &err) < 0) {
        fail_msg("%s", err.text);
        return;
    }
    assert_true(lab->board_count > 0);
}

/* All of targets/boards, through the lab that finds them. */
static void every_shipped_board_is_right(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *const dirs[] = {source(&arena, "targets/boards"), NULL};
    const struct lab *lab;
    struct err err = ERR_INIT;

    if (lab_load(NULL, dirs, &arena, &lab, &err) < 0) {
        fail_msg("%s", err.text);
        return;
    }
    assert_true(lab->known_count > 0);
    for (size_t i = 0; i < lab->known_count; i++) {
        const struct board *b = lab->known[i];

        assert_non_null(b->description);
        assert_true(b->ram.size > 0);
        assert_true((b->virt.kind != NULL) == (b->realm == REALM_VIRTUAL));
    }
}

static bool is_tagged(const struct board *b, const char *tag)
{
    for (const char *const *t = b->tags; t != NULL && *t != NULL; t++) {
        if (strcmp(*t, tag) == 0)
            return true;
    }
    return false;
}

/* The plan takes kernels and float32 by these tags: without them a board gets the slower ones. */
static void every_shipped_board_says_what_its_core_has(void **state)
{
    static const struct {
        const char *cpu;
        bool fpu, dsp, mve;
    } cores[] = {{"cortex-m0", false, false, false}, {"cortex-m0plus", false, false, false},
                 {"cortex-m3", false, false, false}, {"cortex-m4", true, true, false},
                 {"cortex-m7", true, true, false},   {"cortex-m33", true, true, false},
                 {"cortex-m55", true, true, true},   {"cortex-m85", true, true, true}};
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const char *const dirs[] = {source(&arena, "targets/boards"), NULL};
    const struct lab *lab = NULL;
    struct err err = ERR_INIT;
    size_t seen = 0;

    assert_int_equal(lab_load(NULL, dirs, &arena, &lab, &err), 0);
    for (size_t i = 0; i < lab->known_count; i++) {
        const struct board *b = lab->known[i];

        for (size_t k = 0; k < ARRAY_SIZE(cores); k++) {
            if (strcmp(b->cpu, cores[k].cpu) != 0)
                continue;
            seen++;
            if (is_tagged(b, "fpu") != cores[k].fpu || is_tagged(b, "dsp") != cores[k].dsp ||
                is_tagged(b, "mve") != cores[k].mve)
                fail_msg("%s: its tags are not those of a %s", b->name, b->cpu);
        }
    }
    assert_true(seen > ARRAY_SIZE(cores));
}

static void help_finds_files_maps_and_keys(void **state)
{
    AUTO_BUF all = BUF_INIT;
    AUTO_BUF map = BUF_INIT;
    AUTO_BUF key = BUF_INIT;
    struct err err = ERR_INIT;

    assert_int_equal(keys_help(NULL, &all, &err), 0);
    assert_non_null(strstr(buf_text(&all), "\nmeters: power instruments"));
    assert_int_equal(keys_help("measure", &map, &err), 0);
    assert_non_null(strstr(buf_text(&map),
                           "measure: how each case is measured\n"
                           "  warmup: 2\n"
                           "      inferences before the first window\n"
                           "      (a whole number from 0 to 1000000; default 1)\n"));
    assert_int_equal(keys_help("usb_serial", &key, &err), 0);
    assert_string_equal(buf_text(&key), "in transport:\n"
                                        "  usb_serial: 066FFF505055657867\n"
                                        "      the port of the USB device with this serial number\n"
                                        "      (a serial number of letters, digits and . _ : -)\n");
    assert_int_equal(keys_help("windwos", &key, &err), ERR_USAGE);
    assert_string_equal(err.text, "no key is called 'windwos' (did you mean 'windows'?)");
}

static void help_fits_a_terminal(void **state)
{
    AUTO_BUF text = BUF_INIT;
    struct err err = ERR_INIT;
    const char *s;

    assert_int_equal(keys_help(NULL, &text, &err), 0);
    for (s = buf_text(&text); *s != '\0'; s += strcspn(s, "\n") + 1) {
        const int n = (int)strcspn(s, "\n");

        if (n > 100 || (s[0] == ' ' && s[2] == ' ' && n > 80))
            fail_msg("%d columns: %.*s", n, n, s);
    }
}

static void the_man_page_names_every_key(void **state)
{
    AUTO_BUF text = BUF_INIT;

    keys_man(&text);
    for (enum keys_file f = 0; f < KEYS_FILES; f++) {
        struct walk w;

        walk_maps(f, &w);
        for (size_t i = 0; i < w.count; i++) {
            for (const struct key *k = w.maps[i]->keys; k->name != NULL; k++) {
                char row[80];

                (void)snprintf(row, sizeof(row), ".TP\n\\fB%s\\fR", k->name);
                assert_non_null(strstr(buf_text(&text), row));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_are_up_to_date),
        cmocka_unit_test(every_row_of_the_tables_makes_sense),
        cmocka_unit_test(the_examples_show_every_key),
        cmocka_unit_test(every_shipped_suite_can_be_planned_in_the_virtual_lab),
        cmocka_unit_test(the_example_lab_can_be_loaded),
        cmocka_unit_test(every_shipped_board_is_right),
        cmocka_unit_test(every_shipped_board_says_what_its_core_has),
        cmocka_unit_test(help_finds_files_maps_and_keys),
        cmocka_unit_test(help_fits_a_terminal),
        cmocka_unit_test(the_man_page_names_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
