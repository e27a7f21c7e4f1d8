/* Each dimension that two measurements may differ in: alone, and what it then forbids. */
#include <string.h>

#include "harness/judge/comparable.h"
#include "tests/unit/unit.h"

/* Letters of what is blocked: e exact, c cycle, t time, n energy, s score. */
struct dimension {
    const char *key;
    const char *a, *b;
    enum difference_level level;
    const char *blocked;
};

static const struct dimension dimensions[] = {
    {"realm", "silicon", "virtual", DIFFERENCE_BLOCK, "ectns"},
    {"timebase", "cycles", "ns", DIFFERENCE_METRIC_BLOCK, "ct"},
    {"timebase.kind", "DWT", "SysTick", DIFFERENCE_INFORM, ""},
    {"voltage.uv", "1800000", "3000000", DIFFERENCE_METRIC_BLOCK, "n"},
    {"voltage.source", "measured", "declared", DIFFERENCE_INFORM, ""},
    {"board_type.voltage_uv", "1800000", "3000000", DIFFERENCE_METRIC_BLOCK, "n"},
    {"regulator", "LDO", "SMPS", DIFFERENCE_METRIC_BLOCK, "n"},
    {"clock.hz", "80000000", "120000000", DIFFERENCE_METRIC_BLOCK, "tn"},
    {"clock.source", "HSE", "MSI", DIFFERENCE_METRIC_BLOCK, "n"},
    {"board_type.clock_hz", "80000000", "120000000", DIFFERENCE_METRIC_BLOCK, "tn"},
    {"cache", "on", "off", DIFFERENCE_METRIC_BLOCK, "ctn"},
    {"cache.instruction", "on", "off", DIFFERENCE_METRIC_BLOCK, "ctn"},
    {"flash.wait_states", "4", "5", DIFFERENCE_METRIC_BLOCK, "ctn"},
    {"compiler.version", "12.2", "13.1", DIFFERENCE_INFORM, ""},
    {"compiler.flags", "-O2", "-Os", DIFFERENCE_INFORM, ""},
    {"firmware.sha256", "aa", "bb", DIFFERENCE_INFORM, ""},
    {"firmware.build_id", "aa", "bb", DIFFERENCE_INFORM, ""},
    {"engine.version", "1", "2", DIFFERENCE_INFORM, ""},
    {"model.sha256", "aa", "bb", DIFFERENCE_BLOCK, "ectns"},
    {"model.image_sha256", "aa", "bb", DIFFERENCE_INFORM, ""},
    {"meter.kind", "ppk2", "lpm01a", DIFFERENCE_METRIC_BLOCK, "n"},
    {"meter.mode", "source", "ampere", DIFFERENCE_METRIC_BLOCK, "n"},
    {"meter.emulated", "no", "yes", DIFFERENCE_METRIC_BLOCK, "n"},
    {"meter.serial", "P7", "P8", DIFFERENCE_INFORM, ""},
    {"meter.calibration_sha256", "aa", "bb", DIFFERENCE_INFORM, ""},
    {"method.version", "1", "2", DIFFERENCE_METRIC_BLOCK, "ectns"},
    {"method.energy", "guarded", "eembc", DIFFERENCE_METRIC_BLOCK, "n"},
    {"board_type.name", "pico", "nano33ble", DIFFERENCE_BLOCK, "ectns"},
    {"board_type.part", "RP2040", "nRF52840", DIFFERENCE_BLOCK, "ectns"},
    {"board_type.cpu", "cortex-m0plus", "cortex-m4", DIFFERENCE_BLOCK, "ectns"},
    {"board.type", "pico", "nano33ble", DIFFERENCE_BLOCK, "ectns"},
    {"board.part", "RP2040", "nRF52840", DIFFERENCE_BLOCK, "ectns"},
    {"board.cpu", "cortex-m0plus", "cortex-m4", DIFFERENCE_BLOCK, "ectns"},
    {"board.uid", "A1", "B2", DIFFERENCE_INFORM, ""},
    {"board.serial", "A1", "B2", DIFFERENCE_INFORM, ""},
    {"harness.version", "0.1.0", "0.2.0", DIFFERENCE_INFORM, ""},
    {"git.revision", "aa", "bb", DIFFERENCE_INFORM, ""},
};

