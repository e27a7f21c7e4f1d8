#include "targets/virtual/fault.h"

#include <string.h>

#include "harness/base/clock.h"

static const struct shape {
    const char *word;
    enum fault_what what;
    const char *text;
} shapes[] = {
#define X(name, word, what, text) {word, FAULT_##what, text},
    FAULT_LIST(X)
#undef X
};

const char *fault_word(enum fault_kind kind)
{
    return shapes[kind].word;
}

enum fault_what fault_what(enum fault_kind kind)
{
    return shapes[kind].what;
}

void fault_set_init(struct fault_set *s, uint64_t seed)
{
    *s = (struct fault_set){.seed = seed};
}

void fault_clear(struct fault_set *s)
{
    s->count = 0;
    s->action_count = 0;
    s->stalled_until_ns[TO_BOARD] = 0;
    s->stalled_until_ns[FROM_BOARD] = 0;
    s->firmware[0] = '\0';
}

/* splitmix64, by Sebastiano Vigna (public domain). */
static uint64_t noise_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void fault_fire(struct fault_set *s, struct fault *f)
{
    f->fired++;
    if (s->action_count < FAULT_MAX)
        s->actions[s->action_count++] =
            (struct fault_action){.kind = f->kind, .number = f->number, .ms = f->ms};
}

bool fault_take_action(struct fault_set *s, struct fault_action *ret)
{
    if (s->action_count == 0)
        return false;
    *ret = s->actions[0];
    s->action_count--;
    memmove(s->actions, s->actions + 1, (size_t)s->action_count * sizeof(s->actions[0]));
    return true;
}

static bool byte_fires(struct fault *f)
{
    if (f->waiting || f->fired >= f->count || f->trigger == TRIGGER_TRANSFER)
        return false;
    if (f->trigger == TRIGGER_PROBABILITY)
        return noise_next(&f->noise) <= f->threshold;
    return f->seen >= f->at;
}

/* Once before each byte: a byte that was held back is not held again for the same reason. */
static bool hold_fires(struct fault *f)
{
    return byte_fires(f) && (f->trigger == TRIGGER_PROBABILITY || f->fired <= f->seen - f->at);
}

/* Does something come up before the next byte of this direction may pass? */
static bool blocked(struct fault_set *s, enum fault_direction d)
{
    for (int i = 0; i < s->count; i++) {
        struct fault *f = &s->list[i];
        const enum fault_what what = shapes[f->kind].what;

        if (f->direction != d || (what != FAULT_HOLD && what != FAULT_ACTION) || !hold_fires(f))
            continue;
        if (what == FAULT_ACTION) {
            fault_fire(s, f);
        } else {
            f->fired++;
            s->stalled_until_ns[d] = clock_monotonic_ns() + (uint64_t)f->ms * 1000000u;
        }
        return true;
    }
    return false;
}

static bool counts_transfers(const struct fault *f)
{
    return f->trigger == TRIGGER_TRANSFER || shapes[f->kind].what == FAULT_WIRE;
}

static bool transfer_fires(struct fault *f)
{
    if (f->waiting || f->fired >= f->count)
        return false;
    if (f->trigger == TRIGGER_PROBABILITY)
        return noise_next(&f->noise) <= f->threshold;
    return f->seen >= f->at;
}

/* True when this transfer does not happen. */
static bool spoil_transfer(struct fault_set *s, enum fault_kind *ret)
{
    bool spoilt = false;

    for (int i = 0; i < s->count; i++) {
        struct fault *f = &s->list[i];

        if (!counts_transfers(f))
            continue;
        if (transfer_fires(f)) {
            if (shapes[f->kind].what == FAULT_ACTION) {
                fault_fire(s, f);
            } else {
                f->fired++;
                *ret = f->kind;
                spoilt = true;
            }
        }
        f->seen += !f->waiting;
    }
    if (s->action_count > 0 && !spoilt) {
        *ret = FAULT_SWD_NO_ACK;
        spoilt = true;
    }
    return spoilt;
}

size_t fault_transfers(struct fault_set *s, size_t wanted, enum fault_kind *ret)
{
    if (s->count == 0 && s->action_count == 0)
        return wanted;
    for (size_t n = 0; n < wanted; n++) {
        if (spoil_transfer(s, ret))
            return n;
    }
    return wanted;
}

void fault_held_in_reset(struct fault_set *s)
{
    for (int i = 0; i < s->count; i++) {
        struct fault *f = &s->list[i];

        if (f->kind == FAULT_SWD_OFF && f->fired > 0)
            f->count = f->fired;
    }
}

static void insert(struct fault *f, struct buf *out)
{
    const uint64_t bytes = f->trigger == TRIGGER_PROBABILITY ? 1 : f->count;

    for (uint64_t k = 0; k < bytes; k++)
        buf_putc(out, (char)noise_next(&f->noise));
    f->fired += bytes - 1;
}

