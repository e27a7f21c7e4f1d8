/* From the words of a `fault` command to an armed fault. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "targets/virtual/fault.h"

#define STALL_MAX_MS 600000

static const char *const kinds[] = {
#define X(name, word, what, text) word,
    FAULT_LIST(X)
#undef X
        NULL,
};

/* What the words said, before it is checked against the kind. */
struct request {
    struct fault fault;
    bool has_direction;
    bool has_count;
    bool has_ms;
    const char *file;
};

static int take_number(const char *key, const char *text, uint64_t max, uint64_t *ret,
                       struct err *err)
{
    uint64_t v;

    if (!text_to_u64(text, &v) || v > max)
        return err_set(err, ERR_USAGE, "%s '%.40s' is not a number up to %llu", key, text,
                       (unsigned long long)max);
    *ret = v;
    return 0;
}

static int take_probability(struct fault *f, const char *text, struct err *err)
{
    double p;

    if (!text_to_double(text, &p) || !(p >= 0 && p <= 1))
        return err_set(err, ERR_USAGE, "prob '%.40s' is not between 0 and 1", text);
    f->threshold = p >= 1 ? UINT64_MAX : (uint64_t)(p * 0x1p64);
    return 0;
}

static int take_trigger(struct fault *f, enum fault_trigger trigger, struct err *err)
{
    if (f->trigger != TRIGGER_NOW)
        return err_set(err, ERR_USAGE, "only one of at, swd, prob, after and edge");
    f->trigger = trigger;
    f->waiting = trigger == TRIGGER_AFTER || trigger == TRIGGER_EDGE;
    return 0;
}

static int take_ms(const char *key, const char *text, unsigned *ret, struct err *err)
{
    uint64_t v = 0;
    const int r = take_number(key, text, STALL_MAX_MS, &v, err);

    *ret = (unsigned)v;
    return r;
}

static int take_pair(struct request *q, const char *key, const char *value, struct err *err)
{
    struct fault *f = &q->fault;
    unsigned ms = 0;

    if (strcmp(key, "at") == 0)
        return take_trigger(f, TRIGGER_AT, err) < 0
                   ? err->code
                   : take_number(key, value, UINT64_MAX, &f->at, err);
    if (strcmp(key, "swd") == 0)
        return take_trigger(f, TRIGGER_TRANSFER, err) < 0
                   ? err->code
                   : take_number(key, value, UINT64_MAX, &f->at, err);
    if (strcmp(key, "prob") == 0)
        return take_trigger(f, TRIGGER_PROBABILITY, err) < 0 ? err->code
                                                             : take_probability(f, value, err);
    if (strcmp(key, "edge") == 0)
        return take_trigger(f, TRIGGER_EDGE, err) < 0
                   ? err->code
                   : take_number(key, value, UINT64_MAX, &f->at, err);
    if (strcmp(key, "after") == 0) {
        if (take_trigger(f, TRIGGER_AFTER, err) < 0 || take_ms(key, value, &ms, err) < 0)
            return err->code;
        f->due_ns = clock_monotonic_ns() + (uint64_t)ms * 1000000u;
        return 0;
    }
    if (strcmp(key, "count") == 0) {
        q->has_count = true;
        return take_number(key, value, UINT64_MAX, &f->count, err);
    }
    if (strcmp(key, "ms") == 0) {
        q->has_ms = true;
        return take_ms(key, value, &f->ms, err);
    }
    if (strcmp(key, "file") == 0) {
        q->file = value;
        return 0;
    }
    return err_set(err, ERR_USAGE, "'%.40s' is not a word of fault; see `fault help`", key);
}

static int take_words(struct request *q, char *const *words, int count, struct err *err)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "to-board") == 0 || strcmp(words[i], "from-board") == 0) {
            q->fault.direction = words[i][0] == 't' ? TO_BOARD : FROM_BOARD;
            q->has_direction = true;
            continue;
        }
        if (i + 1 == count)
            return err_set(err, ERR_USAGE, "'%.40s' needs a value; see `fault help`", words[i]);
        if (take_pair(q, words[i], words[i + 1], err) < 0)
            return err->code;
        i++;
    }
    return 0;
}

static int find_kind(const char *word, enum fault_kind *ret, struct err *err)
{
    for (int i = 0; kinds[i] != NULL; i++) {
        if (strcmp(kinds[i], word) == 0) {
            *ret = (enum fault_kind)i;
            return 0;
        }
    }
    (void)err_set(err, ERR_USAGE, "unknown fault '%.40s'", word);
    if (text_nearest(word, kinds) != NULL)
        return err_hint(err, "did you mean '%s'?", text_nearest(word, kinds));
    return err_hint(err, "`fault help` lists them");
}

