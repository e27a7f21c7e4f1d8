#include "harness/transport/filter.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"

/* Bytes on the way in one direction, each with the time when it has arrived. */
enum {
    LANE_SIZE = 1 << 15
};

struct lane {
    uint64_t count;   /* bytes that went in, before faults */
    uint64_t free_ns; /* when the line is free for the next byte */
    size_t head, tail;
    bool stalled;
    uint8_t bytes[LANE_SIZE];
    uint64_t due_ns[LANE_SIZE];
};

struct filter {
    struct transport base;
    struct transport *inner;
    struct filter_options options;
    uint64_t start_ns;
    uint64_t byte_ns; /* 0: not paced */
    uint32_t random;
    bool cut;
    uint64_t cut_at;
    int inner_status; /* a failure of inner that waits until its last bytes were delivered */
    struct err inner_err;
    struct lane lanes[2];
};

/* ---- one lane ---- */

static size_t lane_used(const struct lane *lane)
{
    return lane->head - lane->tail;
}

static size_t lane_room(const struct lane *lane)
{
    return LANE_SIZE - lane_used(lane);
}

static void lane_push(struct filter *f, enum filter_direction direction, uint8_t byte)
{
    struct lane *lane = &f->lanes[direction];
    uint64_t now = clock_monotonic_ns();
    size_t at = lane->head % LANE_SIZE;

    if (lane->stalled || lane_room(lane) == 0)
        return;
    if (lane->free_ns < now)
        lane->free_ns = now;
    lane->free_ns += f->byte_ns;
    lane->bytes[at] = byte;
    lane->due_ns[at] = lane->free_ns;
    if (direction == FILTER_FROM_TARGET)
        lane->due_ns[at] += (uint64_t)f->options.latency_us * 1000;
    lane->head++;
}

/* Up to cap bytes that have arrived by now. */
static size_t lane_pop(struct lane *lane, uint64_t now, void *data, size_t cap)
{
    uint8_t *out = data;
    size_t n = 0;

    while (n < cap && lane->tail != lane->head && lane->due_ns[lane->tail % LANE_SIZE] <= now)
        out[n++] = lane->bytes[lane->tail++ % LANE_SIZE];
    return n;
}

/* ---- faults ---- */

static uint32_t next_random(struct filter *f)
{
    f->random ^= f->random << 13; /* xorshift32 (Marsaglia, 2003) */
    f->random ^= f->random >> 17;
    f->random ^= f->random << 5;
    return f->random;
}

static bool by_chance(struct filter *f, uint32_t ppm)
{
    return ppm != 0 && next_random(f) % 1000000 < ppm;
}

static bool fault_covers(const struct filter_fault *fault, enum filter_kind kind,
                         enum filter_direction direction, uint64_t at)
{
    uint64_t count = fault->count != 0 ? fault->count : 1;

    return fault->kind == kind && fault->direction == direction && at >= fault->at &&
           at - fault->at < count;
}

static const struct filter_fault *fault_at(const struct filter *f, enum filter_kind kind,
                                           enum filter_direction direction, uint64_t at)
{
    for (unsigned i = 0; i < f->options.fault_count; i++) {
        if (fault_covers(&f->options.faults[i], kind, direction, at))
            return &f->options.faults[i];
    }
    return NULL;
}

static void insert_bytes(struct filter *f, enum filter_direction direction, uint64_t at)
{
    const struct filter_fault *fault = fault_at(f, FILTER_INSERT, direction, at);
    uint64_t count;

    if (fault == NULL || fault->at != at)
        return;
    count = fault->count != 0 ? fault->count : 1;
    for (uint64_t k = 0; k < count; k++)
        lane_push(f, direction,
                  fault->bytes != NULL ? fault->bytes[k] : (uint8_t)(next_random(f) >> 16));
}

