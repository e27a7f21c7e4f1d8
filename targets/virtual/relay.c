#include "targets/virtual/relay.h"

#include <unistd.h>

#define TO_BOARD_MAX 4096
#define TO_HOST_MAX  (1u << 20)

void relay_init(struct relay *r)
{
    *r = (struct relay){.slot_to = -1, .slot_from = -1};
    r->to_board.limit = TO_HOST_MAX; /* faults can multiply bytes */
    r->from_board.limit = TO_HOST_MAX;
    r->to_host.limit = TO_HOST_MAX;
}

void relay_prepare(struct relay *r, struct poll_set *set, struct pty *pty, struct relay_uart uart)
{
    const bool room = r->from_host.len < TO_BOARD_MAX && r->to_board.len < TO_BOARD_MAX;

    pty_prepare(pty, set, (short)((room ? POLLIN : 0) | (r->to_host.len > 0 ? POLLOUT : 0)));
    r->slot_from = poll_set_add(set, uart.from, POLLIN);
    r->slot_to = poll_set_add(set, r->to_board.len > 0 ? uart.to : -1, POLLOUT);
}

static void hear_host(struct relay *r, struct pty *pty)
{
    char chunk[TO_BOARD_MAX];
    const ssize_t n = pty_read(pty, chunk, sizeof(chunk));

    if (n > 0)
        buf_append(&r->from_host, chunk, (size_t)n);
}

static void hear_board(struct relay *r, int uart)
{
    char chunk[4096];
    ssize_t n;

    while ((n = read(uart, chunk, sizeof(chunk))) > 0) {
        r->bytes_from_board += (uint64_t)n;
        if (r->deaf)
            continue;
        buf_append(&r->from_board, chunk, (size_t)n);
        if (r->from_board.full) { /* buf drops an append that does not fit as a whole */
            r->dropped += (uint64_t)n;
            r->from_board.full = false;
        }
        if ((size_t)n < sizeof(chunk))
            break;
    }
}

static void tell_board(struct relay *r, int uart, struct fault_set *faults)
{
    const size_t used = fault_pass(faults, TO_BOARD, (const uint8_t *)r->from_host.data,
                                   r->from_host.len, &r->to_board);
    ssize_t n;

    if (fault_echoes(faults))
        buf_append(&r->to_host, r->from_host.data, used);
    buf_consume(&r->from_host, used);
    if (r->to_board.len == 0)
        return;
    n = write(uart, r->to_board.data, r->to_board.len);
    if (n > 0) {
        r->bytes_to_board += (uint64_t)n;
        buf_consume(&r->to_board, (size_t)n);
    }
}

static void tell_host(struct relay *r, struct pty *pty, struct fault_set *faults)
{
    size_t used;
    ssize_t n;

    if (!fault_stalls(faults, FROM_BOARD)) {
        used = fault_pass(faults, FROM_BOARD, (const uint8_t *)r->from_board.data,
                          r->from_board.len, &r->to_host);
        buf_consume(&r->from_board, used);
    }
    if (r->to_host.full) {
        r->dropped++;
        r->to_host.full = false;
    }
    if (!pty->open) {
        buf_clear(&r->to_host);
        return;
    }
    n = r->to_host.len > 0 ? pty_write(pty, r->to_host.data, r->to_host.len) : 0;
    if (n > 0)
        buf_consume(&r->to_host, (size_t)n);
}

void relay_hear(struct relay *r, const struct poll_set *set, struct pty *pty,
                struct relay_uart uart)
{
    if ((pty_serve(pty, set) & (POLLIN | POLLHUP)) != 0)
        hear_host(r, pty);
    if (poll_set_events(set, r->slot_from) != 0 && uart.from >= 0)
        hear_board(r, uart.from);
}

void relay_tell(struct relay *r, struct pty *pty, struct relay_uart uart, struct fault_set *faults)
{
    if (uart.to < 0)
        relay_forget_input(r);
    else
        tell_board(r, uart.to, faults);
    tell_host(r, pty, faults);
}

void relay_drain(struct relay *r, int from)
{
    char chunk[4096];
    ssize_t n;

    buf_clear(&r->from_board);
    while (from >= 0 && (n = read(from, chunk, sizeof(chunk))) > 0)
        r->bytes_from_board += (uint64_t)n;
}

void relay_forget_input(struct relay *r)
{
    buf_clear(&r->from_host);
    buf_clear(&r->to_board);
}

void relay_forget_output(struct relay *r)
{
    buf_clear(&r->from_board);
    buf_clear(&r->to_host);
}

void relay_release(struct relay *r)
{
    buf_release(&r->from_host);
    buf_release(&r->to_board);
    buf_release(&r->from_board);
    buf_release(&r->to_host);
}
