/* Espressif's interrupt matrix: any source to one of 31 lines, each with a priority. */
#include "agents/ports/common/board.h"
#include "agents/ports/common/uart.h"
#include "agents/ports/riscv/irq.h"
#include "targets/chips/chip.h"

enum {
    MAP = 0x000, /* a word for each source */
    CPU_INT_ENABLE = 0x104,
    CPU_INT_TYPE = 0x108,
    CPU_INT_PRI_0 = 0x114, /* a word for each line */
    CPU_INT_THRESH = 0x194,
    LINE = 5, /* any would do */
};

#define MATRIX(offset) REG32(BOARD_INTERRUPT_MATRIX + (offset))

void irq_start(void)
{
    MATRIX(CPU_INT_ENABLE) = 0;
    MATRIX(MAP + 4 * BOARD_UART_IRQ) = LINE;
    MATRIX(CPU_INT_TYPE) &= ~(1u << LINE); /* by level */
    MATRIX(CPU_INT_PRI_0 + 4 * LINE) = 2;
    MATRIX(CPU_INT_THRESH) = 1;
    MATRIX(CPU_INT_ENABLE) = 1u << LINE;
}

bool irq_take(uint32_t cause)
{
    if (cause != (0x80000000u | LINE))
        return false;
    uart_irq();
    return true;
}
