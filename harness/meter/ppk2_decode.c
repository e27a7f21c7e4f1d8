#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/meter/ppk2_format.h"

enum {
    TABLE_SIZE = 8 << 14,
    CONFIRM = 3,      /* words that must follow a gap in order */
    ALIGN_WORDS = 12, /* words looked at to find the alignment again */
    ALIGN_BYTES = 4 * ALIGN_WORDS + 3,
};

void ppk2_decoder_init(struct ppk2_decoder *d, const struct ppk2_meta *meta, bool filter)
{
    *d = (struct ppk2_decoder){.filter = filter};
    d->table = malloc(TABLE_SIZE * sizeof(d->table[0]));
    if (d->table == NULL)
        abort();
    for (unsigned i = 0; i < TABLE_SIZE; i++)
        d->table[i] = ppk2_amperes(meta, i >> 14, i & 0x3fff);
    ppk2_decoder_restart(d);
}

void ppk2_decoder_restart(struct ppk2_decoder *d)
{
    *d = (struct ppk2_decoder){.table = d->table, .filter = d->filter, .previous = -1};
}

void ppk2_decoder_release(struct ppk2_decoder *d)
{
    free(d->table);
    d->table = NULL;
}

static uint32_t word_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned counter_of(uint32_t word)
{
    return (word >> 18) & 63;
}

/* The vendor's spike filter: three samples after a change of range come from running averages. */
static inline double filter(struct ppk2_decoder *d, double i, int range)
{
    const double before = d->average;
    const double before4 = d->average4;

    if (d->previous < 0) {
        d->average = i;
        d->average4 = i;
        d->previous = range;
    } else {
        d->average = 0.18 * i + (1.0 - 0.18) * d->average;
        d->average4 = 0.06 * i + (1.0 - 0.06) * d->average4;
    }
    if (d->previous != range || d->after > 0) {
        if (d->previous != range) {
            d->consecutive = 0;
            d->after = 3;
        } else {
            d->consecutive++;
        }
        if (range == 4 && d->consecutive < 2) {
            d->average = before;
            d->average4 = before4;
        }
        i = range == 4 ? d->average4 : d->average;
        d->after--;
    }
    d->previous = range;
    return i;
}

/*
 * A range is at its end until the next one is on: what it was nobody knows (the vendor's filter takes
 * it as it is). Cold, because inlined it costs the loop a tenth (tests/bench/meter.c).
 */
__attribute__((cold)) static void put_saturated(struct ppk2_decoder *d, unsigned range,
                                                float *current_a)
{
    *current_a = NAN;
    d->saturated++;
    d->overloaded += range == PPK2_RANGES - 1;
}

static inline void put_sample(struct ppk2_decoder *d, uint32_t word, struct ppk2_block *out)
{
    const unsigned range = (word >> 14) & 7;
    const double i = d->table[word & 0x1ffff];
    const size_t at = out->count;

    out->current_a[at] = (float)i;
    d->switches += (d->previous >= 0) & ((int)range != d->previous);
    if (range < PPK2_RANGES && i == i) { /* a NAN would stay in the averages for ever */
        const double f = filter(d, i, (int)range);

        if (d->filter)
            out->filtered_a[at] = (float)f;
    } else {
        if (d->filter)
            out->filtered_a[at] = NAN;
        d->corrupted += range >= PPK2_RANGES;
        d->unconverted += range < PPK2_RANGES;
    }
    if ((word & 0x3fff) == PPK2_SATURATED)
        put_saturated(d, range, &out->current_a[at]);
    out->logic[at] = (uint8_t)(word >> 24);
    out->range[at] = (uint8_t)(range < PPK2_RANGES ? range : 0);
    d->last_logic = (uint8_t)(word >> 24);
    out->count++;
    d->index++;
    d->expected = (d->expected + 1) & 63;
}

void ppk2_decoder_lose(struct ppk2_decoder *d, uint64_t samples)
{
    d->pending_gap += samples;
    d->lost += samples;
    d->gaps += samples > 0;
}

/* Lost samples in their place; marker lines as they were before. */
static void put_gap(struct ppk2_decoder *d, struct ppk2_block *out)
{
    while (d->pending_gap > 0 && out->count < out->room) {
        const size_t at = out->count++;

        out->current_a[at] = NAN;
        if (d->filter)
            out->filtered_a[at] = NAN;
        out->logic[at] = d->last_logic;
        out->range[at] = (uint8_t)(d->previous > 0 ? d->previous : 0);
        d->pending_gap--;
        d->index++;
    }
}

