/*
 * From reset to agent_main(): stack painted, data copied, FPU and vector unit on.
 *
 * The stack lies lowest in RAM, so that running over it faults instead of eating the static data.
 */
#include "agents/core/agent.h"
#include "agents/ports/common/board.h"
#include "agents/ports/cortexm/cpu.h"

extern uint32_t port_stack_top[], port_stack_limit[];
extern uint32_t port_data_load[], port_data_start[], port_data_end[];
extern uint32_t port_bss_start[], port_bss_end[];

void reset_handler(void);
void fault_handler(void);
void hang_handler(void);
void systick_handler(void);
void uart_irq(void);
void timer_irq(void);
_Noreturn void start_c(void) __attribute__((used));

typedef void handler_fn(void);

struct vectors {
    void *stack;
    handler_fn *core[15];
    handler_fn *chip[BOARD_INTERRUPTS];
};

/* A handler the linked drivers do not bring. */
void hang_handler(void)
{
    fault_handler();
}
void systick_handler(void) __attribute__((weak, alias("hang_handler")));
void timer_irq(void) __attribute__((weak, alias("hang_handler")));

/* clang-format off: designators that overlap on purpose read best in a column */
#pragma GCC diagnostic ignored "-Woverride-init"
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = port_stack_top,
    .core =
        {
            [0 ... 14] = hang_handler,
            [0] = reset_handler,
            [1 ... 5] = fault_handler, /* NMI, HardFault, MemManage, BusFault, UsageFault */
#ifdef BOARD_RTT_UP
            [13] = uart_irq, /* PendSV: the debug probe rings */
#endif
            [14] = systick_handler,
        },
    .chip =
        {
            [0 ... BOARD_INTERRUPTS - 1] = hang_handler,
#ifdef BOARD_TIMER_IRQ
            [BOARD_TIMER_IRQ] = timer_irq,
#endif
#ifdef BOARD_UART_IRQ
            [BOARD_UART_IRQ] = uart_irq,
#endif
#ifdef BOARD_UART_ERROR_IRQ
            [BOARD_UART_ERROR_IRQ] = uart_irq,
#endif
        },
};
/* clang-format on */

/* In assembly because it must not use the stack it paints; with instructions every core has. */
__asm__(".syntax unified\n"
        ".thumb_func\n"
        ".global reset_handler\n"
        ".type reset_handler, %function\n"
        ".section .text.reset_handler, \"ax\", %progbits\n"
        "reset_handler:\n"
        "    cpsid i\n"
        "    ldr r0, =port_stack_top\n"
        "    mov sp, r0\n" /* whoever starts us by hand may not have set it */
        "    ldr r1, =port_stack_limit\n"
        "    ldr r2, =0xa5a5a5a5\n"
        "1:  str r2, [r1]\n"
        "    adds r1, #4\n"
        "    cmp r1, r0\n"
        "    bne 1b\n"
        "    bl start_c\n"
        ".pool\n"
        ".size reset_handler, . - reset_handler\n"
        ".text\n");

bool cpu_has_vectors(void)
{
#ifdef BOARD_INJECTED
    return REG32(SCS_VTOR) == (uint32_t)(uintptr_t)&vectors;
#else
    return true;
#endif
}

void start_c(void)
{
    const uint32_t *from = port_data_load;

#if __ARM_ARCH >= 7 || defined(BOARD_INJECTED)
    REG32(SCS_VTOR) = (uint32_t)(uintptr_t)&vectors; /* ignored by an M0 */
#endif
#if __ARM_ARCH >= 7
    REG32(SCS_CPACR) |= 0xfu << 20; /* CP10 and CP11: FPU, and Helium where there is one */
    __asm__ volatile("dsb\n\tisb");
#endif
#if __ARM_ARCH >= 8
    __asm__ volatile("msr msplim, %0" ::"r"(port_stack_limit));
#endif
    for (uint32_t *p = port_data_start; p != port_data_end; p++)
        *p = *from++;
    for (uint32_t *p = port_bss_start; p != port_bss_end; p++)
        *p = 0;
    agent_main();
}
