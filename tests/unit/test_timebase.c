/* Ticks of a board's clock, and how long its first inference may take. */
#include "harness/measure/allowance.h"
#include "harness/measure/timebase.h"
#include "tests/unit/unit.h"

/* ---- ticks ---- */

static void icount_ticks_name_exact_instructions(void **state)
{
    static const struct board b = {
        .name = "v", .timebase_unit = UNIT_INSTRUCTIONS, .virt = {.icount_shift = 7}};
    struct timebase t;
    struct err err = ERR_INIT;

    /* Measured on mps2-an385 at 25 MHz: 2028 instructions took 6489 or 6490 ticks. */
    assert_int_equal(timebase_make(&b, 25000000, &t, &err), 0);
    assert_true(timebase_value(&t, 6489, 0) == 2028);
    assert_true(timebase_value(&t, 6490, 0) == 2028);
    assert_true(timebase_value(&t, 6490, 51) == 2012);
    /* A 1 GHz timer at shift 0 counts instructions themselves. */
    assert_int_equal(timebase_make(&b, 1000, &t, &err), ERR_LAB);
}

static void a_wrong_clock_is_a_lab_fault(void **state)
{
    static const struct board b = {
        .name = "s", .timebase_unit = UNIT_CYCLES, .clock_hz = 80000000, .timebase_hz = 80000000};
    struct timebase t;
    struct err err = ERR_INIT;

    assert_int_equal(timebase_make(&b, 80000000, &t, &err), 0);
    assert_true(t.exact && timebase_value(&t, 1000, 17) == 983);
    assert_int_equal(timebase_make(&b, 16000000, &t, &err), ERR_LAB);
}

/* ---- the first inference's deadline ---- */

static void the_first_inference_is_waited_for_by_its_work(void **state)
{
    static const struct nn_report_op custom[] = {{.name = "CUSTOM", .steps = 1}};
    static const struct board avr = {.cpu = "avr6", .clock_hz = 16000000, .realm = REALM_SILICON};
    static const struct board m4 = {.clock_hz = 168000000, .realm = REALM_SILICON};
    static const struct board emulated = {.clock_hz = 168000000, .realm = REALM_VIRTUAL};
    struct nn_report r = {.macs = 300};

    /* A model of nothing: no board needs long, and one that hangs is noticed soon. */
    assert_in_range(allowance_first_ms(&r, &m4, 0), 10000, 11000);
    assert_in_range(allowance_first_ms(&r, &emulated, 0), 10000, 11000);
    /* 10 s at 16 MHz, at the 500 cycles that each takes on 8 bits in the slowest kernel. */
    r.macs = 10 * avr.clock_hz / 500;
    assert_in_range(allowance_first_ms(&r, &avr, 0), 30000, 60000);
    /* MobileNet of MLPerf Tiny, and the same on an emulator of a crowded host. */
    r.macs = 7489664;
    assert_in_range(allowance_first_ms(&r, &m4, 0), 14000, 20000);
    assert_in_range(allowance_first_ms(&r, &emulated, 0), 60000, 120000);
    /* A further try has longer, up to what is given where nothing is known. */
    assert_true(allowance_first_ms(&r, &m4, 1) > 2 * allowance_first_ms(&r, &m4, 0));
    assert_int_equal(allowance_first_ms(&r, &m4, 99), ALLOWANCE_UNKNOWN_MS);
    assert_int_equal(allowance_first_ms(NULL, &m4, 0), ALLOWANCE_UNKNOWN_MS);
    r.ops = custom;
    r.op_count = 1;
    assert_int_equal(allowance_first_ms(&r, &m4, 0), ALLOWANCE_UNKNOWN_MS);
    r.macs = UINT64_MAX;
    r.op_count = 0;
    assert_int_equal(allowance_first_ms(&r, &m4, 0), ALLOWANCE_UNKNOWN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(icount_ticks_name_exact_instructions),
        cmocka_unit_test(a_wrong_clock_is_a_lab_fault),
        cmocka_unit_test(the_first_inference_is_waited_for_by_its_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
