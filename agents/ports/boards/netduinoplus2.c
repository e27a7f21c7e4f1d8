#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"

const struct timer *const board_timers[] = {&timer_dwt, &timer_stm32, NULL};

void board_start(void)
{
    stm32f4_start_clock(25);
    stm32f4_start_usart1();
    stm32f4_start_tim2();
    stm32f4_start_output(STM32F4_GPIOA, BOARD_MARKER_PIN);
}

void board_marker(bool high)
{
    /* The halves of BSRR: two addresses, so that an observer of stores can tell the edges apart. */
    if (high)
        REG16(STM32F4_GPIOA + STM32F4_GPIO_BSRR) = 1u << BOARD_MARKER_PIN;
    else
        REG16(STM32F4_GPIOA + STM32F4_GPIO_BSRR + 2) = 1u << BOARD_MARKER_PIN;
}

uint8_t board_reset_cause(void)
{
    return stm32f4_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    return cpu_try_read(STM32F4_UID, uid, 12);
}
