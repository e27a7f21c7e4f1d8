/* What instruments and recordings may hold: the PPK2's metadata and stream, the LPM01A's, files of
 * other programs, chunks of stored traces. The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "harness/meter/lpm01a_format.h"
#include "harness/meter/ppk2_format.h"
#include "harness/meter/recording.h"
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

/* NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ppk2_meta meta;
    struct err err = ERR_INIT;

    if (size < 2)
        return 0;
    switch (data[0] % 5) {
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
    default:
        fuzz_recording(data + 1, size - 1);
        break;
    }
    return 0;
}
