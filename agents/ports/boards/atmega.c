/* Both ATmega boards. */
#include <avr/io.h>
#include <avr/wdt.h>

#include "agents/ports/avr/avr.h"
#include "agents/ports/common/board.h"
#include "targets/chips/chip.h"

const struct timer *const board_timers[] = {&timer_avr, NULL};

void board_start(void)
{
    DDRB |= _BV(5);
}

void board_marker(bool high)
{
    if (high)
        PORTB |= _BV(5);
    else
        PORTB &= (uint8_t)~_BV(5);
}

uint8_t board_reset_cause(void)
{
    if ((avr_reset_flags & _BV(WDRF)) != 0)
        return CHIP_RESET_SOFTWARE; /* board_reset() is the only one who starts it */
    if ((avr_reset_flags & _BV(BORF)) != 0)
        return CHIP_RESET_BROWN_OUT;
    if ((avr_reset_flags & _BV(PORF)) != 0)
        return CHIP_RESET_POWER;
    return (avr_reset_flags & _BV(EXTRF)) != 0 ? CHIP_RESET_PIN : CHIP_RESET_UNKNOWN;
}

void board_reset(void)
{
    wdt_enable(WDTO_15MS);
}

bool board_uid(uint8_t uid[12])
{
    (void)uid;
    return false;
}
