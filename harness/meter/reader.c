#include "harness/meter/reader.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"

enum {
    RING_SIZE = 4 << 20,
    PIECE_MAX = 16384,
    STAMPS = 8192, /* at least RING_SIZE / the usual 512 bytes of a read */
    RECV_MS = 50,
};

struct stamp {
    uint64_t end; /* stream position after the piece */
    uint64_t at_ns;
};

struct reader {
    struct transport *transport;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    atomic_bool failed;
    struct err error; /* valid once failed */
    int event;
    _Atomic uint64_t written; /* stream positions; the ring index is the rest by RING_SIZE */
    _Atomic uint64_t taken;
    _Atomic uint64_t stamps_written;
    _Atomic uint64_t stamps_taken;
    struct stamp stamps[STAMPS];
    uint8_t ring[RING_SIZE];
};

/* Room in one piece behind the bytes written; waits while there is none. */
static size_t room(struct reader *r, uint64_t written)
{
    while (!atomic_load(&r->stop)) {
        const uint64_t used = written - atomic_load(&r->taken);
        const size_t to_end = RING_SIZE - (size_t)(written % RING_SIZE);
        const size_t free_bytes = RING_SIZE - (size_t)used;
        const size_t n = free_bytes < to_end ? free_bytes : to_end;
        const uint64_t open =
            STAMPS - (atomic_load(&r->stamps_written) - atomic_load(&r->stamps_taken));

        if (n > 0 && open > 0)
            return n < PIECE_MAX ? n : PIECE_MAX;
        clock_sleep_ms(1);
    }
    return 0;
}

static void publish(struct reader *r, uint64_t written)
{
    const uint64_t one = 1;
    const uint64_t at = atomic_load(&r->stamps_written);

    r->stamps[at % STAMPS] = (struct stamp){.end = written, .at_ns = clock_monotonic_ns()};
    atomic_store(&r->stamps_written, at + 1);
    atomic_store(&r->written, written);
    (void)!write(r->event, &one, sizeof(one));
}

static void *read_loop(void *context)
{
    struct reader *r = context;
    uint64_t written = 0;

    while (!atomic_load(&r->stop)) {
        const size_t cap = room(r, written);
        size_t n = 0;

        if (cap == 0)
            break;
        if (transport_recv(r->transport, r->ring + written % RING_SIZE, cap, RECV_MS, &n,
                           &r->error) < 0) {
            const uint64_t one = 1;

            atomic_store(&r->failed, true);
            (void)!write(r->event, &one, sizeof(one));
            break;
        }
        if (n == 0)
            continue;
        written += n;
        publish(r, written);
    }
    return NULL;
}

static int start_thread(struct reader *r, struct err *err)
{
    sigset_t all;
    sigset_t before;
    int failure;

    (void)sigfillset(&all); /* signals are for the threads that know what to do with them */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&r->thread, NULL, read_loop, r);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        return err_sys(err, failure, "reader thread");
    r->running = true;
    return 0;
}

int reader_start(struct transport *t, struct reader **ret, struct err *err)
{
    AUTO(reader_stop_auto) struct reader *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->transport = t;
    r->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->event < 0)
        return err_sys(err, errno, "eventfd");
    if (start_thread(r, err) < 0)
        return (int)err->code;
    *ret = MOVE(r);
    return 0;
}

void reader_stop(struct reader *r)
{
    if (r == NULL)
        return;
    atomic_store(&r->stop, true);
    if (r->running)
        (void)pthread_join(r->thread, NULL);
    fd_close(&r->event);
    free(r);
}

static bool wait_for_bytes(struct reader *r, unsigned timeout_ms)
{
    const struct deadline end = deadline_in_ms(timeout_ms);

    for (;;) {
        struct pollfd p = {.fd = r->event, .events = POLLIN};
        uint64_t count;

        (void)!read(r->event, &count, sizeof(count));
        if (atomic_load(&r->written) != atomic_load(&r->taken))
            return true;
        if (atomic_load(&r->failed) || deadline_passed(end))
            return false;
        (void)poll(&p, 1, (int)deadline_left_ms(end));
    }
}

/* The time of the last piece that ends at or before `end`. */
static uint64_t time_of(struct reader *r, uint64_t end)
{
    const uint64_t last = atomic_load(&r->stamps_written);
    uint64_t at = atomic_load(&r->stamps_taken);
    uint64_t ns = 0;

    for (; at < last && r->stamps[at % STAMPS].end <= end; at++)
        ns = r->stamps[at % STAMPS].at_ns;
    return ns;
}

int reader_peek(struct reader *r, unsigned timeout_ms, const uint8_t **ret_data, size_t *ret_size,
                uint64_t *ret_at_ns, struct err *err)
{
    uint64_t taken;
    uint64_t n;
    size_t to_end;

    *ret_size = 0;
    *ret_data = NULL;
    if (!wait_for_bytes(r, timeout_ms)) {
        if (!atomic_load(&r->failed))
            return 0;
        if (atomic_load(&r->written) == atomic_load(&r->taken)) {
            *err = r->error;
            return (int)err->code;
        }
    }
    taken = atomic_load(&r->taken);
    n = atomic_load(&r->written) - taken;
    to_end = RING_SIZE - (size_t)(taken % RING_SIZE);
    *ret_data = r->ring + taken % RING_SIZE;
    *ret_size = n < to_end ? (size_t)n : to_end;
    *ret_at_ns = time_of(r, taken + *ret_size);
    return 0;
}

void reader_consume(struct reader *r, size_t n)
{
    const uint64_t taken = atomic_load(&r->taken) + n;
    uint64_t at = atomic_load(&r->stamps_taken);
    const uint64_t last = atomic_load(&r->stamps_written);

    while (at < last && r->stamps[at % STAMPS].end <= taken)
        at++;
    atomic_store(&r->stamps_taken, at);
    atomic_store(&r->taken, taken);
}