static bool acts_on_bytes(enum fault_kind kind)
{
    return fault_what(kind) == FAULT_BYTES || fault_what(kind) == FAULT_HOLD;
}

/* Transfers of the probe have no direction, and only some kinds know them. */
static int check_transfers(const struct request *q, struct err *err)
{
    const struct fault *f = &q->fault;
    const enum fault_what what = fault_what(f->kind);

    if (what == FAULT_WIRE && (f->trigger == TRIGGER_AT || q->has_direction))
        return err_set(err, ERR_USAGE, "%s counts transfers of the probe: 'swd N'",
                       fault_word(f->kind));
    if (f->trigger == TRIGGER_TRANSFER && what != FAULT_WIRE && what != FAULT_ACTION)
        return err_set(err, ERR_USAGE, "%s does not take swd", fault_word(f->kind));
    return 0;
}

static int check(const struct request *q, struct err *err)
{
    const struct fault *f = &q->fault;
    const char *word = fault_word(f->kind);
    const bool by_byte = f->trigger == TRIGGER_AT ||
                         (f->trigger == TRIGGER_PROBABILITY && fault_what(f->kind) != FAULT_WIRE);

    if (check_transfers(q, err) < 0)
        return err->code;
    if (!q->has_direction && (acts_on_bytes(f->kind) || by_byte))
        return err_set(err, ERR_USAGE, "%s needs a direction: to-board or from-board", word);
    if (f->kind == FAULT_REPLAY && f->trigger == TRIGGER_PROBABILITY)
        return err_set(err, ERR_USAGE, "%s comes once: no prob", word);
    if (by_byte && f->kind == FAULT_ECHO)
        return err_set(err, ERR_USAGE, "%s cannot start at a byte", word);
    if (f->trigger != TRIGGER_NOW && (f->kind == FAULT_REBOOT_LOOP || f->kind == FAULT_FIRMWARE))
        return err_set(err, ERR_USAGE, "%s takes no at, swd, prob, after or edge", word);
    if (!q->has_ms && (f->kind == FAULT_STALL || f->kind == FAULT_REBOOT_LOOP))
        return err_set(err, ERR_USAGE, "%s needs ms", word);
    if (f->kind == FAULT_REBOOT_LOOP && f->ms < 10)
        return err_set(err, ERR_USAGE, "%s needs at least 10 ms", word);
    if ((q->file != NULL) != (f->kind == FAULT_FIRMWARE))
        return err_set(err, ERR_USAGE, "%s %s a file", word,
                       q->file != NULL ? "does not take" : "needs");
    if (q->file != NULL && strlen(q->file) >= sizeof(((struct fault_set *)0)->firmware))
        return err_set(err, ERR_USAGE, "path too long");
    if (f->kind == FAULT_INSERT && f->trigger != TRIGGER_PROBABILITY && f->count > 1000000)
        return err_set(err, ERR_USAGE, "insert takes a count of at most 1000000");
    return 0;
}

static uint64_t default_count(const struct fault *f)
{
    if (f->kind == FAULT_REPLAY)
        return 64;
    if (f->kind == FAULT_SWD_DEAD || f->kind == FAULT_SWD_OFF || f->kind == FAULT_MUTE ||
        f->kind == FAULT_ECHO || f->kind == FAULT_REBOOT_LOOP)
        return UINT64_MAX;
    return f->trigger == TRIGGER_PROBABILITY &&
                   (fault_what(f->kind) == FAULT_BYTES || fault_what(f->kind) == FAULT_WIRE)
               ? UINT64_MAX
               : 1;
}

int fault_arm(struct fault_set *s, char *const *words, int count, struct err *err)
{
    struct request q = {.file = NULL};
    struct fault *f = &q.fault;

    if (find_kind(words[0], &f->kind, err) < 0 || take_words(&q, words, count, err) < 0)
        return err->code;
    if (!q.has_count)
        f->count = default_count(f);
    if (check(&q, err) < 0)
        return err->code;
    if (s->count == FAULT_MAX)
        return err_set(err, ERR_BUSY, "%d faults are armed already; `faults clear`", FAULT_MAX);
    if (q.file != NULL)
        (void)snprintf(s->firmware, sizeof(s->firmware), "%s", q.file);
    f->number = ++s->armed_ever;
    f->noise = s->seed ^ (uint64_t)f->number << 32;
    if (f->kind == FAULT_REBOOT_LOOP)
        f->due_ns = clock_monotonic_ns() + (uint64_t)f->ms * 1000000u;
    s->list[s->count++] = *f;
    if (f->trigger == TRIGGER_NOW && fault_what(f->kind) == FAULT_ACTION)
        fault_fire(s, &s->list[s->count - 1]);
    return 0;
}
