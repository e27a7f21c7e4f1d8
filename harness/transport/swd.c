/*
 * The link over a debug probe: rings in the target's RAM (agents/ports/drivers/link_rtt.c), read
 * and written through OpenOCD's Tcl port while the core runs. One command per look: a procedure
 * that lives in OpenOCD does the accesses of a whole step.
 *
 * OpenOCD has an RTT server of its own. It is not used: it reads RAM whenever its timer says so, in
 * the middle of measured windows too, and is slower: 1.6 ms for a piece of 1000 bytes that is there
 * against 0.8 ms this way (tests/bench/swd.c measures both).
 *
 * While the target is silent nothing but the priority of PendSV is read, a register on the core's
 * private bus: no memory access of ours falls into a measured window.
 *
 * `where` is the address of the rings' control block, or "BASE+SIZE" of the RAM to search;
 * `context` is the connected struct openocd, borrowed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/base/clock.h"
#include "harness/base/log.h"
#include "harness/base/text.h"
#include "harness/openocd/openocd.h"
#include "harness/transport/swd.h"
#include "harness/transport/transport.h"

enum {
    COMMAND_MS = 4000,
    FIND_MS = 3000,
    NAP_MAX_MS = 2,
    SILENT_NAP_MS = 4,
    RING_MAX = 1 << 20,
    WAITING_MAX = 1 << 20,
    SEND_MAX = 1024, /* bytes in one command */
};

/* What the priority of PendSV says. */
enum {
    TALK = 0,
    SILENT = 2,
};

struct swd {
    struct transport base;
    struct openocd *openocd;
    uint32_t block;
    uint32_t up, up_size, down, down_size;
    unsigned answered; /* the question to be silent that was answered last */
    unsigned state;
    struct buf waiting; /* received while we wanted to send */
};

/*
 * recv: state of the target, then the bytes of the up ring. A question is answered after the ring
 * was emptied, and then nothing is touched until the state changes.
 * send: how many bytes went into the down ring; -1 while the target wants silence.
 */
static const char procedures[] =
    "proc tinyrig_state {} {expr {([read_memory 0xe000ed20 32 1] >> 22) & 3}};"
    "proc tinyrig_ring {} {write_memory 0xe000ed04 32 0x10000000};"
    "proc tinyrig_recv {block base size answered} {"
    " set s [tinyrig_state];"
    " if {$s == 2 || ($s != 0 && $s == $answered)} {return $s};"
    " lassign [read_memory [expr {$block + 36}] 32 2] w r;"
    " if {$w >= $size || $r >= $size} {error {the rings are broken}};"
    " set out {};"
    " if {$w > $r} {set out [read_memory [expr {$base + $r}] 8 [expr {$w - $r}]]};"
    " if {$w < $r} {"
    "  set out [read_memory [expr {$base + $r}] 8 [expr {$size - $r}]];"
    "  if {$w > 0} {append out { } [read_memory $base 8 [expr {$w - 0}]]}"
    " };"
    " if {$w != $r} {write_memory [expr {$block + 40}] 32 $w};"
    " if {$s != 0} {tinyrig_ring};"
    " return \"$s $out\""
    "};"
    "proc tinyrig_send {block base size bytes} {"
    " if {[tinyrig_state] != 0} {return -1};"
    " lassign [read_memory [expr {$block + 60}] 32 2] w r;"
    " if {$w >= $size || $r >= $size} {error {the rings are broken}};"
    " set room [expr {($r - $w - 1 + $size) % $size}];"
    " set n [llength $bytes];"
    " if {$n > $room} {set n $room};"
    " if {$n == 0} {return 0};"
    " set first [expr {$size - $w}];"
    " if {$first > $n} {set first $n};"
    " write_memory [expr {$base + $w}] 8 [lrange $bytes 0 [expr {$first - 1}]];"
    " if {$n > $first} {write_memory $base 8 [lrange $bytes $first [expr {$n - 1}]]};"
    " write_memory [expr {$block + 60}] 32 [expr {($w + $n) % $size}];"
    " tinyrig_ring;"
    " return $n"
    "}";

/* ---- finding the rings ---- */