/* Words from p on whose counters go on from `counter`. */
static int in_order(const uint8_t *p, int words, unsigned counter)
{
    int n = 0;

    for (; n < words && counter_of(word_at(p + 4 * (size_t)n)) == ((counter + (unsigned)n) & 63);
         n++)
        ;
    return n;
}

/* How well words at p fit together: steps of one between counters, ranges that exist. */
static int score(const uint8_t *p)
{
    int points = 0;

    for (size_t i = 0; i + 1 < ALIGN_WORDS; i++) {
        const uint32_t a = word_at(p + 4 * i);
        const uint32_t b = word_at(p + 4 * i + 4);

        points += counter_of(b) == ((counter_of(a) + 1) & 63) && ((a >> 14) & 7) < PPK2_RANGES;
    }
    return points;
}

/* Which of the next bytes begins a word? -1: none of four looks like it. */
static int find_alignment(const uint8_t *p)
{
    int best = -1;
    int most = (ALIGN_WORDS - 1) / 2;

    for (int offset = 0; offset < 4; offset++) {
        const int points = score(p + offset);

        if (points > most) {
            most = points;
            best = offset;
        }
    }
    return best;
}

static void jump_to(struct ppk2_decoder *d, unsigned counter)
{
    ppk2_decoder_lose(d, (counter - d->expected) & 63);
    d->expected = (uint8_t)counter;
}

enum {
    SEE_MORE = -1,
    TAKE_WORD = -2
};

/*
 * The counter at p is not the expected one. Returns bytes to skip, SEE_MORE when these do not tell,
 * or TAKE_WORD when the word is good but for its counter. What is skipped is filled up by the
 * counter once it is in order again.
 */
static int resolve(struct ppk2_decoder *d, const uint8_t *p, size_t n, bool last)
{
    const unsigned counter = counter_of(word_at(p));
    const bool enough = n >= 4 * (CONFIRM + 1);
    int offset;

    if (enough && in_order(p + 4, CONFIRM, counter + 1) == CONFIRM) {
        jump_to(d, counter); /* a gap */
        return 0;
    }
    if (enough && in_order(p + 4, CONFIRM, d->expected + 1u) == CONFIRM) {
        d->corrupted++;
        return TAKE_WORD;
    }
    if (enough && in_order(p + 4, CONFIRM, d->expected) == CONFIRM) {
        d->corrupted++; /* four bytes that belong to nothing */
        return 4;
    }
    if (n < ALIGN_BYTES && !last)
        return SEE_MORE;
    if (n < ALIGN_BYTES) {
        d->corrupted++; /* the stream ends in something that cannot be judged */
        return 4;
    }
    offset = find_alignment(p);
    if (offset == 0 && in_order(p + 4, 1, counter + 1) == 1) {
        jump_to(d, counter); /* one of several losses close together */
        return 0;
    }
    d->resyncs += offset > 0;
    d->corrupted += offset < 0;
    return offset > 0 ? offset : 4;
}

static size_t decode_words(struct ppk2_decoder *d, const uint8_t *data, size_t n,
                           struct ppk2_block *out)
{
    const size_t words = n / 4 < out->room - out->count ? n / 4 : out->room - out->count;
    size_t i = 0;

    for (; i < words; i++) {
        const uint32_t word = word_at(data + 4 * i);

        if (counter_of(word) != d->expected)
            break;
        put_sample(d, word, out);
    }
    return 4 * i;
}

size_t ppk2_decode(struct ppk2_decoder *d, const uint8_t *data, size_t n, bool last,
                   struct ppk2_block *out)
{
    size_t at = 0;

    if (!d->started && n >= 4) {
        d->started = true;
        d->expected = (uint8_t)counter_of(word_at(data));
    }
    for (;;) {
        int skip;

        put_gap(d, out);
        if (out->count < out->room)
            at += decode_words(d, data + at, n - at, out);
        if (out->count == out->room || n - at < 4)
            break;
        skip = resolve(d, data + at, n - at, last);
        if (skip == SEE_MORE)
            break;
        if (skip == TAKE_WORD)
            put_sample(d, word_at(data + at), out);
        at += skip == TAKE_WORD ? 4 : (size_t)skip;
    }
    return last && out->count < out->room ? n : at;
}
