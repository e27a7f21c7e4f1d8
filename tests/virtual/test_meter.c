/*
 * The drivers of PPK2 and LPM01A against emulated ones on a real pty: what it says about itself, streams,
 * losses, and everything that goes wrong on a bench.
 */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/meter/meter.h"

#define SLEEP_A 1.2e-3
#define RUN_A   9e-3

struct bench {
    char folder[64];
    char link[128];
    struct proc proc;
    struct meter *meter;
    double rate_hz; /* asked for; 0: the usual one */
};

static void start(struct bench *b, const char *kind, const char *const *extra)
{
    const char *argv[32] = {NULL,          "--kind", kind,     "--link", b->link, "--square",
                            "30000,10000", "--idle", "1.2e-3", "--run",  "9e-3"};
    char program[512];
    char line[256];
    ssize_t n;
    size_t count = 11;
    struct err err = ERR_INIT;

    (void)snprintf(program, sizeof(program), "%s/tinyrig-vmeter", getenv("TINYRIG_PROGRAMS"));
    argv[0] = program;
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++)
        argv[count++] = extra[i];
    (void)snprintf(b->folder, sizeof(b->folder), "/tmp/tinyrig-meter-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->link, sizeof(b->link), "%s/meter", b->folder);
    b->meter = NULL;
    b->rate_hz = 0;
    b->proc = (struct proc)PROC_INIT;
    assert_int_equal(proc_start(&b->proc,
                                &(struct proc_options){
                                    .argv = argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}},
                                &err),
                     0);
    n = read(b->proc.stdio[1], line, sizeof(line) - 1);
    assert_true(n > 6 && strncmp(line, "ready ", 6) == 0);
}

static void end(struct bench *b)
{
    meter_close(b->meter);
    proc_stop(&b->proc, 1000);
    (void)unlink(b->link);
    (void)rmdir(b->folder);
}

static int open_meter(struct bench *b, const char *kind, struct err *err)
{
    const struct meter_config config = {.where = b->link, .serial = "TEST"};
    const struct meter_setup setup = {.source = true, .voltage_uv = 3000000, .rate_hz = b->rate_hz};

    if (meter_open(kind, &config, &b->meter, err) < 0)
        return (int)err->code;
    return meter_configure(b->meter, &setup, err);
}

static void must(int r, const struct err *err)
{
    if (r < 0)
        print_error("%s\n", err->text);
    assert_true(r >= 0);
}

struct seen {
    size_t samples, missing, high;
    double sum_high, sum_low;
};

static int stream(struct bench *b, size_t wanted, struct seen *s, struct err *err)
{
    struct meter_block block;
    const struct deadline end = deadline_in_ms(20000);

    *s = (struct seen){0};
    while (s->samples < wanted && !deadline_passed(end)) {
        if (meter_read(b->meter, 100, &block, err) < 0)
            return (int)err->code;
        for (size_t i = 0; i < block.count; i++, s->samples++) {
            const bool high =
                block.logic != NULL ? block.logic[i] & 1 : (double)block.current_a[i] > 5e-3;

            if (isnan(block.current_a[i])) {
                s->missing++;
                continue;
            }
            s->high += high;
            *(high ? &s->sum_high : &s->sum_low) += (double)block.current_a[i];
        }
    }
    return 0;
}

static void streams_what_the_board_draws(void **state)
{
    static const char *const variants[] = {"usual", "long", "crlf", "shuffled"};

    for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
        struct bench b;
        struct seen s;
        struct err err = ERR_INIT;
        const char *const extra[] = {"--variant", variants[i], NULL};

        start(&b, "ppk2", extra);
        must(open_meter(&b, "ppk2", &err), &err);
        assert_true(b.meter->info.emulated);
        must(meter_start(b.meter, &err), &err);
        must(stream(&b, 60000, &s, &err), &err);
        must(meter_stop(b.meter, &err), &err);
        assert_int_equal(b.meter->counts.lost + b.meter->counts.corrupted, 0);
        assert_true(fabs(s.sum_high / (double)s.high / RUN_A - 1) < 0.01);
        assert_true(fabs(s.sum_low / (double)(s.samples - s.high) / SLEEP_A - 1) < 0.02);
        must(meter_start(b.meter, &err), &err); /* again, on the same session */
        must(stream(&b, 5000, &s, &err), &err);
        end(&b);
    }
}

