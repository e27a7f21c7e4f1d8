/*
 * QEMU's RISC-V `virt` machine with an rv32 core. It is no real chip: RAM from 0x80000000, a 16550
 * and a PLIC, and a register that resets or ends the machine.
 * Source of the numbers: QEMU's device tree for the machine.
 */
#ifndef TARGETS_CHIPS_RV32_VIRT_H
#define TARGETS_CHIPS_RV32_VIRT_H

#include "targets/chips/chip.h"

#define RV32_VIRT_TEST     0x00100000 /* 0x7777: reset */
#define RV32_VIRT_PLIC     0x0c000000
#define RV32_VIRT_UART     0x10000000
#define RV32_VIRT_UART_IRQ 10
#define RV32_VIRT_RAM_BASE 0x80000000

#endif
