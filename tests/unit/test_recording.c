/* Recordings of other meters: known integrals, and what is no recording. The LPM01A's stream too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "harness/base/clock.h"
#include "harness/meter/lpm01a_format.h"
#include "harness/meter/meter.h"
#include "harness/meter/recording.h"
#include "tests/unit/files.h"

static void put_float(struct buf *b, float f)
{
    buf_append(b, &f, sizeof(f)); /* little-endian, as every host that we run on */
}

static struct recording parse(const struct buf *b)
{
    struct recording r;
    struct err err = ERR_INIT;

    if (recording_parse("f", buf_text(b), b->len, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static void refuses(const char *text, const char *why)
{
    struct recording r;
    struct err err = ERR_INIT;

    assert_int_equal(recording_parse("f", text, strlen(text), &r, &err), ERR_CONFIG);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' instead of '%s'", err.text, why);
}

/* A trace as EEMBC's host writes it: the sum is known without us. */
static void an_eembc_trace_integrates_to_its_known_answer(void **state)
{
    AUTO_BUF b = BUF_INIT;
    AUTO(recording_release) struct recording r = {.format = NULL};
    double known = 0;
    double inner = 0;

    buf_putc(&b, (char)0xf1);
    put_float(&b, 1000.0f);
    for (int i = 0; i < 20000; i++) {
        const float uj = i >= 5000 && i < 15000 ? 41.25f + (float)(i % 7) : 0.125f;

        put_float(&b, uj);
        known += (double)uj * 1e-6;
        if (i >= 5000 && i < 15000)
            inner += (double)uj * 1e-6;
    }
    r = parse(&b);
    assert_string_equal(r.format, "eembc");
    assert_true(fabs(recording_energy_j(&r, 0, 0, 20) / known - 1) < 1e-6);
    assert_true(fabs(recording_energy_j(&r, 0, 5, 15) / inner - 1) < 1e-6);
    assert_true(fabs(recording_energy_j(&r, 0, 5.0005, 5.001) / (41.25e-6 + 2e-6) - 0.5) < 1e-4);
}

static void csv_of_any_unit_is_understood(void **state)
{
    AUTO_BUF b = BUF_INIT;
    AUTO(recording_release) struct recording r = {.format = NULL};

    buf_puts(&b, "# a comment\nTimestamp(ms),Current(uA),D0-D7\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%.2f,%d,%s\n", i * 0.01, i < 500 ? 1000 : 3000,
                   i < 500 ? "00000000" : "01000000");
    r = parse(&b);
    assert_true(r.even);
    assert_true(fabs(r.rate_hz / 100e3 - 1) < 1e-6);
    assert_int_equal(r.logic[499], 0);
    assert_int_equal(r.logic[500], 2);
    assert_true(fabs(recording_charge_c(&r, 0, 0.01) / 20e-6 - 1) < 1e-6);
    assert_true(fabs(recording_energy_j(&r, 3.0, 0, 0.01) / 60e-6 - 1) < 1e-6);
}

/* Nobody may take microamperes for amperes because of how they are spelt. */
static void a_unit_is_read_however_it_is_spelt_or_refused(void **state)
{
    static const char *const spelt[] = {"time_s,current_uA", "Time (s),Current (\u00b5A)",
                                        "time[s],current[\u03bcA]", "time_s;\"current(\u00b5A)\""};

    for (size_t i = 0; i < ARRAY_SIZE(spelt); i++) {
        AUTO_BUF b = BUF_INIT;
        AUTO(recording_release) struct recording r = {.format = NULL};

        buf_printf(&b, "%s\n0,%s\n1,1000\n2,1000\n", spelt[i], "1000");
        for (size_t k = 0; spelt[i][6] == ';' && k < b.len; k++)
            b.data[k] = b.data[k] == ',' ? ';' : b.data[k];
        r = parse(&b);
        assert_true(fabs((double)r.current_a[1] / 1e-3 - 1) < 1e-6);
    }
    refuses("time_s,currentuA\n0,1\n", "column 'currentuA' has no unit that is known");
    refuses("time_s,current(\u00b5V)\n0,1\n", "has no unit that is known");
    refuses("time_s,energy_uJ\n0,1\n1,1\n5,1\n", "energies of steps that differ");
}

static void uneven_points_are_integrated_as_they_stand(void **state)
{
    AUTO_BUF b = BUF_INIT;
    AUTO(recording_release) struct recording r = {.format = NULL};

    buf_puts(&b, "time_s,current_mA,voltage_V\n0,0,2\n1,10,2\n5,10,2\n6,0,2\n");
    r = parse(&b);
    assert_false(r.even);
    assert_true(fabs(recording_charge_c(&r, 0, 6) - 0.05) < 1e-8);
    assert_true(fabs(recording_energy_j(&r, 0, 0, 6) - 0.1) < 1e-8);
    assert_true(fabs(recording_charge_c(&r, 0, 0.5) - 0.00125) < 1e-9);
}

static void what_is_no_recording_is_refused_with_its_line(void **state)
{
    refuses("", "no samples");
    refuses("a,b\n1,2\n", "names no columns");
    refuses("time_s,current_mX\n", "has no unit that is known");
    refuses("time_s,current_mA\n1,2\n1,3\n", "f:3: time does not go on");
    refuses("time_s,current_mA\n1,nan\n", "f:2: 'nan' is no number");
    refuses("time_s,current_mA\n1\n", "f:2: 1 columns instead of 2");
    refuses("PK\3\4 not really a zip", "there is no metadata.json in it");
    refuses("\xf1xxxxyyy", "not an EEMBC energy trace");
}

/* ---- .ppk2 ---- */

static void put16(struct buf *b, unsigned v)
{
    buf_putc(b, (char)v);
    buf_putc(b, (char)(v >> 8));
}

static void put32(struct buf *b, size_t v)
{
    put16(b, (unsigned)(v & 0xffff));
    put16(b, (unsigned)(v >> 16));
}

static void deflate_raw(const struct buf *in, struct buf *out)
{
    z_stream z = {.next_in = (Bytef *)in->data, .avail_in = (uInt)in->len};
    static uint8_t room[1 << 20];

    z.next_out = room;
    z.avail_out = sizeof(room);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_append(out, room, sizeof(room) - z.avail_out);
    (void)deflateEnd(&z);
}

/* A member, and its line in the directory. */
static void put_member(struct buf *zip, struct buf *directory, const char *name,
                       const struct buf *content, bool packed)
{
    AUTO_BUF data = BUF_INIT;
    const size_t offset = zip->len;

    if (packed)
        deflate_raw(content, &data);
    else
        buf_append(&data, content->data, content->len);
    for (int i = 0; i < 2; i++) {
        struct buf *b = i == 0 ? zip : directory;

        buf_append(b, i == 0 ? "PK\3\4" : "PK\1\2", 4);
        if (i == 1)
            put16(b, 20);
        put16(b, 20);
        put16(b, 0);
        put16(b, packed ? 8 : 0);
        put32(b, 0);
        put32(b, 0);
        put32(b, data.len);
        put32(b, content->len);
        put16(b, (unsigned)strlen(name));
        put16(b, 0);
        if (i == 1) {
            put16(b, 0);
            put32(b, 0);
            put32(b, 0);
            put32(b, offset);
        }
        buf_puts(b, name);
    }
    buf_append(zip, data.data, data.len);
}

static void make_session(struct buf *zip, bool packed)
{
    AUTO_BUF directory = BUF_INIT;
    AUTO_BUF meta = BUF_INIT;
    AUTO_BUF raw = BUF_INIT;
    size_t start;

    buf_puts(
        &meta,
        "{\"metadata\":{\"samplesPerSecond\":100000,\"startSystemTime\":1},\"formatVersion\":2}");
    for (int i = 0; i < 5000; i++) {
        put_float(&raw, i < 2500 ? 12.5f : 8000.0f);
        put16(&raw, i < 2500 ? 0x5555 : 0x5556); /* D0 goes high */
    }
    put_member(zip, &directory, "session.raw", &raw, packed);
    put_member(zip, &directory, "metadata.json", &meta, packed);
    start = zip->len;
    buf_append(zip, directory.data, directory.len);
    buf_append(zip, "PK\5\6\0\0\0\0", 8);
    put16(zip, 2);
    put16(zip, 2);
    put32(zip, directory.len);
    put32(zip, start);
    put16(zip, 0);
}

static void sessions_of_the_power_profiler_are_read(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        AUTO_BUF zip = BUF_INIT;
        AUTO(recording_release) struct recording r = {.format = NULL};

        make_session(&zip, packed != 0);
        r = parse(&zip);
        assert_string_equal(r.format, "ppk2");
        assert_int_equal(r.count, 5000);
        assert_int_equal(r.logic[2499], 0);
        assert_int_equal(r.logic[2500], 1);
        assert_true(fabs(recording_charge_c(&r, 0, 0.05) / (0.025 * (12.5e-6 + 8e-3)) - 1) < 1e-6);
    }
}

static void a_damaged_session_is_an_error(void **state)
{
    AUTO_BUF zip = BUF_INIT;

    make_session(&zip, true);
    for (size_t n = 4; n < zip.len; n += 3) {
        struct recording r = {.format = NULL};
        struct err err = ERR_INIT;

        assert_int_equal(recording_parse("f", zip.data, n, &r, &err), ERR_CONFIG);
    }
}

/* ---- as a meter ---- */

static void a_recording_replays_as_a_meter(void **state)
{
    AUTO_FILES f = {.folder = ""};
    AUTO_BUF zip = BUF_INIT;
    AUTO(meter_close_auto) struct meter *m = NULL;
    struct meter_block block;
    struct meter_state s;
    struct err err = ERR_INIT;
    size_t samples = 0;
    int r = 0;

    files_init(&f);
    make_session(&zip, true);
    assert_int_equal(file_write_atomic(files_path(&f, "s.ppk2"), zip.data, zip.len, &err), 0);
    assert_int_equal(meter_open("replay", &(struct meter_config){.where = f.path}, &m, &err), 0);
    assert_int_equal(meter_configure(m, &(struct meter_setup){.voltage_uv = 3000000}, &err), 0);
    assert_int_equal(meter_start(m, &err), 0);
    while (r == 0) {
        r = meter_read(m, 10, &block, &err);
        samples += block.count;
    }
    assert_int_equal(r, 1);
    assert_int_equal(samples, 5000);
    assert_int_equal(meter_state(m, &s, &err), 0);
    assert_true(fabs(s.energy_j / (3 * 0.025 * (12.5e-6 + 8e-3)) - 1) < 1e-6);
}

/* ---- LPM01A ---- */

static void lpm01a_text_is_read(void **state)
{
    struct lpm_item item;

    lpm_text("6409-07", &item);
    assert_int_equal(item.kind, LPM_SAMPLE);
    assert_true(fabs(item.value / 640.9e-6 - 1) < 1e-12);
    lpm_text("TimeStamp: 003s 250ms, buff 05%", &item);
    assert_int_equal(item.kind, LPM_TIMESTAMP);
    assert_int_equal(item.ms, 3250);
    lpm_text("event 07 ris", &item);
    assert_int_equal(item.kind, LPM_EVENT);
    assert_int_equal(item.event, 7);
    lpm_text("640-07", &item);
    assert_int_equal(item.kind, LPM_NOTHING);
}

static void lpm01a_binary_is_read_in_any_pieces(void **state)
{
    static const uint8_t stream[] = {0xf0, 0xf3, 0,   0,   3,    0xe8, 5,    0xff, 0xff, 0x52, 0xa0,
                                     0xf0, 0xf2, 'o', 'k', 0xff, 0xff, 0xf0, 0xf5, 0xff, 0xff};
    struct lpm_item item;

    for (size_t n = 0; n < 9; n++)
        assert_int_equal(lpm_binary(stream, n, &item), 0);
    assert_int_equal(lpm_binary(stream, sizeof(stream), &item), 9);
    assert_int_equal(item.ms, 1000);
    assert_int_equal(lpm_binary(stream + 9, sizeof(stream) - 9, &item), 2);
    assert_true(fabs(item.value * 1e6 - 640.87) < 0.01);
    assert_int_equal(lpm_binary(stream + 11, sizeof(stream) - 11, &item), 6);
    assert_int_equal(lpm_binary(stream + 17, sizeof(stream) - 17, &item), 4);
    assert_int_equal(item.kind, LPM_TROUBLE);
}

/* ---- hwmon ---- */

static void put_file(struct files *f, const char *name, const char *text)
{
    struct err err = ERR_INIT;

    assert_int_equal(file_write_atomic(files_path(f, name), text, strlen(text), &err), 0);
}

static void hwmon_reads_a_sensor_and_warns(void **state)
{
    AUTO_FILES f = {.folder = ""};
    AUTO(meter_close_auto) struct meter *m = NULL;
    struct meter_block block;
    struct err err = ERR_INIT;

    files_init(&f);
    assert_int_equal(file_make_dirs(files_path(&f, "hwmon3"), &err), 0);
    put_file(&f, "hwmon3/name", "ina226\n");
    put_file(&f, "hwmon3/curr1_input", "37\n");
    put_file(&f, "hwmon3/in1_input", "3301\n");
    put_file(&f, "hwmon3/update_interval", "2\n");
    assert_int_equal(
        meter_open("hwmon", &(struct meter_config){.where = "ina226", .sysfs = f.folder}, &m, &err),
        0);
    assert_non_null(strstr(m->info.warning, "milliamperes"));
    assert_int_equal(meter_configure(m, &(struct meter_setup){.voltage_uv = 3300000}, &err), 0);
    assert_int_equal(meter_start(m, &err), 0);
    assert_int_equal(meter_read(m, 50, &block, &err), 0);
    assert_true(fabs((double)block.current_a[block.count - 1] - 0.037) < 1e-6);
    assert_true(fabs((double)block.voltage_v[block.count - 1] - 3.301) < 1e-6);
    clock_sleep_ms(50); /* what nobody took is lost, not what is said later */
    assert_int_equal(meter_read(m, 50, &block, &err), 0);
    assert_true(block.count > 10 && isnan(block.current_a[0]));
    assert_true(fabs((double)block.current_a[block.count - 1] - 0.037) < 1e-6);
    assert_true(m->counts.lost >= block.count - 1);
    put_file(&f, "hwmon3/curr1_input", "rubbish");
    meter_close(m);
    m = NULL;
    assert_int_equal(
        meter_open("hwmon", &(struct meter_config){.where = "ina999", .sysfs = f.folder}, &m, &err),
        ERR_METER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_eembc_trace_integrates_to_its_known_answer),
        cmocka_unit_test(csv_of_any_unit_is_understood),
        cmocka_unit_test(uneven_points_are_integrated_as_they_stand),
        cmocka_unit_test(what_is_no_recording_is_refused_with_its_line),
        cmocka_unit_test(sessions_of_the_power_profiler_are_read),
        cmocka_unit_test(a_damaged_session_is_an_error),
        cmocka_unit_test(a_recording_replays_as_a_meter),
        cmocka_unit_test(lpm01a_text_is_read),
        cmocka_unit_test(lpm01a_binary_is_read_in_any_pieces),
        cmocka_unit_test(a_unit_is_read_however_it_is_spelt_or_refused),
        cmocka_unit_test(hwmon_reads_a_sensor_and_warns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
