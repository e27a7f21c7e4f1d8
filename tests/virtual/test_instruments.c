/*
 * Drivers of instruments that are reached through a library, a network or another program, each
 * against a peer that speaks its protocol: libiio's own client against an iiod, SCPI over TCP, VXI-11
 * and a USBTMC-like file, an N6705's log, libjsdrv's interface, and sigrok-cli itself with its demo device.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/meter/meter.h"

#define HIGH_A 40e-3
#define LOW_A  2e-3
#define VOLTS  3.3

struct bench {
    struct proc proc;
    char where[96];
    struct meter *meter;
};

/* The far end, on a port of its own. */
static void start(struct bench *b, const char *kind, const char *trouble)
{
    const char *argv[] = {getenv("TINYRIG_INSTRUMENTS"), kind, trouble, NULL};
    char line[64] = "";
    struct err err = ERR_INIT;

    b->meter = NULL;
    b->proc = (struct proc)PROC_INIT;
    assert_int_equal(proc_start(&b->proc,
                                &(struct proc_options){
                                    .argv = argv, .stdio = {PROC_PIPE, PROC_PIPE, PROC_INHERIT}},
                                &err),
                     0);
    assert_true(read(b->proc.stdio[1], line, sizeof(line) - 1) > 6);
    assert_int_equal(strncmp(line, "ready ", 6), 0);
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(b->where, sizeof(b->where), "%s127.0.0.1:%s",
                   strcmp(kind, "iiod") == 0 ? "ip:" : "", line + 6);
}

static void end(struct bench *b)
{
    meter_close(b->meter);
    proc_stop(&b->proc, 500);
}

static int open_at(struct bench *b, const char *driver, const char *where, bool source,
                   struct err *err)
{
    const struct meter_config config = {.where = where};

    b->meter = NULL;
    if (meter_open(driver, &config, &b->meter, err) < 0)
        return (int)err->code;
    return meter_configure(
        b->meter, &(struct meter_setup){.source = source, .voltage_uv = (uint32_t)(VOLTS * 1e6)},
        err);
}

static void must(int r, const struct err *err)
{
    if (r < 0)
        print_error("%s\n", err->text);
    assert_true(r >= 0);
}

struct seen {
    size_t samples, missing, high, low, negative, marked;
    double sum_a, volts;
};

static int stream(struct bench *b, size_t wanted, struct seen *s, struct err *err)
{
    const struct deadline end = deadline_in_ms(15000);
    struct meter_block block;

    *s = (struct seen){0};
    if (meter_start(b->meter, err) < 0)
        return (int)err->code;
    while (s->samples < wanted && !deadline_passed(end)) {
        if (meter_read(b->meter, 100, &block, err) < 0)
            return (int)err->code;
        assert_true(block.count == 0 || block.first == s->samples);
        for (size_t i = 0; i < block.count; i++, s->samples++) {
            const double a = (double)block.current_a[i];

            s->missing += isnan(a);
            s->high += fabs(a - HIGH_A) < 1e-5;
            s->low += fabs(a - LOW_A) < 1e-5;
            s->negative += a < 0;
            s->marked += block.logic != NULL && block.logic[i] != 0;
            s->sum_a += isnan(a) ? 0 : a;
            s->volts = block.voltage_v != NULL ? (double)block.voltage_v[i] : s->volts;
        }
    }
    return meter_stop(b->meter, err);
}

/* Says so with these words, when it is opened or when it streams. */
static void fails(const char *driver, const char *kind, const char *trouble, const char *words)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, kind, trouble);
    if (open_at(&b, driver, b.where, strcmp(driver, "scpi") == 0, &err) >= 0)
        (void)!stream(&b, 20000, &s, &err);
    if (err.code == ERR_OK || strstr(err.text, words) == NULL)
        print_error("%s %s: %s\n", kind, trouble, err.text);
    assert_true(err.code != ERR_OK);
    assert_non_null(strstr(err.text, words));
    end(&b);
}

/* ---- iio ---- */

#define NEED_IIO(driver)                                                                           \
    if (meter_driver_find(driver) == NULL)                                                         \
    skip()

