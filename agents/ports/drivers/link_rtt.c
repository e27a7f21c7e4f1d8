/*
 * The link without a serial port: two rings in RAM, in the layout of SEGGER's RTT, which a debug
 * probe reads and writes while the core runs.
 *
 * No memory may be touched from outside while a window is measured, so both sides keep to a
 * handshake over the two registers of the core that every Cortex-M has and that lie on its private
 * bus, not in memory. The priority of PendSV (which never does any harm here) is what the host
 * sees of us, and pending it is how the host rings:
 *
 *   priority  0   talk: the host may read and write the rings; each write of it rings
 *             1, 3  may I be silent? The host empties the ring and rings. Alternating, so that it
 *                   knows a new question from one that it has answered
 *             2   silent: a window is measured, the host looks at nothing but this priority
 *
 * A host that has never written anything is not asked, and none is waited for without an end.
 */
#include "agents/core/agent.h"
#include "agents/core/port.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "agents/ports/cortexm/cpu.h"

#define ICSR_PENDSVSET (1u << 28)
#define ICSR_PENDSVCLR (1u << 27)
#define PRIORITY_SHIFT 22
#define PRIORITY_MASK  (0xffu << 16)

/* Looks at the host before we go on without it: half a second and more. */
#define PATIENCE 20000000u

enum {
    TALK = 0,
    ASK = 1,
    SILENT = 2,
    ASK_AGAIN = 3,
};

struct ring {
    const char *name;
    volatile uint8_t *bytes;
    uint32_t size;
    volatile uint32_t written; /* where the next byte goes */
    volatile uint32_t read;
    uint32_t flags;
};

struct rtt_block {
    volatile char id[16];
    uint32_t ups, downs;
    struct ring up, down;
};

/* Found by this name in the ELF, or by its id in RAM. */
extern struct rtt_block rtt_block;
struct rtt_block rtt_block;

static volatile uint8_t up_bytes[BOARD_RTT_UP];
static volatile uint8_t down_bytes[BOARD_RTT_DOWN];
static uint8_t asked;
static bool met;    /* the host has written something */
static bool absent; /* it did not empty the ring for a long time: do not wait again */

static void show(uint32_t state)
{
    REG32(SCS_SHPR3) = (REG32(SCS_SHPR3) & ~PRIORITY_MASK) | state << PRIORITY_SHIFT;
    __asm__ volatile("dsb" ::: "memory");
}

void uart_start(void)
{
    /* Written backwards and piece by piece, so that no copy of the text lies in the image. */
    static const char di[] = "TTR REGGES";

    show(TALK);
    rtt_block.ups = 1;
    rtt_block.downs = 1;
    rtt_block.up = (struct ring){"tinyrig", up_bytes, sizeof(up_bytes), 0, 0, 0};
    rtt_block.down = (struct ring){"tinyrig", down_bytes, sizeof(down_bytes), 0, 0, 0};
    for (uint32_t i = 0; i < sizeof(di) - 1; i++)
        rtt_block.id[i] = di[sizeof(di) - 2 - i];
}

bool uart_set_baud(uint32_t baud)
{
    (void)baud;
    return false; /* nothing here has a rate */
}

void uart_put(uint8_t byte)
{
    struct ring *r = &rtt_block.up;
    uint32_t next = r->written + 1 == r->size ? 0 : r->written + 1;

    for (uint32_t n = absent ? 0 : PATIENCE; next == r->read; n--) {
        if (n == 0) {
            absent = true; /* nobody reads: the byte is lost, as on a cable that is not there */
            return;
        }
    }
    absent = false;
    r->bytes[r->written] = byte;
    __asm__ volatile("dmb" ::: "memory");
    r->written = next;
}

void uart_drain(void)
{
    for (uint32_t n = met ? PATIENCE : 0; n != 0 && rtt_block.up.read != rtt_block.up.written; n--)
        ;
}

/* Called with interrupts off, so that the host's ring stays pending until we have seen it. */
static void ask(void)
{
    asked = asked == ASK ? ASK_AGAIN : ASK;
    REG32(SCS_ICSR) = ICSR_PENDSVCLR;
    show(asked);
    for (uint32_t n = met ? PATIENCE : 0; n != 0 && (REG32(SCS_ICSR) & ICSR_PENDSVSET) == 0; n--)
        ;
    REG32(SCS_ICSR) = ICSR_PENDSVCLR;
    show(SILENT);
}

void uart_listen(bool listen)
{
    if (listen)
        show(TALK);
    else
        ask();
}

/* The handler of PendSV, and what port_wait() calls after the host rang. */
void uart_irq(void)
{
    struct ring *r = &rtt_block.down;

    REG32(SCS_ICSR) = ICSR_PENDSVCLR; /* before looking: what comes later rings again */
    while (r->read != r->written && r->written < r->size) {
        agent_rx(r->bytes[r->read]);
        r->read = r->read + 1 == r->size ? 0 : r->read + 1;
        met = true;
    }
}
