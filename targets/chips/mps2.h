/*
 * Arm's MPS2 FPGA board with the images AN385 (Cortex-M3), AN386 (M4F) and AN500 (M7).
 * Source of the numbers: Arm DAI0385D, DAI0386B, DAI0500B; CMSDK peripherals in DDI0479C.
 *
 *   0x00000000   4 MiB  SSRAM1: where code runs, writable
 *   0x20000000   4 MiB  SSRAM2+3: data
 *   0x40000000          CMSDK timers, UARTs, GPIO, all at the core's 25 MHz; FPGA system registers
 *
 * The board has far more memory than the microcontrollers it stands for, so each board file takes
 * only a part-like share of it.
 */
#ifndef TARGETS_CHIPS_MPS2_H
#define TARGETS_CHIPS_MPS2_H

#include "targets/chips/chip.h"

#define MPS2_CODE_BASE    0x00000000
#define MPS2_DATA_BASE    0x20000000

#define MPS2_TIMER0       0x40000000
#define MPS2_UART0        0x40004000
#define MPS2_UART0_RX_IRQ 0
#define MPS2_GPIO0        0x40010000
#define MPS2_FPGAIO       0x40028000

/* CMSDK GPIO: a store to MASKED(mask) touches only the pins in mask. */
#define CMSDK_GPIO_OUTENSET     0x010
#define CMSDK_GPIO_MASKED(mask) (0x400 + (mask)*4)

#endif