/* In real time, so that the clock counts too: these are all found. */
static void losses_of_any_size_are_found(void **state)
{
    static const char *const extra[] = {
        "--fault", "lose 1 at 100000",   "--fault", "lose 10 at 150000",
        "--fault", "lose 64 at 200000",  "--fault", "lose 100 at 300000",
        "--fault", "lose 128 at 400000", "--fault", "lose 6400 at 500000",
        NULL};
    const size_t all = 1 + 10 + 64 + 100 + 128 + 6400;
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "ppk2", extra);
    must(open_meter(&b, "ppk2", &err), &err);
    must(meter_start(b.meter, &err), &err);
    must(stream(&b, 620000, &s, &err), &err);
    must(meter_stop(b.meter, &err), &err);
    assert_int_equal(b.meter->counts.lost % 64, all % 64); /* the counter's part is exact */
    print_message("lost %zu, found %llu, by the clock %llu\n", all,
                  (unsigned long long)b.meter->counts.lost,
                  (unsigned long long)b.meter->counts.lost_by_clock);
    assert_int_equal(b.meter->counts.lost, all);
    end(&b);
}

static void damaged_bytes_do_not_shift_time(void **state)
{
    static const char *const extra[] = {
        "--fault", "drop 3 at 10000",     "--fault", "corrupt 1 at 20000",
        "--fault", "garbage 5 at 30000",  "--fault", "range 1 at 40000",
        "--fault", "saturate 5 at 45000", NULL};
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "ppk2", extra);
    must(open_meter(&b, "ppk2", &err), &err);
    must(meter_start(b.meter, &err), &err);
    must(stream(&b, 60000, &s, &err), &err);
    assert_int_equal(b.meter->counts.resyncs, 2);
    assert_in_range(b.meter->counts.corrupted, 2, 10);
    assert_int_equal(b.meter->counts.saturated, 5);
    assert_int_equal(b.meter->counts.overloaded, 0);
    assert_in_range(b.meter->counts.lost, 1, 40);
    end(&b);
}

static void an_interrupted_session_is_recovered_from(void **state)
{
    static const char *const extra[] = {"--stale", NULL};
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "ppk2", extra);
    for (int i = 0; i < 3; i++) {
        must(open_meter(&b, "ppk2", &err), &err);
        must(meter_start(b.meter, &err), &err);
        must(stream(&b, 3000, &s, &err), &err);
        assert_int_equal(b.meter->counts.lost + b.meter->counts.resyncs, 0);
        b.meter->started = false; /* as if the host had died: no stop is sent */
        b.meter->ops->close(b.meter);
        buf_release(&b.meter->calibration);
        free(b.meter);
        b.meter = NULL;
    }
    end(&b);
}

static void says_what_is_wrong(const char *kind, const char *variant, const char *text)
{
    struct bench b;
    struct err err = ERR_INIT;
    const char *const extra[] = {"--variant", variant, NULL};

    start(&b, kind, extra);
    assert_int_equal(open_meter(&b, "ppk2", &err), ERR_METER);
    if (strstr(err.text, text) == NULL)
        print_error("%s\n", err.text);
    assert_non_null(strstr(err.text, text));
    end(&b);
}

static void a_stranger_on_the_line_is_named(void **state)
{
    says_what_is_wrong("ppk2", "mute", "does not answer");
    says_what_is_wrong("ppk2", "truncated", "breaks off after");
    says_what_is_wrong("ppk2", "stranger", "not the metadata of a PPK2");
    says_what_is_wrong("ppk2", "stuck", "told to be a source, it says mode 1");
    says_what_is_wrong("lpm01a", "usual", "does not answer");
}

static void a_range_without_calibration_is_refused(void **state)
{
    static const char *const extra[] = {"--variant", "nan", "--idle", "9e-3", NULL};
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "ppk2", extra);
    must(open_meter(&b, "ppk2", &err), &err);
    assert_non_null(strstr(b.meter->info.warning, "range 3 has no calibration"));
    must(meter_start(b.meter, &err), &err);
    assert_int_equal(stream(&b, 60000, &s, &err), ERR_METER);
    assert_non_null(strstr(err.text, "calibration is missing"));
    end(&b);
}

static void a_pulled_meter_is_an_error_at_once(void **state)
{
    static const char *const extra[] = {"--fault", "hangup 1 at 20000", NULL};
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "ppk2", extra);
    must(open_meter(&b, "ppk2", &err), &err);
    must(meter_start(b.meter, &err), &err);
    assert_true(stream(&b, 1000000, &s, &err) < 0);
    assert_non_null(strstr(err.text, "the meter is gone"));
    end(&b);
}