static void a_shunt_is_read_through_libiio(void **state)
{
    struct bench b;
    struct seen s;
    struct meter_state m;
    struct err err = ERR_INIT;

    NEED_IIO("iio");
    start(&b, "iiod", NULL);
    must(open_at(&b, "iio", b.where, false, &err), &err);
    assert_true(fabs(b.meter->info.rate_hz - 1000) < 0.01);
    assert_string_equal(b.meter->info.model, "iio ina226");
    must(stream(&b, 2000, &s, &err), &err);
    assert_int_equal(b.meter->counts.lost, 0);
    assert_in_range(s.high, s.samples / 5 - 20, s.samples / 5 + 20);
    assert_in_range(s.negative, s.samples / 1000,
                    s.samples / 1000 + 1); /* a code above 0x7fff is below zero */
    assert_true(fabs(s.volts - VOLTS) < 2e-3);
    must(meter_state(b.meter, &m, &err), &err);
    assert_true(fabs(m.charge_c - s.sum_a / 1000) < 1e-7);
    assert_true(fabs(m.energy_j / m.charge_c - VOLTS) < 2e-3);
    end(&b);
}

static void another_device_is_taken_by_its_name(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;
    char where[120];

    NEED_IIO("iio");
    start(&b, "iiod", "adc");
    (void)snprintf(where, sizeof(where), "%s#ad7768", b.where);
    must(open_at(&b, "iio", where, false, &err), &err);
    must(stream(&b, 500, &s, &err), &err);
    assert_int_equal(s.high + s.low, s.samples);
    assert_int_equal(b.meter->info.basis, METER_VOLTAGE_USER);
    end(&b);
}

static void lost_readings_of_a_sensor_take_their_place(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    NEED_IIO("iio");
    start(&b, "iiod", "gap");
    must(open_at(&b, "iio", b.where, false, &err), &err);
    must(stream(&b, 1000, &s, &err), &err);
    assert_int_equal(s.missing, 7);
    assert_int_equal(b.meter->counts.lost, 7);
    end(&b);
}

/* Time does not shift: what was read after a gap comes after all of it, in whatever blocks. */
static void nothing_comes_within_a_gap_of_a_sensor(void **state)
{
    struct bench b;
    struct meter_block block;
    size_t samples = 0;
    size_t missing = 0;
    size_t gaps = 0;
    bool lost = false;
    struct err err = ERR_INIT;

    NEED_IIO("iio");
    start(&b, "iiod", "pause");
    must(open_at(&b, "iio", b.where, false, &err), &err);
    must(meter_start(b.meter, &err), &err);
    while (samples < 10000) {
        must(meter_read(b.meter, 100, &block, &err), &err);
        for (size_t i = 0; i < block.count; i++) {
            const bool is_lost = isnan(block.current_a[i]);

            gaps += is_lost && !lost;
            missing += is_lost;
            lost = is_lost;
        }
        samples += block.count;
    }
    assert_int_equal(missing, 9000);
    assert_int_equal(gaps, 1);
    end(&b);
}

static void troubles_of_a_sensor_are_named(void **state)
{
    static const char *const troubles[][2] = {
        {"two", "2 of its 2 devices are current sensors"},
        {"none", "0 of its 1 devices are current sensors"},
        {"nan", "in_shunt_resistor: nan makes no sense"},
        {"words", "scale"},
        {"still", "time stamps do not go on"},
        {"back", "time stamps go back"},
        {"huge", "samples lost in one piece"},
        {"busy", "no buffer of samples"},
        {"mute", "sends no samples"},
        {"gone", "sends no samples"},
        {"garbage", "no IIO context"},
        {"wide", "channel timestamp: codes of 64 bits in 8 x 64 make no sense"},
        {"beyond", "channel timestamp: codes of 48 bits in"},
    };

    NEED_IIO("iio");
    for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
        fails("iio", "iiod", troubles[i][0], troubles[i][1]);
}

/* ---- SCPI ---- */

static void a_supply_is_set_and_read(void **state)
{
    struct bench b;
    struct seen s;
    struct meter_state m;
    struct err err = ERR_INIT;

    start(&b, "scpi", NULL);
    must(open_at(&b, "scpi", b.where, true, &err), &err);
    assert_string_equal(b.meter->info.model, "HEWLETT-PACKARD 66312A");
    must(stream(&b, 50, &s, &err), &err);
    assert_int_equal(s.low, s.samples);
    must(meter_state(b.meter, &m, &err), &err);
    assert_true(m.powered && fabs(m.voltage_uv - VOLTS * 1e6) < 100);
    must(meter_power(b.meter, false, &err), &err);
    must(meter_state(b.meter, &m, &err), &err);
    assert_false(m.powered);
    assert_int_equal(meter_configure(b.meter,
                                     &(struct meter_setup){.source = true, .voltage_uv = 20000000},
                                     &err),
                     ERR_METER);
    assert_non_null(strstr(err.text, "Data out of range")); /* its queue of errors was read */
    end(&b);
}