/* One byte enters a lane: here every fault happens. */
static void take_byte(struct filter *f, enum filter_direction direction, uint8_t byte)
{
    struct lane *lane = &f->lanes[direction];
    uint64_t at = lane->count++;

    if (fault_at(f, FILTER_CUT, direction, at) != NULL && !f->cut) {
        f->cut = true;
        f->cut_at = at;
    }
    if (fault_at(f, FILTER_STALL, direction, at) != NULL)
        lane->stalled = true;
    insert_bytes(f, direction, at);
    if (f->cut || fault_at(f, FILTER_DROP, direction, at) != NULL ||
        by_chance(f, f->options.drop_ppm))
        return;
    if (fault_at(f, FILTER_CORRUPT, direction, at) != NULL || by_chance(f, f->options.corrupt_ppm))
        byte ^= (uint8_t)(1u << (next_random(f) >> 8) % 8);
    lane_push(f, direction, byte);
    if (fault_at(f, FILTER_DUPLICATE, direction, at) != NULL ||
        by_chance(f, f->options.duplicate_ppm))
        lane_push(f, direction, byte);
}

static void record(struct filter *f, char way, const uint8_t *data, size_t n)
{
    struct buf *b = f->options.record;
    const size_t start = b != NULL ? b->len : 0;

    if (b == NULL || b->full || n == 0)
        return;
    buf_printf(b, "%llu %c ", (unsigned long long)((clock_monotonic_ns() - f->start_ns) / 1000),
               way);
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%02x", data[i]);
    buf_putc(b, '\n');
    if (b->full &&
        b->data != NULL) { /* it ends with its last whole line, and goes on with no later one */
        b->len = start;
        b->data[start] = '\0';
    }
}

/* ---- moving bytes between inner and the lanes ---- */

static int cut_error(const struct filter *f, struct err *err)
{
    return err_set(err, ERR_IO, "the port hung up (cut at byte %llu)",
                   (unsigned long long)f->cut_at);
}

static int deliver(struct filter *f, struct err *err)
{
    uint8_t bytes[512];
    uint64_t now = clock_monotonic_ns();
    size_t n;

    while ((n = lane_pop(&f->lanes[FILTER_TO_TARGET], now, bytes, sizeof(bytes))) != 0) {
        if (transport_send(f->inner, bytes, n, err) < 0)
            return (int)err->code;
    }
    return 0;
}

static void collect(struct filter *f)
{
    uint8_t bytes[512];
    size_t n = 1;

    while (n != 0 && !f->cut && f->inner_status == 0 &&
           lane_room(&f->lanes[FILTER_FROM_TARGET]) > 4 * sizeof(bytes)) {
        n = 0;
        f->inner_status = transport_recv(f->inner, bytes, sizeof(bytes), 0, &n, &f->inner_err);
        if (f->inner_status == 0)
            record(f, '<', bytes, n);
        for (size_t i = 0; f->inner_status == 0 && i < n; i++)
            take_byte(f, FILTER_FROM_TARGET, bytes[i]);
    }
}

static int pump(struct filter *f, struct err *err)
{
    if (deliver(f, err) < 0)
        return (int)err->code;
    collect(f);
    return 0;
}

/*
 * When something is next to be done, at least a millisecond from now while bytes are paced (to
 * wake up for every byte would cost a core), at most `until`.
 */
static uint64_t next_event(const struct filter *f, uint64_t until)
{
    uint64_t least = clock_monotonic_ns() + (f->byte_ns != 0 ? 1000000 : 0);

    for (int i = 0; i < 2; i++) {
        const struct lane *lane = &f->lanes[i];

        if (lane->tail != lane->head && lane->due_ns[lane->tail % LANE_SIZE] < until)
            until = lane->due_ns[lane->tail % LANE_SIZE];
    }
    return until > least ? until : least;
}

