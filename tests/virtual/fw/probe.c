/*
 * A firmware for testing the emulated probe: it says which version it is, answers over RTT-style
 * rings, and carries 24 KiB of noise so that two versions differ in every page of the flash.
 * Freestanding; -DVERSION=1 or 2, and -DNRF51 for the micro:bit instead of mps2-an386.
 *
 *   on the UART   "hello VERSION\n" at reset, then what comes in through the down ring
 *   up ring       "ring VERSION\n" at reset
 *   mailbox       word 0 a command (0: none), word 1 its argument, word 2 the answer
 *
 * Command 1 adds VERSION; 2 runs into a BKPT, 3 faults inside the fault handler, 4
 * writes its argument into the last page of the flash (nRF51).
 */
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

extern uint32_t stack_top[];
void start(void);
void fault(void);

__attribute__((section(".vectors"), used)) void *const vectors[16] = {
    stack_top, start, fault, fault, fault, fault, fault, [11] = fault, [14] = fault, [15] = fault,
};

/* A fault while handling a fault is a lockup. */
__attribute__((naked)) void fault(void)
{
    __asm volatile("udf #0");
}

#ifdef NRF51
#define UART_SENT REG(0x4000211c)

static void open_uart(void)
{
    REG(0x40002500) = 4; /* ENABLE */
    REG(0x4000250c) = 9; /* PSELTXD */
    REG(0x40002008) = 1; /* STARTTX */
}

static void put(char c)
{
    UART_SENT = 0;
    REG(0x4000251c) = (uint8_t)c;
    while (UART_SENT == 0)
        ;
}

/* Into the last page, through the NVMC. */
static void write_flash(uint32_t value)
{
    REG(0x4001e504) = 1; /* CONFIG: write */
    REG(0x0003fc00) = value;
    while (REG(0x4001e400) == 0) /* READY */
        ;
    REG(0x4001e504) = 0;
}
#else
static void open_uart(void)
{
    REG(0x40004010) = 16; /* BAUDDIV */
    REG(0x40004008) = 1;  /* CTRL: transmit */
}

static void put(char c)
{
    while ((REG(0x40004004) & 1) != 0)
        ;
    REG(0x40004000) = (uint8_t)c;
}
#endif

struct ring {
    const char *name;
    char *bytes;
    uint32_t size;
    volatile uint32_t write;
    volatile uint32_t read;
    uint32_t flags;
};

/* The layout that OpenOCD's RTT looks for. */
static struct {
    char id[16];
    int32_t up_count;
    int32_t down_count;
    struct ring up;
    struct ring down;
} control __attribute__((section(".rings")));

static volatile uint32_t mailbox[4] __attribute__((section(".mailbox")));
static char up_bytes[64] __attribute__((section(".rings")));
static char down_bytes[32] __attribute__((section(".rings")));

/* Noise of the assembler's making: x = x * 1103515245 + 12345. */
__asm(".section .noise,\"a\"\n"
      ".set x, " VERSION "\n"
      ".rept 6144\n"
      ".set x, (x * 1103515245 + 12345) & 0x7fffffff\n"
      ".word x\n"
      ".endr\n"
      ".text\n");

static void open_rings(void)
{
    static const char backwards[] = "TTR REGGES"; /* the id must be nowhere else */

    control.up_count = 1;
    control.down_count = 1;
    control.up = (struct ring){"up", up_bytes, sizeof(up_bytes), 0, 0, 0};
    control.down = (struct ring){"down", down_bytes, sizeof(down_bytes), 0, 0, 0};
    for (int i = 0; i < 16; i++)
        ((volatile char *)control.id)[i] = i < 10 ? backwards[9 - i] : '\0';
}

static void say_in_ring(const char *s)
{
    for (; *s != '\0'; s++) {
        up_bytes[control.up.write] = *s;
        control.up.write = (control.up.write + 1) % sizeof(up_bytes);
    }
}

static void say(const char *s)
{
    while (*s != '\0')
        put(*s++);
}

static void obey(void)
{
    if (mailbox[0] == 1)
        mailbox[2] = mailbox[1] + VERSION[0] - '0';
    else if (mailbox[0] == 2)
        __asm volatile("bkpt #1");
#ifdef NRF51
    else if (mailbox[0] == 4)
        write_flash(mailbox[1]);
#endif
    else if (mailbox[0] == 3)
        __asm volatile("udf #0");
    mailbox[0] = 0;
}

void start(void)
{
    open_uart();
    mailbox[0] = 0;
    say("hello " VERSION "\n");
    open_rings();
    say_in_ring("ring " VERSION "\n");
    for (;;) {
        if (mailbox[0] != 0)
            obey();
        if (control.down.read != control.down.write) {
            put(down_bytes[control.down.read]);
            control.down.read = (control.down.read + 1) % sizeof(down_bytes);
        }
    }
}