static void troubles_of_a_supply_are_named(void **state)
{
    static const char *const troubles[][2] = {
        {"stranger", "'login:' is no answer to *IDN?"},
        {"stuck", "it says 1.0000 V"},
        {"nan", "is answered with '9.91E37'"},
        {"words", "is answered with 'ERR overload'"},
        {"mute", "no answer to 'MEAS:CURR?'"},
        {"endless", "makes no sense: '1111"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(troubles); i++)
        fails("scpi", "scpi", troubles[i][0], troubles[i][1]);
}

/* A USBTMC file is read and written like a terminal in raw mode. */
static void a_supply_behind_a_file_is_the_same(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;
    char *device;

    start(&b, "scpi-pty", NULL);
    device = strrchr(b.where, ':') + 1;
    must(open_at(&b, "scpi", device, true, &err), &err);
    must(stream(&b, 20, &s, &err), &err);
    assert_int_equal(s.low, s.samples);
    end(&b);
}

/* Only root may be the portmapper that VXI-11 needs. */
static void a_supply_behind_vxi11_is_the_same(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "vxi11", NULL);
    if (strstr(b.where, "none") != NULL) {
        end(&b);
        skip();
    }
    if (open_at(&b, "scpi", "vxi11:127.0.0.1", true, &err) == ERR_UNSUPPORTED) {
        end(&b);
        skip(); /* built without liblxi */
    }
    must((int)err.code, &err);
    must(stream(&b, 20, &s, &err), &err);
    assert_int_equal(s.low, s.samples);
    end(&b);
}

static void an_n6705_logs(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    start(&b, "n6705", NULL);
    must(open_at(&b, "scpi", b.where, true, &err), &err);
    assert_string_equal(b.meter->info.model, "Keysight Technologies N6705C");
    assert_string_equal(b.meter->info.serial, "MY56001234");
    must(stream(&b, 10000, &s, &err), &err);
    assert_int_equal(s.high + s.low, s.samples);
    assert_in_range(s.high, s.samples / 5 - 100, s.samples / 5 + 100);
    assert_true(fabs(s.volts - VOLTS) < 1e-6);
    assert_int_equal(b.meter->counts.lost, 0);
    end(&b);
}

static void troubles_of_a_log_are_named(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    fails("scpi", "n6705", "block", "makes no sense: '#999");
    fails("scpi", "n6705", "overrun", "Elog FIFO overflow");
    start(&b, "n6705", "holes");
    must(open_at(&b, "scpi", b.where, true, &err), &err);
    must(stream(&b, 2000, &s, &err), &err);
    assert_true(s.missing > 0);
    assert_int_equal(b.meter->counts.lost, s.missing);
    end(&b);
}

/* ---- joulescope ---- */

static int open_joulescope(struct bench *b, const char *trouble, struct err *err)
{
    (void)setenv("FAKE_JSDRV", trouble, 1);
    b->proc = (struct proc)PROC_INIT;
    return open_at(b, "joulescope", NULL, false, err);
}

static void a_joulescope_streams_through_its_library(void **state)
{
    struct bench b;
    struct seen s;
    struct meter_state m;
    struct err err = ERR_INIT;

    must(open_joulescope(&b, "", &err), &err);
    assert_string_equal(b.meter->info.model, "Joulescope js220");
    assert_string_equal(b.meter->info.serial, "000123");
    for (int i = 0; i < 2; i++) {
        must(stream(&b, 30000, &s, &err), &err);
        assert_int_equal(s.high + s.low, s.samples);
        assert_int_equal(s.marked, s.high); /* the line goes with the current, sample by sample */
        assert_true(fabs(s.volts - VOLTS) < 1e-6);
        assert_int_equal(b.meter->counts.lost, 0);
    }
    must(meter_state(b.meter, &m, &err), &err);
    assert_true(m.charge_c > 0 && fabs(m.energy_j / m.charge_c - VOLTS) < 1e-6);
    end(&b);
}

/* The other model calls its automatic range otherwise. */
static void a_js110_is_set_up_in_its_own_words(void **state)
{
    struct bench b;
    struct err err = ERR_INIT;

    must(open_joulescope(&b, "js110", &err), &err);
    assert_string_equal(b.meter->info.model, "Joulescope js110");
    end(&b);
}