static void settings_out_of_bounds_are_refused(void **state)
{
    struct bench b;
    struct err err = ERR_INIT;

    start(&b, "ppk2", NULL);
    must(open_meter(&b, "ppk2", &err), &err);
    assert_int_equal(meter_configure(b.meter,
                                     &(struct meter_setup){.source = true, .voltage_uv = 5100000},
                                     &err),
                     ERR_CONFIG);
    err_clear(&err);
    assert_int_equal(meter_configure(b.meter, &(struct meter_setup){.source = true}, &err),
                     ERR_CONFIG);
    end(&b);
}

/* The mean current of this many samples. */
static double mean_of(struct bench *b, size_t samples)
{
    struct seen s;
    struct err err = ERR_INIT;

    must(meter_start(b->meter, &err), &err);
    must(stream(b, samples, &s, &err), &err);
    must(meter_stop(b->meter, &err), &err);
    return (s.sum_high + s.sum_low) / (double)s.samples;
}

static void switched(const char *driver, size_t samples)
{
    struct bench b;
    struct err err = ERR_INIT;

    start(&b, driver, NULL);
    must(open_meter(&b, driver, &err), &err);
    must(meter_power(b.meter, false, &err), &err);
    assert_true(fabs(mean_of(&b, samples)) < 1e-6);
    must(meter_power(b.meter, true, &err), &err);
    assert_true(mean_of(&b, samples) > SLEEP_A);
    end(&b);
}

/* Its next case may ask for another voltage while the board, which a cut would reset, waits. */
static void stays_supplied(const char *driver, size_t samples)
{
    static const char *const latch[] = {"--variant", "latch", NULL};
    static const uint32_t voltages[] = {3000000, 2500000};
    struct bench b;
    struct err err = ERR_INIT;

    start(&b, driver, latch);
    must(open_meter(&b, driver, &err), &err);
    for (size_t i = 0; i < ARRAY_SIZE(voltages); i++) {
        const struct meter_setup s = {.source = true, .voltage_uv = voltages[i]};

        must(meter_configure(b.meter, &s, &err), &err);
        assert_true(mean_of(&b, samples) > SLEEP_A);
    }
    must(meter_power(b.meter, false, &err), &err);
    must(meter_power(b.meter, true, &err), &err);
    assert_true(mean_of(&b, samples) < 1e-6);
    end(&b);
}

static void a_ppk2_keeps_its_board_supplied(void **state)
{
    stays_supplied("ppk2", 10000);
}

static void a_ppk2_switches_the_board(void **state)
{
    switched("ppk2", 10000);
}

/* ---- LPM01A ---- */

/* Falling edges only, one in each 30 ms. */
static void an_lpm01a_sends_energies_and_events(void **state)
{
    struct bench b;
    struct seen s;
    struct meter_state m;
    struct err err = ERR_INIT;
    const double mean = (RUN_A * 10 + SLEEP_A * 20) / 30;

    start(&b, "lpm01a", NULL);
    must(open_meter(&b, "lpm01a", &err), &err);
    assert_true(b.meter->info.emulated);
    assert_int_equal(b.meter->info.markers, 1);
    for (int i = 0; i < 2; i++) {
        must(meter_start(b.meter, &err), &err);
        must(stream(&b, 2400, &s, &err), &err);
        must(meter_stop(b.meter, &err), &err);
        assert_int_equal(b.meter->counts.lost + b.meter->counts.corrupted, 0);
        assert_true(fabs((s.sum_high + s.sum_low) / (double)s.samples / mean - 1) < 0.02);
        assert_in_range(s.high, s.samples / 30 - 2, s.samples / 30 + 2);
    }
    must(meter_state(b.meter, &m, &err), &err);
    assert_true(fabs(m.energy_j / (m.seconds * 3.0 * mean) - 1) < 0.02);
    assert_true(m.temperature_c == 24.5);
    end(&b);
}

