#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "targets/chips/stm32_gpio.h"

const struct timer *const board_timers[] = {&timer_dwt, &timer_stm32, NULL};

void board_start(void)
{
    static const struct stm32f4_clock clock = {.outside_mhz = 25};

    stm32f4_start_clock(&clock);
    stm32f4_start_usart1();
    stm32f4_start_tim2();
    stm32f4_start_output(STM32F4_GPIOA, BOARD_MARKER_PIN);
}

void board_marker(bool high)
{
    stm32_gpio_write(STM32F4_GPIOA, BOARD_MARKER_PIN, high);
}

uint8_t board_reset_cause(void)
{
    return stm32f4_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    return cpu_try_read(STM32F4_UID, uid, 12);
}
