/*
 * From reset to agent_main(): stack painted, data copied; and the way into trap_c().
 */
#include BOARD_HEADER

    .section .text.start, "ax"
    .globl _start
_start:
#ifdef BOARD_INTERRUPT_MATRIX /* its cores have no mie, and a table instead of one entry */
    csrci mstatus, 8 /* MIE: an interrupt that the boot ROM let in would find no stack */
#else
    csrw mie, zero
#endif
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, port_stack_top
#ifdef BOARD_INTERRUPT_MATRIX
    la t0, trap_vectors
    ori t0, t0, 1
#else
    la t0, trap_entry
#endif
    csrw mtvec, t0

    la a0, port_stack_limit
    li a1, 0xa5a5a5a5
1:  sw a1, 0(a0)
    addi a0, a0, 4
    bne a0, sp, 1b

    la a0, port_data_load
    la a1, port_data_start
    la a2, port_data_end
    j 3f
2:  lw a3, 0(a0)
    sw a3, 0(a1)
    addi a0, a0, 4
    addi a1, a1, 4
3:  bne a1, a2, 2b

    la a1, port_bss_start
    la a2, port_bss_end
    j 5f
4:  sw zero, 0(a1)
    addi a1, a1, 4
5:  bne a1, a2, 4b
    call agent_main

/*
 * Sleeps until an interrupt was served: interrupts come in masked, and leave masked. Not every core
 * wakes from WFI for an interrupt that is masked, so they are let in before; trap_c() then skips a
 * WFI that has not begun, whose interrupt would be over.
 */
    .section .text.cpu_sleep, "ax"
    .globl cpu_sleep, cpu_sleep_wfi, cpu_sleep_end
    .balign 4
cpu_sleep:
    csrsi mstatus, 8
cpu_sleep_wfi:
    wfi
cpu_sleep_end:
    csrci mstatus, 8
    ret

    .section .text.trap_entry, "ax"
    .globl trap_entry
    .balign 4 /* mtvec holds a mode in its two low bits */
trap_entry:
    addi sp, sp, -64
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw a0, 16(sp)
    sw a1, 20(sp)
    sw a2, 24(sp)
    sw a3, 28(sp)
    sw a4, 32(sp)
    sw a5, 36(sp)
    sw a6, 40(sp)
    sw a7, 44(sp)
    sw t3, 48(sp)
    sw t4, 52(sp)
    sw t5, 56(sp)
    sw t6, 60(sp)
    call trap_c
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw a0, 16(sp)
    lw a1, 20(sp)
    lw a2, 24(sp)
    lw a3, 28(sp)
    lw a4, 32(sp)
    lw a5, 36(sp)
    lw a6, 40(sp)
    lw a7, 44(sp)
    lw t3, 48(sp)
    lw t4, 52(sp)
    lw t5, 56(sp)
    lw t6, 60(sp)
    addi sp, sp, 64
    mret