static void an_lpm01a_streams_currents_in_binary(void **state)
{
    static const double rates[] = {10e3, 100e3};

    for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
        struct bench b;
        struct seen s;
        struct err err = ERR_INIT;

        start(&b, "lpm01a", NULL);
        b.rate_hz = rates[i];
        must(open_meter(&b, "lpm01a", &err), &err);
        assert_int_equal(b.meter->info.markers, 0);
        must(meter_start(b.meter, &err), &err);
        must(stream(&b, (size_t)rates[i] * 3 / 2, &s, &err), &err);
        must(meter_stop(b.meter, &err), &err);
        assert_int_equal(b.meter->counts.lost + b.meter->counts.corrupted, 0);
        assert_true(fabs(s.sum_high / (double)s.high / RUN_A - 1) < 0.02);
        assert_true(fabs(s.sum_low / (double)(s.samples - s.high) / SLEEP_A - 1) < 0.05);
        end(&b);
    }
}

static void an_lpm01a_loses_nothing_unseen(void **state)
{
    static const char *const extra[] = {"--fault", "lose 50 at 150000", NULL};

    for (int binary = 0; binary < 2; binary++) {
        struct bench b;
        struct seen s;
        struct err err = ERR_INIT;

        start(&b, "lpm01a", extra);
        b.rate_hz = binary ? 10e3 : 0;
        must(open_meter(&b, "lpm01a", &err), &err);
        must(meter_start(b.meter, &err), &err);
        must(stream(&b, binary ? 40000 : 4000, &s, &err), &err);
        assert_in_range(b.meter->counts.lost, 48, 52); /* stamps are sharp to a sample or two */
        assert_int_equal(s.missing, b.meter->counts.lost);
        end(&b);
    }
}

/* Each within what a stamp's own sharpness explains. */
static void an_lpm01a_hides_no_loss_a_sample_at_a_time(void **state)
{
    static const char *const extra[] = {
        "--fault", "lose 1 at 120000", "--fault", "lose 1 at 220000",
        "--fault", "lose 1 at 320000", NULL};
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "lpm01a", extra);
    must(open_meter(&b, "lpm01a", &err), &err);
    must(meter_start(b.meter, &err), &err);
    must(stream(&b, 4200, &s, &err), &err);
    assert_int_equal(b.meter->counts.lost, 3);
    end(&b);
}

static void an_lpm01a_switches_the_board(void **state)
{
    switched("lpm01a", 500);
}

static void an_lpm01a_keeps_its_board_supplied(void **state)
{
    stays_supplied("lpm01a", 500);
}

static void troubles_of_an_lpm01a_are_named(void **state)
{
    static const char *const mute[] = {"--variant", "mute", NULL};
    static const char *const hangup[] = {"--fault", "hangup 1 at 20000", NULL};
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "lpm01a", mute);
    assert_int_equal(open_meter(&b, "lpm01a", &err), ERR_METER);
    assert_non_null(strstr(err.text, "is this an LPM01A?"));
    end(&b);
    err_clear(&err);
    start(&b, "ppk2", NULL);
    assert_int_equal(open_meter(&b, "lpm01a", &err), ERR_METER);
    end(&b);
    err_clear(&err);
    start(&b, "lpm01a", hangup);
    must(open_meter(&b, "lpm01a", &err), &err);
    must(meter_start(b.meter, &err), &err);
    assert_true(stream(&b, 1000000, &s, &err) < 0);
    assert_non_null(strstr(err.text, "the meter is gone"));
    end(&b);
    err_clear(&err);
    start(&b, "lpm01a", NULL);
    b.rate_hz = 7000;
    assert_int_equal(open_meter(&b, "lpm01a", &err), ERR_CONFIG);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_what_the_board_draws),
        cmocka_unit_test(losses_of_any_size_are_found),
        cmocka_unit_test(damaged_bytes_do_not_shift_time),
        cmocka_unit_test(an_interrupted_session_is_recovered_from),
        cmocka_unit_test(a_stranger_on_the_line_is_named),
        cmocka_unit_test(a_range_without_calibration_is_refused),
        cmocka_unit_test(a_pulled_meter_is_an_error_at_once),
        cmocka_unit_test(settings_out_of_bounds_are_refused),
        cmocka_unit_test(a_ppk2_switches_the_board),
        cmocka_unit_test(a_ppk2_keeps_its_board_supplied),
        cmocka_unit_test(an_lpm01a_sends_energies_and_events),
        cmocka_unit_test(an_lpm01a_streams_currents_in_binary),
        cmocka_unit_test(an_lpm01a_loses_nothing_unseen),
        cmocka_unit_test(an_lpm01a_hides_no_loss_a_sample_at_a_time),
        cmocka_unit_test(an_lpm01a_switches_the_board),
        cmocka_unit_test(an_lpm01a_keeps_its_board_supplied),
        cmocka_unit_test(troubles_of_an_lpm01a_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
