/* The PLIC, context 0 (machine mode of hart 0), and the core-local timer that ends a sleep. */
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "agents/ports/riscv/cpu.h"
#include "agents/ports/riscv/irq.h"
#include "targets/chips/chip.h"

enum {
    PLIC_PRIORITY = 0x000000,
    PLIC_ENABLE = 0x002000,
    PLIC_THRESHOLD = 0x200000,
    PLIC_CLAIM = 0x200004,
};

#define CAUSE_TIMER    0x80000007u
#define CAUSE_EXTERNAL 0x8000000bu

#define PLIC(offset)   REG32(BOARD_PLIC_BASE + (offset))

void irq_start(void)
{
    PLIC(PLIC_PRIORITY + 4 * BOARD_UART_IRQ) = 1;
    PLIC(PLIC_THRESHOLD) = 0;
    PLIC(PLIC_ENABLE + BOARD_UART_IRQ / 32 * 4) = 1u << BOARD_UART_IRQ % 32;
    CSR_SET(mie, MIE_MEIE);
}

bool irq_take(uint32_t cause)
{
    if (cause == CAUSE_EXTERNAL) {
        uint32_t source = PLIC(PLIC_CLAIM);

        if (source == BOARD_UART_IRQ)
            uart_irq();
        PLIC(PLIC_CLAIM) = source;
        return true;
    }
    if (cause == CAUSE_TIMER)
        CSR_CLEAR(mie, MIE_MTIE); /* an alarm clock rings once */
    return cause == CAUSE_TIMER;
}
