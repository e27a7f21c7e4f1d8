/* How fast the PPK2's stream is decoded on one core: 10^8 samples, filter and loss check included. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/meter/ppk2_format.h"

#define SAMPLES 100000000u
#define CHUNK   65536u /* a multiple of 64: the counter goes on from chunk to chunk */
#define BAR_MS  100.0  /* million samples a second */

static const char metadata[] =
    "R0: 1004.57\nR1: 102.18\nR2: 10.383\nR3: 0.9723\nR4: 0.0567\nGS0: 0\nGS1: 154\nGS2: 23\n"
    "GS3: 3.3\nGS4: 0.1\nGI0: 1\nGI1: 0.95\nGI2: 0.95\nGI3: 0.93\nGI4: 0.94\nO0: 151\nO1: 103\n"
    "O2: 87\nO3: 66\nO4: 118\nS0: 0\nS1: 0\nS2: 0\nS3: 0\nS4: 0\nI0: 0\nI1: 0\nI2: 0\nI3: 0\n"
    "I4: 0\nUG0: 1\nUG1: 1\nUG2: 1\nUG3: 1\nUG4: 1\nVDD: 3000\nEND\n";

static float current_a[CHUNK];
static float filtered_a[CHUNK];
static uint8_t logic[CHUNK];
static uint8_t range[CHUNK];
static uint32_t words[CHUNK];

/* Noise, and a change of range every 500 samples. */
static void make_words(void)
{
    uint32_t x = 1;

    for (uint32_t i = 0; i < CHUNK; i++) {
        x = x * 1664525 + 1013904223;
        words[i] = (500 + (x >> 28)) | (i / 500 % 4) << 14 | (i & 63) << 18;
    }
}

/* Time of this process on a core: others on the machine do not count. */
static uint64_t cpu_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double decode_all(struct ppk2_decoder *d)
{
    const uint64_t started = cpu_ns();

    for (uint32_t done = 0; done < SAMPLES; done += CHUNK) {
        struct ppk2_block out = {.current_a = current_a,
                                 .filtered_a = filtered_a,
                                 .logic = logic,
                                 .range = range,
                                 .room = CHUNK};

        if (ppk2_decode(d, (const uint8_t *)words, sizeof(words), false, &out) != sizeof(words))
            exit(1);
    }
    return (double)d->index / ((double)(cpu_ns() - started) * 1e-3);
}

int main(void)
{
    struct ppk2_meta meta;
    struct ppk2_decoder d;
    struct err err = ERR_INIT;
    double rate;

    if (ppk2_meta_parse(metadata, sizeof(metadata) - 1, &meta, &err) < 0)
        return 1;
    make_words();
    ppk2_decoder_init(&d, &meta, true);
    rate = decode_all(&d);
    (void)printf("PPK2 decode: %.0f M samples/s on one core (bar %.0f), lost %llu\n", rate, BAR_MS,
                 (unsigned long long)d.lost);
    ppk2_decoder_release(&d);
    return rate < BAR_MS || d.lost > 0;
}
