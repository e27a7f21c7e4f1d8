#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"

/* QEMU's chip has no timers of its own; the real one has DWT. */
const struct timer *const board_timers[] = {&timer_dwt, &timer_systick, NULL};

void board_start(void)
{
    stm32f1_start_clock();
    stm32f1_start_usart1();
    stm32f1_start_output(STM32F1_GPIOC, BOARD_MARKER_PIN);
}

void board_marker(bool high)
{
    if (high)
        REG32(STM32F1_GPIOC + STM32F1_GPIO_BSRR) = 1u << BOARD_MARKER_PIN;
    else
        REG32(STM32F1_GPIOC + STM32F1_GPIO_BRR) = 1u << BOARD_MARKER_PIN;
}

uint8_t board_reset_cause(void)
{
    return stm32f1_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    return cpu_try_read(STM32F1_UID, uid, 12);
}