static bool blocks(const char *blocked, enum metric_class judged)
{
    static const char letters[] = {[METRIC_EXACT] = 'e',
                                   [METRIC_CYCLE] = 'c',
                                   [METRIC_TIME] = 't',
                                   [METRIC_ENERGY] = 'n',
                                   [METRIC_SCORE] = 's'};

    return strchr(blocked, letters[judged]) != NULL;
}

static struct differences differ(const struct dimension *x, unsigned across, struct arena *arena)
{
    const struct data_fact a = {x->key, x->a}, b = {x->key, x->b};

    return comparable_facts(&a, 1, &b, 1, across, arena);
}

static void each_dimension_forbids_what_it_should_and_no_more(void **state)
{
    static const enum metric_class classes[] = {METRIC_EXACT, METRIC_CYCLE, METRIC_TIME,
                                                METRIC_ENERGY, METRIC_SCORE};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        const struct dimension *x = &dimensions[i];
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        const struct differences d = differ(x, 0, &arena);

        assert_int_equal(d.count, 1);
        assert_string_equal(d.list[0].key, x->key);
        assert_string_equal(d.list[0].a, x->a);
        assert_string_equal(d.list[0].b, x->b);
        if (d.list[0].level != x->level)
            fail_msg("%s is of level %s", x->key, difference_level_name(d.list[0].level));
        for (size_t k = 0; k < ARRAY_SIZE(classes); k++) {
            const struct difference *found = comparable_block(&d, classes[k]);

            if ((found != NULL) != blocks(x->blocked, classes[k]))
                fail_msg("%s %s metrics of class %s", x->key, found != NULL ? "blocks" : "lets",
                         metric_class_name(classes[k]));
        }
    }
}

/* The other side does not know it: nobody can tell, so it is said and forbids nothing. */
static void what_one_side_does_not_know_only_informs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        const struct data_fact a = {dimensions[i].key, dimensions[i].a};
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        const struct differences d = comparable_facts(&a, 1, NULL, 0, 0, &arena);

        assert_int_equal(d.count, 1);
        assert_null(d.list[0].b);
        assert_int_equal(d.list[0].level, DIFFERENCE_INFORM);
        assert_null(comparable_block(&d, METRIC_ENERGY));
    }
}

static void equal_facts_are_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        struct dimension same = dimensions[i];
        AUTO(arena_release) struct arena arena = ARENA_INIT;

        same.b = same.a;
        assert_int_equal(differ(&same, 0, &arena).count, 0);
    }
}

/* On purpose: what belongs to the part that is compared across informs; the rest still blocks. */
static void comparing_across_lifts_the_parts_own_dimensions_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        const struct dimension *x = &dimensions[i];
        const enum fact_part part = fact_info_find(x->key)->part;
        const unsigned others =
            (ACROSS(FACT_OF_MODEL) | ACROSS(FACT_OF_BOARD) | ACROSS(FACT_OF_ENGINE)) &
            ~ACROSS(part);
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        struct differences d = differ(x, others, &arena);

        assert_int_equal(d.list[0].level, x->level);
        if (part == FACT_OF_CASE)
            continue;
        d = differ(x, ACROSS(part), &arena);
        assert_int_equal(d.list[0].level, DIFFERENCE_INFORM);
        assert_null(comparable_block(&d, METRIC_TIME));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_dimension_forbids_what_it_should_and_no_more),
        cmocka_unit_test(what_one_side_does_not_know_only_informs),
        cmocka_unit_test(equal_facts_are_no_difference),
        cmocka_unit_test(comparing_across_lifts_the_parts_own_dimensions_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
