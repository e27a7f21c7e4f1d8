/* What files mean: defaults, units, and what a board's few keys stand for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/load/load.h"
#include "tests/unit/unit.h"

static const struct suite *load_suite(const char *text, struct arena *arena)
{
    struct err err = ERR_INIT;
    const struct suite *s = NULL;

    if (suite_parse(text, strlen(text), "suites/quick.yaml", arena, &s, &err) < 0)
        fail_msg("%s", err.text);
    return s;
}

static void a_short_suite_has_all_its_defaults(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct suite *s = load_suite("models: [models/sine.tflite]\n", &arena);
    const struct suite_model *m = s->models;

    assert_string_equal(s->name, "quick");
    assert_string_equal(s->path, "suites/quick.yaml");
    assert_int_equal(strlen(s->digest), 64);
    assert_int_equal(s->model_count, 1);
    assert_string_equal(m->name, "sine");
    assert_string_equal(m->path, "suites/models/sine.tflite");
    assert_int_equal(m->where.line, 1);
    assert_int_equal(m->where.column, 10);
    assert_int_equal(s->board_count, 0);
    assert_int_equal(s->engine_count, 1);
    assert_string_equal(s->engines[0].text, "tiny");
    assert_null(s->energy);
    assert_int_equal(s->measure.windows, 5);
    assert_int_equal(s->measure.slope, 3);
    assert_int_equal(s->measure.warmup, 1);
    assert_int_equal(s->measure.repeat, 1);
    assert_int_equal(s->measure.window_ns, 100000000);
    assert_int_equal(s->measure.inferences, 0);
    assert_memory_equal(&s->measure, &m->measure, sizeof(s->measure));
}

static void models_take_what_they_do_not_say_from_defaults(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct suite *s = load_suite("models:\n"
                                       "- {path: a.tflite, measure: {windows: 7}}\n"
                                       "- {path: b.tflite, inputs: [x.bin, y.bin], name: c,\n"
                                       "   budgets: ram <= 2KiB}\n"
                                       "defaults:\n"
                                       "  inputs: '{name}/in.bin'\n"
                                       "  expected: '{name}/out.bin'\n"
                                       "  budgets: [ram <= 1KiB, flash <= 4KiB]\n"
                                       "  measure: {slope: 2, window_time: 1s}\n"
                                       "measure: {slope: 4, warmup: 9}\n",
                                       &arena);
    const struct suite_model *a = &s->models[0];
    const struct suite_model *c = &s->models[1];

    assert_int_equal(s->measure.slope, 4);
    assert_int_equal(a->measure.slope, 2);
    assert_int_equal(a->measure.warmup, 9);
    assert_int_equal(a->measure.windows, 7);
    assert_int_equal(a->measure.window_ns, 1000000000);
    assert_int_equal(c->measure.windows, 5);
    assert_int_equal(a->vector_count, 1);
    assert_string_equal(a->vectors[0].input, "suites/a/in.bin");
    assert_string_equal(a->vectors[0].expected, "suites/a/out.bin");
    assert_int_equal(a->budget_count, 2);
    assert_string_equal(c->name, "c");
    assert_int_equal(c->vector_count, 2);
    assert_string_equal(c->vectors[1].input, "suites/y.bin");
    assert_int_equal(c->budget_count, 1);
    assert_true(c->budgets[0].value == 2048);
}

static void budgets_are_in_the_unit_of_their_metric(void **state)
{
    static const struct {
        const char *text;
        const char *metric;
        double value;
        enum budget_op op;
        enum unit unit;
    } rows[] = {
        {"ram <= 64KiB", "ram", 65536, BUDGET_LE, UNIT_BYTES},
        {"flash.code<0x1000", "flash.code", 4096, BUDGET_LT, UNIT_BYTES},
        {"latency <= 33ms", "latency", 33e6, BUDGET_LE, UNIT_NS},
        {"latency <= 200k cycles", "latency", 200e3, BUDGET_LE, UNIT_CYCLES},
        {"latency <= 1.5M instructions", "latency", 1.5e6, BUDGET_LE, UNIT_INSTRUCTIONS},
        {"latency == 4298762 instructions", "latency", 4298762, BUDGET_EQ, UNIT_INSTRUCTIONS},
        {"energy <= 400uJ", "energy", 400e3, BUDGET_LE, UNIT_NJ},
        {"charge <= 2mC", "charge", 2e6, BUDGET_LE, UNIT_NC},
        {"current.peak <= 120mA", "current.peak", 120e6, BUDGET_LE, UNIT_NA},
        {"voltage >= 1.8V", "voltage", 1.8e6, BUDGET_GE, UNIT_UV},
        {"battery_life >= 5y", "battery_life", 5 * 365.25 * 86400e9, BUDGET_GE, UNIT_NS},
        {"accuracy >= 90%", "accuracy", 0.9, BUDGET_GE, UNIT_RATIO},
        {"auc > 0.85", "auc", 0.85, BUDGET_GT, UNIT_RATIO},
        {"mse <= 2.5", "mse", 2.5, BUDGET_LE, UNIT_RATIO},
        {"clock.ppm <= 500ppm", "clock.ppm", 500, BUDGET_LE, UNIT_PPM},
        {"macs <= 2600000", "macs", 2600000, BUDGET_LE, UNIT_COUNT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(arena_release) struct arena arena = ARENA_INIT;
        AUTO_BUF text = BUF_INIT;
        const struct suite_budget *b;

        buf_printf(&text, "models: a\nbudgets: ['%s']\n", rows[i].text);
        b = load_suite(buf_text(&text), &arena)->budgets;
        assert_string_equal(b->metric, rows[i].metric);
        assert_int_equal(b->op, rows[i].op);
        if (!(fabs(b->value - rows[i].value) <= 1e-9 * rows[i].value))
            fail_msg("%s: %g", rows[i].text, b->value);
        assert_int_equal(b->unit, rows[i].unit);
        assert_string_equal(b->text, rows[i].text);
        assert_int_equal(b->where.line, 2);
    }
}

static void energy_and_battery_have_units(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct suite *s = load_suite("models: a\n"
                                       "energy:\n"
                                       "  profile: eembc\n"
                                       "  voltage: 1.8V\n"
                                       "  idle_time: 500ms\n"
                                       "  battery: {capacity: 2Ah, inferences_per_hour: 0.5,\n"
                                       "    sleep_current: 12uA, usable: 85%}\n",
                                       &arena);

    assert_non_null(s->energy);
    assert_int_equal(s->energy->profile, ENERGY_EEMBC);
    assert_int_equal(s->energy->voltage_uv, 1800000);
    assert_int_equal(s->energy->windows, 5);
    assert_int_equal(s->energy->window_ns, 10000000000);
    assert_int_equal(s->energy->idle_ns, 500000000);
    assert_true(s->energy->has_battery);
    assert_true(fabs(s->energy->battery.capacity_mah - 2000) < 1e-9);
    assert_true(fabs(s->energy->battery.sleep_na - 12000) < 1e-9);
    assert_true(fabs(s->energy->battery.inferences_per_hour - 0.5) < 1e-12);
    assert_true(fabs(s->energy->battery.usable - 0.85) < 1e-12);
    assert_true(s->energy->battery.efficiency == 1);
}

static const struct board *load_board(const char *text, struct arena *arena)
{
    struct err err = ERR_INIT;
    const struct board *b = NULL;

    if (board_parse(text, strlen(text), "boards/virt-m4.yaml", arena, &b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

static bool has_tag(const struct board *b, const char *tag)
{
    for (size_t i = 0; b->tags[i] != NULL; i++) {
        if (strcmp(b->tags[i], tag) == 0)
            return true;
    }
    return false;
}

static void a_virtual_board_needs_few_keys(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct board *b = load_board("cpu: cortex-m4\n"
                                       "part: STM32F405RG\n"
                                       "clock: 168MHz\n"
                                       "flash: {base: 0x08000000, size: 1MiB}\n"
                                       "ram: {base: 0x2000_0000, size: 128KiB}\n"
                                       "tags: [fpu]\n"
                                       "virtual: {kind: qemu, machine: netduinoplus2,\n"
                                       "  options: [-m, 16M], icount_shift: 7,\n"
                                       "  marker_set: 0x40020018}\n",
                                       &arena);

    assert_string_equal(b->name, "virt-m4");
    assert_string_equal(b->type, "virt-m4");
    assert_string_equal(b->agent, "virt-m4");
    assert_int_equal(b->realm, REALM_VIRTUAL);
    assert_int_equal(b->timebase_unit, UNIT_INSTRUCTIONS);
    assert_int_equal(b->clock_hz, 168000000);
    assert_int_equal(b->flash.base, 0x08000000);
    assert_int_equal(b->flash.size, 1048576);
    assert_int_equal(b->ram.base, 0x20000000);
    assert_true(has_tag(b, "fpu") && has_tag(b, "virtual") && has_tag(b, "cortex-m4") &&
                has_tag(b, "cortex-m"));
    assert_string_equal(b->transport.kind, "serial");
    assert_string_equal(b->transport.dtr, "assert");
    assert_int_equal(b->transport.baud, 115200);
    assert_string_equal(b->flashing.method, "qemu");
    assert_true(b->flashing.verify);
    assert_int_equal(b->virt.icount_shift, 7);
    assert_int_equal(b->virt.marker_set, 0x40020018);
    assert_string_equal(b->virt.cpu_options[1], "16M");
    assert_null(b->virt.cpu_options[2]);
}

static void a_real_board_is_of_copper(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct board *b = load_board("cpu: rv32imac\n"
                                       "agent: fe310\n"
                                       "clock: 16MHz\n"
                                       "ram: 16KiB\n"
                                       "slot: {base: 0x20410000, size: 64KiB, written_by: flash}\n"
                                       "timebase: {unit: ns, clock: 1GHz}\n"
                                       "openocd: {target: target/fe310.cfg, speed: 4MHz}\n",
                                       &arena);

    assert_int_equal(b->realm, REALM_SILICON);
    assert_int_equal(b->timebase_unit, UNIT_NS);
    assert_int_equal(b->timebase_hz, 1000000000);
    assert_string_equal(b->agent, "fe310");
    assert_true(has_tag(b, "silicon") && has_tag(b, "riscv"));
    assert_string_equal(b->transport.kind, "serial");
    assert_string_equal(b->flashing.method, "openocd");
    assert_string_equal(b->openocd.transport, "swd");
    assert_int_equal(b->openocd.speed_hz, 4000000);
    assert_true(b->slot.by_flash);
    assert_int_equal(b->slot.region.base, 0x20410000);
    assert_int_equal(b->virt.icount_shift, -1);
    assert_null(b->virt.kind);
}

static void an_injected_agent_has_a_quarter_for_models(void **state)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    const struct board *b = load_board("cpu: cortex-m3\n"
                                       "clock: 16MHz\n"
                                       "ram: {base: 0x20000000, size: 20KiB}\n"
                                       "transport: {kind: swd}\n"
                                       "flashing: {method: inject}\n"
                                       "openocd: {interface: interface/stlink.cfg}\n",
                                       &arena);

    assert_int_equal(b->slot.region.base, 0x20003c00);
    assert_int_equal(b->slot.region.size, 5120);
    assert_false(b->slot.by_flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_suite_has_all_its_defaults),
        cmocka_unit_test(models_take_what_they_do_not_say_from_defaults),
        cmocka_unit_test(budgets_are_in_the_unit_of_their_metric),
        cmocka_unit_test(energy_and_battery_have_units),
        cmocka_unit_test(a_virtual_board_needs_few_keys),
        cmocka_unit_test(a_real_board_is_of_copper),
        cmocka_unit_test(an_injected_agent_has_a_quarter_for_models),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