static bool is_block(const uint32_t id[4])
{
    static const char wanted[16] = "SEGGER RTT";

    return memcmp(id, wanted, sizeof(wanted)) == 0;
}

static int search(struct swd *s, uint32_t base, uint32_t size, bool *ret_found, struct err *err)
{
    enum {
        WORDS = 1024
    };
    uint32_t words[WORDS];

    for (uint32_t at = 0; at < size; at += (WORDS - 4) * 4) {
        const uint32_t left = (size - at) / 4;
        const uint32_t n = left < WORDS ? left : WORDS;

        if (n < 4)
            break;
        if (openocd_read_words(s->openocd, base + at, words, n, err) < 0)
            return (int)err->code;
        for (uint32_t i = 0; i + 4 <= n; i++) {
            if (is_block(words + i)) {
                s->block = base + at + i * 4;
                *ret_found = true;
                return 0;
            }
        }
    }
    return 0;
}

static int look(struct swd *s, uint32_t base, uint32_t size, bool *ret_found, struct err *err)
{
    uint32_t id[4];

    *ret_found = false;
    if (size != 0)
        return search(s, base, size, ret_found, err);
    if (openocd_read_words(s->openocd, base, id, 4, err) < 0)
        return (int)err->code;
    s->block = base;
    *ret_found = is_block(id);
    return 0;
}

/* The agent writes the id last, after the rings are ready. */
static int find_block(struct swd *s, const char *where, struct err *err)
{
    const struct deadline end = deadline_in_ms(FIND_MS);
    char *plus = NULL;
    const unsigned long long base = strtoull(where, &plus, 0);
    const unsigned long long size = *plus == '+' ? strtoull(plus + 1, &plus, 0) : 0;
    bool found = false;

    if (plus == where || *plus != '\0' || base > UINT32_MAX || size > RING_MAX * 16ull)
        return err_set(err, ERR_CONFIG, "where '%s': expected an address or BASE+SIZE", where);
    for (;;) {
        if (look(s, (uint32_t)base, (uint32_t)size, &found, err) < 0)
            return (int)err->code;
        if (found)
            return 0;
        if (deadline_passed(end))
            break;
        clock_sleep_ms(5);
    }
    (void)err_set(err, ERR_TIMEOUT, "the agent's rings are not in RAM at %s", where);
    return err_hint(
        err, "is the flash blank, or does it hold an agent that does not talk through a probe?");
}

static int read_rings(struct swd *s, struct err *err)
{
    uint32_t words[18];

    if (openocd_read_words(s->openocd, s->block, words, ARRAY_SIZE(words), err) < 0)
        return (int)err->code;
    s->up = words[7];
    s->up_size = words[8];
    s->down = words[13];
    s->down_size = words[14];
    if (words[4] == 0 || words[5] == 0 || s->up_size < 16 || s->up_size > RING_MAX ||
        s->down_size < 16 || s->down_size > RING_MAX)
        return err_set(err, ERR_PROTOCOL, "rings of %u and %u bytes at 0x%x make no sense",
                       s->up_size, s->down_size, s->block);
    return 0;
}

/* ---- one look ---- */

int swd_parse_bytes(const char *text, unsigned *ret_state, struct buf *out, struct err *err)
{
    char *end;

    *ret_state = (unsigned)strtoul(text, &end, 0);
    if (end == text || *ret_state > 3)
        return err_set(err, ERR_PROTOCOL, "OpenOCD: '%.40s' is no state of the rings", text);
    for (const char *p = end; *p != '\0'; p = end) {
        unsigned long v;

        p += strspn(p, " ");
        if (*p == '\0')
            break;
        v = strtoul(p, &end, 0);
        if (end == p || v > 255)
            return err_set(err, ERR_PROTOCOL, "OpenOCD: '%.40s' is no byte", p);
        buf_putc(out, (char)v);
    }
    return 0;
}

static int poll_once(struct swd *s, struct err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (openocd_command(s->openocd, COMMAND_MS, &text, err, "tinyrig_recv 0x%x 0x%x %u %u",
                        s->block, s->up, s->up_size, s->answered) < 0)
        return (int)err->code;
    if (swd_parse_bytes(buf_text(&text), &s->state, &s->waiting, err) < 0)
        return (int)err->code;
    if (s->waiting.full)
        return err_set(err, ERR_PROTOCOL, "the target sends without an end");
    if (s->state != TALK && s->state != SILENT)
        s->answered = s->state;
    return 0;
}