static void wait_until(const struct filter *f, uint64_t at_ns)
{
    uint64_t now = clock_monotonic_ns();
    struct pollfd p = {.fd = f->inner_status == 0 && !f->cut ? transport_fd(f->inner) : -1,
                       .events = POLLIN};
    struct timespec t;

    if (at_ns <= now)
        return;
    t.tv_sec = (time_t)((at_ns - now) / 1000000000);
    t.tv_nsec = (long)((at_ns - now) % 1000000000);
    (void)ppoll(&p, 1, &t, NULL);
}

/* ---- the transport ---- */

static int filter_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    struct filter *f = (struct filter *)t;
    const uint8_t *at = data;

    record(f, '>', at, n);
    for (size_t i = 0; i < n; i++) {
        /* A driver's buffer of a few kB: beyond it, write() waits for the line. */
        while (lane_used(&f->lanes[FILTER_TO_TARGET]) >= 4096 && !f->cut) {
            if (pump(f, err) < 0)
                return (int)err->code;
            if (lane_used(&f->lanes[FILTER_TO_TARGET]) >= 4096)
                wait_until(f, next_event(f, UINT64_MAX));
        }
        take_byte(f, FILTER_TO_TARGET, at[i]);
    }
    return f->cut ? cut_error(f, err) : pump(f, err);
}

static int filter_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms,
                       size_t *ret_n, struct err *err)
{
    struct filter *f = (struct filter *)t;
    uint64_t until = clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;

    for (;;) {
        uint64_t now;

        if (pump(f, err) < 0)
            return (int)err->code;
        now = clock_monotonic_ns();
        *ret_n = lane_pop(&f->lanes[FILTER_FROM_TARGET], now, data, cap);
        if (*ret_n != 0)
            return 0;
        if (f->cut)
            return cut_error(f, err);
        if (f->inner_status != 0 && lane_used(&f->lanes[FILTER_FROM_TARGET]) == 0) {
            *err = f->inner_err;
            return f->inner_status;
        }
        if (now >= until)
            return 0;
        wait_until(f, next_event(f, until));
    }
}

static int filter_set_baud(struct transport *t, unsigned baud, struct err *err)
{
    struct filter *f = (struct filter *)t;

    while (lane_used(&f->lanes[FILTER_TO_TARGET]) != 0 && !f->cut) {
        if (pump(f, err) < 0)
            return (int)err->code;
        wait_until(f, next_event(f, clock_monotonic_ns()));
    }
    if (f->byte_ns != 0)
        f->byte_ns = 10000000000 / baud;
    return transport_has_baud(f->inner) ? transport_set_baud(f->inner, baud, err) : 0;
}

static int filter_fd(struct transport *t)
{
    (void)t;
    return -1; /* readiness here is a matter of time too */
}

static void filter_close(struct transport *t)
{
    transport_close(((struct filter *)t)->inner);
}

/* Not in the registry: it needs another transport. */
static const struct transport_ops transport_filter = {
    .name = "filter",
    .help = "wraps another transport: pace, delay, drop, corrupt, cut, record",
    .size = sizeof(struct filter),
    .send = filter_send,
    .recv = filter_recv,
    .set_baud = filter_set_baud,
    .fd = filter_fd,
    .close = filter_close,
};

int filter_open(struct transport *inner, const struct filter_options *options,
                struct transport **ret, struct err *err)
{
    struct filter *f = calloc(1, sizeof(*f));

    if (f == NULL) {
        transport_close(inner);
        return err_set(err, ERR_BUG, "out of memory");
    }
    f->base.ops = &transport_filter;
    f->inner = inner;
    f->options = *options;
    f->start_ns = clock_monotonic_ns();
    f->random = options->seed * 2654435761u + 88172645u;
    if (f->random == 0)
        f->random = 1;
    f->byte_ns = options->pace_baud != 0 ? 10000000000 / options->pace_baud : 0;
    *ret = &f->base;
    return 0;
}

uint64_t filter_count(const struct transport *filter, enum filter_direction direction)
{
    return ((const struct filter *)filter)->lanes[direction].count;
}
