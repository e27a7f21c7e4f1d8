/* What instruments and recordings may hold: the PPK2's metadata and stream, the LPM01A's, files of
 * other programs, chunks of stored traces, SCPI answers, sigrok's text, a Joulescope's packets. The
 * first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "harness/meter/joulescope_tracks.h"
#include "harness/meter/jsdrv_abi.h"
#include "harness/meter/lpm01a_format.h"
#include "harness/meter/ppk2_format.h"
#include "harness/meter/recording.h"
#include "harness/meter/scpi_format.h"
#include "harness/meter/sigrok_format.h"
#include "harness/trace/pack.h"
#include "tests/fuzz/fuzz.h"

enum {
    ROOM = 8192
};

static void fuzz_stream(const uint8_t *data, size_t n)
{
    static float current_a[ROOM];
    static float filtered_a[ROOM];
    static uint8_t logic[ROOM];
    static uint8_t range[ROOM];
    const struct ppk2_meta meta = {.vdd_mv = 3000};
    struct ppk2_decoder d;

    ppk2_decoder_init(&d, &meta, true);
    for (size_t at = 0, end = 0; at < n;) {
        struct ppk2_block out = {.current_a = current_a,
                                 .filtered_a = filtered_a,
                                 .logic = logic,
                                 .range = range,
                                 .room = ROOM};

        end = end + 97 < n ? end + 97 : n;
        at += ppk2_decode(&d, data + at, end - at, end == n, &out);
        if (out.count > ROOM || at > end)
            abort();
    }
    ppk2_decoder_release(&d);
}

static void fuzz_lpm(const uint8_t *data, size_t n)
{
    struct lpm_item item;
    char line[128];
    size_t used;

    (void)memcpy(line, data, n < sizeof(line) ? n : sizeof(line) - 1);
    line[n < sizeof(line) ? n : sizeof(line) - 1] = '\0';
    lpm_text(line, &item);
    for (size_t at = 0; at < n; at += used) {
        used = lpm_binary(data + at, n - at, &item);
        if (used > n - at)
            abort();
        if (used == 0)
            break;
    }
}

static void fuzz_chunk(const uint8_t *data, size_t n)
{
    static float current_a[PACK_SAMPLES_MAX];
    struct pack_samples s = {.current_a = current_a};
    struct err err = ERR_INIT;

    (void)!pack_open(data, n, &s, &err);
}

static void fuzz_recording(const uint8_t *data, size_t n)
{
    struct recording r = {.format = NULL};
    struct err err = ERR_INIT;

    if (recording_parse("f", data, n, &r, &err) == 0)
        (void)recording_energy_j(&r, 3, 0, 1);
    recording_release(&r);
}

static void fuzz_scpi(const char *data, size_t n)
{
    uint64_t size = 0;
    double value = 0;
    const int64_t block = scpi_block_length(data, n);
    const int64_t begin = scpi_block_begin(data, n, &size);

    if (scpi_line_length(data, n) > (int64_t)n || block > (int64_t)n)
        abort();
    if (block > 0 && (begin <= 0 || (uint64_t)block != (uint64_t)begin + size))
        abort();
    for (size_t k = 0; block > 0 && (k + 1) * sizeof(float) <= size; k++)
        (void)scpi_float(data + begin, k);
    if (n > 0 && data[n - 1] == '\0')
        (void)scpi_number(data, &value);
}

static void fuzz_sigrok(const uint8_t *data, size_t n)
{
    char line[300];
    struct sigrok_value value;
    struct sigrok_where where;

    (void)memcpy(line, data, n < sizeof(line) ? n : sizeof(line) - 1);
    line[n < sizeof(line) ? n : sizeof(line) - 1] = '\0';
    if (sigrok_line(line, &value) && value.channel[0] == '\0')
        abort();
    if (sigrok_where(line, &where) == NULL && (where.driver[0] == '-' || where.current[0] == '\0'))
        abort();
}

/* Packets of 64 bytes: which signal, then header and data as they come. */
static void fuzz_tracks(const uint8_t *data, size_t n)
{
    static float current_a[4096];
    static float voltage_v[4096];
    static uint8_t logic[4096];
    struct js_tracks t = {.lost = 0};
    const char *wrong = NULL;

    for (size_t at = 0; at + 65 <= n && wrong == NULL; at += 65) {
        struct jsdrv_stream_signal_s s = {.sample_id = 0};
        size_t ready;

        memcpy(&s, data + at + 1, 64);
        s.sample_id %= 100000; /* so that some fit each other */
        s.decimate_factor %= 4;
        wrong = js_tracks_take(&t, data[at] % JS_TRACKS, &s, 48 + data[at] / 3);
        ready = js_tracks_ready(&t);
        js_tracks_give(&t, ready < 4096 ? ready : 4096, current_a, voltage_v, logic);
    }
    js_tracks_release(&t);
}

/* NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ppk2_meta meta;
    struct err err = ERR_INIT;

    if (size < 2)
        return 0;
    switch (data[0] % 8) {
    case 0:
        (void)!ppk2_meta_parse((const char *)data + 1, size - 1, &meta, &err);
        break;
    case 1:
        fuzz_stream(data + 1, size - 1);
        break;
    case 2:
        fuzz_lpm(data + 1, size - 1);
        break;
    case 3:
        fuzz_chunk(data + 1, size - 1);
        break;
    case 4:
        fuzz_scpi((const char *)data + 1, size - 1);
        break;
    case 5:
        fuzz_sigrok(data + 1, size - 1);
        break;
    case 6:
        fuzz_tracks(data + 1, size - 1);
        break;
    default:
        fuzz_recording(data + 1, size - 1);
        break;
    }
    return 0;
}
