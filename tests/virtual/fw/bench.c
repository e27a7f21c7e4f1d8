/*
 * A firmware for testing the virtual boards themselves, on QEMU's mps2-an386: it does on demand
 * what an agent should never do. Freestanding, no interrupt, no library.
 *
 * Commands are one letter and, where said, a number in hex and a newline:
 *   p        "pong"
 *   m N\n    marker up, 2*N+1 instructions, marker down; "m TICKS" of the 25 MHz counter
 *   r A\n    "r WORD" read from address A
 *   e N\n    sends the next N bytes back
 *   l        faults inside the fault handler: the core locks up
 *   w        never answers again
 *   z        resets itself
 */
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define UART_DATA    REG(0x40004000)
#define UART_STATE   REG(0x40004004)
#define UART_CTRL    REG(0x40004008)
#define UART_BAUDDIV REG(0x40004010)
#define COUNTER      REG(0x40028018) /* FPGAIO, 25 MHz */
#define PRESCALE     REG(0x4002801c)
#define MARKER_SET   REG(0x40010404) /* GPIO0, which QEMU leaves out: a store is only seen */
#define MARKER_CLEAR REG(0x40010408)
#define AIRCR        REG(0xe000ed0c)

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

static void put(char c)
{
    while ((UART_STATE & 1) != 0)
        ;
    UART_DATA = (uint8_t)c;
}

static void say(const char *s)
{
    while (*s != '\0')
        put(*s++);
}

static void say_number(const char *name, uint32_t n)
{
    say(name);
    for (int shift = 28; shift >= 0; shift -= 4)
        put("0123456789abcdef"[n >> shift & 15]);
    say("\n");
}

/* Exactly 2n instructions. */
static inline void work(uint32_t n)
{
    __asm volatile("1: subs %0, #1\n bne 1b" : "+l"(n)::"cc");
}

/*
 * Every look at a device needs QEMU's big lock, and a loop of nothing else makes it hard for its
 * main thread to bring the byte that we wait for. So work a little between two looks.
 */
static char get(void)
{
    while ((UART_STATE & 2) == 0)
        work(500);
    return (char)UART_DATA;
}

static uint32_t get_number(void)
{
    uint32_t n = 0;

    for (char c = get(); c != '\n'; c = get()) {
        if (c >= '0' && c <= '9')
            n = n << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n << 4 | (uint32_t)(c - 'a' + 10);
    }
    return n;
}

static void marked_work(uint32_t n)
{
    const uint32_t begin = COUNTER;

    /* Between the two marker stores: 2n instructions of work and the second store. */
    __asm volatile("str %1, [%2]\n1: subs %0, #1\n bne 1b\n str %1, [%3]"
                   : "+l"(n)
                   : "l"(1), "l"(&MARKER_SET), "l"(&MARKER_CLEAR)
                   : "cc", "memory");
    say_number("m ", COUNTER - begin);
}

static void obey(char command)
{
    switch (command) {
    case 'p':
        say("pong\n");
        break;
    case 'm':
        marked_work(get_number());
        break;
    case 'r':
        say_number("r ", REG(get_number()));
        break;
    case 'e':
        for (uint32_t n = get_number(); n > 0; n--)
            put(get());
        break;
    case 'l':
        fault();
        break;
    case 'w':
        for (;;)
            work(1000000);
    case 'z':
        AIRCR = 0x05fa0004;
        for (;;)
            ;
    default:
        break;
    }
}

void start(void)
{
    UART_BAUDDIV = 25000000 / 115200;
    UART_CTRL = 3;
    PRESCALE = 0;
    say("hello\n");
    for (;;)
        obey(get());
}
