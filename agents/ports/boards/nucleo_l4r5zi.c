#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"
#include "agents/ports/drivers/timers.h"
#include "targets/chips/stm32_gpio.h"

const struct timer *const board_timers[] = {&timer_dwt, &timer_systick, NULL};

void board_start(void)
{
    stm32l4r5_start_clock();
    stm32l4r5_start_lpuart1();
    stm32l4r5_start_output(STM32L4R5_GPIOA, BOARD_MARKER_PIN);
    stm32l4r5_start_output(STM32L4R5_GPIOB, BOARD_LED_PIN);
    stm32_gpio_write(STM32L4R5_GPIOB, BOARD_LED_PIN, true);
}

void board_marker(bool high)
{
    stm32_gpio_write(STM32L4R5_GPIOA, BOARD_MARKER_PIN, high);
}

uint8_t board_reset_cause(void)
{
    return stm32l4r5_reset_cause();
}

bool board_uid(uint8_t uid[12])
{
    return cpu_try_read(STM32L4R5_UID, uid, 12);
}