static void lost_packets_of_a_joulescope_take_their_place(void **state)
{
    struct bench b;
    struct seen s;
    struct err err = ERR_INIT;

    must(open_joulescope(&b, "gap", &err), &err);
    must(stream(&b, 20000, &s, &err), &err);
    assert_int_equal(s.missing, 300);
    assert_int_equal(b.meter->counts.lost, 300);
    end(&b);
}

static void troubles_of_a_joulescope_are_named(void **state)
{
    static const char *const troubles[][2] = {
        {"none", "0 Joulescopes fit 'any'"},
        {"two", "2 Joulescopes fit 'any'"},
        {"busy", "cannot be opened"},
        {"rate", "h/fs is refused"},
        {"short", "shorter than it says"},
        {"kind", "of a kind that is not known"},
        {"back", "numbers of its samples go back"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
        struct bench b;
        struct seen s;
        struct err err = ERR_INIT;

        if (open_joulescope(&b, troubles[i][0], &err) >= 0)
            (void)!stream(&b, 30000, &s, &err);
        if (strstr(err.text, troubles[i][1]) == NULL)
            print_error("%s: %s\n", troubles[i][0], err.text);
        assert_non_null(strstr(err.text, troubles[i][1]));
        end(&b);
    }
}

/* ---- sigrok ---- */

static bool has_sigrok(void)
{
    return access("/usr/bin/sigrok-cli", X_OK) == 0 ||
           access("/usr/local/bin/sigrok-cli", X_OK) == 0;
}

/* A0 of the demo device is a square of +-10 V: over 1000 ohm, +-10 mA. */
static void sigrok_is_run_beside_us(void **state)
{
    struct bench b = {.proc = PROC_INIT};
    struct seen s;
    struct err err = ERR_INIT;

    if (!has_sigrok())
        skip();
    must(open_at(&b, "sigrok", "demo@10k#A0/1000,A1", false, &err), &err);
    assert_true(b.meter->info.emulated);
    must(stream(&b, 10000, &s, &err), &err);
    assert_in_range(s.negative, s.samples / 2 - 10, s.samples / 2 + 10);
    assert_true(fabs(s.sum_a) < 0.2);
    meter_close(b.meter);
    must(open_at(&b, "sigrok", "demo#A0/1000", false, &err), &err); /* single readings */
    must(stream(&b, 50, &s, &err), &err);
    end(&b);
}

static void troubles_of_sigrok_are_named(void **state)
{
    static const char *const troubles[][2] = {
        {"demo", "no channel is named behind #"},
        {"demo#", "no channel is named behind #"},
        {"-V#A0", "it begins with no driver"},
        {"demo@fast#A0", "the rate behind @"},
        {"demo#A0/-1", "the shunt behind /"},
        {"demo#A0", "channel A0 is no current"},
        {"nothing-like-it#A0", "is 'nothing-like-it' connected?"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
        struct bench b = {.proc = PROC_INIT};
        struct err err = ERR_INIT;

        if (i >= 5 && !has_sigrok())
            skip();
        assert_true(open_at(&b, "sigrok", troubles[i][0], false, &err) < 0);
        if (strstr(err.text, troubles[i][1]) == NULL)
            print_error("%s: %s\n", troubles[i][0], err.text);
        assert_non_null(strstr(err.text, troubles[i][1]));
        end(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shunt_is_read_through_libiio),
        cmocka_unit_test(another_device_is_taken_by_its_name),
        cmocka_unit_test(lost_readings_of_a_sensor_take_their_place),
        cmocka_unit_test(nothing_comes_within_a_gap_of_a_sensor),
        cmocka_unit_test(troubles_of_a_sensor_are_named),
        cmocka_unit_test(a_supply_is_set_and_read),
        cmocka_unit_test(troubles_of_a_supply_are_named),
        cmocka_unit_test(a_supply_behind_a_file_is_the_same),
        cmocka_unit_test(a_supply_behind_vxi11_is_the_same),
        cmocka_unit_test(an_n6705_logs),
        cmocka_unit_test(troubles_of_a_log_are_named),
        cmocka_unit_test(a_joulescope_streams_through_its_library),
        cmocka_unit_test(a_js110_is_set_up_in_its_own_words),
        cmocka_unit_test(lost_packets_of_a_joulescope_take_their_place),
        cmocka_unit_test(troubles_of_a_joulescope_are_named),
        cmocka_unit_test(sigrok_is_run_beside_us),
        cmocka_unit_test(troubles_of_sigrok_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
