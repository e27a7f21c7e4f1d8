#include "agents/ports/common/life.h"

#include "agents/core/port.h"
#include "agents/ports/common/board.h"
#include "agents/ports/common/layout.h"
#include "agents/ports/common/slot.h"
#include "agents/ports/common/uart.h"
#include "agents/wire/wire.h"
#include "targets/chips/chip.h"

_Static_assert((int)CHIP_RESET_POWER == (int)WIRE_RESET_POWER, "reset causes");
_Static_assert((int)CHIP_RESET_SOFTWARE == (int)WIRE_RESET_SOFTWARE, "reset causes");
_Static_assert((int)CHIP_RESET_PIN == (int)WIRE_RESET_PIN, "reset causes");
_Static_assert((int)CHIP_RESET_WATCHDOG == (int)WIRE_RESET_WATCHDOG, "reset causes");
_Static_assert((int)CHIP_RESET_BROWN_OUT == (int)WIRE_RESET_BROWN_OUT, "reset causes");

#define REASON_MAGIC 0x52455300u

static uint32_t reason __attribute__((section(".noinit")));

void life_start(void)
{
    uint8_t cause = board_reset_cause();

    if ((reason & ~0xffu) == REASON_MAGIC)
        cause = (uint8_t)reason;
    reason = cause;
}

void life_reset(uint8_t cause)
{
    uart_drain();
    reason = REASON_MAGIC | cause;
    cpu_reset();
}

void life_say(const char *text)
{
    while (*text != '\0')
        uart_put((uint8_t)*text++);
}

void life_say_value(const char *text, uint32_t value)
{
    life_say(text);
    for (uint8_t i = 0; i < 8; i++, value <<= 4)
        uart_put((uint8_t) "0123456789abcdef"[value >> 28]);
}

uint8_t port_reset_cause(void)
{
    return (uint8_t)reason;
}

void port_reset(void)
{
    life_reset(WIRE_RESET_SOFTWARE);
}

/* ---- identity ---- */

void port_chip_uid(uint8_t uid[12])
{
    for (uint8_t i = 0; i < 12; i++)
        uid[i] = 0;
    (void)board_uid(uid);
}

uint32_t port_caps(void)
{
    uint8_t uid[12];
    uint32_t caps = slot_caps();

#ifndef BOARD_RTT_UP
    caps |= WIRE_CAP_BAUD;
#endif
#ifndef BOARD_INJECTED
    caps |= WIRE_CAP_MARKER;
#endif

    if (board_uid(uid))
        caps |= WIRE_CAP_UID;
    if (timer_chosen()->doze != NULL)
        caps |= WIRE_CAP_SLEEP;
    return caps;
}

uint32_t port_clock_hz(void)
{
#ifdef BOARD_INJECTED
    return port_layout.clock_hz;
#else
    return BOARD_CLOCK_HZ;
#endif
}