/* The bytes of an earlier frame, perhaps of an earlier session. */
static void replay(const struct fault_history *h, struct fault *f, struct buf *out)
{
    const uint64_t kept = h->count < sizeof(h->bytes) ? h->count : sizeof(h->bytes);
    const uint64_t n = f->count < kept ? f->count : kept;

    for (uint64_t k = h->count - n; k < h->count; k++)
        buf_putc(out, (char)h->bytes[k % sizeof(h->bytes)]);
    f->fired = f->count;
}

static void remember(struct fault_history *h, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h->bytes[h->count++ % sizeof(h->bytes)] = bytes[i];
}

static void pass_byte(struct fault_set *s, enum fault_direction d, uint8_t byte, struct buf *out)
{
    int copies = 1;

    for (int i = 0; i < s->count; i++) {
        struct fault *f = &s->list[i];

        if (f->direction != d || shapes[f->kind].what != FAULT_BYTES)
            continue;
        if (byte_fires(f)) {
            f->fired++;
            if (f->kind == FAULT_DROP || f->kind == FAULT_MUTE)
                copies = 0;
            else if (f->kind == FAULT_DUPLICATE)
                copies *= 2;
            else if (f->kind == FAULT_GARBLE)
                byte ^= (uint8_t)(1u << (noise_next(&f->noise) & 7));
            else if (f->kind == FAULT_REPLAY)
                replay(&s->history[d], f, out);
            else
                insert(f, out);
        }
    }
    remember(&s->history[d], &byte, 1);
    for (int k = 0; k < copies; k++)
        buf_putc(out, (char)byte);
    for (int i = 0; i < s->count; i++)
        s->list[i].seen +=
            s->list[i].direction == d && !s->list[i].waiting && !counts_transfers(&s->list[i]);
}

size_t fault_pass(struct fault_set *s, enum fault_direction d, const uint8_t *in, size_t n,
                  struct buf *out)
{
    if (s->count == 0) {
        remember(&s->history[d], in, n);
        buf_append(out, in, n);
        return n;
    }
    for (size_t i = 0; i < n; i++) {
        if (fault_stalls(s, d) || blocked(s, d))
            return i;
        pass_byte(s, d, in[i], out);
    }
    return n;
}

bool fault_stalls(const struct fault_set *s, enum fault_direction d)
{
    return s->stalled_until_ns[d] != 0 && clock_monotonic_ns() < s->stalled_until_ns[d];
}

bool fault_echoes(const struct fault_set *s)
{
    for (int i = 0; i < s->count; i++) {
        if (s->list[i].kind == FAULT_ECHO && !s->list[i].waiting)
            return true;
    }
    return false;
}

/* A wait is over: actions happen at once, the others start to act on bytes. */
static void wake(struct fault_set *s, struct fault *f)
{
    f->waiting = false;
    f->at = 0; /* from the next byte on */
    f->seen = 0;
    if (shapes[f->kind].what == FAULT_ACTION)
        fault_fire(s, f);
}

void fault_edge(struct fault_set *s)
{
    for (int i = 0; i < s->count; i++) {
        struct fault *f = &s->list[i];

        if (f->waiting && f->trigger == TRIGGER_EDGE && ++f->seen >= f->at)
            wake(s, f);
    }
}

void fault_tick(struct fault_set *s)
{
    const uint64_t now = clock_monotonic_ns();

    for (int i = 0; i < s->count; i++) {
        struct fault *f = &s->list[i];

        if (f->due_ns == 0 || now < f->due_ns || f->fired >= f->count)
            continue;
        if (f->kind == FAULT_REBOOT_LOOP) {
            fault_fire(s, f);
            f->due_ns = now + (uint64_t)f->ms * 1000000u;
        } else {
            f->due_ns = 0;
            wake(s, f);
        }
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return b != 0 && b < a ? b : a;
}

int fault_timeout_ms(const struct fault_set *s)
{
    const uint64_t now = clock_monotonic_ns();
    uint64_t next = UINT64_MAX;

    for (int d = 0; d < 2; d++) {
        if (s->stalled_until_ns[d] > now)
            next = earlier(next, s->stalled_until_ns[d]);
    }
    for (int i = 0; i < s->count; i++) {
        if (s->list[i].fired < s->list[i].count)
            next = earlier(next, s->list[i].due_ns);
    }
    if (next == UINT64_MAX)
        return -1;
    return next <= now ? 0 : (int)((next - now + 999999u) / 1000000u);
}

void fault_list(const struct fault_set *s, struct buf *out)
{
    buf_printf(out, "%d armed", s->count);
    for (int i = 0; i < s->count; i++) {
        const struct fault *f = &s->list[i];

        buf_printf(out, "; %d %s fired %llu", f->number, fault_word(f->kind),
                   (unsigned long long)f->fired);
        if (f->count != UINT64_MAX)
            buf_printf(out, " of %llu", (unsigned long long)f->count);
    }
}

void fault_help(struct buf *out)
{
    buf_puts(out, "fault KIND [to-board|from-board] [at BYTE | swd N | prob P | after MS | edge N]"
                  " [count K] [ms M] [file PATH]\n");
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        buf_printf(out, "  %-12s %s\n", shapes[i].word, shapes[i].text);
}