/* ---- the transport ---- */

static int swd_open(struct transport *t, const struct transport_config *config, struct err *err)
{
    struct swd *s = (struct swd *)t;

    s->openocd = config->context;
    s->waiting.limit = WAITING_MAX;
    if (s->openocd == NULL || config->where == NULL)
        return err_set(err, ERR_CONFIG, "transport swd needs a board with a debug probe");
    if (openocd_command(s->openocd, COMMAND_MS, NULL, err, "%s", procedures) < 0 ||
        find_block(s, config->where, err) < 0)
        return (int)err->code;
    return read_rings(s, err);
}

static int send_piece(struct swd *s, const uint8_t *data, size_t n, long *ret_sent, struct err *err)
{
    AUTO_BUF command = BUF_INIT;
    AUTO_BUF answer = BUF_INIT;
    char *end;

    buf_printf(&command, "tinyrig_send 0x%x 0x%x %u {", s->block, s->down, s->down_size);
    for (size_t i = 0; i < n; i++)
        buf_printf(&command, "%u ", data[i]);
    buf_putc(&command, '}');
    if (openocd_command(s->openocd, COMMAND_MS, &answer, err, "%s", buf_text(&command)) < 0)
        return (int)err->code;
    *ret_sent = strtol(buf_text(&answer), &end, 10);
    if (end == buf_text(&answer) || *ret_sent < -1 || *ret_sent > (long)n)
        return err_set(err, ERR_PROTOCOL, "OpenOCD sent '%.40s' of %zu bytes", buf_text(&answer),
                       n);
    return 0;
}

static int swd_send(struct transport *t, const void *data, size_t n, struct err *err)
{
    struct swd *s = (struct swd *)t;
    struct deadline end = deadline_in_ms(TRANSPORT_STALL_MS);
    const uint8_t *bytes = data;

    while (n > 0) {
        long sent = 0;

        if (send_piece(s, bytes, n > SEND_MAX ? SEND_MAX : n, &sent, err) < 0)
            return (int)err->code;
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
            end = deadline_in_ms(TRANSPORT_STALL_MS);
            continue;
        }
        if (deadline_passed(end))
            return err_set(err, ERR_TIMEOUT, "the target took no byte for %d ms",
                           TRANSPORT_STALL_MS);
        /* It may wait for us to let it be silent. */
        if (poll_once(s, err) < 0)
            return (int)err->code;
        clock_sleep_ms(s->state == SILENT ? SILENT_NAP_MS : 1);
    }
    return 0;
}

static int swd_recv(struct transport *t, void *data, size_t cap, unsigned timeout_ms, size_t *ret_n,
                    struct err *err)
{
    struct swd *s = (struct swd *)t;
    const struct deadline end = deadline_in_ms(timeout_ms);
    unsigned nap_ms = 0;

    *ret_n = 0;
    while (s->waiting.len == 0) {
        if (poll_once(s, err) < 0)
            return (int)err->code;
        if (s->waiting.len > 0 || deadline_passed(end))
            break;
        clock_sleep_ms(s->state == SILENT ? SILENT_NAP_MS : nap_ms);
        nap_ms = nap_ms < NAP_MAX_MS ? nap_ms + 1 : nap_ms;
    }
    *ret_n = s->waiting.len < cap ? s->waiting.len : cap;
    if (*ret_n > 0) {
        memcpy(data, s->waiting.data, *ret_n);
        buf_consume(&s->waiting, *ret_n);
    }
    return 0;
}

static int swd_fd(struct transport *t)
{
    return -1; /* the target cannot call: it has to be asked */
}

static void swd_close(struct transport *t)
{
    struct swd *s = (struct swd *)t;

    buf_release(&s->waiting);
}

const struct transport_ops transport_swd = {
    .name = "swd",
    .help = "rings in the target's RAM, through OpenOCD and a debug probe",
    .size = sizeof(struct swd),
    .open = swd_open,
    .send = swd_send,
    .recv = swd_recv,
    .fd = swd_fd,
    .close = swd_close,
};
